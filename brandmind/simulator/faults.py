"""What can go wrong on purpose, one shop at a time, switchable while the simulator runs."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from datetime import datetime
from random import Random
from typing import Any

STATES = {"402": 402, "404": 404, "423": 423}
CHANCES = ("http429", "http5xx", "throttled", "reset")
BULK_RUNS = ("bulk-failed", "bulk-cancelled", "bulk-stuck", "bulk-expired")
BULK_FILES = ("bulk-gone", "bulk-cut", "bulk-truncated")
RIGHTS = ("missing-scope", "protected-data", "sixty-days")
READING = ("page-twice", "listing-lag", "count-capped")
TOKENS = ("token-expiry", "revoked-token", "lost-refresh")
WEBHOOKS = ("webhook-lost", "webhook-twice", "webhook-shuffled")
KINDS = (
    *CHANCES,
    "slow",
    *TOKENS,
    *STATES,
    *BULK_RUNS,
    *BULK_FILES,
    *RIGHTS,
    *READING,
    *WEBHOOKS,
)
MODES = {
    "bulk-stuck": ("RUNNING", "CREATED"),
    "bulk-failed": ("INTERNAL_SERVER_ERROR", "TIMEOUT", "ACCESS_DENIED"),
    "bulk-truncated": ("mid-line", "missing-lines"),
    "protected-data": ("Customer", "Order", "fields"),
    "missing-scope": ("read_customers", "read_orders", "read_products", "read_all_orders"),
}
"""What `mode` may be where there is a choice; the first is meant where none is named."""
_TEXTS = ("mode",)


class UnknownFault(ValueError):
    """No such kind of fault, or a setting it does not have."""


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong: `count` times, `until` an epoch second, or at a `rate`.

    `at` is the share of a file or of an operation's rows after which it goes wrong.
    """

    kind: str
    count: int | None = None
    until: float | None = None
    rate: float | None = None
    seconds: float | None = None
    status: int | None = None
    at: float | None = None
    mode: str | None = None

    @property
    def how(self) -> str:
        """The mode, or the first there is."""
        return self.mode or MODES[self.kind][0]

    @property
    def share(self) -> float:
        """`at`, or one half."""
        return 0.5 if self.at is None else self.at

    def fires(self, rng: Random) -> bool:
        """Whether it strikes this call; a counted fault is used up by it."""
        if self.until is not None and time.time() > self.until:
            return False
        if self.count is not None and self.count <= 0:
            return False
        if self.rate is not None and rng.random() >= self.rate:
            return False
        if self.count is not None:
            self.count -= 1
        return True


def read_fault(settings: dict[str, Any]) -> Fault:
    """A fault from JSON; raises UnknownFault with a sentence."""
    kind = str(settings.get("kind", ""))
    if kind not in KINDS:
        raise UnknownFault(f"There is no fault {kind!r}. Known: {', '.join(KINDS)}.")
    known = {"kind", "count", "until", "rate", "seconds", "status", "at", "mode"}
    if unknown := set(settings) - known:
        raise UnknownFault(f"A fault has no {', '.join(sorted(unknown))}.")
    mode = settings.get("mode")
    if mode is not None and mode not in MODES.get(kind, ()):
        allowed = ", ".join(MODES.get(kind, ())) or "not known"
        raise UnknownFault(f"The mode of {kind} is {allowed}.")
    until = settings.get("until")
    if isinstance(until, str):
        until = datetime.fromisoformat(until).timestamp()
    return Fault(
        kind=kind,
        count=settings.get("count"),
        until=until,
        rate=settings.get("rate"),
        seconds=settings.get("seconds"),
        status=settings.get("status"),
        at=settings.get("at"),
        mode=mode,
    )


def parse_fault(text: str) -> Fault:
    """`http429`, `slow:seconds=0.5`, `reset:count=3`: chances strike one call in ten by default."""
    kind, _, rest = text.partition(":")
    settings: dict[str, Any] = {"kind": kind}
    for part in filter(None, rest.split(",")):
        name, _, value = part.partition("=")
        try:
            if name in _TEXTS:
                settings[name] = value
            else:
                settings[name] = int(value) if name in ("count", "status") else float(value)
        except ValueError as error:
            raise UnknownFault(f"{part!r} is not like rate=0.1.") from error
    if kind in CHANCES and len(settings) == 1:
        settings["rate"] = 0.1
    return read_fault(settings)


class FaultBox:
    """The faults of a shop, asked in the order in which they were set."""

    def __init__(self, seed: int) -> None:
        self._rng = Random(seed)  # noqa: S311
        self.faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """From now on."""
        self.faults.append(fault)

    def clear(self, kind: str | None = None) -> None:
        """Takes back all faults, or those of one kind."""
        self.faults = [one for one in self.faults if kind is not None and one.kind != kind]

    def strike(self, *kinds: str) -> Fault | None:
        """The first fault of these kinds that strikes this call."""
        for fault in self.faults:
            if fault.kind in kinds and fault.fires(self._rng):
                return fault
        return None

    def standing(self, kind: str) -> Fault | None:
        """The fault of that kind, if it is set and not over; it is not used up by looking."""
        for fault in self.faults:
            over = fault.until is not None and time.time() > fault.until
            if fault.kind == kind and not over:
                return fault
        return None

    def shown(self) -> list[dict[str, Any]]:
        """For the control route."""
        return [asdict(fault) for fault in self.faults]
