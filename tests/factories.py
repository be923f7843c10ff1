"""Stores and orders with their ledgers, for tests: landed by the same road as a shop's pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.commerce.records import LineRecord, OrderRecord, ProductRecord, SaleRecord
from brandmind.commerce.shop import zone
from brandmind.db import upserts
from brandmind.db.models import StoreRow
from brandmind.db.tables import STORE
from brandmind.sync.stages import Stage
from tests.records import a_customer, a_product, an_order

INSTALLED = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Item:
    """A line: `quantity` times `price_minor` less `discount_minor`; amounts are of the whole line.

    With `taxes_included` on the order the price holds `tax_minor`, and the discount
    `discount_tax_minor` of it. `kind` is the kind of its sale.
    """

    price_minor: int
    quantity: int = 1
    discount_minor: int = 0
    tax_minor: int = 0
    discount_tax_minor: int = 0
    product_id: int | None = 1
    title: str = "Beanie"
    kind: str = "PRODUCT"


@dataclass(frozen=True)
class Change:
    """A later sale of the ledger; what takes away is negative.

    `net_minor` is after discount and before tax, `discount_minor` is what the change gives (or,
    negative, takes back) of a discount.
    """

    at: datetime
    net_minor: int
    quantity: int = 0
    tax_minor: int = 0
    discount_minor: int = 0
    action: str = "RETURN"
    kind: str = "PRODUCT"
    item: int = 0


def make_store(
    session: Session,
    name: str = "alice",
    *,
    timezone: str = "America/New_York",
    currency: str = "USD",
    history_done: bool = True,
    scopes: str = "read_all_orders,read_orders",
    **more: Any,
) -> str:
    """A connected store; its id."""
    store_id = f"{name}-id"
    session.add(
        StoreRow(
            store_id=store_id,
            domain=f"{name}.myshopify.com",
            name=name.capitalize(),
            currency=currency,
            timezone=timezone,
            history_done=history_done,
            scopes=scopes,
            installed_at=INSTALLED,
            shop_created_at=INSTALLED,
            epoch=1,
            **more,
        )
    )
    session.flush()
    return store_id


def make_order(
    session: Session,
    store_id: str,
    shopify_id: int,
    at: datetime,
    items: Sequence[Item] = (Item(5_000),),
    changes: Sequence[Change] = (),
    *,
    shipping_minor: int = 0,
    shipping_tax_minor: int = 0,
    created_at: datetime | None = None,
    updated_at: datetime | None = None,
    cancelled_at: datetime | None = None,
    customer_id: int | None = None,
    currency: str | None = None,
    taxes_included: bool = False,
    test: bool = False,
    read_no: int = 1,
) -> OrderRecord:
    """An order placed (processed) `at`, with its ledger; landed, its days marked for recount."""
    store = session.execute(sa.select(STORE).where(STORE.c.store_id == store_id)).one()
    lines = tuple(_line(shopify_id, n, item) for n, item in enumerate(items))
    placed = [_placed(shopify_id, n, item, at, taxes_included) for n, item in enumerate(items)]
    if shipping_minor:
        placed.append(
            _sale(
                shopify_id,
                len(placed),
                at=at,
                kind="SHIPPING",
                placed=True,
                net_minor=shipping_minor,
                tax_minor=shipping_tax_minor,
            )
        )
    later = [
        _changed(shopify_id, len(placed) + n, change, items) for n, change in enumerate(changes)
    ]
    sales = (*placed, *later)
    last = max([at, *(change.at for change in changes)])
    order = an_order(shopify_id, at=at, customer_id=customer_id, test=test)._replace(
        created_at=created_at or at,
        updated_at=updated_at or last,
        cancelled_at=cancelled_at,
        currency=currency or store.currency,
        taxes_included=taxes_included,
        original_total_minor=sum(sale.total_minor for sale in placed),
        current_total_minor=sum(sale.total_minor for sale in sales),
        lines=lines,
        sales=sales,
    )
    upserts.land(
        session,
        store_id,
        stage=Stage.ORDERS,
        records=[order],
        read_no=read_no,
        first_read_no=1,
        tz=zone(store.timezone),
    )
    return order


def make_customer(
    session: Session, store_id: str, shopify_id: int, *, number_of_orders: int
) -> None:
    """A customer with the shop's own count of orders."""
    record = a_customer(shopify_id)._replace(number_of_orders=number_of_orders)
    upserts.land(
        session,
        store_id,
        stage=Stage.CUSTOMERS,
        records=[record],
        read_no=1,
        first_read_no=1,
        tz=zone("UTC"),
    )


