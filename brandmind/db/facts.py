"""The facts of a portrait out of the rows: a few plain scans, nothing wide, bounded memory.

All of them see one state of the store, whatever is written meanwhile.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import compress, pairwise
from operator import add
from types import SimpleNamespace
from typing import Any, Final, NamedTuple, cast
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.commerce.shop import zone
from brandmind.db import coverage, figures, runs
from brandmind.db.tables import (
    CUSTOMER,
    DAILY_SALES,
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
    CUSTOM_ITEM,
    GUEST,
    CustomerFact,
    Facts,
    Lines,
    Orders,
    ProductFact,
    VariantFact,
    YearBuyers,
)
from brandmind.dna.rfm import GROUPS
from brandmind.errors import NotFound
from brandmind.sync.stages import Stage, StageState

# Two years and the month under way: what the averages of a season need.
_ORDER_DAYS: Final = 25 * 31
# The last four weeks and the 90 days before them, for the pulse.
_RETURN_DAYS: Final = 118
# Four weeks, and the same ones 364 days earlier.
_NET_DAYS: Final = 28 + 364
STOCK_DAYS: Final = 28
STOCK_KEPT_DAYS: Final = 90
_AT_ONCE: Final = 10_000
# An order cancelled in one of these states was never paid: nobody bought anything.
PAID: Final = ("PAID", "PARTIALLY_PAID", "REFUNDED", "PARTIALLY_REFUNDED")
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
    (weekday, hour of the shop's own clock) in the year, Monday 0; `never` the ids of those whom
    `facts.prospects` counts.
    """

    facts: Facts
    months: list[CustomerMonth]
    hours: dict[tuple[int, int], int]
    year_buyers: YearBuyers
    never: list[int]


def _column() -> array[int]:
    return array("q")


@dataclass(slots=True)
class _Bought:
    """Orders that tell of behaviour, as columns by ascending id. `country` is a place in
    `countries`.
    """

    gid: array[int] = field(default_factory=_column)
    day: array[int] = field(default_factory=_column)
    customer: array[int] = field(default_factory=_column)
    at_ms: array[int] = field(default_factory=_column)
    country: array[int] = field(default_factory=_column)
    gross: array[int] = field(default_factory=_column)
    discounts: array[int] = field(default_factory=_column)
    returned: array[int] = field(default_factory=_column)
    countries: list[str] = field(default_factory=list)

    def _only(self, wanted: list[bool]) -> _Bought:
        if all(wanted):
            return self
        columns = {name: array("q", compress(getattr(self, name), wanted)) for name in _COLUMNS}
        return _Bought(**columns, countries=self.countries)

    def with_value(self) -> _Bought:
        """The orders that sold anything."""
        worth = map(add, self.gross, self.discounts)
        return self._only([minor > 0 for minor in worth])

    def since(self, first: int) -> Orders:
        """The orders of day `first` and later."""
        some = self._only([day >= first for day in self.day])
        return Orders.of_columns(
            some.gid, some.day, some.customer, some.country, some.gross, some.discounts,
            some.returned, countries=self.countries,
        )  # fmt: skip


_COLUMNS: Final = (
    "gid", "day", "customer", "at_ms", "country", "gross", "discounts", "returned",
)  # fmt: skip


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


def buyers(session: Session, store_id: str) -> tuple[int, int]:
    """How many customers have a stored order of any kind, and how many have two or more."""
    each = (
        sa.select(sa.func.count().label("orders"))
        .where(ORDER.c.store_id == store_id, ORDER.c.customer_id.is_not(None))
        .group_by(ORDER.c.customer_id)
        .subquery()
    )
    query = sa.select(sa.func.count(), sa.func.count().filter(each.c.orders > 1))
    customers, repeaters = session.execute(query.select_from(each)).one()
    return int(customers), int(repeaters)


