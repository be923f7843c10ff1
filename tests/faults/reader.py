"""Somebody who watches a sync as an open page does, and notes whenever progress goes back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from brandmind.bus.hub import Hub
from brandmind.runtime import Runtime
from brandmind.services import syncs
from brandmind.sync.progress import StageProgress, StoreProgress


class Reader:
    """One tab: subscribes, reads SQL, then follows what it is told."""

    def __init__(
        self, rt: Runtime, store_id: str, *, hub: Hub | None = None, after: Reader | None = None
    ) -> None:
        """`after` is the same person's tab that was shut: what it has shown is not taken back."""
        self.last: StoreProgress | None = after.last if after else None
        self.seen = 0
        self.falls: list[str] = list(after.falls) if after else []
        self._rt = rt
        self._store_id = store_id
        self._hub = hub or rt.hub
        self._task = asyncio.create_task(self._follow(), name="reader")

    async def _follow(self) -> None:
        async with self._hub.watch(self._store_id) as watch:
            watch.tell(await syncs.progress(self._rt, self._store_id))
            async for now in watch:
                if self.last is not None:
                    self.falls += fallen(self.last, now)
                self.last = now
                self.seen += 1

    async def leave(self) -> None:
        """The tab is shut."""
        self._task.cancel()
        (ended,) = await asyncio.gather(self._task, return_exceptions=True)
        if isinstance(ended, Exception):
            raise ended


def fallen(before: StoreProgress, now: StoreProgress) -> Iterator[str]:
    """Where a later state says less than an earlier one of the same run."""
    if now.seq < before.seq:
        yield f"seq {before.seq} → {now.seq}"
    if now.run_id != before.run_id:
        return
    if now.percent < before.percent:
        yield f"percent {before.percent} → {now.percent}"
    known = {stage.stage: stage for stage in (*before.stages, before.history) if stage}
    for stage in (*now.stages, now.history):
        if stage is not None and stage.stage in known:
            yield from _stage_fallen(known[stage.stage], stage)


def _stage_fallen(before: StageProgress, now: StageProgress) -> Iterator[str]:
    if now.done < before.done:
        yield f"{now.stage}: {before.done} → {now.done} done"
    if before.total is not None and (now.total is None or now.total < before.total):
        yield f"{now.stage}: total {before.total} → {now.total}"
