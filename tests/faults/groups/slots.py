"""Group 2: recovery when the heir has all its job slots full, and under the launcher."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from random import Random

from brandmind.launch import frontend
from brandmind.settings import Settings
from tests.faults.armed import PAGE_POINTS
from tests.faults.ground import Ground, Shop, contents, standing, until
from tests.faults.groups.deaths import has_gone_on, is_whole, recovery_of, strike_once
from tests.faults.house import House
from tests.faults.lane import Arena, Kind, Lane
from tests.faults.outcome import Outcome, hold_contents, judge
from worker.main import MAX_JOBS

_A_PAGE_S = 0.1


async def slots_full(lane: Lane, kind: Kind, rng: Random, outcome: Outcome, *, times: int) -> None:
    """Six stores that wait for their shops fill the heir; the seventh store's worker dies."""
    async with lane.arena(kind) as arena:
        heir = await arena.starts()
        held = [lane.shop(orders=800, products=5, customers=5) for _ in range(MAX_JOBS)]
        for shop in held:
            shop.hold_after(1)
        stores = [await arena.connect(shop) for shop in held]
        await until(lambda: all(shop.waiting for shop in held))
        tries = 0
        while outcome.faults < times and tries < 2 * times:
            tries += 1
            for shop in held:
                # One answer each, so that none of them tires of waiting.
                shop.go_on()
                shop.hold_after(1)
            await until(lambda: all(shop.waiting for shop in held))
            await _one_more(lane, arena, rng, outcome, stores=stores, heir=heir.pid)
        outcome.hold(outcome.faults >= times, "the slots were not full at each death")
        # All of them first: whoever got no answer while the others are read would give up.
        for shop in held:
            shop.go_on()
        for shop, store_id in zip(held, stores, strict=True):
            await arena.completed(store_id, within_s=120.0)
            await judge(outcome, arena, shop, store_id, peace=None)


async def _one_more(
    lane: Lane, arena: Arena, rng: Random, outcome: Outcome, *, stores: list[str], heir: int
) -> None:
    victim = await arena.starts()
    shop = lane.shop(orders=rng.randint(100, 180), products=6, customers=12)
    shop.hold_after(rng.randint(6, 12))
    store_id = await arena.connect(shop)
    await until(lambda: shop.waiting)
    if await arena.owner_pid(store_id) == victim.pid:
        full = {await arena.owner_pid(held) for held in stores} == {heir}
        struck = await strike_once(
            arena, rng, outcome, shop, store_id, point=rng.choice(PAGE_POINTS)
        )
        if struck is not None and full:
            outcome.faults += 1
            await has_gone_on(struck)
    shop.go_on()
    await arena.completed(store_id)
    await judge(outcome, arena, shop, store_id, peace=await lane.peace(shop))
    if victim.is_alive:
        victim.send(signal.SIGTERM)
        await victim.ended(within_s=20.0)


# Under the launcher


async def launched(lane: Lane, kind: Kind, rng: Random, outcome: Outcome, *, times: int) -> None:
    """`brandmind up` starts the dead again; workers are killed at any moment."""
    frontend.ensure_built()
    folder = lane.new_folder()
    house = House(
        folder / "house",
        shopify=lane.shopify,
        more={
            "BRANDMIND_DATABASE_URL": lane.database(kind, folder),
            "BRANDMIND_READ_BY": "paged",
        },
    )
    try:
        await house.ready()
        await until(lambda: house.ready_workers >= 2)
        settings = Settings.load(data_dir=house.data, shopify_origin=f"{lane.shopify}/{{shop}}")
        async with standing(settings) as ground:
            while outcome.faults < times:
                await _one_launched_store(lane, house, ground, rng, outcome, times=times)
    finally:
        house.end()


async def _one_launched_store(
    lane: Lane, house: House, ground: Ground, rng: Random, outcome: Outcome, *, times: int
) -> None:
    shop = lane.shop(orders=5_000, products=300, customers=500)
    shop.hold_after(rng.randint(5, 8))
    store_id = await ground.connect(shop)
    while outcome.faults < times and await _stands(ground, shop, store_id):
        shop.slow(_A_PAGE_S)
        await until(lambda: house.ready_workers >= 2 + outcome.faults, within_s=60.0)
        await _kill_at_any_moment(ground, shop, store_id, rng, outcome)
    shop.quick()
    shop.go_on()
    await ground.completed(store_id, within_s=90.0)
    await judge(outcome, ground, shop, store_id, peace=None)
    stored = await asyncio.to_thread(contents, ground.db, store_id)
    hold_contents(outcome, stored, await lane.peace(shop))


async def _stands(ground: Ground, shop: Shop, store_id: str) -> bool:
    async def stands_or_ended() -> bool:
        return shop.waiting > 0 or await is_whole(ground, store_id)

    await until(stands_or_ended)
    return shop.waiting > 0


async def _kill_at_any_moment(
    ground: Ground, shop: Shop, store_id: str, rng: Random, outcome: Outcome
) -> None:
    at_s = rng.uniform(0.0, 2.5 * _A_PAGE_S)
    shop.go_on()
    shop.hold_after(5)
    await asyncio.sleep(at_s)
    pid = await ground.owner_pid(store_id)
    if pid is None:
        return
    died_at = time.time()
    os.kill(pid, signal.SIGKILL)
    outcome.faults += 1
    # The dead may have had most of the answers.
    shop.go_on()
    shop.hold_after(5)
    back = await recovery_of(ground, store_id, pid, died_at=died_at, shop=shop)
    outcome.recoveries_s.append(back.page_after_s)
