"""Tells watchers what was committed, from a task of its own: the sync never waits for it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import replace

from brandmind.bus.silent import Silent
from brandmind.db import reaping, snapshot
from brandmind.db.ledger import SqlLedger
from brandmind.runtime import Runtime
from brandmind.sync.progress import StoreProgress

log = logging.getLogger(__name__)

# A screen takes four changes a second; ten here leave it fresh without reading SQL for each page.
_PAUSE_S = 0.1
# A pause of the shop's asking is said once it would be noticed.
_LOOK_S = 1.0
_WORTH_SAYING_S = 1.5


class LiveAnnouncer:
    """`sync.ports.Announcer` of one claimed run: many changes in a moment are told once."""

    def __init__(self, rt: Runtime, ledger: SqlLedger) -> None:
        self._rt = rt
        self._ledger = ledger
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._tell(), name="announcer")

        self.waiting_s: Callable[[], float] = lambda: 0.0
        # Says when the reading will be over where whoever reads knows better than its pace does.
        self.left_s: Callable[[StoreProgress], float | None] = lambda _progress: None

    def changed(self) -> None:
        self._changed.set()

    async def close(self) -> None:
        """Tell the last state and stop."""
        self._task.cancel()
        # Not suppressed: a worker that goes down may cancel this very wait.
        await asyncio.gather(self._task, return_exceptions=True)
        await announce(self._rt, self._ledger.claim.run_id, self._ledger.claim.store_id)

    async def _tell(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await self._changed.wait()
            try:
                if not self._changed.is_set() and not await self._says_wait():
                    continue
                self._changed.clear()
                if isinstance(self._rt.signals, Silent):
                    continue
                seq = await self._rt.db.read(reaping.seq_of, self._ledger.claim.run_id)
                progress = await self._rt.db.read(snapshot.progress, self._ledger.claim.store_id)
                if await self._rt.signals.progress(self._by_now(progress)):
                    # Written down with the next page: a write of its own would cost as much.
                    self._ledger.announced_seq = seq
            except Exception as error:
                log.warning("could not announce: %s", type(error).__name__)
            await asyncio.sleep(_PAUSE_S)

    def _by_now(self, progress: StoreProgress) -> StoreProgress:
        """With what only this process knows: the page landed, and the next one waits already."""
        waits = progress.waiting is None and self.waiting_s() > _WORTH_SAYING_S
        return replace(
            progress,
            waiting="throttled" if waits else progress.waiting,
            left_s=self.left_s(progress),
        )

    async def _says_wait(self) -> bool:
        return self.waiting_s() > _WORTH_SAYING_S and await self._ledger.waits()


async def announce(rt: Runtime, run_id: str, store_id: str) -> bool:
    """Tell the state of a store now and note that it was told. Never raises.

    False if nobody could be told: then the next one could not be told either.
    """
    try:
        seq = await rt.db.read(reaping.seq_of, run_id)
        progress = await rt.db.read(snapshot.progress, store_id)
        if not await rt.signals.progress(progress):
            return False
        await rt.db.write(reaping.told, run_id, seq)
    except Exception as error:
        log.warning("could not announce: %s", type(error).__name__)
    return True
