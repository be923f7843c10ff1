"""The command center's figures of a store: customers, products, comparisons, what is stored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from brandmind.db import figures, rollups, runs
from brandmind.db.figures import CustomerCounts, Span
from brandmind.db.session import Database
from brandmind.db.tables import RUN, STAGE, STORE
from brandmind.errors import InvalidInput, NotFound
from brandmind.services import dashboard
from brandmind.services.dashboard import CommandCenter
from brandmind.sync.stages import Kind, Priority, Stage
from tests.factories import Change, Item, make_customer, make_order, make_product, make_store, utc

NOW = utc("2026-11-20 15:00")
OCTOBER = Span(date(2026, 10, 1), date(2026, 10, 31))


@pytest.fixture
def rt(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(dashboard, "utc_now", lambda: NOW)
    database = Database(database_url)
    yield SimpleNamespace(db=database)
    database.close()


def add(rt: Any, store_id: str, number: int, at: str, *parts: Any, **more: Any) -> None:
    rt.db.write_now(make_order, store_id, number, utc(at), *parts, **more)


async def center(rt: Any, store_id: str, span: Span = OCTOBER, **more: Any) -> CommandCenter:
    while rt.db.write_now(rollups.recount_dirty, store_id):
        pass
    return await dashboard.command_center(
        rt, store_id, date_from=span.first, date_to=span.last, **more
    )


def customers(rt: Any, store_id: str, *, whole: bool) -> CustomerCounts:
    return rt.db.read_now(figures.customer_counts, store_id, span=OCTOBER, whole=whole)


async def test_customers_are_new_once_and_guests_never(rt: Any) -> None:
    store = rt.db.write_now(make_store)
    add(rt, store, 1, "2026-10-02 15:00", customer_id=1)  # only order ever
    add(rt, store, 2, "2026-10-03 15:00", customer_id=2)  # new, twice in the days
    add(rt, store, 3, "2026-10-09 15:00", customer_id=2)
    add(rt, store, 4, "2026-08-01 15:00", customer_id=3)  # ordered before
    add(rt, store, 5, "2026-10-04 15:00", customer_id=3)
    add(rt, store, 6, "2026-10-05 15:00", customer_id=4)  # new, came back afterwards
    add(rt, store, 7, "2026-11-05 15:00", customer_id=4)
    add(rt, store, 8, "2026-08-05 15:00", customer_id=5)  # not in the days
    add(rt, store, 9, "2026-10-06 15:00", customer_id=None)  # guest
    add(rt, store, 10, "2026-10-06 15:00", customer_id=6, test=True)
    add(rt, store, 11, "2026-08-06 15:00", customer_id=7, test=True)  # a test is no first order
    add(rt, store, 12, "2026-10-06 15:00", customer_id=7)
    kpis = (await center(rt, store)).kpis
    assert kpis.customers == 5
    assert kpis.new_customers == 4
    assert kpis.returning_customers == 1
    # 2, 3 and 4 have more than one order ever.
    assert kpis.repeat_customers == 3
    assert kpis.returning_customer_rate == pytest.approx(3 / 5)
    assert kpis.orders == 7


def test_while_history_is_missing_the_shops_own_count_decides(rt: Any) -> None:
    store = rt.db.write_now(make_store, history_done=False)
    for customer, shops_count in ((1, 1), (2, 4), (3, 2), (4, 1), (5, None)):
        add(rt, store, customer, "2026-10-05 15:00", customer_id=customer)
        if shops_count is not None:
            rt.db.write_now(make_customer, store, customer, number_of_orders=shops_count)
    add(rt, store, 13, "2026-10-07 15:00", customer_id=3)  # both of 3's orders are stored
    add(rt, store, 14, "2026-09-07 15:00", customer_id=4)  # stored, and before the days
    # 1 and 3 are new; 2 has older orders and 4 a stored one; of 5 nobody knows. 3 came twice.
    found = customers(rt, store, whole=False)
    assert found == CustomerCounts(
        customers=5, new=2, returning=2, repeat=3, twice=1, new_unknown=1, repeat_unknown=1
    )
    # A test order is none of the older orders that are missing, and none of Shopify's count.
    add(rt, store, 15, "2026-10-08 15:00", customer_id=2, test=True)
    add(rt, store, 16, "2026-09-08 15:00", customer_id=2, test=True)
    add(rt, store, 17, "2026-09-09 15:00", customer_id=2, test=True)
    add(rt, store, 18, "2026-10-08 15:00", customer_id=1, test=True)
    assert customers(rt, store, whole=False) == found
    # With the history whole the stored orders are all there are.
    found = customers(rt, store, whole=True)
    assert found == CustomerCounts(customers=5, new=4, returning=1, repeat=2, twice=1)


async def test_each_day_says_who_came_first_and_how_many_came_back(rt: Any) -> None:
    store = rt.db.write_now(make_store)
    add(rt, store, 1, "2026-10-02 15:00", customer_id=1)  # their only order
    add(rt, store, 2, "2026-10-02 16:00", customer_id=2)  # new, and back on the 9th
    add(rt, store, 3, "2026-10-02 17:00", customer_id=2)  # twice on a day is once
    add(rt, store, 4, "2026-10-09 15:00", customer_id=2)
    add(rt, store, 5, "2026-08-01 15:00", customer_id=3)
    add(rt, store, 6, "2026-10-05 15:00", customer_id=3)  # ordered before
    add(rt, store, 7, "2026-10-05 15:00", customer_id=None)
    add(rt, store, 8, "2026-10-06 15:00", customer_id=4, test=True)
    days = {day.day.day: day for day in (await center(rt, store)).days}
    assert {day: at.new_customers for day, at in days.items() if at.new_customers} == {2: 2}
    rates = [days[number].returning_customer_rate for number in (1, 2, 5, 8, 9, 11, 12, 15, 16)]
    # Until the 4th 1 of 2; until the 8th 2 of 3; on the 9th 3 and 2; from the 12th 2 alone.
    assert rates == [None, 1 / 2, 2 / 3, 2 / 3, 1.0, 1.0, 1.0, 1.0, None]


async def test_while_history_is_missing_a_day_counts_only_sure_newcomers(rt: Any) -> None:
    store = rt.db.write_now(make_store, history_done=False)
    for customer, shops_count in ((1, 1), (2, 4), (3, None)):
        add(rt, store, customer, "2026-10-05 15:00", customer_id=customer)
        if shops_count is not None:
            rt.db.write_now(make_customer, store, customer, number_of_orders=shops_count)
    day = (await center(rt, store)).days[4]
    assert day.new_customers == 1
    assert day.returning_customer_rate == pytest.approx(1 / 3)


def read_customers(session: Session, store_id: str, *, state: str) -> None:
    """The store's one full run, whose stage of the customers stands as given."""
    if not runs.has_live(session, store_id, runs.FRONT):
        begin(session, store_id, state="done")
    session.execute(
        sa.update(STAGE).where(STAGE.c.stage == Stage.CUSTOMERS.value).values(state=state)
    )


