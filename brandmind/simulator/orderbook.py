"""The plan of all orders in compact arrays: who, when, and what became of it.

A million orders cost about fifty bytes each here; everything else about an order is drawn from
its own seed when somebody asks (`drafts.draft`).
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from enum import IntEnum
from random import Random

from brandmind.simulator.config import ShopConfig
from brandmind.simulator.moments import DAY_S
from brandmind.simulator.planting import planted_customers, planted_moments
from brandmind.simulator.timeline import order_moments

ORDER_BASE = 5_900_000_000_000
ORDER_STEP = 32_768
GUEST = -1


class Fate(IntEnum):
    """What became of an order after it was placed."""

    KEPT = 0
    RETURNED_WHOLE = 1
    RETURNED_PART = 2
    RETURNED_WITH_SHIPPING = 3
    GOODWILL = 4
    UNIT_REMOVED = 5
    LINE_ADDED = 6
    CANCELLED_PAID = 7
    CANCELLED_UNPAID = 8
    UNPAID = 9
    RETURNED_TWICE = 10
    REFUND_FAILED_FIRST = 11


_ODDS: tuple[tuple[float, Fate], ...] = (
    (0.018, Fate.RETURNED_WHOLE),
    (0.024, Fate.RETURNED_PART),
    (0.010, Fate.RETURNED_WITH_SHIPPING),
    (0.007, Fate.GOODWILL),
    (0.007, Fate.UNIT_REMOVED),
    (0.006, Fate.LINE_ADDED),
    (0.010, Fate.CANCELLED_PAID),
    (0.005, Fate.CANCELLED_UNPAID),
    (0.006, Fate.UNPAID),
    (0.005, Fate.RETURNED_TWICE),
    (0.002, Fate.REFUND_FAILED_FIRST),
)


class OrderBook:
    """Orders by index in order of their making; times are epoch seconds."""

    def __init__(self, config: ShopConfig, *, seed: int) -> None:
        self.config = config
        self.seed = seed
        rng = Random(seed * 31 + 7)  # noqa: S311
        self.processed = (
            order_moments(config.orders, as_of=config.as_of, zone=config.timezone, rng=rng)
            if config.plant is None
            else planted_moments(
                config.plant, config.orders, as_of=config.as_of, zone=config.timezone, rng=rng
            )
        )
        count = len(self.processed)
        # The shop opened after its first orders: those were imported from the house before.
        self.imported = count // 20
        self.created = array("q", self.processed)
        opening = self.processed[self.imported] - 3_600 if count else config.as_of
        for index in range(self.imported):
            self.created[index] = opening + index // 40
        self.fate = bytearray(count)
        self.test = bytearray(count)
        self.event_at = array("q", bytes(8 * count))
        self.updated = array("q", bytes(8 * count))
        self.customer = array("l", [GUEST]) * count
        self.deleted: set[int] = set()
        self._draw_fates(rng)
        self._draw_customers(rng)
        self._plant_ties()
        self._index_customers()

    def __len__(self) -> int:
        return len(self.processed)

    def add(self, *, at: int, customer: int) -> int:
        """One more order, placed at that moment; answers its index."""
        self.processed.append(at)
        self.created.append(at)
        self.updated.append(at)
        self.event_at.append(0)
        self.fate.append(Fate.KEPT)
        self.test.append(0)
        self.customer.append(customer)
        if customer != GUEST:
            self.added_of.setdefault(customer, []).append(len(self) - 1)
        return len(self) - 1

    def give(self, old: int, new: int) -> list[int]:
        """All orders of one customer belong to another; answers their indexes."""
        moved = self.orders_of(old)
        for index in moved:
            # What was bought and taxed, and where it went, stays what it was.
            self.drawn.setdefault(index, old)
            self.customer[index] = new
        self.added_of.setdefault(new, []).extend(moved)
        self.added_of.pop(old, None)
        self._given.add(old)
        return moved

    def orders_of(self, customer: int) -> list[int]:
        """Indexes of the customer's orders, oldest first, deleted ones left out."""
        return [index for index in self.ever_of(customer) if index not in self.deleted]

    def first_of(self, customer: int) -> int | None:
        """The order that made the customer; deleted or given away since, it still did."""
        if customer + 1 >= len(self._starts):
            return None
        start, end = self._starts[customer], self._starts[customer + 1]
        return self._order_of[start] if start < end else None

    def ever_of(self, customer: int) -> list[int]:
        """Indexes of the customer's orders, oldest first, deleted ones among them."""
        found: list[int] = []
        if customer not in self._given and customer + 1 < len(self._starts):
            found = list(self._order_of[self._starts[customer] : self._starts[customer + 1]])
        if added := self.added_of.get(customer):
            found = sorted([*found, *added])
        return found

    def fulfilled_at(self, index: int) -> int:
        """When it was sent; 0 while it was not."""
        if self.fate[index] in (Fate.CANCELLED_PAID, Fate.CANCELLED_UNPAID, Fate.UNPAID):
            return 0
        at = self.processed[index] + DAY_S + index * 2_654_435_761 % (3 * DAY_S)
        return at if at <= self.config.as_of else 0

    def number(self, index: int) -> int:
        """The number people see: gaps, and imported orders repeat those of newer ones."""
        if index < self.imported:
            return 1001 + (index * 3) % max(1, len(self) - self.imported)
        own = index - self.imported
        return 1001 + own + own // 37

    def index_of(self, shopify_id: int) -> int | None:
        """The order with that id, unless it was deleted."""
        index, rest = divmod(shopify_id - ORDER_BASE, ORDER_STEP)
        there = rest == 0 and 0 <= index < len(self) and index not in self.deleted
        return index if there else None

    def _draw_fates(self, rng: Random) -> None:
        steps: list[float] = []
        fates: list[Fate] = []
        fate: Fate | None
        reached = 0.0
        for odds, likely in _ODDS:
            reached += odds
            steps.append(reached)
            fates.append(likely)
        as_of = self.config.as_of
        count = len(self)
        # Every fate is there even in a small shop, one after the other among recent orders.
        planted = {count * 2 // 3 + k: one for k, one in enumerate(fates)} if count >= 60 else {}
        for index in range(count):
            dice = rng.random()
            fate = planted.get(index)
            if fate is None and dice < reached:
                fate = fates[bisect_left(steps, dice)]
            if fate is Fate.LINE_ADDED and self.config.plant is not None:
                # Baskets are planted: nothing is put into them later.
                fate = None
            if fate is not None:
                delay = 7_200 if fate in (Fate.CANCELLED_PAID, Fate.CANCELLED_UNPAID) else 4 * DAY_S
                at = self.processed[index] + delay + int(dice * 1e7) % (9 * DAY_S)
                if fate == Fate.UNPAID:
                    self.fate[index] = fate
                elif at + 3 * DAY_S <= as_of:
                    self.fate[index] = fate
                    self.event_at[index] = at
            self.updated[index] = max(
                self.created[index],
                self.event_at[index],
                self.fulfilled_at(index),
                self.event_at[index] + 2 * DAY_S if fate == Fate.RETURNED_TWICE else 0,
            )
        for index in range(min(37, count // 2), count, 149):
            self.test[index] = 1

    def _draw_customers(self, rng: Random) -> None:
        """New faces at the rate that spends all of them; the others come back, the latest most."""
        if self.config.plant is not None:
            self.customer, self.buyers = planted_customers(
                self.config.plant, self.processed, self.test, guest=GUEST, rng=rng
            )
            return
        # Some never buy; and in a shop with few orders there are still those who come back.
        whole = self.config.customers - self.config.customers // 14
        buyers = min(whole, max(1, len(self) * 55 // 100))
        left = len(self)
        seen = 0
        regulars: list[int] = []
        for index in range(len(self)):
            dice = rng.random()
            chance = rng.random()
            guest = self.test[index] or dice < 0.07
            need = (buyers - seen) / left if left else 0.0
            left -= 1
            if guest or not buyers:
                continue
            if not seen or (seen < buyers and chance < min(1.0, need * 1.25)):
                self.customer[index] = seen
                # Six in ten come once; the others stand in the list as often as they are loyal.
                kind = rng.random()
                if kind > 0.6:
                    regulars.extend([seen] * (1 if kind < 0.85 else 3 if kind < 0.97 else 8))
                seen += 1
            elif regulars:
                near = 1.0 - rng.random() ** 2.2 if rng.random() < 0.7 else rng.random()
                self.customer[index] = regulars[int(near * (len(regulars) - 1))]
            else:
                self.customer[index] = int(rng.random() * seen)
        self.buyers = seen

    def _plant_ties(self) -> None:
        """A bulk edit: up to 300 orders updated in the same second, over the edge of any page."""
        count = len(self)
        tie = self.config.as_of - 20 * DAY_S
        first = count // 2
        for index in range(first, min(count, first + min(300, count * 15 // 100))):
            if self.updated[index] < tie:
                self.updated[index] = tie

    def _index_customers(self) -> None:
        starts = array("l", [0]) * (self.config.customers + 1)
        for customer in self.customer:
            if customer >= 0:
                starts[customer + 1] += 1
        for at in range(1, len(starts)):
            starts[at] += starts[at - 1]
        cursor = array("l", starts)
        self._order_of = array("l", [0]) * starts[-1]
        for index, customer in enumerate(self.customer):
            if customer >= 0:
                self._order_of[cursor[customer]] = index
                cursor[customer] += 1
        self._starts = starts
        self.added_of: dict[int, list[int]] = {}
        self.drawn: dict[int, int] = {}
        self._given: set[int] = set()
