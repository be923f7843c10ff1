"""Answers as Shopify would send them, made small enough to read."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
NO_MORE = {"hasNextPage": False, "endCursor": None}


def bag(amount: str, presentment: str | None = None) -> Json:
    """A MoneyBag as our documents select it."""
    made: Json = {"shopMoney": {"amount": amount}}
    if presentment is not None:
        made["presentmentMoney"] = {"amount": presentment}
    return made


def connection(nodes: list[Any], *, cursor: str | None = None) -> Json:
    """A connection; a cursor says that there is more after these nodes."""
    return {
        "pageInfo": {"hasNextPage": cursor is not None, "endCursor": cursor},
        "nodes": nodes,
    }


def line(number: int, /, **changes: Any) -> Json:
    """A line of two pieces at 10.00 each, 2.00 off, 1.44 tax."""
    return {
        "id": f"gid://shopify/LineItem/{number}",
        "title": "Linen Shirt",
        "variantTitle": "S",
        "sku": "LS-S",
        "vendor": "Harbor",
        "quantity": 2,
        "currentQuantity": 2,
        "isGiftCard": False,
        "originalUnitPriceSet": bag("10.0"),
        "originalTotalSet": bag("20.0"),
        "discountedTotalSet": bag("18.0"),
        "totalDiscountSet": bag("2.0"),
        "taxLines": [{"priceSet": bag("0.94")}, {"priceSet": bag("0.50")}],
        "product": {"id": "gid://shopify/Product/71"},
        "variant": {"id": "gid://shopify/ProductVariant/81"},
    } | changes


def sale(number: int, *, line_number: int | None = None, **changes: Any) -> Json:
    """The sale of such a line: 19.44 with 1.44 tax after 2.00 off."""
    made: Json = {
        "id": f"gid://shopify/Sale/{number}",
        "actionType": "ORDER",
        "lineType": "PRODUCT",
        "quantity": 2,
        "totalAmount": bag("19.44"),
        "totalTaxAmount": bag("1.44"),
        "totalDiscountAmountBeforeTaxes": bag("2.0"),
    }
    if line_number is not None:
        made["lineItem"] = {"id": f"gid://shopify/LineItem/{line_number}"}
    return made | changes


def agreement(number: int, sales: list[Json], *, kind: str = "OrderAgreement", **more: Any) -> Json:
    """An agreement of the order's ledger."""
    return {
        "__typename": kind,
        "id": f"gid://shopify/SalesAgreement/{number}",
        "happenedAt": "2026-10-02T12:00:00Z",
        "sales": connection(sales),
    } | more


def order(number: int, /, **changes: Any) -> Json:
    """An order of one such line with its ledger."""
    return {
        "id": f"gid://shopify/Order/{number}",
        "name": f"#{number}",
        "number": number,
        "createdAt": "2026-10-01T12:00:00Z",
        "processedAt": "2026-10-01T11:59:58Z",
        "updatedAt": "2026-10-03T08:00:00Z",
        "cancelledAt": None,
        "cancelReason": None,
        "closedAt": None,
        "test": False,
        "confirmed": True,
        "currencyCode": "USD",
        "presentmentCurrencyCode": "USD",
        "displayFinancialStatus": "PAID",
        "displayFulfillmentStatus": "FULFILLED",
        "returnStatus": "NO_RETURN",
        "sourceName": "web",
        "tags": [],
        "discountCodes": ["AUTUMN"],
        "customer": {"id": "gid://shopify/Customer/61"},
        "shippingAddress": {"countryCodeV2": "US", "provinceCode": "NY", "city": "Troy"},
        "billingAddress": {"countryCodeV2": "CA", "provinceCode": "ON", "city": "Ottawa"},
        "taxesIncluded": False,
        "totalPriceSet": bag("24.44", "24.44"),
        "originalTotalPriceSet": bag("24.44"),
        "currentTotalPriceSet": bag("24.44"),
        "subtotalPriceSet": bag("18.0"),
        "currentSubtotalPriceSet": bag("18.0"),
        "totalDiscountsSet": bag("2.0"),
        "totalTaxSet": bag("1.44"),
        "totalShippingPriceSet": bag("5.0"),
        "totalRefundedSet": bag("0.0"),
        "netPaymentSet": bag("24.44"),
        "totalTipReceivedSet": bag("0.0"),
        "refunds": [],
        "lineItems": connection([line(number * 10 + 1)]),
        "agreements": connection(
            [
                agreement(
                    number * 10 + 1,
                    [
                        sale(number * 100 + 1, line_number=number * 10 + 1),
                        sale(
                            number * 100 + 2,
                            lineType="SHIPPING",
                            quantity=None,
                            totalAmount=bag("5.0"),
                            totalTaxAmount=bag("0.0"),
                            totalDiscountAmountBeforeTaxes=bag("0.0"),
                        ),
                    ],
                )
            ]
        ),
    } | changes


