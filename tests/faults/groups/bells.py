"""Groups 4 and 6: many bells for one run, and none."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import sqlalchemy as sa

from brandmind.db.tables import EVENT
from tests.faults.ground import until
from tests.faults.lane import Arena, Kind, Lane
from tests.faults.outcome import Outcome, judge

_BELLS = 8


async def one_claim(lane: Lane, kind: Kind, rng: Random, outcome: Outcome, *, times: int) -> None:
    """Eight bells at once for each of many stores, three workers that hear them."""
    async with lane.arena(kind) as arena:
        for _ in range(3):
            await arena.starts(page_size=None)
        shops = [
            lane.shop(orders=rng.randint(20, 60), products=5, customers=5) for _ in range(times)
        ]
        for shop in shops:
            shop.hold_after(rng.randint(1, 3))  # the first answer is that of connecting
        stores = [await arena.connect(shop) for shop in shops]
        for store_id in stores:
            (run, *_) = await arena.runs(store_id)
            await asyncio.gather(*(arena.rt.jobs.ring(run.run_id) for _ in range(_BELLS)))
            outcome.faults += 1
        for shop, store_id in zip(shops, stores, strict=True):
            await until(lambda shop=shop: shop.waiting)
            outcome.hold(
                await arena.db.read(_claims, store_id) == 1,
                f"{store_id} was claimed more than once",
            )
            shop.go_on()
        for shop, store_id in zip(shops, stores, strict=True):
            await arena.completed(store_id)
            await judge(outcome, arena, shop, store_id, peace=await lane.peace(shop))


def _claims(session: Any, store_id: str) -> int:
    return int(
        session.execute(
            sa.select(sa.func.count())
            .select_from(EVENT)
            .where(EVENT.c.store_id == store_id, EVENT.c.name == "claimed")
        ).scalar_one()
    )


async def never_rung(lane: Lane, kind: Kind, rng: Random, outcome: Outcome, *, times: int) -> None:
    """A sync is asked for and nobody is told: the reaper finds it by itself."""
    async with lane.arena(kind, rings=False) as arena:
        await arena.starts(page_size=None)
        for _ in range(times):
            shop = lane.shop(orders=rng.randint(50, 300))
            store_id = await arena.connect(shop)
            outcome.faults += 1
            outcome.recoveries_s.append(await _claimed_after_s(arena, store_id))
            await arena.completed(store_id)
            await judge(outcome, arena, shop, store_id, peace=await lane.peace(shop))


async def _claimed_after_s(arena: Arena, store_id: str) -> float:
    await until(lambda: arena.db.read(_waited_s, store_id), within_s=30.0)
    return await arena.db.read(_waited_s, store_id)


def _waited_s(session: Any, store_id: str) -> float:
    rows = session.execute(
        sa.select(EVENT.c.name, EVENT.c.at)
        .where(EVENT.c.store_id == store_id)
        .order_by(EVENT.c.event_id)
        .limit(2)
    ).all()
    if [row.name for row in rows] != ["requested", "claimed"]:
        return 0.0
    return max(0.001, (rows[1].at - rows[0].at).total_seconds())