async def test_who_is_new_is_unknown_and_not_nobody_before_customers_are_read(rt: Any) -> None:
    store = rt.db.write_now(make_store, history_done=False)
    add(rt, store, 1, "2026-10-05 15:00", customer_id=1)
    add(rt, store, 2, "2026-10-06 15:00", customer_id=2)
    add(rt, store, 3, "2026-10-06 15:00", customer_id=2)
    rt.db.write_now(read_customers, store, state="failed")
    rt.db.write_now(make_customer, store, 1, number_of_orders=1)
    # A part of them was read: 1 is new, and of how many more is not known.
    kpis = (await center(rt, store)).kpis
    assert (kpis.customers, kpis.customers_with_two) == (2, 1)
    assert kpis.repeat_purchase_rate == pytest.approx(1 / 2)
    assert (kpis.new_customers, kpis.returning_customers) == (None, None)
    # That 2 has more than one order needs no count of the shop's; of 3 nobody knows.
    assert (kpis.repeat_customers, kpis.returning_customer_rate) == (1, 1 / 2)
    add(rt, store, 4, "2026-10-07 15:00", customer_id=3)
    kpis = (await center(rt, store)).kpis
    assert (kpis.repeat_customers, kpis.returning_customer_rate) == (None, None)
    # Once they were read as a whole, 2 and 3 are two who came since.
    rt.db.write_now(read_customers, store, state="done")
    kpis = (await center(rt, store)).kpis
    assert (kpis.new_customers, kpis.returning_customers, kpis.repeat_customers) == (1, 0, 1)


