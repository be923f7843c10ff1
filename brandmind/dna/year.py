"""What several strands need of the year before the day of the portrait, worked out once."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from operator import add
from typing import NamedTuple

from brandmind.dna import cuts
from brandmind.dna.facts import CUSTOM_ITEM, GUEST, Facts, ProductFact
from brandmind.dna.measure import nearest_rank
from brandmind.dna.rfm import Scored, scored


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


class YearLines(NamedTuple):
    """The lines of the year's orders in columns, as `Lines` has them; `net` is what was kept."""

    order: Sequence[int]
    product: Sequence[int]
    variant: Sequence[int]
    units: Sequence[int]
    sold: Sequence[int]
    returned: Sequence[int]
    net: Sequence[int]


class Year:
    """The 365 days before `as_of`.

    `orders` are places in `facts.orders`, `lines` the lines that belong to them. `firsts` tells a
    customer's first order day ever, None where an older order is known to be missing, and does not
    hold those of whom it is not known.
    """

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.end = facts.as_of.toordinal()
        self.first = self.end - cuts.YEAR_DAYS
        self.orders = facts.orders.between(self.first, self.end)
        self.lines = self._lines()
        self.units = sum(self.lines.units)
        self.sold_minor = sum(facts.orders.sold(at) for at in self.orders)
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

    @cached_property
    def baskets(self) -> list[list[int]]:
        """The different products of each order that were sold at a price."""
        held: dict[int, list[int]] = {}
        for order, product, sold in zip(
            self.lines.order, self.lines.product, self.lines.sold, strict=True
        ):
            if sold > 0 and product != CUSTOM_ITEM:
                basket = held.get(order)
                if basket is None:
                    held[order] = [product]
                elif product not in basket:
                    basket.append(product)
        return list(held.values())

    @cached_property
    def spending(self) -> list[tuple[int, int]]:
        """What each customer of the year spent, none less than nothing: (net, gid), most first."""
        orders = self.facts.orders
        sums: dict[int, int] = {}
        for at in self.orders:
            if (customer := orders.customer[at]) != GUEST:
                sums[customer] = sums.get(customer, 0) + orders.net(at)
        return sorted(
            ((max(0, net), customer) for customer, net in sums.items()), key=lambda e: (-e[0], e[1])
        )

    @cached_property
    def scored(self) -> list[Scored]:
        """Everybody who ever ordered, scored against the others."""
        return scored(self.facts.customers)

    def _lines(self) -> YearLines:
        lines, orders = self.facts.lines, self.orders
        first, end = orders.start, orders.stop
        wanted = [first <= order < end for order in lines.order]
        columns = [
            column if all(wanted) else array("q", compress(column, wanted))
            for column in (
                lines.order, lines.product, lines.variant, lines.units, lines.sold, lines.returned,
            )
        ]  # fmt: skip
        *_, sold, returned = columns
        return YearLines._make([*columns, array("q", map(add, sold, returned))])

    def _products(self) -> dict[int, ProductYear]:
        sums: dict[int, list[int]] = {}
        for gid, units, sold, returned in zip(
            self.lines.product, self.lines.units, self.lines.sold, self.lines.returned, strict=True
        ):
            if gid == CUSTOM_ITEM:
                continue
            entry = sums.get(gid)
            if entry is None:
                entry = sums[gid] = [0, 0, 0, 0]
            entry[0] += units
            entry[2] += sold
            entry[3] += returned
        for basket in self.baskets:
            for gid in basket:
                sums[gid][1] += 1
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
