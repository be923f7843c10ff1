"""A made-up shop for tests of the portrait: purchases in, facts out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from brandmind.dna.facts import (
    CustomerFact,
    Facts,
    LineFact,
    Lines,
    OrderFact,
    Orders,
    ProductFact,
    VariantFact,
)

AS_OF = date(2026, 1, 1)
END = AS_OF.toordinal()


@dataclass(frozen=True)
class Item:
    """A line of a purchase. `sold` is after the discount."""

    product: int
    sold: int
    units: int = 1
    returned: int = 0
    variant: int = 0


@dataclass(frozen=True)
class Buy:
    """An order so many days before AS_OF.

    What came back did `back` days before AS_OF, else at once.
    """

    ago: int
    customer: int = 0
    items: tuple[Item, ...] = (Item(1, 1000),)
    discount: int = 0
    country: str = "GB"
    back: int | None = None


def products(count: int, *, ago: int = 400, step: int = 7) -> list[ProductFact]:
    """Products 1..count, first published one after the other, none of them lately."""
    return [
        ProductFact(n, f"Product {n}", True, END - ago - step * n, END - ago - step * n)
        for n in range(1, count + 1)
    ]


def ladder(*prices: int) -> list[VariantFact]:
    """Variants 1.. at these prices, each of the product of its number."""
    return [VariantFact(n, n, price) for n, price in enumerate(prices, 1)]


def shop(
    buys: Sequence[Buy],
    *,
    stored_days: int = 800,
    whole: bool = True,
    lifetimes: dict[int, int] | None = None,
    products_: Iterable[ProductFact] = (),
    variants: Iterable[VariantFact] = (),
    cut: bool = False,
    partly: Iterable[str] = (),
    country: str = "GB",
) -> Facts:
    """The facts of these purchases; a customer's lifetime is what is stored unless told."""
    rows: list[OrderFact] = []
    lines: list[LineFact] = []
    people: dict[int, CustomerFact] = {}
    nets: Counter[int] = Counter()
    for gid, buy in enumerate(buys, 1):
        day = END - buy.ago
        sold = sum(item.sold for item in buy.items)
        returned = sum(item.returned for item in buy.items)
        rows.append(
            OrderFact(
                gid, day, buy.customer, buy.country, sold + buy.discount, -buy.discount, returned
            )
        )
        nets[day] += sold
        nets[day if buy.back is None else END - buy.back] += returned
        lines += [
            LineFact(gid, item.product, item.variant, item.units, item.sold, item.returned)
            for item in buy.items
        ]
        if buy.customer:
            one = people.get(buy.customer) or CustomerFact(buy.customer, day, 0, 0, 0, 0, None)
            people[buy.customer] = one._replace(
                first_day=min(one.first_day, day),
                last_at_ms=max(one.last_at_ms, day * 86_400_000),
                orders=one.orders + 1,
                net_minor=one.net_minor + sold + returned,
                stored=one.stored + 1,
            )
    told = lifetimes or {}
    orders = Orders(rows)
    return Facts(
        as_of=AS_OF,
        currency="GBP",
        country=country,
        stored_from=AS_OF - timedelta(days=stored_days),
        whole=whole,
        orders=orders,
        lines=Lines(lines, orders),
        returns=[],
        nets=sorted(nets.items()),
        customers=sorted(
            one._replace(lifetime=told.get(one.gid, one.stored)) for one in people.values()
        ),
        products=list(products_),
        variants=list(variants),
        cut=cut,
        partly=frozenset(partly),
    )


def with_stock(facts: Facts, product: int, *, stock: int, sold: int) -> Facts:
    """The same shop with 28 days of stock history of a product."""
    return replace(
        facts,
        products=[
            one._replace(stock=stock, stock_days=28, stock_units=sold)
            if one.gid == product
            else one
            for one in facts.products
        ],
    )
