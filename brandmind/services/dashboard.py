"""The figures of the command center, by Shopify's definitions, for a store and a range of days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from brandmind.clock import utc_now
from brandmind.commerce.shop import zone
from brandmind.db import figures as rows
from brandmind.db.figures import CustomerDay, DaySums, Span, SpanFigures, StoreFacts, added
from brandmind.errors import InvalidInput

if TYPE_CHECKING:
    from brandmind.runtime import Runtime

Compare = Literal["previous", "year"]

TOP_PRODUCTS: Final = 10
RECENT_ORDERS: Final = 10
LONGEST_DAYS: Final = 3660
SIX_MONTHS: Final = timedelta(days=182)
# The same weekdays a year earlier.
_YEAR: Final = timedelta(days=364)
_MATURE: Final = timedelta(days=30)
_PRICE_BINS: Final = 16
_TRAILING_DAYS: Final = 7


@dataclass(frozen=True, slots=True)
class Kpis:
    """The figures of a range of shop-local days, both ends inclusive; money in minor units.

    net = gross + discounts + returns (the last two are zero or negative). Rates are fractions
    0-1, None where there is nothing to divide by. `refund_window` are the days of the latest
    mature window of the range's length (orders 30 days or older).

    New and returning customers are apart: first order ever in the range, or an earlier one before
    it. `repeat_customers` have more than one order ever: they of all customers are the returning
    customer rate. `customers_with_two` have more than one in the range: they of all customers are
    the repeat purchase rate, which lies far below. Who is new or came back is None while nobody
    can tell: older orders are missing, and so are the shop's own counts of its customers' orders.
    """

    currency: str
    gross_minor: int
    discounts_minor: int
    returns_minor: int
    net_minor: int
    shipping_minor: int
    taxes_minor: int
    total_minor: int
    orders: int
    units: int
    aov_minor: int | None
    customers: int
    new_customers: int | None
    returning_customers: int | None
    returning_customer_rate: float | None
    refund_rate: float | None
    refund_window: tuple[date, date]
    repeat_customers: int | None = 0
    customers_with_two: int = 0
    repeat_purchase_rate: float | None = None


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One shop-local day; days without orders are present with zeros.

    `new_customers` had their first order ever on it. `returning_customer_rate` is that of the
    days of the range among the seven up to it, a customer counted once a day: 0-1, None where
    nobody ordered, or where it was not asked for.
    """

    day: date
    gross_minor: int
    discounts_minor: int
    returns_minor: int
    net_minor: int
    orders: int
    units: int
    new_customers: int = 0
    returning_customer_rate: float | None = None


