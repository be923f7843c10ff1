"""The rate budget of one shop: waiting before a request instead of being refused after it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from brandmind.clock import monotonic_s

Sleep = Callable[[float], Awaitable[None]]


class Pacer(Protocol):
    """The one budget all requests to a shop draw on. Costs are Shopify's query points."""

    @property
    def waiting_s(self) -> float:
        """How long the wait under way still takes; 0 while nobody waits."""
        ...

    async def admit(self, cost: float) -> None:
        """Return once the shop's bucket can hold the cost; the cost is reserved from then on."""
        ...

    async def hold(self, wait_s: float) -> None:
        """Wait as long as the shop asked for."""
        ...

    async def learn(
        self, cost: float, *, available: float | None, maximum: float, restore_per_s: float
    ) -> None:
        """An answer has come: the reservation of `cost` ends and the bucket is as the shop says.

        `available` None: the answer said nothing of the bucket; only the reservation ends.
        """
        ...


class LocalPacer:
    """A pacer of this process alone, in the shop's own words once the first answer has come."""

    def __init__(
        self, *, now: Callable[[], float] = monotonic_s, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._now = now
        self._sleep = sleep
        self._turn = asyncio.Lock()
        self._available: float | None = None
        self._maximum = 0.0
        self._restore_per_s = 0.0
        self._as_of = 0.0
        self._reserved = 0.0
        self._until = 0.0

    @property
    def waiting_s(self) -> float:
        return max(0.0, self._until - self._now())

    async def admit(self, cost: float) -> None:
        # One at a time: who came first goes first, and a costly query is not starved by cheap ones.
        async with self._turn:
            wait_s = self._wait_s(cost)
            while wait_s > 0:
                self._until = self._now() + wait_s
                try:
                    await self._sleep(wait_s)
                finally:
                    self._until = 0.0
                wait_s = self._wait_s(cost)
            self._reserved += cost

    async def hold(self, wait_s: float) -> None:
        # Everybody's wait: whoever asks meanwhile would only be refused as well.
        async with self._turn:
            self._until = self._now() + wait_s
            try:
                await self._sleep(wait_s)
            finally:
                self._until = 0.0

    async def learn(
        self, cost: float, *, available: float | None, maximum: float, restore_per_s: float
    ) -> None:
        self._reserved = max(0.0, self._reserved - cost)
        if available is not None:
            self._available = available
            self._maximum = maximum
            self._restore_per_s = restore_per_s
            self._as_of = self._now()

    def _wait_s(self, cost: float) -> float:
        if self._available is None or self._restore_per_s <= 0:
            return 0.0
        grown = self._available + (self._now() - self._as_of) * self._restore_per_s
        free = min(self._maximum, grown) - self._reserved
        # A query dearer than the whole bucket can only ask and be told so.
        missing = min(cost, self._maximum) - free
        # Never so short that rounding errors, or an answer still under way, make it spin.
        return max(missing / self._restore_per_s, 0.02) if missing > 0 else 0.0
