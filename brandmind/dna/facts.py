"""What the portrait is made from: plain facts of orders, lines, people and goods.

Orders and lines are kept as columns of integers, since a shop has hundreds of thousands of them.
Days are ordinals of shop-local dates (`date.toordinal`), money integer minor units of one
currency, ids Shopify's numbers. The order in which facts are given changes nothing.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import compress
from typing import Final, NamedTuple

GUEST: Final = 0
CUSTOM_ITEM: Final = 0
UNKNOWN_COUNTRY: Final = ""


class OrderFact(NamedTuple):
    """An order that tells something of how people buy: no test, nothing worth nothing, and none
    that was cancelled unpaid. Signed as in the ledger: discounts and returns are <= 0.

    `customer` is GUEST without one; `country` a code of two letters or UNKNOWN_COUNTRY.
    `returned_minor` came back up to the day of the portrait, whenever it did.
    """

    gid: int
    day: int
    customer: int
    country: str
    gross_minor: int
    discounts_minor: int
    returned_minor: int


class LineFact(NamedTuple):
    """What one line of an order sold. `product` is CUSTOM_ITEM without one, `variant` 0.

    `sold_minor` is gross less discounts, `returned_minor` <= 0, `units` net of what came back.
    """

    order: int
    product: int
    variant: int
    units: int
    sold_minor: int
    returned_minor: int


class CustomerFact(NamedTuple):
    """A person's whole stored life. `last_at_ms` is a Unix time, for finer ranks than days.

    `orders` counts those that `OrderFact` describes, `stored` all but tests; `lifetime` is the
    shop's own count of orders, which leaves tests out too, None where the shop has not told it;
    `shops_group` the group of `dna.rfm` that the shop has put the person in, None where it has not.
    """

    gid: int
    first_day: int
    last_at_ms: int
    orders: int
    net_minor: int
    stored: int
    lifetime: int | None
    shops_group: str | None = None


class YearBuyers(NamedTuple):
    """The customers with an order in the portrait's year, of any worth: all, those with more than
    one order ever, and those with more than one in the year. Guests are no customers.

    `repeat` is None while nobody can tell: older orders are missing, and so are the shop's own
    counts of its customers' orders.
    """

    customers: int
    repeat: int | None
    twice: int


class ProductFact(NamedTuple):
    """A product. `on_sale_day` is the day it was first published, else made.

    `stock` is what can be sold now, None where it is not tracked; `stock_days` how many of the
    last 28 days it was in stock by our own daily record, `stock_units` what was sold on those.
    """

    gid: int
    title: str
    active: bool
    created_day: int
    on_sale_day: int
    stock: int | None = None
    stock_days: int = 0
    stock_units: int = 0


class VariantFact(NamedTuple):
    """A variant of an active product."""

    gid: int
    product: int
    price_minor: int


class Orders:
    """Orders in columns, sorted by (day, gid). `country` is a place in `countries`."""

    __slots__ = ("countries", "country", "customer", "day", "discounts", "gid", "gross", "returned")

    def __init__(self, rows: Iterable[OrderFact]) -> None:
        columns = [array("q") for _ in range(7)]
        codes: dict[str, int] = {}
        gid, day, customer, country, gross, discounts, returned = columns
        for row in rows:
            gid.append(row[0])
            day.append(row[1])
            customer.append(row[2])
            country.append(codes.setdefault(row[3], len(codes)))
            gross.append(row[4])
            discounts.append(row[5])
            returned.append(row[6])
        self._sort(columns, codes)

    @classmethod
    def of_columns(cls, *columns: Sequence[int], countries: Iterable[str]) -> Orders:
        """Of columns in the order of `OrderFact`, in any order of rows; `country` as in `Orders`.

        Half a million rows are too many to make a fact of each.
        """
        found = cls.__new__(cls)
        found._sort(columns, countries)
        return found

    def _sort(self, columns: Sequence[Sequence[int]], countries: Iterable[str]) -> None:
        gid, day = columns[0], columns[1]
        way = sorted(range(len(gid)), key=gid.__getitem__)
        way.sort(key=day.__getitem__)
        self.countries: tuple[str, ...] = tuple(countries)
        (
            self.gid,
            self.day,
            self.customer,
            self.country,
            self.gross,
            self.discounts,
            self.returned,
        ) = (array("q", map(column.__getitem__, way)) for column in columns)

    def __len__(self) -> int:
        return len(self.gid)

    def between(self, first: int, end: int) -> range:
        """The places of the orders from day `first` up to but without day `end`."""
        return range(bisect_left(self.day, first), bisect_left(self.day, end))

    def sold(self, at: int) -> int:
        """Gross less discounts of the order at a place."""
        return self.gross[at] + self.discounts[at]

    def net(self, at: int) -> int:
        """What the order at a place was worth in the end."""
        return self.gross[at] + self.discounts[at] + self.returned[at]


class Lines:
    """Lines in columns; `order` is a place in `Orders`. Lines of other orders are left out."""

    __slots__ = ("order", "product", "returned", "sold", "units", "variant")

    def __init__(self, rows: Iterable[LineFact], orders: Orders) -> None:
        columns: Iterable[Iterable[int]] = list(zip(*rows, strict=True)) or [()] * 6
        self._fill(columns, orders)

    @classmethod
    def of_columns(cls, *columns: Iterable[int], orders: Orders) -> Lines:
        """Of columns in the order of `LineFact`."""
        found = cls.__new__(cls)
        found._fill(columns, orders)
        return found

    def _fill(self, columns: Iterable[Iterable[int]], orders: Orders) -> None:
        place = dict(zip(orders.gid, range(len(orders.gid)), strict=True))
        gids, *others = columns
        places = [place.get(gid, -1) for gid in gids]
        known = [at >= 0 for at in places]
        self.order, self.product, self.variant, self.units, self.sold, self.returned = (
            array("q", compress(column, known)) for column in (places, *others)
        )

    def __len__(self) -> int:
        return len(self.order)


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a portrait is made from.

    `as_of` ends every window: days before it count, it does not. `stored_from` is the day from
    which all orders are stored without a hole (None: none are), `whole` says that this is all
    there ever were, `cut` that the shop shows its last 60 days only. `partly` names resources
    that were read in part: "products", "orders", "customers". `orders` reach back 25 months,
    `lines` those of the last 365 days at least; `customers` are all who ever bought,
    `prospects` how many never did.
    """

    as_of: date
    currency: str
    country: str
    stored_from: date | None
    whole: bool
    orders: Orders
    lines: Lines
    # (day, how many orders had goods come back on it), by the day of the return.
    returns: Sequence[tuple[int, int]]
    # (day, net sales) of the last 13 months as the command center has them: of all orders but
    # tests, what came back by the day it did.
    nets: Sequence[tuple[int, int]]
    customers: Sequence[CustomerFact]
    products: Sequence[ProductFact]
    variants: Sequence[VariantFact]
    prospects: int = 0
    cut: bool = False
    partly: frozenset[str] = field(default_factory=frozenset)
