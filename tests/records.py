"""Made-up records, small and whole, for tests that need no Shopify."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from brandmind.commerce.records import (
    CustomerRecord,
    LineRecord,
    OrderRecord,
    ProductRecord,
    SaleRecord,
    VariantRecord,
)

NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def a_product(shopify_id: int, *, updated_at: datetime = NOON, title: str = "") -> ProductRecord:
    return ProductRecord(
        shopify_id=shopify_id,
        title=title or f"Product {shopify_id}",
        handle=f"product-{shopify_id}",
        status="ACTIVE",
        vendor="Harbor",
        product_type="Knitwear",
        category=None,
        tags_json="[]",
        is_gift_card=False,
        total_inventory=5,
        tracks_inventory=True,
        image_url=None,
        online_store_url=None,
        created_at=NOON - timedelta(days=shopify_id % 400),
        updated_at=updated_at,
        published_at=NOON - timedelta(days=100),
        variants=(
            VariantRecord(
                shopify_id=shopify_id * 10,
                product_id=shopify_id,
                title="Default",
                sku=f"SKU-{shopify_id}",
                barcode=None,
                price_minor=2_500,
                compare_at_minor=None,
                unit_cost_minor=None,
                inventory_quantity=5,
                position=1,
                options_json="[]",
                created_at=NOON,
                updated_at=updated_at,
            ),
        ),
    )


def an_order(
    shopify_id: int,
    *,
    at: datetime | None = None,
    updated_at: datetime | None = None,
    net_minor: int = 5_000,
    customer_id: int | None = 1,
    test: bool = False,
    lines: int = 1,
) -> OrderRecord:
    """An order of one product a line, without taxes, discounts or shipping."""
    placed_at = at or NOON - timedelta(hours=shopify_id)
    return OrderRecord(
        shopify_id=shopify_id,
        name=f"#{shopify_id}",
        number=shopify_id,
        created_at=placed_at,
        processed_at=placed_at,
        updated_at=updated_at or placed_at,
        cancelled_at=None,
        cancel_reason=None,
        closed_at=None,
        test=test,
        confirmed=True,
        currency="USD",
        presentment_currency="USD",
        financial_status="PAID",
        fulfillment_status="FULFILLED",
        return_status=None,
        source_name="web",
        tags_json="[]",
        discount_codes_json="[]",
        customer_id=customer_id,
        country_code="US",
        province_code=None,
        city=None,
        taxes_included=False,
        total_minor=net_minor * lines,
        original_total_minor=net_minor * lines,
        current_total_minor=net_minor * lines,
        subtotal_minor=net_minor * lines,
        current_subtotal_minor=net_minor * lines,
        total_discounts_minor=0,
        total_tax_minor=0,
        total_shipping_minor=0,
        total_refunded_minor=0,
        net_payment_minor=net_minor * lines,
        tip_minor=0,
        presentment_total_minor=net_minor * lines,
        lines=tuple(
            LineRecord(
                shopify_id=shopify_id * 100 + n,
                order_id=shopify_id,
                position=n,
                product_id=1,
                variant_id=10,
                title="Beanie",
                variant_title=None,
                sku=None,
                vendor=None,
                quantity=1,
                current_quantity=1,
                is_gift_card=False,
                unit_price_minor=net_minor,
                original_total_minor=net_minor,
                discounted_total_minor=net_minor,
                total_discount_minor=0,
                tax_minor=0,
            )
            for n in range(lines)
        ),
        sales=tuple(
            SaleRecord(
                shopify_id=shopify_id * 100 + n,
                order_id=shopify_id,
                agreement_id=shopify_id,
                happened_at=placed_at,
                action="ORDER",
                kind="PRODUCT",
                placed=True,
                line_id=shopify_id * 100 + n,
                product_id=1,
                quantity=1,
                total_minor=net_minor,
                tax_minor=0,
                gross_minor=net_minor,
                discounts_minor=0,
                returns_minor=0,
                net_minor=net_minor,
            )
            for n in range(lines)
        ),
        refunds=(),
    )


def a_customer(shopify_id: int, *, updated_at: datetime = NOON) -> CustomerRecord:
    return CustomerRecord(
        shopify_id=shopify_id,
        display_name=f"Customer {shopify_id}",
        first_name=None,
        last_name=None,
        email=None,
        phone=None,
        email_marketing_state=None,
        number_of_orders=1,
        amount_spent_minor=5_000,
        amount_spent_currency="USD",
        last_order_id=None,
        state="ENABLED",
        tags_json="[]",
        verified_email=True,
        locale="en",
        country_code="US",
        province_code=None,
        city=None,
        rfm_group=None,
        created_at=NOON - timedelta(days=shopify_id % 300),
        updated_at=updated_at,
    )
