"""Group 9: every process of the house killed at once; one command, and it goes on."""

from __future__ import annotations

import time
from random import Random

from brandmind.launch import frontend
from brandmind.settings import Settings
from tests.faults.ground import standing, until
from tests.faults.groups.deaths import page_after
from tests.faults.house import House
from tests.faults.lane import Kind, Lane
from tests.faults.outcome import Outcome, judge


async def all_at_once(lane: Lane, kind: Kind, rng: Random, outcome: Outcome, *, times: int) -> None:
    """One sync of a store outlives one house after the other."""
    frontend.ensure_built()
    folder = lane.new_folder()
    shop = lane.shop(orders=240 * 3 * times, products=300, customers=500)
    told = {"BRANDMIND_DATABASE_URL": lane.database(kind, folder), "BRANDMIND_READ_BY": "paged"}
    shop.hold_after(6)
    store_id = ""
    killed_at = 0.0
    for left in range(times, -1, -1):
        house = House(folder / "house", shopify=lane.shopify, more=told)
        try:
            await house.ready()
            settings = Settings.load(data_dir=house.data, shopify_origin=f"{lane.shopify}/{{shop}}")
            async with standing(settings) as ground:
                store_id = store_id or await ground.connect(shop)
                if killed_at:
                    outcome.recoveries_s.append(await page_after(ground, store_id, killed_at))
                if not left:
                    shop.go_on()
                    await ground.completed(store_id, within_s=120.0)
                    await judge(outcome, ground, shop, store_id, peace=await lane.peace(shop))
                    return
                await until(lambda: shop.waiting)
            shop.go_on()
            shop.hold_after(rng.randint(2, 4))
            killed_at = time.time()
            house.kill()
            outcome.faults += 1
        finally:
            house.end()
