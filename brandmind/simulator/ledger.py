"""The sums of an order in one currency: lines, sales of its ledger, refunds and totals.

Everything is added up from the sales, so that the ledger and the totals cannot part company; the
customer's currency runs through the same arithmetic from converted unit prices.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from brandmind.simulator.amounts import converted
from brandmind.simulator.drafts import Draft
from brandmind.simulator.orderbook import Fate

Part = tuple[int, int, int, int]
"""total, tax, discount before taxes, discount after taxes"""


@dataclass(slots=True)
class LineSums:
    """A line as quantity × price, its discounts by number of the discount, and its parts."""

    unit: int
    original: int
    allocations: list[tuple[int, int]]
    discounted: int
    tax: int
    whole: Part


@dataclass(slots=True)
class SaleSums:
    """One sale: `line` is the line's number, -1 shipping, -2 an adjustment."""

    action: str
    kind: str
    line: int
    quantity: int | None
    total: int
    tax: int
    discount_before: int
    discount_after: int


@dataclass(slots=True)
class RefundSums:
    """A refund document: `event` is the draft's event it belongs to."""

    event: int
    items: list[tuple[int, int, int, int]] = field(default_factory=list)  # line, units, sub, tax
    shipping: tuple[int, int] | None = None
    adjustment: int = 0
    paid_back: int = 0
    has_agreement: bool = True


@dataclass(slots=True)
class Agreement:
    """A chapter of the ledger: `event` None is the order itself."""

    event: int | None
    reason: str
    sales: list[SaleSums]


@dataclass(slots=True)
class Sheet:
    """All sums of one order in one currency, in minor units."""

    lines: list[LineSums]
    shipping: tuple[int, int, int]  # price, discount, tax
    agreements: list[Agreement]
    refunds: list[RefundSums]
    taken: list[int]
    removed: list[int]
    original_total: int
    total: int
    current_total: int
    subtotal: int
    current_subtotal: int
    discounts: int
    current_discounts: int
    tax: int
    current_tax: int
    shipping_total: int
    current_shipping: int
    tip: int
    received: int
    refunded: int


def sheet(draft: Draft, *, factor: float, taxes_included: bool) -> Sheet:
    """Does the sums; `factor` turns the shop's minor units into those of the sheet."""
    lines = _line_sums(draft, factor=factor, taxes_included=taxes_included)
    ship_price = converted(draft.shipping, factor)
    ship_discount = ship_price if draft.shipping_discount else 0
    ship_net = ship_price - ship_discount
    ship_tax = _tax(ship_net, draft.rate, included=taxes_included)
    ship_total = ship_net if taxes_included else ship_net + ship_tax
    ship_before = (
        ship_discount - _tax(ship_discount, draft.rate, included=True)
        if taxes_included
        else ship_discount
    )
    ship_after = (
        ship_discount
        if taxes_included
        else ship_discount + _tax(ship_discount, draft.rate, included=False)
    )
    shipping: Part = (ship_total, ship_tax, ship_before, ship_after)

    placed = [
        _sale("ORDER", draft.lines[k].kind, k, draft.lines[k].quantity, one.whole)
        for k, one in enumerate(lines)
        if not draft.lines[k].added_later
    ]
    if draft.shipping:
        placed.append(SaleSums("ORDER", "SHIPPING", -1, None, *shipping))
    agreements = [Agreement(None, "ORDER", placed)]
    refunds: list[RefundSums] = []
    taken = [0] * len(lines)
    removed = [0] * len(lines)
    original = sum(sale.total for sale in placed)
    received = 0 if draft.fate in (Fate.UNPAID, Fate.CANCELLED_UNPAID) else original
    thirds = 0
    for number, event in enumerate(draft.events):
        sales: list[SaleSums] = []
        refund = RefundSums(number)
        action = "UPDATE" if event.kind in ("remove", "add") else "RETURN"
        for k, units in event.units:
            one, plan = lines[k], draft.lines[k]
            if event.kind == "add":
                sales.append(_sale(action, plan.kind, k, units, one.whole))
                continue
            total, tax, before, after = (
                _share(x, plan.quantity, taken[k], units) for x in one.whole
            )
            sales.append(_sale(action, plan.kind, k, -units, (-total, -tax, -before, -after)))
            taken[k] += units
            if event.kind == "remove":
                removed[k] += units
            else:
                refund.items.append((k, units, total if taxes_included else total - tax, tax))
        if event.shipping_thirds and draft.shipping:
            total, tax, before, after = (
                _share(x, 3, thirds, event.shipping_thirds) for x in shipping
            )
            thirds += event.shipping_thirds
            sales.append(SaleSums("RETURN", "SHIPPING", -1, None, -total, -tax, -before, -after))
            refund.shipping = (total if taxes_included else total - tax, tax)
        if event.shipping_back:
            back = converted(event.shipping_back, factor)
            sales.append(SaleSums("RETURN", "SHIPPING", -1, None, -back, 0, 0, 0))
            refund.shipping = (back, 0)
        if event.goodwill:
            more = converted(event.goodwill, factor)
            # A made-up kindness ends at what the order cost; what a file says was paid was paid.
            refund.adjustment = -(min(more, original) if event.kind == "goodwill" else more)
            sales.append(SaleSums("RETURN", "ADJUSTMENT", -2, None, refund.adjustment, 0, 0, 0))
        change = sum(sale.total for sale in sales)
        reason = "ORDER_EDIT" if action == "UPDATE" else "REFUND"
        agreements.append(Agreement(number, reason, sales))
        if event.kind == "add":
            received += change
        else:
            refund.paid_back = -change if event.paid_back else 0
            refund.has_agreement = event.kind != "remove"
            refunds.append(refund)
    return _totals(
        draft,
        lines,
        (ship_price, ship_discount, ship_tax),
        agreements,
        refunds,
        taken,
        removed,
        received=received,
        taxes_included=taxes_included,
    )


