"""How a shop's lists misbehave: pages that come twice, an index that lags, counts that stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from brandmind.simulator.changes import Changes
from brandmind.simulator.faults import FaultBox
from brandmind.simulator.listing import DEFAULT_COUNT_LIMIT

LAG_S = 10.0
_LIST = ("query", "sortKey", "reverse", "first")


class Reading:
    """Looks at the arguments of a list before it is read."""

    def __init__(self, faults: FaultBox, changes: Callable[[], Changes]) -> None:
        self._faults = faults
        self._changes = changes
        self._places: dict[tuple[Any, ...], tuple[str | None, str | None]] = {}

    def settle(self) -> None:
        """The lists are as old as the index is."""
        fault = self._faults.standing("listing-lag")
        lag_s = 0.0
        if fault is not None:
            lag_s = LAG_S if fault.seconds is None else fault.seconds
        self._changes().settle(lag_s)

    def page(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """The arguments to answer with: those of the page before, where it comes twice."""
        self.settle()
        after = arguments.get("after")
        asked = (name, *(arguments.get(part) for part in _LIST))
        now, before = self._places.get(asked, (None, None))
        if after is not None and after != now and self._faults.strike("page-twice"):
            return arguments | {"after": now}
        if after != now:
            now, before = after, now
        self._places[asked] = (now, before)
        return arguments

    def count(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The arguments to count with."""
        self.settle()
        if self._faults.standing("count-capped"):
            return arguments | {"limit": DEFAULT_COUNT_LIMIT}
        return arguments
