"""What the merchant has chosen is read, what is not is left out, and a change of mind is served."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from brandmind.db import choices, coverage, requests, runs, snapshot
from brandmind.db.ledger import SqlLedger
from brandmind.db.session import Database
from brandmind.db.tables import CUSTOMER, ORDER
from brandmind.errors import NotAllowed, NotFound
from brandmind.sync.engine import Engine, Outcome
from brandmind.sync.selection import CUSTOMERS_OFF, OrdersSince, Selection
from brandmind.sync.stages import Kind, Stage, StageState, StoreStatus
from tests.integration.store_ground import (
    STORE_ID,
    claim,
    insert_store,
    run_rows,
    set_store,
    stage_rows,
    store_row,
)
from tests.memory_shop import SHOP_NOW, MemoryShop

ALL, YEAR, SIXTY = OrdersSince.ALL, OrdersSince.TWELVE_MONTHS, OrdersSince.SIXTY_DAYS


class Mute:
    def changed(self) -> None:
        return None


@pytest.fixture
async def db(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    # The shop in memory lives on its own day; what is chosen is counted back from there.
    for module in (runs, choices):
        monkeypatch.setattr(module, "db_now", lambda _session: SHOP_NOW)
    db = Database(database_url)
    await db.write(insert_store)
    yield db
    db.close()


async def _slice(db: Database, shop: MemoryShop) -> runs.Claim | None:
    at = await claim(db)
    if at is None:
        return None
    ledger = SqlLedger(db, at)
    shop.take_read_no = ledger.take_read_no
    if await Engine(source=shop, ledger=ledger, announcer=Mute()).run() is Outcome.DONE:
        await db.write(runs.finish, at)
    else:
        await db.write(runs.set_down, at, name="yielded")
    return at


async def _read_all(db: Database, shop: MemoryShop) -> None:
    while await _slice(db, shop) is not None:
        pass


async def _choose(db: Database, since: OrdersSince = ALL, *, customers: bool = True) -> list[str]:
    found: list[str] = await db.write(
        choices.choose, STORE_ID, Selection(since, customers), by="alice"
    )
    return found


async def _first(db: Database) -> str:
    return await db.write(runs.insert_first_run, STORE_ID, epoch=1)


async def _again(db: Database) -> str:
    return await db.write(requests.request, STORE_ID, by="alice", limited=False)


def _count(session: Any, table: Any = ORDER) -> int:
    return int(session.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def _oldest_days(session: Any) -> int:
    oldest = session.execute(sa.select(sa.func.min(ORDER.c.created_at))).scalar_one()
    return round((SHOP_NOW - oldest) / timedelta(days=1))


async def _status(db: Database) -> tuple[StoreStatus, str | None]:
    found = await db.read(snapshot.progress, STORE_ID)
    return found.status, found.reason


@pytest.mark.parametrize(("since", "days"), [(SIXTY, 60), (YEAR, 365), (ALL, 500)])
async def test_orders_are_read_as_far_back_as_chosen_and_no_further(
    db: Database, since: OrdersSince, days: int
) -> None:
    shop = MemoryShop(orders=499)
    await _choose(db, since)
    await _first(db)
    await _read_all(db, shop)
    assert abs(await db.read(_oldest_days) - days) <= 1
    assert await _status(db) == (StoreStatus.COMPLETED, None)
    store = await db.read(store_row)
    assert store.history_done
    # What is not stored is not said to be.
    first = await db.read(coverage.stored_from, store)
    begins = min(SHOP_NOW - timedelta(days=days), SHOP_NOW)
    assert first is not None
    assert since is ALL or first >= begins.date()


async def test_an_old_order_that_changes_brings_no_stray_row(db: Database) -> None:
    shop = MemoryShop(orders=300)
    await _choose(db, SIXTY)
    await _first(db)
    await _read_all(db, shop)
    held = await db.read(_count)
    shop.change(Stage.ORDERS, 250, updated_at=SHOP_NOW, name="#changed")
    shop.change(Stage.ORDERS, 20, updated_at=SHOP_NOW, name="#changed")
    await _again(db)
    await _read_all(db, shop)
    assert await db.read(_count) == held
    changed = await db.read(
        lambda s: s.execute(sa.select(ORDER.c.shopify_id).where(ORDER.c.name == "#changed")).all()
    )
    assert [row.shopify_id for row in changed] == [20]


async def test_customers_that_are_off_are_never_asked_for(db: Database) -> None:
    shop = MemoryShop(orders=300)
    await _choose(db, customers=False)
    await _first(db)
    await _read_all(db, shop)
    await _again(db)
    await _read_all(db, shop)
    assert not [what for what in shop.asked if "customers" in what]
    assert await db.read(_count, CUSTOMER) == 0
    at = (await db.read(snapshot.progress, STORE_ID)).stage(Stage.CUSTOMERS)
    assert at is not None
    assert (at.state, at.note) == (StageState.SKIPPED, CUSTOMERS_OFF)
    assert await _status(db) == (StoreStatus.COMPLETED, None)


async def test_customers_turned_on_later_are_read_whole(db: Database) -> None:
    shop = MemoryShop(customers=23)
    await _choose(db, customers=False)
    await _first(db)
    await _read_all(db, shop)
    # The changes since would bring none of them: they are long unchanged.
    assert len(await _choose(db)) == 1
    await _read_all(db, shop)
    assert await db.read(_count, CUSTOMER) == 23
    store = await db.read(store_row)
    assert not store.customers_unread
    assert await _choose(db) == []


async def test_customers_turned_off_stay_stored_and_are_caught_up_with_later(db: Database) -> None:
    shop = MemoryShop(customers=7)
    await _first(db)
    await _read_all(db, shop)
    assert await _choose(db, customers=False) == []
    shop.change(Stage.CUSTOMERS, 3, updated_at=SHOP_NOW - timedelta(hours=30), display_name="Moved")
    await _again(db)
    await _read_all(db, shop)
    assert await db.read(_count, CUSTOMER) == 7
    assert (await db.read(store_row)).customers_read_at is not None
    await _choose(db)
    asked = len(shop.asked)
    await _read_all(db, shop)
    assert "page customers 0" in shop.asked[asked:]


async def test_what_is_turned_off_while_it_is_read_stops_at_its_next_page(db: Database) -> None:
    shop = MemoryShop(customers=60)

    async def turn_off(stage: Stage, number: int) -> None:
        if stage is Stage.CUSTOMERS and number == 1:
            await _choose(db, customers=False)

    shop.before_page = turn_off
    await _first(db)
    await _read_all(db, shop)
    assert await db.read(_count, CUSTOMER) == 20
    assert (await db.read(store_row)).customers_unread


async def test_what_is_chosen_while_the_first_sync_runs_holds_for_what_is_to_come(
    db: Database,
) -> None:
    shop = MemoryShop(customers=4)
    await _choose(db, customers=False)

    async def turn_on(stage: Stage, number: int) -> None:
        if stage is Stage.ORDERS and not number:
            await _choose(db)

    shop.before_page = turn_on
    await _first(db)
    await _read_all(db, shop)
    assert await db.read(_count, CUSTOMER) == 4
    assert [row.kind for row in await db.read(run_rows)].count(Kind.INCREMENTAL.value) == 0


async def test_what_is_chosen_too_late_for_a_run_is_read_by_the_next(db: Database) -> None:
    shop = MemoryShop(customers=4)
    await _choose(db, customers=False)
    run_id = await _first(db)
    at = await claim(db)
    assert at is not None
    ledger = SqlLedger(db, at)
    shop.take_read_no = ledger.take_read_no
    assert await Engine(source=shop, ledger=ledger, announcer=Mute()).run() is Outcome.DONE
    assert await _choose(db) == []
    follows = await db.write(runs.finish, at)
    assert follows not in (None, run_id)
    await _read_all(db, shop)
    assert await db.read(_count, CUSTOMER) == 4


async def test_more_orders_chosen_later_are_read_from_where_the_others_begin(db: Database) -> None:
    shop = MemoryShop(orders=499)
    await _choose(db, SIXTY)
    await _first(db)
    await _read_all(db, shop)
    held = await db.read(_count)
    (wider,) = await _choose(db, YEAR)
    at = (await db.read(stage_rows, wider))[Stage.HISTORY.value]
    assert at.created_before < SHOP_NOW - timedelta(days=59)
    assert await _status(db) == (StoreStatus.PARTIAL, "history")
    await _read_all(db, shop)
    assert held < await db.read(_count)
    assert abs(await db.read(_oldest_days) - 365) <= 1
    await _choose(db, ALL)
    await _read_all(db, shop)
    assert await db.read(_count) == 499
    assert (await db.read(store_row)).history_from is None
    assert await _status(db) == (StoreStatus.COMPLETED, None)


async def test_fewer_orders_chosen_later_keep_what_is_stored(db: Database) -> None:
    shop = MemoryShop(orders=499)
    await _first(db)
    await _read_all(db, shop)
    for since in (YEAR, SIXTY):
        assert await _choose(db, since) == []
        await _again(db)
        await _read_all(db, shop)
        assert await db.read(_count) == 499
    # They are followed too: a change of an old one is still seen.
    shop.change(Stage.ORDERS, 480, updated_at=SHOP_NOW, name="#changed")
    await _again(db)
    await _read_all(db, shop)
    names = await db.read(
        lambda s: s.execute(sa.select(ORDER.c.name).where(ORDER.c.shopify_id == 480)).scalar()
    )
    assert names == "#changed"


async def test_older_orders_that_are_no_longer_wanted_are_no_longer_read(db: Database) -> None:
    shop = MemoryShop(orders=499)
    await _first(db)
    await _slice(db, shop)
    (history,) = [row for row in await db.read(run_rows) if row.kind == Kind.HISTORICAL.value]
    assert await _choose(db, SIXTY) == []
    await _read_all(db, shop)
    rows = {row.run_id: row.status for row in await db.read(run_rows)}
    assert rows[history.run_id] == "cancelled"
    assert await db.read(_oldest_days) <= 184
    assert await _status(db) == (StoreStatus.COMPLETED, None)
    # Chosen again, the same reading goes on where it stopped.
    assert await _choose(db, ALL) == [history.run_id]
    await _read_all(db, shop)
    assert await db.read(_count) == 499


async def test_a_full_resync_keeps_the_numbers_until_it_is_done(db: Database) -> None:
    shop = MemoryShop(orders=499)
    await _first(db)
    await _read_all(db, shop)
    before = await db.read(coverage.stored_from, await db.read(store_row))
    await db.write(requests.request, STORE_ID, by="alice", kind=Kind.FULL, limited=False)
    for _ in range(3):
        await _slice(db, shop)
        assert await db.read(coverage.stored_from, await db.read(store_row)) == before
    assert [row.kind for row in await db.read(run_rows)].count(Kind.HISTORICAL.value) == 2


async def test_a_stranger_store_and_one_that_left_choose_nothing(db: Database) -> None:
    with pytest.raises(NotFound):
        await db.write(choices.choose, "nobody", Selection(), by=None)
    await db.write(set_store, uninstalled_at=SHOP_NOW)
    with pytest.raises(NotAllowed):
        await _choose(db, SIXTY)
