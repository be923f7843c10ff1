"""The reaper's round: each worker looks, and takes up what nobody else does, without the queue."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from brandmind.clock import monotonic_s
from brandmind.runtime import Runtime
from brandmind.services import outbox, syncs
from brandmind.services.reaper import Reaper

log = logging.getLogger(__name__)

# A look costs three milliseconds; half of this is what a death waits for on average.
_EVERY_S: Final = 0.25
# Beside the queue's slots, so that a run taken over is resumed when all of those are full.
_RESERVE: Final = 2
_RING_AGAIN_S: Final = 2.0


async def reap(rt: Runtime) -> None:
    """Look round for ever. Not a cron of the queue: that shares the slots of the jobs and
    starves when they are full, and stops when Redis does."""
    reaper = Reaper(rt)
    at_work: set[asyncio.Task[None]] = set()
    ringing: set[asyncio.Task[bool]] = set()
    rung: dict[str, float] = {}
    try:
        while True:
            try:
                for run_id in await reaper.look():
                    if len(at_work) < _RESERVE:
                        task = asyncio.create_task(_resume(rt, run_id), name=f"resume {run_id}")
                        at_work.add(task)
                        task.add_done_callback(at_work.discard)
                    elif monotonic_s() - rung.get(run_id, -_RING_AGAIN_S) >= _RING_AGAIN_S:
                        # A worker that dies may leave more runs than the reserve takes: a bell
                        # for each of the others, and no waiting for a Redis that is away.
                        rung[run_id] = monotonic_s()
                        bell = asyncio.create_task(rt.jobs.ring(run_id), name=f"ring {run_id}")
                        ringing.add(bell)
                        bell.add_done_callback(ringing.discard)
                rung = {one: at for one, at in rung.items() if monotonic_s() - at < _RING_AGAIN_S}
                await outbox.deliver(rt)
            except Exception as error:
                # The database may be away; the next look may find it back.
                log.warning("the reaper could not look: %s", type(error).__name__)
            await asyncio.sleep(_EVERY_S)
    finally:
        every = (*at_work, *ringing)
        for one in every:
            one.cancel()
        await asyncio.gather(*every, return_exceptions=True)


async def _resume(rt: Runtime, run_id: str) -> None:
    try:
        await syncs.resume(rt, run_id)
    except Exception as error:
        # Its lease runs out, and the next reaper to look takes it up again.
        log.warning("run %s could not be resumed: %s", run_id, type(error).__name__)
