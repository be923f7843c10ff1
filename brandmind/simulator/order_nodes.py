"""An order as the API shows it: draft and sums become dicts under Shopify's field names."""

from __future__ import annotations

from typing import Any

from brandmind.simulator.ledger import Sheet
from brandmind.simulator.moments import iso, iso_or_none
from brandmind.simulator.nodes import Node, gid
from brandmind.simulator.order_papers import (
    LINE_BASE,
    LINES_PER_ORDER,
    SHIPPING_BASE,
    OrderPapers,
)
from brandmind.simulator.orderbook import ORDER_BASE, ORDER_STEP, Fate
from brandmind.simulator.people import ADDRESS_BASE


class OrderWriter(OrderPapers):
    """Writes one order."""

    def node(self) -> Node:
        """The whole order."""
        book, draft, shop = self._book, self._draft, self._shop
        index = draft.index
        number = book.number(index)
        shopify_id = ORDER_BASE + index * ORDER_STEP
        applications = self._applications()
        lines = [self._line(k, applications) for k in range(len(draft.lines))]
        shipping = self._shipping_line(applications)
        cancelled = draft.fate in (Fate.CANCELLED_PAID, Fate.CANCELLED_UNPAID)
        fulfilled = book.fulfilled_at(index)
        closed_at = book.event_at[index] if cancelled else fulfilled and fulfilled + 60
        address = self._address()
        outstanding = shop.current_total - shop.received + shop.refunded
        outstanding_p = (
            self._presentment.current_total
            - self._presentment.received
            + self._presentment.refunded
        )
        placed = iso(book.processed[index])
        codes = [one.title for one in draft.discounts if one.is_code]
        node: Node = {
            "__typename": "Order",
            "id": gid("Order", shopify_id),
            "legacyResourceId": str(shopify_id),
            "name": f"#{number}",
            "number": number,
            "createdAt": iso(book.created[index]),
            "processedAt": placed,
            "updatedAt": iso(book.updated[index]),
            "cancelledAt": iso_or_none(book.event_at[index]) if cancelled else None,
            "cancelReason": ("CUSTOMER", "INVENTORY", "OTHER")[index % 3] if cancelled else None,
            "closed": bool(closed_at),
            "closedAt": iso_or_none(closed_at),
            "test": bool(book.test[index]),
            "confirmed": True,
            "edited": draft.fate in (Fate.UNIT_REMOVED, Fate.LINE_ADDED),
            "fullyPaid": shop.received >= shop.total,
            "currencyCode": self._currency,
            "presentmentCurrencyCode": draft.presentment,
            "displayFinancialStatus": self._financial_status(),
            "displayFulfillmentStatus": "FULFILLED" if fulfilled else "UNFULFILLED",
            "returnStatus": "RETURNED"
            if any(e.kind == "refund" for e in draft.events)
            else "NO_RETURN",
            "sourceName": draft.source,
            "tags": draft.tags,
            "note": draft.note,
            "email": draft.email,
            "phone": self._buyer.phone if self._buyer else None,
            "customer": self._customer,
            "customerLocale": self._buyer.locale if self._buyer else "en",
            "taxesIncluded": book.config.taxes_included,
            "discountCode": codes[0] if codes else None,
            "discountCodes": codes,
            "statusPageUrl": f"https://checkout.example.com/{shopify_id}/authenticate",
            "subtotalLineItemsQuantity": sum(line["quantity"] for line in lines),
            "currentSubtotalLineItemsQuantity": sum(line["currentQuantity"] for line in lines),
            "totalOutstandingSet": self._bag(outstanding, outstanding_p),
            "shippingAddress": address,
            "billingAddress": address,
            "lineItems": lines,
            "shippingLine": shipping,
            "shippingLines": [shipping] if shipping else [],
            "discountApplications": applications,
            "taxLines": [self._tax_line(shop.tax, self._presentment.tax)] if shop.tax else [],
            "paymentGatewayNames": ["manual" if draft.fate == Fate.UNPAID else "local_payments"],
        }
        for name, mine, theirs in zip(_TOTALS, _sums(shop), _sums(self._presentment), strict=True):
            node[name] = self._bag(mine, theirs)
        refunds = [self._refund(k, lines, shipping) for k in range(len(shop.refunds))]
        node["refunds"] = refunds
        node["transactions"] = self._payments(placed) + [
            paid for refund in refunds for paid in refund["transactions"]
        ]
        node["agreements"] = self._agreements(lines, shipping, refunds)
        return node

    def _applications(self) -> list[Node]:
        nodes = []
        for number, one in enumerate(self._draft.discounts):
            across = one.line is None
            node: Node = {
                "index": number,
                "allocationMethod": "ACROSS" if across else "EACH",
                "targetSelection": "ALL" if across else "ENTITLED",
                "targetType": "LINE_ITEM",
            }
            if one.is_code:
                node |= {"__typename": "DiscountCodeApplication", "code": one.title}
            else:
                node |= {"__typename": "AutomaticDiscountApplication", "title": one.title}
            nodes.append(node)
        if self._draft.shipping_discount:
            nodes.append(
                {
                    "__typename": "AutomaticDiscountApplication",
                    "index": len(nodes),
                    "allocationMethod": "EACH",
                    "targetSelection": "ALL",
                    "targetType": "SHIPPING_LINE",
                    "title": "Free shipping",
                }
            )
        return nodes

    def _line(self, k: int, applications: list[Node]) -> Node:
        plan, mine, theirs = self._draft.lines[k], self._shop.lines[k], self._presentment.lines[k]
        product, variant = self._goods(k)
        own = [number for number, one in enumerate(self._draft.discounts) if one.line is not None]
        direct = sum(amount for number, amount in mine.allocations if number in own)
        direct_p = sum(amount for number, amount in theirs.allocations if number in own)
        variant_title = plan.variant.title if plan.variant else None
        if variant_title == "Default Title":
            variant_title = None
        current = plan.quantity - self._shop.taken[k]
        unit_after = self._bag(
            _unit(mine.discounted, plan.quantity), _unit(theirs.discounted, plan.quantity)
        )
        return {
            "__typename": "LineItem",
            "id": gid("LineItem", LINE_BASE + self._draft.index * LINES_PER_ORDER + k),
            "title": plan.title,
            "variantTitle": variant_title,
            "name": f"{plan.title} - {variant_title}" if variant_title else plan.title,
            "sku": plan.variant.sku if plan.variant else None,
            "vendor": plan.product.vendor if plan.product else None,
            "quantity": plan.quantity,
            "currentQuantity": current,
            "refundableQuantity": current,
            "isGiftCard": plan.kind == "gift_card",
            "requiresShipping": plan.kind not in ("gift_card", "tip"),
            "taxable": plan.taxable,
            "originalUnitPriceSet": self._bag(mine.unit, theirs.unit),
            "originalTotalSet": self._bag(mine.original, theirs.original),
            "discountedTotalSet": self._bag(mine.original - direct, theirs.original - direct_p),
            "discountedUnitPriceSet": self._bag(
                _unit(mine.original - direct, plan.quantity),
                _unit(theirs.original - direct_p, plan.quantity),
            ),
            "discountedUnitPriceAfterAllDiscountsSet": unit_after,
            "totalDiscountSet": self._bag(direct, direct_p),
            "product": product,
            "variant": variant,
            "taxLines": [self._tax_line(mine.tax, theirs.tax)] if mine.tax else [],
            "discountAllocations": [
                {
                    "allocatedAmountSet": self._bag(amount, amount_p),
                    "discountApplication": applications[number],
                }
                for (number, amount), amount_p in zip(
                    mine.allocations, _paired(mine.allocations, theirs.allocations), strict=True
                )
            ],
        }

    def _shipping_line(self, applications: list[Node]) -> Node | None:
        if not self._draft.shipping:
            return None
        (price, off, tax), (price_p, off_p, tax_p) = self._shop.shipping, self._presentment.shipping
        returned = self._shop.current_shipping - self._shop.shipping_total
        returned_p = self._presentment.current_shipping - self._presentment.shipping_total
        return {
            "__typename": "ShippingLine",
            "id": gid("ShippingLine", SHIPPING_BASE + self._draft.index),
            "code": self._draft.shipping_title,
            "title": self._draft.shipping_title,
            "custom": False,
            "source": "shopify",
            "isRemoved": False,
            "originalPriceSet": self._bag(price, price_p),
            "discountedPriceSet": self._bag(price - off, price_p - off_p),
            "currentDiscountedPriceSet": self._bag(
                price - off + returned, price_p - off_p + returned_p
            ),
            "discountAllocations": [
                {
                    "allocatedAmountSet": self._bag(off, off_p),
                    "discountApplication": applications[-1],
                }
            ]
            if off
            else [],
            "taxLines": [self._tax_line(tax, tax_p)] if tax else [],
        }

    def _address(self) -> Node:
        draft, buyer = self._draft, self._buyer
        return {
            "__typename": "MailingAddress",
            "id": gid("MailingAddress", ADDRESS_BASE + draft.index) + "?model_name=Address",
            "city": draft.city or None,
            "country": draft.place.country_name or None,
            "countryCodeV2": draft.place.country or None,
            "province": draft.place.province_name or None,
            "provinceCode": draft.place.province or None,
            "firstName": buyer.first_name if buyer else None,
            "lastName": buyer.last_name if buyer else None,
            "name": buyer.display_name if buyer else None,
            "address1": f"{draft.index % 400 + 1} Example Street",
            "address2": None,
            "zip": f"{10_000 + draft.index % 80_000}",
            "phone": buyer.phone if buyer else None,
            "company": None,
        }

    def _financial_status(self) -> str:
        shop = self._shop
        if self._draft.fate == Fate.CANCELLED_UNPAID and self._draft.events:
            return "VOIDED"
        if self._draft.fate == Fate.UNPAID:
            return "PENDING"
        if shop.refunded:
            return "REFUNDED" if shop.refunded >= shop.received else "PARTIALLY_REFUNDED"
        return "PAID"


