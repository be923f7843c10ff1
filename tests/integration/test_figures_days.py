"""The sums of a day, each against figures worked out by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from brandmind.db import figures, rollups
from brandmind.db.figures import DaySums, Span
from brandmind.db.session import Database
from brandmind.db.tables import DAILY_SALES, DIRTY_DAY, ORDER, PRODUCT_SALES, SALE
from tests.factories import Change, Item, make_order, make_store, utc

Case = tuple[str, dict[str, Any], Callable[[Session, str], Any], dict[str, DaySums]]


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


def recounted(db: Database, store_id: str) -> None:
    while db.write_now(rollups.recount_dirty, store_id):
        pass
    assert db.read_now(rollups.recount_differences, store_id) == []


def sums(db: Database, store_id: str, currency: str = "USD") -> dict[str, DaySums]:
    span = Span(date(2020, 1, 1), date(2030, 1, 1))
    found = db.read_now(figures.day_sums, store_id, currency=currency, span=span)
    return {day.isoformat(): day_sums for day, day_sums in found.items()}


def sold(**figures_of: int) -> DaySums:
    """A day's sums from its parts; net and total follow from them."""
    parts = DaySums(**figures_of)
    net = parts.gross_minor + parts.discounts_minor + parts.returns_minor
    total = net + parts.shipping_minor + parts.taxes_minor + parts.duties_minor + parts.fees_minor
    return parts._replace(net_minor=net, total_minor=total)