def _line_sums(draft: Draft, *, factor: float, taxes_included: bool) -> list[LineSums]:
    units = [converted(line.unit, factor) for line in draft.lines]
    left = [unit * line.quantity for unit, line in zip(units, draft.lines, strict=True)]
    originals = list(left)
    allocations: list[list[tuple[int, int]]] = [[] for _ in left]
    for number, discount in enumerate(draft.discounts):
        goods = [
            k
            for k, line in enumerate(draft.lines)
            if line.taxable and not line.added_later and discount.line in (None, k) and left[k]
        ]
        shares = [(k, left[k] * discount.percent // 100) for k in goods]
        if discount.amount:
            pot = min(converted(discount.amount, factor), sum(left[k] for k in goods))
            whole = sum(left[k] for k in goods)
            shares, given = [], 0
            for place, k in enumerate(goods):
                share = pot * left[k] // whole if place < len(goods) - 1 else pot - given
                share = min(share, left[k])
                given += share
                shares.append((k, share))
        for k, share in shares:
            if share:
                left[k] -= share
                allocations[k].append((number, share))
    sums = []
    for k, line in enumerate(draft.lines):
        rate = draft.rate if line.taxable else 0
        tax = _tax(left[k], rate, included=taxes_included)
        off = originals[k] - left[k]
        if taxes_included:
            net = left[k] - tax
            before = originals[k] - _tax(originals[k], rate, included=True) - net if off else 0
            whole_part: Part = (left[k], tax, before, off)
        else:
            after = off + _tax(off, rate, included=False)
            whole_part = (left[k] + tax, tax, off, after)
        sums.append(LineSums(units[k], originals[k], allocations[k], left[k], tax, whole_part))
    return sums


def _totals(
    draft: Draft,
    lines: list[LineSums],
    shipping: tuple[int, int, int],
    agreements: list[Agreement],
    refunds: list[RefundSums],
    taken: list[int],
    removed: list[int],
    *,
    received: int,
    taxes_included: bool,
) -> Sheet:
    total = current = tax = current_tax = subtotal = current_subtotal = 0
    ship = current_ship = 0
    tip = sum(one.discounted for one, plan in zip(lines, draft.lines, strict=True)
              if plan.kind == "tip")  # fmt: skip
    for agreement in agreements:
        for sale in agreement.sales:
            shown = sale.total if taxes_included else sale.total - sale.tax
            current += sale.total
            current_tax += sale.tax
            goods = sale.kind in ("PRODUCT", "GIFT_CARD")
            if goods:
                current_subtotal += shown
            elif sale.kind == "SHIPPING":
                current_ship += shown
            if sale.action != "RETURN":
                total += sale.total
                tax += sale.tax
                if goods:
                    subtotal += shown
                elif sale.kind == "SHIPPING":
                    ship += shown
    # Discounts in the prices' own terms: with the tax where prices hold it.
    discounts = current_discounts = shipping[1]
    for k, one in enumerate(lines):
        off, quantity = one.original - one.discounted, draft.lines[k].quantity
        discounts += off - _share(off, quantity, 0, removed[k])
        current_discounts += off - _share(off, quantity, 0, taken[k])
    return Sheet(
        lines=lines,
        shipping=shipping,
        agreements=agreements,
        refunds=refunds,
        taken=taken,
        removed=removed,
        original_total=sum(sale.total for sale in agreements[0].sales),
        total=total,
        current_total=current,
        subtotal=subtotal,
        current_subtotal=current_subtotal,
        discounts=discounts,
        current_discounts=current_discounts,
        tax=tax,
        current_tax=current_tax,
        shipping_total=ship,
        current_shipping=current_ship,
        tip=tip,
        received=received,
        refunded=sum(refund.paid_back for refund in refunds),
    )


def _sale(action: str, line_kind: str, line: int, quantity: int, part: Part) -> SaleSums:
    kind = {"gift_card": "GIFT_CARD", "tip": "TIP"}.get(line_kind, "PRODUCT")
    return SaleSums(action, kind, line, quantity, *part)


def _tax(amount: int, rate: int, *, included: bool) -> int:
    """Tax on an amount (rate in parts per 100,000), rounded half up."""
    if not rate or not amount:
        return 0
    base = 100_000 + rate if included else 100_000
    return (amount * rate * 2 + base) // (2 * base)


def _share(whole: int, parts: int, before: int, count: int) -> int:
    """The share of parts `before` … `before + count`: all shares add up to the whole."""
    return whole * (before + count) // parts - whole * before // parts
