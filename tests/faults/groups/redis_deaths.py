"""Group 5: Redis is flushed, killed or away; the sync goes on and the worker is the same one."""

from __future__ import annotations

import asyncio
import time
from random import Random
from typing import Literal

import redis

from brandmind.bus import jobs as bus_jobs
from tests.faults.ground import until
from tests.faults.groups.deaths import page_after, seen_to_the_end, stands_at_the_gate
from tests.faults.lane import Arena, Kind, Lane
from tests.faults.outcome import Outcome, judge
from tests.faults.reader import Reader

Trouble = Literal["flushed", "killed", "away"]
_AWAY_S = 30.0


async def redis_is(
    lane: Lane, kind: Kind, rng: Random, outcome: Outcome, *, trouble: Trouble, times: int
) -> None:
    """Redis is in trouble again and again in the midst of syncs."""
    async with lane.arena(kind) as arena:
        workers = [await arena.starts() for _ in range(2)]
        pids = {worker.pid for worker in workers}
        while outcome.faults < times:
            shop = lane.shop(orders=rng.randint(150, 400))
            shop.hold_after(rng.randint(6, 20))
            store_id = await arena.connect(shop)
            reader = Reader(arena.rt, store_id)
            while outcome.faults < times and await stands_at_the_gate(arena, shop, store_id):
                outcome.faults += 1
                began_s = time.monotonic()
                _strike(arena, trouble)
                struck_at = time.time()
                shop.go_on()
                if trouble == "away":
                    break
                shop.hold_after(rng.randint(8, 25))
                outcome.recoveries_s.append(await page_after(arena, store_id, struck_at))
            shop.go_on()
            # While Redis is away it ends too, and not because Redis came back.
            await arena.completed(store_id)
            if trouble == "away":
                outcome.recoveries_s.append(await page_after(arena, store_id, struck_at))
                await asyncio.sleep(max(0.0, _AWAY_S - (time.monotonic() - began_s)))
                arena.valkey.start()
            await seen_to_the_end(reader, outcome)
            await judge(outcome, arena, shop, store_id, peace=await lane.peace(shop))
            await _hear_again(arena)
        now = {worker.pid for worker in arena.alive()}
        outcome.hold(now == pids, f"workers {pids} have become {now}")


def _strike(arena: Arena, trouble: Trouble) -> None:
    if trouble == "flushed":
        with redis.Redis.from_url(arena.valkey.url) as client:
            client.flushall()
        return
    arena.valkey.kill()
    if trouble == "killed":
        arena.valkey.start()


async def _hear_again(arena: Arena) -> None:
    """A bell for nothing is taken from the queue: the workers listen."""
    await until(lambda: arena.rt.jobs.ring("nobody"))
    with redis.Redis.from_url(arena.valkey.url) as client:
        await until(lambda: not _waiting(client))


def _waiting(client: redis.Redis) -> list[bytes]:
    queue = client.zrange(bus_jobs.QUEUE, 0, -1)
    return [bell for bell in queue if bell.startswith(b"sync:nobody:")]
