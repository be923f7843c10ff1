"""What a store sold, to whom and when: sums over ranges of shop-local days.

Days are ISO texts as they are stored, both ends of a span inclusive; money is in minor units of
one currency, since sums over several mean nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.db import coverage
from brandmind.db.tables import (
    CUSTOMER,
    DAILY_SALES,
    LINE,
    ORDER,
    PRODUCT,
    PRODUCT_SALES,
    REFUND,
    SALE,
    STORE,
    VARIANT,
)
from brandmind.errors import NotFound

CUSTOM_ITEM: Final = "Custom item"


class Span(NamedTuple):
    """Shop-local days from `first` to `last`, both inclusive."""

    first: date
    last: date


class StoreFacts(NamedTuple):
    """What the figures need to know of a store. `currency` is "" before the shop has told it.

    `customers_read`: all customers were read once, so that the shop's own counts are here.
    """

    domain: str
    name: str
    currency: str
    timezone: str
    history_done: bool
    stored_from: date | None
    last_synced_at: datetime | None
    customers_read: bool = True


class DaySums(NamedTuple):
    """A day's row of `daily_sales`, or the sum of several; `DailySalesRow` says what is what."""

    gross_minor: int = 0
    discounts_minor: int = 0
    returns_minor: int = 0
    net_minor: int = 0
    shipping_minor: int = 0
    taxes_minor: int = 0
    duties_minor: int = 0
    fees_minor: int = 0
    tips_minor: int = 0
    adjustments_minor: int = 0
    unexplained_minor: int = 0
    total_minor: int = 0
    placed_minor: int = 0
    returned_minor: int = 0
    orders: int = 0
    units: int = 0


class CustomerCounts(NamedTuple):
    """Customers who ordered in a span: all, those for the first time ever, those who had ordered
    before it, those with more than one order ever, and those with more than one in the span.
    Guests are no customers. Of `new_unknown` nobody can tell whether they are new, of
    `repeat_unknown` whether they have more than one order.
    """

    customers: int
    new: int
    returning: int
    repeat: int
    twice: int = 0
    new_unknown: int = 0
    repeat_unknown: int = 0

    def tells_new(self, *, customers_read: bool) -> bool:
        """Whether `new` and `returning` are of all customers, or of all but a few."""
        return _holds(self.new, self.new_unknown, customers_read)

    def tells_repeat(self, *, customers_read: bool) -> bool:
        """Whether `repeat` is of all customers, or of all but a few."""
        return _holds(self.repeat, self.repeat_unknown, customers_read)


class CustomerDay(NamedTuple):
    """Customers who ordered on a day: for the first time ever, all, with more than one ever."""

    new: int = 0
    customers: int = 0
    repeat: int = 0


class ProductSums(NamedTuple):
    """A product's sales in a span. `positive_minor`: the net sales of all products that have any.

    `sold_minor` is gross less discounts, `returned_minor` zero or negative.
    """

    product_id: int | None
    title: str
    net_minor: int
    units: int
    orders: int
    sold_minor: int
    returned_minor: int
    positive_minor: int


class RecentOrder(NamedTuple):
    """An order as it stands now, after edits and returns; in the currency it was kept in."""

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


class SpanFigures(NamedTuple):
    """The figures of one span; `mature` are the days of the span of the refund rate."""

    days: dict[date, DaySums]
    customers: CustomerCounts
    customer_days: dict[date, CustomerDay]
    mature: dict[date, DaySums]


class CatalogueCounts(NamedTuple):
    """How many products and variants are stored."""

    products: int
    variants: int


class Counts(NamedTuple):
    """How many records of each kind are stored, test orders and drafts included."""

    orders: int
    lines: int
    refunds: int
    customers: int
    products: int
    variants: int


def facts(session: Session, store_id: str) -> StoreFacts:
    """The store's facts. Raises NotFound."""
    store = session.execute(sa.select(STORE).where(STORE.c.store_id == store_id)).first()
    if store is None:
        raise NotFound
    return StoreFacts(
        domain=store.domain,
        name=store.name,
        currency=store.currency or "",
        timezone=store.timezone,
        history_done=store.history_done,
        stored_from=coverage.stored_from(session, store),
        last_synced_at=store.last_synced_at,
        customers_read=coverage.customers_read(session, store),
    )


def span_figures(
    session: Session, store_id: str, *, currency: str, span: Span, mature: Span, whole: bool
) -> SpanFigures:
    """The sums and customers of a span; `whole` says that all orders ever are stored."""
    firsts = _by_first_day(session, store_id, span=span, whole=whole)
    return SpanFigures(
        days=day_sums(session, store_id, currency=currency, span=span),
        customers=_all_of(firsts),
        customer_days=_customer_days(session, store_id, firsts, span=span),
        mature=day_sums(session, store_id, currency=currency, span=mature),
    )


