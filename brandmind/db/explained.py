"""What stands between our totals of a span and those somebody holds against them."""

from __future__ import annotations

from datetime import date
from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.db.figures import Span
from brandmind.db.tables import ORDER, SALE

_LISTED: Final = 50
_CARD: Final = SALE.c.kind == sa.literal_column("'GIFT_CARD'")
_PENDING: Final = ORDER.c.financial_status == sa.literal_column("'PENDING'")
# Word for word as the index has it, or none of them is found by it.
_ODD: Final = sa.or_(ORDER.c.test, ORDER.c.cancelled_at.is_not(None), _PENDING)


class CancelledOrder(NamedTuple):
    """A cancelled order whose ledger does not come to zero."""

    shopify_id: int
    name: str
    day: date
    left_minor: int


class Explained(NamedTuple):
    """What the totals of a span leave out, and what in them may surprise.

    `test_minor` is what the test orders of the span add up to, `gift_cards_minor` the gift cards
    sold in it: neither counts anywhere. `pending` and `cancelled` count orders that do.
    """

    test_orders: int
    test_minor: int
    gift_cards_minor: int
    pending: int
    cancelled: int
    cancelled_left: tuple[CancelledOrder, ...]


def explained(session: Session, store_id: str, *, currency: str, span: Span) -> Explained:
    """What of the span is left out, and which cancelled orders were not wholly taken back."""
    placed = (
        ORDER.c.store_id == store_id,
        ORDER.c.currency == currency,
        ORDER.c.day.between(span.first.isoformat(), span.last.isoformat()),
        _ODD,
    )
    counts = session.execute(
        sa.select(
            _count(ORDER.c.test),
            _sum(sa.case((ORDER.c.test, ORDER.c.total_minor), else_=0)),
            _count(sa.and_(sa.not_(ORDER.c.test), _PENDING)),
            _count(sa.and_(sa.not_(ORDER.c.test), ORDER.c.cancelled_at.is_not(None))),
        ).where(*placed)
    ).one()
    cards = session.scalar(
        sa.select(_sum(SALE.c.total_minor))
        .join(ORDER, sa.and_(ORDER.c.store_id == store_id, ORDER.c.shopify_id == SALE.c.order_id))
        .where(
            SALE.c.store_id == store_id,
            SALE.c.day.between(span.first.isoformat(), span.last.isoformat()),
            _CARD,
            ORDER.c.currency == currency,
            sa.not_(ORDER.c.test),
        )
    )
    left = (
        sa.select(
            ORDER.c.shopify_id,
            ORDER.c.name,
            ORDER.c.day,
            sa.func.sum(SALE.c.total_minor).label("left"),
        )
        .join(SALE, sa.and_(SALE.c.store_id == store_id, SALE.c.order_id == ORDER.c.shopify_id))
        .where(
            *placed,
            sa.not_(ORDER.c.test),
            ORDER.c.cancelled_at.is_not(None),
            SALE.c.kind != "GIFT_CARD",
        )
        .group_by(ORDER.c.shopify_id, ORDER.c.name, ORDER.c.day)
        .having(sa.func.sum(SALE.c.total_minor) != 0)
        .order_by(ORDER.c.day.desc(), ORDER.c.shopify_id)
        .limit(_LISTED)
    )
    return Explained(
        test_orders=int(counts[0]),
        test_minor=int(counts[1]),
        gift_cards_minor=int(cards or 0),
        pending=int(counts[2]),
        cancelled=int(counts[3]),
        cancelled_left=tuple(
            CancelledOrder(row.shopify_id, row.name, date.fromisoformat(row.day), int(row.left))
            for row in session.execute(left)
        ),
    )


def _sum(amount: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(amount), 0)


def _count(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return _sum(sa.case((condition, 1), else_=0))
