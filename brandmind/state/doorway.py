"""What the landing and connect pages hold: what went wrong, and the stores already known."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from brandmind.commerce.shop import NOT_AN_ADDRESS
from brandmind.state.guard import Access, guarded
from brandmind.state.shell_view import store_links
from brandmind.state.views import ConnectView

ERRORS: Final = {
    "invalid": NOT_AN_ADDRESS,
    "denied": "You chose not to install. Nothing was saved.",
    "link": ("This sign-in link is not valid or too old. Start again from your store's address."),
    "unavailable": "Shopify is not answering right now. Try again in a minute.",
    "removed": "The owner of this store has removed your access.",
    "scopes": "Shopify granted less than BrandMind needs to read. Nothing was saved.",
}


class Doorway(rx.State):
    """The pages before a store."""

    view: ConnectView = ConnectView()
    _seen_by: str = ""

    @rx.event
    @guarded(page=True)
    async def arrive(self, access: Access) -> Any:
        """Say what the address says went wrong, and list the session's own stores."""
        params = dict(self.router.url.query_parameters)
        error = ERRORS.get(params.get("error", ""), "")
        if params.get("error") and not error:
            error = ERRORS["link"]
        links = store_links(access)
        passed = len(access.viewer.stores) if access.viewer else 0
        self._seen_by = access.viewer.session_id if access.viewer else ""
        self.view = ConnectView(
            there=True,
            error=error,
            shop=params.get("shop", "")[:120] if params.get("shop") != "sample" else "",
            stores=links[:passed],
            locked=links[passed:],
        )
        if passed and self.router.url.path == "/" and not error and "stay" not in params:
            return rx.redirect(links[0].href, replace=True)
        return None
