"""What each product sold in a span, with what is known of it today."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.db.facts import stock_of
from brandmind.db.figures import Span
from brandmind.db.tables import LINE, PRODUCT, PRODUCT_SALES, VARIANT

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


class VariantGoods(NamedTuple):
    """A variant as it is sold now; costs and stock are None where the shop does not keep them."""

    title: str
    sku: str | None
    price_minor: int
    compare_at_minor: int | None
    unit_cost_minor: int | None
    stock: int | None


class GoodsDay(NamedTuple):
    """What a product brought on a shop-local day."""

    day: date
    net_minor: int
    units: int


def variants(session: Session, store_id: str, *, product_id: int) -> list[VariantGoods]:
    """The variants of a product of the store, as the shop orders them."""
    return [
        VariantGoods(*row)
        for row in session.execute(
            sa.select(
                VARIANT.c.title,
                VARIANT.c.sku,
                VARIANT.c.price_minor,
                VARIANT.c.compare_at_minor,
                VARIANT.c.unit_cost_minor,
                VARIANT.c.inventory_quantity,
            )
            .where(VARIANT.c.store_id == store_id, VARIANT.c.product_id == product_id)
            .order_by(VARIANT.c.position, VARIANT.c.shopify_id)
        )
    ]


def days(
    session: Session, store_id: str, *, product_id: int, currency: str, span: Span
) -> list[GoodsDay]:
    """The days of the span on which a product of the store brought something, oldest first."""
    day = PRODUCT_SALES.c
    return [
        GoodsDay(date.fromisoformat(row[0]), int(row[1]), int(row[2]))
        for row in session.execute(
            sa.select(
                day.day,
                sa.func.sum(day.sold_minor + day.returned_minor),
                sa.func.sum(day.units),
            )
            .where(
                day.store_id == store_id,
                day.day.between(span.first.isoformat(), span.last.isoformat()),
                day.currency == currency,
                day.product_id == product_id,
            )
            .group_by(day.day)
            .order_by(day.day)
        )
    ]


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
