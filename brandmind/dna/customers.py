"""The Customers helix: do they come back, how often, who matters, what is growth made of."""

from __future__ import annotations

import math

from brandmind.dna import cuts, words
from brandmind.dna.measure import (
    Ratio,
    along,
    half_up,
    median_interval,
    nearest_rank,
    spread_of,
    wilson,
)
from brandmind.dna.strand import (
    NOT_TIME_BOUND,
    Missing,
    Reading,
    days_covered,
    evidence,
    need,
    need_days,
)
from brandmind.dna.year import Year


def loyalty(year: Year) -> Reading | Missing:
    """Whether new customers order again within 90 days.

    Looked at are first orders between 455 and 90 days ago, each followed for 90 days; orders of
    one day are one. Where history is too short, the shop's own lifetime counts speak instead.
    """
    facts = year.facts
    if days_covered(facts) <= cuts.LOYALTY_HISTORY_DAYS:
        return _lifetime_loyalty(year)
    last = year.end - cuts.LOYALTY_DAYS
    mature = {
        customer: first
        for customer, first in year.firsts.items()
        if first is not None and last - cuts.YEAR_DAYS <= first < last
    }
    if len(mature) < cuts.LOYALTY.least:
        return Missing((need(facts, cuts.LOYALTY.noun, len(mature), cuts.LOYALTY.least),))
    again: dict[int, int] = {}
    orders = facts.orders
    for at in orders.between(last - cuts.YEAR_DAYS, year.end):
        first = mature.get(orders.customer[at])
        if first is not None and 0 < (gap := orders.day[at] - first) <= cuts.LOYALTY_DAYS:
            again.setdefault(orders.customer[at], gap)
    part, whole = len(again), len(mature)
    low, high = wilson(part, whole)
    share = part / whole
    waits = sorted(again.values())
    told, least, most = (f"{half_up(100 * one, 0):.0f}" for one in (share, low, high))
    return Reading(
        raw=share,
        score=along(cuts.LOYALTY_POINTS, share),
        low=along(cuts.LOYALTY_POINTS, low),
        high=along(cuts.LOYALTY_POINTS, high),
        n=whole,
        evidence=evidence(
            ("Ordered again within 90 days", words.number(part)),
            ("Customers followed for 90 days", words.number(whole)),
            (
                "Middle wait for the second order",
                words.counted(nearest_rank(waits, 50), "days") if waits else "none came",
            ),
        ),
        sentence=f"{told} of every 100 new customers order again within 90 days "
        f"({words.number(part)} of {words.number(whole)}; likely {least} to {most}).",
        inputs={"part": part, "whole": whole, "waits": sum(waits)},
    )


def _lifetime_loyalty(year: Year) -> Reading | Missing:
    """The share with two or more orders ever, by the shop's own count: not bound to 90 days."""
    facts = year.facts
    counts = [one.lifetime for one in facts.customers if one.lifetime]
    if len(counts) < cuts.LOYALTY.least:
        return Missing((need_days(facts, cuts.LOYALTY_HISTORY_DAYS + 1),))
    part, whole = sum(count >= 2 for count in counts), len(counts)
    low, high = wilson(part, whole)
    share = part / whole
    return Reading(
        raw=share,
        score=along(cuts.LOYALTY_POINTS, share),
        low=along(cuts.LOYALTY_POINTS, low),
        high=along(cuts.LOYALTY_POINTS, high),
        n=whole,
        evidence=evidence(
            ("Ordered twice or more, ever", words.number(part)),
            ("Customers with an order", words.number(whole)),
            ("Days of orders stored", words.number(days_covered(facts))),
        ),
        sentence=f"{words.number(part)} of {words.number(whole)} customers have ordered more than "
        "once, by Shopify's own count. It does not say how soon.",
        inputs={"part": part, "whole": whole, "lifetime": True},
        cap=(cuts.MEDIUM - 0.01, "Taken from customer records, which do not say when."),
        tag=NOT_TIME_BOUND,
    )


