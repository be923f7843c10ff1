"""The state every private page shares: its frame, and the small acts in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import tzinfo
from typing import Any

import reflex as rx

from brandmind.clock import utc_now
from brandmind.commerce.shop import zone
from brandmind.errors import BrandMindError, StorePaused, SyncAlreadyRunning, TooManySyncs
from brandmind.state import acts, wording
from brandmind.state.follow import paced
from brandmind.state.guard import Access, admit, guarded, public
from brandmind.state.shell_view import shell
from brandmind.state.status_view import paused_words
from brandmind.state.views import ShellView
from brandmind.sync.progress import StoreProgress


class Frame(rx.State):
    """What is around the page."""

    shell: ShellView = ShellView()
    notice: str = ""
    notice_tone: str = "info"
    _seen_by: str = ""

    @rx.event
    @guarded()
    async def sync_now(self, access: Access) -> None:
        """Ask for a sync; the answer is one sentence, or the waiting room's numbers move."""
        await self._do(access, lambda store, by: acts.get().request(store, by=by))

    @rx.event
    @guarded()
    async def retry(self, access: Access) -> None:
        """Try the failed stage once more, from where it stopped."""
        await self._do(access, lambda store, by: acts.get().retry(store, by=by))

    @rx.event
    @guarded()
    async def start_over(self, access: Access) -> None:
        """Read what stopped once more, from its beginning."""
        await self._do(access, lambda store, by: acts.get().retry(store, by=by, from_start=True))

    @rx.event
    @guarded()
    async def full_resync(self, access: Access) -> None:
        """Read everything again; the stored figures stay until it is done."""
        await self._do(access, lambda store, by: acts.get().request(store, by=by, full=True))

    @rx.event
    @guarded()
    async def cancel(self, access: Access) -> None:
        """Stop the running sync; what was read is kept."""
        await self._do(access, lambda store, by: acts.get().cancel(store, by=by))

    @rx.event
    @guarded()
    async def pause(self, access: Access) -> None:
        """Let the store rest until somebody lets it go on."""
        await self._do(access, lambda store, by: acts.get().pause(store, by=by))

    @rx.event
    @guarded()
    async def resume(self, access: Access) -> None:
        """Let a store that rests go on where it was."""
        await self._do(access, lambda store, _by: acts.get().resume(store))

    @rx.event
    @public
    async def close_notice(self) -> None:
        """Put the last answer away."""
        self.notice = ""

    async def _do(self, access: Access, act: Callable[[str, str], Awaitable[Any]]) -> None:
        """An act on the store in the name of the viewer, and what there is to say about it."""
        store, viewer = access.store, access.viewer
        if store is None or viewer is None:
            return
        self.notice, self.notice_tone = await _ask(
            act(store.store_id, person(store, viewer)), tz=zone_of(store)
        )


def draw(frame: Frame, access: Access, progress: StoreProgress | None, *, tz: tzinfo) -> None:
    """Draw the frame for what a guard has just found; inside the state's lock."""
    drawn = shell(access, progress, now=utc_now(), tz=tz)
    if drawn != frame.shell:
        frame.shell = drawn
    frame._seen_by = access.viewer.session_id if access.viewer else ""


def person(store: acts.StoreRef, viewer: acts.Viewer) -> str:
    """Who the viewer is in that store: one person may be several users, one a store."""
    return store.user_id or viewer.user_id


def zone_of(store: acts.StoreRef) -> tzinfo:
    """The store's own zone; UTC until its shop was asked for it."""
    return zone(store.timezone)


async def watch(
    state: Any, access: Access, show: Callable[[StoreProgress, bool], Awaitable[None]]
) -> AsyncIterator[Access]:
    """Follow a store until the tab goes or its session ends.

    Subscribes first and reads the snapshot second, so that no change falls between. `show` gets
    each progress and whether it is new (false: only time has passed). Yields the access that
    was lost when the session has ended, for the page to say so.
    """
    store, viewer = access.store, access.viewer
    assert store is not None
    assert viewer is not None
    while True:
        async with acts.get().watch(store.store_id, session_id=viewer.session_id) as changes:
            progress = await acts.get().progress(store.store_id)
            await show(progress, True)
            async for change in paced(changes):
                if change is None:
                    # The word that a session has ended may itself be lost: look.
                    found = await admit(state)
                    if found.store is None or found.store.store_id != store.store_id:
                        break
                    await show(progress, False)
                    continue
                if change.seq < progress.seq:
                    # Told before the snapshot was read: it says less than what is shown.
                    continue
                progress = change
                await show(progress, True)
        found = await admit(state)
        if found.store is None or found.store.store_id != store.store_id:
            yield found
            return
        # The hub itself went away and came back: no reason to spin.
        await asyncio.sleep(1)


async def _ask(asked: Awaitable[Any], *, tz: tzinfo) -> tuple[str, str]:
    """What to say after an act: nothing if it was done, else why not."""
    try:
        await asked
    except SyncAlreadyRunning as error:
        return error.message, "info"
    except TooManySyncs as error:
        at = wording.clock(error.next_at, tz)
        return f"Three syncs in the last hour. The next is possible at {at}.", "amber"
    except StorePaused as error:
        return paused_words(error.paused_by, error.paused_at, now=utc_now(), tz=tz), "note"
    except BrandMindError as error:
        return error.message, "red"
    return "", "info"
