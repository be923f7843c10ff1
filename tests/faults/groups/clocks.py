"""Group 10: the clock jumps by ten minutes while rows change; no lease is stolen, none missed."""

from __future__ import annotations

from random import Random

from brandmind.services import syncs
from tests.faults.ground import Shop
from tests.faults.groups.deaths import seen_to_the_end, stands_at_the_gate
from tests.faults.lane import Kind, Lane
from tests.faults.outcome import Outcome, judge
from tests.faults.reader import Reader


async def ten_minutes_off(
    lane: Lane, kind: Kind, rng: Random, outcome: Outcome, *, times: int
) -> None:
    """At each stop of a sync the workers' clock jumps; the next sync brings what changed."""
    async with lane.arena(kind) as arena:
        wall = arena.rt.settings.data_dir / "clock"
        wall.write_text("0")
        arena.told = {"BRANDMIND_CLOCK_FILE": str(wall)}
        for _ in range(2):
            await arena.starts()
        for _ in range(times):
            shop = lane.shop(orders=rng.randint(100, 200))
            shop.hold_after(rng.randint(4, 8))
            store_id = await arena.connect(shop)
            reader = Reader(arena.rt, store_id)
            while await stands_at_the_gate(arena, shop, store_id):
                wall.write_text(str(rng.choice((-600, 0, 600))))
                outcome.faults += 1
                _change(shop, rng)
                shop.go_on()
                shop.hold_after(rng.randint(8, 20))
            shop.go_on()
            await arena.completed(store_id)
            await seen_to_the_end(reader, outcome)
            wall.write_text(str(rng.choice((-600, 600))))
            await syncs.request(arena.rt, store_id, by="somebody")
            await arena.completed(store_id)
            taken = [event for event in await arena.story(store_id) if event.name == "taken over"]
            outcome.hold(not taken, f"{len(taken)} living workers were robbed")
            await judge(outcome, arena, shop, store_id, peace=await lane.peace(shop, fresh=True))


def _change(shop: Shop, rng: Random) -> None:
    shop.control("orders", count=rng.randint(1, 2))
    number = rng.choice(sorted(shop.ids("orders")))
    shop.control("touch", ids=[f"gid://shopify/Order/{number}"])
