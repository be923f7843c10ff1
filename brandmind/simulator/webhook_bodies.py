"""What deliveries say: the REST shape of orders, refunds, products and customers.

Ids are numbers, names snake_case, money is text, times are in the shop's offset, tags one text.
A customer's body has no totals, tags or consents; that of a guest's order has no customer at all.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from brandmind.simulator.amounts import Bag, Money, price_text
from brandmind.simulator.nodes import Node

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_ESCAPES = (
    (b"/", b"\\/"),
    (b"&", b"\\u0026"),
    (b"<", b"\\u003c"),
    (b">", b"\\u003e"),
)
_TOTALS = (
    "totalPrice",
    "currentTotalPrice",
    "subtotalPrice",
    "currentSubtotalPrice",
    "totalDiscounts",
    "currentTotalDiscounts",
    "totalTax",
    "currentTotalTax",
)


def raw(body: dict[str, Any]) -> bytes:
    """The bytes that are signed, with Shopify's escapes."""
    data = orjson.dumps(body)
    for plain, escaped in _ESCAPES:
        data = data.replace(plain, escaped)
    return data


class Bodies:
    """Writes the bodies of one shop; `zone` is the shop's IANA time zone."""

    def __init__(self, zone: str) -> None:
        self._zone = ZoneInfo(zone)

    def order(self, node: Node) -> dict[str, Any]:
        """orders/create, orders/updated, orders/cancelled."""
        body = self._plain(
            node,
            "name test confirmed note email phone customerLocale taxesIncluded sourceName",
        )
        body |= {
            "number": node["number"] - 1000,
            "order_number": node["number"],
            "currency": node["currencyCode"],
            "presentment_currency": node["presentmentCurrencyCode"],
            "financial_status": _lower(node["displayFinancialStatus"]),
            "fulfillment_status": "fulfilled"
            if node["displayFulfillmentStatus"] == "FULFILLED"
            else None,
            "cancel_reason": _lower(node["cancelReason"]),
            "tags": ", ".join(node["tags"]),
            "discount_codes": [{"code": code} for code in node["discountCodes"]],
            "payment_gateway_names": node["paymentGatewayNames"],
            "order_status_url": node["statusPageUrl"],
        }
        for name in ("created", "processed", "updated", "cancelled", "closed"):
            body[f"{name}_at"] = self.time(node[f"{name}At"])
        for name in _TOTALS:
            bag = node[f"{name}Set"]
            body[_snake(name)] = _text(bag)
            body[f"{_snake(name)}_set"] = _bag(bag)
        body["total_shipping_price_set"] = _bag(node["totalShippingPriceSet"])
        body["line_items"] = [self._line(one) for one in node["lineItems"]]
        body["shipping_lines"] = [
            {
                "id": _number(one["id"]),
                "code": one["code"],
                "title": one["title"],
                "source": one["source"],
                "price": _text(one["originalPriceSet"]),
                "price_set": _bag(one["originalPriceSet"]),
                "tax_lines": _tax_lines(one["taxLines"]),
            }
            for one in node["shippingLines"]
        ]
        body["shipping_address"] = _address(node["shippingAddress"])
        body["billing_address"] = _address(node["billingAddress"])
        body["refunds"] = [self.refund(one, node) for one in node["refunds"]]
        if node["customer"] is not None:
            body["customer"] = self.customer(node["customer"])
        return body

    def refund(self, node: Node, order: Node) -> dict[str, Any]:
        """refunds/create."""
        return {
            **self._ids(node),
            "order_id": _number(order["id"]),
            "created_at": self.time(node["createdAt"]),
            "processed_at": self.time(node["processedAt"]),
            "note": node["note"],
            "user_id": None,
            "restock": any(one["restocked"] for one in node["refundLineItems"]),
            "refund_line_items": [
                {
                    "id": _number(one["id"]),
                    "line_item_id": _number(one["lineItem"]["id"]),
                    "quantity": one["quantity"],
                    "restock_type": one["restockType"].lower(),
                    "subtotal": _decimal(one["subtotalSet"]),
                    "total_tax": _decimal(one["totalTaxSet"]),
                    "subtotal_set": _bag(one["subtotalSet"]),
                    "total_tax_set": _bag(one["totalTaxSet"]),
                    "line_item": self._line(one["lineItem"]),
                }
                for one in node["refundLineItems"]
            ],
            "transactions": [
                {
                    **self._ids(one),
                    "order_id": _number(order["id"]),
                    "amount": _text(one["amountSet"]),
                    "currency": one["amountSet"].shop_currency,
                    "kind": one["kind"].lower(),
                    "status": one["status"].lower(),
                    "gateway": one["gateway"],
                    "test": one["test"],
                    "created_at": self.time(one["createdAt"]),
                }
                for one in node["transactions"]
            ],
            "order_adjustments": [
                {
                    "id": _number(one["id"]),
                    "order_id": _number(order["id"]),
                    "refund_id": _number(node["id"]),
                    "amount": _text(one["amountSet"]),
                    "amount_set": _bag(one["amountSet"]),
                    "kind": "refund_discrepancy",
                    "reason": "Refund discrepancy",
                }
                for one in node["orderAdjustments"]
            ],
        }

    def product(self, node: Node) -> dict[str, Any]:
        """products/create, products/update."""
        variants = node["variants"]
        return {
            **self._plain(node, "title handle vendor productType templateSuffix"),
            "body_html": node["descriptionHtml"],
            "status": node["status"].lower(),
            "published_scope": "global",
            "tags": ", ".join(node["tags"]),
            "created_at": self.time(node["createdAt"]),
            "updated_at": self.time(node["updatedAt"]),
            "published_at": self.time(node["publishedAt"]),
            "options": [
                {
                    "id": _number(one["id"]),
                    "product_id": _number(node["id"]),
                    "name": one["name"],
                    "position": one["position"],
                    "values": one["values"],
                }
                for one in node["options"]
            ],
            "images": [],
            "variants": [self._variant(one, node) for one in variants],
            "variant_gids": [
                {"admin_graphql_api_id": one["id"], "updated_at": self.time(one["updatedAt"])}
                for one in variants
            ],
        }

    def customer(self, node: Node) -> dict[str, Any]:
        """customers/create, customers/update: without totals, tags and consents."""
        email, phone = node["defaultEmailAddress"], node["defaultPhoneNumber"]
        return {
            **self._plain(node, "firstName lastName note verifiedEmail taxExempt"),
            "email": email and email["emailAddress"],
            "phone": phone and phone["phoneNumber"],
            "state": node["state"].lower(),
            "currency": node["amountSpent"].currency,
            "multipass_identifier": None,
            "tax_exemptions": [],
            "created_at": self.time(node["createdAt"]),
            "updated_at": self.time(node["updatedAt"]),
            "default_address": _address(node["defaultAddress"]),
            "addresses": [_address(one) for one in node["addressesV2"]],
        }

    def shop(self, node: Node) -> dict[str, Any]:
        """app/uninstalled and shop/update; Shopify leaves `myshopify_domain` null at times."""
        return {
            "id": _number(node["id"]),
            "name": node["name"],
            "email": node["email"],
            "domain": node["primaryDomain"]["host"],
            "myshopify_domain": None,
            "currency": node["currencyCode"],
            "iana_timezone": node["ianaTimezone"],
            "plan_name": "basic",
            "plan_display_name": node["plan"]["publicDisplayName"],
            "country_code": node["shopAddress"]["countryCodeV2"],
            "taxes_included": node["taxesIncluded"],
            "created_at": self.time(node["createdAt"]),
            "updated_at": self.time(node["updatedAt"]),
        }

    def time(self, text: str | None) -> str | None:
        """`2026-11-20T10:00:00-05:00`."""
        if text is None:
            return None
        return datetime.fromisoformat(text).astimezone(self._zone).isoformat()

    def _ids(self, node: Node) -> dict[str, Any]:
        return {"id": _number(node["id"]), "admin_graphql_api_id": node["id"]}

    def _plain(self, node: Node, names: str) -> dict[str, Any]:
        return self._ids(node) | {_snake(name): node[name] for name in names.split()}

    def _line(self, node: Node) -> dict[str, Any]:
        product, variant = node["product"], node["variant"]
        return {
            **self._plain(
                node,
                "title variantTitle name sku vendor quantity currentQuantity requiresShipping "
                "taxable",
            ),
            "product_id": product and _number(product["id"]),
            "variant_id": variant and _number(variant["id"]),
            "product_exists": product is not None,
            "gift_card": node["isGiftCard"],
            "price": _text(node["originalUnitPriceSet"]),
            "price_set": _bag(node["originalUnitPriceSet"]),
            "total_discount": _text(node["totalDiscountSet"]),
            "total_discount_set": _bag(node["totalDiscountSet"]),
            "tax_lines": _tax_lines(node["taxLines"]),
        }

    def _variant(self, node: Node, product: Node) -> dict[str, Any]:
        options = [one["value"] for one in node["selectedOptions"]]
        return {
            **self._plain(node, "title sku barcode price compareAtPrice position taxable"),
            "product_id": _number(product["id"]),
            "inventory_item_id": _number(node["inventoryItem"]["id"]),
            "inventory_policy": node["inventoryPolicy"].lower(),
            "inventory_quantity": node["inventoryQuantity"],
            **{f"option{at + 1}": options[at] if at < len(options) else None for at in range(3)},
            "created_at": self.time(node["createdAt"]),
            "updated_at": self.time(node["updatedAt"]),
        }