CASES: list[Case] = [
    (
        "an_order_before_midnight_in_new_york_counts_on_that_day_though_utc_is_a_day_on",
        {},
        lambda s, store: make_order(s, store, 1, utc("2026-07-02 03:59"), [Item(5_000)]),
        {"2026-07-01": sold(gross_minor=5_000, placed_minor=5_000, orders=1, units=1)},
    ),
    (
        "the_day_the_clocks_go_back_has_twenty_five_hours",
        {},
        lambda s, store: [
            make_order(s, store, n, utc(at), [Item(100)])
            # 1 November 2026 in New York: from 04:00 UTC to 05:00 UTC of the next day.
            for n, at in enumerate(
                ("2026-11-01 03:59", "2026-11-01 04:00", "2026-11-02 04:59", "2026-11-02 05:00"), 1
            )
        ],
        {
            "2026-10-31": sold(gross_minor=100, placed_minor=100, orders=1, units=1),
            "2026-11-01": sold(gross_minor=200, placed_minor=200, orders=2, units=2),
            "2026-11-02": sold(gross_minor=100, placed_minor=100, orders=1, units=1),
        },
    ),
    (
        "the_day_the_clocks_go_forward_has_twenty_three_hours",
        {},
        lambda s, store: [
            make_order(s, store, n, utc(at), [Item(100)])
            # 8 March 2026 in New York: from 05:00 UTC to 04:00 UTC of the next day.
            for n, at in enumerate(
                ("2026-03-08 04:59", "2026-03-08 05:00", "2026-03-09 03:59", "2026-03-09 04:00"), 1
            )
        ],
        {
            "2026-03-07": sold(gross_minor=100, placed_minor=100, orders=1, units=1),
            "2026-03-08": sold(gross_minor=200, placed_minor=200, orders=2, units=2),
            "2026-03-09": sold(gross_minor=100, placed_minor=100, orders=1, units=1),
        },
    ),
    (
        "a_return_in_another_month_counts_there_and_makes_that_day_negative",
        {},
        lambda s, store: make_order(
            s,
            store,
            1,
            utc("2026-09-10 15:00"),
            [Item(4_000, 2, discount_minor=800, tax_minor=720)],
            [
                Change(utc("2026-10-05 15:00"), -3_600, quantity=-1, tax_minor=-360),
                Change(utc("2026-10-05 15:00"), -500, kind="SHIPPING", tax_minor=-50),
            ],
            shipping_minor=500,
            shipping_tax_minor=50,
        ),
        {
            "2026-09-10": sold(
                gross_minor=8_000,
                discounts_minor=-800,
                shipping_minor=500,
                taxes_minor=770,
                placed_minor=7_200,
                returned_minor=-3_600,
                orders=1,
                units=2,
            ),
            "2026-10-05": sold(
                returns_minor=-3_600, shipping_minor=-500, taxes_minor=-410, units=-1
            ),
        },
    ),
    (
        "a_cancelled_order_stays_an_order_and_comes_to_zero_on_the_day_it_was_cancelled",
        {},
        lambda s, store: make_order(
            s,
            store,
            1,
            utc("2026-10-01 15:00"),
            [Item(5_000, tax_minor=400)],
            [Change(utc("2026-10-03 15:00"), -5_000, quantity=-1, tax_minor=-400)],
            cancelled_at=utc("2026-10-03 15:00"),
        ),
        {
            "2026-10-01": sold(
                gross_minor=5_000,
                taxes_minor=400,
                placed_minor=5_000,
                returned_minor=-5_000,
                orders=1,
                units=1,
            ),
            "2026-10-03": sold(returns_minor=-5_000, taxes_minor=-400, units=-1),
        },
    ),
    (
        "a_gift_card_is_no_sale_but_its_order_is_an_order",
        {},
        lambda s, store: make_order(
            s,
            store,
            1,
            utc("2026-10-01 15:00"),
            [Item(10_000, kind="GIFT_CARD"), Item(2_000)],
        ),
        {"2026-10-01": sold(gross_minor=2_000, placed_minor=2_000, orders=1, units=1)},
    ),
    (
        "prices_that_include_taxes_are_shown_without_them",
        {"currency": "EUR", "timezone": "Europe/Berlin"},
        # 2 × 11.90 with 19 %, less 10 %: 21.42 paid, of it 3.42 tax; gross is 20.00 without tax.
        lambda s, store: make_order(
            s,
            store,
            1,
            utc("2026-10-01 15:00"),
            [Item(1_190, 2, discount_minor=238, tax_minor=342, discount_tax_minor=38)],
            taxes_included=True,
        ),
        {
            "2026-10-01": sold(
                gross_minor=2_000,
                discounts_minor=-200,
                taxes_minor=342,
                placed_minor=1_800,
                orders=1,
                units=2,
            )
        },
    ),
    (
        "yen_have_no_cents",
        {"currency": "JPY", "timezone": "Asia/Tokyo"},
        lambda s, store: make_order(
            s, store, 1, utc("2026-10-01 15:00"), [Item(1_200, 3, tax_minor=360)]
        ),
        # 15:00 UTC is midnight in Tokyo.
        {
            "2026-10-02": sold(
                gross_minor=3_600, taxes_minor=360, placed_minor=3_600, orders=1, units=3
            )
        },
    ),
    (
        "dinars_have_a_thousand_fils",
        {"currency": "KWD", "timezone": "Asia/Kuwait"},
        lambda s, store: make_order(
            s, store, 1, utc("2026-10-01 12:00"), [Item(12_345, 2, discount_minor=1)]
        ),
        {
            "2026-10-01": sold(
                gross_minor=24_690, discounts_minor=-1, placed_minor=24_689, orders=1, units=2
            )
        },
    ),
    (
        "an_edit_changes_gross_sales_on_its_own_day_and_never_what_was_placed",
        {},
        lambda s, store: make_order(
            s,
            store,
            1,
            utc("2026-10-01 15:00"),
            [Item(3_000, 2, discount_minor=600), Item(1_000)],
            [
                # One of the discounted is taken out, with its discount; two of the other added.
                Change(
                    utc("2026-10-02 15:00"),
                    -2_700,
                    quantity=-1,
                    discount_minor=-300,
                    action="UPDATE",
                ),
                Change(utc("2026-10-02 15:00"), 2_000, quantity=2, action="UPDATE", item=1),
            ],
        ),
        {
            "2026-10-01": sold(
                gross_minor=7_000, discounts_minor=-600, placed_minor=6_400, orders=1, units=3
            ),
            "2026-10-02": sold(gross_minor=-1_000, discounts_minor=300, units=1),
        },
    ),
    (
        "a_test_order_counts_nowhere",
        {},
        lambda s, store: make_order(s, store, 1, utc("2026-10-01 15:00"), test=True),
        {},
    ),
    (
        "an_imported_order_counts_on_the_day_it_was_processed",
        {},
        lambda s, store: make_order(
            s, store, 1, utc("2023-05-05 15:00"), created_at=utc("2026-10-01 15:00")
        ),
        {"2023-05-05": sold(gross_minor=5_000, placed_minor=5_000, orders=1, units=1)},
    ),
    (
        "tips_duties_fees_and_adjustments_have_sums_of_their_own",
        {},
        lambda s, store: make_order(
            s,
            store,
            1,
            utc("2026-10-01 15:00"),
            [Item(5_000), Item(700, kind="TIP"), Item(300, kind="DUTY"), Item(20, kind="FEE")],
            [
                Change(utc("2026-10-02 15:00"), 30, action="UPDATE", kind="ADDITIONAL_FEE"),
                Change(utc("2026-10-02 15:00"), -450, kind="ADJUSTMENT"),
                Change(utc("2026-10-02 15:00"), 11, action="UNKNOWN"),
                Change(utc("2026-10-02 15:00"), 7, action="UPDATE", kind="UNKNOWN"),
            ],
        ),
        {
            "2026-10-01": sold(
                gross_minor=5_000,
                duties_minor=300,
                fees_minor=20,
                tips_minor=700,
                placed_minor=5_000,
                orders=1,
                units=1,
            ),
            "2026-10-02": sold(fees_minor=30, adjustments_minor=-450, unexplained_minor=18),
        },
    ),
    (
        "a_free_order_is_an_order",
        {},
        lambda s, store: make_order(s, store, 1, utc("2026-10-01 15:00"), [Item(0)]),
        {"2026-10-01": sold(orders=1, units=1)},
    ),
]


