"""The inbox's round: deliveries are taken up within a blink, whether Redis is there or not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import Final

from brandmind.clock import monotonic_s
from brandmind.runtime import Runtime
from brandmind.services import deliveries, subscriptions
from brandmind.services.deliveries import Keeper

log = logging.getLogger(__name__)

# No bell is rung for a delivery: a look costs a millisecond, and a short wait lets what belongs
# together come together.
_EVERY_S: Final = 0.2
_KEEP_EVERY_S: Final = 1.0
# Stores worked on side by side, so that one slow shop does not hold up the others.
_SIDE_BY_SIDE: Final = 3


async def work_off(rt: Runtime) -> None:
    """Look for ever. Apart from the slots of the queue: a full house of syncs delays nothing."""
    keeper = Keeper(rt)
    at_work: set[asyncio.Task[None]] = set()
    checking: asyncio.Task[None] | None = None
    kept_s = -_KEEP_EVERY_S
    try:
        while True:
            try:
                if len(at_work) < _SIDE_BY_SIDE and await deliveries.any_due(rt):
                    task = asyncio.create_task(_quietly(deliveries.work(rt)), name="deliveries")
                    at_work.add(task)
                    task.add_done_callback(at_work.discard)
                if monotonic_s() - kept_s >= _KEEP_EVERY_S:
                    kept_s = monotonic_s()
                    await keeper.look()
                    if checking is None or checking.done():
                        checking = asyncio.create_task(
                            _quietly(subscriptions.check(rt)), name="subscriptions"
                        )
            except Exception as error:
                # The database may be away; the next look may find it back.
                log.warning("the inbox could not be looked at: %s", type(error).__name__)
            await asyncio.sleep(_EVERY_S)
    finally:
        every = [*at_work, *([checking] if checking is not None else [])]
        for one in every:
            one.cancel()
        await asyncio.gather(*every, return_exceptions=True)


async def _quietly(work: Awaitable[int]) -> None:
    try:
        await work
    except Exception as error:
        # What is due stays due, and the next look takes it up again.
        log.warning("the inbox's work ended early: %s", type(error).__name__)
