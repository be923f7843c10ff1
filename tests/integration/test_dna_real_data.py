"""Real commerce data: totals and figures against computations that share no code with ours."""

from __future__ import annotations

import csv
import gzip
import lzma
import math
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from brandmind.commerce.shop import zone
from brandmind.db import facts, figures, rollups, upserts
from brandmind.db.figures import Span
from brandmind.db.session import Database
from brandmind.dna.facts import CustomerFact
from brandmind.dna.pairs import pairs, rules_of_two
from brandmind.dna.rfm import scored
from brandmind.services import dna
from brandmind.sync.stages import Stage
from tests import real_shops
from tests.factories import make_store

pytestmark = [pytest.mark.needs_shared, pytest.mark.timeout(900)]

AS_OF = date(2011, 12, 10)
YEAR = AS_OF - timedelta(days=365)


# The groceries


@pytest.fixture(scope="module")
def groceries(shared_data: Path) -> tuple[list[list[int]], dict[str, int]]:
    with gzip.open(shared_data / "groceries.csv.gz", "rt", newline="") as file:
        rows = list(csv.reader(file))
    ids = {name: n for n, name in enumerate(sorted({item for row in rows for item in row}), 1)}
    return [[ids[item] for item in row] for row in rows], ids


@pytest.mark.parametrize(
    ("left", "right", "receipts", "confidence", "lift"),
    [
        (("Instant food products", "soda"), "hamburger meat", 12, 0.6316, 18.996),
        (("liquor", "red/blush wine"), "bottled beer", 19, 0.9048, 11.235),
    ],
)
def test_the_published_rules_come_out_with_their_lifts(
    groceries: Any, left: tuple[str, str], right: str, receipts: int, confidence: float, lift: float
) -> None:
    baskets, ids = groceries
    items = tuple(sorted(ids[name] for name in left))
    found = next(
        rule for rule in rules_of_two(baskets) if rule.items == items and rule.then == ids[right]
    )
    assert found.together == receipts
    assert round(found.confidence, 4) == confidence
    assert round(found.lift, 3) == lift
    assert found.p < 0.01


def test_pairs_of_groceries_are_counted_as_by_hand(groceries: Any) -> None:
    baskets, _ = groceries
    found = pairs(baskets)
    assert len(found) > 100
    for rule in found[:50]:
        a, b = rule.items[0], rule.then
        both = sum(a in basket and b in basket for basket in baskets)
        with_a, with_b = (sum(one in basket for basket in baskets) for one in (a, b))
        assert rule.together == both
        assert rule.lift == pytest.approx(both * len(baskets) / (with_a * with_b))


# Customers of the R package rfm


def test_quintiles_cut_where_a_count_of_lesser_values_says(shared_data: Path) -> None:
    orders: defaultdict[str, list[tuple[date, int]]] = defaultdict(list)
    with gzip.open(shared_data / "rfm_data_orders.csv.gz", "rt", newline="") as file:
        for row in csv.DictReader(file):
            day = date.fromisoformat(row["order_date"])
            orders[row["customer_id"]].append((day, int(row["revenue"])))
    assert (len(orders), sum(map(len, orders.values()))) == (995, 4906)
    people = [
        CustomerFact(
            n, 0, max(day for day, _ in some).toordinal() * 86_400_000, len(some),
            sum(revenue for _, revenue in some), len(some), None,
        )
        for n, (_, some) in enumerate(sorted(orders.items()), 1)
    ]  # fmt: skip
    found = scored(people)
    for values, ours, ties in (
        ([one.last_at_ms for one in people], [one.recency for one in found], "higher"),
        ([one.orders for one in people], [one.frequency for one in found], "lower"),
        ([one.net_minor for one in people], [one.monetary for one in found], "lower"),
    ):
        # Slow and plain: how many are less (or, for recency, not more), out of all others.
        expected = []
        for value in values:
            below = sum(
                other < value if ties == "lower" else other <= value for other in values
            ) - (ties == "higher")
            expected.append(min(5, 1 + math.floor(5 * below / (len(values) - 1))))
        assert ours == expected
        cuts = [min(v for v, s in zip(values, ours, strict=True) if s == n) for n in range(1, 6)]
        assert cuts == sorted(set(cuts))


