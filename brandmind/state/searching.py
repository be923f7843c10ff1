"""What one open tab has looked for."""

from __future__ import annotations

import logging
from typing import Any, Final

import reflex as rx

from brandmind.services.searching import Found, clean
from brandmind.state import acts
from brandmind.state.guard import Access, guarded
from brandmind.state.search_view import SearchView, search

log = logging.getLogger(__name__)

_BROKEN: Final = "Could not look just now. Try again."


class Search(rx.State):
    """The search over the page."""

    view: SearchView = SearchView()
    _seen_by: str = ""

    @rx.event
    @guarded(sample=True, left=True)
    async def look(self, access: Access, text: str) -> Any:
        """Look for a few letters in the store of the address; none forget what was found."""
        wanted = clean(text[:400]) if isinstance(text, str) else ""
        store, viewer = access.store, access.viewer
        found = Found(wanted)
        if store is not None and wanted:
            try:
                found = await acts.get().search(store, wanted)
            except Exception as error:
                # Said where it is missed: the page behind is none the worse.
                log.error("a search failed: %s", type(error).__name__, exc_info=error)
                self.view = SearchView(text=wanted, said=_BROKEN)
                return
        self.view = search(
            found,
            shop_param=access.shop_param,
            sees_people=access.sample
            or (store is not None and store.may_orders and store.may_customers),
            admin=viewer is not None and viewer.admin,
        )
        self._seen_by = viewer.session_id if viewer else ""
