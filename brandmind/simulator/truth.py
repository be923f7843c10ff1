"""What the numbers are: counts as the API gives them, money straight from the generated books.

Written apart from the GraphQL side on purpose, so that it can catch a mistake there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from brandmind.simulator.brand import Brand
from brandmind.simulator.moments import DayFinder
from brandmind.simulator.orderbook import GUEST

COLUMNS = (
    "gross_minor",
    "discounts_minor",
    "returns_minor",
    "net_minor",
    "shipping_minor",
    "taxes_minor",
    "tips_minor",
    "adjustments_minor",
    "gift_cards_minor",
)


@dataclass(slots=True)
class Day:
    """One day in the shop's zone."""

    sums: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COLUMNS, 0))
    orders: int = 0
    placed_minor: int = 0
    refunds: int = 0
    refunded_minor: int = 0
    products: dict[int, list[int]] = field(default_factory=dict)
    buyers: list[tuple[int, int]] = field(default_factory=list)


@dataclass(slots=True)
class Books:
    """The shop's whole history by day, and what was counted on the way."""

    days: dict[date, Day]
    lines: int
    refunds: int
    test_orders: int
    orders: int
    orders_of: dict[int, list[int]]


def keep_books(brand: Brand) -> Books:
    """Goes through every order once; test orders are counted but their money is not."""
    days: defaultdict[date, Day] = defaultdict(Day)
    finder = DayFinder(brand.config.timezone)
    later = DayFinder(brand.config.timezone)
    lines = refunds = tests = number = 0
    orders_of: defaultdict[int, list[int]] = defaultdict(list)
    for index in brand.order_ids():
        made = brand.draft(index)
        sums = brand.sheet(made)
        number += 1
        lines += len(made.lines)
        refunds += len(sums.refunds)
        if brand.book.test[index]:
            tests += 1
            continue
        placed = days[finder.day(brand.book.processed[index])]
        placed.orders += 1
        customer = brand.book.customer[index]
        if customer != GUEST:
            orders_of[customer].append(index)
            placed.buyers.append((customer, index))
        for refund in sums.refunds:
            day = days[later.day(made.events[refund.event].at)]
            day.refunds += 1
            day.refunded_minor += refund.paid_back
        for agreement in sums.agreements:
            own = agreement.event is None
            day = placed if own else days[later.day(made.events[agreement.event or 0].at)]
            for sale in agreement.sales:
                net = sale.total - sale.tax
                day.sums["taxes_minor"] += sale.tax
                match sale.kind:
                    case "PRODUCT":
                        day.sums["net_minor"] += net
                        if sale.action == "RETURN":
                            day.sums["returns_minor"] += net
                        else:
                            day.sums["gross_minor"] += net + sale.discount_before
                            day.sums["discounts_minor"] -= sale.discount_before
                        if own:
                            day.placed_minor += net
                        product = made.lines[sale.line].product
                        known = made.lines[sale.line].kind == "product" and product is not None
                        key = product.shopify_id if known and product is not None else 0
                        entry = day.products.setdefault(key, [0, 0])
                        entry[0] += net
                        entry[1] += sale.quantity or 0
                    case "SHIPPING":
                        day.sums["shipping_minor"] += net
                    case "TIP":
                        day.sums["tips_minor"] += net
                    case "ADJUSTMENT":
                        day.sums["adjustments_minor"] += net
                    case "GIFT_CARD":
                        day.sums["gift_cards_minor"] += net
    return Books(dict(days), lines, refunds, tests, number, dict(orders_of))


def truth(
    brand: Brand, books: Books, first: date | None = None, last: date | None = None
) -> dict[str, Any]:
    """The answer of the truth route for a range of days (inclusive; None: without end)."""
    chosen = {
        day: found
        for day, found in sorted(books.days.items())
        if (first is None or day >= first) and (last is None or day <= last)
    }
    sums = dict.fromkeys(COLUMNS, 0)
    products: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0])
    buyers: defaultdict[int, list[int]] = defaultdict(list)
    for day in chosen.values():
        for name in COLUMNS:
            sums[name] += day.sums[name]
        for key, (net, units) in day.products.items():
            products[key][0] += net
            products[key][1] += units
        for customer, index in day.buyers:
            buyers[customer].append(index)
    orders = sum(day.orders for day in chosen.values())
    placed = sum(day.placed_minor for day in chosen.values())
    processed = brand.book.processed.__getitem__
    firsts = {customer: min(held, key=processed) for customer, held in books.orders_of.items()}
    new = sum(firsts[customer] in held for customer, held in buyers.items())
    # New or returning by the first order alone; whoever came twice in the range is told apart.
    again = sum(any(index != firsts[c] for index in held) for c, held in buyers.items())
    more_than_one = sum(len(books.orders_of[customer]) > 1 for customer in buyers)
    twice = sum(len(held) > 1 for held in buyers.values())
    top = sorted(
        ((key, *entry) for key, entry in products.items() if key), key=lambda e: (-e[1], e[0])
    )
    return {
        "shop": brand.shop,
        "currency": brand.config.currency,
        "timezone": brand.config.timezone,
        "from": first.isoformat() if first else None,
        "to": last.isoformat() if last else None,
        "counts": {
            "orders": books.orders,
            "orders_non_test": books.orders - books.test_orders,
            "lines": books.lines,
            "refunds": books.refunds,
            "customers": len(brand.customer_ids()),
            "products": len(brand.product_ids()),
            "variants": sum(len(brand.catalogue.products[i].variants) for i in brand.product_ids()),
        },
        **sums,
        "total_minor": sums["net_minor"] + sums["shipping_minor"] + sums["taxes_minor"],
        "orders": orders,
        "aov_minor": (2 * placed + orders) // (2 * orders) if orders else None,
        "customers": len(buyers),
        "new_customers": new,
        "returning_customers": len(buyers) - new,
        "customers_with_an_earlier_order": again,
        "returning_customer_rate": more_than_one / len(buyers) if buyers else None,
        "repeat_purchase_rate": twice / len(buyers) if buyers else None,
        "refunds": sum(day.refunds for day in chosen.values()),
        "refunded_minor": sum(day.refunded_minor for day in chosen.values()),
        "planted": brand.planted.told() if brand.planted else None,
        "left_out": dict(sorted(brand.invoices.left_out.items())) if brand.invoices else {},
        "unmatched": [one._asdict() for one in brand.invoices.unmatched] if brand.invoices else [],
        "top_products": [
            {
                "product_id": key,
                "title": _title(brand, key),
                "net_minor": net,
                "units": units,
            }
            for key, net, units in top[:20]
        ],
        "without_product_net_minor": products[0][0] if 0 in products else 0,
        "per_day": list(_per_day(chosen, first, last)),
    }


def _title(brand: Brand, shopify_id: int) -> str | None:
    product = brand.catalogue.by_id(shopify_id)
    return product.title if product else None


def _per_day(
    chosen: dict[date, Day], first: date | None, last: date | None
) -> Iterator[dict[str, Any]]:
    if not chosen:
        return
    day = first or min(chosen)
    end = last or max(chosen)
    empty = Day()
    while day <= end:
        found = chosen.get(day, empty)
        yield {"day": day.isoformat(), "orders": found.orders, **found.sums}
        day += timedelta(days=1)