def load(session: Session, store_id: str, *, as_of: date, run_id: str | None = None) -> Loaded:
    """Everything before `as_of`; `run_id` tells which resources it could read in part only.

    Raises NotFound.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    store = _with_older(session, _store(session, store_id), run_id)
    tz = zone(store.timezone)
    currency = store.currency or ""
    year_buyers = _year_buyers(session, store, as_of=as_of)
    bought = _orders(session, store_id, currency=currency, end=as_of)
    sales = _sales(session, store_id, bought, as_of=as_of)
    kept = bought.with_value()
    ordered = order_counts(session, store_id)
    customers, never = _customers(
        session, store_id, ordered, buyers=set(kept.customer), whole=store.history_done
    )
    products = _products(session, store_id, as_of=as_of, tz=tz)
    nets = _nets(session, store_id, currency=currency, as_of=as_of)
    variants = _ladder(session, store_id)
    stored_from = coverage.stored_from(session, store)
    reads_all = runs.reads_history(store.scopes)
    partly = _partly(session, run_id)
    # What follows may take longer than a connection should be held without a word.
    session.close()
    end = as_of.toordinal()
    gid_of = bought.gid
    orders = kept.since(end - _ORDER_DAYS)
    people, months = _lives(kept, customers, whole=store.history_done)
    facts = Facts(
        as_of=as_of,
        currency=currency,
        country=store.country_code or "",
        stored_from=min(stored_from, as_of) if stored_from else None,
        whole=store.history_done,
        orders=orders,
        lines=_lines(sales, gid_of, orders),
        returns=sorted(Counter(day for day, _ in sales.returns).items()),
        nets=nets,
        customers=people,
        products=products,
        variants=variants,
        prospects=len(never),
        cut=not reads_all and not store.history_done,
        partly=partly,
    )
    hours = _hours(kept, first=end - YEAR_DAYS, tz=tz)
    return Loaded(facts, months, hours, year_buyers, never)


def _store(session: Session, store_id: str) -> Any:
    store = session.execute(sa.select(STORE).where(STORE.c.store_id == store_id)).first()
    if store is None:
        raise NotFound
    return store


def _with_older(session: Session, store: Any, run_id: str | None) -> Any:
    """The store as it will be once the run is over: what its older orders tell is told to the
    store by the run's last act, and the portrait is made before that.
    """
    history = session.execute(
        sa.select(STAGE).where(STAGE.c.run_id == run_id, STAGE.c.stage == Stage.HISTORY.value)
    ).first()
    learnt = runs.history_learnt(store, history) if history is not None else {}
    return SimpleNamespace(**{**store._mapping, **learnt})


def _year_buyers(session: Session, store: Any, *, as_of: date) -> YearBuyers:
    """By the command center's own count, so that its rates of these days are the same.

    `store` is the store's row.
    """
    year = figures.Span(as_of - timedelta(days=YEAR_DAYS), as_of - timedelta(days=1))
    found = figures.customer_counts(session, store.store_id, span=year, whole=store.history_done)
    tells = found.tells_repeat(customers_read=coverage.customers_read(session, store))
    return YearBuyers(found.customers, found.repeat if tells else None, found.twice)


def _lots(session: Session, query: sa.Select[Any]) -> Iterator[Sequence[Sequence[Any]]]:
    """Rows as they come, some thousands at once, as plain as the driver has them."""
    if session.get_bind().dialect.name == "sqlite":
        # A row of SQLAlchemy's costs as much as reading it.
        with session.execute(query) as found:
            cursor = cast(sa.CursorResult[Any], found).cursor
            while rows := cursor.fetchmany(_AT_ONCE):
                yield rows
        return
    # PostgreSQL's driver would otherwise hold all of them.
    yield from session.execute(query, execution_options={"yield_per": _AT_ONCE}).partitions()


def _stream(session: Session, query: sa.Select[Any]) -> Iterator[Sequence[Any]]:
    for rows in _lots(session, query):
        yield from rows


def unix_ms(session: Session, column: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    """A moment as Unix milliseconds, which SQLite holds already."""
    if session.get_bind().dialect.name == "sqlite":
        return sa.type_coerce(column, sa.BigInteger)
    return sa.cast(sa.func.floor(sa.extract("epoch", column) * 1000), sa.BigInteger)


class _Numbered(dict[str, int]):
    """A number for each text, in the order they come."""

    def __missing__(self, text: str) -> int:
        self[text] = number = len(self)
        return number


class _Ordinals(dict[str, int]):
    """The ordinals of ISO days."""

    def __missing__(self, day: str) -> int:
        self[day] = ordinal = date.fromisoformat(day).toordinal()
        return ordinal


def _orders(session: Session, store_id: str, *, currency: str, end: date) -> _Bought:
    found = _Bought()
    codes, days = _Numbered(), _Ordinals()
    for rows in _lots(
        session,
        sa.select(
            ORDER.c.shopify_id,
            ORDER.c.day,
            sa.func.coalesce(ORDER.c.customer_id, GUEST),
            unix_ms(session, ORDER.c.processed_at),
            sa.func.coalesce(ORDER.c.country_code, ""),
        )
        .where(
            ORDER.c.store_id == store_id,
            ORDER.c.day < end.isoformat(),
            sa.not_(ORDER.c.test),
            ORDER.c.currency == currency,
            sa.or_(ORDER.c.cancelled_at.is_(None), ORDER.c.financial_status.in_(PAID)),
        )
        .order_by(ORDER.c.shopify_id),
    ):
        gid, day, customer, at_ms, country = zip(*rows, strict=True)
        found.gid.extend(gid)
        found.day.extend(map(days.__getitem__, day))
        found.customer.extend(customer)
        found.at_ms.extend(at_ms)
        found.country.extend(map(codes.__getitem__, country))
    nothing = bytes(8 * len(found.gid))
    for column in (found.gross, found.discounts, found.returned):
        column.frombytes(nothing)
    found.countries.extend(codes)
    return found


@dataclass(slots=True)
class _Sales:
    """Sales of goods of the last year as columns, and returns of late as (day, order).

    `order` is a place in `_Bought`, `line` and `product` are ids, 0 without one.
    """

    line: array[int] = field(default_factory=_column)
    order: array[int] = field(default_factory=_column)
    product: array[int] = field(default_factory=_column)
    variant: array[int] = field(default_factory=_column)
    units: array[int] = field(default_factory=_column)
    sold: array[int] = field(default_factory=_column)
    returned: array[int] = field(default_factory=_column)
    returns: set[tuple[int, int]] = field(default_factory=set)


def _sales(session: Session, store_id: str, bought: _Bought, *, as_of: date) -> _Sales:
    """One scan of the ledger: each order's sums on the way, the last year's sales as they are."""
    since = (as_of - timedelta(days=YEAR_DAYS)).isoformat()
    late = (as_of - timedelta(days=_RETURN_DAYS)).isoformat()
    found = _Sales()
    place = dict(zip(bought.gid, range(len(bought.gid)), strict=True))
    gross, discounts, returned = bought.gross, bought.discounts, bought.returned
    days = _Ordinals()
    # A join on nothing where the sale is older: only lines of the last year are looked up.
    line_id = sa.case((SALE.c.day >= since, SALE.c.line_id))
    for rows in _lots(
        session,
        sa.select(
            SALE.c.order_id,
            SALE.c.gross_minor,
            SALE.c.discounts_minor,
            SALE.c.returns_minor,
            SALE.c.day,
            sa.func.coalesce(SALE.c.line_id, 0),
            sa.func.coalesce(SALE.c.product_id, CUSTOM_ITEM),
            sa.func.coalesce(LINE.c.variant_id, 0),
            sa.case(
                (SALE.c.action == "RETURN", -sa.func.abs(SALE.c.quantity)), else_=SALE.c.quantity
            ),
        )
        .outerjoin(LINE, sa.and_(LINE.c.store_id == store_id, LINE.c.shopify_id == line_id))
        .where(
            SALE.c.store_id == store_id,
            SALE.c.counted,
            SALE.c.kind == "PRODUCT",
            SALE.c.day < as_of.isoformat(),
        )
        .order_by(SALE.c.shopify_id),
    ):
        for order, of_gross, of_discounts, of_returns, day, line, product, variant, units in rows:
            at = place.get(order)
            if at is None:
                continue
            gross[at] += of_gross
            if of_discounts:
                discounts[at] += of_discounts
            if of_returns:
                returned[at] += of_returns
                if day >= late:
                    found.returns.add((days[day], order))
            if day >= since:
                found.line.append(line)
                found.order.append(at)
                found.product.append(product)
                found.variant.append(variant)
                found.units.append(units)
                found.sold.append(of_gross + of_discounts)
                found.returned.append(of_returns)
    return found


def _lines(sales: _Sales, gid_of: array[int], orders: Orders) -> Lines:
    """The sales of a line added up: what an edit took out of an order was never bought."""
    # Sorting is stable: the first sale of a line stays the first.
    way = sorted(range(len(sales.line)), key=sales.line.__getitem__)
    order, product, variant, units, sold, returned = (
        array("q", map(column.__getitem__, way))
        for column in (
            sales.order, sales.product, sales.variant, sales.units, sales.sold, sales.returned,
        )
    )  # fmt: skip
    line = list(map(sales.line.__getitem__, way))
    again = [at + 1 for at, (one, next_) in enumerate(pairwise(line)) if one == next_ and one]
    first = -1
    for at in again:
        if first < 0 or line[first] != line[at]:
            first = at - 1
        units[first] += units[at]
        sold[first] += sold[at]
        returned[first] += returned[at]
    if again:
        kept = bytearray(b"\1") * len(line)
        for at in again:
            kept[at] = 0
        order, product, variant, units, sold, returned = (
            array("q", compress(column, kept))
            for column in (order, product, variant, units, sold, returned)
        )
    return Lines.of_columns(
        map(gid_of.__getitem__, order), product, variant, units, sold, returned, orders=orders
    )


class _Known(NamedTuple):
    """What the shop says of a customer, None where it does not: `lifetime` orders, and a group.

    `stored` is how many of their orders are stored, without tests.
    """

    lifetime: int | None
    stored: int
    group: str | None = None


def _nets(session: Session, store_id: str, *, currency: str, as_of: date) -> list[tuple[int, int]]:
    """The stored net sales of the days that have any, by (ordinal) day: see `Facts.nets`."""
    first = as_of - timedelta(days=_NET_DAYS)
    rows = session.execute(
        sa.select(DAILY_SALES.c.day, DAILY_SALES.c.net_minor)
        .where(
            DAILY_SALES.c.store_id == store_id,
            DAILY_SALES.c.currency == currency,
            DAILY_SALES.c.day >= first.isoformat(),
            DAILY_SALES.c.day < as_of.isoformat(),
        )
        .order_by(DAILY_SALES.c.day)
    )
    return [(date.fromisoformat(day).toordinal(), int(net)) for day, net in rows]


def order_counts(session: Session, store_id: str) -> dict[int, tuple[int, int]]:
    """How many orders of each customer are stored, without test orders and with them.

    What the shop's own count is held against leaves tests out: Shopify says of it that test orders
    are not counted, and one of ours would stand for an older order that is missing.
    """
    found: dict[int, tuple[int, int]] = {}
    for rows in _lots(
        session,
        sa.select(
            ORDER.c.customer_id,
            sa.func.sum(sa.case((ORDER.c.test, 0), else_=1)),
            sa.func.count(),
        )
        .where(ORDER.c.store_id == store_id, ORDER.c.customer_id.is_not(None))
        .group_by(ORDER.c.customer_id),
    ):
        found.update((gid, (int(real), int(every))) for gid, real, every in rows)
    return found


_NO_ORDERS: Final = (0, 0)


def never_bought(lifetime: int, ordered: tuple[int, int], *, whole: bool) -> bool:
    """Whether somebody without an order that tells of behaviour has none that is missing either.

    `lifetime` is the shop's own count, `ordered` as in `order_counts`. Who has only test orders,
    free ones or some that were cancelled unpaid has bought nothing. Of a store whose orders are
    all stored even a count that holds tests means no other order.
    """
    real, every = ordered
    return lifetime <= (every if whole else real)


def _customers(
    session: Session,
    store_id: str,
    ordered: dict[int, tuple[int, int]],
    *,
    buyers: Collection[int],
    whole: bool,
) -> tuple[dict[int, _Known], list[int]]:
    """What is known of each customer with an order; and who never bought: the customers that are
    none of the `buyers` and have no order elsewhere.
    """
    found = {gid: _Known(None, real) for gid, (real, _) in ordered.items()}
    never = []
    # One text for each group, not one for each customer.
    groups = {group: group for group in GROUPS}
    for gid, lifetime, group in _stream(
        session,
        sa.select(CUSTOMER.c.shopify_id, CUSTOMER.c.number_of_orders, CUSTOMER.c.rfm_group).where(
            CUSTOMER.c.store_id == store_id
        ),
    ):
        known = ordered.get(gid, _NO_ORDERS)
        if gid in found:
            found[gid] = _Known(lifetime, known[0], groups.get(group))
        if gid not in buyers and never_bought(lifetime, known, whole=whole):
            never.append(gid)
    return found, never


def prospects(
    session: Session, store_id: str, *, buyers: Collection[int], whole: bool
) -> list[int]:
    """The customers who never bought, by id: those that are none of the `buyers`, who are in the
    groups, and have no order elsewhere. `whole` says that all orders ever are stored.
    """
    ordered = order_counts(session, store_id)
    _, never = _customers(session, store_id, ordered, buyers=buyers, whole=whole)
    return sorted(never)


def _lives(
    kept: _Bought, known: dict[int, _Known], *, whole: bool
) -> tuple[list[CustomerFact], list[CustomerMonth]]:
    """Everybody's whole life; and what each did by month, of those whose first order is stored."""
    place: dict[int, int] = {}
    first, last, count, net = _column(), _column(), _column(), _column()
    months: dict[int, list[int]] = {}
    month_of_day = _Months()
    for customer, day, at_ms, gross, discounts, returned in zip(
        kept.customer, kept.day, kept.at_ms, kept.gross, kept.discounts, kept.returned, strict=True
    ):
        if customer == GUEST:
            continue
        worth = gross + discounts + returned
        at = place.get(customer)
        if at is None:
            at = place[customer] = len(place)
            first.append(day)
            last.append(at_ms)
            count.append(1)
            net.append(worth)
        else:
            if day < first[at]:
                first[at] = day
            if at_ms > last[at]:
                last[at] = at_ms
            count[at] += 1
            net[at] += worth
        key = at * _MONTHS + month_of_day[day]
        entry = months.get(key)
        if entry is None:
            months[key] = [1, worth]
        else:
            entry[0] += 1
            entry[1] += worth
    people = []
    from_the_start = bytearray(len(place))
    for gid in sorted(place):
        at = place[gid]
        lifetime, stored, group = known.get(gid) or _Known(None, count[at])
        people.append(
            CustomerFact(gid, first[at], last[at], count[at], net[at], stored, lifetime, group)
        )
        from_the_start[at] = whole or (lifetime is not None and lifetime <= stored)
    gids = list(place)
    return people, [
        CustomerMonth(gids[key // _MONTHS], key % _MONTHS, *entry)
        for key, entry in months.items()
        if from_the_start[key // _MONTHS]
    ]


# More than the months of all years that a date can have.
_MONTHS: Final = 12 * 10_000


class _Months(dict[int, int]):
    """The months of days given as ordinals."""

    def __missing__(self, day: int) -> int:
        local = date.fromordinal(day)
        self[day] = month = month_of(local.year, local.month)
        return month


def _hours(kept: _Bought, *, first: int, tz: ZoneInfo) -> dict[tuple[int, int], int]:
    # Zones change at full quarters of an hour: one look-up serves all orders of a quarter.
    quarters = Counter(
        at_ms // 900_000 for day, at_ms in zip(kept.day, kept.at_ms, strict=True) if day >= first
    )
    counts: Counter[tuple[int, int]] = Counter()
    for quarter, orders in quarters.items():
        local = datetime.fromtimestamp(quarter * 900, tz)
        counts[local.weekday(), local.hour] += orders
    return dict(counts)


def _products(session: Session, store_id: str, *, as_of: date, tz: ZoneInfo) -> list[ProductFact]:
    stock = stock_of(session, store_id, as_of=as_of)
    found = []
    for row in session.execute(
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