async def test_nobody_surely_new_is_none_only_where_all_are_known(rt: Any) -> None:
    store = rt.db.write_now(make_store, history_done=False, customers_read_at=NOW)
    add(rt, store, 1, "2026-10-05 15:00", customer_id=1)
    rt.db.write_now(make_customer, store, 1, number_of_orders=4)
    assert (await center(rt, store)).kpis.new_customers == 0
    add(rt, store, 2, "2026-10-06 15:00", customer_id=2)
    assert (await center(rt, store)).kpis.new_customers is None
    rt.db.write_now(make_customer, store, 2, number_of_orders=1)
    assert (await center(rt, store)).kpis.new_customers == 1


async def test_with_the_history_whole_nobody_needs_the_shops_counts(rt: Any) -> None:
    store = rt.db.write_now(make_store)
    add(rt, store, 1, "2026-10-05 15:00", customer_id=1)
    kpis = (await center(rt, store)).kpis
    assert (kpis.new_customers, kpis.returning_customer_rate) == (1, 0.0)
    empty = rt.db.write_now(make_store, "empty", history_done=False)
    assert (await center(rt, empty)).kpis.new_customers == 0


async def test_another_installations_reading_of_customers_does_not_count(rt: Any) -> None:
    store = rt.db.write_now(make_store, history_done=False)
    rt.db.write_now(read_customers, store, state="done")
    add(rt, store, 1, "2026-10-05 15:00", customer_id=1)
    add(rt, store, 2, "2026-10-06 15:00", customer_id=2)
    rt.db.write_now(make_customer, store, 1, number_of_orders=1)
    assert (await center(rt, store)).kpis.new_customers == 1
    rt.db.write_now(lambda at: at.execute(sa.update(RUN).values(epoch=7)) and None)
    assert (await center(rt, store)).kpis.new_customers is None


async def test_the_average_order_value_ignores_what_came_after(rt: Any) -> None:
    store = rt.db.write_now(make_store)
    later = utc("2026-10-08 15:00")
    add(
        rt,
        store,
        1,
        "2026-10-02 15:00",
        [Item(2_000, 2, discount_minor=500, tax_minor=300)],
        [
            Change(later, -1_750, quantity=-1),
            Change(later, 900, quantity=1, action="UPDATE"),
        ],
        shipping_minor=600,
    )
    add(rt, store, 2, "2026-10-03 15:00", [Item(1_000)], cancelled_at=later)
    kpis = (await center(rt, store)).kpis
    # (3,500 + 1,000) / 2 orders
    assert kpis.aov_minor == 2_250
    assert kpis.net_minor == 3_500 + 1_000 - 1_750 + 900
    assert kpis.total_minor == kpis.net_minor + 600 + 300