@dataclass(frozen=True, slots=True)
class ProductFigures:
    """One product's net sales in the range; `share` of all net sales and `return_rate`: 0-1."""

    product_id: int | None
    title: str
    net_minor: int
    units: int
    orders: int
    share: float | None
    return_rate: float | None


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One recent order as the table shows it; no customer's name.

    `currency` is the one it was kept in, which another than the store's may be.
    """

    shopify_id: int
    name: str
    processed_at: datetime
    net_minor: int
    total_minor: int
    units: int
    financial_status: str | None
    cancelled: bool
    test: bool
    currency: str


@dataclass(frozen=True, slots=True)
class ReadyNow:
    """What can be told while a first sync runs; empty parts mean "not yet".

    `price_bins`: (from_minor, to_minor, variants) over the active variants' prices.
    `days`: (shop-local day, orders) of the stored orders of the last six months.
    """

    currency: str | None
    products: int
    variants: int
    price_min_minor: int | None
    price_max_minor: int | None
    price_p25_minor: int | None
    price_p75_minor: int | None
    price_bins: tuple[tuple[int, int, int], ...]
    days: tuple[tuple[date, int], ...]
    first_order_day: date | None
    best_day: tuple[date, int] | None


@dataclass(frozen=True, slots=True)
class CommandCenter:
    """Everything the command center shows of one store and range.

    `stored_from` is the earliest day from which every day's orders are stored (None: none yet):
    a card is real as soon as it lies at or before the range's first day.

    `refund_rates` has a rate for each day of the refund window, None where nothing was sold:
    that of the days of the window among the seven up to it.
    """

    store_id: str
    currency: str
    timezone: str
    today: date
    date_from: date
    date_to: date
    stored_from: date | None
    kpis: Kpis
    compared: Kpis | None
    days: tuple[DayFigures, ...]
    compared_days: tuple[DayFigures, ...]
    top_products: tuple[ProductFigures, ...]
    recent_orders: tuple[OrderLine, ...]
    other_currencies: tuple[str, ...]
    refund_rates: tuple[float | None, ...] = ()


async def command_center(
    rt: Runtime,
    store_id: str,
    *,
    date_from: date,
    date_to: date,
    compare: Compare | None = "previous",
) -> CommandCenter:
    """The page's figures for shop-local days, both inclusive.

    `compare` is with the days just before ("previous") or 364 days earlier, the same weekdays
    ("year"). Days that are not stored yet are compared with nothing. Raises NotFound and
    InvalidInput.
    """
    length = length_of(date_from, date_to)
    facts = await rt.db.read(rows.facts, store_id)
    today = utc_now().astimezone(zone(facts.timezone)).date()
    span = Span(date_from, date_to)
    before = compared_span(span, compare) if compare else None
    if before is not None and not _covered(facts, before):
        before = None
    mature = mature_span(date_to, length=length, today=today)
    found = await _found(rt, store_id, facts, span=span, mature=mature)
    kpis, days = found.kpis, found.days
    compared: Kpis | None = None
    compared_days: dict[date, DaySums] = {}
    if before is not None:
        back = span.first - before.first
        compared, compared_days = await _figures(
            rt,
            store_id,
            facts,
            span=before,
            mature=Span(mature.first - back, mature.last - back),
        )
    others = await rt.db.read(rows.other_currencies, store_id, currency=facts.currency, span=span)
    recent = await rt.db.read(rows.recent_orders, store_id, limit=RECENT_ORDERS)
    return CommandCenter(
        store_id=store_id,
        currency=facts.currency,
        timezone=facts.timezone,
        today=today,
        date_from=date_from,
        date_to=date_to,
        stored_from=facts.stored_from,
        kpis=kpis,
        compared=compared,
        days=_day_figures(days, found.people),
        compared_days=_day_figures(compared_days),
        top_products=await top_products(
            rt, store_id, currency=facts.currency, span=span, limit=TOP_PRODUCTS
        ),
        recent_orders=tuple(OrderLine(*order) for order in recent),
        other_currencies=others,
        refund_rates=_trailing_rates(
            [(-day.returned_minor, day.placed_minor) for day in found.mature.values()]
        ),
    )


async def kpis(rt: Runtime, store_id: str, *, date_from: date, date_to: date) -> Kpis:
    """The figures of a range alone. Raises NotFound and InvalidInput."""
    length = length_of(date_from, date_to)
    facts = await rt.db.read(rows.facts, store_id)
    today = utc_now().astimezone(zone(facts.timezone)).date()
    span = Span(date_from, date_to)
    mature = mature_span(date_to, length=length, today=today)
    found, _ = await _figures(rt, store_id, facts, span=span, mature=mature)
    return found


async def top_products(
    rt: Runtime, store_id: str, *, currency: str, span: Span, limit: int
) -> tuple[ProductFigures, ...]:
    """The products with the highest net sales."""
    found = await rt.db.read(rows.top_products, store_id, currency=currency, span=span, limit=limit)
    return tuple(
        ProductFigures(
            product_id=row.product_id,
            title=row.title,
            net_minor=row.net_minor,
            units=row.units,
            orders=row.orders,
            # What was returned more than sold counts as nothing, so that shares add up to one.
            share=rate(max(0, row.net_minor), row.positive_minor),
            return_rate=rate(-row.returned_minor, row.sold_minor),
        )
        for row in found
    )


async def ready_now(rt: Runtime, store_id: str) -> ReadyNow:
    """What is stored so far, for the waiting room. Raises NotFound."""
    facts = await rt.db.read(rows.facts, store_id)
    today = utc_now().astimezone(zone(facts.timezone)).date()
    stored = await rt.db.read(rows.catalogue_counts, store_id)
    prices = await rt.db.read(rows.active_prices, store_id)
    orders = await rt.db.read(rows.order_days, store_id, since=today - SIX_MONTHS)
    first = min(orders, default=None)
    days = (
        tuple((day, orders.get(day, 0)) for day in each_day(Span(first, max(today, *orders))))
        if first is not None
        else ()
    )
    return ReadyNow(
        currency=facts.currency or None,
        products=stored.products,
        variants=stored.variants,
        price_min_minor=prices[0][0] if prices else None,
        price_max_minor=prices[-1][0] if prices else None,
        price_p25_minor=_percentile(prices, 25),
        price_p75_minor=_percentile(prices, 75),
        price_bins=price_steps(prices),
        days=days,
        first_order_day=first,
        # Of equal days the latest.
        best_day=max(days, key=lambda at: (at[1], at[0]), default=None),
    )


def compared_span(span: Span, compare: Compare) -> Span:
    """The days a span is compared with, as many as it has."""
    back = _YEAR if compare == "year" else timedelta(days=length_of(span.first, span.last))
    return Span(span.first - back, span.last - back)


def mature_span(date_to: date, *, length: int, today: date) -> Span:
    """The latest `length` days up to `date_to` whose orders are 30 days old or older.

    Younger orders may still come back, and would make the refund rate look better than it is.
    """
    last = min(date_to, today - _MATURE)
    return Span(last - timedelta(days=length - 1), last)


def kpis_of(found: SpanFigures, *, facts: StoreFacts, mature: Span) -> Kpis:
    """The figures of a span's sums and customers."""
    sums, people = added(found.days.values()), found.customers
    read = facts.customers_read
    tells_new = people.tells_new(customers_read=read)
    tells_repeat = people.tells_repeat(customers_read=read)
    aged = added(found.mature.values())
    return Kpis(
        currency=facts.currency,
        gross_minor=sums.gross_minor,
        discounts_minor=sums.discounts_minor,
        returns_minor=sums.returns_minor,
        net_minor=sums.net_minor,
        shipping_minor=sums.shipping_minor,
        taxes_minor=sums.taxes_minor,
        total_minor=sums.total_minor,
        orders=sums.orders,
        units=sums.units,
        aov_minor=average(sums.placed_minor, sums.orders),
        customers=people.customers,
        new_customers=people.new if tells_new else None,
        returning_customers=people.returning if tells_new else None,
        returning_customer_rate=rate(people.repeat, people.customers) if tells_repeat else None,
        refund_rate=rate(-aged.returned_minor, aged.placed_minor),
        refund_window=(mature.first, mature.last),
        repeat_customers=people.repeat if tells_repeat else None,
        customers_with_two=people.twice,
        repeat_purchase_rate=rate(people.twice, people.customers),
    )


