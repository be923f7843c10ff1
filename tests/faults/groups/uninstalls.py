"""Group 8: a store is uninstalled while a page of it is at hand; not one row comes after that."""

from __future__ import annotations

import asyncio
import signal
from random import Random

from brandmind.services import stores
from tests.faults.armed import PAGE_POINTS
from tests.faults.ground import contents, until
from tests.faults.groups.deaths import strike_once
from tests.faults.invariants import broken
from tests.faults.lane import Arena, Kind, Lane
from tests.faults.outcome import Outcome, hold_contents


async def in_mid_page(lane: Lane, kind: Kind, rng: Random, outcome: Outcome, *, times: int) -> None:
    """A worker stands still at any point of a page, its store is uninstalled, it wakes."""
    async with lane.arena(kind) as arena:
        tries = 0
        while outcome.faults < times and tries < 3 * times:
            tries += 1
            await _one(lane, arena, rng, outcome)


async def _one(lane: Lane, arena: Arena, rng: Random, outcome: Outcome) -> None:
    worker = await arena.starts()
    shop = lane.shop(orders=rng.randint(60, 120))
    shop.hold_after(rng.randint(5, 25))
    store_id = await arena.connect(shop)
    await until(lambda: shop.waiting)
    struck = await strike_once(
        arena, rng, outcome, shop, store_id, point=rng.choice(PAGE_POINTS), by=signal.SIGSTOP
    )
    shop.go_on()
    if struck is None:
        worker.end()
        return
    outcome.faults += 1
    leaving = asyncio.create_task(stores.uninstall(arena.rt, store_id))
    # Where the page holds the store's row it is waited for, and then that page is the last.
    await asyncio.wait({leaving}, timeout=0.3)
    worker.send(signal.SIGCONT)
    await leaving
    kept = await asyncio.to_thread(contents, arena.db, store_id)
    # It goes on with another store and then goes down: whatever it had at hand is over by then.
    other = lane.shop(orders=20, products=5, customers=5)
    other_id = await arena.connect(other)
    await arena.completed(other_id)
    worker.send(signal.SIGTERM)
    await worker.ended(within_s=20.0)
    hold_contents(outcome, await asyncio.to_thread(contents, arena.db, store_id), kept)
    outcome.wrong += broken(await arena.story(store_id))
    outcome.syncs += 1
