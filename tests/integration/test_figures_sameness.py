"""However the rows of a store came, its report and its portrait are the same bytes.

By webhook in place of a sync: `test_webhook_landing`.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import count, pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brandmind.commerce.records import CustomerRecord, OrderRecord, ProductRecord
from brandmind.commerce.shop import zone
from brandmind.db import facts, portraits, rollups, runs, upserts
from brandmind.db.session import Database
from brandmind.services import dna, report
from brandmind.sync.stages import Stage
from tests.factories import make_store, utc
from tests.records import a_customer, a_product, an_order

AS_OF = date(2026, 11, 20)
ORDERS = 240
PEOPLE = 80
GOODS = 12
_names = count(1)


@pytest.fixture
def db(sqlite_url: str) -> Iterator[Database]:
    database = Database(sqlite_url)
    yield database
    database.close()


def orders() -> list[OrderRecord]:
    """A year of them, every ninth with a return of its own day."""
    dice, found = random.Random(21), []
    for gid in range(1, ORDERS + 1):
        at = utc("2026-11-18 12:00") - timedelta(hours=dice.randrange(24 * 360))
        order = an_order(gid, at=at, customer_id=dice.randrange(1, 70), lines=dice.randrange(1, 4))
        sales = tuple(sale._replace(product_id=n + 1) for n, sale in enumerate(order.sales))
        back = sales[0]._replace(
            shopify_id=gid * 100 + 50, action="RETURN", placed=False, quantity=-1,
            happened_at=min(at + timedelta(days=9), utc("2026-11-19 12:00")), gross_minor=0,
            returns_minor=-5_000, net_minor=-5_000, total_minor=-5_000,
        )  # fmt: skip
        found.append(
            order._replace(
                lines=tuple(
                    line._replace(product_id=n + 1, variant_id=10 * (n + 1))
                    for n, line in enumerate(order.lines)
                ),
                sales=(*sales, back) if gid % 9 == 0 else sales,
            )
        )
    return found


def customers() -> list[CustomerRecord]:
    """All who bought and some who never did; Shopify has put two in three into a group."""
    groups = ("CHAMPIONS", "DORMANT", None)
    return [
        a_customer(gid)._replace(
            number_of_orders=3 if gid < 70 else 0, rfm_group=groups[gid % len(groups)]
        )
        for gid in range(1, PEOPLE + 1)
    ]


def products() -> list[ProductRecord]:
    """What is sold, and more, each of a price of its own."""
    return [
        product._replace(variants=(product.variants[0]._replace(price_minor=1_000 + 100 * gid),))
        for gid in range(1, GOODS + 1)
        for product in [a_product(gid)]
    ]


Pages = Sequence[tuple[Stage, Sequence[Any]]]


def stages(pages: Sequence[Sequence[OrderRecord]]) -> Pages:
    """These pages of orders, then everybody and everything at once."""
    return [
        *((Stage.ORDERS, page) for page in pages),
        (Stage.CUSTOMERS, customers()),
        (Stage.PRODUCTS, products()),
    ]


def told(db: Database, pages: Pages) -> tuple[str, str, str, str]:
    """The report, the portrait and who is in its groups, of a store of these pages, as JSON."""
    store = db.write_now(make_store, f"store-{next(_names)}")

    def land(stage: Stage, records: Sequence[Any], read_no: int) -> None:
        db.write_now(
            upserts.land, store, stage=stage, records=records, read_no=read_no, first_read_no=1,
            tz=zone("America/New_York"),
        )  # fmt: skip

    for read_no, (stage, page) in enumerate(pages, 1):
        land(stage, page, read_no)
    while db.write_now(rollups.recount_dirty, store):
        pass
    made = dna.made(db.read_now(facts.load, store, as_of=AS_OF), {})

    def keep(session: Any) -> None:
        runs.lock_store(session, store)
        portraits.keep(session, store, made, run_id="run")

    db.write_now(keep)
    rt: Any = SimpleNamespace(db=db)
    found = asyncio.run(
        report.report(rt, store, date_from=AS_OF - timedelta(days=300), date_to=AS_OF)
    )
    # Whose report it is, and how many rows are stored whether they count or not, are no figures.
    del found["store"], found["counts"]
    members = json.dumps(made.members, sort_keys=True)
    return json.dumps(found, sort_keys=True), made.portrait_json, made.tables_json, members


# The database outlives an example: each fills a store of its own in it.
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10**6),
    cuts=st.lists(st.integers(0, ORDERS), max_size=9),
    again=st.lists(st.integers(0, 99), max_size=6),
)
def test_no_order_no_cut_and_no_page_that_comes_again_changes_a_byte(
    db: Database, seed: int, cuts: list[int], again: list[int]
) -> None:
    whole = told(db, stages([orders()]))
    assert json.loads(whole[0])["dna"]["read"] >= 6
    assert json.loads(whole[0])["kpis"]["returns_minor"] < 0
    agreed = json.loads(whole[2])["rfm"]["agreement"]
    assert 0 < agreed["same"] < agreed["compared"] < 70
    assert json.loads(whole[2])["year_rates"]["customers_with_two"] > 50
    assert len(json.loads(whole[3])) > 5
    dice = random.Random(seed)
    pages: list[tuple[Stage, Sequence[Any]]] = []
    # Each is shuffled and cut, and a page of one may come before or after any of another.
    for stage, rows in (
        (Stage.ORDERS, orders()), (Stage.CUSTOMERS, customers()), (Stage.PRODUCTS, products()),
    ):  # fmt: skip
        dice.shuffle(rows)
        ends = sorted({0, *(cut * len(rows) // ORDERS for cut in cuts), len(rows)})
        pages += [(stage, rows[a:b]) for a, b in pairwise(ends)]
    dice.shuffle(pages)
    pages += [pages[at % len(pages)] for at in again]
    assert told(db, pages) == whole


@pytest.mark.parametrize("net_minor", [1, 10**9])
def test_a_test_order_changes_no_figure_but_the_one_that_counts_them(
    db: Database, net_minor: int
) -> None:
    rows = orders()
    extra = an_order(
        9_999, at=utc("2026-11-10 12:00"), net_minor=net_minor, test=True, customer_id=3
    )
    without, with_one = told(db, stages([rows])), told(db, stages([[*rows, extra]]))
    assert with_one[1:] == without[1:]
    reports = [json.loads(one[0]) for one in (without, with_one)]
    # It is among the latest orders, marked, and is listed as what explains a difference to Shopify.
    plain, latest = (one.pop("recent_orders") for one in reports)
    assert [order for order in latest if not order["test"]] == plain[: len(latest) - 1]
    assert [one["reconciliation"].pop("test_orders") for one in reports] == [0, 1]
    assert [one["reconciliation"].pop("test_minor") for one in reports] == [0, net_minor]
    assert reports[0] == reports[1]
