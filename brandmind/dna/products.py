"""Products by what they bring, how long their stock lasts, and the ladder of their prices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

from brandmind.dna.facts import ProductFact
from brandmind.dna.measure import nearest_rank

STOCK_DAYS: Final = 28
_A_UP_TO: Final = 80
_B_UP_TO: Final = 95
GAP: Final = (25, 10)

Class = Literal["A", "B", "C"]


def abc(nets: Iterable[tuple[int, int]]) -> dict[int, Class]:
    """The class of each product, given as (gid, net): A up to 80 % of sales, B up to 95 %.

    The product that crosses a line still belongs above it. What brought nothing is C.
    """
    ranked = sorted(((max(0, net), gid) for gid, net in nets), key=lambda e: (-e[0], e[1]))
    total, before = sum(net for net, _ in ranked), 0
    found: dict[int, Class] = {}
    for net, gid in ranked:
        if not net:
            found[gid] = "C"
        elif 100 * before < _A_UP_TO * total:
            found[gid] = "A"
        else:
            found[gid] = "B" if 100 * before < _B_UP_TO * total else "C"
        before += net
    return found


@dataclass(frozen=True, slots=True)
class Cover:
    """How long a product's stock lasts at the pace of its last 28 days in stock.

    `days` is None with a reason: "untracked", "history" (fewer than 28 days of our own daily
    record) or "no recent sales".
    """

    days: int | None
    reason: Literal["untracked", "history", "no recent sales"] | None = None


def cover(product: ProductFact) -> Cover:
    """Days of cover, in whole days downwards."""
    if product.stock is None:
        return Cover(None, "untracked")
    if product.stock_days < STOCK_DAYS:
        return Cover(None, "history")
    if product.stock_units <= 0:
        return Cover(None, "no recent sales")
    return Cover(max(0, product.stock) * product.stock_days // product.stock_units)


def sell_through(*, units: int, stock: int | None) -> float | None:
    """Units sold against units sold and left, 0-1; None where stock is unknown or nothing moved."""
    if stock is None:
        return None
    sold, left = max(0, units), max(0, stock)
    return sold / (sold + left) if sold + left else None


@dataclass(frozen=True, slots=True)
class Step:
    """A price, how many variants have it, and what they sold."""

    price_minor: int
    variants: int
    net_minor: int


@dataclass(frozen=True, slots=True)
class Ladder:
    """The prices of active variants: nearest-rank percentiles, and every step, cheapest first."""

    p10_minor: int
    p50_minor: int
    p90_minor: int
    steps: tuple[Step, ...]

    def gap(self) -> tuple[Step, Step] | None:
        """The widest gap of 2.5 times and more between neighbouring prices above nothing."""
        up, of = GAP
        gaps = [
            (low, high)
            for low, high in pairwise(self.steps)
            if low.price_minor > 0 and of * high.price_minor >= up * low.price_minor
        ]
        if not gaps:
            return None
        # Fractions are compared crosswise, the cheaper of equals first.
        best = gaps[0]
        for low, high in gaps[1:]:
            if high.price_minor * best[0].price_minor > best[1].price_minor * low.price_minor:
                best = (low, high)
        return best


def ladder(variants: Sequence[tuple[int, int]]) -> Ladder | None:
    """The ladder of variants given as (price, net sales); None of none."""
    if not variants:
        return None
    prices = sorted(price for price, _ in variants)
    steps: dict[int, list[int]] = {}
    for price, net in variants:
        step = steps.setdefault(price, [0, 0])
        step[0] += 1
        step[1] += net
    return Ladder(
        nearest_rank(prices, 10),
        nearest_rank(prices, 50),
        nearest_rank(prices, 90),
        tuple(Step(price, *steps[price]) for price in sorted(steps)),
    )
