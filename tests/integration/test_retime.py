"""A shop that moves to another time zone: its days are reckoned again, with their sums."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from brandmind.db import pruning, retime, rollups
from brandmind.db.models import METADATA
from brandmind.db.session import Database
from brandmind.db.tables import DIRTY_DAY, EVENT, ORDER, RUN, STORE
from brandmind.sync.stages import Kind
from tests.memory_shop import MemoryShop
from tests.sync_world import STORE_ID, SyncWorld, contents

FAR_EAST = "Pacific/Kiritimati"


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    db = Database(database_url)
    yield db
    db.close()


async def test_days_and_their_sums_are_those_of_the_new_zone(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retime, "_ORDERS_AT_ONCE", 7)
    world = SyncWorld(db, MemoryShop(orders=40, page=20))
    await world.first()
    before = await contents(db)
    world.shop.facts = replace(world.shop.facts, timezone=FAR_EAST)
    await world.again()
    moved = await contents(db)
    assert moved["shop_order"] != before["shop_order"]
    assert await db.read(rollups.recount_differences, STORE_ID) == []
    # The same as if the shop had been there all along.
    await db.write(_empty)
    await world.again(kind=Kind.FULL)
    assert await contents(db) == moved


async def test_a_reckoning_that_was_interrupted_is_begun_again_and_ends_right(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retime, "_ORDERS_AT_ONCE", 7)
    world = SyncWorld(db, MemoryShop(orders=20))
    await world.first()
    await db.write(lambda s: s.execute(sa.update(STORE).values(timezone=FAR_EAST)))
    assert await db.write(retime.next_orders, STORE_ID, after=0) == 7
    after: int | None = 0
    while after is not None:
        after = await db.write(retime.next_orders, STORE_ID, after=after)
    days = await db.read(lambda s: set(s.scalars(sa.select(ORDER.c.day))))
    # Noon in UTC is the next day there.
    assert max(days) == "2026-11-01"
    assert await db.read(lambda s: list(s.scalars(sa.select(DIRTY_DAY.c.day)))) != []
    assert await db.write(retime.next_orders, STORE_ID, after=0) is None


async def test_a_shop_that_stays_where_it_is_costs_nothing(db: Database) -> None:
    world = SyncWorld(db, MemoryShop(orders=5))
    await world.first()
    assert await db.write(retime.next_orders, STORE_ID, after=0) is None


async def test_a_first_sync_reckons_no_day_again(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any) -> set[str]:
        raise AssertionError("days were reckoned again")

    monkeypatch.setattr(retime, "_moved", refused)
    world = SyncWorld(db, MemoryShop(orders=5))
    world.shop.facts = replace(world.shop.facts, timezone=FAR_EAST)
    await world.connect()
    # Who connects a store has asked the shop for its number.
    await db.write(lambda s: s.execute(sa.update(STORE).values(shop_id=1)))
    await world.to_the_end()
    assert max(await db.read(lambda s: set(s.scalars(sa.select(ORDER.c.day))))) == "2026-11-01"


async def test_the_story_of_old_runs_is_shortened(db: Database) -> None:
    world = SyncWorld(db, MemoryShop(orders=30))
    await world.first()

    def count(session: Any) -> int:
        return int(session.execute(sa.select(sa.func.count()).select_from(EVENT)).scalar_one())

    total = await db.read(count)
    assert await db.write(pruning.prune_events, STORE_ID) == 0
    assert await db.write(pruning.prune_events, "another") == 0
    assert await db.write(pruning.prune_events, STORE_ID, keep_events=10) == total - 10
    assert await db.read(count) == 10
    assert await db.write(pruning.prune_events, STORE_ID, keep_days=-1) == 10
    assert await db.read(count) == 0


async def test_the_story_of_a_live_run_is_kept(db: Database) -> None:
    world = SyncWorld(db, MemoryShop(orders=30))
    await world.connect()
    assert await db.write(pruning.prune_events, STORE_ID, keep_days=-1) == 0
    await db.write(lambda s: s.execute(sa.update(RUN).values(status="done")))
    assert await db.write(pruning.prune_events, STORE_ID, keep_days=-1) > 0


def _empty(session: Any) -> None:
    for name in (
        "shop_order", "order_line", "order_sale", "order_refund", "product", "variant",
        "customer", "daily_sales", "product_sales",
    ):  # fmt: skip
        session.execute(sa.delete(METADATA.tables[name]))