_TOTALS = (
    "totalPriceSet",
    "originalTotalPriceSet",
    "currentTotalPriceSet",
    "subtotalPriceSet",
    "currentSubtotalPriceSet",
    "totalDiscountsSet",
    "currentTotalDiscountsSet",
    "totalTaxSet",
    "currentTotalTaxSet",
    "totalShippingPriceSet",
    "currentShippingPriceSet",
    "totalRefundedSet",
    "totalReceivedSet",
    "netPaymentSet",
    "totalTipReceivedSet",
)


def _sums(sheet: Sheet) -> tuple[int, ...]:
    return (
        sheet.total,
        sheet.original_total,
        sheet.current_total,
        sheet.subtotal,
        sheet.current_subtotal,
        sheet.discounts,
        sheet.current_discounts,
        sheet.tax,
        sheet.current_tax,
        sheet.shipping_total,
        sheet.current_shipping,
        sheet.refunded,
        sheet.received,
        sheet.received - sheet.refunded,
        sheet.tip,
    )


def _paired(mine: list[tuple[int, int]], theirs: list[tuple[int, int]]) -> list[Any]:
    known = dict(theirs)
    return [known.get(number, 0) for number, _ in mine]


def _unit(total: int, quantity: int) -> int:
    return (total * 2 + quantity) // (2 * quantity) if quantity else 0
