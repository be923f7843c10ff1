"""What is stored ends as the shop has it: changes, deletions, gaps and what cannot be read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa

from brandmind.db import burials
from brandmind.db.session import Database
from brandmind.db.tables import CUSTOMER, EVENT, ORDER, PRODUCT, REJECT, TOMBSTONE
from brandmind.sync import windows
from brandmind.sync.stages import Kind, Stage, StageState, StoreStatus
from tests.memory_shop import SHOP_NOW, MemoryShop
from tests.records import NOON, a_customer, a_product, an_order
from tests.sync_world import STORE_ID, SyncWorld, contents, on_page

DAY = timedelta(days=1)


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    db = Database(database_url)
    yield db
    db.close()


@pytest.fixture
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty records are a window, as 2,500 are otherwise."""
    monkeypatch.setattr(windows, "RECORDS", 20)
    monkeypatch.setattr(windows.cut, "__kwdefaults__", {"records": 20})


def _later(shop: MemoryShop, *, hours: float = 1) -> None:
    """The shop's clock moves on."""
    shop.facts = replace(shop.facts, answered_at=shop.facts.answered_at + timedelta(hours=hours))


async def test_a_second_sync_of_an_unchanged_store_asks_next_to_nothing(
    db: Database, small_windows: None
) -> None:
    world = SyncWorld(db, MemoryShop(orders=400, customers=100, page=50))
    assert (await world.first()).status is StoreStatus.COMPLETED
    assert len(await world.proofs()) >= 20
    for _ in range(2):
        last = await world.again()
        assert (last.kind, last.status) == (Kind.INCREMENTAL, StoreStatus.COMPLETED)
        # The shop, all its totals, and a page and the windows of each stage.
        assert len(world.shop.asked) == 8, world.shop.asked


async def test_older_proofs_are_kept_as_they_were_made(db: Database, small_windows: None) -> None:
    world = SyncWorld(db, MemoryShop(orders=180))
    await world.first()
    await world.again()
    before = await world.proofs()
    _later(world.shop)
    world.shop.records[Stage.ORDERS].append(an_order(500, at=SHOP_NOW + timedelta(minutes=20)))
    assert (await world.again()).status is StoreStatus.COMPLETED
    after = await world.proofs()
    assert after[:-1] == before[:-1]
    # What was created since is proven in the window that it lengthens.
    assert (after[-1].created_from, after[-1].run_id) != (None, before[-1].run_id)
    assert after[-1].counted == after[-1].stored == before[-1].counted + 1
    assert after[-1].created_before == world.shop.facts.answered_at - timedelta(minutes=5)


async def test_a_full_window_is_followed_by_a_new_one(db: Database, small_windows: None) -> None:
    world = SyncWorld(db, MemoryShop(orders=40))
    await world.first()
    number = len(await world.proofs())
    for hour in range(3):
        _later(world.shop)
        at = world.shop.facts.answered_at - timedelta(minutes=30)
        world.shop.records[Stage.ORDERS] += [
            an_order(1000 + hour * 50 + one, at=at) for one in range(25)
        ]
        assert (await world.again()).status is StoreStatus.COMPLETED
    found = await world.proofs()
    assert len(found) > number
    for earlier, later in pairwise(found):
        assert later.created_from == earlier.created_before + timedelta(seconds=1)
    assert sum(one.counted for one in found) == 115