# A year of a gift wholesaler


class Plain(NamedTuple):
    """The invoices by a computation of its own: money in pence."""

    gross_by_day: dict[date, int]
    returned_by_day: dict[date, int]
    shipping: int
    orders_by_day: dict[date, int]
    orders: dict[str, dict[str, Any]]
    unmatched_units: int
    skipped: int


@pytest.fixture(scope="module")
def plain(shared_data: Path) -> Plain:
    gross: defaultdict[date, int] = defaultdict(int)
    back: defaultdict[date, int] = defaultdict(int)
    count: defaultdict[date, int] = defaultdict(int)
    orders: dict[str, dict[str, Any]] = {}
    stacks: defaultdict[str, list[list[Any]]] = defaultdict(list)
    shipping = unmatched = skipped = 0

    def pence(price: str, units: int) -> int:
        exact = Decimal(price) * units * 100
        return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))

    with lzma.open(shared_data / "uci_online_retail.csv.xz", "rt", newline="") as file:
        for number, code, _, units, when, price, who, _country in list(csv.reader(file))[1:]:
            day, key = date.fromisoformat(when[:10]), f"{who}|{code.upper()}"
            post = code.upper() in ("POST", "DOT", "C2")
            if number[0] == "C":
                wanted = -int(units)
                for entry in stacks[key][::-1] if who and float(price) > 0 else ():
                    if not wanted:
                        break
                    took = min(wanted, entry[1])
                    if not took or entry[2] > when:
                        continue
                    entry[1] -= took
                    wanted -= took
                    value = pence(price, took)
                    if post:
                        shipping -= value
                    else:
                        back[day] += value
                        entry[0]["back"] += value
                unmatched += wanted
                continue
            if int(units) <= 0 or float(price) <= 0:
                skipped += 1
                continue
            if number not in orders:
                orders[number] = {"day": day, "who": who, "sold": 0, "back": 0, "codes": {}}
                count[day] += 1
            order = orders[number]
            value = pence(price, int(units))
            if post:
                shipping += value
            else:
                gross[day] += value
                order["sold"] += value
                order["codes"][code.upper()] = order["codes"].get(code.upper(), 0) + value
            stacks[key].append([order, int(units), when])
    return Plain(gross, back, shipping, count, orders, unmatched, skipped)


@pytest.fixture(scope="module")
def wholesaler(
    shared_data: Path, _migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Database, str, Any]]:
    path = tmp_path_factory.mktemp("uci") / "brandmind.db"
    path.write_bytes(_migrated_sqlite.read_bytes())
    db = Database(f"sqlite:///{path}")
    store = db.write_now(
        make_store, "wholesaler", timezone="Europe/London", currency="GBP",
        country_code="United Kingdom",
    )  # fmt: skip
    shop = real_shops.uci(shared_data / "uci_online_retail.csv.xz")
    for stage, records in (
        (Stage.PRODUCTS, shop.products),
        (Stage.ORDERS, shop.orders),
        (Stage.CUSTOMERS, shop.customers),
    ):
        for start in range(0, len(records), 500):
            db.write_now(
                upserts.land, store, stage=stage, records=records[start : start + 500],
                read_no=1, first_read_no=1, tz=zone("Europe/London"),
            )  # fmt: skip
    while db.write_now(rollups.recount_dirty, store):
        pass
    yield db, store, shop
    db.close()


def test_every_day_of_the_wholesaler_adds_up_as_by_hand(wholesaler: Any, plain: Plain) -> None:
    db, store, shop = wholesaler
    assert shop.left_out["units of refunds without an order"] == plain.unmatched_units
    assert shop.left_out["lines of nothing or for nothing"] == plain.skipped
    span = Span(date(2010, 12, 1), date(2011, 12, 31))
    days = db.read_now(figures.day_sums, store, currency="GBP", span=span)
    assert len(days) > 300
    for day in plain.orders_by_day.keys() | plain.returned_by_day.keys() | days.keys():
        found = days[day]
        assert found.gross_minor == plain.gross_by_day.get(day, 0), day
        assert -found.returns_minor == plain.returned_by_day.get(day, 0), day
        assert found.orders == plain.orders_by_day.get(day, 0), day
    whole = figures.added(days.values())
    assert whole.shipping_minor == plain.shipping
    assert whole.net_minor == whole.gross_minor + whole.returns_minor
    assert db.read_now(rollups.recount_differences, store) == []