def average(total_minor: int, count: int) -> int | None:
    """The average in minor units, rounded half up; None of nothing."""
    return (2 * total_minor + count) // (2 * count) if count else None


class _Found(NamedTuple):
    """The figures of a span, with all of its days and all of those of its refund window."""

    kpis: Kpis
    days: dict[date, DaySums]
    people: dict[date, CustomerDay]
    mature: dict[date, DaySums]


async def _figures(
    rt: Runtime, store_id: str, facts: StoreFacts, *, span: Span, mature: Span
) -> tuple[Kpis, dict[date, DaySums]]:
    found = await _found(rt, store_id, facts, span=span, mature=mature)
    return found.kpis, found.days


async def _found(
    rt: Runtime, store_id: str, facts: StoreFacts, *, span: Span, mature: Span
) -> _Found:
    mature = _within(mature, facts)
    found = await rt.db.read(
        rows.span_figures,
        store_id,
        currency=facts.currency,
        span=span,
        mature=mature,
        whole=facts.history_done,
    )
    nothing = DaySums()
    return _Found(
        kpis_of(found, facts=facts, mature=mature),
        {day: found.days.get(day, nothing) for day in each_day(span)},
        found.customer_days,
        {day: found.mature.get(day, nothing) for day in each_day(mature)},
    )


