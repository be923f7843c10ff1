"""A shop that moved to another time zone: the days of its stored rows are reckoned again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.commerce.shop import local_day, zone
from brandmind.db import runs, upserts
from brandmind.db.tables import ORDER, SALE, STORE

# So many orders with their sales are reckoned well within half a second.
_ORDERS_AT_ONCE: Final = 500


def next_orders(session: Session, store_id: str, *, after: int) -> int | None:
    """Reckon the days of the next orders above an id; the last one's id, None when all are right.

    The caller begins at 0 and holds the store's lock; begun again from 0 it finds nothing to
    change where it has been. The days that win or lose an order are marked for the recount.
    """
    store = runs.lock_store(session, store_id)
    if not after and store.days_timezone in ("", store.timezone):
        return None
    tz = zone(store.timezone)
    orders = session.execute(
        sa.select(ORDER.c.shopify_id, ORDER.c.processed_at, ORDER.c.day)
        .where(ORDER.c.store_id == store_id, ORDER.c.shopify_id > after)
        .order_by(ORDER.c.shopify_id)
        .limit(_ORDERS_AT_ONCE)
    ).all()
    if not orders:
        session.execute(
            sa.update(STORE)
            .where(STORE.c.store_id == store_id)
            .values(days_timezone=store.timezone)
        )
        return None
    sales = session.execute(
        sa.select(SALE.c.shopify_id, SALE.c.happened_at.label("processed_at"), SALE.c.day).where(
            SALE.c.store_id == store_id,
            SALE.c.order_id.in_([row.shopify_id for row in orders]),
        )
    ).all()
    dirty = _moved(session, store_id, ORDER, orders, tz)
    dirty |= _moved(session, store_id, SALE, sales, tz)
    upserts.mark_dirty(session, store_id, dirty)
    return int(orders[-1].shopify_id)


def _moved(
    session: Session, store_id: str, table: sa.Table, rows: Iterable[Any], tz: ZoneInfo
) -> set[str]:
    """Put rows on their day in the zone; the days that changed."""
    changes = [
        {"key": row.shopify_id, "was": row.day, "now": day}
        for row in rows
        if (day := local_day(row.processed_at, tz)) != row.day
    ]
    if changes:
        session.connection().execute(
            sa.update(table)
            .where(table.c.store_id == store_id, table.c.shopify_id == sa.bindparam("key"))
            .values(day=sa.bindparam("now")),
            [{"key": one["key"], "now": one["now"]} for one in changes],
        )
    return {str(one[side]) for one in changes for side in ("was", "now")}
