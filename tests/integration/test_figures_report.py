"""The report: its shape, its default days, and what it says of a shop that is not there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from brandmind.db import facts, portraits, rollups
from brandmind.db.session import Database
from brandmind.db.tables import DNA_RUN, STORE
from brandmind.errors import InvalidInput, NotFound
from brandmind.services import dashboard, dna, products, report
from tests.factories import Change, Item, make_customer, make_order, make_product, make_store, utc

NOW = utc("2026-11-20 03:00")  # still the 19th in New York
DOCS = Path(__file__).parents[2] / "docs" / "report.md"


@pytest.fixture
def rt(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for module in (dashboard, products, report):
        monkeypatch.setattr(module, "utc_now", lambda: NOW)
    database = Database(database_url)
    yield SimpleNamespace(db=database)
    database.close()


@pytest.fixture
def alice(rt: Any) -> str:
    store: str = rt.db.write_now(make_store, "alice")
    rt.db.write_now(make_product, store, 1, title="Beanie")
    rt.db.write_now(make_customer, store, 1, number_of_orders=1)
    rt.db.write_now(
        make_order,
        store,
        1,
        utc("2026-11-18 15:00"),
        [Item(5_000, 2, discount_minor=1_000, tax_minor=720)],
        [Change(utc("2026-11-19 15:00"), -4_500, quantity=-1, tax_minor=-360)],
        shipping_minor=600,
        customer_id=1,
    )
    while rt.db.write_now(rollups.recount_dirty, store):
        pass
    return store


@pytest.fixture
def portrayed(rt: Any, alice: str) -> str:
    """Alice's store with a year of orders and a portrait of it."""
    for number in range(2, 302):
        at = NOW - timedelta(days=2 + number)
        items = [Item(2_000 + 100 * n, product_id=n + 1) for n in range(1 + number % 2)]
        rt.db.write_now(make_order, alice, number, at, items, customer_id=1 + number % 60)
    gone = utc("2026-11-12 15:00")
    rt.db.write_now(make_order, alice, 400, gone, cancelled_at=gone, test=False)
    rt.db.write_now(make_order, alice, 401, gone, test=True)
    for product in range(2, 7):
        rt.db.write_now(make_product, alice, product, prices_minor=(1_000 * product,))
    while rt.db.write_now(rollups.recount_dirty, alice):
        pass
    made = dna.made(rt.db.read_now(facts.load, alice, as_of=NOW.date()), {})
    rt.db.write_now(portraits.keep, alice, made, run_id="run")
    return alice


async def test_the_report_is_json_of_whole_numbers_and_rates(rt: Any, alice: str) -> None:
    found = await report.report(rt, alice)
    assert json.loads(json.dumps(found)) == found
    assert found["store"]["domain"] == "alice.myshopify.com"
    assert found["store"]["currency_exponent"] == 2
    assert found["range"]["from"] == "2026-10-23"
    assert found["range"]["to"] == "2026-11-19"
    kpis = found["kpis"]
    assert kpis["gross_minor"] == 10_000
    assert kpis["discounts_minor"] == -1_000
    assert kpis["returns_minor"] == -4_500
    assert kpis["net_minor"] == 4_500
    assert kpis["total_minor"] == 4_500 + 600 + 360
    assert kpis["aov_minor"] == 9_000
    assert kpis["new_customers"] == 1
    assert found["counts"] == {
        "orders": 1,
        "lines": 1,
        "refunds": 0,
        "customers": 1,
        "products": 1,
        "variants": 1,
    }


async def test_the_days_of_the_report_add_up_to_its_whole(rt: Any, alice: str) -> None:
    found = await report.report(rt, alice)
    assert len(found["per_day"]) == 28
    for name, value in found["kpis"].items():
        if name in found["per_day"][0] and name != "aov_minor":
            assert sum(day[name] for day in found["per_day"]) == value, name


async def test_every_key_of_the_report_is_documented(rt: Any, portrayed: str) -> None:
    def keys(value: Any) -> set[str]:
        if isinstance(value, dict):
            return set(value).union(*(keys(inner) for inner in value.values()))
        return set().union(*(keys(inner) for inner in value)) if isinstance(value, list) else set()

    documented = set(re.findall(r"`([a-z0-9_]+)`", DOCS.read_text(encoding="utf-8")))
    found = await report.report(rt, portrayed)
    assert keys(found) - {"title"} <= documented
    assert found["dna"]["strands"]
    assert found["customers"]["cohorts"]
    assert found["reconciliation"]["cancelled_left"]


