"""What is stored of a store: counted by resource, and read out whole, a page at a time."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.db.tables import (
    CUSTOMER,
    DNA_RUN,
    LINE,
    ORDER,
    PRODUCT,
    REFUND,
    SALE,
    VARIANT,
)

PAGE: Final = 2_000
# By the name of the file; `read_no` numbers our requests and means nothing elsewhere.
TABLES: Final[dict[str, sa.Table]] = {
    "products": PRODUCT,
    "variants": VARIANT,
    "orders": ORDER,
    "order_lines": LINE,
    "order_sales": SALE,
    "refunds": REFUND,
    "customers": CUSTOMER,
}
_LEFT_OUT: Final = frozenset({"store_id", "read_no"})


class Stored(NamedTuple):
    """How many records of each resource are stored; the oldest and the newest order."""

    counts: dict[str, int]
    portraits: int
    oldest_at: datetime | None
    newest_at: datetime | None


def stored(session: Session, store_id: str) -> Stored:
    """What is stored of the store."""
    counts = {
        name: int(
            session.scalar(
                sa.select(sa.func.count()).select_from(table).where(table.c.store_id == store_id)
            )
            or 0
        )
        for name, table in TABLES.items()
    }
    portraits = session.scalar(
        sa.select(sa.func.count()).select_from(DNA_RUN).where(DNA_RUN.c.store_id == store_id)
    )
    oldest, newest = session.execute(
        sa.select(sa.func.min(ORDER.c.created_at), sa.func.max(ORDER.c.created_at)).where(
            ORDER.c.store_id == store_id
        )
    ).one()
    return Stored(counts, int(portraits or 0), oldest, newest)


def columns(name: str) -> list[str]:
    """The columns of a file."""
    return [column.name for column in TABLES[name].columns if column.name not in _LEFT_OUT]


def page(session: Session, store_id: str, name: str, *, after: int) -> list[Any]:
    """Up to 2,000 records of the store by Shopify's id, those after `after`."""
    table = TABLES[name]
    return list(
        session.execute(
            sa.select(*(table.c[column] for column in columns(name)))
            .where(table.c.store_id == store_id, table.c.shopify_id > after)
            .order_by(table.c.shopify_id)
            .limit(PAGE)
        )
    )