async def test_the_refund_rate_is_that_of_orders_a_month_old(rt: Any) -> None:
    store = rt.db.write_now(make_store)
    back = utc("2026-11-19 15:00")
    # Today is 20 November: the latest seven mature days are 15 to 21 October.
    add(rt, store, 1, "2026-10-15 15:00", [Item(8_000)], [Change(back, -2_000, quantity=-1)])
    add(rt, store, 2, "2026-10-21 15:00", [Item(2_000)])
    add(rt, store, 3, "2026-10-14 15:00", [Item(1_000)], [Change(back, -1_000, quantity=-1)])
    add(rt, store, 4, "2026-10-22 15:00", [Item(1_000)], [Change(back, -1_000, quantity=-1)])
    week = Span(date(2026, 11, 14), date(2026, 11, 20))
    found = await center(rt, store, week, compare="previous")
    assert found.kpis.refund_window == (date(2026, 10, 15), date(2026, 10, 21))
    assert found.kpis.refund_rate == pytest.approx(0.2)
    # 2,000 of 8,000 until the last day of the seven brings 2,000 more.
    assert found.refund_rates == pytest.approx([0.25] * 6 + [0.2])
    assert found.compared is not None
    assert found.compared.refund_window == (date(2026, 10, 8), date(2026, 10, 14))
    assert found.compared.refund_rate == pytest.approx(1.0)


async def test_nothing_sold_has_no_rates_and_no_average(rt: Any) -> None:
    store = rt.db.write_now(make_store)
    found = await center(rt, store)
    assert found.kpis.net_minor == 0
    assert found.kpis.aov_minor is None
    assert found.kpis.refund_rate is None
    assert found.kpis.returning_customer_rate is None
    assert found.top_products == ()
    assert found.recent_orders == ()


async def test_days_without_orders_are_there_with_zeros(rt: Any) -> None:
    store = rt.db.write_now(make_store)
    add(rt, store, 1, "2026-10-30 15:00", [Item(700)])
    found = await center(rt, store)
    assert [day.day for day in found.days] == [date(2026, 10, n) for n in range(1, 32)]
    assert [day.net_minor for day in found.days] == [0] * 29 + [700, 0]
    assert sum(day.orders for day in found.days) == 1


@pytest.mark.parametrize(
    ("compare", "then"),
    [("previous", "2026-09-01 15:00"), ("year", "2025-10-02 15:00")],
)
async def test_days_are_compared_with_as_many_others(rt: Any, compare: Any, then: str) -> None:
    store = rt.db.write_now(make_store)
    add(rt, store, 1, "2026-10-01 15:00", [Item(900)])
    add(rt, store, 2, then, [Item(300)])
    # One day before either span of comparison.
    add(rt, store, 3, "2026-08-30 15:00", [Item(50)])
    add(rt, store, 4, "2025-10-01 15:00", [Item(50)])
    found = await center(rt, store, compare=compare)
    assert found.kpis.net_minor == 900
    assert found.compared is not None
    assert found.compared.net_minor == 300
    assert len(found.compared_days) == 31
    first = found.compared_days[0].day
    assert first == {"previous": date(2026, 8, 31), "year": date(2025, 10, 2)}[compare]
    if compare == "year":
        assert first.weekday() == OCTOBER.first.weekday()


async def test_products_are_summed_by_id_and_named_as_they_are_now(rt: Any) -> None:
    store = rt.db.write_now(make_store)
    rt.db.write_now(make_product, store, 1, title="Beanie, new name")
    back = utc("2026-10-09 15:00")
    add(
        rt,
        store,
        1,
        "2026-10-02 15:00",
        [
            Item(1_000, 3, title="Beanie"),
            Item(500, 2, product_id=2, title="Gone socks"),
            Item(400, product_id=None, title="Engraving"),
            Item(9_000, kind="GIFT_CARD", product_id=3),
            Item(300, kind="TIP", product_id=None, title="Tip"),
        ],
        [Change(back, -1_000, quantity=-1)],
    )
    add(rt, store, 2, "2026-10-03 15:00", [Item(1_000, title="Old beanie")])
    add(rt, store, 3, "2026-09-03 15:00", [Item(700, product_id=4)], [Change(back, -700)])
    add(rt, store, 4, "2026-10-03 15:00", [Item(5_000, product_id=5)], test=True)
    top = (await center(rt, store)).top_products
    assert [(p.product_id, p.title, p.net_minor, p.units, p.orders) for p in top] == [
        (1, "Beanie, new name", 3_000, 3, 2),
        (2, "Gone socks", 1_000, 2, 1),
        (None, "Engraving", 400, 1, 1),
        (4, "Beanie", -700, 0, 0),
    ]
    assert [p.share for p in top] == pytest.approx([3_000 / 4_400, 1_000 / 4_400, 400 / 4_400, 0])
    assert top[0].return_rate == pytest.approx(0.25)
    assert top[1].return_rate == 0
    assert top[3].return_rate is None


