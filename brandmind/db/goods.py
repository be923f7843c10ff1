"""What each product sold in a span, with what is known of it today."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.db.facts import stock_of
from brandmind.db.figures import Span
from brandmind.db.tables import LINE, PRODUCT, PRODUCT_SALES

_AT_ONCE: Final = 500


class Goods(NamedTuple):
    """A product that sold in the span or can be bought now; money as in `figures.ProductSums`.

    `product_id` is 0 for goods without a product, which go by `title`. `stock` is None where it
    is not tracked; `stock_days` and `stock_units` are as in `dna.facts.ProductFact`.
    """

    product_id: int
    title: str
    active: bool
    net_minor: int
    sold_minor: int
    returned_minor: int
    units: int
    orders: int
    stock: int | None
    stock_days: int
    stock_units: int
    on_sale_at: datetime | None


def goods(
    session: Session, store_id: str, *, currency: str, span: Span, today: date
) -> list[Goods]:
    """All products that sold in the span, and the active ones that did not, by net sales."""
    day = PRODUCT_SALES.c
    sums = session.execute(
        sa.select(
            day.product_id,
            day.title,
            sa.func.max(day.line_id).label("line_id"),
            sa.func.sum(day.sold_minor).label("sold"),
            sa.func.sum(day.returned_minor).label("returned"),
            sa.func.sum(day.units).label("units"),
            sa.func.sum(day.orders).label("orders"),
        )
        .where(
            day.store_id == store_id,
            day.day.between(span.first.isoformat(), span.last.isoformat()),
            day.currency == currency,
        )
        .group_by(day.product_id, day.title)
    ).all()
    known = {
        row.shopify_id: row
        for row in session.execute(
            sa.select(
                PRODUCT.c.shopify_id,
                PRODUCT.c.title,
                PRODUCT.c.status,
                PRODUCT.c.total_inventory,
                PRODUCT.c.tracks_inventory,
                PRODUCT.c.is_gift_card,
                sa.func.coalesce(PRODUCT.c.published_at, PRODUCT.c.created_at).label("on_sale_at"),
            ).where(PRODUCT.c.store_id == store_id)
        )
    }
    stock = stock_of(session, store_id, as_of=today)
    gone = [row.line_id for row in sums if row.product_id and row.product_id not in known]
    lines = _line_titles(session, store_id, gone)
    found = [
        _goods(
            row.product_id,
            known.get(row.product_id),
            stock,
            title=lines.get(row.line_id) or row.title or "Custom item",
            sold=int(row.sold),
            returned=int(row.returned),
            units=int(row.units),
            orders=int(row.orders),
        )
        for row in sums
    ]
    seen = {row.product_id for row in sums}
    found += [
        _goods(product_id, row, stock, title=row.title)
        for product_id, row in known.items()
        if product_id not in seen and row.status == "ACTIVE" and not row.is_gift_card
    ]
    return sorted(found, key=lambda one: (-one.net_minor, one.product_id, one.title))


def _goods(
    product_id: int,
    product: Any | None,
    stock: dict[int, tuple[int, int]],
    *,
    title: str,
    sold: int = 0,
    returned: int = 0,
    units: int = 0,
    orders: int = 0,
) -> Goods:
    days, stock_units = stock.get(product_id, (0, 0))
    return Goods(
        product_id=product_id,
        title=product.title if product is not None else title,
        active=product is not None and product.status == "ACTIVE",
        net_minor=sold + returned,
        sold_minor=sold,
        returned_minor=returned,
        units=units,
        orders=orders,
        stock=product.total_inventory if product is not None and product.tracks_inventory else None,
        stock_days=days,
        stock_units=stock_units,
        on_sale_at=product.on_sale_at if product is not None else None,
    )


def _line_titles(session: Session, store_id: str, ids: list[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for start in range(0, len(ids), _AT_ONCE):
        rows = session.execute(
            sa.select(LINE.c.shopify_id, LINE.c.title).where(
                LINE.c.store_id == store_id, LINE.c.shopify_id.in_(ids[start : start + _AT_ONCE])
            )
        )
        found.update({row.shopify_id: row.title for row in rows})
    return found
