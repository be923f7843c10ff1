"""What was read from a shop: one row a record, keyed by (store_id, shopify_id).

Columns follow the records' fields in their order: the upserts bind a record as it is.
`read_no` is the number of the request that brought a row; with `updated_at` it decides which
of two versions is the newer.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from brandmind.db.types import Key, UtcDateTime

# Rows live in their primary key's tree: one tree to write and no look-up from index to row.
_KEYED: dict[str, Any] = {"sqlite_with_rowid": False}


class VariantRow(SQLModel, table=True):
    """A product variant."""

    __tablename__ = "variant"
    __table_args__ = (
        sa.Index("variant_product", "store_id", "product_id"),
        _KEYED,
    )

    store_id: str = Field(primary_key=True, sa_type=Key)
    shopify_id: int = Field(primary_key=True, sa_type=sa.BigInteger)
    product_id: int = Field(sa_type=sa.BigInteger)
    title: str
    sku: str | None = Field(default=None)
    barcode: str | None = Field(default=None)
    price_minor: int = Field(sa_type=sa.BigInteger)
    compare_at_minor: int | None = Field(default=None, sa_type=sa.BigInteger)
    unit_cost_minor: int | None = Field(default=None, sa_type=sa.BigInteger)
    inventory_quantity: int | None = Field(default=None)
    position: int
    options_json: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)


class ProductRow(SQLModel, table=True):
    """A product; `commerce.records.ProductRecord` says what the columns mean."""

    __tablename__ = "product"
    __table_args__ = (_KEYED,)

    store_id: str = Field(primary_key=True, sa_type=Key)
    shopify_id: int = Field(primary_key=True, sa_type=sa.BigInteger)
    title: str
    handle: str
    status: str
    vendor: str
    product_type: str
    category: str | None = Field(default=None)
    tags_json: str
    is_gift_card: bool
    total_inventory: int | None = Field(default=None)
    tracks_inventory: bool
    image_url: str | None = Field(default=None)
    online_store_url: str | None = Field(default=None)
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)
    published_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    read_no: int = Field(sa_type=sa.BigInteger)


class LineRow(SQLModel, table=True):
    """A line item of an order."""

    __tablename__ = "order_line"
    __table_args__ = (
        sa.Index("order_line_order", "store_id", "order_id"),
        _KEYED,
    )

    store_id: str = Field(primary_key=True, sa_type=Key)
    shopify_id: int = Field(primary_key=True, sa_type=sa.BigInteger)
    order_id: int = Field(sa_type=sa.BigInteger)
    position: int
    product_id: int | None = Field(default=None, sa_type=sa.BigInteger)
    variant_id: int | None = Field(default=None, sa_type=sa.BigInteger)
    title: str
    variant_title: str | None = Field(default=None)
    sku: str | None = Field(default=None)
    vendor: str | None = Field(default=None)
    quantity: int
    current_quantity: int
    is_gift_card: bool
    unit_price_minor: int = Field(sa_type=sa.BigInteger)
    original_total_minor: int = Field(sa_type=sa.BigInteger)
    discounted_total_minor: int = Field(sa_type=sa.BigInteger)
    total_discount_minor: int = Field(sa_type=sa.BigInteger)
    tax_minor: int = Field(sa_type=sa.BigInteger)


class SaleRow(SQLModel, table=True):
    """One sale of an order's ledger. `day` is its shop-local day; `counted` is false for sales of
    test orders and for gift cards, which count nowhere.
    """

    __tablename__ = "order_sale"
    __table_args__ = (
        sa.Index("order_sale_order", "store_id", "order_id"),
        sa.Index("order_sale_day", "store_id", "day"),
        # What came back of an order, found without reading what it sold.
        sa.Index(
            "order_sale_returned",
            "store_id",
            "order_id",
            "counted",
            "returns_minor",
            sqlite_where=sa.text("returns_minor <> 0"),
            postgresql_where=sa.text("returns_minor <> 0"),
        ),
        # Gift cards are few, and asked for by themselves.
        sa.Index(
            "order_sale_card",
            "store_id",
            "day",
            sqlite_where=sa.text("kind = 'GIFT_CARD'"),
            postgresql_where=sa.text("kind = 'GIFT_CARD'"),
        ),
        _KEYED,
    )

    store_id: str = Field(primary_key=True, sa_type=Key)
    shopify_id: int = Field(primary_key=True, sa_type=sa.BigInteger)
    order_id: int = Field(sa_type=sa.BigInteger)
    agreement_id: int = Field(sa_type=sa.BigInteger)
    happened_at: datetime = Field(sa_type=UtcDateTime)
    action: str
    kind: str
    placed: bool
    line_id: int | None = Field(default=None, sa_type=sa.BigInteger)
    product_id: int | None = Field(default=None, sa_type=sa.BigInteger)
    quantity: int
    total_minor: int = Field(sa_type=sa.BigInteger)
    tax_minor: int = Field(sa_type=sa.BigInteger)
    gross_minor: int = Field(sa_type=sa.BigInteger)
    discounts_minor: int = Field(sa_type=sa.BigInteger)
    returns_minor: int = Field(sa_type=sa.BigInteger)
    net_minor: int = Field(sa_type=sa.BigInteger)
    day: str = Field(sa_type=sa.String(10))
    counted: bool


class RefundRow(SQLModel, table=True):
    """A refund of an order."""

    __tablename__ = "order_refund"
    __table_args__ = (
        sa.Index("order_refund_order", "store_id", "order_id"),
        _KEYED,
    )

    store_id: str = Field(primary_key=True, sa_type=Key)
    shopify_id: int = Field(primary_key=True, sa_type=sa.BigInteger)
    order_id: int = Field(sa_type=sa.BigInteger)
    created_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    processed_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)
    total_minor: int = Field(sa_type=sa.BigInteger)
    restocked_quantity: int
    quantity: int


_UNSETTLED = "cancelled_at IS NOT NULL OR financial_status = 'PENDING'"


class OrderRow(SQLModel, table=True):
    """An order. `day` is the shop-local day of `processed_at`."""

    __tablename__ = "shop_order"
    __table_args__ = (
        # With all that counting orders and customers needs: the wide rows stay unread.
        sa.Index("shop_order_day", "store_id", "day", "test", "customer_id", "currency"),
        sa.Index("shop_order_customer", "store_id", "customer_id", "day", "test"),
        sa.Index("shop_order_created", "store_id", "created_at"),
        # Orders that may surprise in a total; `db.explained` asks in the same words.
        sa.Index(
            "shop_order_odd",
            "store_id",
            "day",
            sqlite_where=sa.text(f"test = 1 OR {_UNSETTLED}"),
            postgresql_where=sa.text(f"test OR {_UNSETTLED}"),
        ),
        _KEYED,
    )

    store_id: str = Field(primary_key=True, sa_type=Key)
    shopify_id: int = Field(primary_key=True, sa_type=sa.BigInteger)
    name: str
    number: int | None = Field(default=None)
    created_at: datetime = Field(sa_type=UtcDateTime)
    processed_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)
    cancelled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    cancel_reason: str | None = Field(default=None)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    test: bool
    confirmed: bool
    currency: str
    presentment_currency: str
    financial_status: str | None = Field(default=None)
    fulfillment_status: str | None = Field(default=None)
    return_status: str | None = Field(default=None)
    source_name: str | None = Field(default=None)
    tags_json: str
    discount_codes_json: str
    customer_id: int | None = Field(default=None, sa_type=sa.BigInteger)
    country_code: str | None = Field(default=None)
    province_code: str | None = Field(default=None)
    city: str | None = Field(default=None)
    taxes_included: bool
    total_minor: int = Field(sa_type=sa.BigInteger)
    original_total_minor: int = Field(sa_type=sa.BigInteger)
    current_total_minor: int = Field(sa_type=sa.BigInteger)
    subtotal_minor: int = Field(sa_type=sa.BigInteger)
    current_subtotal_minor: int = Field(sa_type=sa.BigInteger)
    total_discounts_minor: int = Field(sa_type=sa.BigInteger)
    total_tax_minor: int = Field(sa_type=sa.BigInteger)
    total_shipping_minor: int = Field(sa_type=sa.BigInteger)
    total_refunded_minor: int = Field(sa_type=sa.BigInteger)
    net_payment_minor: int = Field(sa_type=sa.BigInteger)
    tip_minor: int = Field(sa_type=sa.BigInteger)
    presentment_total_minor: int = Field(sa_type=sa.BigInteger)
    day: str = Field(sa_type=sa.String(10))
    read_no: int = Field(sa_type=sa.BigInteger)


class CustomerRow(SQLModel, table=True):
    """A customer."""

    __tablename__ = "customer"
    __table_args__ = (_KEYED,)

    store_id: str = Field(primary_key=True, sa_type=Key)
    shopify_id: int = Field(primary_key=True, sa_type=sa.BigInteger)
    display_name: str | None = Field(default=None)
    first_name: str | None = Field(default=None)
    last_name: str | None = Field(default=None)
    email: str | None = Field(default=None)
    phone: str | None = Field(default=None)
    email_marketing_state: str | None = Field(default=None)
    number_of_orders: int
    amount_spent_minor: int = Field(sa_type=sa.BigInteger)
    amount_spent_currency: str
    last_order_id: int | None = Field(default=None, sa_type=sa.BigInteger)
    state: str | None = Field(default=None)
    tags_json: str
    verified_email: bool
    locale: str | None = Field(default=None)
    country_code: str | None = Field(default=None)
    province_code: str | None = Field(default=None)
    city: str | None = Field(default=None)
    rfm_group: str | None = Field(default=None)
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)
    read_no: int = Field(sa_type=sa.BigInteger)


class DailySalesRow(SQLModel, table=True):
    """One shop-local day in one currency, summed from `order_sale` and `shop_order`.

    Money in minor units, signed as in the ledger: net = gross + discounts + returns.
    `placed_minor` is gross less discounts of the orders' own agreements: the numerator of the
    average order value, which ignores what happened to an order later. `returned_minor` are the
    returns of the orders of that day, whenever they came: the numerator of the refund rate.
    """

    __tablename__ = "daily_sales"
    __table_args__ = (_KEYED,)

    store_id: str = Field(primary_key=True, sa_type=Key)
    day: str = Field(primary_key=True, sa_type=sa.String(10))
    currency: str = Field(primary_key=True, sa_type=sa.String(3))
    gross_minor: int = Field(sa_type=sa.BigInteger)
    discounts_minor: int = Field(sa_type=sa.BigInteger)
    returns_minor: int = Field(sa_type=sa.BigInteger)
    net_minor: int = Field(sa_type=sa.BigInteger)
    shipping_minor: int = Field(sa_type=sa.BigInteger)
    taxes_minor: int = Field(sa_type=sa.BigInteger)
    duties_minor: int = Field(sa_type=sa.BigInteger)
    fees_minor: int = Field(sa_type=sa.BigInteger)
    tips_minor: int = Field(sa_type=sa.BigInteger)
    adjustments_minor: int = Field(sa_type=sa.BigInteger)
    unexplained_minor: int = Field(sa_type=sa.BigInteger)
    total_minor: int = Field(sa_type=sa.BigInteger)
    placed_minor: int = Field(sa_type=sa.BigInteger)
    returned_minor: int = Field(
        default=0, sa_type=sa.BigInteger, sa_column_kwargs={"server_default": "0"}
    )
    orders: int
    units: int


class ProductSalesRow(SQLModel, table=True):
    """What one product sold on a shop-local day, summed from `order_sale`.

    Goods without a product have `product_id` 0 and go by the title of their line, which is "" for
    all others. `sold_minor` is gross less discounts; `orders` were placed that day; `line_id` is
    one of the lines, for a title where the product is not stored.
    """

    __tablename__ = "product_sales"
    __table_args__ = (_KEYED,)

    store_id: str = Field(primary_key=True, sa_type=Key)
    day: str = Field(primary_key=True, sa_type=sa.String(10))
    currency: str = Field(primary_key=True, sa_type=sa.String(3))
    product_id: int = Field(primary_key=True, sa_type=sa.BigInteger)
    title: str = Field(primary_key=True)
    line_id: int | None = Field(default=None, sa_type=sa.BigInteger)
    sold_minor: int = Field(sa_type=sa.BigInteger)
    returned_minor: int = Field(sa_type=sa.BigInteger)
    units: int
    orders: int


class DirtyDayRow(SQLModel, table=True):
    """A day whose rollup is older than its rows; written with the rows, removed by the recount."""

    __tablename__ = "dirty_day"
    __table_args__ = (_KEYED,)

    store_id: str = Field(primary_key=True, sa_type=Key)
    day: str = Field(primary_key=True, sa_type=sa.String(10))
