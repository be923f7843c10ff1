"""Real commerce data: totals and figures against computations that share no code with ours."""

from __future__ import annotations

import csv
import gzip
import math
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from brandmind.dna.facts import CustomerFact
from brandmind.dna.pairs import pairs
from brandmind.dna.rfm import scored

pytestmark = pytest.mark.needs_shared


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
    # Whoever bought both of the left bought a thing of its own too: the rule is a pair with it.
    both = 0
    items = {ids[name] for name in left}
    rows = [[*basket, both] if items <= set(basket) else basket for basket in baskets]
    found = next(rule for rule in pairs(rows) if (rule.items, rule.then) == ((both,), ids[right]))
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
