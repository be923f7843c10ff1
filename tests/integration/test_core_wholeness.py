"""What a store lacks is fetched sooner or later: no gap, no cut history is for ever."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from brandmind.clock import utc_now
from brandmind.db import reaping, requests, runs, snapshot
from brandmind.db.ledger import SqlLedger
from brandmind.db.session import Database
from brandmind.db.tables import CUSTOMER, ORDER, RUN, STAGE, STORE
from brandmind.errors import AccessRefused
from brandmind.sync.engine import Engine, Outcome
from brandmind.sync.progress import StoreProgress
from brandmind.sync.stages import Kind, Stage, StageState, StoreStatus
from tests.memory_shop import SHOP_NOW, MemoryShop

STORE_ID = "a11ce00000"
SIXTY_DAYS_ONLY = ("read_products", "read_orders", "read_customers")


class Nobody:
    """No ears at all."""

    def changed(self) -> None:
        return None


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    db = Database(database_url)
    await db.write(_insert_store)
    yield db
    db.close()


def _insert_store(session: Any) -> None:
    session.execute(
        sa.insert(STORE).values(
            store_id=STORE_ID,
            domain="harbor-and-pine.myshopify.com",
            name="Harbor & Pine",
            timezone="UTC",
            plan="",
            taxes_included=False,
            scopes="read_orders,read_all_orders",
            epoch=1,
            read_no=0,
            history_done=False,
            installed_at=utc_now(),
        )
    )


async def _claim(db: Database) -> runs.Claim | None:
    return await db.write(runs.claim_next, owner="one", oldest_first=False)


async def _slice(db: Database, shop: MemoryShop) -> bool:
    claim = await _claim(db)
    if claim is None:
        return False
    ledger = SqlLedger(db, claim)
    shop.take_read_no = ledger.take_read_no
    outcome = await Engine(source=shop, ledger=ledger, announcer=Nobody()).run()
    if outcome is Outcome.DONE:
        await db.write(runs.finish, claim)
    else:
        await db.write(runs.set_down, claim, name="yielded")
    return True


async def _to_the_end(db: Database, shop: MemoryShop) -> StoreProgress:
    while await _slice(db, shop):
        pass
    return await db.read(snapshot.progress, STORE_ID)


async def _first(db: Database, shop: MemoryShop) -> StoreProgress:
    await db.write(lambda s: runs.insert_first_run(s, STORE_ID, epoch=1))
    return await _to_the_end(db, shop)


async def _again(db: Database, shop: MemoryShop) -> StoreProgress:
    await db.write(requests.request, STORE_ID, by="alice", limited=False)
    return await _to_the_end(db, shop)


async def _count(db: Database, table: sa.Table) -> int:
    return int(
        await db.read(
            lambda s: s.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
        )
    )


async def _a_day_passes(db: Database) -> None:
    def move(session: Any) -> None:
        for table in (STAGE, RUN):
            session.execute(sa.update(table).values(finished_at=utc_now() - timedelta(days=1)))

    await db.write(move)


async def test_a_gap_is_filled_by_a_sync_of_the_next_day(db: Database) -> None:
    shop = MemoryShop(orders=30, page=10)
    shop.hidden = {5, 6}
    assert (await _first(db, shop)).reason == "gap"
    shop.hidden = set()
    await _a_day_passes(db)
    last = await _again(db, shop)
    assert await _count(db, ORDER) == 30
    assert last.kind is Kind.INCREMENTAL
    assert last.status is StoreStatus.COMPLETED
    orders = last.stage(Stage.ORDERS)
    assert orders is not None
    assert (orders.state, orders.done, orders.total) == (StageState.DONE, 30, 30)


async def test_a_gap_that_stays_is_read_for_once_a_day_and_not_at_every_sync(db: Database) -> None:
    shop = MemoryShop(orders=30, page=10)
    shop.hidden = {5, 6}
    await _first(db, shop)
    shop.asked.clear()
    assert (await _again(db, shop)).reason == "gap"
    assert "page orders 10" not in shop.asked
    await _a_day_passes(db)
    assert (await _again(db, shop)).reason == "gap"
    assert shop.asked.count("page orders 10") == 1


async def test_what_was_refused_is_read_once_it_is_allowed(db: Database) -> None:
    shop = MemoryShop(orders=10)

    async def refused(stage: Stage, number: int) -> None:
        if stage is Stage.CUSTOMERS:
            raise AccessRefused(scope="read_customers")

    shop.before_page = refused
    assert (await _first(db, shop)).reason == "restricted"
    shop.before_page = None
    last = await _again(db, shop)
    assert await _count(db, CUSTOMER) == 5
    assert last.status is StoreStatus.COMPLETED


async def test_a_cancelled_history_goes_on_after_the_next_sync(db: Database) -> None:
    shop = MemoryShop(orders=300, page=10)
    await db.write(lambda s: runs.insert_first_run(s, STORE_ID, epoch=1))
    assert await _slice(db, shop)
    await db.write(runs.cancel, STORE_ID, by="alice")
    stopped = (await db.read(snapshot.progress, STORE_ID)).history
    assert stopped is not None
    assert stopped.state is StageState.SKIPPED
    last = await _again(db, shop)
    assert await _count(db, ORDER) == 300
    assert last.status is StoreStatus.COMPLETED


async def test_older_orders_are_read_once_shopify_allows_them(db: Database) -> None:
    shop = MemoryShop(orders=300, page=50).with_scopes(*SIXTY_DAYS_ONLY)
    assert (await _first(db, shop)).reason == "restricted"
    assert await _count(db, ORDER) < 300
    shop.with_scopes(*SIXTY_DAYS_ONLY, "read_all_orders")
    last = await _again(db, shop)
    assert await _count(db, ORDER) == 300
    assert last.status is StoreStatus.COMPLETED


async def test_a_history_with_a_gap_rests_a_day_before_it_is_read_again(db: Database) -> None:
    shop = MemoryShop(orders=300, page=50)
    shop.hidden = {250}
    assert (await _first(db, shop)).reason == "gap"
    shop.hidden = set()
    assert (await _again(db, shop)).reason == "gap"
    await _a_day_passes(db)
    assert (await _again(db, shop)).status is StoreStatus.COMPLETED
    assert await _count(db, ORDER) == 300


async def test_a_sync_asked_for_again_does_not_cost_the_history(db: Database) -> None:
    shop = MemoryShop(orders=300, page=50)
    run_id = await db.write(lambda s: runs.insert_first_run(s, STORE_ID, epoch=1))
    await db.write(
        lambda s: s.execute(sa.update(RUN).where(RUN.c.run_id == run_id).values(again=True))
    )
    last = await _to_the_end(db, shop)
    assert await _count(db, ORDER) == 300
    assert last.status is StoreStatus.COMPLETED


async def test_a_failed_run_is_not_tried_again_once_a_newer_one_is_whole(db: Database) -> None:
    shop = MemoryShop(orders=10)
    await _first(db, shop)
    old = await db.write(requests.request, STORE_ID, by="alice", limited=False)
    claim = await _claim(db)
    assert claim is not None
    await db.write(
        lambda s: runs.fail(
            s,
            claim,
            error="Shopify did not answer after 5 tries.",
            error_kind="transient",
            request_ref=None,
            retry_in_s=900.0,
        )
    )
    assert (await _again(db, shop)).status is StoreStatus.COMPLETED
    await db.write(
        lambda s: s.execute(sa.update(RUN).where(RUN.c.run_id == old).values(retry_at=utc_now()))
    )
    assert await db.write(reaping.retry_failed) == []
    assert not await db.read(reaping.any_retry_due)


async def test_what_a_store_is_synced_until_never_moves_back(db: Database) -> None:
    shop = MemoryShop(orders=10)
    await _first(db, shop)
    later = SHOP_NOW + timedelta(hours=1)
    await db.write(requests.request, STORE_ID, by="alice", limited=False)
    claim = await _claim(db)
    assert claim is not None
    ledger = SqlLedger(db, claim)
    await ledger.keep_shop(shop.facts)
    await db.write(lambda s: s.execute(sa.update(STORE).values(synced_until=later)))
    await db.write(runs.finish, claim)
    until = await db.read(lambda s: s.execute(sa.select(STORE.c.synced_until)).scalar_one())
    assert until == later
