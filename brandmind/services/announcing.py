"""Tells watchers what was committed, from a task of its own: the sync never waits for it."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from brandmind.db import reaping, snapshot
from brandmind.db.ledger import SqlLedger
from brandmind.runtime import Runtime

log = logging.getLogger(__name__)

# A screen takes four changes a second; ten here leave it fresh without reading SQL for each page.
_PAUSE_S = 0.1


class LiveAnnouncer:
    """`sync.ports.Announcer` of one claimed run: many changes in a moment are told once."""

    def __init__(self, rt: Runtime, ledger: SqlLedger) -> None:
        self._rt = rt
        self._ledger = ledger
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._tell(), name="announcer")

    def changed(self) -> None:
        self._changed.set()

    async def close(self) -> None:
        """Tell the last state and stop."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await announce(self._rt, self._ledger.claim.run_id, self._ledger.claim.store_id)

    async def _tell(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                seq = await self._rt.db.read(reaping.seq_of, self._ledger.claim.run_id)
                progress = await self._rt.db.read(snapshot.progress, self._ledger.claim.store_id)
                if await self._rt.signals.progress(progress):
                    # Written down with the next page: a write of its own would cost as much.
                    self._ledger.announced_seq = seq
            except Exception as error:
                log.warning("could not announce: %s", type(error).__name__)
            await asyncio.sleep(_PAUSE_S)


async def announce(rt: Runtime, run_id: str, store_id: str) -> None:
    """Tell the state of a store now and note that it was told. Never raises."""
    try:
        seq = await rt.db.read(reaping.seq_of, run_id)
        progress = await rt.db.read(snapshot.progress, store_id)
        if await rt.signals.progress(progress):
            await rt.db.write(reaping.told, run_id, seq)
    except Exception as error:
        log.warning("could not announce: %s", type(error).__name__)