def cadence(year: Year) -> Reading | Missing:
    """How many days lie between two orders of the same customer."""
    facts, gaps = year.facts, year.gaps
    if len(gaps) < cuts.CADENCE.least:
        return Missing((need(facts, cuts.CADENCE.noun, len(gaps), cuts.CADENCE.least),))
    median = year.gap(50)
    low, high = median_interval(gaps)
    early, late = year.gap(25), year.gap(75)
    return Reading(
        raw=float(median),
        score=_tempo(median),
        low=_tempo(high),
        high=_tempo(low),
        n=len(gaps),
        evidence=evidence(
            ("Middle gap", words.counted(median, "days")),
            ("Half of all gaps lie between", f"{early} and {late} days"),
            ("Gaps between orders", words.number(len(gaps))),
        ),
        sentence=f"Half of those who come back do so within {words.counted(median, 'days')}; "
        f"most between day {early} and day {late}.",
        inputs={"gaps": len(gaps), "sum": sum(gaps), "at": [early, median, late, low, high]},
    )


def _tempo(days: int) -> float:
    year, week = math.log(cuts.YEAR_DAYS), math.log(cuts.CADENCE_SHORTEST)
    return 100 * min(1.0, max(0.0, (year - math.log(max(1, days))) / (year - week)))


def value_concentration(year: Year) -> Reading | Missing:
    """What the best tenth of the customers brings."""
    facts = year.facts
    spent = year.spending
    if len(spent) < cuts.VALUE.least:
        return Missing((need(facts, cuts.VALUE.noun, len(spent), cuts.VALUE.least),))
    count = len(spent)
    best = -(-count // 10)
    total = sum(net for net, _ in spent)
    if not total:
        return Missing((need(facts, "customers who paid", 0, cuts.VALUE.least),))
    top = sum(net for net, _ in spent[:best])
    share = top / total
    edge = spent[best - 1][0]
    # The influence of a person on the share: through their own sum and through the edge.
    reach = spread_of(
        ((max(net - edge, 0) + best / count * edge - share * net) / total for net, _ in spent),
        count,
    )
    return Reading(
        raw=share,
        score=along(cuts.VALUE_POINTS, share),
        low=along(cuts.VALUE_POINTS, share - reach),
        high=along(cuts.VALUE_POINTS, share + reach),
        n=count,
        evidence=evidence(
            ("Customers in the best tenth", words.number(best)),
            ("They spent at least", words.money(edge, facts.currency)),
            ("They spent in all", words.money(top, facts.currency)),
        ),
        sentence=f"{words.counted(best, 'customers')} of {words.number(count)} bring "
        f"{words.percent(share)} of net sales.",
        inputs={"count": count, "best": best, "top": top, "total": total, "edge": edge},
    )


def growth_engine(year: Year) -> Reading | Missing:
    """How much of what known customers bring comes after their first day."""
    facts, orders = year.facts, year.facts.orders
    parts, wholes, later = [], [], 0
    for at in year.orders:
        first = year.is_first(at)
        if first is None:
            continue
        net = orders.net(at)
        parts.append(0 if first else net)
        wholes.append(net)
        later += not first
    ratio = Ratio.of(parts, wholes)
    if ratio.count < cuts.GROWTH.least or ratio.whole <= 0:
        return Missing((need(facts, cuts.GROWTH.noun, ratio.count, cuts.GROWTH.least),))
    low, high = ratio.interval()
    return Reading(
        raw=ratio.value,
        score=100 * ratio.value,
        low=100 * low,
        high=100 * high,
        n=ratio.count,
        evidence=evidence(
            ("Net sales of returning customers", words.money(ratio.part, facts.currency)),
            ("Net sales of all known customers", words.money(ratio.whole, facts.currency)),
            (
                "Orders of returning customers",
                f"{words.number(later)} of {words.number(ratio.count)}",
            ),
        ),
        sentence=f"{words.percent(ratio.value)} of known customers' net sales come from people who "
        f"had bought before ({words.number(later)} of {words.number(ratio.count)} orders).",
        inputs={"part": ratio.part, "whole": ratio.whole, "orders": ratio.count, "later": later},
    )
