"""Shopify's JSON to records: the only place, with `nested`, that knows their field names.

Parsing is the hot path of a first sync, so orders are decoded to types (`wire`), and any record is
read with no bookkeeping; what cannot be read is found out afterwards, by `readings`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, TypeVar

import orjson

from brandmind.commerce.money import exponent, to_minor
from brandmind.commerce.records import (
    CustomerRecord,
    LineRecord,
    OrderRecord,
    ProductRecord,
    RefundRecord,
    SaleRecord,
    VariantRecord,
)
from brandmind.commerce.shop import ShopFacts
from brandmind.shopify import wire
from brandmind.shopify.readings import each, one
from brandmind.sync.ports import Reject

Json = dict[str, Any]
T = TypeVar("T")

ACTIONS: Final = {name: name for name in ("ORDER", "UPDATE", "RETURN")}
KINDS: Final = {
    name: name
    for name in ("PRODUCT SHIPPING TIP DUTY FEE ADDITIONAL_FEE ADJUSTMENT GIFT_CARD".split())
}
_RESTOCKED = frozenset({"RETURN", "CANCEL", "LEGACY_RESTOCK"})
_NOTHING: Json = {}
_NOWHERE: Final = wire.Address()
# A ten-thousandth of what 64 bits hold, so that sums of many fit as well.
_LARGEST: Final = 2**63 // 10_000

_iso = datetime.fromisoformat
# A named tuple without its own constructor, which costs as much as the reading of three fields.
_new = tuple.__new__


class _Minor(dict[str, int]):
    """Amounts already turned into minor units: a shop's prices repeat, so most are look-ups."""

    def __init__(self, exp: int) -> None:
        super().__init__()
        self._exp = exp

    def __missing__(self, amount: str) -> int:
        if len(self) >= 10_000:
            # Sums of orders hardly repeat: they would fill the memory, and prices come back soon.
            self.clear()
        minor = to_minor(amount, self._exp)
        if abs(minor) > _LARGEST:
            # It fits no column: one such record would stop the reading of all the others.
            raise ValueError("more money than can be stored")
        self[amount] = minor
        return minor


@lru_cache(maxsize=64)
def _minor_in(currency: str) -> _Minor:
    return _Minor(exponent(currency))


def parse_orders(nodes: Iterable[Any]) -> tuple[list[OrderRecord], list[Reject]]:
    """Orders with lines, refunds and ledger; those that cannot be read are named apart.

    A node is a `wire.Order`, or the JSON of one.
    """
    return each(nodes, _order, typed=wire.order)


def parse_products(
    nodes: Iterable[Any], *, currency: str
) -> tuple[list[ProductRecord], list[Reject]]:
    """Products with variants; their prices are plain amounts in the shop's `currency`."""
    return each(nodes, lambda node: _product(node, _minor_in(currency)))


def parse_customers(nodes: Iterable[Any]) -> tuple[list[CustomerRecord], list[Reject]]:
    """Customers; fields the app may not see are None."""
    return each(nodes, _customer)


def parse_order(node: Any) -> OrderRecord:
    """One order. Raises BadAnswer naming its gid and the field that cannot be read."""
    return one(node, _order, typed=wire.order)


def parse_product(node: Any, *, currency: str) -> ProductRecord:
    """One product. Raises BadAnswer naming its gid and the field that cannot be read."""
    return one(node, lambda node: _product(node, _minor_in(currency)))


def parse_customer(node: Any) -> CustomerRecord:
    """One customer. Raises BadAnswer naming its gid and the field that cannot be read."""
    return one(node, _customer)


def parse_shop(data: Json, *, answered_at: datetime) -> ShopFacts:
    """The shop's facts out of the data of shop.graphql. Raises BadAnswer."""
    return one(data, lambda data: _shop(data, answered_at))


def gid(resource: str, shopify_id: int) -> str:
    """The global id of a resource ("Order") by its number."""
    return f"gid://shopify/{resource}/{shopify_id}"


def number_of(gid: str) -> int:
    """The number in a global id. Raises ValueError if there is none."""
    return int(gid.rsplit("/", 1)[-1])


def _shop(data: Json, answered_at: datetime) -> ShopFacts:
    shop = data["shop"]
    install = data.get("currentAppInstallation") or _NOTHING
    return ShopFacts(
        shopify_id=_id(shop),
        domain=shop["myshopifyDomain"],
        name=shop["name"],
        currency=shop["currencyCode"],
        timezone=shop["ianaTimezone"],
        country_code=(shop.get("shopAddress") or _NOTHING).get("countryCodeV2"),
        plan=(shop.get("plan") or _NOTHING).get("publicDisplayName") or "",
        taxes_included=bool(shop.get("taxesIncluded")),
        created_at=_at(shop["createdAt"]),
        scopes=frozenset(scope["handle"] for scope in install.get("accessScopes") or ()),
        answered_at=answered_at,
    )


