"""What customers may still bring in the next twelve months: gated, fitted, held against what came.

The fits need numpy and scipy, which are the optional extra [predict]; they are loaded only where a
fit is made. Rows of people are sorted before anything is added up, so that no order of facts
changes a digit; what is told is rounded to what a fit can know.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from brandmind.dna.facts import GUEST
from brandmind.dna.measure import half_up
from brandmind.dna.year import Year

if TYPE_CHECKING:
    from brandmind.dna.fits import Money, Purchases

LEAST_CUSTOMERS: Final = 500
LEAST_REPEATERS: Final = 100
# Gamma-Gamma supposes that how often and how much have nothing to do with each other.
MOST_CORRELATION: Final = 0.3
MONTHS: Final = 12
YEARLY_DISCOUNT: Final = 0.10
# What the model would have said this many days ago is held against what came since.
CHECKED_DAYS: Final = 90
# More people move no digit that is shown: every k-th of all, in the order of their rows.
_FITTED: Final = 20_000
_DAYS_A_MONTH: Final = 365 / 12

Reason = Literal["few", "not_installed", "unsettled"]


class History(NamedTuple):
    """A customer's order days since the first: `repeats` after it, the last of them `recency`
    days later, seen for `age` days; `net_minor` is what the repeats were worth together."""

    repeats: int
    recency: int
    age: int
    net_minor: int


@dataclass(frozen=True, slots=True)
class Tenth:
    """A tenth of the customers by what they may bring, 1 the best; `value_minor` None where
    only orders are expected."""

    tenth: int
    customers: int
    expected_orders: float
    value_minor: int | None


@dataclass(frozen=True, slots=True)
class Predicted:
    """What may come, and what it rests on. `reason` says why there is nothing, `needs` in words;
    `money_reason` and `money_needs` the same for the amounts alone.

    `value_minor` is discounted by `discount_rate` a year, `expected_minor` is not. `purchases`
    and `money` are the fitted parameters, `v_minor` in minor units; `checked` is what the fit of
    90 days ago expected of its customers since then, and what they did.
    """

    reason: Reason | None
    needs: str
    customers: int
    repeaters: int
    months: int = MONTHS
    discount_rate: float = YEARLY_DISCOUNT
    expected_orders: float | None = None
    expected_minor: int | None = None
    value_minor: int | None = None
    still_customers: int | None = None
    correlation: float | None = None
    purchases: dict[str, float] | None = None
    money: dict[str, float] | None = None
    money_reason: Literal["linked", "unsettled"] | None = None
    money_needs: str = ""
    tenths: tuple[Tenth, ...] = ()
    checked: dict[str, float] | None = None


def installed() -> bool:
    """Whether the optional extra [predict] is there; loads nothing."""
    return find_spec("numpy") is not None and find_spec("scipy") is not None


def histories(year: Year, *, end: int | None = None) -> list[History]:
    """Of everybody whose first order ever is known and lies within the stored orders of the last
    25 months, what they did before day `end` (that of the portrait, unless told); sorted.
    """
    orders = year.facts.orders
    end = year.end if end is None else end
    if not len(orders):
        return []
    since = orders.day[0]
    place: dict[int, int] = {}
    first, last, repeats, net = array("q"), array("q"), array("q"), array("q")
    for at in orders.between(since, end):
        customer, day = orders.customer[at], orders.day[at]
        if customer == GUEST:
            continue
        there = place.get(customer)
        if there is None:
            if year.firsts.get(customer) != day:
                continue
            place[customer] = len(place)
            first.append(day)
            last.append(day)
            repeats.append(0)
            net.append(0)
        elif day > first[there]:
            # The orders of one day are one visit.
            repeats[there] += day > last[there]
            last[there] = day
            net[there] += orders.net(at)
    return sorted(
        History(repeats[at], last[at] - first[at], end - first[at], net[at])
        for at in range(len(place))
    )


def predicted(year: Year, *, fitting: bool = True) -> Predicted:
    """What the customers of a store may still bring. Loads numpy and scipy past the gate.

    Without `fitting` it ends there and says what it says where they are not installed.
    """
    people = histories(year)
    repeaters = sum(one.repeats > 0 for one in people)
    if len(people) < LEAST_CUSTOMERS or repeaters < LEAST_REPEATERS:
        return Predicted("few", _few(len(people), repeaters), len(people), repeaters)
    if not fitting or not installed():
        return Predicted(
            "not_installed",
            "This needs BrandMind's optional part [predict] (numpy and scipy), which is not "
            "installed here.",
            len(people), repeaters,
        )  # fmt: skip
    return _fitted(year, people, repeaters)


def to_plain(found: Predicted) -> dict[str, Any]:
    """What is told, as plain data."""
    plain = asdict(found)
    plain["tenths"] = list(plain["tenths"])
    return plain


def _few(customers: int, repeaters: int) -> str:
    return (
        f"This needs {LEAST_CUSTOMERS} customers whose first order is known and lies within 25 "
        f"months, {LEAST_REPEATERS} of whom came back. You have {customers:,} and {repeaters:,}."
    )


def _unsettled(people: Sequence[History], repeaters: int) -> Predicted:
    return Predicted(
        "unsettled",
        "The model of how often customers come back did not settle on your orders, so nothing is "
        "predicted from it.",
        len(people),
        repeaters,
    )


def _fitted(year: Year, people: Sequence[History], repeaters: int) -> Predicted:
    from brandmind.dna import fits

    purchases = _purchases(people)
    if purchases is None:
        return _unsettled(people, repeaters)
    back = [one for one in people if one.repeats and one.net_minor > 0]
    correlation = _correlation(
        [one.repeats for one in back], [one.net_minor / one.repeats for one in back]
    )
    money, why, needs = _money(back, correlation)

    columns = _lives(people)
    orders_so_far = worth = 0.0 * columns.age
    value = fits.expected_value(money, *_spending(people)) if money else None
    for month in range(1, MONTHS + 1):
        so_far = fits.expected_orders(purchases, columns, month * _DAYS_A_MONTH / 7)
        if value is not None:
            # In the middle of the month, as orders come all through it.
            discount = (1 + YEARLY_DISCOUNT) ** ((month - 0.5) / 12)
            worth = worth + (so_far - orders_so_far) * value / discount
        orders_so_far = so_far
    still = fits.still_there(purchases, columns)
    # Where a fit lies too far out to be reckoned with, it is none; it must never cost a portrait.
    if not all(map(math.isfinite, (orders_so_far.sum(), worth.sum(), still.sum()))):
        return _unsettled(people, repeaters)
    return Predicted(
        reason=None,
        needs="",
        customers=len(people),
        repeaters=repeaters,
        expected_orders=_tenth_of(orders_so_far.sum()),
        expected_minor=None if value is None else round(float((orders_so_far * value).sum())),
        value_minor=None if value is None else round(float(worth.sum())),
        still_customers=round(float(still[columns.repeats > 0].sum())),
        correlation=round(correlation, 3),
        purchases=_told_purchases(purchases),
        money=_told_money(money) if money else None,
        money_reason=why,
        money_needs=needs,
        tenths=_tenths(orders_so_far.tolist(), worth.tolist() if money else None),
        checked=_checked(year),
    )


def _lives(people: Sequence[History]) -> Any:
    from brandmind.dna import fits

    return fits.lives(
        [one.repeats for one in people],
        [one.recency / 7 for one in people],
        [one.age / 7 for one in people],
    )


def _spending(people: Sequence[History]) -> tuple[list[int], list[float]]:
    """How often each came back, and what a visit was worth, nothing rather than less."""
    return [one.repeats for one in people], [
        max(0, one.net_minor) / one.repeats if one.repeats else 0.0 for one in people
    ]


def _purchases(people: Sequence[History]) -> Purchases | None:
    from brandmind.dna import fits

    step = -(-len(people) // _FITTED)
    # Those who never came back differ by their age alone.
    alike = Counter((one.repeats, one.recency, one.age) for one in people[::step])
    rows = sorted(alike)
    columns = _lives([History(*row, 0) for row in rows])
    return fits.fit_purchases(columns, [alike[row] for row in rows])


def _money(
    back: Sequence[History], correlation: float
) -> tuple[Money | None, Literal["linked", "unsettled"] | None, str]:
    """The fit of the amounts, or why there is none: a word and a sentence."""
    from brandmind.dna import fits

    if abs(correlation) >= MOST_CORRELATION:
        return None, "linked", (
            f"Whoever orders oftener here also spends {'more' if correlation > 0 else 'less'} an "
            f"order (correlation {correlation:.2f}), and the model of amounts holds only where "
            "that is not so."
        )  # fmt: skip
    step = -(-len(back) // _FITTED)
    found = fits.fit_money(*_spending(back[::step])) if len(back) >= LEAST_REPEATERS else None
    if found is None:
        return None, "unsettled", (
            "The model of what an order is worth did not settle on your orders, so no amounts are "
            "predicted from it."
        )  # fmt: skip
    return found, None, ""


def _correlation(left: Sequence[float], right: Sequence[float]) -> float:
    """Pearson's of two columns; 0 where one of them never changes."""
    if not left:
        return 0.0
    means = math.fsum(left) / len(left), math.fsum(right) / len(right)
    both = math.fsum((a - means[0]) * (b - means[1]) for a, b in zip(left, right, strict=True))
    spread = math.fsum((a - means[0]) ** 2 for a in left) * math.fsum(
        (b - means[1]) ** 2 for b in right
    )
    return both / math.sqrt(spread) if spread else 0.0


