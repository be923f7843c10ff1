"""What one open settings page holds."""

from __future__ import annotations

from datetime import UTC

import reflex as rx

from brandmind.clock import utc_now
from brandmind.state import acts
from brandmind.state.frame import Frame, draw, watch, zone_of
from brandmind.state.guard import Access, guarded
from brandmind.state.settings_view import settings
from brandmind.state.shell_view import store_links
from brandmind.state.views import SettingsView
from brandmind.sync.progress import StoreProgress


class Settings(rx.State):
    """The settings of the store in the address."""

    page: SettingsView = SettingsView()
    tab: str = "sync"
    _seen_by: str = ""

    @rx.event(background=True)
    @guarded(page=True)
    async def follow(self, access: Access) -> None:
        """Show what the last sync found, then every change of it, until the tab goes."""
        async with self:
            wanted = self.router.url.query_parameters.get("tab", "sync")
            self.tab = wanted if wanted in ("sync", "stores", "about") else "sync"
        store, viewer = access.store, access.viewer
        if store is None or viewer is None:
            async with self:
                self.page = SettingsView()
                frame = await self.get_state(Frame)
                draw(frame, access, None, tz=UTC)
            return
        tz = zone_of(store)
        links = store_links(access)

        async def show(progress: StoreProgress, fresh: bool) -> None:
            left, next_at = await acts.get().manual_left(store.store_id)
            page = settings(
                progress,
                shop_param=store.domain,
                manual_left=left,
                manual_next_at=next_at,
                stores=links[: len(viewer.stores)],
                locked=links[len(viewer.stores) :],
                now=utc_now(),
                tz=tz,
            )
            async with self:
                if page != self.page:
                    self.page = page
                self._seen_by = viewer.session_id
                frame = await self.get_state(Frame)
                draw(frame, access, progress, tz=tz)

        async for lost in watch(self, access, show):
            async with self:
                self.page = SettingsView()
                frame = await self.get_state(Frame)
                draw(frame, lost, None, tz=tz)
