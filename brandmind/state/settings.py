"""What one open settings page holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import Any, Final

import reflex as rx

from brandmind.clock import utc_now
from brandmind.state import acts, household, signed_in
from brandmind.state.choosing import choose
from brandmind.state.frame import Frame, draw, watch, zone_of
from brandmind.state.guard import Access, guarded
from brandmind.state.household import Household
from brandmind.state.household_views import DataView
from brandmind.state.settings_view import settings
from brandmind.state.shell_view import store_links
from brandmind.state.signed_in import SignedIn
from brandmind.state.views import SettingsView, SignedInView
from brandmind.sync.progress import StoreProgress
from brandmind.sync.selection import OrdersSince

TABS: Final = ("sync", "stores", "members", "data", "notices", "devices", "about")


class Settings(rx.State):
    """The settings of the store in the address."""

    page: SettingsView = SettingsView()
    tab: str = "sync"
    _seen_by: str = ""

    @rx.event
    @guarded()
    async def choose_orders(self, access: Access, value: str) -> Any:
        """How far back orders are read: 60d, 12m or all."""
        if value in set(OrdersSince):
            await self._choose(access, orders_since=OrdersSince(value))

    @rx.event
    @guarded()
    async def choose_customers(self, access: Access, on: bool) -> Any:
        """Whether customers are read."""
        if isinstance(on, bool):
            await self._choose(access, customers=on)

    async def _choose(self, access: Access, **changed: Any) -> None:
        wanted = await choose(self, access, **changed)
        if wanted is not None:
            self.page = replace(
                self.page, orders_since=wanted.orders_since.value, customers=wanted.customers
            )
        else:
            self.page = replace(self.page, turned_back=self.page.turned_back + 1)

    @rx.event(background=True)
    @guarded(page=True)
    async def follow(self, access: Access) -> None:
        """Show what the last sync found, then every change of it, until the tab goes."""
        async with self:
            wanted = self.router.url.query_parameters.get("tab", "sync")
            tab = self.tab = wanted if wanted in TABS else "sync"
        store, viewer = access.store, access.viewer
        if store is None or viewer is None:
            async with self:
                self.page = SettingsView()
                frame = await self.get_state(Frame)
                draw(frame, access, None, tz=UTC)
            return
        tz = zone_of(store)
        links = store_links(access)
        counted: DataView | None = None
        counted_for: tuple[object, ...] = ()

        async def show(progress: StoreProgress, fresh: bool) -> None:
            nonlocal counted, counted_for
            left, next_at = await acts.get().manual_left(store.store_id)
            page = settings(
                progress,
                full_sync_s=await acts.get().full_sync_s(store.store_id),
                shop=store.name,
                shop_param=store.domain,
                manual_left=left,
                manual_next_at=next_at,
                stores=links[: len(viewer.stores)],
                locked=links[len(viewer.stores) :],
                now=utc_now(),
                tz=tz,
            )
            browsers = await signed_in.look(viewer, tz=tz) if tab == "devices" else None
            house: dict[str, Any] = {}
            if tab == "members":
                house = {"members": await household.members(store, progress)}
            elif tab == "notices":
                house = {"notices": await household.notices(store)}
            elif tab == "data":
                key = (progress.status, progress.last_synced_at, progress.erase_at)
                if counted is None or counted_for != key:
                    # Each count walks a table: not again at every tick.
                    counted, counted_for = await household.data(store, progress), key
                house = {"data": counted}
            async with self:
                if page != self.page:
                    self.page = page
                if browsers is not None:
                    signed_in.draw(await self.get_state(SignedIn), viewer, browsers)
                household.draw(await self.get_state(Household), viewer, **house)
                self._seen_by = viewer.session_id
                frame = await self.get_state(Frame)
                draw(frame, access, progress, tz=tz)

        async for lost in watch(self, access, show):
            async with self:
                self.page = SettingsView()
                signed_in.draw(await self.get_state(SignedIn), None, SignedInView())
                household.draw(await self.get_state(Household), None)
                frame = await self.get_state(Frame)
                draw(frame, lost, None, tz=tz)
