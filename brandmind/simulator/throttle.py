"""The leaky bucket of one app in one shop."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


class Bucket:
    """Holds what a query asks for before it runs and gives back what it did not use."""

    def __init__(
        self, size: float, restore_rate: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.size = size
        self.restore_rate = restore_rate
        self._clock = clock
        self._level = size
        self._at = clock()

    def available(self) -> float:
        """Points there are now."""
        now = self._clock()
        self._level = min(self.size, self._level + (now - self._at) * self.restore_rate)
        self._at = now
        return self._level

    def take(self, points: float) -> bool:
        """Takes the points if the bucket holds them."""
        if self.available() < points:
            return False
        self._level -= points
        return True

    def give_back(self, points: float) -> None:
        """Returns points that were asked for and not used."""
        self._level = min(self.size, self._level + points)

    def drain(self) -> None:
        """Empties the bucket, as another client of the same app might."""
        self.available()
        self._level = 0.0

    def status(self) -> dict[str, Any]:
        """throttleStatus as it is shown."""
        return {
            "maximumAvailable": self.size,
            "currentlyAvailable": int(self.available()),
            "restoreRate": self.restore_rate,
        }
