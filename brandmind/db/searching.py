"""What a store holds by a name or a number: a few of each, the best first, without walking all."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.db.session import lowered
from brandmind.db.tables import CUSTOMER, ORDER, PRODUCT

MOST: Final = 6
# Orders are numbered in the order in which they are made: the place of one is found by halving.
_HALVINGS: Final = 40
_AROUND: Final = 50
# Where the numbers are not in order, a store of this size is looked through.
_FEW: Final = 50_000


class ProductHit(NamedTuple):
    """A product by its title."""

    product_id: int
    title: str
    status: str


class OrderHit(NamedTuple):
    """An order by its number; `day` is the shop's."""

    name: str
    day: str
    total_minor: int
    currency: str


class CustomerHit(NamedTuple):
    """A customer by the name that Shopify shows."""

    customer_id: int
    name: str
    orders: int
    spent_minor: int
    currency: str


def products(session: Session, store_id: str, text: str) -> list[ProductHit]:
    """Products whose title has the text: those that begin with it first."""
    return [
        ProductHit(row.shopify_id, row.title, row.status)
        for row in _named(
            session,
            store_id,
            text,
            named=PRODUCT.c.title,
            told=(PRODUCT.c.shopify_id, PRODUCT.c.title, PRODUCT.c.status),
        )
    ]


def customers(session: Session, store_id: str, text: str) -> list[CustomerHit]:
    """Customers whose shown name has the text; nobody by an address or a number."""
    return [
        CustomerHit(
            row.shopify_id,
            row.display_name,
            row.number_of_orders,
            row.amount_spent_minor,
            row.amount_spent_currency,
        )
        for row in _named(
            session,
            store_id,
            text,
            named=CUSTOMER.c.display_name,
            told=(
                CUSTOMER.c.shopify_id,
                CUSTOMER.c.display_name,
                CUSTOMER.c.number_of_orders,
                CUSTOMER.c.amount_spent_minor,
                CUSTOMER.c.amount_spent_currency,
            ),
        )
    ]


def _named(
    session: Session, store_id: str, text: str, *, named: Any, told: tuple[Any, ...]
) -> list[Any]:
    # SQLite's own function, which is quick, lowers plain letters alone.
    low = sa.func.lower(named) if text.isascii() else lowered(session, named)
    wanted = text.lower()
    # A PostgreSQL of the locale C lowers plain letters alone: what is typed as it is written is
    # found there as well.
    begins = sa.or_(
        low.startswith(wanted, autoescape=True), named.startswith(text, autoescape=True)
    )
    word = low.contains(f" {wanted}", autoescape=True)
    has = sa.or_(low.contains(wanted, autoescape=True), named.contains(text, autoescape=True))
    return list(
        session.execute(
            sa.select(*told)
            .where(named.table.c.store_id == store_id, has)
            .order_by(sa.case((begins, 0), (word, 1), else_=2), low, named.table.c.shopify_id)
            .limit(MOST)
        )
    )


def orders(session: Session, store_id: str, number: int) -> list[OrderHit]:
    """The orders of that number: one, or a few where a shop has given it twice."""
    span = session.execute(
        sa.select(sa.func.min(ORDER.c.created_at), sa.func.max(ORDER.c.created_at)).where(
            ORDER.c.store_id == store_id
        )
    ).one()
    if span[0] is None:
        return []
    found = _by_halving(session, store_id, number, first=span[0], last=span[1])
    return found or _looked_through(session, store_id, number)


def _by_halving(
    session: Session, store_id: str, number: int, *, first: datetime, last: datetime
) -> list[OrderHit]:
    low, high = first, last
    for _ in range(_HALVINGS):
        if high - low < timedelta(seconds=1):
            break
        middle = low + (high - low) / 2
        at = session.execute(
            sa.select(ORDER.c.number, ORDER.c.created_at)
            .where(
                ORDER.c.store_id == store_id,
                ORDER.c.created_at >= middle,
                ORDER.c.number.is_not(None),
            )
            .order_by(ORDER.c.created_at)
            .limit(1)
        ).first()
        if at is None or at.number >= number:
            high = middle
        else:
            low = at.created_at
    near = (
        sa.select(ORDER.c.shopify_id)
        .where(ORDER.c.store_id == store_id, ORDER.c.created_at >= low)
        .order_by(ORDER.c.created_at)
        .limit(_AROUND)
    )
    return _numbered(session, store_id, number, ORDER.c.shopify_id.in_(near))


def _looked_through(session: Session, store_id: str, number: int) -> list[OrderHit]:
    few = sa.select(ORDER.c.shopify_id).where(ORDER.c.store_id == store_id).limit(_FEW + 1)
    count = session.scalar(sa.select(sa.func.count()).select_from(few.subquery())) or 0
    if count > _FEW:
        return []
    return _numbered(session, store_id, number)


def _numbered(session: Session, store_id: str, number: int, *within: Any) -> list[OrderHit]:
    return [
        OrderHit(row.name, row.day, row.current_total_minor, row.currency)
        for row in session.execute(
            sa.select(ORDER.c.name, ORDER.c.day, ORDER.c.current_total_minor, ORDER.c.currency)
            .where(ORDER.c.store_id == store_id, ORDER.c.number == number, *within)
            .order_by(ORDER.c.created_at.desc())
            .limit(MOST)
        )
    ]