@pytest.mark.parametrize(
    ("facts", "made", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_the_sums_of_a_day(
    db: Database,
    facts: dict[str, Any],
    made: Callable[[Session, str], Any],
    expected: dict[str, DaySums],
) -> None:
    store_id = db.write_now(make_store, **facts)
    db.write_now(made, store_id)
    recounted(db, store_id)
    assert sums(db, store_id, facts.get("currency", "USD")) == expected


def test_the_ledger_adds_up_over_all_sums(db: Database) -> None:
    store_id = db.write_now(make_store)
    for number, (_, facts, made, _) in enumerate(CASES):
        other = db.write_now(make_store, f"case-{number}", **facts)
        db.write_now(made, other)
        recounted(db, other)
        days = sums(db, other, facts.get("currency", "USD")).values()
        whole = figures.added(days)
        paid = db.read_now(
            lambda s, other=other: s.scalar(
                sa.select(sa.func.sum(SALE.c.total_minor)).where(
                    SALE.c.store_id == other, SALE.c.counted
                )
            )
        )
        apart = whole.tips_minor + whole.adjustments_minor + whole.unexplained_minor
        assert whole.total_minor + apart == (paid or 0)
    assert sums(db, store_id) == {}


def test_an_older_currency_of_the_shop_has_sums_of_its_own(db: Database) -> None:
    store_id = db.write_now(make_store)
    db.write_now(make_order, store_id, 1, utc("2026-10-01 15:00"), [Item(5_000)])
    db.write_now(make_order, store_id, 2, utc("2026-10-01 16:00"), [Item(900)], currency="CAD")
    recounted(db, store_id)
    assert sums(db, store_id, "USD")["2026-10-01"].gross_minor == 5_000
    assert sums(db, store_id, "CAD")["2026-10-01"].gross_minor == 900
    span = Span(date(2026, 10, 1), date(2026, 10, 1))
    others = db.read_now(figures.other_currencies, store_id, currency="USD", span=span)
    assert others == ("CAD",)


def test_a_return_that_comes_later_moves_only_the_days_it_touches(db: Database) -> None:
    store_id = db.write_now(make_store)
    at, back = utc("2026-10-01 15:00"), utc("2026-10-20 15:00")
    db.write_now(make_order, store_id, 1, at, [Item(5_000)])
    db.write_now(make_order, store_id, 2, utc("2026-10-02 15:00"), [Item(100)])
    recounted(db, store_id)
    before = sums(db, store_id)
    db.write_now(
        make_order, store_id, 1, at, [Item(5_000)], [Change(back, -5_000, quantity=-1)], read_no=2
    )
    recounted(db, store_id)
    after = sums(db, store_id)
    assert after.pop("2026-10-20") == sold(returns_minor=-5_000, units=-1)
    assert after.pop("2026-10-01") == before.pop("2026-10-01")._replace(returned_minor=-5_000)
    assert after == before


def test_an_order_moved_to_another_day_leaves_nothing_behind(db: Database) -> None:
    store_id = db.write_now(make_store)
    db.write_now(make_order, store_id, 1, utc("2026-10-01 15:00"))
    recounted(db, store_id)
    moved = utc("2026-10-04 15:00")
    db.write_now(make_order, store_id, 1, moved, updated_at=utc("2026-10-05 15:00"), read_no=2)
    recounted(db, store_id)
    assert list(sums(db, store_id)) == ["2026-10-04"]


def test_a_recount_takes_no_more_days_than_it_is_asked_for(db: Database) -> None:
    store_id = db.write_now(make_store)
    for day in range(1, 21):
        db.write_now(make_order, store_id, day, utc(f"2026-10-{day:02} 15:00"))
    assert db.write_now(rollups.recount_dirty, store_id, limit=3) == 3
    # The latest days are what a merchant looks at first.
    assert sorted(sums(db, store_id)) == ["2026-10-18", "2026-10-19", "2026-10-20"]
    recounted(db, store_id)
    assert len(sums(db, store_id)) == 20
    assert db.write_now(rollups.recount_dirty, store_id) == 0


def test_a_recount_leaves_other_stores_alone(db: Database) -> None:
    alice, charlie = db.write_now(make_store, "alice"), db.write_now(make_store, "charlie")
    db.write_now(make_order, alice, 1, utc("2026-10-01 15:00"), [Item(5_000)])
    db.write_now(make_order, charlie, 1, utc("2026-10-01 15:00"), [Item(700)])
    recounted(db, alice)
    assert sums(db, charlie) == {}
    recounted(db, charlie)
    assert sums(db, alice)["2026-10-01"].gross_minor == 5_000
    assert sums(db, charlie)["2026-10-01"].gross_minor == 700


def test_a_wrong_sum_is_found(db: Database) -> None:
    store_id = db.write_now(make_store)
    db.write_now(make_order, store_id, 1, utc("2026-10-01 15:00"))
    recounted(db, store_id)

    def spoil(session: Session) -> None:
        session.execute(sa.update(DAILY_SALES).values(net_minor=1))

    db.write_now(spoil)
    found = db.read_now(rollups.recount_differences, store_id)
    assert found == [rollups.Difference("2026-10-01", "USD", "net_minor", 1, 5_000)]


def test_a_day_that_nobody_marked_is_found(db: Database) -> None:
    store_id = db.write_now(make_store)
    db.write_now(make_order, store_id, 1, utc("2026-10-01 15:00"))

    def forget(session: Session) -> None:
        session.execute(sa.delete(DIRTY_DAY))

    db.write_now(forget)
    found = db.read_now(rollups.recount_differences, store_id)
    assert {at.figure for at in found} >= {"gross_minor", "net_minor", "orders", "units"}


def test_a_day_whose_orders_are_gone_has_no_sums(db: Database) -> None:
    store_id = db.write_now(make_store)
    db.write_now(make_order, store_id, 1, utc("2026-10-01 15:00"))
    recounted(db, store_id)

    def erase(session: Session) -> None:
        from brandmind.db.upserts import mark_dirty

        session.execute(sa.delete(SALE))
        session.execute(sa.delete(ORDER))
        mark_dirty(session, store_id, ["2026-10-01"])

    db.write_now(erase)
    recounted(db, store_id)
    assert sums(db, store_id) == {}


def test_a_wrong_sum_of_a_product_is_found(db: Database) -> None:
    store_id = db.write_now(make_store)
    items = [Item(5_000, product_id=7), Item(300, product_id=None, title="Engraving")]
    db.write_now(make_order, store_id, 1, utc("2026-10-01 15:00"), items)
    recounted(db, store_id)

    def spoil(session: Session) -> None:
        session.execute(sa.update(PRODUCT_SALES).values(units=4))

    db.write_now(spoil)
    assert db.read_now(rollups.recount_differences, store_id) == [
        rollups.Difference("2026-10-01", "USD", "units of 'Engraving'", 4, 1),
        rollups.Difference("2026-10-01", "USD", "units of product 7", 4, 1),
    ]