def added(days: Iterable[DaySums]) -> DaySums:
    """The sum of several days."""
    columns = list(zip(*days, strict=True))
    return DaySums(*(sum(column) for column in columns)) if columns else DaySums()


def day_sums(session: Session, store_id: str, *, currency: str, span: Span) -> dict[date, DaySums]:
    """The stored sums of the span's days that have any."""
    rows = session.execute(
        sa.select(DAILY_SALES.c.day, *(DAILY_SALES.c[name] for name in DaySums._fields)).where(
            DAILY_SALES.c.store_id == store_id,
            DAILY_SALES.c.day.between(span.first.isoformat(), span.last.isoformat()),
            DAILY_SALES.c.currency == currency,
        )
    )
    return {date.fromisoformat(row[0]): DaySums(*row[1:]) for row in rows}


def other_currencies(
    session: Session, store_id: str, *, currency: str, span: Span
) -> tuple[str, ...]:
    """The other currencies that orders of the span were kept in, by name."""
    return tuple(
        session.scalars(
            sa.select(DAILY_SALES.c.currency)
            .distinct()
            .where(
                DAILY_SALES.c.store_id == store_id,
                DAILY_SALES.c.day.between(span.first.isoformat(), span.last.isoformat()),
                DAILY_SALES.c.currency != currency,
            )
            .order_by(DAILY_SALES.c.currency)
        )
    )


def currency_sums(session: Session, store_id: str, *, span: Span) -> dict[str, DaySums]:
    """The sums of the span for each currency that has any, by its code."""
    sums = (sa.func.sum(DAILY_SALES.c[name]) for name in DaySums._fields)
    rows = session.execute(
        sa.select(DAILY_SALES.c.currency, *sums)
        .where(
            DAILY_SALES.c.store_id == store_id,
            DAILY_SALES.c.day.between(span.first.isoformat(), span.last.isoformat()),
        )
        .group_by(DAILY_SALES.c.currency)
        .order_by(DAILY_SALES.c.currency)
    )
    return {row[0]: DaySums(*(int(value) for value in row[1:])) for row in rows}


def customer_counts(session: Session, store_id: str, *, span: Span, whole: bool) -> CustomerCounts:
    """Who ordered in the span, and whether before.

    While older orders are missing (`whole` false), a first stored order is a first order only
    where the shop's own count of the customer's orders is no larger than ours; where it is
    larger, an older order is among the missing.
    """
    return _all_of(_by_first_day(session, store_id, span=span, whole=whole))


def _holds(known: int, unknown: int, customers_read: bool) -> bool:
    """Whether a count may be told: once all were read, who is unknown came since, one of few."""
    return not unknown or (customers_read and known > 0)


def _all_of(firsts: dict[str, CustomerCounts]) -> CustomerCounts:
    columns = list(zip(*firsts.values(), strict=True))
    return CustomerCounts(
        *(sum(column) for column in columns or ((),) * len(CustomerCounts._fields))
    )


def _customer_days(
    session: Session, store_id: str, firsts: dict[str, CustomerCounts], *, span: Span
) -> dict[date, CustomerDay]:
    """The customers of each of the span's days that have any."""
    rows = session.execute(
        sa.select(ORDER.c.day, sa.func.count(ORDER.c.customer_id.distinct()))
        .where(*_ordered_in(store_id, span))
        .group_by(ORDER.c.day)
    )
    nobody = CustomerCounts(0, 0, 0, 0)
    days = {}
    for day, customers in rows:
        first = firsts.get(day, nobody)
        # Whoever has one order ever has it on the day of the first one.
        once = first.customers - first.repeat
        days[date.fromisoformat(day)] = CustomerDay(first.new, customers, customers - once)
    return days


def _by_first_day(
    session: Session, store_id: str, *, span: Span, whole: bool
) -> dict[str, CustomerCounts]:
    """The customers of the span by the day of their first stored order, "" for a day before it."""
    lives = _lives(store_id, span=span, whole=whole).subquery("lives")
    first_day = sa.case((lives.c.first_day < span.first.isoformat(), ""), else_=lives.c.first_day)
    rows = session.execute(
        sa.select(
            first_day.label("since"),
            sa.func.count(),
            sa.func.sum(lives.c.new),
            sa.func.sum(lives.c.before),
            sa.func.sum(lives.c.again),
            sa.func.sum(lives.c.twice),
            sa.func.sum(lives.c.new_unknown),
            sa.func.sum(lives.c.repeat_unknown),
        ).group_by("since")
    )
    return {row[0]: CustomerCounts(*(int(value) for value in row[1:])) for row in rows}


