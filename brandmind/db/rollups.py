"""The sums of days and products: counted again where rows changed, proven by a full count."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.db import runs
from brandmind.db.tables import DAILY_SALES, DIRTY_DAY, LINE, ORDER, PRODUCT_SALES, SALE

# A transaction of the recount stays well under half a second, whatever a day holds.
_ENOUGH_S: Final = 0.2
_DAYS_AT_ONCE: Final = 8
_SOON_S: Final = 0.04

_MONEY: Final = (
    "gross_minor",
    "discounts_minor",
    "returns_minor",
    "net_minor",
    "shipping_minor",
    "taxes_minor",
    "duties_minor",
    "fees_minor",
    "tips_minor",
    "adjustments_minor",
    "unexplained_minor",
    "total_minor",
    "placed_minor",
    "returned_minor",
)
_FIGURES: Final = (*_MONEY, "orders", "units")
# Where the net of a sale of no goods goes; gift cards are not counted at all.
_FIGURE_OF_KIND: Final = {
    "SHIPPING": "shipping_minor",
    "DUTY": "duties_minor",
    "FEE": "fees_minor",
    "ADDITIONAL_FEE": "fees_minor",
    "TIP": "tips_minor",
    "ADJUSTMENT": "adjustments_minor",
    "UNKNOWN": "unexplained_minor",
}
# A return takes away, however its quantity is signed.
_QUANTITY: Final = sa.case(
    (SALE.c.action == "RETURN", -sa.func.abs(SALE.c.quantity)), else_=SALE.c.quantity
)

# Sums by what they are of: the day, the currency, and what else keys the rollup.
_Counted = dict[tuple[Any, ...], dict[str, Any]]


class Difference(NamedTuple):
    """A figure of a day (and product) that is stored otherwise than a full count finds it."""

    day: str
    currency: str
    figure: str
    stored: int
    counted: int


class Proof(NamedTuple):
    """A full count of a store held against its stored sums: how many figures were compared, how
    many marked days left out, and what differs.
    """

    figures: int
    waiting: int
    differences: list[Difference]


def recount_dirty(session: Session, store_id: str, *, limit: int = 400) -> int:
    """Count up to `limit` marked days again, latest first, and take their marks away.

    Returns how many days were done, 0 when no mark is left; it stops early rather than hold its
    locks for long. Takes the store's row lock: a mark set meanwhile would be lost with its rows
    uncounted. Raises NotFound.
    """
    runs.lock_store(session, store_id)
    days = session.scalars(
        sa.select(DIRTY_DAY.c.day)
        .where(DIRTY_DAY.c.store_id == store_id)
        .order_by(DIRTY_DAY.c.day.desc())
        .limit(limit)
    ).all()
    began_s = at_s = time.monotonic()
    done, at_once = 0, _DAYS_AT_ONCE
    while done < len(days) and at_s - began_s < _ENOUGH_S:
        chunk = days[done : done + at_once]
        _replace(session, store_id, chunk)
        done += len(chunk)
        took_s, at_s = time.monotonic() - at_s, time.monotonic()
        if took_s < _SOON_S:
            # Days of few orders: the statements cost more than what they count.
            at_once *= 2
    return done


def recount_differences(session: Session, store_id: str) -> list[Difference]:
    """Where the stored sums differ from a full count; empty if they are right."""
    return proof(session, store_id).differences


def proof(session: Session, store_id: str) -> Proof:
    """The stored sums against a full count of the rows.

    Marked days are left out: their sums are known to be older than their rows. All is read of one
    state of the store, whatever is written meanwhile.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    dirty = set(session.scalars(sa.select(DIRTY_DAY.c.day).where(DIRTY_DAY.c.store_id == store_id)))
    found: list[Difference] = []
    figures = 0
    counts = _days(session, store_id, None), _products(session, store_id)
    for table, counted in zip(_ROLLUPS, counts, strict=True):
        keys, names = _columns(table)
        stored: _Counted = {
            tuple(row[key] for key in keys): {name: row[name] for name in names}
            for row in session.execute(
                sa.select(table).where(table.c.store_id == store_id)
            ).mappings()
        }
        nothing = dict.fromkeys(names, 0)
        figures += len(names) * len(counted.keys() | stored.keys())
        found += [
            Difference(day, currency, _named(name, rest), was, now)
            for key in sorted(counted.keys() | stored.keys())
            for day, currency, *rest in [key]
            if day not in dirty
            for name in names
            if (was := stored.get(key, nothing)[name]) != (now := counted.get(key, nothing)[name])
        ]
    return Proof(figures, len(dirty), found)


