"""Stages read in slices, over real SQL: exports that fail, stall, vanish, and runs that die."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from brandmind.clock import utc_now
from brandmind.db import operating, reaping, runs, snapshot
from brandmind.db.ledger import SqlLedger
from brandmind.db.models import METADATA
from brandmind.db.session import Database
from brandmind.db.slices import SqlSlices, at_shopify
from brandmind.db.tables import EVENT, SLICE, STAGE, STORE
from brandmind.errors import BulkNotReady, Fenced, QueryRefused, ShopifyUnavailable
from brandmind.sync import slicing
from brandmind.sync.engine import Engine
from brandmind.sync.plan import Choice
from brandmind.sync.slices import Position
from brandmind.sync.slicing import SlicedReader
from brandmind.sync.stages import Stage, StageState, StoreStatus
from tests.faults.ground import story_of
from tests.faults.invariants import broken
from tests.memory_exports import MemoryExports, cut_off
from tests.memory_shop import MemoryShop

STORE_ID = "a11ce00000"
ALL_BULK = Choice(mode="bulk", slice_records=40, head_records=0)


class Killed(BaseException):
    """The process is gone: nothing below may swallow it."""


class Deaf:
    def changed(self) -> None: ...


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    db = Database(database_url)

    def insert(session: Any) -> None:
        session.execute(
            sa.insert(STORE).values(
                store_id=STORE_ID, domain="harbor-and-pine.myshopify.com", name="Harbor & Pine",
                timezone="UTC", plan="", taxes_included=False, epoch=1, read_no=0,
                scopes="read_orders,read_all_orders", history_done=False, installed_at=utc_now(),
            )
        )  # fmt: skip
        runs.insert_first_run(session, STORE_ID, epoch=1)

    await db.write(insert)
    yield db
    db.close()


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slicing, "BATCH", 10)


async def no_sleep(_seconds: float) -> None:
    return None


async def work(
    db: Database, exports: MemoryExports, *, choice: Choice = ALL_BULK, owner: str = "one"
) -> Exception | None:
    """Claim and work one run as far as it goes; the error that stopped it, None if it is done.

    Raises LookupError if nothing is due.
    """
    claim = await db.write(runs.claim_next, owner=owner, oldest_first=False)
    if claim is None:
        raise LookupError
    shop, ledger = exports.shop, SqlLedger(db, claim)
    shop.take_read_no = ledger.take_read_no
    reader = SlicedReader(
        source=shop, exports=exports, book=SqlSlices(db, claim), choice=choice, sleep=no_sleep
    )
    try:
        await Engine(source=shop, reader=reader, ledger=ledger, announcer=Deaf()).run()
    except (BulkNotReady, ShopifyUnavailable) as error:
        await db.write(runs.set_down, claim, name="waiting")
        return error
    await db.write(runs.finish, claim)
    return None


async def work_through(db: Database, exports: MemoryExports, **how: Any) -> list[Exception]:
    """Work until nothing is due; what it was stopped by on the way."""
    stops: list[Exception] = []
    while True:
        try:
            stop = await work(db, exports, **how)
        except LookupError:
            return stops
        if stop is not None:
            stops.append(stop)
        assert len(stops) < 200


async def assert_whole(db: Database, shop: MemoryShop) -> None:
    def ids(session: Any, name: str) -> list[int]:
        table = METADATA.tables[name]
        query = sa.select(table.c.shopify_id).where(table.c.store_id == STORE_ID)
        return sorted(row.shopify_id for row in session.execute(query))

    for stage, name in (
        (Stage.ORDERS, "shop_order"), (Stage.PRODUCTS, "product"), (Stage.CUSTOMERS, "customer"),
    ):  # fmt: skip
        assert await db.read(ids, name) == sorted(r.shopify_id for r in shop.records[stage])
    progress = await db.read(snapshot.progress, STORE_ID)
    assert progress.status is StoreStatus.COMPLETED
    assert [(at.done, at.total) for at in progress.stages if at.total is not None] == [
        (at.total, at.total) for at in progress.stages if at.total is not None
    ]
    assert broken(await db.read(story_of, STORE_ID)) == []


async def events(db: Database, name: str) -> list[str]:
    return await db.read(
        lambda s: [
            row.detail
            for row in s.execute(
                sa.select(EVENT).where(EVENT.c.name == name).order_by(EVENT.c.event_id)
            )
        ]
    )


def killing(what: str, number: int) -> Callable[[str], None]:
    """Dies the `number`th time that `what` happens."""
    seen = [0]

    def look(now: str) -> None:
        seen[0] += now == what
        if now == what and seen[0] == number:
            raise Killed

    return look


async def take_over(db: Database) -> None:
    for pulse in await db.read(reaping.pulses):
        assert await db.write(reaping.take_over, pulse, why="test")


async def test_a_store_read_in_exports_is_whole(db: Database) -> None:
    exports = MemoryExports(MemoryShop(products=50, orders=400, customers=60))
    assert await work_through(db, exports) == []
    await assert_whole(db, exports.shop)
    exported = {f"page {stage}" for stage in ("products", "orders", "customers", "history")}
    assert not exported & {asked.rsplit(" ", 1)[0] for asked in exports.shop.asked}
    (plan, *_) = [one for one in await events(db, "planned") if "orders" in one]
    assert "exports; paging would take about" in plan


async def test_the_newest_orders_are_paged_before_the_exports(db: Database) -> None:
    shop = MemoryShop(orders=400)
    exports = MemoryExports(shop)
    await work_through(db, exports, choice=Choice(mode="bulk", slice_records=60, head_records=20))
    await assert_whole(db, shop)
    (first, *_) = await db.read(
        lambda s: s.execute(
            sa.select(EVENT).where(EVENT.c.name == "page", EVENT.c.stage == "orders")
            .order_by(EVENT.c.event_id)
        ).all()
    )  # fmt: skip
    position = Position.of(first.next_cursor)
    assert position is not None
    assert (position.number, first.count) == (0, 10)


async def test_a_small_store_is_paged_as_ever(db: Database) -> None:
    exports = MemoryExports(MemoryShop(orders=300))
    await work_through(db, exports, choice=Choice())
    await assert_whole(db, exports.shop)
    assert exports.log == []
    assert await db.read(lambda s: s.execute(sa.select(SLICE)).all()) == []


async def plans_by_stage(db: Database) -> list[tuple[str, str]]:
    """The stages that were planned and how, in the order in which it was said."""
    return await db.read(
        lambda s: [
            (row.stage, row.detail)
            for row in s.execute(
                sa.select(EVENT).where(EVENT.c.name == "planned").order_by(EVENT.c.event_id)
            )
        ]
    )


async def test_paging_is_said_with_the_counts_it_was_chosen_for(db: Database) -> None:
    exports = MemoryExports(MemoryShop(products=50, orders=300, customers=60))
    await work_through(db, exports, choice=Choice())
    await assert_whole(db, exports.shop)
    said = await plans_by_stage(db)
    # Once each stage; what only follows changes could not be read otherwise and says nothing.
    assert [stage for stage, _ in said] == ["products", "orders", "customers", "history"]
    rows = await db.read(lambda s: s.execute(sa.select(STAGE.c.stage, STAGE.c.total)).all())
    counted = {row.stage: row.total for row in rows}
    for stage, how in said:
        resource = Stage(stage).resource
        assert how.startswith(f"{counted[stage]:,} {resource}: paged in about "), how
        assert how.endswith(" at 100 points/s"), how
    # An operator reads the same in the run's story.
    told = await db.read(operating.events, STORE_ID, run_id=await run_of(db, "orders"), most=99)
    assert [one.detail for one in reversed(told) if one.name == "planned"] == [
        how for stage, how in said if stage != "history"
    ]


async def run_of(db: Database, stage: str) -> str:
    return await db.read(
        lambda s: s.execute(
            sa.select(STAGE.c.run_id).where(STAGE.c.stage == stage, STAGE.c.total.is_not(None))
        ).scalar_one()
    )


@pytest.mark.parametrize(
    ("stage", "page"), [(Stage.ORDERS, 0), (Stage.ORDERS, 1), (Stage.CUSTOMERS, 0)]
)
async def test_a_run_that_dies_among_its_pages_says_once_that_it_pages(
    db: Database, stage: Stage, page: int
) -> None:
    exports = MemoryExports(MemoryShop(products=50, orders=300, customers=60))

    async def die(at: Stage, number: int) -> None:
        if (at, number) == (stage, page):
            raise Killed

    exports.shop.before_page = die
    with pytest.raises(Killed):
        await work_through(db, exports, choice=Choice())
    exports.shop.before_page = None
    before = await plans_by_stage(db)
    assert before[-1][0] == stage.value
    await take_over(db)
    await work_through(db, exports, choice=Choice(), owner="next")
    await assert_whole(db, exports.shop)
    after = await plans_by_stage(db)
    assert after[: len(before)] == before
    assert [one for one, _ in after] == ["products", "orders", "customers", "history"]


async def test_exports_that_were_planned_and_not_begun_may_become_pages_and_that_is_said(
    db: Database,
) -> None:
    exports = MemoryExports(MemoryShop(orders=120))
    exports.before = killing("start", 1)
    with pytest.raises(Killed):
        await work_through(db, exports)
    exports.before = lambda now: None
    # As if the window had been another one when it was cut.
    await db.write(lambda s: s.execute(sa.update(SLICE).values(created_before=utc_now())))
    await take_over(db)
    await work_through(db, exports, choice=Choice(), owner="next")
    await assert_whole(db, exports.shop)
    first, then = [how for stage, how in await plans_by_stage(db) if stage == "products"]
    assert "export" in first
    assert "paged in about" in then


async def test_a_gap_that_is_paged_again_is_not_planned_again(db: Database) -> None:
    exports = MemoryExports(MemoryShop(orders=100))
    exports.shop.hidden = {5}
    await work_through(db, exports, choice=Choice())
    assert await events(db, "read again"), "nothing was read again"
    said = [stage for stage, _ in await plans_by_stage(db)]
    assert said == ["products", "orders", "customers", "history"]


async def test_waiting_for_an_export_is_a_wait_in_words_and_never_an_error(db: Database) -> None:
    exports = MemoryExports(MemoryShop(orders=200), looks=9)
    stops = await work_through(db, exports)
    assert stops
    assert {type(stop) for stop in stops} == {BulkNotReady}
    assert "Shopify is preparing an export of" in str(stops[0])
    await assert_whole(db, exports.shop)


@pytest.mark.parametrize(
    ("what", "number"),
    [("start", 4), ("started", 4), ("look", 5), ("fetch", 4), ("batch", 9), ("batch", 12)],
)
async def test_a_run_that_dies_among_exports_goes_on_with_the_same_ones(
    db: Database, what: str, number: int
) -> None:
    exports = MemoryExports(MemoryShop(orders=300, customers=30))
    exports.before = killing(what, number)
    with pytest.raises(Killed):
        await work_through(db, exports)
    exports.before = lambda now: None
    await take_over(db)
    await work_through(db, exports, owner="next")
    await assert_whole(db, exports.shop)
    # Not one export was asked for twice: each text is of one slice and one attempt.
    texts = [operation.text for operation in exports.operations.values()]
    assert len(set(texts)) == len(texts)
    assert await events(db, "export failed") == []


@pytest.mark.parametrize(("number", "stopped"), [(1, [ShopifyUnavailable]), (4, [])])
async def test_the_answer_to_a_start_that_got_lost_does_not_start_another(
    db: Database, number: int, stopped: list[type]
) -> None:
    exports = MemoryExports(MemoryShop(orders=180))
    lost = [0]

    def lose(now: str) -> None:
        lost[0] += now == "started"
        if now == "started" and lost[0] == number:
            cut_off()

    exports.before = lose
    stops = await work_through(db, exports)
    assert [type(stop) for stop in stops] == stopped
    await assert_whole(db, exports.shop)
    texts = [operation.text for operation in exports.operations.values()]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize(
    "told",
    [
        {"status": "FAILED", "error_code": "INTERNAL_SERVER_ERROR", "url": None},
        {"status": "FAILED", "error_code": "TIMEOUT", "url": None},
        {"status": "CANCELED", "url": None},
        {"status": "EXPIRED", "url": None},
    ],
)
async def test_an_export_that_fails_is_asked_for_again(db: Database, told: dict[str, Any]) -> None:
    exports = MemoryExports(MemoryShop(orders=120))
    exports.became = lambda number: told if number == 3 else {}
    await work_through(db, exports)
    await assert_whole(db, exports.shop)
    (failed,) = await events(db, "export failed")
    assert failed.endswith("; asked for again")


async def test_an_export_that_fails_three_times_is_paged_instead(db: Database) -> None:
    exports = MemoryExports(MemoryShop(orders=120))
    exports.became = lambda number: {"status": "FAILED", "url": None}
    await work_through(db, exports)
    await assert_whole(db, exports.shop)
    failed = await events(db, "export failed")
    assert sum(one.endswith("paged instead") for one in failed) * 3 == len(failed)
    assert not any(what.startswith("fetch") for what in exports.log)


async def test_not_one_record_of_a_damaged_file_lands(db: Database) -> None:
    exports = MemoryExports(MemoryShop(orders=120))
    exports.damaged = {3}
    await work_through(db, exports)
    await assert_whole(db, exports.shop)
    (failed,) = await events(db, "export failed")
    assert "3 lines instead of 4" in failed


async def test_an_export_the_shop_has_forgotten_is_asked_for_again(db: Database) -> None:
    exports = MemoryExports(MemoryShop(orders=120), looks=50)
    assert isinstance(await work(db, exports), BulkNotReady)
    forgotten = len(exports.operations)
    exports.operations.clear()
    exports.looks = 1
    await work_through(db, exports)
    await assert_whole(db, exports.shop)
    assert len(await events(db, "export failed")) == forgotten


async def test_an_export_that_stands_still_is_cancelled_and_asked_for_again(db: Database) -> None:
    exports = MemoryExports(MemoryShop(orders=30), looks=10_000)
    assert isinstance(await work(db, exports), BulkNotReady)
    await db.write(
        lambda s: s.execute(
            sa.update(SLICE)
            .where(SLICE.c.state == "running")
            .values(moved_at=utc_now() - timedelta(minutes=11))
        )
    )
    stuck = list(exports.operations)
    assert isinstance(await work(db, exports), BulkNotReady)
    assert exports.cancelled == stuck[:1]
    assert "stood still for 11 min" in (await events(db, "export failed"))[0]
    exports.looks = 1
    await work_through(db, exports)
    await assert_whole(db, exports.shop)


async def test_an_export_of_nothing_is_no_error(db: Database) -> None:
    shop = MemoryShop(orders=200)
    exports = MemoryExports(shop)

    def emptied(now: str) -> None:
        # All customers are deleted between their count and their export.
        if now == "start" and any("customers" in one for one in plans()):
            shop.records[Stage.CUSTOMERS] = []

    def plans() -> list[str]:
        return db.read_now(
            lambda s: [
                row.detail for row in s.execute(sa.select(EVENT).where(EVENT.c.name == "planned"))
            ]
        )

    exports.before = emptied
    await work_through(db, exports)
    rows = await db.read(
        lambda s: s.execute(sa.select(STAGE).where(STAGE.c.stage == "customers")).all()
    )
    assert (rows[0].state, rows[0].done, rows[0].total) == (StageState.DONE.value, 0, 5)
    assert await events(db, "export failed") == []


async def test_an_export_that_cannot_be_started_early_holds_nothing_up(db: Database) -> None:
    exports = MemoryExports(MemoryShop(orders=300))
    starts = [0]

    def fail_early(now: str) -> None:
        starts[0] += now == "start"
        if now == "start" and starts[0] == 6:
            cut_off()

    exports.before = fail_early
    stops = await work_through(db, exports)
    assert starts[0] > 6
    assert stops == []
    await assert_whole(db, exports.shop)


async def test_a_shop_without_room_for_ten_minutes_is_paged(db: Database) -> None:
    exports = MemoryExports(MemoryShop(orders=60), room=0)
    assert isinstance(await work(db, exports), BulkNotReady)
    assert isinstance(await work(db, exports), BulkNotReady)
    while True:
        await db.write(
            lambda s: s.execute(
                sa.update(SLICE)
                .where(SLICE.c.state == "asked")
                .values(asked_at=utc_now() - timedelta(minutes=11))
            )
        )
        try:
            await work(db, exports)
        except LookupError:
            break
    await assert_whole(db, exports.shop)
    assert "the shop had no room for it" in (await events(db, "export failed"))[0]
    assert exports.operations == {}


async def test_with_less_room_exports_wait_for_each_other(db: Database) -> None:
    exports = MemoryExports(MemoryShop(orders=300), looks=2, room=1)
    await work_through(db, exports)
    await assert_whole(db, exports.shop)
    assert "no room" in exports.log
    texts = [operation.text for operation in exports.operations.values()]
    assert len(set(texts)) == len(texts)


async def test_a_shop_that_exports_nothing_is_paged(db: Database) -> None:
    exports = MemoryExports(MemoryShop(orders=120))

    def refuse(now: str) -> None:
        if now == "start":
            raise QueryRefused("Shopify will not export this (INVALID).", code="INVALID")

    exports.before = refuse
    await work_through(db, exports)
    await assert_whole(db, exports.shop)
    assert all(one.endswith("paged instead") for one in await events(db, "export failed"))


async def test_an_export_without_access_is_paged_to_learn_what_is_refused(db: Database) -> None:
    exports = MemoryExports(MemoryShop(orders=120))
    exports.became = lambda number: {
        "status": "FAILED", "error_code": "ACCESS_DENIED", "url": None
    }  # fmt: skip
    await work_through(db, exports)
    await assert_whole(db, exports.shop)


async def test_no_more_than_five_exports_are_under_way_and_none_far_ahead(db: Database) -> None:
    exports = MemoryExports(MemoryShop(orders=900), looks=3, room=99)
    most = [0]

    def watch(_now: str) -> None:
        most[0] = max(most[0], sum(one.is_under_way for one in exports.operations.values()))

    exports.before = watch
    await work_through(db, exports)
    await assert_whole(db, exports.shop)
    assert most[0] == 5


async def test_the_second_reading_of_a_gap_is_exported_anew(db: Database) -> None:
    exports = MemoryExports(MemoryShop(orders=100))
    exports.shop.hidden = {5}

    def shown(now: str) -> None:
        texts = [one.text for one in exports.operations.values()]
        if any("-2 orders" in text for text in texts):
            exports.shop.hidden = set()

    exports.before = shown
    await work_through(db, exports)
    await assert_whole(db, exports.shop)
    assert exports.shop.hidden == set()


async def test_a_cancelled_run_leaves_its_exports_named_and_the_next_one_ends_them(
    db: Database,
) -> None:
    exports = MemoryExports(MemoryShop(orders=200), looks=1_000)
    assert isinstance(await work(db, exports), BulkNotReady)
    ended = await db.write(runs.cancel, STORE_ID, by="alice")
    left = await db.read(at_shopify, ended)
    assert {one.operation for one in left} == {
        gid for gid, one in exports.operations.items() if one.is_under_way
    }
    exports.looks = 1
    orphans = set(exports.operations)
    await db.write(lambda s: runs.insert_first_run(s, STORE_ID, epoch=1))
    await work_through(db, exports)
    assert set(exports.cancelled) == orphans
    await assert_whole(db, exports.shop)


async def test_an_owner_that_lost_its_run_asks_for_nothing_more(db: Database) -> None:
    exports = MemoryExports(MemoryShop(orders=200))

    def fenced(now: str) -> None:
        if now == "started" and len(exports.operations) == 3:
            for pulse in db.read_now(reaping.pulses):
                db.write_now(reaping.take_over, pulse, why="test")

    exports.before = fenced
    with pytest.raises(Fenced):
        await work(db, exports)
    assert len(exports.operations) == 3
    exports.before = lambda now: None
    await work_through(db, exports, owner="next")
    await assert_whole(db, exports.shop)
    texts = [operation.text for operation in exports.operations.values()]
    assert len(set(texts)) == len(texts)


async def test_a_new_epoch_stops_the_exports(db: Database) -> None:
    exports = MemoryExports(MemoryShop(orders=200))

    def uninstalled(now: str) -> None:
        if now == "started" and len(exports.operations) == 2:
            db.write_now(lambda s: s.execute(sa.update(STORE).values(epoch=2)))

    exports.before = uninstalled
    with pytest.raises(Fenced):
        await work(db, exports)
    assert len(exports.operations) == 2
