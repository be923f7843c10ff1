"""Looking for something in a store by a few letters: only what this person may see there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from brandmind.db import searching as rows
from brandmind.db.searching import CustomerHit, OrderHit, ProductHit
from brandmind.services.sessions import StoreRef

if TYPE_CHECKING:
    from brandmind.runtime import Runtime

__all__ = ["LONGEST", "CustomerHit", "Found", "OrderHit", "ProductHit", "search"]

LONGEST: Final = 80
# One letter is in every title.
_LEAST: Final = 2
# What a shop puts around an order's number: "#1001", "EN1001-A".
_NUMBER: Final = re.compile(r"^#?\s*[^\W\d_]{0,6}-?(\d{1,9})(?:-?[^\W\d_]{0,6})?$")


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, the best of each first. `closed`: what this person may not look among."""

    text: str
    orders: tuple[OrderHit, ...] = ()
    products: tuple[ProductHit, ...] = ()
    customers: tuple[CustomerHit, ...] = ()
    closed: tuple[str, ...] = ()


async def search(rt: Runtime, store: StoreRef, text: str) -> Found:
    """A few of each that bear the text: orders by number, products by title, customers by name."""
    text = clean(text)
    found = Found(text)
    at = store.store_id
    orders: list[OrderHit] = []
    products: list[ProductHit] = []
    customers: list[CustomerHit] = []
    number = _NUMBER.match(text)
    if number is not None and store.may_orders:
        orders = await rt.db.read(rows.orders, at, int(number[1]))
    if len(text) >= _LEAST:
        if store.may_products:
            products = await rt.db.read(rows.products, at, text)
        if store.may_customers:
            customers = await rt.db.read(rows.customers, at, text)
    rights = {
        "orders": store.may_orders,
        "products": store.may_products,
        "customers": store.may_customers,
    }
    closed = tuple(name for name, may in rights.items() if not may)
    return Found(found.text, tuple(orders), tuple(products), tuple(customers), closed)


def clean(text: str) -> str:
    """The text as it is looked for: a line of at most 80 signs, all of which a database takes."""
    whole = text.encode("utf-8", "ignore").decode().replace("\0", " ")
    return " ".join(whole.split())[:LONGEST]
