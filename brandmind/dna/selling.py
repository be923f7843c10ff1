"""The Selling helix: what discounts carry, how baskets are built and when people buy."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Final

from brandmind.dna import cuts, words
from brandmind.dna.measure import Ratio, half_up, wilson
from brandmind.dna.strand import Missing, Need, Reading, evidence, need
from brandmind.dna.year import Year


def discount_reliance(year: Year) -> Reading | Missing:
    """How much of the selling leans on discounts.

    Where no first order is known, first orders are taken to be like all others.
    """
    facts, orders = year.facts, year.facts.orders
    count = len(year.orders)
    if count < cuts.DISCOUNT.least:
        return Missing((need(facts, cuts.DISCOUNT.noun, count, cuts.DISCOUNT.least),))
    with_discount = firsts = first_with = 0
    for at in year.orders:
        has = orders.discounts[at] < 0
        with_discount += has
        if year.is_first(at):
            firsts += 1
            first_with += has
    within = slice(year.orders.start, year.orders.stop)
    depth = Ratio.of([-minor for minor in orders.discounts[within]], orders.gross[within])
    share = with_discount / count
    first_share = first_with / firsts if firsts else share
    of_orders, of_depth, of_firsts = cuts.DISCOUNT_WEIGHTS

    def score_of(a: float, d: float, f: float) -> float:
        deep = min(1.0, max(0.0, d) / cuts.DISCOUNT_FULL)
        return 100 * (of_orders * a + of_depth * deep + of_firsts * f)

    score = score_of(share, depth.value, first_share)
    some = wilson(with_discount, count)
    first_ones = wilson(first_with, firsts) if firsts else some
    deep_ones = depth.interval()
    # Most orders are first ones, and no discount is without its depth: the three parts move
    # together, and so do their ends.
    low, high = (
        score_of(some[end], deep_ones[end], first_ones[end] if firsts else some[end])
        for end in (0, 1)
    )
    return Reading(
        raw=score,
        score=score,
        low=low,
        high=high,
        n=count,
        evidence=evidence(
            ("Orders with a discount", f"{words.percent(share)} of {words.number(count)}"),
            ("Discounts against gross sales", words.percent(depth.value)),
            (
                "First orders with a discount",
                f"{words.percent(first_share)} of {words.number(firsts)}"
                if firsts
                else "first orders not known",
            ),
        ),
        sentence=f"{words.percent(share)} of orders carry a discount; discounts take "
        f"{words.percent(depth.value)} of gross sales"
        + (f" and {words.percent(first_share)} of first orders have one." if firsts else "."),
        inputs={
            "orders": count,
            "discounted": with_discount,
            "discounts": depth.part,
            "gross": depth.whole,
            "firsts": firsts,
            "first_discounted": first_with,
        },
    )


def first_discount_share(year: Year) -> float | None:
    """The share of first orders with a discount, None where no first order is known."""
    discounts = year.facts.orders.discounts
    firsts = [discounts[at] < 0 for at in year.orders if year.is_first(at)]
    return sum(firsts) / len(firsts) if firsts else None


def basket_building(year: Year) -> Reading | Missing:
    """How many orders hold two or more different products; gifts for nothing are none."""
    facts, lines = year.facts, year.lines
    count = len(year.orders)
    if count < cuts.BASKET.least:
        return Missing((need(facts, cuts.BASKET.noun, count, cuts.BASKET.least),))
    held: dict[int, int] = {}
    many: set[int] = set()
    units = 0
    for order, product, sold, kept in zip(
        lines.order, lines.product, lines.sold, lines.units, strict=True
    ):
        if sold <= 0:
            continue
        units += kept
        if held.setdefault(order, product) != product:
            many.add(order)
    share = len(many) / count
    low, high = wilson(len(many), count)
    return Reading(
        raw=share,
        score=100 * share,
        low=100 * low,
        high=100 * high,
        n=count,
        evidence=evidence(
            ("Orders with two or more products", words.number(len(many))),
            ("Orders", words.number(count)),
            ("Units kept for each order", f"{units / count:,.1f}"),
        ),
        sentence=f"{words.percent(share)} of orders hold two or more different products "
        f"({words.number(len(many))} of {words.number(count)}).",
        inputs={"many": len(many), "orders": count, "units": units},
    )


@dataclass(frozen=True, slots=True)
class Months:
    """Full calendar months, oldest first: their first days, net sales and places of orders."""

    firsts: tuple[date, ...]
    nets: tuple[int, ...]
    places: tuple[range, ...]


def full_months(year: Year, *, at_most: int) -> Months:
    """The latest full calendar months before the day of the portrait of which all is stored."""
    facts = year.facts
    end = facts.as_of.replace(day=1)
    firsts: list[date] = []
    ends: list[date] = []
    while len(firsts) < at_most and facts.stored_from is not None:
        before = date(end.year - (end.month == 1), (end.month - 2) % 12 + 1, 1)
        if before < facts.stored_from:
            break
        firsts.append(before)
        ends.append(end)
        end = before
    places = [
        facts.orders.between(first.toordinal(), last.toordinal())
        for first, last in zip(firsts, ends, strict=True)
    ]
    nets = [max(0, sum(facts.orders.net(at) for at in place)) for place in places]
    return Months(tuple(reversed(firsts)), tuple(reversed(nets)), tuple(reversed(places)))


_OF_A_MEAN_MONTH: Final = "times the mean month"


def seasonality(year: Year) -> Reading | Missing:
    """How much the two biggest months stand out; the same months of two years are averaged."""
    facts = year.facts
    months = full_months(year, at_most=24)
    count = len(months.nets)
    used = 24 if count >= 24 else 12
    orders = sum(len(place) for place in months.places[-12:])
    if count < cuts.SEASONALITY.least:
        by = _full_months_by(facts.stored_from, cuts.SEASONALITY.least)
        return Missing((Need(cuts.SEASONALITY.noun, count, cuts.SEASONALITY.least, by),))
    if orders < cuts.SEASON_LEAST_ORDERS:
        return Missing((need(facts, "orders in 12 months", orders, cuts.SEASON_LEAST_ORDERS),))
    by_name: defaultdict[int, int] = defaultdict(int)
    for first, net in zip(months.firsts[-used:], months.nets[-used:], strict=True):
        by_name[first.month] += net
    total = sum(by_name.values())
    if not total:
        return Missing((need(facts, "orders in 12 months", 0, cuts.SEASON_LEAST_ORDERS),))
    ranked = sorted(by_name.items(), key=lambda e: (-e[1], e[0]))
    peak = sorted(name for name, _ in ranked[:2])
    ratio = Ratio()
    for first, place in zip(months.firsts[-used:], months.places[-used:], strict=True):
        for at in place:
            net = facts.orders.net(at)
            ratio.add(net if first.month in peak else 0, net)
    low, high = ratio.interval()
    times = 6 * (ranked[0][1] + ranked[1][1]) / total
    names = words.both([words.month_name(name) for name in peak])
    share = (ranked[0][1] + ranked[1][1]) / total
    quiet = min(by_name, key=lambda name: (by_name[name], name))

    def index(name: int) -> str:
        """A month against the mean month of the twelve."""
        return f"{words.month_name(name)} {half_up(12 * by_name[name] / total, 1):.1f}"

    return Reading(
        raw=times,
        score=_season_score(times),
        low=_season_score(6 * low),
        high=_season_score(6 * high),
        n=count,
        evidence=evidence(
            ("Biggest months", f"{words.both([index(one) for one in peak])} {_OF_A_MEAN_MONTH}"),
            ("Their share of the year", words.percent(share)),
            ("Quietest month", f"{index(quiet)} {_OF_A_MEAN_MONTH}"),
        ),
        sentence=f"{names} bring {words.percent(share)} of the year, {times:.1f} times an even "
        "share.",
        inputs={
            "months": [
                [f.isoformat(), net] for f, net in zip(months.firsts, months.nets, strict=True)
            ]
        },
        cap=(
            (
                cuts.MEDIUM - 0.01,
                "Sales grew by more than half in the year, which looks like a season.",
            )
            if _grew_fast(months.nets)
            else None
        ),
    )


def _season_score(times: float) -> float:
    return 100 * min(1.0, max(0.0, (times - 1) / 1.5))


def _grew_fast(nets: tuple[int, ...]) -> bool:
    """More than half as much again: a year on the year before, else one half year on the other."""
    half = 12 if len(nets) >= 24 else 6
    before, now = sum(nets[-2 * half : -half]), sum(nets[-half:])
    up, of = cuts.SEASON_GROWTH
    return of * now > up * before


def _full_months_by(stored_from: date | None, count: int) -> date | None:
    if stored_from is None:
        return None
    # A month that began before the first stored day is not full.
    months = stored_from.year * 12 + stored_from.month - 1 + (stored_from.day > 1) + count
    return date(months // 12, months % 12 + 1, 1)


def peak_start(year: Year) -> date | None:
    """The first day of the next big month, which the year's biggest two tell."""
    months = full_months(year, at_most=12)
    if len(months.nets) < 12:
        return None
    ranked = sorted(zip(months.firsts, months.nets, strict=True), key=lambda e: (-e[1], e[0].month))
    as_of = year.facts.as_of
    return min(
        date(as_of.year + ((first.month, 1) <= (as_of.month, as_of.day)), first.month, 1)
        for first, _ in ranked[:2]
    )