def make_product(
    session: Session,
    store_id: str,
    shopify_id: int,
    *,
    title: str = "",
    status: str = "ACTIVE",
    prices_minor: Sequence[int] = (2_500,),
) -> ProductRecord:
    """A product with a variant for each price."""
    record = a_product(shopify_id, title=title)
    record = record._replace(
        status=status,
        variants=tuple(
            record.variants[0]._replace(shopify_id=shopify_id * 100 + n, price_minor=price)
            for n, price in enumerate(prices_minor)
        ),
    )
    upserts.land(
        session,
        store_id,
        stage=Stage.PRODUCTS,
        records=[record],
        read_no=1,
        first_read_no=1,
        tz=zone("UTC"),
    )
    return record


def utc(text: str) -> datetime:
    """A moment such as "2026-11-01 12:00" in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _line(order_id: int, position: int, item: Item) -> LineRecord:
    whole = item.price_minor * item.quantity
    return LineRecord(
        shopify_id=order_id * 100 + position,
        order_id=order_id,
        position=position,
        product_id=item.product_id,
        variant_id=None,
        title=item.title,
        variant_title=None,
        sku=None,
        vendor=None,
        quantity=item.quantity,
        current_quantity=item.quantity,
        is_gift_card=item.kind == "GIFT_CARD",
        unit_price_minor=item.price_minor,
        original_total_minor=whole,
        discounted_total_minor=whole - item.discount_minor,
        total_discount_minor=item.discount_minor,
        tax_minor=item.tax_minor,
    )


def _placed(
    order_id: int, number: int, item: Item, at: datetime, taxes_included: bool
) -> SaleRecord:
    net = item.price_minor * item.quantity - item.discount_minor
    if taxes_included:
        net -= item.tax_minor
    goods = item.kind == "PRODUCT"
    off = item.discount_minor - item.discount_tax_minor if goods else 0
    return _sale(
        order_id,
        number,
        at=at,
        kind=item.kind,
        placed=True,
        net_minor=net,
        tax_minor=item.tax_minor,
        quantity=item.quantity,
        gross_minor=net + off if goods else 0,
        discounts_minor=-off,
        line_id=order_id * 100 + number,
        product_id=item.product_id,
    )


def _changed(order_id: int, number: int, change: Change, items: Sequence[Item]) -> SaleRecord:
    goods = change.kind == "PRODUCT"
    sells = goods and change.action in ("ORDER", "UPDATE")
    return _sale(
        order_id,
        number,
        at=change.at,
        action=change.action,
        kind=change.kind,
        net_minor=change.net_minor,
        tax_minor=change.tax_minor,
        quantity=change.quantity,
        gross_minor=change.net_minor + change.discount_minor if sells else 0,
        discounts_minor=-change.discount_minor if sells else 0,
        returns_minor=change.net_minor if goods and change.action == "RETURN" else 0,
        line_id=order_id * 100 + change.item if goods else None,
        product_id=items[change.item].product_id if goods else None,
    )


def _sale(
    order_id: int,
    number: int,
    *,
    at: datetime,
    kind: str,
    net_minor: int,
    tax_minor: int = 0,
    action: str = "ORDER",
    placed: bool = False,
    quantity: int = 0,
    gross_minor: int = 0,
    discounts_minor: int = 0,
    returns_minor: int = 0,
    line_id: int | None = None,
    product_id: int | None = None,
) -> SaleRecord:
    return SaleRecord(
        shopify_id=order_id * 100 + number,
        order_id=order_id,
        agreement_id=order_id * 100 if placed else order_id * 100 + number,
        happened_at=at,
        action=action,
        kind=kind,
        placed=placed,
        line_id=line_id,
        product_id=product_id,
        quantity=quantity,
        total_minor=net_minor + tax_minor,
        tax_minor=tax_minor,
        gross_minor=gross_minor,
        discounts_minor=discounts_minor,
        returns_minor=returns_minor,
        net_minor=net_minor if kind != "GIFT_CARD" else 0,
    )