def _checked(year: Year) -> dict[str, float] | None:
    """What the fit of 90 days ago expected of the customers of then, and how often they came."""
    from brandmind.dna import fits

    then = histories(year, end=year.end - CHECKED_DAYS)
    repeaters = sum(one.repeats > 0 for one in then)
    if len(then) < LEAST_CUSTOMERS or repeaters < LEAST_REPEATERS:
        return None
    purchases = _purchases(then)
    if purchases is None:
        return None
    expected = fits.expected_orders(purchases, _lives(then), CHECKED_DAYS / 7).sum()
    if not math.isfinite(expected):
        return None
    came = sum(one.repeats for one in histories(year) if one.age > CHECKED_DAYS)
    return {
        "days": CHECKED_DAYS,
        "customers": len(then),
        "expected_orders": _tenth_of(expected),
        "orders": came - sum(one.repeats for one in then),
    }


def _tenths(orders: Sequence[float], worth: Sequence[float] | None) -> tuple[Tenth, ...]:
    """Tenths of the customers by value, else by orders, cut at the nearest ranks."""
    by = orders if worth is None else worth
    ranked = sorted(range(len(by)), key=lambda at: (-by[at], at))
    count, found, start = len(ranked), [], 0
    for tenth in range(1, 11):
        end = -(-tenth * count // 10)
        part, start = ranked[start:end], end
        found.append(
            Tenth(
                tenth,
                len(part),
                _tenth_of(math.fsum(orders[at] for at in part)),
                None if worth is None else round(math.fsum(worth[at] for at in part)),
            )
        )
    return tuple(found)


def _told_purchases(fit: Purchases) -> dict[str, float]:
    return {
        "r": _four(fit.r),
        "alpha_weeks": _four(fit.alpha),
        "a": _four(fit.a),
        "b": _four(fit.b),
        "log_likelihood": _tenth_of(fit.log_likelihood),
    }


def _told_money(fit: Money) -> dict[str, float]:
    return {
        "p": _four(fit.p),
        "q": _four(fit.q),
        "v_minor": _four(fit.v),
        "log_likelihood": _tenth_of(fit.log_likelihood),
    }


def _four(value: float) -> float:
    """At four digits: what a fit can know of a parameter, and what two machines agree on."""
    return float(f"{value:.4g}")


def _tenth_of(value: float) -> float:
    return half_up(float(value))
