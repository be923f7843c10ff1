"""The papers of an order as the API shows them: payments, refunds and the agreements' sales."""

from __future__ import annotations

from collections.abc import Callable

from brandmind.simulator.amounts import Bag
from brandmind.simulator.drafts import Draft
from brandmind.simulator.ledger import Agreement, Sheet
from brandmind.simulator.moments import iso
from brandmind.simulator.nodes import Node, gid
from brandmind.simulator.orderbook import OrderBook
from brandmind.simulator.people import Person

LINE_BASE = 15_000_000_000_000
# What an order may hold at most, so that the ids of two never meet.
LINES_PER_ORDER = 2_048
REFUNDS_PER_ORDER = 16
LINES_PER_REFUND = 2_048
SALE_BASE = 30_000_000_000_000
AGREEMENT_BASE = 20_000_000_000_000
REFUND_BASE = 900_000_000_000
REFUND_LINE_BASE = 650_000_000_000
SHIPPING_BASE = 5_000_000_000_000
TRANSACTION_BASE = 7_000_000_000_000

# Half the price of calling the class, and an order has fifty of them.
_new = tuple.__new__

_SALE_TYPES = {
    "PRODUCT": "ProductSale",
    "GIFT_CARD": "GiftCardSale",
    "TIP": "TipSale",
    "SHIPPING": "ShippingLineSale",
    "ADJUSTMENT": "AdjustmentSale",
}


