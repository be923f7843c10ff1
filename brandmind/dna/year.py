"""What several strands need of the year before the day of the portrait, worked out once."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from brandmind.dna import cuts
from brandmind.dna.facts import CUSTOM_ITEM, GUEST, Facts, ProductFact
from brandmind.dna.measure import nearest_rank


@dataclass(frozen=True, slots=True)
class ProductYear:
    """What a product sold in the year; money as in `LineFact`. `orders` held it at a price."""

    gid: int
    units: int
    orders: int
    sold_minor: int
    returned_minor: int

    @property
    def net_minor(self) -> int:
        """What it brought in the end, nothing rather than less."""
        return max(0, self.sold_minor + self.returned_minor)


class Year:
    """The 365 days before `as_of`.

    `orders` are places in `facts.orders`; `in_year` the places of lines that belong to them.
    `days` has each customer's days with an order, ascending. `firsts` tells a customer's first
    order day ever, None where an older order is known to be missing, and does not hold those of
    whom it is not known.
    """

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.end = facts.as_of.toordinal()
        self.first = self.end - cuts.YEAR_DAYS
        self.orders = facts.orders.between(self.first, self.end)
        lines, orders = facts.lines, self.orders
        self.lines = array("q", (at for at, order in enumerate(lines.order) if order in orders))
        self.units = sum(lines.units[at] for at in self.lines)
        self.sold_minor = sum(facts.orders.sold(at) for at in orders)
        self.customers = {one.gid: one for one in facts.customers}
        self.firsts: dict[int, int | None] = {
            one.gid: one.first_day
            if facts.whole or (one.lifetime is not None and one.lifetime <= one.stored)
            else None
            for one in facts.customers
            if facts.whole or one.lifetime is not None
        }
        self.products = self._products()
        self.titles = {product.gid: product for product in facts.products}
        self.gaps = self._gaps()

    def title(self, gid: int) -> str:
        """What a product is called, so far as it is known."""
        known = self.titles.get(gid)
        return known.title if known else "A product no longer stored"

    def product(self, gid: int) -> ProductFact | None:
        """A product's facts, where it is stored."""
        return self.titles.get(gid)

    def is_first(self, at: int) -> bool | None:
        """Whether the order at a place is of its customer's first day ever; None: not known."""
        customer = self.facts.orders.customer[at]
        if customer == GUEST or customer not in self.firsts:
            return None
        return self.facts.orders.day[at] == self.firsts[customer]

    def gap(self, percent: int) -> int:
        """The nearest-rank percentile of days between orders. Raises IndexError of none."""
        return nearest_rank(self.gaps, percent)

    @property
    def aov_minor(self) -> int:
        """Gross less discounts of an order on average, half up."""
        count = len(self.orders)
        return (2 * self.sold_minor + count) // (2 * count) if count else 0

    def new_customers(self) -> int:
        """How many had their first order ever in the year."""
        return sum(
            first is not None and self.first <= first < self.end for first in self.firsts.values()
        )

    def ranked(self) -> list[ProductYear]:
        """The products that brought anything, most first."""
        return sorted(
            (product for product in self.products.values() if product.net_minor),
            key=lambda product: (-product.net_minor, product.gid),
        )

    def baskets(self) -> list[list[int]]:
        """The different products of each order that were sold at a price."""
        lines = self.facts.lines
        held: dict[int, set[int]] = {}
        for at in self.lines:
            if lines.sold[at] > 0 and lines.product[at] != CUSTOM_ITEM:
                held.setdefault(lines.order[at], set()).add(lines.product[at])
        return [list(products) for products in held.values()]

    def _products(self) -> dict[int, ProductYear]:
        lines = self.facts.lines
        sums: dict[int, list[int]] = {}
        held: set[tuple[int, int]] = set()
        for at in self.lines:
            gid = lines.product[at]
            if gid == CUSTOM_ITEM:
                continue
            entry = sums.get(gid)
            if entry is None:
                entry = sums[gid] = [0, 0, 0, 0]
            entry[0] += lines.units[at]
            if lines.sold[at] > 0 and (key := (gid, lines.order[at])) not in held:
                held.add(key)
                entry[1] += 1
            entry[2] += lines.sold[at]
            entry[3] += lines.returned[at]
        return {gid: ProductYear(gid, *entry) for gid, entry in sums.items()}

    def _gaps(self) -> list[int]:
        """Days between neighbouring order days of the same customer, ascending."""
        orders = self.facts.orders
        last: dict[int, int] = {}
        gaps = []
        for at in self.orders:
            customer, day = orders.customer[at], orders.day[at]
            if customer == GUEST:
                continue
            # The orders of one day are one visit.
            if (before := last.get(customer)) is not None and day > before:
                gaps.append(day - before)
            last[customer] = day
        return sorted(gaps)
