"""The facts of a portrait, worked out by hand, and the same bytes whatever way the rows came."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from brandmind.commerce.records import OrderRecord
from brandmind.commerce.shop import zone
from brandmind.db import facts, portraits, rollups, runs, upserts
from brandmind.db.portraits import Portrait
from brandmind.db.session import Database
from brandmind.db.tables import PRODUCT, STOCK_DAY
from brandmind.dna.facts import Facts
from brandmind.dna.rfm import PROSPECTS
from brandmind.errors import NotFound
from brandmind.services import dna
from brandmind.sync.stages import Stage
from tests.factories import Change, Item, make_customer, make_order, make_product, make_store, utc
from tests.records import an_order

AS_OF = date(2026, 11, 20)


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def alice(db: Database) -> str:
    store: str = db.write_now(make_store, "alice")
    return store


def load(db: Database, store: str, as_of: date = AS_OF) -> Facts:
    return db.read_now(facts.load, store, as_of=as_of).facts


def order_of(found: Facts, gid: int) -> tuple[int, int, int]:
    """Gross, discounts and returns of one order."""
    at = found.orders.gid.index(gid)
    return found.orders.gross[at], found.orders.discounts[at], found.orders.returned[at]


def land(db: Database, store: str, orders: Sequence[OrderRecord], *, read_no: int = 1) -> None:
    db.write_now(
        upserts.land,
        store,
        stage=Stage.ORDERS,
        records=orders,
        read_no=read_no,
        first_read_no=1,
        tz=zone("America/New_York"),
    )


def test_an_order_is_its_goods_without_tax_and_shipping(db: Database, alice: str) -> None:
    db.write_now(
        make_order, alice, 1, utc("2026-11-01 15:00"),
        [Item(5_000, 2, discount_minor=1_000, tax_minor=720)],
        [Change(utc("2026-11-18 15:00"), -4_500, quantity=-1, tax_minor=-360)],
        shipping_minor=600, customer_id=7,
    )  # fmt: skip
    found = load(db, alice)
    assert order_of(found, 1) == (10_000, -1_000, -4_500)
    # One line: two sold, one back; it keeps one.
    assert (list(found.lines.units), list(found.lines.sold), list(found.lines.returned)) == (
        [1],
        [9_000],
        [-4_500],
    )
    (person,) = found.customers
    assert (person.gid, person.orders, person.net_minor, person.lifetime) == (7, 1, 4_500, None)
    assert list(found.returns) == [(date(2026, 11, 18).toordinal(), 1)]


def test_net_sales_of_a_day_are_those_of_the_command_center(db: Database, alice: str) -> None:
    placed = utc("2026-10-15 15:00")
    back = Change(utc("2026-11-18 15:00"), -2_000, quantity=-1)
    db.write_now(make_order, alice, 1, placed, [Item(5_000)], [back], shipping_minor=700)
    # Cancelled unpaid: a sale on its day and a return on the day it was cancelled.
    gone = Change(utc("2026-11-04 15:00"), -3_000, quantity=-1)
    db.write_now(
        make_order, alice, 2, utc("2026-11-03 15:00"), [Item(3_000)], [gone],
        cancelled_at=utc("2026-11-04 15:00"),
    )  # fmt: skip
    db.write_now(make_order, alice, 3, placed, [Item(8_000)], currency="CAD")
    db.write_now(make_order, alice, 4, placed, [Item(9_000)], test=True)
    # The day of the portrait itself, and a day that no comparison reaches.
    db.write_now(make_order, alice, 5, utc("2026-11-20 15:00"), [Item(4_000)])
    db.write_now(make_order, alice, 6, utc("2025-10-23 15:00"), [Item(4_000)])
    db.write_now(make_order, alice, 7, utc("2025-10-24 15:00"), [Item(4_100)])
    recount(db, alice)
    assert [(date.fromordinal(day), net) for day, net in load(db, alice).nets] == [
        (date(2025, 10, 24), 4_100),
        (date(2026, 10, 15), 5_000),
        (date(2026, 11, 3), 3_000),
        (date(2026, 11, 4), -3_000),
        (date(2026, 11, 18), -2_000),
    ]


def test_a_return_after_the_day_of_the_portrait_is_not_known_yet(db: Database, alice: str) -> None:
    back = Change(utc("2026-11-20 15:00"), -5_000, quantity=-1)
    db.write_now(make_order, alice, 1, utc("2026-11-01 15:00"), [Item(5_000)], [back])
    assert order_of(load(db, alice), 1) == (5_000, 0, 0)
    assert order_of(load(db, alice, AS_OF + timedelta(days=1)), 1) == (5_000, 0, -5_000)


def test_days_are_the_shops_own_with_summer_time(db: Database, alice: str) -> None:
    # New York leaves summer time on 1 November 2026: midnight is 04:00, then 05:00 UTC.
    for gid, at in enumerate(
        ("2026-11-01 03:59", "2026-11-01 04:00", "2026-11-02 04:59", "2026-11-02 05:00"), 1
    ):
        db.write_now(make_order, alice, gid, utc(at))
    found = db.read_now(facts.load, alice, as_of=AS_OF)
    days = [date.fromordinal(day).day for day in found.facts.orders.day]
    assert days == [31, 1, 1, 2]
    # Sunday the 1st has 25 hours: 00:00 and 23:59.
    assert found.hours == {(5, 23): 1, (6, 0): 1, (6, 23): 1, (0, 0): 1}


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({"test": True}, False),
        ({"currency": "CAD"}, False),
        ({"financial_status": "VOIDED", "cancelled_at": utc("2026-11-03 15:00")}, False),
        ({"financial_status": "REFUNDED", "cancelled_at": utc("2026-11-03 15:00")}, True),
        ({"financial_status": "PENDING"}, True),
        ({}, True),
    ],
)
def test_which_orders_tell_how_people_buy(
    db: Database, alice: str, changes: dict[str, Any], counts: bool
) -> None:
    land(db, alice, [an_order(1, at=utc("2026-11-02 15:00"))._replace(**changes)])
    assert len(load(db, alice).orders) == counts


def test_what_is_worth_nothing_and_gift_cards_are_left_out(db: Database, alice: str) -> None:
    db.write_now(make_order, alice, 1, utc("2026-11-01 15:00"), [Item(5_000, discount_minor=5_000)])
    card = Item(9_000, kind="GIFT_CARD", product_id=2)
    db.write_now(make_order, alice, 2, utc("2026-11-01 15:00"), [card])
    db.write_now(make_order, alice, 3, utc("2026-11-01 15:00"), [card, Item(2_000)])
    found = load(db, alice)
    assert list(found.orders.gid) == [3]
    assert order_of(found, 3) == (2_000, 0, 0)
    assert list(found.lines.product) == [1]


def test_a_line_that_an_edit_took_out_was_never_in_the_basket(db: Database, alice: str) -> None:
    gone = Change(utc("2026-11-02 15:00"), -3_000, quantity=-1, action="UPDATE", item=1)
    items = [Item(5_000), Item(3_000, product_id=2)]
    db.write_now(make_order, alice, 1, utc("2026-11-01 15:00"), items, [gone])
    found = load(db, alice)
    assert order_of(found, 1) == (5_000, 0, 0)
    assert sorted(zip(found.lines.product, found.lines.sold, strict=True)) == [(1, 5_000), (2, 0)]


def test_prices_with_tax_count_without_it_and_yen_have_no_cents(db: Database) -> None:
    store = db.write_now(make_store, "tokyo", timezone="Asia/Tokyo", currency="JPY")
    item = Item(1_100, 2, tax_minor=200)
    db.write_now(make_order, store, 1, utc("2026-11-01 15:00"), [item], taxes_included=True)
    found = load(db, store)
    assert order_of(found, 1) == (2_000, 0, 0)
    # 15:00 UTC is midnight in Tokyo: the second already.
    assert date.fromordinal(found.orders.day[0]) == date(2026, 11, 2)
    assert found.currency == "JPY"


def test_people_are_known_by_all_their_orders_and_the_shops_own_count(
    db: Database, alice: str
) -> None:
    for gid, at, customer in (
        (1, "2023-01-05 15:00", 7),
        (2, "2026-11-02 15:00", 7),
        (3, "2026-11-03 15:00", 8),
        (4, "2026-11-04 15:00", None),
    ):
        db.write_now(make_order, alice, gid, utc(at), customer_id=customer)
    land(db, alice, [an_order(5, at=utc("2026-11-05 15:00"), customer_id=8, test=True)])
    db.write_now(make_customer, alice, 7, number_of_orders=2)
    db.write_now(make_customer, alice, 8, number_of_orders=9)
    db.write_now(make_customer, alice, 9, number_of_orders=0)
    found = db.read_now(facts.load, alice, as_of=AS_OF)
    first, second = found.facts.customers
    assert date.fromordinal(first.first_day) == date(2023, 1, 5)
    assert (first.orders, first.net_minor, first.stored, first.lifetime) == (2, 10_000, 2, 2)
    assert (second.orders, second.stored, second.lifetime) == (1, 1, 9)
    assert found.facts.prospects == 1
    # Orders of the portrait reach back 25 months, lives and cohorts all the way.
    assert list(found.facts.orders.gid) == [2, 3, 4]
    assert {(m.customer, m.month) for m in found.months} == {
        (7, 2023 * 12),
        (7, 2026 * 12 + 10),
        (8, 2026 * 12 + 10),
    }


def test_cohorts_leave_out_whom_it_does_not_know_from_the_start(db: Database) -> None:
    store = db.write_now(make_store, "young", history_done=False)
    db.write_now(make_order, store, 1, utc("2026-11-02 15:00"), customer_id=7)
    db.write_now(make_order, store, 2, utc("2026-11-02 15:00"), customer_id=8)
    db.write_now(make_customer, store, 7, number_of_orders=1)
    db.write_now(make_customer, store, 8, number_of_orders=4)
    found = db.read_now(facts.load, store, as_of=AS_OF)
    assert [m.customer for m in found.months] == [7]
    assert not found.facts.whole


def test_sixty_days_are_said_to_be_cut(db: Database) -> None:
    store = db.write_now(make_store, "short", history_done=False, scopes="read_orders")
    assert load(db, store).cut
    assert load(db, store).stored_from is None
    assert not load(db, db.write_now(make_store, "long")).cut


def test_the_ladder_holds_variants_of_active_products(db: Database, alice: str) -> None:
    db.write_now(make_product, alice, 1, prices_minor=(100, 300))
    db.write_now(make_product, alice, 2, status="ARCHIVED", prices_minor=(900,))
    found = load(db, alice)
    assert sorted(variant.price_minor for variant in found.variants) == [100, 300]
    assert {product.gid: product.active for product in found.products} == {1: True, 2: False}


def test_stock_is_what_28_days_in_stock_sold(db: Database, alice: str) -> None:
    db.write_now(make_product, alice, 1)
    for back in range(40, 0, -1):
        day = AS_OF - timedelta(days=back)
        # Out of stock on the two latest days.
        db.write_now(_set_stock, alice, 1, 0 if back <= 2 else 5)
        db.write_now(_keep_stock, alice, day)
        db.write_now(make_order, alice, back, utc(f"{day} 15:00"), [Item(5_000, 2)])
    while db.write_now(rollups.recount_dirty, alice):
        pass
    (product,) = load(db, alice).products
    assert (product.stock, product.stock_days, product.stock_units) == (0, 28, 56)


def test_the_record_of_stock_is_rewritten_within_a_day_and_forgotten_in_time(
    db: Database, alice: str
) -> None:
    db.write_now(make_product, alice, 1)
    db.write_now(_keep_stock, alice, AS_OF - timedelta(days=91))
    db.write_now(_keep_stock, alice, AS_OF)
    db.write_now(_set_stock, alice, 1, 3)
    db.write_now(_keep_stock, alice, AS_OF)
    rows = db.read_now(lambda session: session.execute(sa.select(STOCK_DAY)).all())
    assert [(row.day, row.available) for row in rows] == [("2026-11-20", 3)]


def _set_stock(session: Any, store: str, product: int, stock: int) -> None:
    session.execute(
        sa.update(PRODUCT)
        .where(PRODUCT.c.store_id == store, PRODUCT.c.shopify_id == product)
        .values(total_inventory=stock)
    )


def _keep_stock(session: Any, store: str, day: date) -> None:
    runs.lock_store(session, store)
    portraits.keep_stock(session, store, day=day)


def busy_orders(count: int = 300) -> list[OrderRecord]:
    dice = random.Random(7)
    found = []
    for gid in range(1, count + 1):
        at = utc("2026-11-19 12:00") - timedelta(hours=dice.randrange(24 * 360))
        order = an_order(gid, at=at, customer_id=dice.randrange(1, 80), lines=dice.randrange(1, 4))
        found.append(
            order._replace(
                lines=tuple(
                    line._replace(product_id=n + 1, variant_id=10 * (n + 1))
                    for n, line in enumerate(order.lines)
                ),
                sales=tuple(sale._replace(product_id=n + 1) for n, sale in enumerate(order.sales)),
            )
        )
    return found


def recount(db: Database, store: str) -> None:
    while db.write_now(rollups.recount_dirty, store):
        pass


def portrait(db: Database, store: str) -> Portrait:
    recount(db, store)
    return dna.made(db.read_now(facts.load, store, as_of=AS_OF), {})


def fill(db: Database, name: str, pages: Sequence[Sequence[OrderRecord]]) -> Portrait:
    store = db.write_now(make_store, name)
    for number, page in enumerate(pages, 1):
        land(db, store, page, read_no=number)
    for product in range(1, 9):
        db.write_now(make_product, store, product, prices_minor=(1_000 + 100 * product,))
    return portrait(db, store)


def test_no_cut_into_pages_no_replay_and_no_order_changes_a_byte(db: Database) -> None:
    orders = busy_orders()
    whole = fill(db, "whole", [orders])
    assert whole.strands >= 6
    backwards = [[order] for order in reversed(orders)]
    assert fill(db, "single", backwards) == whole
    thirds = [orders[:100], orders[100:200], orders[100:], orders[50:150]]
    assert fill(db, "again", thirds) == whole
    stale = [order._replace(updated_at=order.updated_at - timedelta(days=1), test=True)
             for order in orders[:50]]  # fmt: skip
    assert fill(db, "stale", [orders, stale]) == whole


def test_a_test_order_changes_nothing(db: Database) -> None:
    orders = busy_orders()
    without = fill(db, "without", [orders])
    extra = an_order(9_999, at=utc("2026-11-10 12:00"), net_minor=10**7, test=True)
    with_one = fill(db, "with", [[*orders, extra._replace(customer_id=None)]])
    assert with_one == without


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("customer", [900, 7, 901], ids=["a_prospect", "a_buyer", "an_old_buyer"])
def test_a_test_order_of_anybody_changes_nothing(db: Database, customer: int, whole: bool) -> None:
    orders = busy_orders()
    extra = an_order(
        9_999, at=utc("2026-11-10 12:00"), net_minor=10**7, test=True, customer_id=customer
    )
    # Of 901 an older order is not stored.
    real = an_order(9_998, at=utc("2026-11-09 12:00"), customer_id=901)

    def told(name: str, rows: Sequence[OrderRecord]) -> Portrait:
        store = db.write_now(make_store, name, history_done=whole)
        land(db, store, [*orders, real, *rows])
        # A third of the customers have bought before the stored orders begin.
        counts = Counter(order.customer_id or 0 for order in orders)
        for gid, own in counts.items():
            db.write_now(make_customer, store, gid, number_of_orders=own + (gid % 3 == 0))
        db.write_now(make_customer, store, 900, number_of_orders=0)
        db.write_now(make_customer, store, 901, number_of_orders=2)
        return portrait(db, store)

    without = told("without", [])
    groups = json.loads(without.tables_json)["rfm"]["groups"]
    assert next(group for group in groups if group["group"] == PROSPECTS)["customers"] == 1
    assert told("with", [extra]) == without


def test_a_test_order_that_the_shop_counts_makes_nobody_anything_else(db: Database) -> None:
    """Whether Shopify counts tests makes no difference once all orders are stored."""
    orders = busy_orders()
    extra = an_order(9_999, at=utc("2026-11-10 12:00"), test=True)

    def told(name: str, tests: int, customer: int) -> Portrait:
        store = db.write_now(make_store, name)
        land(db, store, [*orders, *[extra._replace(customer_id=customer)] * tests])
        own = sum(order.customer_id == customer for order in orders)
        db.write_now(make_customer, store, customer, number_of_orders=own + tests)
        return portrait(db, store)

    assert told("buyer with", 1, 7) == told("buyer", 0, 7)
    assert told("prospect with", 1, 900) == told("prospect", 0, 900)


def test_both_databases_say_the_same(sqlite_url: str, postgres_database_url: str) -> None:
    found = []
    for url in (sqlite_url, postgres_database_url):
        database = Database(url)
        found.append(fill(database, "both", [busy_orders()]))
        database.close()
    assert found[0] == found[1]


def kept(as_of: date, label: str, *, body: str = "{}", version: int = 1) -> Portrait:
    return Portrait(as_of, version, 1, {"loyalty": label}, body, "{}")


def keep(db: Database, store: str, portrait: Portrait) -> int:
    return db.write_now(portraits.keep, store, portrait, run_id="run")


def test_every_portrait_is_kept_and_a_day_begins_with_the_labels_of_the_last(
    db: Database, alice: str
) -> None:
    before = AS_OF - timedelta(days=1)
    assert db.read_now(portraits.labels_before, alice, as_of=AS_OF, version=1) == {}
    keep(db, alice, kept(before, "Sticky", body='{"n":1}'))
    keep(db, alice, kept(before, "Devoted", body='{"n":2}'))
    assert db.read_now(portraits.labels_before, alice, as_of=before, version=1) == {}
    assert db.read_now(portraits.labels_before, alice, as_of=AS_OF, version=1) == {
        "loyalty": "Devoted"
    }
    # The day's own portraits are not its memory, nor are those of another formula.
    keep(db, alice, kept(AS_OF, "Occasional", body='{"n":3}'))
    assert db.read_now(portraits.labels_before, alice, as_of=AS_OF, version=1) == {
        "loyalty": "Devoted"
    }
    assert db.read_now(portraits.labels_before, alice, as_of=AS_OF, version=2) == {}
    points = db.read_now(portraits.history, alice)
    assert [(point.as_of, point.number) for point in points] == [(AS_OF, 3), (before, 2)]


def test_saying_the_same_again_adds_nothing(db: Database, alice: str) -> None:
    assert keep(db, alice, kept(AS_OF, "Sticky")) == 1
    assert keep(db, alice, kept(AS_OF, "Sticky")) == 1
    assert keep(db, alice, kept(AS_OF, "Sticky", body='{"n":1}')) == 2
    newest = db.read_now(portraits.latest, alice)
    assert newest is not None
    assert (newest.number, newest.portrait) == (2, {"n": 1})
    earlier = db.read_now(portraits.earlier, alice, up_to=AS_OF - timedelta(days=1))
    assert earlier is None


def test_a_store_sees_only_its_own(db: Database, alice: str) -> None:
    bob = db.write_now(make_store, "bob")
    keep(db, bob, kept(AS_OF, "Sticky"))
    db.write_now(make_order, bob, 1, utc("2026-11-02 15:00"), customer_id=7)
    db.write_now(make_product, bob, 1)
    assert db.read_now(portraits.latest, alice) is None
    assert db.read_now(portraits.history, alice) == []
    found = load(db, alice)
    assert (len(found.orders), found.customers, found.products) == (0, [], [])
    with pytest.raises(NotFound):
        load(db, "nobody")