class OrderPapers:
    """Writes these; both sheets have the same form, so amounts pair up by place."""

    def __init__(
        self,
        book: OrderBook,
        draft: Draft,
        shop: Sheet,
        presentment: Sheet,
        *,
        buyer: Person | None,
        customer: Node | None,
        goods: Callable[[int], tuple[Node | None, Node | None]],
        again: Node,
    ) -> None:
        self._book = book
        self._draft = draft
        self._shop = shop
        self._presentment = presentment
        self._buyer = buyer
        self._customer = customer
        self._goods = goods
        # Where a part points back at its order: by name, or no order would ever be freed.
        self._again = again
        self._currency = book.config.currency
        self._paid_in = draft.presentment
        rate = draft.rate / 100_000
        self._rate: Node = {
            "title": "VAT" if book.config.taxes_included else f"{draft.place.province} Tax",
            "rate": rate,
            "ratePercentage": round(rate * 100, 4),
        }
        self._zero = self._bag(0, 0)

    def _bag(self, mine: int, theirs: int) -> Bag:
        return _new(Bag, (mine, theirs, self._currency, self._paid_in))

    def _tax_line(self, mine: int, theirs: int) -> Node:
        return {
            **self._rate,
            "priceSet": self._bag(mine, theirs),
        }

    def _transaction(self, k: int, kind: str, status: str, at: str, amount: Bag) -> Node:
        return {
            "__typename": "OrderTransaction",
            "id": gid("OrderTransaction", TRANSACTION_BASE + self._draft.index * 64 + k),
            "kind": kind,
            "status": status,
            "amountSet": amount,
            "createdAt": at,
            "processedAt": at,
            "gateway": "local_payments",
            "test": bool(self._book.test[self._draft.index]),
        }

    def _payments(self, placed: str) -> list[Node]:
        shop, theirs = self._shop, self._presentment
        if not shop.received:
            return []
        first = self._bag(shop.original_total, theirs.original_total)
        paid = [self._transaction(0, "SALE", "SUCCESS", placed, first)]
        if shop.received != shop.original_total:
            more = self._bag(
                shop.received - shop.original_total, theirs.received - theirs.original_total
            )
            at = iso(self._draft.events[0].at)
            paid.append(self._transaction(1, "SALE", "SUCCESS", at, more))
        return paid

    def _refund(self, k: int, lines: list[Node], shipping: Node | None) -> Node:
        mine, theirs = self._shop.refunds[k], self._presentment.refunds[k]
        event = self._draft.events[mine.event]
        shopify_id = REFUND_BASE + self._draft.index * REFUNDS_PER_ORDER + k
        at = iso(event.at)
        paid = self._bag(mine.paid_back, theirs.paid_back)
        transactions = []
        if event.failed_first:
            transactions.append(self._transaction(8 + 2 * k, "REFUND", "FAILURE", at, paid))
        if mine.paid_back:
            transactions.append(self._transaction(9 + 2 * k, "REFUND", "SUCCESS", at, paid))
        seat = REFUND_LINE_BASE + ((self._draft.index * REFUNDS_PER_ORDER + k) * LINES_PER_REFUND)
        items = []
        for place, (item, item_p) in enumerate(zip(mine.items, theirs.items, strict=True)):
            line, units, subtotal, tax = item
            items.append(
                {
                    "__typename": "RefundLineItem",
                    "id": gid("RefundLineItem", seat + place),
                    "lineItem": lines[line],
                    "quantity": units,
                    "restockType": event.restock,
                    "restocked": event.restock != "NO_RESTOCK",
                    "priceSet": lines[line]["discountedUnitPriceAfterAllDiscountsSet"],
                    "subtotalSet": self._bag(subtotal, item_p[2]),
                    "totalTaxSet": self._bag(tax, item_p[3]),
                }
            )
        shipped = []
        if mine.shipping and theirs.shipping:
            shipped.append(
                {
                    "__typename": "RefundShippingLine",
                    "id": gid("RefundShippingLine", seat),
                    "shippingLine": shipping,
                    "subtotalAmountSet": self._bag(mine.shipping[0], theirs.shipping[0]),
                    "taxAmountSet": self._bag(mine.shipping[1], theirs.shipping[1]),
                }
            )
        adjusted = []
        if mine.adjustment:
            adjusted.append(
                {
                    "__typename": "OrderAdjustment",
                    "id": gid("OrderAdjustment", seat),
                    "amountSet": self._bag(mine.adjustment, theirs.adjustment),
                    "taxAmountSet": self._zero,
                    "reason": "REFUND_DISCREPANCY",
                }
            )
        return {
            "__typename": "Refund",
            "id": gid("Refund", shopify_id),
            "legacyResourceId": str(shopify_id),
            "createdAt": at,
            "processedAt": at,
            "updatedAt": at,
            "note": "Sorry for the trouble 💐" if event.kind == "goodwill" else None,
            "totalRefundedSet": paid,
            "order": self._again,
            "refundLineItems": items,
            "refundShippingLines": shipped,
            "transactions": transactions,
            "orderAdjustments": adjusted,
        }

    def _agreements(
        self, lines: list[Node], shipping: Node | None, refunds: list[Node]
    ) -> list[Node]:
        nodes = []
        seat = SALE_BASE + self._draft.index * 2 * LINES_PER_ORDER
        for number, (mine, theirs) in enumerate(
            zip(self._shop.agreements, self._presentment.agreements, strict=True)
        ):
            sales = []
            for sale, sale_p in zip(mine.sales, theirs.sales, strict=True):
                node: Node = {
                    "__typename": _SALE_TYPES[sale.kind],
                    "id": gid("Sale", seat),
                    "actionType": sale.action,
                    "lineType": sale.kind,
                    "quantity": sale.quantity,
                    "totalAmount": self._bag(sale.total, sale_p.total),
                    "totalTaxAmount": self._bag(sale.tax, sale_p.tax),
                    "totalDiscountAmountBeforeTaxes": self._bag(
                        sale.discount_before, sale_p.discount_before
                    ),
                    "totalDiscountAmountAfterTaxes": self._bag(
                        sale.discount_after, sale_p.discount_after
                    ),
                    "taxes": [
                        {
                            "id": gid("SaleTax", seat),
                            "amount": self._bag(sale.tax, sale_p.tax),
                            "taxLine": self._tax_line(abs(sale.tax), abs(sale_p.tax)),
                        }
                    ]
                    if sale.tax
                    else [],
                }
                if sale.line >= 0:
                    node["lineItem"] = lines[sale.line]
                elif sale.kind == "SHIPPING":
                    node["shippingLine"] = shipping
                sales.append(node)
                seat += 1
            nodes.append(self._agreement(number, mine, sales, refunds))
        return nodes

    def _agreement(
        self, number: int, mine: Agreement, sales: list[Node], refunds: list[Node]
    ) -> Node:
        event = mine.event
        at = self._book.processed[self._draft.index]
        if event is None:
            # Imported orders were agreed upon, for Shopify, when they were imported.
            at = self._book.created[self._draft.index]
        else:
            at = self._draft.events[event].at
        node: Node = {
            "id": gid(
                "SalesAgreement",
                AGREEMENT_BASE + self._draft.index * 2 * REFUNDS_PER_ORDER + number,
            ),
            "happenedAt": iso(at),
            "reason": mine.reason,
            "sales": sales,
        }
        if event is None:
            return node | {"__typename": "OrderAgreement", "order": self._again}
        if mine.reason == "ORDER_EDIT":
            return node | {"__typename": "OrderEditAgreement"}
        place = next(k for k, one in enumerate(self._shop.refunds) if one.event == event)
        return node | {"__typename": "RefundAgreement", "refund": refunds[place]}
