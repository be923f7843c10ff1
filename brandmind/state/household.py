"""The people and the data of the store in one open settings page, and what is done about them."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

import reflex as rx

from brandmind.clock import utc_now
from brandmind.errors import BrandMindError, NotFound
from brandmind.state import acts, household_view
from brandmind.state.frame import Frame, zone_of
from brandmind.state.guard import Access, guarded
from brandmind.state.household_views import DataView, MembersView, NoticesView
from brandmind.sync.progress import StoreProgress


class Household(rx.State):
    """Members, who is told, and what is stored."""

    members: MembersView = MembersView()
    notices: NoticesView = NoticesView()
    data: DataView = DataView()
    _seen_by: str = ""

    @rx.event
    @guarded()
    async def block(self, access: Access, user_id: str) -> Any:
        """Take a member's access away; their open pages close at once."""
        store = access.store
        if store is not None and isinstance(user_id, str):
            await self._change(access, acts.get().block(store, user_id=user_id))

    @rx.event
    @guarded()
    async def let_in(self, access: Access, user_id: str) -> Any:
        """Give a member their access back."""
        store = access.store
        if store is not None and isinstance(user_id, str):
            await self._change(access, acts.get().let_in(store, user_id=user_id))

    @rx.event
    @guarded()
    async def tell(self, access: Access, user_id: str, on: bool) -> Any:
        """Whether somebody gets the letter that the store is ready."""
        store = access.store
        if store is not None and isinstance(user_id, str) and isinstance(on, bool):
            await self._change(access, acts.get().tell(store, user_id=user_id, told=on))

    @rx.event
    @guarded(left=True)
    async def erase(self, access: Access, form_data: dict[str, Any]) -> Any:
        """Delete all of the store, where its owner has typed its address."""
        store = access.store
        typed = form_data.get("shop") if isinstance(form_data, dict) else None
        if store is None or not isinstance(typed, str):
            return
        frame = await self.get_state(Frame)
        try:
            await acts.get().erase(store, typed=typed[:255])
        except BrandMindError as error:
            frame.notice, frame.notice_tone = error.message, "red"
            return
        frame.notice_tone = "info"
        frame.notice = f"The data of {store.name} are being deleted. It takes a few seconds."
        self.data = replace(self.data, erasing="going", erasing_said=frame.notice)

    async def _change(self, access: Access, asked: Awaitable[None]) -> None:
        frame = await self.get_state(Frame)
        try:
            await asked
        except NotFound:
            frame.notice, frame.notice_tone = "That is nobody of this store any more.", "amber"
        except BrandMindError as error:
            frame.notice, frame.notice_tone = error.message, "amber"
        store = access.store
        assert store is not None
        if self.members.there:
            progress = await acts.get().progress(store.store_id)
            self.members = await members(store, progress)
        if self.notices.there:
            self.notices = await notices(store)


async def members(store: acts.StoreRef, progress: StoreProgress) -> MembersView:
    """The people as they are now."""
    return household_view.members(
        await acts.get().members(store),
        store,
        by_hand=progress.polled,
        origin=acts.get().origin(),
        tz=zone_of(store),
    )


async def notices(store: acts.StoreRef) -> NoticesView:
    """Who is told, as it is now."""
    return household_view.notices((await acts.get().answers(store.store_id)).readers, store)


async def data(store: acts.StoreRef, progress: StoreProgress) -> DataView:
    """What is stored now."""
    return household_view.data(
        await acts.get().stored(store.store_id),
        store,
        erase_at=progress.erase_at,
        now=utc_now(),
        privacy=(
            await acts.get().privacy(store.store_id) if household_view.answers_for(store) else ()
        ),
        tz=zone_of(store),
    )


def draw(at: Household, viewer: acts.Viewer | None, **drawn: Any) -> None:
    """Show what was drawn to the one it is of, and nothing else; inside the state's lock."""
    empty: dict[str, Any] = {
        "members": MembersView(),
        "notices": NoticesView(),
        "data": DataView(),
    }
    for name, view in (empty | drawn).items():
        if view != getattr(at, name):
            setattr(at, name, view)
    at._seen_by = viewer.session_id if viewer else ""