async def test_recent_orders_stand_as_they_are_now_and_tests_are_marked(rt: Any) -> None:
    store = rt.db.write_now(make_store)
    for number in range(1, 15):
        add(rt, store, number, f"2026-10-{number:02} 15:00", [Item(1_000, 2, tax_minor=100)])
    back = utc("2026-11-01 15:00")
    add(
        rt,
        store,
        15,
        "2026-10-15 15:00",
        [Item(1_000, tax_minor=50)],
        [Change(back, -1_000, quantity=-1, tax_minor=-50)],
        cancelled_at=back,
    )
    add(rt, store, 16, "2026-10-15 16:00", test=True)
    recent = (await center(rt, store)).recent_orders
    assert [order.shopify_id for order in recent] == [16, 15, 14, 13, 12, 11, 10, 9, 8, 7]
    assert recent[0].test
    assert (recent[1].net_minor, recent[1].total_minor, recent[1].cancelled) == (0, 0, True)
    assert (recent[2].net_minor, recent[2].total_minor, recent[2].units) == (2_000, 2_100, 2)


async def test_other_currencies_are_named_and_never_added(rt: Any) -> None:
    store = rt.db.write_now(make_store)
    add(rt, store, 1, "2026-10-02 15:00", [Item(1_000)])
    add(rt, store, 2, "2026-10-02 15:00", [Item(777)], currency="CAD")
    found = await center(rt, store)
    assert found.kpis.net_minor == 1_000
    assert found.other_currencies == ("CAD",)
    assert [product.net_minor for product in found.top_products] == [1_000]


async def test_a_strangers_rows_are_in_none_of_the_figures(rt: Any) -> None:
    alice = rt.db.write_now(make_store, "alice")
    charlie = rt.db.write_now(make_store, "charlie")
    add(rt, alice, 1, "2026-10-02 15:00", [Item(1_000)], customer_id=1)
    rt.db.write_now(make_product, alice, 1, title="Alice's beanie", prices_minor=(100, 200))
    before = await center(rt, alice), await dashboard.ready_now(rt, alice)
    # The same ids, since two shops never agree on them.
    for number, at in ((1, "2026-08-01 15:00"), (2, "2026-10-02 15:00"), (3, "2026-09-02 15:00")):
        add(rt, charlie, number, at, [Item(99_000)], customer_id=1)
    rt.db.write_now(make_product, charlie, 1, title="Charlie's", prices_minor=(5, 9_000))
    rt.db.write_now(make_customer, charlie, 1, number_of_orders=9)
    hers = await center(rt, charlie)
    assert hers.kpis.net_minor == 99_000
    assert (await center(rt, alice), await dashboard.ready_now(rt, alice)) == before
    assert rt.db.read_now(figures.counts, alice) == (1, 1, 0, 0, 1, 2)
    assert rt.db.read_now(figures.counts, charlie) == (3, 3, 0, 1, 1, 2)


async def test_a_store_that_is_not_there_is_not_found(rt: Any) -> None:
    with pytest.raises(NotFound):
        await dashboard.command_center(
            rt, "nobody", date_from=OCTOBER.first, date_to=OCTOBER.last, compare=None
        )
    with pytest.raises(NotFound):
        await dashboard.ready_now(rt, "nobody")


