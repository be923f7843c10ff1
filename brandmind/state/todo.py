"""What a person does about what is suggested to them, on whichever page it stands."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import reflex as rx

from brandmind.errors import BrandMindError
from brandmind.services.todo import State
from brandmind.state import acts
from brandmind.state.center import Center
from brandmind.state.frame import Frame, person
from brandmind.state.guard import Access, guarded
from brandmind.state.portrait import Portrait, sees, shown


class Todo(rx.State):
    """Done, later, and taken back."""

    @rx.event
    @guarded()
    async def done(self, access: Access, key: str) -> Any:
        """It is done: not suggested for 90 days."""
        await self._put_away(access, key, "done")

    @rx.event
    @guarded()
    async def later(self, access: Access, key: str) -> Any:
        """Not now: not suggested for 14 days."""
        await self._put_away(access, key, "later")

    @rx.event
    @guarded()
    async def take_back(self, access: Access, key: str) -> Any:
        """Suggest it again."""
        store = access.store
        if store is not None and isinstance(key, str) and sees(store):
            await self._kept(access, acts.get().take_back(store.store_id, key=key))

    async def _put_away(self, access: Access, key: str, state: State) -> None:
        store, viewer = access.store, access.viewer
        if store is not None and viewer is not None and isinstance(key, str) and sees(store):
            by = person(store, viewer)
            await self._kept(access, acts.get().mark(store.store_id, key=key, state=state, by=by))

    async def _kept(self, access: Access, asked: Awaitable[None]) -> None:
        store = access.store
        assert store is not None
        try:
            await asked
        except BrandMindError as error:
            frame = await self.get_state(Frame)
            frame.notice, frame.notice_tone = error.message, "amber"
            return
        progress = await acts.get().progress(store.store_id)
        portrait = await self.get_state(Portrait)
        center = await self.get_state(Center)
        # Both may have been open in this tab; what is not on the screen is drawn anew anyway.
        if portrait.page.there:
            portrait._turn += 1
            portrait.page = await shown(store, progress, against=portrait._against, whole=True)
        if center.dna.there:
            center._turn += 1
            center.dna = await shown(store, progress)
