"""Group 7: readers that come late, drop out, have two tabs, and lose Redis between two messages."""

from __future__ import annotations

from random import Random

import redis

from brandmind.bus.hub import Hub
from brandmind.services import syncs
from tests.faults.groups.deaths import seen_to_the_end, stands_at_the_gate
from tests.faults.lane import Arena, Kind, Lane
from tests.faults.outcome import Outcome, judge
from tests.faults.reader import Reader

_TROUBLES = ("late", "dropped", "second tab", "flushed", "killed", "web restarted")


async def readers(lane: Lane, kind: Kind, rng: Random, outcome: Outcome, *, times: int) -> None:
    """At each stop of a sync something happens to those who watch it."""
    async with lane.arena(kind) as arena:
        await arena.starts()
        while outcome.faults < times:
            await _one_store(lane, arena, rng, outcome, times=times)


async def _one_store(
    lane: Lane, arena: Arena, rng: Random, outcome: Outcome, *, times: int
) -> None:
    shop = lane.shop(orders=rng.randint(150, 300))
    shop.hold_after(rng.randint(4, 8))
    store_id = await arena.connect(shop)
    seats = _Seats(arena, store_id)
    try:
        while outcome.faults < times and await stands_at_the_gate(arena, shop, store_id):
            await seats.suffer(rng.choice(_TROUBLES))
            outcome.faults += 1
            shop.go_on()
            shop.hold_after(rng.randint(3, 9))
        shop.go_on()
        await arena.completed(store_id)
        for reader in seats.taken:
            await seen_to_the_end(reader, outcome)
        await judge(outcome, arena, shop, store_id, peace=await lane.peace(shop))
    finally:
        await seats.close()


class _Seats:
    """Who watches a store, and through which web process."""

    def __init__(self, arena: Arena, store_id: str) -> None:
        self._arena = arena
        self._store_id = store_id
        self._hubs: list[Hub] = []
        self.taken = [Reader(arena.rt, store_id)]

    async def suffer(self, trouble: str) -> None:
        if trouble == "flushed":
            with redis.Redis.from_url(self._arena.valkey.url) as client:
                client.flushall()
        elif trouble == "killed":
            self._arena.valkey.kill()
            self._arena.valkey.start()
        elif trouble == "dropped":
            # What the tab showed when it was shut must not be more than what it shows later.
            await self.taken[0].leave()
            self.taken[0] = self._sits(after=self.taken[0])
        elif trouble == "web restarted":
            self.taken.append(self._sits(hub=self._new_hub()))
        else:
            self.taken.append(self._sits())

    def _sits(self, *, after: Reader | None = None, hub: Hub | None = None) -> Reader:
        return Reader(self._arena.rt, self._store_id, hub=hub, after=after)

    def _new_hub(self) -> Hub:
        rt = self._arena.rt
        hub = Hub(rt.redis, lambda store_id: syncs.progress(rt, store_id))
        hub.start()
        self._hubs.append(hub)
        return hub

    async def close(self) -> None:
        for hub in self._hubs:
            await hub.stop()