def _ordered_in(store_id: str, span: Span) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        ORDER.c.store_id == store_id,
        ORDER.c.day.between(span.first.isoformat(), span.last.isoformat()),
        sa.not_(ORDER.c.test),
        ORDER.c.customer_id.is_not(None),
    )


def _lives(store_id: str, *, span: Span, whole: bool) -> sa.Select[Any]:
    """A row for each customer of the span: `first_day`, and 1 or 0 for `new`, `before`, `again`
    (more than one order ever), `twice` (more than one in the span), `new_unknown` and
    `repeat_unknown` (older orders may be missing, and the shop's own count is not here).
    """
    first_day = span.first.isoformat()
    who = sa.select(ORDER.c.customer_id).where(*_ordered_in(store_id, span))
    lives = (
        sa.select(
            ORDER.c.customer_id,
            sa.func.min(sa.case((sa.not_(ORDER.c.test), ORDER.c.day))).label("first_day"),
            sa.func.sum(sa.case((ORDER.c.test, 0), else_=1)).label("orders"),
            sa.func.sum(
                _one_if(
                    sa.and_(
                        ORDER.c.day.between(first_day, span.last.isoformat()),
                        sa.not_(ORDER.c.test),
                    )
                )
            ).label("within"),
        )
        .where(ORDER.c.store_id == store_id, ORDER.c.customer_id.in_(who))
        .group_by(ORDER.c.customer_id)
        .subquery("stored_lives")
    )
    before: sa.ColumnElement[bool] = lives.c.first_day < first_day
    after: sa.ColumnElement[bool] = lives.c.first_day >= first_day
    again: sa.ColumnElement[bool] = lives.c.orders > 1
    new_unknown: sa.ColumnElement[bool] = sa.false()
    repeat_unknown: sa.ColumnElement[bool] = sa.false()
    # Shopify's own count leaves test orders out, as `orders` does: a test is no older order.
    source: sa.FromClause = lives
    if not whole:
        source = lives.outerjoin(
            CUSTOMER,
            sa.and_(CUSTOMER.c.store_id == store_id, CUSTOMER.c.shopify_id == lives.c.customer_id),
        )
        missing = CUSTOMER.c.number_of_orders > lives.c.orders
        uncounted = CUSTOMER.c.number_of_orders.is_(None)
        new_unknown = sa.and_(after, uncounted)
        repeat_unknown = sa.and_(sa.not_(again), uncounted)
        before, again = sa.or_(before, missing), sa.or_(again, missing)
        after = sa.and_(after, CUSTOMER.c.number_of_orders <= lives.c.orders)
    return sa.select(
        lives.c.customer_id,
        lives.c.first_day,
        _one_if(after).label("new"),
        _one_if(before).label("before"),
        _one_if(again).label("again"),
        _one_if(lives.c.within > 1).label("twice"),
        _one_if(new_unknown).label("new_unknown"),
        _one_if(repeat_unknown).label("repeat_unknown"),
    ).select_from(source)


