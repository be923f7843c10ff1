"""Shopify's JSON becomes records to the cent, also at the edges, and never stops at a bad one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from brandmind.commerce.records import OrderRecord, SaleRecord
from brandmind.commerce.shop import local_day
from brandmind.errors import BadAnswer
from brandmind.shopify import parse
from brandmind.shopify.parse import (
    parse_customers,
    parse_order,
    parse_orders,
    parse_product,
    parse_products,
    parse_shop,
)
from tests.unit.shopify.made import (
    agreement,
    bag,
    connection,
    customer,
    line,
    order,
    product,
    refund,
    sale,
    shop,
    variant,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def sales_of(*agreements: dict[str, Any], **changes: Any) -> tuple[SaleRecord, ...]:
    return parse_order(order(1, agreements=connection(list(agreements)), **changes)).sales


def test_a_shop_tells_its_facts_and_scopes() -> None:
    facts = parse_shop(shop(), answered_at=NOW)
    assert facts.shopify_id == 5
    assert facts.domain == "harbor-and-pine.myshopify.com"
    assert (facts.currency, facts.timezone, facts.plan) == ("USD", "America/New_York", "Advanced")
    assert facts.scopes == {"read_products", "read_orders"}
    assert facts.answered_at == NOW


def test_an_order_is_read_whole() -> None:
    record = parse_order(order(7))
    assert record.shopify_id == 7
    assert record.name == "#7"
    assert record.created_at == datetime(2026, 10, 1, 12, 0, tzinfo=UTC)
    assert record.processed_at == datetime(2026, 10, 1, 11, 59, 58, tzinfo=UTC)
    assert record.customer_id == 61
    assert (record.country_code, record.province_code, record.city) == ("US", "NY", "Troy")
    assert record.discount_codes_json == '["AUTUMN"]'
    assert (record.total_minor, record.subtotal_minor, record.total_tax_minor) == (2444, 1800, 144)
    assert record.refunds == ()
    (read,) = record.lines
    assert (read.shopify_id, read.order_id, read.position) == (71, 7, 0)
    assert (read.product_id, read.variant_id) == (71, 81)
    assert (read.unit_price_minor, read.original_total_minor) == (1000, 2000)
    assert (read.discounted_total_minor, read.total_discount_minor) == (1800, 200)
    assert read.tax_minor == 144


def test_a_sale_is_gross_less_discount_without_tax() -> None:
    goods, shipping = parse_order(order(7)).sales
    assert (goods.kind, goods.action, goods.placed) == ("PRODUCT", "ORDER", True)
    assert (goods.total_minor, goods.tax_minor, goods.net_minor) == (1944, 144, 1800)
    assert (goods.gross_minor, goods.discounts_minor, goods.returns_minor) == (2000, -200, 0)
    assert (goods.line_id, goods.product_id) == (71, 71)
    assert (shipping.kind, shipping.net_minor, shipping.gross_minor) == ("SHIPPING", 500, 0)
    assert (shipping.quantity, shipping.line_id) == (0, None)


def test_the_orders_own_sales_are_dated_processed_and_later_ones_happened() -> None:
    placed, returned = sales_of(
        agreement(1, [sale(1)], happenedAt="2026-10-05T00:00:00Z"),
        agreement(
            2,
            [
                sale(
                    2,
                    actionType="RETURN",
                    quantity=-1,
                    totalAmount=bag("-9.72"),
                    totalTaxAmount=bag("-0.72"),
                    totalDiscountAmountBeforeTaxes=bag("-1.0"),
                )
            ],
            kind="RefundAgreement",
            happenedAt="2026-10-06T00:00:00Z",
        ),
    )
    assert placed.happened_at == datetime(2026, 10, 1, 11, 59, 58, tzinfo=UTC)
    assert returned.happened_at == datetime(2026, 10, 6, tzinfo=UTC)
    assert (placed.placed, returned.placed) == (True, False)
    # The whole net of a return is returns; its discount went with the sale.
    assert (returned.returns_minor, returned.net_minor) == (-900, -900)
    assert (returned.gross_minor, returned.discounts_minor) == (0, 0)


@pytest.mark.parametrize("discount", ["-1.0", "1.0"])
def test_goods_taken_away_by_an_edit_take_their_discount_with_them(discount: str) -> None:
    (removed,) = sales_of(
        agreement(
            1,
            [
                sale(
                    1,
                    actionType="UPDATE",
                    quantity=-1,
                    totalAmount=bag("-9.72"),
                    totalTaxAmount=bag("-0.72"),
                    totalDiscountAmountBeforeTaxes=bag(discount),
                )
            ],
            kind="OrderEditAgreement",
        )
    )
    assert (removed.gross_minor, removed.discounts_minor, removed.net_minor) == (-1000, 100, -900)


def test_a_gift_card_sold_counts_nowhere() -> None:
    (card,) = sales_of(agreement(1, [sale(1, lineType="GIFT_CARD")]))
    assert card.kind == "GIFT_CARD"
    assert card.total_minor == 1944
    assert (card.gross_minor, card.discounts_minor, card.returns_minor, card.net_minor) == (0,) * 4


def test_a_tip_has_a_column_of_its_own() -> None:
    (tip,) = sales_of(agreement(1, [sale(1, lineType="TIP", totalTaxAmount=bag("0.0"))]))
    assert (tip.kind, tip.net_minor, tip.gross_minor) == ("TIP", 1944, 0)


def test_a_sale_of_a_kind_not_known_yet_is_kept_unexplained() -> None:
    (strange,) = sales_of(
        agreement(1, [sale(1, lineType="SUBSCRIPTION_FEE", actionType="EXCHANGE")])
    )
    assert (strange.kind, strange.action) == ("UNKNOWN", "UNKNOWN")
    assert (strange.net_minor, strange.gross_minor, strange.returns_minor) == (1800, 0, 0)


def test_taxes_included_are_decided_by_the_ledger_alone() -> None:
    (read,) = sales_of(
        agreement(1, [sale(1, totalAmount=bag("18.0"), totalTaxAmount=bag("3.0"))]),
        taxesIncluded=True,
    )
    assert (read.net_minor, read.gross_minor) == (1500, 1700)


def test_a_guest_is_an_order_without_customer() -> None:
    assert parse_order(order(1, customer=None)).customer_id is None
    absent = order(1)
    del absent["customer"]
    assert parse_order(absent).customer_id is None


def test_an_order_without_shipping_address_is_where_it_is_billed() -> None:
    record = parse_order(order(1, shippingAddress=None))
    assert (record.country_code, record.province_code, record.city) == ("CA", "ON", "Ottawa")
    nowhere = parse_order(order(1, shippingAddress=None, billingAddress=None))
    assert nowhere.country_code is None


def test_a_full_refund_is_read_with_what_went_back_on_the_shelf() -> None:
    (read,) = parse_order(order(1, refunds=[refund(5, [(1, "RETURN"), (2, "NO_RESTOCK")])])).refunds
    assert (read.shopify_id, read.order_id, read.total_minor) == (5, 1, 972)
    assert (read.quantity, read.restocked_quantity) == (3, 1)
    assert read.processed_at == datetime(2026, 10, 2, 12, 0, 1, tzinfo=UTC)


def test_a_refund_without_creation_date_is_dated_processed() -> None:
    (read,) = parse_order(order(1, refunds=[refund(5, [], createdAt=None)])).refunds
    assert read.created_at is None
    assert read.processed_at.day == 2


def test_a_cancelled_order_stays_an_order() -> None:
    record = parse_order(
        order(1, cancelledAt="2026-10-02T00:00:00Z", cancelReason="CUSTOMER", test=True)
    )
    assert record.cancelled_at == datetime(2026, 10, 2, tzinfo=UTC)
    assert record.cancel_reason == "CUSTOMER"
    assert record.test


def test_money_shown_to_the_buyer_has_its_own_currency() -> None:
    record = parse_order(
        order(1, presentmentCurrencyCode="JPY", totalPriceSet=bag("24.44", "3666.0"))
    )
    assert (record.currency, record.presentment_currency) == ("USD", "JPY")
    assert (record.total_minor, record.presentment_total_minor) == (2444, 3666)


@pytest.mark.parametrize(
    ("currency", "amount", "minor"),
    [("JPY", "1200.0", 1200), ("KWD", "1.234", 1234), ("USD", "12.5", 1250), ("USD", "0.125", 13)],
)
def test_each_currency_has_its_own_decimals(currency: str, amount: str, minor: int) -> None:
    record = parse_order(
        order(
            1,
            currencyCode=currency,
            presentmentCurrencyCode=currency,
            totalPriceSet=bag(amount, amount),
        )
    )
    assert record.total_minor == record.presentment_total_minor == minor


def test_a_line_of_a_deleted_product_or_a_custom_item_has_no_product() -> None:
    custom = line(1, product=None, variant=None, sku=None, vendor=None, variantTitle=None)
    record = parse_order(
        order(
            1,
            lineItems=connection([custom]),
            agreements=connection([agreement(1, [sale(1, line_number=1)])]),
        )
    )
    assert (record.lines[0].product_id, record.lines[0].variant_id) == (None, None)
    assert (record.sales[0].line_id, record.sales[0].product_id) == (1, None)


def test_an_edited_line_keeps_what_was_ordered_and_what_stands() -> None:
    record = parse_order(order(1, lineItems=connection([line(1, quantity=3, currentQuantity=1)])))
    assert (record.lines[0].quantity, record.lines[0].current_quantity) == (3, 1)


def test_an_order_for_nothing_is_an_order() -> None:
    record = parse_order(order(1, totalPriceSet=bag("0.0", "0.0"), lineItems=connection([])))
    assert (record.total_minor, record.lines) == (0, ())


def test_names_of_any_script_arrive_as_they_are() -> None:
    record = parse_order(order(1, name="#١٠٠١", lineItems=connection([line(1, title="🧶 صوف")])))
    assert record.name == "#١٠٠١"
    assert record.lines[0].title == "🧶 صوف"


def test_two_orders_may_share_a_name_and_a_number() -> None:
    records, _ = parse_orders([order(1, name="#1", number=1), order(2, name="#1", number=1)])
    assert [record.shopify_id for record in records] == [1, 2]


def test_states_not_known_yet_and_missing_ones_are_kept() -> None:
    record = parse_order(
        order(
            1,
            displayFinancialStatus=None,
            displayFulfillmentStatus="FULFILLMENT_NOT_REQUIRED",
            returnStatus="SOMETHING_NEW",
        )
    )
    assert record.financial_status is None
    assert record.fulfillment_status == "FULFILLMENT_NOT_REQUIRED"
    assert record.return_status == "SOMETHING_NEW"


def test_totals_that_may_be_null_are_zero() -> None:
    record = parse_order(order(1, subtotalPriceSet=None, totalDiscountsSet=None, totalTaxSet=None))
    assert (record.subtotal_minor, record.total_discounts_minor, record.total_tax_minor) == (0,) * 3


def test_lists_that_are_absent_are_empty() -> None:
    bare = order(1)
    for key in ("refunds", "lineItems", "agreements", "tags", "discountCodes"):
        del bare[key]
    record = parse_order(bare)
    assert (record.lines, record.sales, record.refunds, record.tags_json) == ((), (), (), "[]")


def test_a_time_with_an_offset_is_the_same_moment_in_utc() -> None:
    record = parse_order(order(1, createdAt="2026-10-01T08:00:00-04:00"))
    assert record.created_at == datetime(2026, 10, 1, 12, 0, tzinfo=UTC)
    assert record.created_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"createdAt": "yesterday"}, "createdAt is not readable (ValueError)"),
        ({"createdAt": "2026-10-01T08:00:00"}, "createdAt is not readable (ValueError)"),
        ({"totalPriceSet": bag("ten", "1")}, "totalPriceSet.shopMoney.amount is not readable"),
        ({"customer": {"__typename": "Customer"}}, "customer.id is missing"),
        ({"lineItems": connection([line(1, quantity=1) | {"id": None}])}, "lineItems.nodes.id is"),
    ],
)
def test_a_bad_record_is_named_with_its_field(change: dict[str, Any], reason: str) -> None:
    records, rejects = parse_orders([order(1), order(2, **change), order(3)])
    assert [record.shopify_id for record in records] == [1, 3]
    (reject,) = rejects
    assert reject.gid == "gid://shopify/Order/2"
    assert reject.reason.startswith(reason)


def test_a_bad_record_read_alone_is_a_bad_answer_without_its_values() -> None:
    with pytest.raises(BadAnswer) as caught:
        parse_order(order(2, createdAt="Ada Example"))
    assert "gid://shopify/Order/2" in caught.value.message
    assert "createdAt" in caught.value.message
    assert "Ada" not in caught.value.message
    assert caught.value.__suppress_context__


def test_a_record_that_came_as_null_is_a_reject() -> None:
    records, rejects = parse_orders([None, order(1)])
    assert len(records) == 1
    assert rejects[0].reason == "it is null"


def test_a_record_without_its_id_is_a_reject() -> None:
    broken = order(1)
    del broken["id"]
    _, rejects = parse_orders([broken])
    assert rejects == [("", "id is missing")]


def test_a_product_is_read_with_its_variants() -> None:
    record = parse_product(product(7), currency="USD")
    assert record.category == "Apparel > Shirts"
    assert record.tags_json == '["linen","summer"]'
    assert record.image_url == "https://cdn.example/shirt.png"
    assert record.published_at is None
    (read,) = record.variants
    assert (read.shopify_id, read.product_id) == (71, 7)
    assert (read.price_minor, read.compare_at_minor, read.unit_cost_minor) == (1000, 1200, 350)
    assert read.options_json == '{"Size":"S"}'


def test_a_product_without_category_picture_or_costs_is_whole() -> None:
    bare = variant(71, compareAtPrice=None, inventoryItem={"unitCost": None}, sku=None)
    record = parse_product(
        product(7, category=None, featuredMedia=None, variants=connection([bare])), currency="JPY"
    )
    assert (record.category, record.image_url) == (None, None)
    assert (record.variants[0].compare_at_minor, record.variants[0].unit_cost_minor) == (None, None)
    assert record.variants[0].price_minor == 10


def test_a_picture_still_being_processed_is_no_picture() -> None:
    records, rejects = parse_products(
        [product(1, featuredMedia={"preview": {"image": None}}), product(2, featuredMedia={})],
        currency="USD",
    )
    assert [record.image_url for record in records] == [None, None]
    assert rejects == []


def test_a_customer_is_read() -> None:
    (record,), _ = parse_customers([customer(6)])
    assert (record.shopify_id, record.display_name) == (6, "Ada Example")
    assert (record.email, record.email_marketing_state) == ("ada@example.com", "SUBSCRIBED")
    assert record.number_of_orders == 2
    assert (record.amount_spent_minor, record.amount_spent_currency) == (4888, "USD")
    assert (record.last_order_id, record.rfm_group, record.phone) == (9, "LOYAL", None)


def test_a_customer_whose_protected_fields_are_hidden_is_still_a_customer() -> None:
    hidden = customer(
        6,
        displayName=None,
        firstName=None,
        lastName=None,
        defaultEmailAddress=None,
        lastOrder=None,
        defaultAddress=None,
        statistics=None,
        amountSpent={"amount": "1.234", "currencyCode": "KWD"},
    )
    (record,), rejects = parse_customers([hidden])
    assert rejects == []
    assert (record.display_name, record.email, record.country_code) == (None, None, None)
    assert (record.amount_spent_minor, record.rfm_group) == (1234, None)


def test_a_sale_explains_itself_for_every_good_order() -> None:
    records, _ = parse_orders([order(number) for number in range(1, 50)])
    assert all(isinstance(record, OrderRecord) for record in records)
    for record in records:
        for one in record.sales:
            if one.kind == "PRODUCT":
                parts = one.gross_minor + one.discounts_minor + one.returns_minor
                assert one.net_minor == parts


@pytest.mark.parametrize(
    "changes",
    [
        {"totalPriceSet": bag("99999999999999999999.0")},
        {"updatedAt": "0001-01-01T00:00:00+10:00"},
    ],
)
def test_a_value_no_column_holds_costs_its_own_record_alone(changes: dict[str, object]) -> None:
    records, rejects = parse_orders([order(1), order(2, **changes)])
    assert [record.shopify_id for record in records] == [1]
    assert [reject.gid for reject in rejects] == ["gid://shopify/Order/2"]


def test_an_order_of_the_first_day_there_is_has_a_day_in_every_zone() -> None:
    at = datetime(1, 1, 1, tzinfo=UTC)
    assert local_day(at, ZoneInfo("America/New_York")) == "0001-01-01"


def test_amounts_that_hardly_repeat_do_not_fill_the_memory() -> None:
    amounts = parse._Minor(2)
    for cents in range(25_000):
        assert amounts[f"{cents // 100}.{cents % 100:02}"] == cents
    assert len(amounts) <= 10_000
