"""What merchants and customers do while somebody reads: orders come, rows change, merge and go.

Each change is remembered for a while, so that a search index can be shown lagging behind it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from brandmind.simulator.brand import Brand
from brandmind.simulator.nodes import gid, parse_gid
from brandmind.simulator.orderbook import GUEST, ORDER_BASE, ORDER_STEP, Fate
from brandmind.simulator.people import CUSTOMER_BASE, CUSTOMER_STEP

_REMEMBERED = 20_000
LISTS = {"Order": "orders", "Product": "products", "Customer": "customers"}
EDITS = {
    "add": Fate.LINE_ADDED,
    "remove": Fate.UNIT_REMOVED,
    "refund": Fate.RETURNED_PART,
    "return": Fate.RETURNED_WHOLE,
    "goodwill": Fate.GOODWILL,
    "cancel": Fate.CANCELLED_PAID,
}


_TOLD = {"refund": "refund", "return": "refund", "goodwill": "refund", "cancel": "cancel"}


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was written at `at` (our clock): what a search saw before it."""

    at: float
    resource: str
    row: int
    updated_before: int | None


class Changes:
    """All changes of one brand. Ids are global ids; moments are epoch seconds."""

    def __init__(
        self,
        brand: Brand,
        *,
        clock: Callable[[], float] = time.time,
        tell: Callable[..., None] = lambda *_, **__: None,
    ) -> None:
        self._brand = brand
        self._tell = tell
        self._clock = clock
        self._recent: deque[Change] = deque(maxlen=_REMEMBERED)
        self._lagging = False

    def settle(self, lag_s: float) -> None:
        """Lists show the shop as it was `lag_s` seconds ago, as far as an index would."""
        if not lag_s and not self._lagging:
            self._recent.clear()
            return
        since = self._clock() - lag_s
        while self._recent and self._recent[0].at <= since:
            self._recent.popleft()
        hidden: dict[str, set[int]] = {}
        stale: dict[str, dict[int, int]] = {}
        for change in self._recent if lag_s else ():
            if change.updated_before is None:
                hidden.setdefault(change.resource, set()).add(change.row)
            else:
                stale.setdefault(change.resource, {}).setdefault(change.row, change.updated_before)
        self._lagging = bool(hidden or stale)
        self._brand.index.show(hidden, stale)

    def order(self, at: int, *, customer: int | None = None) -> str:
        """A new order; by `customer`, else by one of those who bought before."""
        brand, book = self._brand, self._brand.book
        if customer is None:
            customer = len(book) * 7 % book.buyers if book.buyers else GUEST
            if customer in brand.gone_customers:
                customer = GUEST
        row = book.add(at=at, customer=customer)
        self._note("orders", row, None)
        self._tell("create", brand.order_gid(row))
        return brand.order_gid(row)

    def product(self, at: int) -> str:
        """A new product."""
        found = self._brand.catalogue.add(at)
        self._note("products", found.index, None)
        made = gid("Product", found.shopify_id)
        self._tell("create", made)
        return made

    def customer(self, at: int) -> str:
        """A new customer, who has not bought yet."""
        row = self._brand.add_customer(at)
        self._note("customers", row, None)
        made = gid("Customer", CUSTOMER_BASE + row * CUSTOMER_STEP)
        self._tell("create", made)
        return made

    def touch(self, text: str, at: int) -> bool:
        """An edit of an order, product or customer; False if it is not here."""
        before = self._updated(text)
        if before is None or not self._brand.touch(text, at):
            return False
        resource, row = before[0], before[1]
        self._note(resource, row, before[2])
        self._tell("update", text)
        return True

    def remove(self, text: str) -> bool:
        """Deletes an order, product or customer; False if it is not here."""
        if not self._brand.remove(text):
            return False
        self._tell("delete", text)
        return True

    def edit(self, text: str, at: int, *, how: str) -> bool:
        """An order is edited, refunded or cancelled; False if that cannot be done with it."""
        parsed = parse_gid(text)
        row = self._brand.book.index_of(parsed[1]) if parsed and parsed[0] == "Order" else None
        if row is None or self._brand.book.fate[row] != Fate.KEPT:
            return False
        self._note("orders", row, self._brand.book.updated[row])
        self._brand.book.fate[row] = EDITS[how]
        self._brand.book.event_at[row] = at
        self._brand.book.updated[row] = at
        self._tell(_TOLD.get(how, "update"), text)
        return True

    def merge(self, keep: str, gone: str, at: int) -> bool:
        """Two customers become one: the orders move, and with them their `updatedAt`."""
        rows = [self._customer_row(text) for text in (keep, gone)]
        kept, lost = rows
        if kept is None or lost is None or kept == lost:
            return False
        for row in self._brand.book.give(lost, kept):
            self._note("orders", row, self._brand.book.updated[row])
            self._brand.book.updated[row] = at
            self._tell("update", self._brand.order_gid(row))
        self.touch(keep, at)
        self._tell("merge", keep, gone=gone)
        return self.remove(gone)

    def _customer_row(self, text: str) -> int | None:
        node = self._brand.find(text)
        if node is None or node["__typename"] != "Customer":
            return None
        return (int(node["legacyResourceId"]) - CUSTOMER_BASE) // CUSTOMER_STEP

    def _updated(self, text: str) -> tuple[str, int, int] | None:
        brand = self._brand
        node = brand.find(text)
        if node is None or node["__typename"] not in LISTS:
            return None
        number = int(node["legacyResourceId"])
        match node["__typename"]:
            case "Order":
                row = (number - ORDER_BASE) // ORDER_STEP
                return "orders", row, brand.book.updated[row]
            case "Product":
                product = brand.catalogue.by_id(number)
                return None if product is None else ("products", product.index, product.updated_at)
            case _:
                row = (number - CUSTOMER_BASE) // CUSTOMER_STEP
                return "customers", row, brand.customer_updated_at(row)

    def _note(self, resource: str, row: int, before: int | None) -> None:
        self._recent.append(Change(self._clock(), resource, row, before))