async def test_days_the_wrong_way_round_are_refused(rt: Any) -> None:
    store = rt.db.write_now(make_store)
    with pytest.raises(InvalidInput):
        await center(rt, store, Span(OCTOBER.last, OCTOBER.first))
    with pytest.raises(InvalidInput):
        await center(rt, store, Span(date(1990, 1, 1), OCTOBER.first))


async def test_today_is_the_shops_own(rt: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboard, "utc_now", lambda: utc("2026-11-20 15:30"))
    store = rt.db.write_now(make_store, timezone="Asia/Tokyo", currency="JPY")
    found = await center(rt, store)
    assert found.today == date(2026, 11, 21)


# What is stored


def begin(
    session: Session, store_id: str, *, state: str, done: int = 0, from_: datetime | None = None
) -> str:
    """A full run whose order stage stands as given."""
    run_id = runs.insert_run(
        session, store_id, kind=Kind.FULL, priority=Priority.FIRST, reason="test", epoch=1
    )
    session.execute(
        sa.update(STAGE)
        .where(STAGE.c.run_id == run_id, STAGE.c.stage == Stage.ORDERS.value)
        .values(state=state, done=done, created_from=from_, created_before=NOW)
    )
    return run_id


def stored_from(rt: Any, store_id: str) -> date | None:
    found: date | None = rt.db.read_now(figures.facts, store_id).stored_from
    return found


def test_nothing_is_stored_before_orders_come(rt: Any) -> None:
    store = rt.db.write_now(make_store, history_done=False)
    assert stored_from(rt, store) is None
    rt.db.write_now(begin, store, state="queued")
    assert stored_from(rt, store) is None


def test_while_orders_are_read_the_day_after_the_oldest_is_whole(rt: Any) -> None:
    store = rt.db.write_now(make_store, history_done=False)
    rt.db.write_now(begin, store, state="running", done=2, from_=NOW - timedelta(days=183))
    add(rt, store, 2, "2026-11-19 15:00")
    add(rt, store, 1, "2026-11-11 03:00")  # still the 10th in New York
    assert stored_from(rt, store) == date(2026, 11, 11)
    # An imported order is old by its day, not by its place in the reading.
    add(rt, store, 3, "2019-01-01 12:00", created_at=utc("2026-11-12 12:00"))
    # An older order that a webhook brought is no reading either.
    add(rt, store, 4, "2025-01-01 12:00")
    assert stored_from(rt, store) == date(2026, 11, 11)


def test_orders_of_an_earlier_reading_do_not_count_as_read_again(rt: Any) -> None:
    store = rt.db.write_now(make_store, history_done=False)
    add(rt, store, 1, "2026-10-01 15:00", read_no=3)
    add(rt, store, 2, "2026-11-18 15:00", read_no=8)
    run_id = rt.db.write_now(begin, store, state="running", done=1)

    def second(session: Session) -> None:
        session.execute(sa.update(RUN).where(RUN.c.run_id == run_id).values(first_read_no=7))

    rt.db.write_now(second)
    assert stored_from(rt, store) == date(2026, 11, 19)


@pytest.mark.parametrize("state", ["done", "gap"])
def test_recent_orders_are_whole_from_the_day_after_they_begin(rt: Any, state: str) -> None:
    store = rt.db.write_now(make_store, history_done=False)
    rt.db.write_now(begin, store, state=state, done=9, from_=utc("2026-05-21 15:00"))
    assert stored_from(rt, store) == date(2026, 5, 22)
    # A second full run reads again what is stored: nothing is taken back.
    rt.db.write_now(finish_all)
    rt.db.write_now(begin, store, state="running", done=1, from_=utc("2026-05-29 15:00"))
    assert stored_from(rt, store) == date(2026, 5, 22)


def finish_all(session: Session) -> None:
    session.execute(
        sa.update(RUN).values(status="done", requested_at=datetime(2026, 1, 1, tzinfo=UTC))
    )


