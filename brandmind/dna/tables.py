"""The tables beside the portrait, of the same facts: groups, cohorts, tenths, ladder, pairs."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final

from brandmind.dna import cuts
from brandmind.dna.cohorts import CustomerMonth, cohorts, ltv, month_of
from brandmind.dna.facts import Facts, YearBuyers
from brandmind.dna.pairs import Rule
from brandmind.dna.predict import Predicted
from brandmind.dna.predict import to_plain as predicted_plain
from brandmind.dna.products import Ladder, ladder
from brandmind.dna.rfm import agreement, rfm
from brandmind.dna.value import deciles
from brandmind.dna.year import Year

# How many pairs are told of the store; of each product so many more are kept for its own page.
PAIRS: Final = 20
_OF_A_PRODUCT: Final = 3
_COHORT_MONTHS: Final = 24
_DAY_MS: Final = 86_400_000
_MOST_STEPS: Final = 24
# 1970-01-01.
_EPOCH: Final = 719_163


def tables(
    year: Year,
    rules: Sequence[Rule],
    months: Iterable[CustomerMonth],
    hours: Mapping[tuple[int, int], int],
    predicted: Predicted,
    buyers: YearBuyers,
) -> dict[str, Any]:
    """All of them as plain data.

    `rules` are the year's pairs, `hours` its orders by weekday and hour, `predicted` what its
    customers may still bring, `buyers` how many of them came again.
    """
    facts = year.facts
    current = month_of(facts.as_of.year, facts.as_of.month)
    found = cohorts(months, current=current)
    return {
        "as_of": facts.as_of.isoformat(),
        "first": _first(facts),
        "currency": facts.currency,
        "rfm": _groups(year),
        "cohorts": [asdict(cohort) for cohort in found[-_COHORT_MONTHS:]],
        "ltv": [point._asdict() for point in ltv(found)],
        "deciles": [asdict(part) for part in deciles((gid, net) for net, gid in year.spending)],
        "repeat_90": _repeat(year),
        "year_rates": _rates(facts, buyers),
        "predicted": predicted_plain(predicted),
        "ladder": _steps(_year_ladder(year)),
        "pairs": [_pair(year, rule) for rule in told(rules)],
        "hours": [[hours.get((weekday, hour), 0) for hour in range(24)] for weekday in range(7)],
        "weekdays": _weekdays(year),
    }


def to_json(found: Mapping[str, Any]) -> str:
    """The tables as JSON with sorted names."""
    return json.dumps(found, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _groups(year: Year) -> dict[str, Any]:
    """The groups, and how they agree with those that the shop has told; None without either."""
    facts = year.facts
    found = rfm(
        facts.customers,
        prospects=facts.prospects,
        as_of_ms=(facts.as_of.toordinal() - _EPOCH) * _DAY_MS,
        known=year.scored,
    )
    agreed = agreement(facts.customers, year.scored) if found.groups else None
    return asdict(found) | {
        "agreement": agreed._asdict() if agreed is not None and agreed.compared else None
    }


def _first(facts: Facts) -> str:
    return (facts.as_of - timedelta(days=cuts.YEAR_DAYS)).isoformat()


def _rates(facts: Facts, buyers: YearBuyers) -> dict[str, Any]:
    """How many came again, by both ways to say it: of all customers of the year, 0-1.

    Who has more than one order ever is None while nobody can tell.
    """
    whole, repeat = buyers.customers, buyers.repeat
    return {
        "from": _first(facts),
        "to": (facts.as_of - timedelta(days=1)).isoformat(),
        "customers": whole,
        "repeat_customers": repeat,
        "returning_customer_rate": repeat / whole if whole and repeat is not None else None,
        "customers_with_two": buyers.twice,
        "repeat_purchase_rate": buyers.twice / whole if whole else None,
    }


def _repeat(year: Year) -> dict[str, int]:
    """Customers whose first order is 90 whole days old, and those who came back within 90."""
    end = year.end - cuts.LOYALTY_DAYS
    orders = year.facts.orders
    first_place = orders.day[0] if len(orders) else year.end
    mature = {
        customer: first
        for customer, first in year.firsts.items()
        if first is not None and first_place <= first < end
    }
    again = {
        orders.customer[at]
        for at in range(len(orders))
        if (first := mature.get(orders.customer[at])) is not None
        and 0 < orders.day[at] - first <= cuts.LOYALTY_DAYS
        and orders.day[at] < year.end
    }
    return {"customers": len(mature), "repeated": len(again)}


def _year_ladder(year: Year) -> Ladder | None:
    nets: defaultdict[int, int] = defaultdict(int)
    for variant, net in zip(year.lines.variant, year.lines.net, strict=True):
        nets[variant] += net
    return ladder([(one.price_minor, max(0, nets[one.gid])) for one in year.facts.variants])


def _steps(found: Ladder | None) -> dict[str, Any] | None:
    """The ladder with at most 24 steps: of more prices, neighbours share one."""
    if found is None:
        return None
    steps, count = found.steps, len(found.steps)
    at_once = -(-count // _MOST_STEPS)
    gap = found.gap()
    return {
        "p10_minor": found.p10_minor,
        "p50_minor": found.p50_minor,
        "p90_minor": found.p90_minor,
        "gap": [gap[0].price_minor, gap[1].price_minor] if gap else None,
        "steps": [
            {
                "from_minor": part[0].price_minor,
                "to_minor": part[-1].price_minor,
                "variants": sum(step.variants for step in part),
                "net_minor": sum(step.net_minor for step in part),
            }
            for start in range(0, count, at_once)
            for part in [steps[start : start + at_once]]
        ],
    }


def told(rules: Sequence[Rule]) -> list[Rule]:
    """The store's best pairs, and after them the best ones of each product.

    `rules` are by lift, and so are these.
    """
    of: Counter[int] = Counter()
    found = []
    for place, rule in enumerate(rules):
        both = (*rule.items, rule.then)
        if place < PAIRS or min(of[gid] for gid in both) < _OF_A_PRODUCT:
            found.append(rule)
        of.update(both)
    return found


def _pair(year: Year, rule: Rule) -> dict[str, Any]:
    return {
        "product_id": rule.items[0],
        "title": year.title(rule.items[0]),
        "with_id": rule.then,
        "with_title": year.title(rule.then),
        "orders": rule.together,
        "support": rule.support,
        "confidence": rule.confidence,
        "lift": rule.lift,
        "p": rule.p,
    }


def _weekdays(year: Year) -> list[int]:
    """How often each weekday, Monday first, came in the part of the year that is stored."""
    since = year.facts.stored_from
    first = max(year.first, since.toordinal()) if since else year.end
    # Ordinal 1 is a Monday.
    return [sum((day - 1) % 7 == weekday for day in range(first, year.end)) for weekday in range(7)]
