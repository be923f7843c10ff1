"""The judge of the tables is judged: a planted loss, a planted double, a planted difference."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from brandmind.clock import utc_now
from brandmind.db.tables import CUSTOMER, EVENT, ORDER, SALE
from brandmind.runtime import open_runtime
from brandmind.services import syncs
from brandmind.sync.progress import StoreProgress
from brandmind.sync.stages import Stage
from tests.faults.ground import Ground, Shop, contents, settings_for
from tests.faults.outcome import Contents, Outcome, judge
from tests.faults.reader import fallen


class World:
    """One store that is whole, and what it held then."""

    def __init__(self, ground: Ground, shop: Shop, store_id: str, peace: Contents) -> None:
        self.ground = ground
        self.shop = shop
        self.store_id = store_id
        self.peace = peace

    async def judged(self) -> Outcome:
        outcome = Outcome(0, "planted", 1)
        await judge(outcome, self.ground, self.shop, self.store_id, peace=self.peace)
        return outcome

    async def plant(self, statement: sa.Executable) -> None:
        await self.ground.db.write(lambda session: session.execute(statement))

    async def progress(self) -> StoreProgress:
        return await syncs.progress(self.ground.rt, self.store_id)


@pytest.fixture
async def world(shopify: str, sqlite_url: str, tmp_path: Path) -> AsyncIterator[World]:
    settings = settings_for(tmp_path, database_url=sqlite_url, shopify=shopify)
    async with open_runtime(settings, jobs=False) as rt:
        ground = Ground(rt)
        shop = Shop(shopify, orders=60, products=10, customers=20)
        store_id = await ground.connect(shop)
        await syncs.work(rt, store_id=store_id)
        await ground.completed(store_id, within_s=1.0)
        yield World(ground, shop, store_id, contents(rt.db, store_id))


async def test_what_is_whole_is_sound(world: World) -> None:
    outcome = await world.judged()
    assert outcome.complaints() == []
    assert outcome.is_sound


async def test_a_planted_loss_is_counted(world: World) -> None:
    lost = min(world.shop.ids("orders"))
    await world.plant(sa.delete(ORDER).where(ORDER.c.shopify_id == lost))
    outcome = await world.judged()
    assert outcome.lost == 1
    assert not outcome.is_sound


async def test_a_planted_double_is_counted(world: World) -> None:
    page = sa.select(EVENT).where(EVENT.c.name == "page", EVENT.c.stage == "orders").limit(1)
    row = await world.ground.db.read(lambda session: session.execute(page).one())
    again = {name: value for name, value in row._mapping.items() if name != "event_id"}
    await world.plant(sa.insert(EVENT).values(**again | {"at": utc_now()}))
    outcome = await world.judged()
    assert outcome.doubled == 1
    assert not outcome.is_sound


async def test_a_strange_record_and_a_changed_amount_are_counted(world: World) -> None:
    kept = sa.select(CUSTOMER).where(CUSTOMER.c.store_id == world.store_id).limit(1)
    row = await world.ground.db.read(lambda session: session.execute(kept).one())
    await world.plant(sa.insert(CUSTOMER).values(**dict(row._mapping) | {"shopify_id": 1}))
    one = sa.select(sa.func.min(SALE.c.shopify_id)).scalar_subquery()
    raised = sa.update(SALE).where(SALE.c.shopify_id == one)
    await world.plant(raised.values(total_minor=SALE.c.total_minor + 1))
    outcome = await world.judged()
    # The stranger by its id and by its row; the amount as it was and as it is.
    assert outcome.different == 4
    assert not outcome.is_sound


async def test_progress_that_falls_is_seen(world: World) -> None:
    now = await world.progress()
    assert list(fallen(now, now)) == []
    stages = tuple(
        replace(at, done=at.done - 1) if at.stage is Stage.ORDERS else at for at in now.stages
    )
    assert len(list(fallen(now, replace(now, percent=99)))) == 1
    assert len(list(fallen(now, replace(now, stages=stages)))) == 1
    assert len(list(fallen(now, replace(now, seq=now.seq - 1)))) == 1


def test_a_recovery_that_took_too_long_is_no_success() -> None:
    slow = Outcome(1, "slow", 1, promised_s=7.0, recoveries_s=[1.0, 7.5])
    assert not slow.is_sound
    assert slow.complaints() == ["later than 7 s: 7.50 s"]
