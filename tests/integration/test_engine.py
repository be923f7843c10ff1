"""The engine over real SQL: killed, resumed, fenced, cancelled, and proven."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa

from brandmind.clock import utc_now
from brandmind.db import reaping, requests, runs, snapshot
from brandmind.db.ledger import SqlLedger
from brandmind.db.models import METADATA
from brandmind.db.session import Database
from brandmind.db.tables import DIRTY_DAY, EVENT, ORDER, OUTBOX, RUN, SALE, STORE
from brandmind.errors import AccessRefused, Fenced, SyncAlreadyRunning, TooManySyncs
from brandmind.sync.engine import Engine, Outcome
from brandmind.sync.ports import Checkpoint, Page
from brandmind.sync.progress import StoreProgress
from brandmind.sync.stages import Kind, Priority, RunStatus, Stage, StageState, StoreStatus
from tests.memory_shop import SHOP_NOW, MemoryShop
from tests.records import NOON

STORE_ID = "a11ce00000"


class Killed(BaseException):
    """The process is gone: nothing below may swallow it."""


@dataclass
class Ears:
    """An announcer that reads the snapshot at each change, as a watcher would."""

    db: Database
    heard: list[StoreProgress] = field(default_factory=list)

    def changed(self) -> None:
        self.heard.append(self.db.read_now(snapshot.progress, STORE_ID))


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    db = Database(database_url)
    await db.write(_insert_store, STORE_ID, "harbor-and-pine.myshopify.com")
    yield db
    db.close()


def _insert_store(session: Any, store_id: str, domain: str) -> None:
    session.execute(
        sa.insert(STORE).values(
            store_id=store_id,
            domain=domain,
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


def _first(session: Any) -> str:
    return runs.insert_first_run(session, STORE_ID, epoch=1)


async def _claim(db: Database, *, owner: str = "one") -> runs.Claim | None:
    return await db.write(runs.claim_next, owner=owner, oldest_first=False)


async def _slice(
    db: Database, shop: MemoryShop, *, owner: str = "one", ears: Ears | None = None
) -> Outcome | None:
    """Claim and work one slice; None if nothing was due."""
    claim = await _claim(db, owner=owner)
    if claim is None:
        return None
    ledger = SqlLedger(db, claim)
    shop.take_read_no = ledger.take_read_no
    outcome = await Engine(source=shop, ledger=ledger, announcer=ears or Ears(db)).run()
    if outcome is Outcome.DONE:
        await db.write(runs.finish, claim)
    else:
        await db.write(runs.set_down, claim, name="yielded")
    return outcome


async def _all_slices(db: Database, shop: MemoryShop, *, owner: str = "one") -> None:
    while await _slice(db, shop, owner=owner) is not None:
        pass


async def _whole(db: Database, shop: MemoryShop) -> Ears:
    ears = Ears(db)
    await db.write(_first)
    while await _slice(db, shop, ears=ears) is not None:
        pass
    return ears


async def _contents(db: Database) -> dict[str, list[Any]]:
    """Every commerce row without its bookkeeping, for comparing two syncs byte by byte."""

    def read(session: Any) -> dict[str, list[Any]]:
        found = {}
        for name in ("product", "variant", "shop_order", "order_line", "order_sale", "customer",
                     "daily_sales"):  # fmt: skip
            table = METADATA.tables[name]
            columns = [column for column in table.columns if column.name != "read_no"]
            rows = session.execute(sa.select(*columns).order_by(*table.primary_key.columns))
            found[name] = [tuple(row) for row in rows]
        return found

    return await db.read(read)


def _kill_at(stage: Stage, number: int) -> Callable[[Stage, int], Awaitable[None]]:
    async def kill(at: Stage, page: int) -> None:
        if (at, page) == (stage, number):
            raise Killed

    return kill


async def test_a_first_sync_ends_completed_with_every_record_once(db: Database) -> None:
    shop = MemoryShop(orders=400, page=50)
    ears = await _whole(db, shop)
    last = await db.read(snapshot.progress, STORE_ID)
    assert last.status is StoreStatus.COMPLETED
    assert last.percent == 100
    counted = {at.stage: (at.done, at.total) for at in last.stages if at.total is not None}
    assert counted[Stage.PRODUCTS] == (3, 3)
    assert counted[Stage.CUSTOMERS] == (5, 5)
    recent = counted[Stage.ORDERS]
    assert last.history is not None
    assert recent[0] == recent[1]
    assert (last.history.done, last.history.total) == (400 - recent[0], 400 - recent[0])
    stored = await _contents(db)
    assert len(stored["shop_order"]) == 400
    assert len(stored["order_line"]) == 400
    seqs = [progress.seq for progress in ears.heard]
    assert seqs == sorted(seqs)
    assert await db.read(lambda s: s.execute(sa.select(DIRTY_DAY)).all()) == []
    net = sum(row[-1] for row in await db.read(lambda s: s.execute(
        sa.select(sa.func.sum(METADATA.tables["daily_sales"].c.net_minor))).all()))  # fmt: skip
    assert net == 400 * 5_000


async def test_progress_never_falls_and_the_newest_orders_come_first(db: Database) -> None:
    shop = MemoryShop(orders=60, page=10)
    ears = await _whole(db, shop)
    by_run: dict[str | None, list[int]] = {}
    for progress in ears.heard:
        by_run.setdefault(progress.run_id, []).append(progress.percent)
    for percents in by_run.values():
        assert percents == sorted(percents)
    pages = [
        row.next_cursor
        for row in await db.read(
            lambda s: s.execute(
                sa.select(EVENT).where(EVENT.c.name == "page", EVENT.c.stage == "orders")
                .order_by(EVENT.c.event_id)
            ).all()
        )
    ]  # fmt: skip
    assert pages == ["10", "20", "30", "40", "50", "$"]


@pytest.mark.parametrize(
    ("stage", "page"),
    [(Stage.PRODUCTS, 0), (Stage.ORDERS, 0), (Stage.ORDERS, 2), (Stage.CUSTOMERS, 1),
     (Stage.HISTORY, 1)],
)  # fmt: skip
async def test_a_sync_that_dies_midway_goes_on_where_it_stopped(
    db: Database, stage: Stage, page: int
) -> None:
    shop = MemoryShop(products=20, orders=260, customers=20, page=10)
    shop.before_page = _kill_at(stage, page)
    await db.write(_first)
    with pytest.raises(Killed):
        await _all_slices(db, shop, owner="dead")
    shop.before_page = None
    asked_before = list(shop.asked)
    for pulse in await db.read(reaping.pulses):
        assert await db.write(reaping.take_over, pulse, why="test")
    await _all_slices(db, shop, owner="next")
    # Nothing that had landed was asked for again.
    again = [what for what in shop.asked[len(asked_before) :] if what.startswith("page")]
    assert not set(again) & {what for what in asked_before if what.startswith("page")}
    last = await db.read(snapshot.progress, STORE_ID)
    assert last.status is StoreStatus.COMPLETED
    undisturbed = await _contents(db)
    assert len(undisturbed["shop_order"]) == 260
    assert [at.done for at in last.stages] == [at.total or 0 for at in last.stages]


async def test_two_bells_make_one_claim(db: Database) -> None:
    await db.write(_first)
    first = await _claim(db, owner="one")
    second = await _claim(db, owner="two")
    assert first is not None
    assert second is None


async def test_an_owner_that_lost_its_run_writes_not_one_row_more(db: Database) -> None:
    shop = MemoryShop(orders=40, page=10)
    await db.write(_first)
    claim = await _claim(db, owner="zombie")
    assert claim is not None
    ledger = SqlLedger(db, claim)
    shop.take_read_no = ledger.take_read_no

    async def taken_over(stage: Stage, number: int) -> None:
        if (stage, number) == (Stage.ORDERS, 2):
            (pulse,) = await db.read(reaping.pulses)
            assert await db.write(reaping.take_over, pulse, why="test")

    shop.before_page = taken_over
    with pytest.raises(Fenced):
        await Engine(source=shop, ledger=ledger, announcer=Ears(db)).run()
    assert len((await _contents(db))["shop_order"]) == 20


async def test_a_cancelled_sync_writes_nothing_more_and_keeps_what_it_has(db: Database) -> None:
    shop = MemoryShop(orders=40, page=10)
    await db.write(_first)

    async def cancelled(stage: Stage, number: int) -> None:
        if (stage, number) == (Stage.ORDERS, 1):
            await db.write(runs.cancel, STORE_ID, by="alice")

    shop.before_page = cancelled
    with pytest.raises(Fenced):
        await _slice(db, shop)
    assert len((await _contents(db))["shop_order"]) == 10
    assert (await db.read(snapshot.progress, STORE_ID)).status is StoreStatus.CANCELLED


async def test_a_new_epoch_stops_the_writing(db: Database) -> None:
    shop = MemoryShop(orders=40, page=10)
    await db.write(_first)

    async def uninstalled(stage: Stage, number: int) -> None:
        if (stage, number) == (Stage.ORDERS, 1):
            await db.write(lambda s: s.execute(sa.update(STORE).values(epoch=2)))

    shop.before_page = uninstalled
    with pytest.raises(Fenced):
        await _slice(db, shop)
    assert len((await _contents(db))["shop_order"]) == 10


async def test_a_run_of_an_older_epoch_is_never_claimed(db: Database) -> None:
    await db.write(_first)
    await db.write(lambda s: s.execute(sa.update(STORE).values(epoch=2)))
    assert await _claim(db) is None
    (run,) = await db.read(lambda s: s.execute(sa.select(RUN)).all())
    assert run.status == RunStatus.CANCELLED.value


async def test_a_gap_is_read_again_and_then_said(db: Database) -> None:
    shop = MemoryShop(orders=30, page=10)
    shop.hidden = {5, 6}
    await _whole(db, shop)
    last = await db.read(snapshot.progress, STORE_ID)
    assert (last.status, last.reason) == (StoreStatus.PARTIAL, "gap")
    orders = last.stage(Stage.ORDERS)
    assert orders is not None
    assert orders.state is StageState.GAP
    assert orders.note == "Orders are 2 short of Shopify's count. We look again tonight."
    assert shop.asked.count("page orders 0") == 2


async def test_a_gap_that_the_second_reading_fills_is_no_gap(db: Database) -> None:
    shop = MemoryShop(orders=30, page=10)
    shop.hidden = {5}

    async def shown(stage: Stage, number: int) -> None:
        if shop.asked.count("page orders 0") == 1 and stage is Stage.CUSTOMERS:
            raise AssertionError("customers before the second reading of orders")
        if number == 0 and shop.asked.count("page orders 0") == 0:
            return
        shop.hidden = set()

    shop.before_page = shown
    await _whole(db, shop)
    assert (await db.read(snapshot.progress, STORE_ID)).status is StoreStatus.COMPLETED


async def test_refused_access_is_said_and_the_rest_goes_on(db: Database) -> None:
    shop = MemoryShop(orders=10)

    async def refused(stage: Stage, number: int) -> None:
        if stage is Stage.CUSTOMERS:
            raise AccessRefused("BrandMind may not read customers.", scope="read_customers")

    shop.before_page = refused
    await _whole(db, shop)
    last = await db.read(snapshot.progress, STORE_ID)
    assert (last.status, last.reason) == (StoreStatus.PARTIAL, "restricted")
    customers = last.stage(Stage.CUSTOMERS)
    assert customers is not None
    assert customers.note == "BrandMind may not read customers."
    assert len((await _contents(db))["shop_order"]) == 10


async def test_a_field_the_shop_hides_is_said_and_nothing_called_complete(db: Database) -> None:
    shop = MemoryShop(orders=10)
    shop.restricted = ("orders.nodes.customer",)
    await _whole(db, shop)
    last = await db.read(snapshot.progress, STORE_ID)
    assert (last.status, last.reason) == (StoreStatus.PARTIAL, "restricted")
    orders = last.stage(Stage.ORDERS)
    assert orders is not None
    assert (orders.state, orders.done) == (StageState.RESTRICTED, 10)
    assert orders.note == ("Shopify does not show BrandMind these fields of orders yet: customer.")


async def test_sixty_days_of_orders_are_never_called_complete(db: Database) -> None:
    shop = MemoryShop(orders=30).with_scopes("read_products", "read_orders", "read_customers")
    await _whole(db, shop)
    last = await db.read(snapshot.progress, STORE_ID)
    assert (last.status, last.reason) == (StoreStatus.PARTIAL, "restricted")
    assert last.history is not None
    assert last.history.state is StageState.RESTRICTED


async def test_the_ready_message_is_written_once(db: Database) -> None:
    shop = MemoryShop()
    await _whole(db, shop)
    await db.write(requests.request, STORE_ID, by="alice", kind=Kind.FULL)
    await _all_slices(db, shop)
    kinds = [row.kind for row in await db.read(lambda s: s.execute(sa.select(OUTBOX)).all())]
    assert kinds == ["store_ready"]


async def test_an_incremental_sync_reads_only_what_changed(db: Database) -> None:
    shop = MemoryShop(orders=100, page=10)
    await _whole(db, shop)
    shop.asked.clear()
    shop.change(
        Stage.ORDERS, 3, updated_at=SHOP_NOW + timedelta(minutes=1), financial_status="REFUNDED"
    )
    await db.write(requests.request, STORE_ID, by="alice")
    await _all_slices(db, shop)
    assert [what for what in shop.asked if what.startswith("page")] == [
        "page products 0",
        "page orders 0",
        "page customers 0",
    ]
    stored = {row[1]: row for row in (await _contents(db))["shop_order"]}
    assert "REFUNDED" in stored[3]
    last = await db.read(snapshot.progress, STORE_ID)
    assert last.kind is Kind.INCREMENTAL
    assert last.status is StoreStatus.COMPLETED


async def test_an_older_version_never_replaces_a_newer_one(db: Database) -> None:
    shop = MemoryShop(orders=5)
    await _whole(db, shop)
    shop.change(Stage.ORDERS, 3, updated_at=NOON - timedelta(days=300), financial_status="OLD")
    await db.write(requests.request, STORE_ID, by="alice", kind=Kind.FULL)
    await _all_slices(db, shop)
    stored = {row[1]: row for row in (await _contents(db))["shop_order"]}
    assert "OLD" not in stored[3]


async def test_a_page_delivered_twice_changes_nothing(db: Database) -> None:
    shop = MemoryShop(orders=30, page=10)
    await _whole(db, shop)
    before = await _contents(db)
    await db.write(requests.request, STORE_ID, by="alice", kind=Kind.FULL)
    await _all_slices(db, shop)
    assert await _contents(db) == before


async def test_a_second_sync_at_the_same_time_is_told_of_the_first(db: Database) -> None:
    run_id = await db.write(_first)
    with pytest.raises(SyncAlreadyRunning) as refused:
        await db.write(requests.request, STORE_ID, by="alice")
    assert refused.value.run_id == run_id


async def test_the_fourth_manual_sync_in_an_hour_is_refused(db: Database) -> None:
    shop = MemoryShop()
    await _whole(db, shop)
    for _ in range(3):
        await db.write(requests.request, STORE_ID, by="alice")
        await _all_slices(db, shop)
    with pytest.raises(TooManySyncs) as refused:
        await db.write(requests.request, STORE_ID, by="alice")
    assert 3_500 < refused.value.retry_after_s <= 3_600
    left, next_at = await db.read(requests.manual_left, STORE_ID)
    assert left == 0
    assert next_at == refused.value.next_at


async def test_history_gives_way_to_a_sync_of_the_same_store(db: Database) -> None:
    shop = MemoryShop(orders=300, page=10)
    await db.write(_first)
    assert await _slice(db, shop) is Outcome.DONE

    async def wanted(stage: Stage, number: int) -> None:
        if (stage, number) == (Stage.HISTORY, 2):
            await db.write(requests.request, STORE_ID, by="alice")

    shop.before_page = wanted
    assert await _slice(db, shop) is Outcome.YIELDED
    claim = await _claim(db)
    assert claim is not None
    assert claim.kind is Kind.INCREMENTAL


async def test_the_best_due_run_is_claimed_first_and_the_oldest_in_its_turn(db: Database) -> None:
    await db.write(_insert_store, "b0b0000000", "second.myshopify.com")

    def insert(session: Any, store_id: str, priority: Priority) -> str:
        return runs.insert_run(
            session, store_id, kind=Kind.FULL, priority=priority, reason="test", epoch=1
        )

    slow = await db.write(insert, STORE_ID, Priority.HISTORY)
    quick = await db.write(insert, "b0b0000000", Priority.MANUAL)
    best = await db.write(runs.claim_next, owner="one", oldest_first=False)
    assert best is not None
    assert best.run_id == quick
    await db.write(runs.set_down, best, name="yielded")
    oldest = await db.write(runs.claim_next, owner="one", oldest_first=True)
    assert oldest is not None
    assert oldest.run_id == slow


async def test_sales_of_test_orders_count_nowhere(db: Database) -> None:
    shop = MemoryShop(orders=4)
    shop.change(Stage.ORDERS, 2, test=True)
    await _whole(db, shop)
    counted = dict(
        await db.read(lambda s: s.execute(sa.select(SALE.c.order_id, SALE.c.counted)).all())
    )
    assert counted == {1: True, 2: False, 3: True, 4: True}
    orders = await db.read(
        lambda s: s.execute(
            sa.select(sa.func.sum(METADATA.tables["daily_sales"].c.orders))
        ).scalar_one()
    )
    assert orders == 3
    assert len(await db.read(lambda s: s.execute(sa.select(ORDER.c.shopify_id)).all())) == 4


async def test_a_recount_that_takes_long_rests_ten_times_as_long(db: Database) -> None:
    now_s = 0.0
    recounts: list[tuple[float, float]] = []
    await db.write(_first)
    claim = await _claim(db)
    assert claim is not None

    class Slow(SqlLedger):
        async def land(self, page: Page, *, after: str) -> Checkpoint:
            nonlocal now_s
            now_s += 1.0
            return await super().land(page, after=after)

        async def recount(self) -> None:
            nonlocal now_s
            began_s = now_s
            now_s += 0.7
            await super().recount()
            recounts.append((began_s, now_s))

    shop = MemoryShop(orders=120, page=3)
    ledger = Slow(db, claim)
    shop.take_read_no = ledger.take_read_no
    engine = Engine(
        source=shop, ledger=ledger, announcer=Ears(db), slice_s=1e9, now_s=lambda: now_s
    )
    assert await engine.run() is Outcome.DONE
    # The last one closes the reading: it waits for nothing.
    rests = [after[0] - before[1] for before, after in pairwise(recounts[:-1])]
    assert len(rests) > 2
    assert all(6.99 < rest < 8.01 for rest in rests), rests
