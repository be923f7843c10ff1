"""How a store does right now: the last 28 days. Never mixed with the slow strands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from brandmind.dna import words
from brandmind.dna.measure import binomial_tail, half_up
from brandmind.dna.products import abc, cover
from brandmind.dna.rfm import LEAST_CUSTOMERS, all_recent
from brandmind.dna.year import Year

DAYS: Final = 28
_PRIOR_DAYS: Final = 90
_YEAR: Final = 364
_COVER_DAYS: Final = 14
_RARE: Final = 0.01
_CREEP_POINTS: Final = 3
_LEAST_ORDERS: Final = 30

State = Literal["alert", "calm", "unknown"]


@dataclass(frozen=True, slots=True)
class Beat:
    """One thing to know of the last 28 days. `value` and `against` are what was compared."""

    key: str
    name: str
    state: State
    value: float | None
    against: float | None
    sentence: str


def pulse(year: Year) -> tuple[Beat, ...]:
    """The five beats, always in the same order."""
    return (
        momentum(year),
        stock_at_risk(year),
        slipping_champions(year),
        refund_spike(year),
        discount_creep(year),
    )


def _net(year: Year, first: int, end: int) -> int:
    """Net sales from day `first` up to but without `end`.

    Returns count on the day they came: by the day of the order an older time would have all of
    its returns and the present one few yet, and so every store would seem to grow.
    """
    return sum(net for day, net in year.facts.nets if first <= day < end)


def momentum(year: Year) -> Beat:
    """Net sales against the same weekdays last year, or, where unknown, the 28 days before."""
    name, facts, end = "Momentum", year.facts, year.end
    now = _net(year, end - DAYS, end)
    for back, against in ((_YEAR, "the same 28 days last year"), (DAYS, "the 28 days before")):
        first = date.fromordinal(end - DAYS - back)
        if facts.stored_from is None or facts.stored_from > first:
            continue
        then = _net(year, end - DAYS - back, end - back)
        if then <= 0:
            continue
        ratio = now / then
        change = half_up(100 * (ratio - 1), 0)
        word = (
            "as much as"
            if change == 0
            else f"{'up' if change > 0 else 'down'} {abs(change):.0f}% on"
        )
        return Beat(
            "momentum",
            name,
            "alert" if ratio < 0.8 else "calm",
            float(now),
            float(then),
            f"Net sales of the last 28 days are {word} {against} "
            f"({words.money(now, facts.currency)} after {words.money(then, facts.currency)}).",
        )
    return Beat(
        "momentum", name, "unknown", float(now), None, "Needs 56 days of orders to compare with."
    )


def stock_at_risk(year: Year) -> Beat:
    """Best-selling products whose stock lasts less than two weeks."""
    name = "Stock at risk"
    best = [
        gid for gid, kind in abc((p.gid, p.net_minor) for p in year.ranked()).items() if kind == "A"
    ]
    known = [
        (found.days, gid)
        for gid in best
        if (product := year.product(gid)) is not None and (found := cover(product)).days is not None
    ]
    if not known:
        return Beat("stock", name, "unknown", None, None, "Needs 28 days of stock history.")
    low = sorted((days, gid) for days, gid in known if days is not None and days < _COVER_DAYS)
    if not low:
        return Beat(
            "stock", name, "calm", 0.0, float(_COVER_DAYS),
            f"All {words.number(len(known))} best-selling products with known stock last 14 days "
            "or longer.",
        )  # fmt: skip
    days, gid = low[0]
    more = f", and {words.counted(len(low) - 1, 'products')} more" if len(low) > 1 else ""
    return Beat(
        "stock", name, "alert", float(len(low)), float(_COVER_DAYS),
        f"{year.title(gid)} runs out in {words.counted(days, 'days')}{more}.",
    )  # fmt: skip


def slipping_champions(year: Year) -> Beat:
    """Good customers whose last order is so long ago that their recency is down to 2."""
    name, facts = "Slipping champions", year.facts
    people = [one for one in facts.customers if one.orders > 0]
    if len(people) < LEAST_CUSTOMERS:
        return Beat(
            "champions", name, "unknown", None, None,
            f"Needs {LEAST_CUSTOMERS} customers. You have {words.number(len(people))}.",
        )  # fmt: skip
    if all_recent(people):
        return Beat(
            "champions",
            name,
            "unknown",
            None,
            None,
            "All last orders lie within 30 days: too close to tell who stays away.",
        )
    slipping = [one.gid for one in year.scored if one.recency == 2 and one.fm >= 4]
    net = sum(year.customers[gid].net_minor for gid in slipping)
    return Beat(
        "champions", name, "alert" if slipping else "calm", float(len(slipping)), None,
        f"{words.counted(len(slipping), 'good customers')} have not ordered for long; they have "
        f"brought {words.money(net, facts.currency)} so far."
        if slipping
        else "No good customer is slipping away.",
    )  # fmt: skip


def refund_spike(year: Year) -> Beat:
    """Whether more orders come back than the 90 days before would let expect."""
    name, end = "Returns", year.end
    first = end - DAYS
    orders = year.facts.orders
    now = sum(count for day, count in year.facts.returns if first <= day < end)
    then = sum(count for day, count in year.facts.returns if first - _PRIOR_DAYS <= day < first)
    placed, before = (
        len(orders.between(first, end)),
        len(orders.between(first - _PRIOR_DAYS, first)),
    )
    if placed < _LEAST_ORDERS or before < _LEAST_ORDERS or not _covered(year):
        return _too_few("returns", name)
    rare = binomial_tail(min(now, placed), placed, min(1.0, then / before)) < _RARE
    spike = rare and now * before > then * placed
    return Beat(
        "returns", name, "alert" if spike else "calm", now / placed, then / before,
        f"Goods of {words.counted(now, 'orders')} came back in the last 28 days, "
        f"{words.percent(now / placed)} of the orders placed; "
        f"{words.percent(then / before)} in the 90 days before.",
    )  # fmt: skip


def discount_creep(year: Year) -> Beat:
    """Whether discounts spread: more orders have one than the 90 days before let expect."""
    name, end = "Discounts", year.end
    orders = year.facts.orders
    recent = orders.between(end - DAYS, end)
    prior = orders.between(end - DAYS - _PRIOR_DAYS, end - DAYS)
    if len(recent) < _LEAST_ORDERS or len(prior) < _LEAST_ORDERS or not _covered(year):
        return _too_few("discounts", name)
    now = sum(orders.discounts[at] < 0 for at in recent)
    then = sum(orders.discounts[at] < 0 for at in prior)
    points = 100 * (now / len(recent) - then / len(prior))
    rare = binomial_tail(now, len(recent), then / len(prior)) < _RARE
    return Beat(
        "discounts", name, "alert" if rare and points >= _CREEP_POINTS else "calm",
        now / len(recent), then / len(prior),
        f"{words.percent(now / len(recent))} of orders of the last 28 days carry a discount; "
        f"{words.percent(then / len(prior))} in the 90 days before.",
    )  # fmt: skip


def _covered(year: Year) -> bool:
    since = year.facts.stored_from
    return since is not None and since <= year.facts.as_of - timedelta(days=DAYS + _PRIOR_DAYS)


def _too_few(key: str, name: str) -> Beat:
    return Beat(
        key, name, "unknown", None, None, "Needs 30 orders in 28 days, and 90 days before them."
    )
