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

from brandmind.commerce.records import OrderRecord
from brandmind.commerce.shop import zone
from brandmind.db import facts, portraits, rollups, runs, upserts
from brandmind.db.session import Database
from brandmind.services import dna, report
from brandmind.sync.stages import Stage
from tests.factories import make_product, make_store, utc
from tests.records import a_customer, an_order

AS_OF = date(2026, 11, 20)
ORDERS = 240
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


def told(db: Database, pages: Sequence[Sequence[OrderRecord]]) -> tuple[str, str, str]:
    """The report and the portrait of a store that these pages made, as JSON."""
    store = db.write_now(make_store, f"store-{next(_names)}")

    def land(stage: Stage, records: Sequence[Any], read_no: int) -> None:
        db.write_now(
            upserts.land, store, stage=stage, records=records, read_no=read_no, first_read_no=1,
            tz=zone("America/New_York"),
        )  # fmt: skip

    for read_no, page in enumerate(pages, 1):
        land(Stage.ORDERS, page, read_no)
    people = [a_customer(gid)._replace(number_of_orders=3) for gid in range(1, 70)]
    land(Stage.CUSTOMERS, people, len(pages) + 1)
    for product in range(1, 9):
        db.write_now(make_product, store, product, prices_minor=(1_000 + 100 * product,))
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
    return json.dumps(found, sort_keys=True), made.portrait_json, made.tables_json


# The database outlives an example: each fills a store of its own in it.
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10**6),
    cuts=st.lists(st.integers(0, ORDERS), max_size=9),
    again=st.lists(st.integers(0, 9), max_size=4),
)
def test_no_order_no_cut_and_no_page_that_comes_again_changes_a_byte(
    db: Database, seed: int, cuts: list[int], again: list[int]
) -> None:
    rows = orders()
    whole = told(db, [rows])
    assert json.loads(whole[0])["dna"]["read"] >= 6
    assert json.loads(whole[0])["kpis"]["returns_minor"] < 0
    random.Random(seed).shuffle(rows)
    pages = [rows[a:b] for a, b in pairwise(sorted({0, *cuts, ORDERS}))]
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
    without, with_one = told(db, [rows]), told(db, [[*rows, extra]])
    assert with_one[1:] == without[1:]
    reports = [json.loads(one[0]) for one in (without, with_one)]
    # It is listed as what explains a difference to Shopify, and nowhere else.
    assert [one["reconciliation"].pop("test_orders") for one in reports] == [0, 1]
    assert [one["reconciliation"].pop("test_minor") for one in reports] == [0, net_minor]
    assert reports[0] == reports[1]
