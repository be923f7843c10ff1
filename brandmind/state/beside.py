"""What one open page of two stores holds."""

from __future__ import annotations

from datetime import UTC

import reflex as rx

from brandmind.clock import monotonic_s, utc_now
from brandmind.state import acts
from brandmind.state.beside_view import BesideView, Side, beside
from brandmind.state.frame import Frame, draw, watch, zone_of
from brandmind.state.guard import Access, admit, guarded
from brandmind.state.portrait import sees
from brandmind.state.ranges import chosen
from brandmind.state.shell_view import store_links
from brandmind.sync.progress import StoreProgress

# Two stores are added up again at most this often.
EVERY_S = 10.0


class Beside(rx.State):
    """The store of the address, and the one that stands beside it."""

    page: BesideView = BesideView()
    _seen_by: str = ""

    @rx.event(background=True)
    @guarded(page=True)
    async def follow(self, access: Access) -> None:
        """Show both as they are now and go on looking until the tab goes."""
        async with self:
            asked = dict(self.router.url.query_parameters)
        store, viewer = access.store, access.viewer
        if store is None or viewer is None:
            async with self:
                self.page = BesideView()
                frame = await self.get_state(Frame)
                draw(frame, access, None, tz=UTC)
            return
        tz, page = zone_of(store), BesideView()
        known: tuple[acts.StoreRef, ...] | None = None
        made_s = -EVERY_S

        async def show(progress: StoreProgress, _fresh: bool) -> None:
            nonlocal page, known, made_s
            # The second store is another right of this session, which may have ended meanwhile.
            found = await admit(self)
            if found.viewer is None or found.store is None:
                return
            if found.viewer.stores != known or monotonic_s() - made_s >= EVERY_S:
                page = await _built(found, asked)
                known, made_s = found.viewer.stores, monotonic_s()
            async with self:
                if page != self.page:
                    self.page = page
                self._seen_by = viewer.session_id
                frame = await self.get_state(Frame)
                draw(frame, found, progress, tz=tz)

        async for lost in watch(self, access, show):
            async with self:
                self.page = BesideView()
                frame = await self.get_state(Frame)
                draw(frame, lost, None, tz=tz)


async def _built(access: Access, asked: dict[str, str]) -> BesideView:
    store, viewer = access.store, access.viewer
    assert store is not None
    assert viewer is not None
    others = [one for one in viewer.stores if one.store_id != store.store_id]
    wanted = asked.get("and", "").strip().lower()
    other = next((one for one in others if one.domain == wanted), None)
    if other is None and len(others) == 1:
        other = others[0]
    at = chosen(asked, today=utc_now().astimezone(zone_of(store)).date())
    return beside(
        await _side(store, asked) if other is not None else Side(store.name, store.domain),
        await _side(other, asked) if other is not None else None,
        at=at,
        others=tuple((one.domain, one.name) for one in others),
        locked=store_links(access)[len(viewer.stores) :],
    )


async def _side(store: acts.StoreRef, asked: dict[str, str]) -> Side:
    """One of the two, as far as this person may see it."""
    figures, dna = None, None
    may = store.may_orders and store.may_customers
    if may:
        at = chosen(asked, today=utc_now().astimezone(zone_of(store)).date())
        figures = await acts.get().command_center(
            store.store_id, date_from=at.date_from, date_to=at.date_to, compare=None
        )
    if sees(store):
        dna = await acts.get().store_dna(store.store_id)
    return Side(store.name, store.domain, figures, dna, sees_figures=may, sees_dna=sees(store))
