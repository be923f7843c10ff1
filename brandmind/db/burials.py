"""What is gone: rows removed with a tombstone, so that no late page brings them back.

The one place where records of a shop are removed. The caller holds the store's row lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.db import upserts
from brandmind.db.session import db_now
from brandmind.db.tables import CUSTOMER, LINE, ORDER, PRODUCT, REFUND, SALE, TOMBSTONE, VARIANT

Reason = Literal["deleted", "redacted"]

_TABLES: Final[dict[str, tuple[sa.Table, str, tuple[sa.Table, ...]]]] = {
    "products": (PRODUCT, "product_id", (VARIANT,)),
    "orders": (ORDER, "order_id", (LINE, SALE, REFUND)),
    "customers": (CUSTOMER, "", ()),
}
_AT_ONCE: Final = 500


def bury(session: Session, store_id: str, resource: str, ids: Iterable[int], reason: Reason) -> int:
    """Remove these records with their children and keep a tombstone for each; how many rows went.

    `resource` is products, orders or customers; an id that is not stored gets its tombstone all
    the same. A redaction outlives a later deletion. The days of removed orders are counted again.
    Lines of a removed product go by their title alone, as Shopify gives them from then on.
    """
    table, parent, children = _TABLES[resource]
    wanted = sorted(set(ids))
    removed = 0
    for start in range(0, len(wanted), _AT_ONCE):
        chunk = wanted[start : start + _AT_ONCE]
        if resource == "orders":
            upserts.mark_dirty(session, store_id, upserts.days_of(session, store_id, chunk))
        elif resource == "products":
            _part_lines(session, store_id, chunk)
        for child in children:
            session.execute(
                sa.delete(child).where(child.c.store_id == store_id, child.c[parent].in_(chunk))
            )
        gone = session.execute(
            sa.delete(table)
            .where(table.c.store_id == store_id, table.c.shopify_id.in_(chunk))
            .returning(table.c.shopify_id)
        ).all()
        removed += len(gone)
        _keep_tombstones(session, store_id, resource, chunk, reason)
    return removed


def depersonalise(session: Session, store_id: str, order_ids: Iterable[int]) -> int:
    """Remove what is personal in these orders, and mark them so that no later version brings it
    back; how many stored orders that changed. Their money and lines stay.
    """
    wanted = sorted(set(order_ids))
    changed = 0
    for start in range(0, len(wanted), _AT_ONCE):
        chunk = wanted[start : start + _AT_ONCE]
        found = session.execute(
            sa.update(ORDER)
            .where(ORDER.c.store_id == store_id, ORDER.c.shopify_id.in_(chunk))
            .values(**upserts.IMPERSONAL)
            .returning(ORDER.c.shopify_id)
        )
        changed += len(found.all())
        _keep_tombstones(session, store_id, upserts.PEOPLE_OF_ORDERS, chunk, "redacted")
    return changed


def lift(session: Session, store_id: str, resource: str, ids: Iterable[int]) -> list[int]:
    """Take back the deletions of records that the shop returned by their ids; which they were.

    A redaction is never taken back, whatever the shop still shows.
    """
    lifted: list[int] = []
    wanted = sorted(set(ids))
    for start in range(0, len(wanted), _AT_ONCE):
        found = session.execute(
            sa.delete(TOMBSTONE)
            .where(
                *_of(store_id, resource, wanted[start : start + _AT_ONCE]),
                TOMBSTONE.c.reason == "deleted",
            )
            .returning(TOMBSTONE.c.shopify_id)
        )
        lifted += [row.shopify_id for row in found]
    return sorted(lifted)


def buried(
    session: Session, store_id: str, resource: str, *, reason: Reason | None = None
) -> set[int]:
    """The ids of a resource that have a tombstone (of that reason)."""
    query = sa.select(TOMBSTONE.c.shopify_id).where(
        TOMBSTONE.c.store_id == store_id, TOMBSTONE.c.resource == resource
    )
    if reason is not None:
        query = query.where(TOMBSTONE.c.reason == reason)
    return set(session.scalars(query))


def _part_lines(session: Session, store_id: str, products: Sequence[int]) -> None:
    days = session.scalars(
        sa.select(SALE.c.day)
        .where(SALE.c.store_id == store_id, SALE.c.product_id.in_(products))
        .distinct()
    ).all()
    if not days:
        return
    upserts.mark_dirty(session, store_id, days)
    session.execute(
        sa.update(SALE)
        .where(SALE.c.store_id == store_id, SALE.c.product_id.in_(products))
        .values(product_id=None)
    )
    session.execute(
        sa.update(LINE)
        .where(LINE.c.store_id == store_id, LINE.c.product_id.in_(products))
        .values(product_id=None, variant_id=None)
    )


def _keep_tombstones(
    session: Session, store_id: str, resource: str, ids: Sequence[int], reason: Reason
) -> None:
    known = {
        row.shopify_id: row.reason
        for row in session.execute(
            sa.select(TOMBSTONE.c.shopify_id, TOMBSTONE.c.reason).where(
                *_of(store_id, resource, ids)
            )
        )
    }
    if reason == "redacted" and known:
        session.execute(
            sa.update(TOMBSTONE).where(*_of(store_id, resource, list(known))).values(reason=reason)
        )
    now = db_now(session)
    rows: list[dict[str, Any]] = [
        {
            "store_id": store_id,
            "resource": resource,
            "shopify_id": one,
            "reason": reason,
            "seen_at": now,
        }
        for one in ids
        if one not in known
    ]
    if rows:
        session.execute(sa.insert(TOMBSTONE), rows)


def _of(store_id: str, resource: str, ids: Sequence[int]) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        TOMBSTONE.c.store_id == store_id,
        TOMBSTONE.c.resource == resource,
        TOMBSTONE.c.shopify_id.in_(ids),
    )