def _number(text: str) -> int:
    return int(text.rpartition("/")[2].partition("?")[0])


def _snake(name: str) -> str:
    return _HUMP.sub("_", name).lower()


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()


def _money(value: Money) -> dict[str, str]:
    return {"amount": price_text(value.minor, value.currency), "currency_code": value.currency}


def _bag(value: Bag) -> dict[str, Any]:
    return {
        "shop_money": _money(Money(value.shop, value.shop_currency)),
        "presentment_money": _money(Money(value.presentment, value.presentment_currency)),
    }


def _text(value: Bag) -> str:
    return price_text(value.shop, value.shop_currency)


def _decimal(value: Bag) -> float:
    return float(_text(value))


def _tax_lines(lines: list[Node]) -> list[dict[str, Any]]:
    return [
        {
            "title": one["title"],
            "rate": one["rate"],
            "price": _text(one["priceSet"]),
            "price_set": _bag(one["priceSet"]),
        }
        for one in lines
    ]


def _address(node: Node | None) -> dict[str, Any] | None:
    if node is None:
        return None
    names = "firstName lastName name address1 address2 city zip phone company province country"
    return {_snake(name): node[name] for name in names.split()} | {
        "province_code": node["provinceCode"],
        "country_code": node["countryCodeV2"],
    }