def refund(number: int, lines: list[tuple[int, str]], **changes: Any) -> Json:
    """A refund of lines (quantity, restock type)."""
    return {
        "id": f"gid://shopify/Refund/{number}",
        "createdAt": "2026-10-02T12:00:00Z",
        "processedAt": "2026-10-02T12:00:01Z",
        "updatedAt": "2026-10-02T12:00:02Z",
        "totalRefundedSet": bag("9.72"),
        "refundLineItems": connection(
            [{"quantity": quantity, "restockType": kind} for quantity, kind in lines]
        ),
    } | changes


def variant(number: int, /, **changes: Any) -> Json:
    """A variant at 10.00."""
    return {
        "id": f"gid://shopify/ProductVariant/{number}",
        "title": "S",
        "sku": "LS-S",
        "barcode": None,
        "price": "10.00",
        "compareAtPrice": "12.00",
        "inventoryQuantity": 4,
        "inventoryItem": {"unitCost": {"amount": "3.5"}},
        "position": 1,
        "selectedOptions": [{"name": "Size", "value": "S"}],
        "createdAt": "2026-01-01T00:00:00Z",
        "updatedAt": "2026-01-02T00:00:00Z",
    } | changes


def product(number: int, /, **changes: Any) -> Json:
    """A product of one variant."""
    return {
        "id": f"gid://shopify/Product/{number}",
        "title": "Linen Shirt",
        "handle": "linen-shirt",
        "status": "ACTIVE",
        "vendor": "Harbor",
        "productType": "Shirts",
        "category": {"fullName": "Apparel > Shirts"},
        "tags": ["linen", "summer"],
        "isGiftCard": False,
        "totalInventory": 4,
        "tracksInventory": True,
        "featuredMedia": {"preview": {"image": {"url": "https://cdn.example/shirt.png"}}},
        "onlineStoreUrl": None,
        "createdAt": "2026-01-01T00:00:00Z",
        "updatedAt": "2026-01-02T00:00:00Z",
        "publishedAt": None,
        "variants": connection([variant(number * 10 + 1)]),
    } | changes


def customer(number: int, /, **changes: Any) -> Json:
    """A customer with two orders."""
    return {
        "id": f"gid://shopify/Customer/{number}",
        "displayName": "Ada Example",
        "firstName": "Ada",
        "lastName": "Example",
        "defaultEmailAddress": {
            "emailAddress": "ada@example.com",
            "marketingState": "SUBSCRIBED",
        },
        "defaultPhoneNumber": None,
        "numberOfOrders": "2",
        "amountSpent": {"amount": "48.88", "currencyCode": "USD"},
        "lastOrder": {"id": "gid://shopify/Order/9"},
        "state": "ENABLED",
        "tags": [],
        "verifiedEmail": True,
        "locale": "en",
        "defaultAddress": {"countryCodeV2": "US", "provinceCode": "NY", "city": "Troy"},
        "statistics": {"rfmGroup": "LOYAL"},
        "createdAt": "2026-01-01T00:00:00Z",
        "updatedAt": "2026-10-03T08:00:00Z",
    } | changes


def shop(**changes: Any) -> Json:
    """The data of shop.graphql."""
    return {
        "shop": {
            "id": "gid://shopify/Shop/5",
            "name": "Harbor & Pine",
            "myshopifyDomain": "harbor-and-pine.myshopify.com",
            "currencyCode": "USD",
            "ianaTimezone": "America/New_York",
            "plan": {"publicDisplayName": "Advanced"},
            "shopAddress": {"countryCodeV2": "US"},
            "createdAt": "2024-01-01T00:00:00Z",
            "taxesIncluded": False,
        }
        | changes,
        "currentAppInstallation": {
            "accessScopes": [{"handle": "read_products"}, {"handle": "read_orders"}]
        },
    }