def test_the_wholesalers_portrait_is_read_as_by_hand(wholesaler: Any, plain: Plain) -> None:
    db, store, _ = wholesaler
    loaded = db.read_now(facts.load, store, as_of=AS_OF)
    year = dna.Year(loaded.facts)
    profile = dna.profile.read(year, dna.pairs(year.baskets))
    strands = {strand.key: strand for strand in profile.strands}
    bought = [o for o in plain.orders.values() if o["sold"] > 0]
    recent = [o for o in bought if YEAR <= o["day"] < AS_OF]

    # Basket building: orders with two or more codes.
    many = sum(len(order["codes"]) > 1 for order in recent)
    assert strands["basket"].raw == round(many / len(recent), 6)

    # Value concentration: the best tenth of known customers.
    spent: defaultdict[str, int] = defaultdict(int)
    for order in recent:
        if order["who"]:
            spent[order["who"]] += order["sold"] - order["back"]
    worth = sorted((max(0, value) for value in spent.values()), reverse=True)
    best = worth[: math.ceil(len(worth) / 10)]
    assert strands["value"].raw == pytest.approx(sum(best) / sum(worth), abs=1e-6)

    # Loyalty and growth: days of each customer.
    days: defaultdict[str, set[date]] = defaultdict(set)
    for order in bought:
        if order["who"]:
            days[order["who"]].add(order["day"])
    firsts = {who: min(some) for who, some in days.items()}
    start, end = AS_OF - timedelta(days=455), AS_OF - timedelta(days=90)
    mature = [who for who, day in firsts.items() if start <= day < end]
    again = [
        who for who in mature
        if any(0 < (day - firsts[who]).days <= 90 for day in days[who])
    ]  # fmt: skip
    assert strands["loyalty"].n == len(mature)
    assert strands["loyalty"].raw == pytest.approx(len(again) / len(mature), abs=1e-6)
    known = [o for o in recent if o["who"]]
    later = sum(o["sold"] - o["back"] for o in known if o["day"] > firsts[o["who"]])
    net = sum(o["sold"] - o["back"] for o in known)
    assert strands["growth"].raw == pytest.approx(later / net, abs=1e-6)

    # Cadence: the middle of all gaps between order days within the year.
    gaps = sorted(
        (b - a).days
        for some in days.values()
        for kept in [sorted(day for day in some if day >= YEAR)]
        for a, b in pairwise(kept)
    )
    assert strands["cadence"].raw == gaps[math.ceil(len(gaps) / 2) - 1]
    assert strands["cadence"].n == len(gaps)

    # Returns: orders of 30 to 395 days.
    aged = [o for o in bought if 30 <= (AS_OF - o["day"]).days <= 395]
    rate = sum(o["back"] for o in aged) / sum(o["sold"] for o in aged)
    assert strands["returns"].raw == pytest.approx(rate, abs=1e-6)

    # Seasonality: the two biggest of December to November.
    months: defaultdict[int, int] = defaultdict(int)
    for order in bought:
        if order["day"] < date(2011, 12, 1):
            months[order["day"].month] += order["sold"] - order["back"]
    top = sorted(months.values())[-2:]
    assert strands["seasonality"].raw == pytest.approx(
        6 * sum(top) / sum(months.values()), abs=1e-6
    )

    assert profile.read == 12
    assert profile.signature == ("Whole-ladder, balanced range, relationship-built, full-price.")
    assert strands["basket"].label == "Basket builders"
    assert strands["discount"].label == "Full-price"
    assert dna.made(loaded, {}).portrait_json == dna.profile.to_json(profile)
