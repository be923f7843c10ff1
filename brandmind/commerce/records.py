"""The records between Shopify's JSON and our SQL: immutable, flat, in Shopify's own terms.

They are named tuples and not dataclasses because a first sync makes hundreds of thousands of
them: a tuple is made four times faster and is already the row that a driver binds. Amounts are
integer minor units of the shop's currency; times are aware UTC.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class VariantRecord(NamedTuple):
    """A product variant. Prices in minor units of the shop's currency."""

    shopify_id: int
    product_id: int
    title: str
    sku: str | None
    barcode: str | None
    price_minor: int
    compare_at_minor: int | None
    unit_cost_minor: int | None
    inventory_quantity: int | None
    position: int
    options_json: str
    created_at: datetime
    updated_at: datetime


class ProductRecord(NamedTuple):
    """A product with all its variants."""

    shopify_id: int
    title: str
    handle: str
    status: str
    vendor: str
    product_type: str
    category: str | None
    tags_json: str
    is_gift_card: bool
    total_inventory: int | None
    tracks_inventory: bool
    image_url: str | None
    online_store_url: str | None
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None
    variants: tuple[VariantRecord, ...]


class LineRecord(NamedTuple):
    """A line item as ordered (`quantity`) and as it stands (`current_quantity`)."""

    shopify_id: int
    order_id: int
    position: int
    product_id: int | None
    variant_id: int | None
    title: str
    variant_title: str | None
    sku: str | None
    vendor: str | None
    quantity: int
    current_quantity: int
    is_gift_card: bool
    unit_price_minor: int
    original_total_minor: int
    discounted_total_minor: int
    total_discount_minor: int
    tax_minor: int


class SaleRecord(NamedTuple):
    """One sale of the order's ledger (Order.agreements.sales), signed as Shopify gives it.

    `action`: ORDER, UPDATE, RETURN or UNKNOWN. `kind`: PRODUCT, SHIPPING, TIP, DUTY, FEE,
    ADDITIONAL_FEE, ADJUSTMENT, GIFT_CARD or UNKNOWN. `placed` is true for the sales of the
    order's own agreement (dated processedAt); later agreements are dated happenedAt.
    net = total - tax. For PRODUCT on ORDER and UPDATE the discount takes the sign of the quantity:
    gross = net + discount and discounts = -discount, so a line removed by an edit takes both its
    gross and its discount back. On RETURN the whole net is returns. So net = gross + discounts +
    returns.
    """

    shopify_id: int
    order_id: int
    agreement_id: int
    happened_at: datetime
    action: str
    kind: str
    placed: bool
    line_id: int | None
    product_id: int | None
    quantity: int
    total_minor: int
    tax_minor: int
    gross_minor: int
    discounts_minor: int
    returns_minor: int
    net_minor: int


class RefundRecord(NamedTuple):
    """A refund: a document of the order, not yet proof that money moved."""

    shopify_id: int
    order_id: int
    created_at: datetime | None
    processed_at: datetime
    updated_at: datetime
    total_minor: int
    restocked_quantity: int
    quantity: int


class OrderRecord(NamedTuple):
    """An order with its lines, its refunds and its whole ledger. No name, e-mail or note."""

    shopify_id: int
    name: str
    number: int | None
    created_at: datetime
    processed_at: datetime
    updated_at: datetime
    cancelled_at: datetime | None
    cancel_reason: str | None
    closed_at: datetime | None
    test: bool
    confirmed: bool
    currency: str
    presentment_currency: str
    financial_status: str | None
    fulfillment_status: str | None
    return_status: str | None
    source_name: str | None
    tags_json: str
    discount_codes_json: str
    customer_id: int | None
    country_code: str | None
    province_code: str | None
    city: str | None
    taxes_included: bool
    total_minor: int
    original_total_minor: int
    current_total_minor: int
    subtotal_minor: int
    current_subtotal_minor: int
    total_discounts_minor: int
    total_tax_minor: int
    total_shipping_minor: int
    total_refunded_minor: int
    net_payment_minor: int
    tip_minor: int
    presentment_total_minor: int
    lines: tuple[LineRecord, ...]
    sales: tuple[SaleRecord, ...]
    refunds: tuple[RefundRecord, ...]


class CustomerRecord(NamedTuple):
    """A customer. `amount_spent_minor` is in `amount_spent_currency`."""

    shopify_id: int
    display_name: str | None
    first_name: str | None
    last_name: str | None
    email: str | None
    phone: str | None
    email_marketing_state: str | None
    number_of_orders: int
    amount_spent_minor: int
    amount_spent_currency: str
    last_order_id: int | None
    state: str | None
    tags_json: str
    verified_email: bool
    locale: str | None
    country_code: str | None
    province_code: str | None
    city: str | None
    rfm_group: str | None
    created_at: datetime
    updated_at: datetime


Record = ProductRecord | OrderRecord | CustomerRecord