async def test_only_the_window_that_is_short_is_read_again(
    db: Database, small_windows: None
) -> None:
    world = SyncWorld(db, MemoryShop(orders=100, page=10))
    world.shop.hidden = {5}
    last = await world.first()
    assert (last.status, last.reason) == (StoreStatus.PARTIAL, "gap")
    short = [one for one in await world.proofs() if one.state == "short"]
    assert [(one.counted - one.stored) for one in short] == [1]
    window = short[0]
    assert window.created_from <= NOON - 5 * DAY <= window.created_before
    # Eleven pages of the whole, and then those of one window.
    assert len(world.asked("page orders")) == 10 + -(-window.counted // 10)


async def test_a_gap_names_what_could_not_be_read(db: Database) -> None:
    world = SyncWorld(db, MemoryShop(orders=30))
    world.shop.unreadable = {5, 6}
    last = await world.first()
    orders = last.stage(Stage.ORDERS)
    assert orders is not None
    assert orders.state is StageState.GAP
    assert orders.note == "2 orders could not be read. We try again at the next sync."
    # Reading it all again would not make them readable.
    assert world.shop.asked.count("page orders 0") == 1
    kept = await db.read(lambda s: s.execute(sa.select(REJECT)).all())
    assert {(one.resource, one.gid) for one in kept} == {
        ("orders", "gid://shopify/Order/5"),
        ("orders", "gid://shopify/Order/6"),
    }


async def test_what_could_not_be_read_is_tried_again_by_the_next_sync(db: Database) -> None:
    world = SyncWorld(db, MemoryShop(orders=30))
    world.shop.unreadable = {5, 6}
    await world.first()
    world.shop.unreadable = {6}
    last = await world.again()
    assert world.asked("by ids orders") == ["by ids orders [5, 6]"]
    assert 5 in await world.ids(ORDER)
    assert last.stage(Stage.ORDERS).note == (  # type: ignore[union-attr]
        "1 order could not be read. We try again at the next sync."
    )
    world.shop.unreadable = set()
    assert (await world.again()).status is StoreStatus.COMPLETED
    assert len(await world.ids(ORDER)) == 30
    assert await db.read(lambda s: s.execute(sa.select(REJECT)).all()) == []


async def test_what_could_not_be_read_and_is_gone_is_forgotten(db: Database) -> None:
    world = SyncWorld(db, MemoryShop(orders=30))
    world.shop.unreadable = {5}
    await world.first()
    world.shop.delete(Stage.ORDERS, 5)
    assert (await world.again()).status is StoreStatus.COMPLETED
    assert await db.read(lambda s: s.execute(sa.select(REJECT)).all()) == []


async def test_older_orders_that_changed_lately_come_before_history(db: Database) -> None:
    world = SyncWorld(db, MemoryShop(orders=300, page=50))
    world.shop.change(Stage.ORDERS, 290, updated_at=NOON - DAY, financial_status="REFUNDED")
    await world.connect()
    assert await world.slice()
    stored = await world.ids(ORDER)
    assert 290 in stored
    assert 291 not in stored
    orders = (await world.progress()).stage(Stage.ORDERS)
    assert orders is not None
    assert (orders.state, orders.done, orders.total) == (StageState.DONE, 182, 182)
    last = await world.to_the_end()
    assert last.status is StoreStatus.COMPLETED
    assert len(await world.ids(ORDER)) == 300


async def test_what_changed_while_it_was_read_is_there_before_the_figures(db: Database) -> None:
    world = SyncWorld(db, MemoryShop(orders=30, page=10))
    shop = world.shop

    def happen() -> None:
        at = SHOP_NOW + timedelta(minutes=1)
        shop.change(Stage.ORDERS, 3, updated_at=at, financial_status="REFUNDED")
        shop.change(Stage.PRODUCTS, 2, updated_at=at, title="Another")
        shop.records[Stage.ORDERS].append(an_order(99, at=at))
        shop.records[Stage.CUSTOMERS].append(a_customer(99)._replace(updated_at=at, created_at=at))

    on_page(shop, Stage.CUSTOMERS, 0, happen)
    await world.connect()
    await world.slice()
    assert (await world.row(ORDER, 3)).financial_status == "REFUNDED"
    assert (await world.row(PRODUCT, 2)).title == "Another"
    assert 99 in await world.ids(ORDER)
    assert 99 in await world.ids(CUSTOMER)
    story = [
        row.stage
        for row in await db.read(
            lambda s: s.execute(
                sa.select(EVENT).where(EVENT.c.name == "began").order_by(EVENT.c.event_id)
            ).all()
        )
    ]
    assert story.index("customers") < story.index("late_orders") < story.index("figures")


async def test_what_is_deleted_while_it_was_read_is_gone_after_the_next_sync(db: Database) -> None:
    world = SyncWorld(db, MemoryShop(orders=300, page=20, customers=12))
    shop = world.shop

    def happen() -> None:
        shop.delete(Stage.ORDERS, 2, 3)
        shop.delete(Stage.PRODUCTS, 1)
        shop.delete(Stage.CUSTOMERS, 4)

    on_page(shop, Stage.HISTORY, 1, happen)
    assert (await world.first()).status is StoreStatus.COMPLETED
    assert 2 in await world.ids(ORDER)
    assert (await world.again()).status is StoreStatus.COMPLETED
    assert await world.ids(ORDER) == [1, *range(4, 301)]
    assert await world.ids(PRODUCT) == [2, 3]
    assert 4 not in await world.ids(CUSTOMER)
    buried = await db.read(lambda s: s.execute(sa.select(TOMBSTONE)).all())
    assert {(one.resource, one.shopify_id, one.reason) for one in buried} == {
        ("orders", 2, "deleted"), ("orders", 3, "deleted"),
        ("products", 1, "deleted"), ("customers", 4, "deleted"),
    }  # fmt: skip
    here = await contents(db)
    fresh = MemoryShop(orders=0)
    fresh.records = shop.records
    assert [row[1] for row in here["shop_order"]] == sorted(
        record.shopify_id for record in fresh.records[Stage.ORDERS]
    )


async def test_a_customer_counted_with_an_order_that_went_unread_is_read_again(
    db: Database,
) -> None:
    world = SyncWorld(db, MemoryShop(orders=300, page=20, customers=12))
    shop = world.shop
    shop.change(Stage.ORDERS, 250, customer_id=5)
    # After its customer was read, and before the older orders are.
    on_page(shop, Stage.LATE_ORDERS, 0, lambda: shop.delete(Stage.ORDERS, 250))
    assert (await world.first()).status is StoreStatus.COMPLETED
    assert 250 not in await world.ids(ORDER)
    assert (await world.row(CUSTOMER, 5)).number_of_orders == 1
    assert (await world.again()).status is StoreStatus.COMPLETED
    assert (await world.row(CUSTOMER, 5)).number_of_orders == 0
    assert "by ids customers [5]" in shop.asked


async def test_what_was_deleted_of_old_is_found_within_a_day(
    db: Database, small_windows: None
) -> None:
    world = SyncWorld(db, MemoryShop(orders=300, page=50))
    await world.first()
    await world.again()
    world.shop.delete(Stage.ORDERS, 250)
    await world.again()
    # Older proofs are left as they were made, until the daily check.
    assert 250 in await world.ids(ORDER)
    await world.a_day_passes()
    assert (await world.again()).status is StoreStatus.COMPLETED
    assert 250 not in await world.ids(ORDER)


async def test_losses_of_equal_size_are_found_by_and_by(db: Database, small_windows: None) -> None:
    world = SyncWorld(db, MemoryShop(orders=180, page=50))
    await world.first()
    await world.again()
    # One is gone at the shop and another of the same window was lost here: the counts agree.
    window = (await world.proofs())[4]
    inside = [
        record.shopify_id
        for record in world.shop.records[Stage.ORDERS]
        if window.created_from <= record.created_at <= window.created_before
    ]
    gone, lost = inside[0], inside[-1]
    world.shop.delete(Stage.ORDERS, gone)
    await db.write(lambda s: s.execute(sa.delete(ORDER).where(ORDER.c.shopify_id == lost)))
    for _ in range(len(await world.proofs())):
        await world.a_day_passes()
        await world.again()
        assert len(world.asked("ids orders")) <= 1
    stored = await world.ids(ORDER)
    assert lost in stored
    assert gone not in stored


async def test_many_gone_at_once_are_not_believed(db: Database) -> None:
    world = SyncWorld(db, MemoryShop(orders=40, page=20))
    await world.first()
    world.shop.delete(Stage.ORDERS, *range(1, 12))
    last = await world.again()
    assert (last.status, last.reason) == (StoreStatus.PARTIAL, "gap")
    assert last.stage(Stage.ORDERS).note == (  # type: ignore[union-attr]
        "Shopify shows 11 orders fewer than we have. Nothing was removed. We look again tonight."
    )
    assert len(await world.ids(ORDER)) == 40


async def test_many_gone_at_once_are_not_believed_either_if_a_few_of_each_window(
    db: Database, small_windows: None
) -> None:
    world = SyncWorld(db, MemoryShop(orders=180, page=50))
    await world.first()
    world.shop.delete(Stage.ORDERS, *range(5, 180, 14))
    assert (await world.again()).reason == "gap"
    assert len(await world.ids(ORDER)) == 180


async def test_what_the_listing_lacks_and_the_shop_has_is_kept(db: Database) -> None:
    world = SyncWorld(db, MemoryShop(orders=30, page=10))
    await world.first()
    world.shop.unlisted = {7}
    last = await world.again()
    assert world.asked("by ids orders") == ["by ids orders [7]"]
    assert 7 in await world.ids(ORDER)
    assert last.status is StoreStatus.COMPLETED


async def test_nothing_is_removed_when_the_scopes_changed_meanwhile(db: Database) -> None:
    world = SyncWorld(db, MemoryShop(orders=30, page=10))
    await world.first()
    world.shop.delete(Stage.ORDERS, 7)

    async def lose_scopes(stage: Stage, number: int) -> None:
        if stage is Stage.ORDERS:
            world.shop.with_scopes("read_products", "read_customers")

    world.shop.before_page = lose_scopes
    await world.again()
    assert 7 in await world.ids(ORDER)


async def test_a_shop_that_shows_sixty_days_has_not_lost_the_others(db: Database) -> None:
    world = SyncWorld(db, MemoryShop(orders=300, page=50))
    await world.first()
    scopes = ("read_products", "read_orders", "read_customers")
    world.shop.with_scopes(*scopes).shows_days = 60
    await world.again()
    await world.a_day_passes()
    world.shop.delete(Stage.ORDERS, 10)
    await world.again()
    stored = await world.ids(ORDER)
    assert 10 not in stored
    assert len(stored) == 299


async def test_a_removed_order_that_comes_back_is_fetched(db: Database) -> None:
    world = SyncWorld(db, MemoryShop(orders=30, page=10))
    await world.first()
    order = next(one for one in world.shop.records[Stage.ORDERS] if one.shopify_id == 7)
    await db.write(lambda s: burials.bury(s, STORE_ID, "orders", [7], "deleted"))
    assert order is not None
    await world.again()
    await world.a_day_passes()
    last = await world.again()
    assert 7 in await world.ids(ORDER)
    assert last.status is StoreStatus.COMPLETED


async def test_a_redacted_customer_whom_the_shop_still_has_is_no_gap(db: Database) -> None:
    world = SyncWorld(db, MemoryShop(customers=8))
    await world.first()
    await db.write(lambda s: burials.bury(s, STORE_ID, "customers", [3], "redacted"))
    last = await world.again()
    assert last.status is StoreStatus.COMPLETED
    assert 3 not in await world.ids(CUSTOMER)
    # Known by now: the second time nobody compares ids for it.
    assert (await world.again()).status is StoreStatus.COMPLETED
    assert world.asked("ids") == []


async def test_the_orders_of_a_merged_customer_move_to_the_other(db: Database) -> None:
    world = SyncWorld(db, MemoryShop(customers=5))
    world.shop.change(Stage.ORDERS, 3, customer_id=2)
    await world.first()
    assert (await world.row(ORDER, 3)).customer_id == 2
    world.shop.delete(Stage.CUSTOMERS, 2)
    # The order's own time of change does not tell of it.
    world.shop.change(Stage.ORDERS, 3, customer_id=4)
    await world.again()
    assert 2 not in await world.ids(CUSTOMER)
    assert (await world.row(ORDER, 3)).customer_id == 4


async def test_an_edited_order_ends_as_the_shop_has_it(db: Database) -> None:
    world = SyncWorld(db, MemoryShop(orders=10))
    await world.first()
    order = next(one for one in world.shop.records[Stage.ORDERS] if one.shopify_id == 3)
    world.shop.change(
        Stage.ORDERS, 3, updated_at=SHOP_NOW, lines=(), sales=(), current_total_minor=0
    )
    await world.again()
    here = await contents(db)
    assert [row for row in here["order_line"] if row[2] == 3] == []
    assert (await world.row(ORDER, 3)).current_total_minor == 0
    assert order.lines


async def test_products_created_within_the_overlap_are_proven_by_the_next_sync(
    db: Database,
) -> None:
    world = SyncWorld(db, MemoryShop())
    fresh = a_product(77)._replace(
        created_at=SHOP_NOW - timedelta(minutes=1), updated_at=SHOP_NOW - timedelta(minutes=1)
    )
    world.shop.records[Stage.PRODUCTS].append(fresh)
    await world.first()
    (proof,) = await world.proofs("products")
    assert (proof.counted, proof.stored) == (3, 3)
    _later(world.shop)
    await world.again()
    (proof,) = await world.proofs("products")
    assert (proof.counted, proof.stored) == (4, 4)