def _named(figure: str, rest: Sequence[Any]) -> str:
    """The figure, and whose it is where the day has many: "units of product 7"."""
    if not rest:
        return figure
    product_id, title = rest
    return f"{figure} of {f'product {product_id}' if product_id else repr(title)}"


def _columns(table: sa.Table) -> tuple[list[str], list[str]]:
    """The names of a rollup's keys within a store, and of its figures."""
    keys = [column.name for column in table.primary_key if column.name != "store_id"]
    return keys, [column.name for column in table.columns if column.name not in ("store_id", *keys)]


def _replace(session: Session, store_id: str, days: Sequence[str]) -> None:
    for table in _ROLLUPS:
        session.execute(sa.delete(table).where(table.c.store_id == store_id, table.c.day.in_(days)))
    keys, _ = _columns(DAILY_SALES)
    rows = [
        {"store_id": store_id, **dict(zip(keys, key, strict=True)), **sums}
        for key, sums in sorted(_days(session, store_id, days).items())
    ]
    if rows:
        session.execute(sa.insert(DAILY_SALES), rows)
    # A product a row: they need not leave the database, which computes without Python's lock.
    keys, names = _columns(PRODUCT_SALES)
    session.execute(
        sa.insert(PRODUCT_SALES).from_select(["store_id", *keys, *names], _goods(store_id, days))
    )
    session.execute(
        sa.delete(DIRTY_DAY).where(DIRTY_DAY.c.store_id == store_id, DIRTY_DAY.c.day.in_(days))
    )


def _days(session: Session, store_id: str, days: Sequence[str] | None) -> _Counted:
    """The sums of these days (None: of all) straight from the rows, by day and currency."""
    found: _Counted = {}

    def of_day(day: str, currency: str) -> dict[str, Any]:
        return found.setdefault((day, currency), dict.fromkeys(_FIGURES, 0))

    for row in session.execute(_ledger(store_id, days)):
        day, currency, kind, *rest = row
        gross, discounts, returns, tax, net, placed, units = map(int, rest)
        sums = of_day(day, currency)
        sums["gross_minor"] += gross
        sums["discounts_minor"] += discounts
        sums["returns_minor"] += returns
        sums["taxes_minor"] += tax
        sums["placed_minor"] += placed
        if kind == "PRODUCT":
            sums["units"] += units
            # Goods whose action nobody knows are neither gross sales nor returns.
            sums["unexplained_minor"] += net - gross - discounts - returns
        elif kind in _FIGURE_OF_KIND:
            sums[_FIGURE_OF_KIND[kind]] += net
    for day, currency, orders in session.execute(_orders(store_id, days)):
        of_day(day, currency)["orders"] = orders
    for day, currency, returned in session.execute(_returned(store_id, days)):
        of_day(day, currency)["returned_minor"] = int(returned)
    for sums in found.values():
        sums["net_minor"] = sums["gross_minor"] + sums["discounts_minor"] + sums["returns_minor"]
        sums["total_minor"] = (
            sums["net_minor"]
            + sums["shipping_minor"]
            + sums["taxes_minor"]
            + sums["duties_minor"]
            + sums["fees_minor"]
        )
    return {key: sums for key, sums in found.items() if any(sums.values())}


def _products(session: Session, store_id: str) -> _Counted:
    """The sums of each product of each day straight from the rows."""
    keys, names = _columns(PRODUCT_SALES)
    rows = session.execute(_goods(store_id, None))
    return {
        tuple(row[1 : len(keys) + 1]): {
            name: value if name == "line_id" else int(value)
            for name, value in zip(names, row[len(keys) + 1 :], strict=True)
        }
        for row in rows
    }


# The joins below are outer ones though nothing is ever missing: they keep SQLite from starting at
# the wrong table, with all orders of the store, for the sales of one day.