def _one_if(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.case((condition, 1), else_=0)


def top_products(
    session: Session, store_id: str, *, currency: str, span: Span, limit: int
) -> list[ProductSums]:
    """The products with the highest net sales in the span, by product id.

    Goods without a product (custom items, deleted products) go by the title of their line.
    """
    day = PRODUCT_SALES.c
    sums = (
        sa.select(
            day.product_id,
            day.title.label("bare_title"),
            sa.func.max(day.line_id).label("line_id"),
            sa.func.sum(day.sold_minor + day.returned_minor).label("net"),
            sa.func.sum(day.units).label("units"),
            # An order is placed on one day: the days' orders add up.
            sa.func.sum(day.orders).label("orders"),
            sa.func.sum(day.sold_minor).label("sold"),
            sa.func.sum(day.returned_minor).label("returned"),
        )
        .where(
            day.store_id == store_id,
            day.day.between(span.first.isoformat(), span.last.isoformat()),
            day.currency == currency,
        )
        .group_by(day.product_id, day.title)
        .subquery("sums")
    )
    rows = session.execute(
        sa.select(
            sums,
            sa.func.sum(sa.case((sums.c.net > 0, sums.c.net), else_=0)).over().label("positive"),
        )
        .order_by(sums.c.net.desc(), sums.c.product_id, sums.c.bare_title)
        .limit(limit)
    ).all()
    titles = _titles(session, store_id, rows)
    return [
        ProductSums(
            product_id=row.product_id or None,
            title=titles.get(row.product_id) or row.bare_title or CUSTOM_ITEM,
            net_minor=int(row.net),
            units=int(row.units),
            orders=int(row.orders),
            sold_minor=int(row.sold),
            returned_minor=int(row.returned),
            positive_minor=int(row.positive),
        )
        for row in rows
    ]


def _titles(session: Session, store_id: str, rows: Sequence[Any]) -> dict[int, str]:
    """Titles by product id: the product's, or that of a line where the product is not stored."""
    lines = {row.line_id: row.product_id for row in rows if row.product_id}
    found: dict[int, str] = {
        lines[row.shopify_id]: row.title
        for row in session.execute(
            sa.select(LINE.c.shopify_id, LINE.c.title).where(
                LINE.c.store_id == store_id, LINE.c.shopify_id.in_(list(lines))
            )
        )
    }
    found.update(
        (row.shopify_id, row.title)
        for row in session.execute(
            sa.select(PRODUCT.c.shopify_id, PRODUCT.c.title).where(
                PRODUCT.c.store_id == store_id, PRODUCT.c.shopify_id.in_(list(lines.values()))
            )
        )
    )
    return found


def recent_orders(session: Session, store_id: str, *, limit: int) -> list[RecentOrder]:
    """The latest orders, newest first; test orders too, which are marked."""
    # No index is in the order of moments; the days' own one leaves few rows to sort.
    since = session.scalar(
        sa.select(ORDER.c.day)
        .where(ORDER.c.store_id == store_id)
        .order_by(ORDER.c.day.desc())
        .limit(1)
        .offset(limit - 1)
    )
    query = sa.select(ORDER).where(ORDER.c.store_id == store_id)
    if since is not None:
        query = query.where(ORDER.c.day >= since)
    rows = session.execute(
        query.order_by(ORDER.c.processed_at.desc(), ORDER.c.shopify_id.desc()).limit(limit)
    ).all()
    ids = [row.shopify_id for row in rows]
    net = _by_order(
        session,
        SALE,
        SALE.c.gross_minor + SALE.c.discounts_minor + SALE.c.returns_minor,
        store_id,
        ids,
    )
    units = _by_order(session, LINE, LINE.c.current_quantity, store_id, ids)
    return [
        RecentOrder(
            shopify_id=row.shopify_id,
            name=row.name,
            processed_at=row.processed_at,
            net_minor=net.get(row.shopify_id, 0),
            total_minor=row.current_total_minor,
            units=units.get(row.shopify_id, 0),
            financial_status=row.financial_status,
            cancelled=row.cancelled_at is not None,
            test=row.test,
            currency=row.currency,
        )
        for row in rows
    ]


def _by_order(
    session: Session,
    table: sa.Table,
    amount: sa.ColumnElement[int],
    store_id: str,
    ids: Sequence[int],
) -> dict[int, int]:
    return {
        row[0]: int(row[1])
        for row in session.execute(
            sa.select(table.c.order_id, sa.func.sum(amount))
            .where(table.c.store_id == store_id, table.c.order_id.in_(ids))
            .group_by(table.c.order_id)
        )
    }


def order_days(session: Session, store_id: str, *, since: date) -> dict[date, int]:
    """Orders by day from the orders themselves, so that none waits for a recount."""
    return {
        date.fromisoformat(row[0]): row[1]
        for row in session.execute(
            sa.select(ORDER.c.day, sa.func.count())
            .where(
                ORDER.c.store_id == store_id,
                ORDER.c.day >= since.isoformat(),
                sa.not_(ORDER.c.test),
            )
            .group_by(ORDER.c.day)
        )
    }


def active_prices(session: Session, store_id: str) -> list[tuple[int, int]]:
    """The prices of the active products' variants with how many have each, lowest first."""
    return [
        (int(row[0]), int(row[1]))
        for row in session.execute(
            sa.select(VARIANT.c.price_minor, sa.func.count())
            .join(
                PRODUCT,
                sa.and_(
                    PRODUCT.c.store_id == store_id, PRODUCT.c.shopify_id == VARIANT.c.product_id
                ),
            )
            .where(VARIANT.c.store_id == store_id, PRODUCT.c.status == "ACTIVE")
            .group_by(VARIANT.c.price_minor)
            .order_by(VARIANT.c.price_minor)
        )
    ]


def catalogue_counts(session: Session, store_id: str) -> CatalogueCounts:
    """How many products and variants of the store are stored."""
    return CatalogueCounts(*(_stored(session, store_id, table) for table in (PRODUCT, VARIANT)))


def counts(session: Session, store_id: str) -> Counts:
    """How many records of the store are stored."""
    tables = (ORDER, LINE, REFUND, CUSTOMER, PRODUCT, VARIANT)
    return Counts(*(_stored(session, store_id, table) for table in tables))


def _stored(session: Session, store_id: str, table: sa.Table) -> int:
    query = sa.select(sa.func.count()).select_from(table).where(table.c.store_id == store_id)
    return session.scalar(query) or 0
