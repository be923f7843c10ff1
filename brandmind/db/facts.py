"""The facts of a portrait out of the rows: a few plain scans, nothing wide, bounded memory.

All of them see one state of the store, whatever is written meanwhile.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.commerce.shop import zone
from brandmind.db import coverage, runs
from brandmind.db.tables import (
    CUSTOMER,
    LINE,
    ORDER,
    PRODUCT,
    PRODUCT_SALES,
    RUN,
    SALE,
    STAGE,
    STOCK_DAY,
    STORE,
    VARIANT,
)
from brandmind.dna.cohorts import CustomerMonth, month_of
from brandmind.dna.cuts import YEAR_DAYS
from brandmind.dna.facts import (
    GUEST,
    CustomerFact,
    Facts,
    LineFact,
    Lines,
    OrderFact,
    Orders,
    ProductFact,
    VariantFact,
)
from brandmind.errors import NotFound
from brandmind.sync.stages import Stage, StageState

# Two years and the month under way: what the averages of a season need.
_ORDER_DAYS: Final = 25 * 31
# The last four weeks and the 90 days before them, for the pulse.
_RETURN_DAYS: Final = 118
STOCK_DAYS: Final = 28
STOCK_KEPT_DAYS: Final = 90
_AT_ONCE: Final = 10_000
# An order cancelled in one of these states was never paid: nobody bought anything.
_PAID: Final = ("PAID", "PARTIALLY_PAID", "REFUNDED", "PARTIALLY_REFUNDED")
_PARTLY: Final = frozenset({StageState.GAP, StageState.RESTRICTED, StageState.FAILED})
_RESOURCE: Final = {
    Stage.PRODUCTS: "products",
    Stage.ORDERS: "orders",
    Stage.HISTORY: "orders",
    Stage.CUSTOMERS: "customers",
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """The facts of a portrait and what the tables beside it are made of.

    `months` are of customers whose first order is stored; `hours` how many orders were placed by
    (weekday, hour of the shop's own clock) in the year, Monday 0.
    """

    facts: Facts
    months: list[CustomerMonth]
    hours: dict[tuple[int, int], int]


def _column() -> array[int]:
    return array("q")


@dataclass(slots=True)
class _Bought:
    """All orders that tell of behaviour, as columns by ascending id."""

    gid: array[int] = field(default_factory=_column)
    day: array[int] = field(default_factory=_column)
    customer: array[int] = field(default_factory=_column)
    at_ms: array[int] = field(default_factory=_column)
    country: array[int] = field(default_factory=_column)
    gross: array[int] = field(default_factory=_column)
    discounts: array[int] = field(default_factory=_column)
    returned: array[int] = field(default_factory=_column)
    countries: list[str] = field(default_factory=list)
    place: dict[int, int] = field(default_factory=dict)


def as_of(session: Session, store_id: str, *, run_id: str) -> date:
    """The shop-local day of the run's high-water mark: days before it are whole. Raises NotFound.

    The mark is the shop's own clock when the run asked it; a run that only reads older orders
    asks nothing and goes by the last one that did.
    """
    store = _store(session, store_id)
    mark = session.scalar(sa.select(RUN.c.shop_at).where(RUN.c.run_id == run_id))
    at = mark or store.synced_until or store.last_synced_at or store.installed_at
    return _local(at, zone(store.timezone))


def order_count(session: Session, store_id: str) -> int:
    """How many orders of the store are stored."""
    query = sa.select(sa.func.count()).select_from(ORDER).where(ORDER.c.store_id == store_id)
    return int(session.execute(query).scalar_one())


def load(session: Session, store_id: str, *, as_of: date, run_id: str | None = None) -> Loaded:
    """Everything before `as_of`; `run_id` tells which resources it could read in part only.

    Raises NotFound.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    store = _store(session, store_id)
    tz = zone(store.timezone)
    currency = store.currency or ""
    bought = _orders(session, store_id, currency=currency, end=as_of)
    variant_of = _variants_of_lines(session, store_id)
    sales = _sales(session, store_id, bought, as_of=as_of)
    customers, prospects = _customers(session, store_id, bought)
    products = _products(session, store_id, as_of=as_of, tz=tz)
    variants = _ladder(session, store_id)
    stored_from = coverage.stored_from(session, store)
    reads_all = runs.reads_history(store.scopes)
    partly = _partly(session, run_id)
    # What follows may take longer than a connection should be held without a word.
    session.close()
    kept = _with_value(bought)
    end = as_of.toordinal()
    orders = Orders(
        OrderFact(
            bought.gid[at],
            bought.day[at],
            bought.customer[at],
            bought.countries[bought.country[at]],
            bought.gross[at],
            bought.discounts[at],
            bought.returned[at],
        )
        for at in kept
        if bought.day[at] >= end - _ORDER_DAYS
    )
    people = _lives(bought, kept, customers)
    facts = Facts(
        as_of=as_of,
        currency=currency,
        country=store.country_code or "",
        stored_from=min(stored_from, as_of) if stored_from else None,
        whole=store.history_done,
        orders=orders,
        lines=Lines(_lines(sales, variant_of), orders),
        returns=_return_days(sales, bought),
        customers=people,
        products=products,
        variants=variants,
        prospects=prospects,
        cut=not reads_all and not store.history_done,
        partly=partly,
    )
    return Loaded(
        facts,
        _months(bought, kept, facts),
        _hours(bought, kept, first=end - YEAR_DAYS, tz=tz),
    )


def _store(session: Session, store_id: str) -> Any:
    store = session.execute(sa.select(STORE).where(STORE.c.store_id == store_id)).first()
    if store is None:
        raise NotFound
    return store


def _stream(session: Session, query: sa.Select[Any]) -> Iterator[Any]:
    """Rows as they come: PostgreSQL's driver would otherwise hold all of them."""
    rows = session.execute(query, execution_options={"yield_per": _AT_ONCE})
    for some in rows.partitions(_AT_ONCE):
        yield from some


def _ms(session: Session, column: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    """A moment as Unix milliseconds, which SQLite holds already."""
    if session.get_bind().dialect.name == "sqlite":
        return sa.type_coerce(column, sa.BigInteger)
    return sa.cast(sa.func.floor(sa.extract("epoch", column) * 1000), sa.BigInteger)


def _orders(session: Session, store_id: str, *, currency: str, end: date) -> _Bought:
    found = _Bought()
    codes: dict[str, int] = {}
    days: dict[str, int] = {}
    for gid, day, customer, at_ms, country in _stream(
        session,
        sa.select(
            ORDER.c.shopify_id,
            ORDER.c.day,
            sa.func.coalesce(ORDER.c.customer_id, GUEST),
            _ms(session, ORDER.c.processed_at),
            sa.func.coalesce(ORDER.c.country_code, ""),
        ).where(
            ORDER.c.store_id == store_id,
            ORDER.c.day < end.isoformat(),
            sa.not_(ORDER.c.test),
            ORDER.c.currency == currency,
            sa.or_(ORDER.c.cancelled_at.is_(None), ORDER.c.financial_status.in_(_PAID)),
        ),
    ):
        found.place[gid] = len(found.gid)
        found.gid.append(gid)
        ordinal = days.get(day)
        if ordinal is None:
            ordinal = days[day] = date.fromisoformat(day).toordinal()
        found.day.append(ordinal)
        found.customer.append(customer)
        found.at_ms.append(at_ms)
        found.country.append(codes.setdefault(country, len(codes)))
    nothing = bytes(8 * len(found.gid))
    for column in (found.gross, found.discounts, found.returned):
        column.frombytes(nothing)
    found.countries.extend(codes)
    return found


@dataclass(slots=True)
class _Sales:
    """Sales of goods of the last year as columns, and returns of late as (day, order)."""

    line: array[int] = field(default_factory=_column)
    order: array[int] = field(default_factory=_column)
    product: array[int] = field(default_factory=_column)
    units: array[int] = field(default_factory=_column)
    sold: array[int] = field(default_factory=_column)
    returned: array[int] = field(default_factory=_column)
    returns: set[tuple[int, int]] = field(default_factory=set)


def _sales(session: Session, store_id: str, bought: _Bought, *, as_of: date) -> _Sales:
    """One scan of the ledger: each order's sums on the way, the last year's sales as they are."""
    since = (as_of - timedelta(days=YEAR_DAYS)).isoformat()
    late = (as_of - timedelta(days=_RETURN_DAYS)).isoformat()
    found = _Sales()
    place, gross, discounts, returned = (
        bought.place,
        bought.gross,
        bought.discounts,
        bought.returned,
    )
    for order, line, product, quantity, of_gross, of_discounts, of_returns, day in _stream(
        session,
        sa.select(
            SALE.c.order_id,
            SALE.c.line_id,
            SALE.c.product_id,
            sa.case(
                (SALE.c.action == "RETURN", -sa.func.abs(SALE.c.quantity)), else_=SALE.c.quantity
            ),
            SALE.c.gross_minor,
            SALE.c.discounts_minor,
            SALE.c.returns_minor,
            SALE.c.day,
        ).where(
            SALE.c.store_id == store_id,
            SALE.c.counted,
            SALE.c.kind == "PRODUCT",
            SALE.c.day < as_of.isoformat(),
        ),
    ):
        at = place.get(order)
        if at is None:
            continue
        gross[at] += of_gross
        discounts[at] += of_discounts
        returned[at] += of_returns
        if day >= since:
            found.line.append(line or 0)
            found.order.append(order)
            found.product.append(product or 0)
            found.units.append(quantity)
            found.sold.append(of_gross + of_discounts)
            found.returned.append(of_returns)
            if of_returns and day >= late:
                found.returns.add((date.fromisoformat(day).toordinal(), order))
    return found


def _variants_of_lines(session: Session, store_id: str) -> tuple[array[int], array[int]]:
    """Line ids, ascending, and the variant of each, 0 without one."""
    lines, variants = array("q"), array("q")
    for line, variant in _stream(
        session,
        sa.select(LINE.c.shopify_id, sa.func.coalesce(LINE.c.variant_id, 0))
        .where(LINE.c.store_id == store_id)
        .order_by(LINE.c.shopify_id),
    ):
        lines.append(line)
        variants.append(variant)
    return lines, variants


def _lines(sales: _Sales, variant_of: tuple[array[int], array[int]]) -> Iterator[LineFact]:
    """The sales of a line added up: what an edit took out of an order was never bought."""
    ids, variants = variant_of
    at, last, sums = 0, None, [0, 0, 0, 0, 0, 0]
    for n in sorted(range(len(sales.line)), key=sales.line.__getitem__):
        line = sales.line[n]
        if line and line == last:
            sums[3] += sales.units[n]
            sums[4] += sales.sold[n]
            sums[5] += sales.returned[n]
            continue
        if last is not None:
            yield LineFact(*sums)
        while at < len(ids) and ids[at] < line:
            at += 1
        variant = variants[at] if at < len(ids) and ids[at] == line else 0
        sums = [
            sales.order[n],
            sales.product[n],
            variant,
            sales.units[n],
            sales.sold[n],
            sales.returned[n],
        ]
        last = line
    if last is not None:
        yield LineFact(*sums)


def _return_days(sales: _Sales, bought: _Bought) -> list[tuple[int, int]]:
    counts = Counter(day for day, order in sales.returns if order in bought.place)
    return sorted(counts.items())


def _with_value(bought: _Bought) -> list[int]:
    """The places of orders that sold anything."""
    return [at for at in range(len(bought.gid)) if bought.gross[at] + bought.discounts[at] > 0]


def _customers(
    session: Session, store_id: str, bought: _Bought
) -> tuple[dict[int, tuple[int | None, int]], int]:
    """(the shop's own count of orders, how many are stored) by customer; and who never ordered."""
    stored: dict[int, int] = {
        row[0]: row[1]
        for row in _stream(
            session,
            sa.select(ORDER.c.customer_id, sa.func.count())
            .where(ORDER.c.store_id == store_id, ORDER.c.customer_id.is_not(None))
            .group_by(ORDER.c.customer_id),
        )
    }
    found: dict[int, tuple[int | None, int]] = {gid: (None, count) for gid, count in stored.items()}
    prospects = 0
    for gid, lifetime in _stream(
        session,
        sa.select(CUSTOMER.c.shopify_id, CUSTOMER.c.number_of_orders).where(
            CUSTOMER.c.store_id == store_id
        ),
    ):
        if gid in stored:
            found[gid] = (lifetime, stored[gid])
        elif not lifetime:
            prospects += 1
    return found, prospects


def _lives(
    bought: _Bought, kept: list[int], known: dict[int, tuple[int | None, int]]
) -> list[CustomerFact]:
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    count: defaultdict[int, int] = defaultdict(int)
    net: defaultdict[int, int] = defaultdict(int)
    for at in kept:
        gid = bought.customer[at]
        if gid == GUEST:
            continue
        first[gid] = min(first.get(gid, bought.day[at]), bought.day[at])
        last[gid] = max(last.get(gid, bought.at_ms[at]), bought.at_ms[at])
        count[gid] += 1
        net[gid] += bought.gross[at] + bought.discounts[at] + bought.returned[at]
    return [
        CustomerFact(
            gid,
            first[gid],
            last[gid],
            count[gid],
            net[gid],
            known.get(gid, (None, count[gid]))[1],
            known.get(gid, (None, 0))[0],
        )
        for gid in sorted(first)
    ]


def _months(bought: _Bought, kept: list[int], facts: Facts) -> list[CustomerMonth]:
    """What each customer did by month, of those whose first order is stored."""
    known = {
        one.gid
        for one in facts.customers
        if facts.whole or (one.lifetime is not None and one.lifetime <= one.stored)
    }
    month_by_day: dict[int, int] = {}
    sums: dict[tuple[int, int], list[int]] = {}
    for at in kept:
        customer, day = bought.customer[at], bought.day[at]
        if customer not in known:
            continue
        month = month_by_day.get(day)
        if month is None:
            local = date.fromordinal(day)
            month = month_by_day[day] = month_of(local.year, local.month)
        entry = sums.setdefault((customer, month), [0, 0])
        entry[0] += 1
        entry[1] += bought.gross[at] + bought.discounts[at] + bought.returned[at]
    return [CustomerMonth(*key, *entry) for key, entry in sums.items()]


def _hours(
    bought: _Bought, kept: list[int], *, first: int, tz: ZoneInfo
) -> dict[tuple[int, int], int]:
    counts: Counter[tuple[int, int]] = Counter()
    hours: dict[int, tuple[int, int]] = {}
    for at in kept:
        if bought.day[at] < first:
            continue
        # Zones change at full quarters of an hour: one look-up serves all orders of a quarter.
        quarter = bought.at_ms[at] // 900_000
        found = hours.get(quarter)
        if found is None:
            local = datetime.fromtimestamp(quarter * 900, tz)
            found = hours[quarter] = (local.weekday(), local.hour)
        counts[found] += 1
    return dict(counts)


def _products(session: Session, store_id: str, *, as_of: date, tz: ZoneInfo) -> list[ProductFact]:
    stock = stock_of(session, store_id, as_of=as_of)
    found = []
    for row in _stream(
        session,
        sa.select(
            PRODUCT.c.shopify_id,
            PRODUCT.c.title,
            PRODUCT.c.status,
            PRODUCT.c.created_at,
            PRODUCT.c.published_at,
            PRODUCT.c.total_inventory,
            PRODUCT.c.tracks_inventory,
        ).where(PRODUCT.c.store_id == store_id, sa.not_(PRODUCT.c.is_gift_card)),
    ):
        days, units = stock.get(row.shopify_id, (0, 0))
        found.append(
            ProductFact(
                row.shopify_id,
                row.title,
                row.status == "ACTIVE",
                _local(row.created_at, tz).toordinal(),
                _local(row.published_at or row.created_at, tz).toordinal(),
                row.total_inventory if row.tracks_inventory else None,
                days,
                units,
            )
        )
    return found


def stock_of(session: Session, store_id: str, *, as_of: date) -> dict[int, tuple[int, int]]:
    """By product how many of its latest 28 days in stock are known, and what sold on them."""
    in_stock = (
        sa.select(
            STOCK_DAY.c.product_id,
            STOCK_DAY.c.day,
            sa.func.row_number()
            .over(partition_by=STOCK_DAY.c.product_id, order_by=STOCK_DAY.c.day.desc())
            .label("back"),
        )
        .where(
            STOCK_DAY.c.store_id == store_id,
            STOCK_DAY.c.day < as_of.isoformat(),
            STOCK_DAY.c.available > 0,
        )
        .subquery("in_stock")
    )
    sold = (
        sa.select(
            PRODUCT_SALES.c.product_id,
            PRODUCT_SALES.c.day,
            sa.func.sum(PRODUCT_SALES.c.units).label("units"),
        )
        .where(
            PRODUCT_SALES.c.store_id == store_id,
            PRODUCT_SALES.c.day >= (as_of - timedelta(days=STOCK_KEPT_DAYS)).isoformat(),
        )
        .group_by(PRODUCT_SALES.c.product_id, PRODUCT_SALES.c.day)
        .subquery("sold")
    )
    return {
        row[0]: (int(row[1]), int(row[2]))
        for row in session.execute(
            sa.select(
                in_stock.c.product_id,
                sa.func.count(),
                sa.func.coalesce(sa.func.sum(sold.c.units), 0),
            )
            .outerjoin(
                sold,
                sa.and_(sold.c.product_id == in_stock.c.product_id, sold.c.day == in_stock.c.day),
            )
            .where(in_stock.c.back <= STOCK_DAYS)
            .group_by(in_stock.c.product_id)
        )
    }


def _ladder(session: Session, store_id: str) -> list[VariantFact]:
    """The variants of active products; gift cards are no goods."""
    return [
        VariantFact(*row)
        for row in _stream(
            session,
            sa.select(VARIANT.c.shopify_id, VARIANT.c.product_id, VARIANT.c.price_minor)
            .join(
                PRODUCT,
                sa.and_(
                    PRODUCT.c.store_id == store_id, PRODUCT.c.shopify_id == VARIANT.c.product_id
                ),
            )
            .where(
                VARIANT.c.store_id == store_id,
                PRODUCT.c.status == "ACTIVE",
                sa.not_(PRODUCT.c.is_gift_card),
            ),
        )
    ]


def _partly(session: Session, run_id: str | None) -> frozenset[str]:
    if run_id is None:
        return frozenset()
    rows = session.execute(
        sa.select(STAGE.c.stage).where(
            STAGE.c.run_id == run_id, STAGE.c.state.in_([state.value for state in _PARTLY])
        )
    )
    return frozenset(_RESOURCE[stage] for row in rows if (stage := Stage(row.stage)) in _RESOURCE)


def _local(at: datetime, tz: ZoneInfo) -> date:
    try:
        return at.astimezone(tz).date()
    except OverflowError:
        return at.date()
