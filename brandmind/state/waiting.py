"""What one open waiting room holds."""

from __future__ import annotations

from datetime import UTC

import reflex as rx

from brandmind.clock import monotonic_s, utc_now
from brandmind.services.dashboard import ReadyNow
from brandmind.state import acts
from brandmind.state.frame import Frame, draw, watch, zone_of
from brandmind.state.guard import Access, guarded
from brandmind.state.onboarding_view import invitation
from brandmind.state.sight import sight_of
from brandmind.state.views import WaitingRoomView
from brandmind.state.waiting_view import Watch, waiting_room
from brandmind.sync.progress import StoreProgress
from brandmind.sync.stages import PAGED, Stage, StageState

# The small charts are asked for again at most this often while rows come in.
READY_EVERY_S = 3.0


class Waiting(rx.State):
    """The waiting room of the store in the address."""

    room: WaitingRoomView = WaitingRoomView()
    _seen_by: str = ""

    @rx.event(background=True)
    @guarded(page=True)
    async def follow(self, access: Access) -> None:
        """Show the truth, then every change of it, until the tab goes."""
        store, viewer = access.store, access.viewer
        if store is None or viewer is None:
            async with self:
                self.room = WaitingRoomView()
                frame = await self.get_state(Frame)
                draw(frame, access, None, tz=UTC)
            return
        tz, seen = zone_of(store), Watch()
        ready: ReadyNow | None = None
        ready_key: _Key | None = None
        ready_at = -READY_EVERY_S
        invited = invitation(await acts.get().answers(store.store_id), shop_param=store.domain)

        async def show(progress: StoreProgress, fresh: bool) -> None:
            nonlocal ready, ready_key, ready_at
            at_s = monotonic_s()
            seen.saw(progress, at_s=at_s)
            key = _ready_key(progress)
            if charts_due(key, ready_key, since_s=at_s - ready_at):
                ready = await acts.get().ready_now(store.store_id)
                ready_key, ready_at = key, at_s
            room = waiting_room(
                progress,
                ready,
                seen,
                shop=store.name,
                shop_param=store.domain,
                now=utc_now(),
                tz=tz,
                invited=invited,
                sight=sight_of(store),
            )
            async with self:
                if room != self.room:
                    self.room = room
                self._seen_by = viewer.session_id
                frame = await self.get_state(Frame)
                draw(frame, access, progress, tz=tz)

        async for lost in watch(self, access, show):
            async with self:
                self.room = WaitingRoomView()
                frame = await self.get_state(Frame)
                draw(frame, lost, None, tz=tz)


_Key = tuple[tuple[Stage, StageState, int], ...]


def charts_due(key: _Key, before: _Key | None, *, since_s: float) -> bool:
    """Whether the small charts are to be looked up, `since_s` seconds after the last time.

    `before` None: they never were. A store that was read before has them before anything is
    read anew.
    """
    if before is None:
        return True
    # The end of a stage is worth a look at once: nothing may come after it.
    return key != before and (since_s >= READY_EVERY_S or _states(key) != _states(before))


def _states(key: _Key) -> list[tuple[Stage, StageState]]:
    return [(stage, state) for stage, state, _ in key]


def _ready_key(progress: StoreProgress) -> _Key:
    """Changes when the small charts may have changed."""
    return tuple(
        (at.stage, at.state, at.done)
        for at in progress.stages
        if at.stage in PAGED and at.state is not StageState.QUEUED
    )