async def test_the_report_has_the_portrait_and_its_tables(rt: Any, portrayed: str) -> None:
    found = await report.report(rt, portrayed)
    assert json.loads(json.dumps(found)) == found
    assert found["dna"]["as_of"] == "2026-11-20"
    assert {strand["key"] for strand in found["dna"]["strands"] if strand["score"] is not None}
    assert found["customers"]["repeat_90"]["customers"] == 60
    assert [row["product_id"] for row in found["products"]] == [1, 2, 3, 4, 5, 6]
    assert [row["kind"] for row in found["products"][-4:]] == ["C"] * 4
    assert sum(row["net_minor"] for row in found["products"]) == found["kpis"]["net_minor"]
    assert found["reconciliation"]["test_orders"] == 1
    assert "Store DNA, 12 months to 2026-11-20" in report.as_text(found)


async def test_the_repeat_rates_of_the_year_are_those_of_its_days(rt: Any, portrayed: str) -> None:
    found = await report.report(rt, portrayed)
    told = found["customers"]["year_rates"]
    assert (told["from"], told["to"]) == ("2025-11-20", "2026-11-19")
    # Sixty customers took turns; in the year all of them ordered twice and more.
    assert (told["customers"], told["customers_with_two"]) == (60, 60)
    kpis = await _of_the_year(rt, portrayed, told)
    assert told == {"from": told["from"], "to": told["to"], **kpis}


async def _of_the_year(rt: Any, store: str, told: dict[str, Any]) -> dict[str, Any]:
    """The rates of the days that `told` is of, as the command center counts them now."""
    days = {f"date_{end}": date.fromisoformat(told[end]) for end in ("from", "to")}
    kpis = await dashboard.kpis(rt, store, **days)
    names = ("customers", "repeat_customers", "returning_customer_rate", "customers_with_two",
             "repeat_purchase_rate")  # fmt: skip
    return {name: getattr(kpis, name) for name in names}


async def test_while_older_orders_are_missing_the_year_is_counted_by_the_same_rule(
    rt: Any, portrayed: str
) -> None:
    rt.db.write_now(lambda session: session.execute(sa.update(STORE).values(history_done=False)))
    for gid in range(100, 103):
        rt.db.write_now(make_order, portrayed, gid + 500, utc("2026-11-10 15:00"), customer_id=gid)
        # Shopify counts as many orders as are stored, or one more.
        rt.db.write_now(make_customer, portrayed, gid, number_of_orders=1 + gid % 2)
    made = dna.made(rt.db.read_now(facts.load, portrayed, as_of=NOW.date()), {})
    told = json.loads(made.tables_json)["year_rates"]
    assert (told["customers"], told["repeat_customers"], told["customers_with_two"]) == (63, 61, 60)
    assert told == {"from": told["from"], "to": told["to"]} | await _of_the_year(
        rt, portrayed, told
    )


async def test_who_came_again_in_the_year_is_unknown_and_not_nobody_while_customers_are_unread(
    rt: Any, portrayed: str
) -> None:
    def stored(**values: Any) -> None:
        rt.db.write_now(lambda session: session.execute(sa.update(STORE).values(**values)) and None)

    def rates() -> dict[str, Any]:
        made = dna.made(rt.db.read_now(facts.load, portrayed, as_of=NOW.date()), {})
        told: dict[str, Any] = json.loads(made.tables_json)["year_rates"]
        return told

    stored(history_done=False)
    rt.db.write_now(make_order, portrayed, 900, utc("2026-11-10 15:00"), customer_id=77)
    told = rates()
    assert (told["repeat_customers"], told["returning_customer_rate"]) == (None, None)
    # What needs no older orders is told.
    assert (told["customers"], told["customers_with_two"]) == (61, 60)
    assert told["repeat_purchase_rate"] == pytest.approx(60 / 61)
    span = {name: told[name] for name in ("from", "to")}
    assert told == span | await _of_the_year(rt, portrayed, told)
    # Once all were read, 77 is one who came since.
    stored(customers_read_at=NOW)
    assert rates()["repeat_customers"] == 60
    assert rates() == span | await _of_the_year(rt, portrayed, told)
    # With every order here, nobody needs the shop's own counts.
    stored(customers_read_at=None, history_done=True)
    assert rates()["returning_customer_rate"] == pytest.approx(60 / 61)