def _order(node: wire.Order) -> OrderRecord:
    order_id = int(node.id.rsplit("/", 1)[1])
    currency = node.currencyCode
    presentment = node.presentmentCurrencyCode or currency
    minor = _minor_in(currency)
    processed_at = _at(node.processedAt)
    address = node.shippingAddress
    if address is None or not address.countryCodeV2:
        address = node.billingAddress or address or _NOWHERE
    total = node.totalPriceSet
    total_minor = minor[total.shopMoney.amount]
    if presentment == currency:
        presentment_minor = total_minor
    else:
        presentment_minor = _minor_in(presentment)[_there(total.presentmentMoney).amount]
    customer = node.customer
    lines, product_of = _lines(node, order_id, minor)
    return OrderRecord(
        order_id,
        node.name,
        node.number,
        _at(node.createdAt),
        processed_at,
        _at(node.updatedAt),
        _at_or_none(node.cancelledAt),
        node.cancelReason,
        _at_or_none(node.closedAt),
        bool(node.test),
        bool(node.confirmed),
        currency,
        presentment,
        node.displayFinancialStatus,
        node.displayFulfillmentStatus,
        node.returnStatus,
        node.sourceName,
        _json(node.tags),
        _json(node.discountCodes),
        int(customer.id.rsplit("/", 1)[1]) if customer is not None else None,
        address.countryCodeV2,
        address.provinceCode,
        address.city,
        bool(node.taxesIncluded),
        total_minor,
        _money(minor, node.originalTotalPriceSet),
        _money(minor, node.currentTotalPriceSet),
        _money(minor, node.subtotalPriceSet),
        _money(minor, node.currentSubtotalPriceSet),
        _money(minor, node.totalDiscountsSet),
        _money(minor, node.totalTaxSet),
        _money(minor, node.totalShippingPriceSet),
        _money(minor, node.totalRefundedSet),
        _money(minor, node.netPaymentSet),
        _money(minor, node.totalTipReceivedSet),
        presentment_minor,
        lines,
        _sales(node, order_id, processed_at, minor, product_of),
        _refunds(node, order_id, minor),
    )


def _lines(
    node: wire.Order, order_id: int, minor: _Minor
) -> tuple[tuple[LineRecord, ...], dict[int, int | None]]:
    lines = []
    product_of: dict[int, int | None] = {}
    connection = node.lineItems
    for position, line in enumerate((connection.nodes or ()) if connection is not None else ()):
        line_id = int(line.id.rsplit("/", 1)[1])
        product = line.product
        variant = line.variant
        product_id = int(product.id.rsplit("/", 1)[1]) if product is not None else None
        product_of[line_id] = product_id
        tax = 0
        for tax_line in line.taxLines or ():
            tax += minor[tax_line.priceSet.shopMoney.amount]
        quantity = line.quantity
        current = line.currentQuantity
        lines.append(
            _new(
                LineRecord,
                (
                    line_id,
                    order_id,
                    position,
                    product_id,
                    int(variant.id.rsplit("/", 1)[1]) if variant is not None else None,
                    line.title,
                    line.variantTitle,
                    line.sku,
                    line.vendor,
                    quantity,
                    quantity if current is None else current,
                    bool(line.isGiftCard),
                    minor[line.originalUnitPriceSet.shopMoney.amount],
                    minor[line.originalTotalSet.shopMoney.amount],
                    minor[line.discountedTotalSet.shopMoney.amount],
                    minor[line.totalDiscountSet.shopMoney.amount],
                    tax,
                ),
            )
        )
    return tuple(lines), product_of


def _sales(
    node: wire.Order,
    order_id: int,
    processed_at: datetime,
    minor: _Minor,
    product_of: dict[int, int | None],
) -> tuple[SaleRecord, ...]:
    """The ledger, split as Shopify's sales reports split it.

    A discount counts against the goods it belongs to: where an edit takes goods away, their
    discount goes with them, so it has the sign of the quantity.
    """
    sales = []
    connection = node.agreements
    for agreement in (connection.nodes or ()) if connection is not None else ():
        agreement_id = int(agreement.id.rsplit("/", 1)[1])
        placed = agreement.typename == "OrderAgreement"
        happened_at = processed_at if placed else _at(_there(agreement.happenedAt))
        for sale in agreement.sales.nodes:
            total = minor[sale.totalAmount.shopMoney.amount]
            tax = minor[sale.totalTaxAmount.shopMoney.amount]
            action = ACTIONS.get(sale.actionType, "UNKNOWN")
            kind = KINDS.get(sale.lineType, "UNKNOWN")
            quantity = sale.quantity or 0
            line = sale.lineItem
            line_id = int(line.id.rsplit("/", 1)[1]) if line is not None else None
            net = total - tax
            gross = discounts = returns = 0
            if kind == "PRODUCT":
                if action == "RETURN":
                    returns = net
                elif action != "UNKNOWN":
                    off = minor[_there(sale.totalDiscountAmountBeforeTaxes).shopMoney.amount]
                    if quantity:
                        off = abs(off) if quantity > 0 else -abs(off)
                    gross = net + off
                    discounts = -off
            elif kind == "GIFT_CARD":
                # Selling one is a liability, not a sale.
                net = 0
            sales.append(
                _new(
                    SaleRecord,
                    (
                        int(sale.id.rsplit("/", 1)[1]),
                        order_id,
                        agreement_id,
                        happened_at,
                        action,
                        kind,
                        placed,
                        line_id,
                        product_of.get(line_id) if line_id is not None else None,
                        quantity,
                        total,
                        tax,
                        gross,
                        discounts,
                        returns,
                        net,
                    ),
                )
            )
    return tuple(sales)


