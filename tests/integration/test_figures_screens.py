"""Every number of a screen has a place in the report, and it is the same number there.

The places are written down by hand, so that a new field of what the screens are made of fails here
until somebody has given it a place, or said why it needs none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final

import pytest

from brandmind.db import facts, portraits, rollups
from brandmind.db.portraits import Point
from brandmind.db.session import Database
from brandmind.services import dashboard, dna, products, report
from brandmind.services.dashboard import (
    CommandCenter,
    DayFigures,
    Kpis,
    OrderLine,
    ProductFigures,
)
from brandmind.services.dna import Past, StoreDna
from tests.factories import Change, Item, make_customer, make_order, make_product, make_store, utc

NOW = utc("2026-11-20 03:00")  # still the 19th in New York


@dataclass(frozen=True)
class Nowhere:
    """A field that is no number of a screen, and why."""

    why: str


# Of each class the place of each field in the report: keys from its top, "[]" for each of a list.
# Fields that are made of fields themselves have the place of those, ending in a point.
CENTER: Final[dict[str, str | Nowhere]] = {
    "store_id": Nowhere("our own id, on no screen"),
    "currency": "store.currency",
    "timezone": "store.timezone",
    "today": "range.today",
    "date_from": "range.from",
    "date_to": "range.to",
    "stored_from": "range.stored_from",
    "kpis": "kpis.",
    "compared": "compared.kpis.",
    "days": "per_day[].",
    "compared_days": "compared.per_day[].",
    "top_products": "top_products[].",
    "recent_orders": "recent_orders[].",
    "other_currencies": "other_currencies",
    "refund_rates": "refund_rates_per_day[].refund_rate_7d",
}
DAY: Final[dict[str, str | Nowhere]] = {
    "day": "day",
    "gross_minor": "gross_minor",
    "discounts_minor": "discounts_minor",
    "returns_minor": "returns_minor",
    "net_minor": "net_minor",
    "orders": "orders",
    "units": "units",
    "new_customers": "new_customers",
    "returning_customer_rate": "returning_customer_rate_7d",
}
COMPARED_DAY: Final = DAY | {
    "new_customers": Nowhere("not asked for of the days before"),
    "returning_customer_rate": Nowhere("not asked for of the days before"),
}
KPI: Final[dict[str, str | Nowhere]] = {
    "currency": "currency",
    "gross_minor": "gross_minor",
    "discounts_minor": "discounts_minor",
    "returns_minor": "returns_minor",
    "net_minor": "net_minor",
    "shipping_minor": "shipping_minor",
    "taxes_minor": "taxes_minor",
    "total_minor": "total_minor",
    "orders": "orders",
    "units": "units",
    "aov_minor": "aov_minor",
    "customers": "customers",
    "new_customers": "new_customers",
    "returning_customers": "returning_customers",
    "returning_customer_rate": "returning_customer_rate",
    "refund_rate": "refund_rate",
    "refund_window": "refund_window",
    "repeat_customers": "repeat_customers",
    "customers_with_two": "customers_with_two",
    "repeat_purchase_rate": "repeat_purchase_rate",
}
PRODUCT: Final[dict[str, str | Nowhere]] = {
    "product_id": "product_id",
    "title": "title",
    "net_minor": "net_minor",
    "units": "units",
    "orders": "orders",
    "share": "share",
    "return_rate": "return_rate",
}
ORDER: Final[dict[str, str | Nowhere]] = {
    "shopify_id": "shopify_id",
    "name": "name",
    "processed_at": "processed_at",
    "net_minor": "net_minor",
    "total_minor": "total_minor",
    "units": "units",
    "financial_status": "financial_status",
    "cancelled": "cancelled",
    "test": "test",
    "currency": "currency",
}
DNA: Final[dict[str, str | Nowhere]] = {
    "number": "dna.number",
    "as_of": "dna.as_of",
    "made_at": Nowhere("on no screen"),
    "portrait": "dna.",
    "tables": ".",
    "before": "strands_before.against.",
    "before_day": "strands_before.against.as_of",
    "before_number": "strands_before.against.number",
}
TABLES: Final[dict[str, str | Nowhere]] = {
    "as_of": "customers.as_of",
    "first": "customers.first",
    "currency": "store.currency",
    "rfm": "customers.rfm",
    "cohorts": "customers.cohorts",
    "ltv": "customers.ltv",
    "deciles": "customers.deciles",
    "repeat_90": "customers.repeat_90",
    "year_rates": "customers.year_rates",
    "predicted": "customers.predicted",
    "hours": "customers.hours",
    "weekdays": "customers.weekdays",
    "ladder": "baskets.ladder",
    "pairs": "baskets.pairs",
}
PAST: Final[dict[str, str | Nowhere]] = {
    "points": "strands_before.portraits[].",
    "scores": "strands_before.lines",
}
POINT: Final[dict[str, str | Nowhere]] = {
    "number": "number",
    "as_of": "as_of",
    "dna_version": "dna_version",
    "strands": "read",
}


@pytest.fixture
def rt(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for module in (dashboard, products, report):
        monkeypatch.setattr(module, "utc_now", lambda: NOW)
    database = Database(database_url)
    yield SimpleNamespace(db=database)
    database.close()


@pytest.fixture
def alice(rt: Any) -> str:
    """A store with two years of orders, some returned and a few in another currency, and with
    portraits of three days.
    """
    store: str = rt.db.write_now(make_store, "alice")
    for product in range(1, 7):
        rt.db.write_now(make_product, store, product, prices_minor=(1_000 * product,))
    for customer in range(1, 61):
        rt.db.write_now(make_customer, store, customer, number_of_orders=9)
    for number in range(1, 401):
        at = NOW - timedelta(hours=12, days=number)
        items = [Item(2_000 + 100 * n, product_id=n + 1) for n in range(1 + number % 3)]
        back = [Change(at + timedelta(days=2), -1_000, quantity=-1)] if number % 9 == 0 else []
        rt.db.write_now(make_order, store, number, at, items, back, customer_id=1 + number % 60)
    for number, currency in ((501, "CAD"), (502, "CAD"), (503, "JPY")):
        at = NOW - timedelta(days=number - 490)
        rt.db.write_now(
            make_order, store, number, at, [Item(3_000, 2, discount_minor=500)], currency=currency
        )
    while rt.db.write_now(rollups.recount_dirty, store):
        pass
    for days_ago in (95, 30, 0):
        as_of = NOW.date() - timedelta(days=days_ago)
        made = dna.made(rt.db.read_now(facts.load, store, as_of=as_of), {})
        rt.db.write_now(portraits.keep, store, made, run_id=f"run-{days_ago}")
    return store


def plain(value: Any) -> Any:
    """A value of a service as the report writes it."""
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], date):
        return {"from": value[0].isoformat(), "to": value[1].isoformat()}
    return [plain(one) for one in value] if isinstance(value, tuple) else value


def at(found: Any, place: str) -> Any:
    """What the report has at a place."""
    for key in place.split("."):
        of_each = isinstance(found, list)
        name = key.removesuffix("[]")
        found = [one[name] for one in found] if of_each else found[name]
    return found


def names(of: Any) -> set[str]:
    if is_dataclass(of):
        return {field.name for field in fields(of)}
    return set(of._fields) if hasattr(of, "_fields") else set(of)


def compare(shown: Any, found: Any, places: dict[str, str | Nowhere], under: str = "") -> None:
    """Hold what a screen is made of, one or a list of them, against the report."""
    several = isinstance(shown, list | tuple) and not hasattr(shown, "_fields")
    for name, place in places.items():
        if isinstance(place, Nowhere) or place.endswith("."):
            continue
        rows = shown if several else [shown]
        wanted = [plain(one[name] if isinstance(one, dict) else getattr(one, name)) for one in rows]
        there = at(found, under + place)
        # The screen may show fewer of a list than the report.
        assert (there[: len(wanted)] if several else [there]) == wanted, f"{under}{place}"


@pytest.mark.parametrize(
    ("made_of", "places"),
    [
        (CommandCenter, CENTER),
        (Kpis, KPI),
        (DayFigures, DAY),
        (DayFigures, COMPARED_DAY),
        (ProductFigures, PRODUCT),
        (OrderLine, ORDER),
        (StoreDna, DNA),
        (Past, PAST),
        (Point, POINT),
    ],
)
def test_every_field_of_a_screen_has_a_place_in_the_report_or_a_reason(
    made_of: Any, places: dict[str, str | Nowhere]
) -> None:
    assert names(made_of) == set(places)


async def test_the_numbers_of_the_command_center_are_in_the_report(rt: Any, alice: str) -> None:
    found = await report.report(rt, alice)
    days = {name: date.fromisoformat(found["range"][name.removeprefix("date_")])
            for name in ("date_from", "date_to")}  # fmt: skip
    center = await dashboard.command_center(rt, alice, **days)
    compare(center, found, CENTER | {"refund_rates": Nowhere("below")})
    assert at(found, str(CENTER["refund_rates"])) == list(center.refund_rates)
    assert any(center.refund_rates)
    compare(center.kpis, found, KPI, "kpis.")
    compare(center.compared, found, KPI, "compared.kpis.")
    compare(center.days, found, DAY, "per_day.")
    compare(center.compared_days, found, COMPARED_DAY, "compared.per_day.")
    compare(center.top_products, found, PRODUCT, "top_products.")
    compare(center.recent_orders, found, ORDER, "recent_orders.")


async def test_the_numbers_of_the_portrait_are_in_the_report(rt: Any, alice: str) -> None:
    found = await report.report(rt, alice)
    newest, past = await dna.store_dna(rt, alice), await dna.past(rt, alice)
    assert newest is not None
    assert newest.before is not None
    compare(newest, found, DNA)
    for key, value in newest.portrait.items():
        if key != "strands":
            assert found["dna"][key] == value, key
    for strand, there in zip(newest.portrait["strands"], found["dna"]["strands"], strict=True):
        assert there == strand | {"compared": newest.compared(strand)}
    assert set(newest.tables) == set(TABLES)
    compare(newest.tables, found, TABLES)
    compare(past.points, found, POINT, "strands_before.portraits.")
    assert [point.number for point in past.points] == [3, 2, 1]
    assert found["strands_before"]["against"]["strands"] == newest.before["strands"]
    assert found["strands_before"]["lines"] == [
        {"key": key, "scores": [{"as_of": day.isoformat(), "score": score} for day, score in line]}
        for key, line in past.scores.items()
    ]
    assert max(len(line) for line in past.scores.values()) == 3


async def test_a_place_of_the_report_that_a_screen_needs_is_missed_when_it_goes(
    rt: Any, alice: str
) -> None:
    found = await report.report(rt, alice)
    del found["per_day"][0]["new_customers"]
    center = await dashboard.command_center(
        rt, alice, date_from=date(2026, 10, 23), date_to=date(2026, 11, 19)
    )
    with pytest.raises(KeyError, match="new_customers"):
        compare(center.days, found, DAY, "per_day.")


async def test_changes_are_parts_of_what_was_before_and_points_of_a_rate(
    rt: Any, alice: str
) -> None:
    found = await report.report(rt, alice)
    compared = found["compared"]
    assert (compared["from"], compared["to"]) == ("2026-09-25", "2026-10-22")
    now, before, changes = found["kpis"], compared["kpis"], compared["changes"]
    assert changes["net_minor"] == pytest.approx(now["net_minor"] / before["net_minor"] - 1)
    assert changes["refund_rate"] == pytest.approx(now["refund_rate"] - before["refund_rate"])
    # Nobody new came in the days before: nobody can say how much more that is.
    assert (before["new_customers"], changes["new_customers"]) == (0, None)


async def test_days_that_are_not_stored_are_compared_with_nothing(rt: Any) -> None:
    store = rt.db.write_now(make_store, "young", history_done=False)
    found = await report.report(rt, store)
    assert (found["compared"], found["strands_before"]) == (None, None)
    assert (found["recent_orders"], found["by_currency"]) == ([], [])
    assert {day["refund_rate_7d"] for day in found["refund_rates_per_day"]} == {None}


async def test_each_currency_has_its_sums_and_none_is_added_to_another(rt: Any, alice: str) -> None:
    found = await report.report(rt, alice)
    sums = {one["currency"]: one for one in found["by_currency"]}
    assert list(sums) == ["CAD", "JPY", "USD"]
    assert found["other_currencies"] == ["CAD", "JPY"]
    cad = sums["CAD"]
    assert (cad["gross_minor"], cad["discounts_minor"]) == (12_000, -1_000)
    assert (cad["net_minor"], cad["orders"], cad["units"]) == (11_000, 2, 4)
    assert (sums["JPY"]["net_minor"], sums["JPY"]["orders"]) == (5_500, 1)
    for name, value in sums["USD"].items():
        assert found["kpis"][name] == value, name


async def test_recent_orders_name_nobody(rt: Any, alice: str) -> None:
    found = await report.report(rt, alice)
    assert len(found["recent_orders"]) == dashboard.RECENT_ORDERS
    assert set(found["recent_orders"][0]) == set(ORDER)


async def test_a_recent_order_is_told_in_the_currency_it_was_kept_in(rt: Any, alice: str) -> None:
    rt.db.write_now(make_order, alice, 600, NOW, [Item(3_000)], currency="JPY")
    newest, second = (await report.report(rt, alice))["recent_orders"][:2]
    assert (newest["shopify_id"], newest["currency"], newest["net_minor"]) == (600, "JPY", 3_000)
    assert second["currency"] == "USD"