async def test_the_rates_of_the_year_are_as_of_the_day_of_the_portrait(
    rt: Any, portrayed: str
) -> None:
    before = (await report.report(rt, portrayed))["customers"]["year_rates"]
    rt.db.write_now(make_order, portrayed, 900, utc("2026-11-10 15:00"), customer_id=77)
    assert (await report.report(rt, portrayed))["customers"]["year_rates"] == before


async def test_a_portrait_from_before_it_counted_the_year_has_no_rates_of_it(
    rt: Any, portrayed: str
) -> None:
    def as_before(session: Any) -> None:
        tables = json.loads(session.execute(sa.select(DNA_RUN.c.tables_json)).scalar_one())
        del tables["year_rates"]
        session.execute(sa.update(DNA_RUN).values(tables_json=json.dumps(tables)))

    rt.db.write_now(as_before)
    assert (await report.report(rt, portrayed))["customers"]["year_rates"] is None


async def test_the_repeat_purchase_rate_lies_below_the_returning_one(rt: Any, alice: str) -> None:
    for number, customer, at in ((2, 1, "2026-11-18"), (3, 2, "2026-11-18"), (4, 2, "2025-01-02")):
        rt.db.write_now(make_order, alice, number, utc(f"{at} 15:00"), customer_id=customer)
    told = await dashboard.kpis(rt, alice, date_from=date(2026, 11, 1), date_to=date(2026, 11, 19))
    assert (told.customers, told.repeat_customers, told.customers_with_two) == (2, 2, 1)
    assert (told.returning_customer_rate, told.repeat_purchase_rate) == (1.0, 0.5)


async def test_before_the_first_portrait_the_report_says_so(rt: Any, alice: str) -> None:
    found = await report.report(rt, alice)
    assert (found["dna"], found["customers"], found["baskets"]["pairs"]) == (None, None, [])
    assert found["products"][0]["title"] == "Beanie"
    assert found["kpis"]["repeat_purchase_rate"] == 0


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ({"date_from": "2026-11-18", "date_to": "2026-11-18"}, ("2026-11-18", "2026-11-18")),
        ({"date_to": "2026-10-28"}, ("2026-10-01", "2026-10-28")),
        ({"date_from": "2026-10-01"}, ("2026-10-01", "2026-10-28")),
        ({"date_from": "2026-11-10"}, ("2026-11-10", "2026-11-19")),
    ],
)
async def test_an_open_end_is_filled_with_four_weeks(
    rt: Any, alice: str, asked: dict[str, str], answered: tuple[str, str]
) -> None:
    days = {name: date.fromisoformat(day) for name, day in asked.items()}
    found = await report.report(rt, alice, **days)
    assert (found["range"]["from"], found["range"]["to"]) == answered


async def test_a_shop_is_found_by_its_name_and_only_if_it_is_here(rt: Any, alice: str) -> None:
    found = await report.report_of_shop(rt, "alice")
    assert found == await report.report(rt, alice)
    with pytest.raises(NotFound, match=r"charlie\.myshopify\.com"):
        await report.report_of_shop(rt, "charlie")
    with pytest.raises(InvalidInput):
        await report.report_of_shop(rt, "not a shop!")


async def test_people_read_a_table_with_the_money_in_its_currency(rt: Any, alice: str) -> None:
    text = report.as_text(await report.report(rt, alice))
    assert re.search(r"Net sales +45\.00 USD", text)
    assert re.search(r"Beanie +45\.00 USD +1 units", text)
    assert "2026-10-23 to 2026-11-19" in text


async def test_an_empty_store_has_a_report_too(rt: Any) -> None:
    store = rt.db.write_now(make_store, "empty", history_done=False)
    found = await report.report(rt, store)
    assert found["kpis"]["refund_rate"] is None
    assert found["top_products"] == []
    assert "No orders are stored yet." in report.as_text(found)
