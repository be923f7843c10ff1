"""Shops of the local Shopify's own generator as records, without HTTP between them."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from brandmind.commerce.records import (
    CustomerRecord,
    LineRecord,
    OrderRecord,
    ProductRecord,
    SaleRecord,
)
from brandmind.simulator.brand import Brand
from brandmind.simulator.order_papers import LINE_BASE, LINES_PER_ORDER
from brandmind.simulator.orderbook import GUEST, ORDER_BASE, ORDER_STEP, Fate
from brandmind.simulator.people import CUSTOMER_BASE, CUSTOMER_STEP
from tests.records import a_customer, a_product, an_order


def moment(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def customer_id(number: int) -> int | None:
    return None if number == GUEST else CUSTOMER_BASE + number * CUSTOMER_STEP


def records(brand: Brand) -> tuple[list[ProductRecord], list[OrderRecord], list[CustomerRecord]]:
    """The shop's products, orders with their ledgers, and the customers who bought."""
    products = []
    for made in brand.catalogue.products:
        record = a_product(made.shopify_id, title=made.title)
        products.append(
            record._replace(
                status=made.status,
                is_gift_card=made.is_gift_card,
                created_at=moment(made.created_at),
                published_at=moment(made.published_at) if made.published_at else None,
                variants=tuple(
                    record.variants[0]._replace(
                        shopify_id=one.shopify_id, price_minor=one.price, position=one.position
                    )
                    for one in made.variants
                ),
            )
        )
    orders = [_order(brand, index) for index in brand.order_ids()]
    counts = Counter(brand.book.customer)
    people = [
        a_customer(CUSTOMER_BASE + number * CUSTOMER_STEP)._replace(number_of_orders=count)
        for number, count in sorted(counts.items())
        if number != GUEST
    ]
    return products, orders, people


def _order(brand: Brand, index: int) -> OrderRecord:
    book, made = brand.book, brand.draft(index)
    sums = brand.sheet(made)
    gid = ORDER_BASE + index * ORDER_STEP
    first_line = LINE_BASE + index * LINES_PER_ORDER
    placed_at = moment(book.processed[index])
    sales = []
    for number, agreement in enumerate(sums.agreements):
        own = agreement.event is None
        at = placed_at if agreement.event is None else moment(made.events[agreement.event].at)
        for sale in agreement.sales:
            net = sale.total - sale.tax
            plan = made.lines[sale.line] if sale.line >= 0 else None
            goods, back = sale.kind == "PRODUCT", sale.action == "RETURN"
            sales.append(
                SaleRecord(
                    shopify_id=gid + len(sales),
                    order_id=gid,
                    agreement_id=gid + number,
                    happened_at=at,
                    action=sale.action,
                    kind=sale.kind,
                    placed=own,
                    line_id=None if plan is None else first_line + sale.line,
                    product_id=plan.product.shopify_id if plan and plan.product else None,
                    quantity=sale.quantity or 0,
                    total_minor=sale.total,
                    tax_minor=sale.tax,
                    gross_minor=net + sale.discount_before if goods and not back else 0,
                    discounts_minor=-sale.discount_before if goods and not back else 0,
                    returns_minor=net if goods and back else 0,
                    net_minor=net,
                )
            )
    cancelled = made.fate in (Fate.CANCELLED_PAID, Fate.CANCELLED_UNPAID)
    unpaid = made.fate is Fate.CANCELLED_UNPAID
    return an_order(gid, at=placed_at, lines=0)._replace(
        created_at=moment(book.created[index]),
        updated_at=moment(book.updated[index]),
        cancelled_at=moment(book.event_at[index]) if cancelled and made.events else None,
        financial_status="VOIDED" if unpaid and made.events else "PAID",
        test=bool(book.test[index]),
        currency=brand.config.currency,
        customer_id=customer_id(book.customer[index]),
        country_code=made.place.country,
        lines=tuple(
            LineRecord(
                shopify_id=first_line + place,
                order_id=gid,
                position=place,
                product_id=plan.product.shopify_id if plan.product else None,
                variant_id=plan.variant.shopify_id if plan.variant else None,
                title=plan.title,
                variant_title=None,
                sku=None,
                vendor=None,
                quantity=plan.quantity,
                current_quantity=plan.quantity,
                is_gift_card=False,
                unit_price_minor=plan.unit,
                original_total_minor=plan.unit * plan.quantity,
                discounted_total_minor=plan.unit * plan.quantity,
                total_discount_minor=0,
                tax_minor=0,
            )
            for place, plan in enumerate(made.lines)
        ),
        sales=tuple(sales),
    )
