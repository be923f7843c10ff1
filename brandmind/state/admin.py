"""What one open admin page holds, and what an operator does there."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

import reflex as rx

from brandmind.clock import utc_now
from brandmind.errors import BrandMindError
from brandmind.services.operating import ACTS
from brandmind.state import acts, admin_view
from brandmind.state.admin_views import AdminView, ShopView
from brandmind.state.frame import Frame
from brandmind.state.guard import Access, admit, guarded
from brandmind.state.shell_view import nobodys, operators
from brandmind.state.wording import counted

log = logging.getLogger(__name__)

EVERY_S: Final = 3.0
_DONE: Final = {
    "retry": "It goes on from where it stopped.",
    "start_over": "It begins once more.",
    "stop": "Stopped. What was read is kept.",
    "pause": "Paused until somebody lets it go on.",
    "resume": "It goes on.",
    "read_again": "Everything of it is read again.",
}


class Admin(rx.State):
    """The installation."""

    page: AdminView = AdminView()
    _seen_by: str = ""

    @rx.event
    @guarded(admin=True)
    async def act(self, access: Access, domain: str, what: str) -> Any:
        """One act on one store; `what` is one of `operating.ACTS`."""
        viewer = access.viewer
        name = next((one for one in ACTS if one == what), None)
        if viewer is None or name is None or not isinstance(domain, str):
            return
        frame = await self.get_state(Frame)
        try:
            done = await acts.get().operate(viewer, domain=domain, what=name)
        except BrandMindError as error:
            frame.notice, frame.notice_tone = error.message, "amber"
            return
        frame.notice_tone = "info"
        frame.notice = _DONE.get(name) or _put_back(done)
        await self._draw(access)

    @rx.event
    @guarded(admin=True)
    async def retry_failed(self, access: Access) -> Any:
        """Let every failed store go on that can."""
        viewer = access.viewer
        if viewer is None:
            return
        done, refused = await acts.get().retry_failed(viewer)
        frame = await self.get_state(Frame)
        frame.notice_tone = "amber" if refused else "info"
        frame.notice = f"{counted(done, 'store')} put back in the queue."
        if refused:
            frame.notice += f" {counted(refused, 'store')} could not be: look at each."
        await self._draw(access)

    @rx.event
    @guarded(admin=True)
    async def replay_all(self, access: Access) -> Any:
        """Look once more at every delivery that lies aside."""
        viewer = access.viewer
        if viewer is None:
            return
        count = await acts.get().replay_all(viewer)
        frame = await self.get_state(Frame)
        frame.notice, frame.notice_tone = _put_back(count), "info"
        await self._draw(access)

    @rx.event(background=True)
    @guarded(page=True, admin=True)
    async def follow(self, access: Access) -> None:
        """Show the installation, and look again every few seconds until the tab goes."""
        while True:
            if access.viewer is None or not access.viewer.admin:
                async with self:
                    self.page, self._seen_by = AdminView(), ""
                    frame = await self.get_state(Frame)
                    frame.shell, frame._seen_by = nobodys(), ""
                return
            page = await _look(access, await _asked(self))
            async with self:
                self._show(page, access)
                frame = await self.get_state(Frame)
                frame.shell = operators(access)
                frame._seen_by = access.viewer.session_id
            await asyncio.sleep(EVERY_S)
            try:
                access = await admit(self)
            except Exception as error:
                # The database is away: what is shown next is just that, and nothing new.
                log.warning("a session could not be looked up: %s", type(error).__name__)

    async def _draw(self, access: Access) -> None:
        self._show(await _look(access, dict(self.router.url.query_parameters)), access)

    def _show(self, page: AdminView, access: Access) -> None:
        if page != self.page:
            self.page = page
        self._seen_by = access.viewer.session_id if access.viewer else ""


async def _asked(state: Any) -> dict[str, str]:
    async with state:
        return dict(state.router.url.query_parameters)


async def _look(access: Access, asked: dict[str, str]) -> AdminView:
    viewer = access.viewer
    assert viewer is not None
    state, number = admin_view.filters_of(asked)
    domain = asked.get("store", "")[:255]
    house = await acts.get().installation(viewer)
    opened: ShopView | None = None
    if domain and house.jobs is not None:
        found = await acts.get().store_story(viewer, domain)
        opened = admin_view.shop(found, domain=domain, state=state, now=utc_now())
    return admin_view.admin(house, state=state, page=number, now=utc_now(), shop=opened)


def _put_back(count: int) -> str:
    return f"{counted(count, 'delivery', 'deliveries')} put back. They are looked at now."
