"""The rate budget of one shop: waiting before a request instead of being refused after it."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple, Protocol

from brandmind.clock import monotonic_s

Sleep = Callable[[float], Awaitable[None]]

# Never so short a wait that rounding errors, or an answer still under way, make it spin.
LEAST_WAIT_S: Final = 0.02
# As long after its last wait a reading is taken to be held back by the budget.
LATELY_S: Final = 20.0
# What a query is taken to cost until its first answer: too much only makes it wait once.
_UNSEEN: Final = 500.0
# The same query in another size, by the dearest size seen: a page of 240 costs 1.8 times one of 25.
# No single query may cost more than the last.
_OTHER_SIZE: Final = 2.0
_DEAREST: Final = 1000.0


class Ticket(NamedTuple):
    """Points reserved for one request, until its answer has come. `number` is the pacer's own."""

    cost: float
    number: str = ""


class Bucket(NamedTuple):
    """A shop's bucket as an answer told it: points there are, its size, points a second."""

    available: float
    maximum: float
    restore_per_s: float


class Prices:
    """What queries ask for before they run, as their answers said. The same in every shop."""

    def __init__(self) -> None:
        self._told: dict[str, dict[tuple[int, ...], float]] = {}

    def expected(self, name: str, sizes: tuple[int, ...]) -> float:
        """Points to reserve for a query of that name and the whole numbers among its variables."""
        seen = self._told.get(name)
        if seen is None:
            return _UNSEEN
        known = seen.get(sizes)
        return min(max(seen.values()) * _OTHER_SIZE, _DEAREST) if known is None else known

    def learn(self, name: str, sizes: tuple[int, ...], cost: float) -> None:
        """An answer has told its price."""
        self._told.setdefault(name, {})[sizes] = cost


class Pacer(Protocol):
    """The one budget all requests to a shop draw on. Costs are Shopify's query points."""

    @property
    def prices(self) -> Prices:
        """What queries are known to cost."""
        ...

    @property
    def bucket(self) -> Bucket | None:
        """The bucket as it should be by now; None before an answer has told it."""
        ...

    @property
    def waiting_s(self) -> float:
        """How long the wait under way still takes; 0 while nobody waits."""
        ...

    @property
    def limits(self) -> bool:
        """Whether a request of this process waits for the budget, or lately had to."""
        ...

    async def admit(self, cost: float) -> Ticket:
        """Return once the shop's bucket can hold the cost; the cost is reserved from then on."""
        ...

    async def hold(self, wait_s: float) -> None:
        """Wait as long as the shop asked for."""
        ...

    async def learn(self, ticket: Ticket, told: Bucket | None) -> None:
        """An answer has come: the reservation ends and the bucket is as the shop says.

        `told` None: the answer said nothing of the bucket; only the reservation ends.
        """
        ...


class Pacers(Protocol):
    """The pacers of all shops."""

    def of(self, store_id: str) -> Pacer:
        """The pacer of one store, the same at each call."""
        ...

    async def forget(self, store_id: str, owner: str) -> None:
        """Take away what a dead owner has reserved of a store's points."""
        ...


class LocalPacer:
    """A pacer of this process alone, in the shop's own words once the first answer has come.

    `share` is the part of the restored points it takes for itself, where others draw on the same
    bucket unseen.
    """

    def __init__(
        self,
        *,
        prices: Prices | None = None,
        share: float = 1.0,
        now: Callable[[], float] = monotonic_s,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.prices = prices or Prices()
        self._share = share
        self._now = now
        self._sleep = sleep
        self._turn = asyncio.Lock()
        self._numbers = itertools.count(1)
        self._told: Bucket | None = None
        self._as_of = 0.0
        self._held: dict[str, float] = {}
        self._until = 0.0
        self._waited_at = -math.inf

    @property
    def waiting_s(self) -> float:
        return max(0.0, self._until - self._now())

    @property
    def limits(self) -> bool:
        return self._until > 0 or self._now() - self._waited_at < LATELY_S

    @property
    def bucket(self) -> Bucket | None:
        return self._by_now(1.0)

    async def admit(self, cost: float) -> Ticket:
        # One at a time: who came first goes first, and a costly query is not starved by cheap ones.
        async with self._turn:
            wait_s = self._wait_s(cost)
            while wait_s > 0:
                await self._pause(wait_s)
                wait_s = self._wait_s(cost)
            return self.take(cost)

    def take(self, cost: float, number: str | None = None) -> Ticket:
        """Reserve without waiting, for a request that was admitted elsewhere."""
        ticket = Ticket(cost, number or str(next(self._numbers)))
        self._held[ticket.number] = cost
        return ticket

    async def hold(self, wait_s: float) -> None:
        # Everybody's wait: whoever asks meanwhile would only be refused as well.
        async with self._turn:
            await self._pause(wait_s)

    async def learn(self, ticket: Ticket, told: Bucket | None) -> None:
        self.heard(ticket, told)

    def heard(self, ticket: Ticket, told: Bucket | None) -> None:
        """`learn`, which has nothing to wait for here."""
        self._held.pop(ticket.number, None)
        if told is not None:
            self._told = told
            self._as_of = self._now()

    async def _pause(self, wait_s: float) -> None:
        self._until = self._now() + wait_s
        try:
            await self._sleep(wait_s)
        finally:
            self._until = 0.0
            self._waited_at = self._now()

    def _by_now(self, share: float) -> Bucket | None:
        told = self._told
        if told is None:
            return None
        grown = told.available + (self._now() - self._as_of) * told.restore_per_s * share
        return told._replace(available=min(told.maximum, grown))

    def _wait_s(self, cost: float) -> float:
        bucket = self._by_now(self._share)
        if bucket is None or bucket.restore_per_s <= 0:
            return 0.0
        # A query dearer than the whole bucket can only ask and be told so.
        missing = min(cost, bucket.maximum) - (bucket.available - sum(self._held.values()))
        if missing <= 0:
            return 0.0
        return max(missing / (bucket.restore_per_s * self._share), LEAST_WAIT_S)


class LocalPacers:
    """A pacer for each store, of this process alone; kept, so that no slice forgets a bucket."""

    def __init__(self) -> None:
        self._prices = Prices()
        self._pacers: dict[str, LocalPacer] = {}

    def of(self, store_id: str) -> LocalPacer:
        found = self._pacers.get(store_id)
        if found is None:
            found = self._pacers[store_id] = LocalPacer(prices=self._prices)
        return found

    async def forget(self, store_id: str, owner: str) -> None:
        """Nothing: what another process has reserved is not known here."""
