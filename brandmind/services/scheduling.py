"""What happens by itself: each store's nightly reading, and the erasure of those that left."""

from __future__ import annotations

import logging
from typing import Final

from brandmind.clock import utc_now
from brandmind.db import erasure, privacy_acts, pruning, scheduling
from brandmind.runtime import Runtime

log = logging.getLogger(__name__)

# Stores that become due in one round: after a long night without a worker they come in turn.
_A_ROUND: Final = 10


async def sweep(rt: Runtime) -> int:
    """Give each store that is due its turn, a few at a time; how many had it.

    Its turn is also when the story of its old runs is shortened.
    """
    now = utc_now()
    stores = await rt.db.read(scheduling.due, now=now, most=_A_ROUND)
    for store_id in stores:
        run_id = await rt.db.write(scheduling.take_turn, store_id, now=now)
        if run_id is not None:
            await rt.jobs.ring(run_id)
        while await rt.db.write(pruning.prune_events, store_id):
            pass
    return len(stores)


async def erase(rt: Runtime) -> str | None:
    """Erase one store whose time has come, in short transactions; its id, None if none is due."""
    found = await rt.db.read(erasure.due)
    if found is None:
        return None
    store_id, epoch = found
    await rt.db.write(privacy_acts.begin_erasure, store_id, epoch=epoch)
    while await rt.db.write(erasure.erase_some, store_id, epoch=epoch):
        pass
    log.info("store %s is erased", store_id)
    return store_id
