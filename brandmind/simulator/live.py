"""A shop that is open: orders arrive by the minute, and now and then something changes."""

from __future__ import annotations

import asyncio
import time
from random import Random

from brandmind.simulator.changes import EDITS
from brandmind.simulator.orderbook import GUEST
from brandmind.simulator.world import Shop, World

_EDITS = tuple(how for how in EDITS if how != "cancel")


async def live(world: World, orders_per_minute: float) -> None:
    """Never returns: each shop with the app installed gets so many orders a minute."""
    rng = Random(world.config.shop.seed)  # noqa: S311
    while True:
        await asyncio.sleep(rng.expovariate(orders_per_minute / 60))
        for shop in world.shops():
            if shop.installed:
                happen(shop, rng, int(time.time()))


def happen(shop: Shop, rng: Random, at: int) -> None:
    """One order, and beside it at times a newcomer, an edit or a changed product."""
    brand, changes = shop.brand, shop.changes
    customer: int | None = None
    dice = rng.random()
    if dice < 0.3:
        changes.customer(at)
        customer = brand.customers - 1
    elif dice < 0.4:
        customer = GUEST
    changes.order(at, customer=customer)
    if rng.random() < 0.2 and len(brand.book) > 1:
        recent = rng.randrange(max(0, len(brand.book) - 60), len(brand.book) - 1)
        changes.edit(brand.order_gid(recent), at, how=rng.choice(_EDITS))
    if rng.random() < 0.1 and brand.catalogue.products:
        place = rng.randrange(len(brand.catalogue.products))
        changes.touch(brand.lazy_product(place)["id"], at)
    brand.changed()