def _day_figures(
    days: dict[date, DaySums], people: dict[date, CustomerDay] | None = None
) -> tuple[DayFigures, ...]:
    nobody = CustomerDay()
    on = [(people or {}).get(day, nobody) for day in days]
    returning = _trailing_rates([(at.repeat, at.customers) for at in on])
    return tuple(
        DayFigures(
            day=day,
            gross_minor=sums.gross_minor,
            discounts_minor=sums.discounts_minor,
            returns_minor=sums.returns_minor,
            net_minor=sums.net_minor,
            orders=sums.orders,
            units=sums.units,
            new_customers=at.new,
            returning_customer_rate=share,
        )
        for (day, sums), at, share in zip(days.items(), on, returning, strict=True)
    )


def _trailing_rates(parts: Sequence[tuple[int, int]]) -> tuple[float | None, ...]:
    """For each day the rate of the up to seven days that end with it."""
    seven = [parts[max(0, at - _TRAILING_DAYS + 1) : at + 1] for at in range(len(parts))]
    return tuple(rate(sum(part for part, _ in days), sum(of for _, of in days)) for days in seven)


def _within(mature: Span, facts: StoreFacts) -> Span:
    """The part of the refund window whose orders are stored, all of it where none are."""
    since = facts.stored_from
    if facts.history_done or since is None or since > mature.last:
        return mature
    return Span(max(mature.first, since), mature.last)


def _covered(facts: StoreFacts, span: Span) -> bool:
    if facts.history_done:
        return True
    return facts.stored_from is not None and facts.stored_from <= span.first


def length_of(date_from: date, date_to: date) -> int:
    """How many days a range has. Raises InvalidInput of one that is none, or too long."""
    if date_from > date_to:
        raise InvalidInput("The first day is after the last one.", field="from")
    length = (date_to - date_from).days + 1
    if length > LONGEST_DAYS:
        raise InvalidInput("At most ten years at once.", field="from")
    return length


def each_day(span: Span) -> Iterator[date]:
    """The days of a span, in order."""
    return (span.first + timedelta(days=n) for n in range((span.last - span.first).days + 1))


def rate(part: int, whole: int) -> float | None:
    """The part of the whole, 0-1; None of nothing."""
    return min(1.0, max(0.0, part / whole)) if whole > 0 else None


def changed(now: float | None, before: float | None) -> float | None:
    """By what part of what was before a figure rose (0.1) or fell (-0.1); None where nobody can
    say, which is so after nothing as well.
    """
    if now is None or before is None or before == 0:
        return None
    return (now - before) / abs(before)


def apart(now: float | None, before: float | None) -> float | None:
    """By how much a rate (0-1) rose or fell, -1 to 1: 0.01 is a point; None without both."""
    return None if now is None or before is None else now - before


def _percentile(prices: list[tuple[int, int]], percent: int) -> int | None:
    """The nearest-rank percentile of (price, how many), lowest first."""
    rank = -(-percent * sum(count for _, count in prices) // 100)
    for price, count in prices:
        rank -= count
        if rank <= 0:
            return price
    return None


def price_steps(prices: list[tuple[int, int]]) -> tuple[tuple[int, int, int], ...]:
    """Steps of equal width; the last one takes in the few prices far above all others."""
    if not prices:
        return ()
    low, high = prices[0][0], prices[-1][0]
    usual = _percentile(prices, 95) or high
    top = high if high <= 2 * usual else usual
    width = max(1, -(-(top - low + 1) // _PRICE_BINS))
    bins = -(-(top - low + 1) // width)
    held = [0] * bins
    for price, count in prices:
        held[min(bins - 1, (price - low) // width)] += count
    return tuple(
        (low + n * width, high if n == bins - 1 else low + (n + 1) * width - 1, count)
        for n, count in enumerate(held)
    )
