"""The days' sums: counted again where rows changed, and proven against a full count."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.db import runs
from brandmind.db.tables import DAILY_SALES, DIRTY_DAY, ORDER, SALE

# A transaction of the recount stays well under half a second, whatever a day holds.
_ENOUGH_S: Final = 0.2
_DAYS_AT_ONCE: Final = 8

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

_Key = tuple[str, str]
_Sums = dict[str, int]


class Difference(NamedTuple):
    """A figure of a day that is stored otherwise than a full count finds it."""

    day: str
    currency: str
    figure: str
    stored: int
    counted: int


def recount_dirty(session: Session, store_id: str, *, limit: int = 60) -> int:
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
    began_s, done = time.monotonic(), 0
    while done < len(days) and (not done or time.monotonic() - began_s < _ENOUGH_S):
        chunk = days[done : done + _DAYS_AT_ONCE]
        _replace(session, store_id, chunk)
        done += len(chunk)
    return done


def recount_differences(session: Session, store_id: str) -> list[Difference]:
    """Where the stored sums differ from a full count; empty if they are right.

    Marked days are left out: their sums are known to be older than their rows.
    """
    dirty = set(session.scalars(sa.select(DIRTY_DAY.c.day).where(DIRTY_DAY.c.store_id == store_id)))
    counted = _count(session, store_id, None)
    stored: dict[_Key, _Sums] = {
        (row.day, row.currency): {name: getattr(row, name) for name in _FIGURES}
        for row in session.execute(sa.select(DAILY_SALES).where(DAILY_SALES.c.store_id == store_id))
    }
    nothing = dict.fromkeys(_FIGURES, 0)
    return [
        Difference(day, currency, name, was, found)
        for day, currency in sorted(counted.keys() | stored.keys())
        if day not in dirty
        for name in _FIGURES
        if (was := stored.get((day, currency), nothing)[name])
        != (found := counted.get((day, currency), nothing)[name])
    ]


def _replace(session: Session, store_id: str, days: Sequence[str]) -> None:
    session.execute(
        sa.delete(DAILY_SALES).where(
            DAILY_SALES.c.store_id == store_id, DAILY_SALES.c.day.in_(days)
        )
    )
    rows = [
        {"store_id": store_id, "day": day, "currency": currency, **sums}
        for (day, currency), sums in sorted(_count(session, store_id, days).items())
    ]
    if rows:
        session.execute(sa.insert(DAILY_SALES), rows)
    session.execute(
        sa.delete(DIRTY_DAY).where(DIRTY_DAY.c.store_id == store_id, DIRTY_DAY.c.day.in_(days))
    )


# The joins below are outer ones though nothing is ever missing: they keep SQLite from starting at
# the wrong table, with all orders of the store, for the sales of one day.


def _count(session: Session, store_id: str, days: Sequence[str] | None) -> dict[_Key, _Sums]:
    """The sums of these days (None: of all) by day and currency, straight from the rows."""
    found: dict[_Key, _Sums] = {}
    for query in (
        _ledger(store_id, days),
        _orders(store_id, days),
        _returned(store_id, days),
    ):
        for row in session.execute(query).mappings():
            sums = found.setdefault((row["day"], row["currency"]), dict.fromkeys(_FIGURES, 0))
            sums.update({name: int(row[name]) for name in _FIGURES if name in row})
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


def _ledger(store_id: str, days: Sequence[str] | None) -> sa.Select[Any]:
    """What the ledger says of a day, whatever day the orders are of."""
    goods = SALE.c.gross_minor + SALE.c.discounts_minor + SALE.c.returns_minor
    quantity = sa.case(
        # A return takes away, however its quantity is signed.
        (SALE.c.action == "RETURN", -sa.func.abs(SALE.c.quantity)),
        else_=SALE.c.quantity,
    )
    query = (
        sa.select(
            SALE.c.day,
            ORDER.c.currency,
            sa.func.sum(SALE.c.gross_minor).label("gross_minor"),
            sa.func.sum(SALE.c.discounts_minor).label("discounts_minor"),
            sa.func.sum(SALE.c.returns_minor).label("returns_minor"),
            sa.func.sum(SALE.c.tax_minor).label("taxes_minor"),
            _net_of("SHIPPING").label("shipping_minor"),
            _net_of("DUTY").label("duties_minor"),
            _net_of("FEE", "ADDITIONAL_FEE").label("fees_minor"),
            _net_of("TIP").label("tips_minor"),
            _net_of("ADJUSTMENT").label("adjustments_minor"),
            # Goods whose action nobody knows are neither gross sales nor returns.
            sa.func.sum(
                sa.case(
                    (SALE.c.kind == "PRODUCT", SALE.c.net_minor - goods),
                    (SALE.c.kind == "UNKNOWN", SALE.c.net_minor),
                    else_=0,
                )
            ).label("unexplained_minor"),
            sa.func.sum(
                sa.case(
                    (SALE.c.placed, SALE.c.gross_minor + SALE.c.discounts_minor),
                    else_=0,
                )
            ).label("placed_minor"),
            sa.func.sum(sa.case((SALE.c.kind == "PRODUCT", quantity), else_=0)).label("units"),
        )
        .outerjoin(
            ORDER, sa.and_(ORDER.c.store_id == store_id, ORDER.c.shopify_id == SALE.c.order_id)
        )
        .where(SALE.c.store_id == store_id, SALE.c.counted)
        .group_by(SALE.c.day, ORDER.c.currency)
    )
    return query if days is None else query.where(SALE.c.day.in_(days))


def _orders(store_id: str, days: Sequence[str] | None) -> sa.Select[Any]:
    """How many orders were placed on a day: cancelled ones too, test orders not."""
    query = (
        sa.select(ORDER.c.day, ORDER.c.currency, sa.func.count().label("orders"))
        .where(ORDER.c.store_id == store_id, sa.not_(ORDER.c.test))
        .group_by(ORDER.c.day, ORDER.c.currency)
    )
    return query if days is None else query.where(ORDER.c.day.in_(days))


def _returned(store_id: str, days: Sequence[str] | None) -> sa.Select[Any]:
    """What came back of the orders of a day, whenever it came."""
    query = (
        sa.select(
            ORDER.c.day,
            ORDER.c.currency,
            sa.func.coalesce(sa.func.sum(SALE.c.returns_minor), 0).label("returned_minor"),
        )
        .outerjoin(
            SALE,
            sa.and_(
                SALE.c.store_id == store_id,
                SALE.c.order_id == ORDER.c.shopify_id,
                SALE.c.counted,
            ),
        )
        .where(ORDER.c.store_id == store_id)
        .group_by(ORDER.c.day, ORDER.c.currency)
    )
    return query if days is None else query.where(ORDER.c.day.in_(days))


def _net_of(*kinds: str) -> sa.ColumnElement[int]:
    return sa.func.sum(sa.case((SALE.c.kind.in_(kinds), SALE.c.net_minor), else_=0))
