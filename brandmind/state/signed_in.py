"""Where the person of one open settings page is signed in, and the ends put to it there."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any, Final

import reflex as rx

from brandmind.clock import utc_now
from brandmind.errors import NotFound
from brandmind.state import acts, signed_in_view
from brandmind.state.frame import Frame, zone_of
from brandmind.state.guard import Access, guarded
from brandmind.state.views import SignedInView

_OVER_ALREADY: Final = "That browser was signed out already."


class SignedIn(rx.State):
    """The browsers of whoever looks."""

    view: SignedInView = SignedInView()
    _seen_by: str = ""

    @rx.event
    @guarded(left=True)
    async def sign_out(self, access: Access, session_id: str) -> Any:
        """End one of the viewer's other sessions; its open pages close at once."""
        store, viewer = access.store, access.viewer
        if store is None or viewer is None or not isinstance(session_id, str):
            return
        name = next((at.name for at in self.view.browsers if at.session_id == session_id), "")
        frame = await self.get_state(Frame)
        frame.notice_tone = "info"
        try:
            await acts.get().sign_out(viewer, session_id)
            frame.notice = signed_in_view.ended(name)
        except NotFound:
            frame.notice = _OVER_ALREADY
        draw(self, viewer, await look(viewer, tz=zone_of(store)))

    @rx.event
    @guarded(left=True)
    async def sign_out_elsewhere(self, access: Access) -> Any:
        """End all of the viewer's sessions but this one."""
        store, viewer = access.store, access.viewer
        if store is None or viewer is None:
            return
        frame = await self.get_state(Frame)
        frame.notice_tone = "info"
        frame.notice = signed_in_view.ended_elsewhere(await acts.get().sign_out_elsewhere(viewer))
        draw(self, viewer, await look(viewer, tz=zone_of(store)))


async def look(viewer: acts.Viewer, *, tz: tzinfo) -> SignedInView:
    """The list as it is now."""
    found = await acts.get().signed_in(viewer)
    return signed_in_view.signed_in(found, now=utc_now(), tz=tz)


def draw(at: SignedIn, viewer: acts.Viewer | None, view: SignedInView) -> None:
    """Show the list to the one it is of; inside the state's lock."""
    if view != at.view:
        at.view = view
    at._seen_by = viewer.session_id if viewer else ""