def _refunds(node: wire.Order, order_id: int, minor: _Minor) -> tuple[RefundRecord, ...]:
    refunds = node.refunds
    if not refunds:
        return ()
    found = []
    for refund in refunds:
        created_at = _at_or_none(refund.createdAt)
        quantity = restocked = 0
        connection = refund.refundLineItems
        for line in (connection.nodes or ()) if connection is not None else ():
            quantity += line.quantity
            if line.restockType in _RESTOCKED:
                restocked += line.quantity
        updated_at = _at(refund.updatedAt)
        found.append(
            RefundRecord(
                int(refund.id.rsplit("/", 1)[1]),
                order_id,
                created_at,
                _at_or_none(refund.processedAt) or created_at or updated_at,
                updated_at,
                _money(minor, refund.totalRefundedSet),
                restocked,
                quantity,
            )
        )
    return tuple(found)


def _there(value: T | None) -> T:
    if value is None:
        raise TypeError("null")
    return value


def _product(node: Json, minor: _Minor) -> ProductRecord:
    product_id = _id(node)
    media = node.get("featuredMedia") or _NOTHING
    image = (media.get("preview") or _NOTHING).get("image") or _NOTHING
    return ProductRecord(
        shopify_id=product_id,
        title=node["title"],
        handle=node["handle"],
        status=node["status"],
        vendor=node.get("vendor") or "",
        product_type=node.get("productType") or "",
        category=(node.get("category") or _NOTHING).get("fullName"),
        tags_json=_json(node.get("tags")),
        is_gift_card=bool(node.get("isGiftCard")),
        total_inventory=node.get("totalInventory"),
        tracks_inventory=bool(node.get("tracksInventory")),
        image_url=image.get("url"),
        online_store_url=node.get("onlineStoreUrl"),
        created_at=_at(node["createdAt"]),
        updated_at=_at(node["updatedAt"]),
        published_at=_at_or_none(node.get("publishedAt")),
        variants=tuple(
            _variant(variant, product_id, minor)
            for variant in (node.get("variants") or _NOTHING).get("nodes") or ()
        ),
    )


def _variant(node: Json, product_id: int, minor: _Minor) -> VariantRecord:
    compare_at = node.get("compareAtPrice")
    unit_cost = (node.get("inventoryItem") or _NOTHING).get("unitCost")
    options = {option["name"]: option["value"] for option in node.get("selectedOptions") or ()}
    return VariantRecord(
        _id(node),
        product_id,
        node["title"],
        node.get("sku"),
        node.get("barcode"),
        minor[node["price"]],
        None if compare_at is None else minor[compare_at],
        None if unit_cost is None else minor[unit_cost["amount"]],
        node.get("inventoryQuantity"),
        node["position"],
        orjson.dumps(options).decode(),
        _at(node["createdAt"]),
        _at(node["updatedAt"]),
    )


def _customer(node: Json) -> CustomerRecord:
    email = node.get("defaultEmailAddress") or _NOTHING
    spent = node.get("amountSpent")
    last_order = node.get("lastOrder")
    address = node.get("defaultAddress") or _NOTHING
    return CustomerRecord(
        _id(node),
        node.get("displayName"),
        node.get("firstName"),
        node.get("lastName"),
        email.get("emailAddress"),
        (node.get("defaultPhoneNumber") or _NOTHING).get("phoneNumber"),
        email.get("marketingState"),
        int(node.get("numberOfOrders") or 0),
        _minor_in(spent["currencyCode"])[spent["amount"]] if spent else 0,
        spent["currencyCode"] if spent else "",
        _id(last_order) if last_order else None,
        node.get("state"),
        _json(node.get("tags")),
        bool(node.get("verifiedEmail")),
        node.get("locale"),
        address.get("countryCodeV2"),
        address.get("provinceCode"),
        address.get("city"),
        (node.get("statistics") or _NOTHING).get("rfmGroup"),
        _at(node["createdAt"]),
        _at(node["updatedAt"]),
    )


def _id(node: Json) -> int:
    return int(node["id"].rsplit("/", 1)[1])


def _at(text: str) -> datetime:
    at = _iso(text)
    # "…Z" is what GraphQL sends, and it is read as this very object.
    return at if at.tzinfo is UTC else _as_utc(at)


def _as_utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return at.astimezone(UTC)


def _at_or_none(text: str | None) -> datetime | None:
    return _at(text) if text else None


def _money(minor: _Minor, bag: wire.Bag | None) -> int:
    return minor[bag.shopMoney.amount] if bag is not None else 0


def _json(texts: list[str] | None) -> str:
    return orjson.dumps(texts).decode() if texts else "[]"