def _ledger(store_id: str, days: Sequence[str] | None) -> sa.Select[Any]:
    """What the ledger says of a day by currency and kind, whatever day the orders are of."""
    query = (
        sa.select(
            SALE.c.day,
            ORDER.c.currency,
            SALE.c.kind,
            sa.func.sum(SALE.c.gross_minor),
            sa.func.sum(SALE.c.discounts_minor),
            sa.func.sum(SALE.c.returns_minor),
            sa.func.sum(SALE.c.tax_minor),
            sa.func.sum(SALE.c.net_minor),
            sa.func.sum(
                sa.case((SALE.c.placed, SALE.c.gross_minor + SALE.c.discounts_minor), else_=0)
            ),
            sa.func.sum(_QUANTITY),
        )
        .outerjoin(
            ORDER, sa.and_(ORDER.c.store_id == store_id, ORDER.c.shopify_id == SALE.c.order_id)
        )
        .where(SALE.c.store_id == store_id, SALE.c.counted)
        .group_by(SALE.c.day, ORDER.c.currency, SALE.c.kind)
    )
    return query if days is None else query.where(SALE.c.day.in_(days))


def _goods(store_id: str, days: Sequence[str] | None) -> sa.Select[Any]:
    """The rows of `product_sales` for these days, its columns in their order.

    Goods without a product go by their line's title, all others by "".
    """
    # A join on nothing where there is a product: only lines without one are looked up.
    bare_line = sa.case((SALE.c.product_id.is_(None), SALE.c.line_id))
    query = (
        sa.select(
            sa.literal(store_id),
            SALE.c.day,
            ORDER.c.currency,
            sa.func.coalesce(SALE.c.product_id, 0).label("sold_id"),
            sa.func.coalesce(LINE.c.title, "").label("bare_title"),
            sa.func.max(SALE.c.line_id),
            sa.func.sum(SALE.c.gross_minor + SALE.c.discounts_minor),
            sa.func.sum(SALE.c.returns_minor),
            sa.func.sum(_QUANTITY),
            sa.func.count(sa.distinct(sa.case((SALE.c.placed, SALE.c.order_id)))),
        )
        .outerjoin(
            ORDER, sa.and_(ORDER.c.store_id == store_id, ORDER.c.shopify_id == SALE.c.order_id)
        )
        .outerjoin(LINE, sa.and_(LINE.c.store_id == store_id, LINE.c.shopify_id == bare_line))
        .where(SALE.c.store_id == store_id, SALE.c.counted, SALE.c.kind == "PRODUCT")
        .group_by(SALE.c.day, ORDER.c.currency, sa.text("sold_id"), sa.text("bare_title"))
    )
    return query if days is None else query.where(SALE.c.day.in_(days))


def _orders(store_id: str, days: Sequence[str] | None) -> sa.Select[Any]:
    """How many orders were placed on a day: cancelled ones too, test orders not."""
    query = (
        sa.select(ORDER.c.day, ORDER.c.currency, sa.func.count())
        .where(ORDER.c.store_id == store_id, sa.not_(ORDER.c.test))
        .group_by(ORDER.c.day, ORDER.c.currency)
    )
    return query if days is None else query.where(ORDER.c.day.in_(days))


def _returned(store_id: str, days: Sequence[str] | None) -> sa.Select[Any]:
    """What came back of the orders of a day, whenever it came. Few sales are returns, and those
    have an index of their own.
    """
    query = (
        sa.select(
            ORDER.c.day,
            ORDER.c.currency,
            sa.func.coalesce(sa.func.sum(SALE.c.returns_minor), 0),
        )
        .outerjoin(
            SALE,
            sa.and_(
                SALE.c.store_id == store_id,
                SALE.c.order_id == ORDER.c.shopify_id,
                SALE.c.returns_minor != 0,
                SALE.c.counted,
            ),
        )
        .where(ORDER.c.store_id == store_id)
        .group_by(ORDER.c.day, ORDER.c.currency)
    )
    return query if days is None else query.where(ORDER.c.day.in_(days))


_ROLLUPS: Final = (DAILY_SALES, PRODUCT_SALES)