def test_without_the_right_to_all_orders_sixty_days_are_stored(rt: Any) -> None:
    store = rt.db.write_now(make_store, history_done=False, scopes="read_orders")
    rt.db.write_now(begin, store, state="done", done=9, from_=utc("2026-05-21 15:00"))
    assert stored_from(rt, store) == date(2026, 9, 22)


def test_a_whole_history_begins_with_the_shop_or_its_oldest_order(rt: Any) -> None:
    store = rt.db.write_now(make_store)
    assert stored_from(rt, store) == date(2023, 12, 31)  # midnight UTC is the evening before
    add(rt, store, 1, "2019-01-01 12:00", created_at=utc("2026-11-12 12:00"))
    assert stored_from(rt, store) == date(2019, 1, 1)


async def test_days_that_are_not_stored_yet_are_compared_with_nothing(rt: Any) -> None:
    store = rt.db.write_now(make_store, history_done=False)
    rt.db.write_now(begin, store, state="done", done=9, from_=utc("2026-08-30 12:00"))
    add(rt, store, 1, "2026-10-02 15:00")
    # 31 August is the first day of the 31 days before October.
    assert (await center(rt, store, compare="previous")).compared is not None
    found = await center(rt, store, compare="year")
    assert found.compared is None
    assert found.compared_days == ()
    rt.db.write_now(lambda s: s.execute(sa.update(STORE).values(history_done=True)))
    assert (await center(rt, store, compare="year")).compared is not None


async def test_the_refund_window_is_cut_to_what_is_stored(rt: Any) -> None:
    store = rt.db.write_now(make_store, history_done=False)
    rt.db.write_now(begin, store, state="done", done=9, from_=utc("2026-10-09 12:00"))
    add(rt, store, 1, "2026-10-12 15:00", [Item(1_000)], [Change(NOW, -100)])
    found = await center(rt, store, Span(date(2026, 10, 24), date(2026, 11, 20)))
    assert found.kpis.refund_window == (date(2026, 10, 10), date(2026, 10, 21))
    assert found.kpis.refund_rate == pytest.approx(0.1)


# The waiting room


async def test_an_empty_store_has_nothing_to_tell_yet(rt: Any) -> None:
    store = rt.db.write_now(make_store, history_done=False)
    ready = await dashboard.ready_now(rt, store)
    assert (ready.products, ready.variants, ready.price_bins, ready.days) == (0, 0, (), ())
    assert ready.first_order_day is None
    assert ready.best_day is None
    assert ready.price_min_minor is None


async def test_what_is_stored_is_told_before_any_recount(rt: Any) -> None:
    store = rt.db.write_now(make_store, history_done=False)
    rt.db.write_now(make_product, store, 1, prices_minor=(1_000, 2_000, 3_000))
    rt.db.write_now(make_product, store, 2, prices_minor=(4_000,))
    rt.db.write_now(make_product, store, 3, status="DRAFT", prices_minor=(90_000,))
    for number, at in enumerate(("2026-11-16 15:00", "2026-11-18 15:00", "2026-11-18 16:00"), 1):
        add(rt, store, number, at)
    add(rt, store, 4, "2026-11-16 15:00", test=True)
    add(rt, store, 5, "2025-01-01 15:00")
    ready = await dashboard.ready_now(rt, store)
    assert (ready.currency, ready.products, ready.variants) == ("USD", 3, 5)
    assert (ready.price_min_minor, ready.price_max_minor) == (1_000, 4_000)
    assert (ready.price_p25_minor, ready.price_p75_minor) == (1_000, 3_000)
    assert sum(count for *_, count in ready.price_bins) == 4
    assert ready.days == tuple(
        (date(2026, 11, day), count) for day, count in ((16, 1), (17, 0), (18, 2), (19, 0), (20, 0))
    )
    assert ready.first_order_day == date(2026, 11, 16)
    assert ready.best_day == (date(2026, 11, 18), 2)
