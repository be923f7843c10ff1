"""What a monitoring system is told of this installation: numbers, and no word of anybody's."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from brandmind.db import gauges
from brandmind.services import readiness

if TYPE_CHECKING:
    from brandmind.runtime import Runtime

log = logging.getLogger(__name__)

_LIMIT_S: Final = 5.0
_PARTS: Final = ("database", "redis")


@dataclass(frozen=True, slots=True)
class Gauge:
    """A number with its name, kind, meaning, and its values by one label; label "": there is none.

    The values' names come from this program's own words alone, so that there are few of them and
    none is a person's or a store's.
    """

    name: str
    kind: Literal["gauge", "counter"]
    meaning: str
    values: Mapping[str, float]
    label: str = ""


class Tally:
    """Counts of what this process has done since it began."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = {}

    def count(self, name: str, value: str) -> None:
        """One more; both are words of this program."""
        counts = self._counts.get(name)
        if counts is None:
            counts = self._counts[name] = Counter()
        counts[value] += 1

    def of(self, name: str) -> Mapping[str, float]:
        """All counts of that name."""
        return dict(self._counts.get(name, {}))


tally: Final = Tally()


async def read(rt: Runtime) -> list[Gauge]:
    """All of them. What does not answer is told as such, and what it knows is left out."""
    missing = await readiness.missing(rt)
    up = {part: float(part not in missing) for part in _PARTS}
    found = [Gauge("up", "gauge", "Whether a part answers.", up, "part")]
    if "database" not in missing:
        try:
            async with asyncio.timeout(_LIMIT_S):
                found += _of_the_database(await rt.db.read(gauges.standing))
        except Exception as error:
            log.warning("the numbers could not be read: %s", type(error).__name__)
            up["database"] = 0.0
    return found + list(_of_this_process())


def _of_the_database(now: gauges.Standing) -> Iterator[Gauge]:
    yield Gauge("syncs", "gauge", "Syncs that are under way, by state.", now.runs, "state")
    yield Gauge(
        "syncs_ended_24h", "gauge", "Syncs that ended in the last 24 hours.", now.ended, "outcome"
    )
    yield Gauge(
        "queue_oldest_seconds", "gauge", "How long the longest due sync waits for a worker.",
        {"": now.oldest_due_s},
    )  # fmt: skip
    yield Gauge(
        "webhooks_inbox", "gauge", "Deliveries that wait, and that lie aside after their tries.",
        {"waiting": now.inbox_waiting, "aside": now.inbox_aside}, "state",
    )  # fmt: skip
    yield Gauge(
        "webhooks_oldest_seconds", "gauge", "How long the longest waiting delivery has waited.",
        {"": now.inbox_oldest_s},
    )  # fmt: skip
    yield Gauge("workers", "gauge", "Workers heard of within the hour.", {"": now.workers})
    if now.worker_silent_s is not None:
        yield Gauge(
            "worker_heartbeat_age_seconds", "gauge", "Since the last word of any worker.",
            {"": now.worker_silent_s},
        )  # fmt: skip
    yield Gauge("letters_waiting", "gauge", "Messages not sent yet.", {"": now.letters_waiting})
    yield Gauge("stores", "gauge", "Stores, by state.", now.stores, "state")


def _of_this_process() -> Iterator[Gauge]:
    yield Gauge(
        "http_answers_total", "counter", "Answers of this web process, by class of status.",
        {"2xx": 0, "3xx": 0, "4xx": 0, "5xx": 0, **tally.of("http")}, "status",
    )  # fmt: skip
    yield Gauge(
        "webhooks_answers_total", "counter", "Answers to deliveries, by what they were.",
        {"accepted": 0, "unsigned": 0, "too_large": 0, "not_kept": 0, **tally.of("webhooks")},
        "answer",
    )  # fmt: skip
    yield Gauge(
        "sockets_refused_total", "counter", "Websockets that were turned away, by reason.",
        {"origin": 0, "too_many": 0, **tally.of("sockets")}, "reason",
    )  # fmt: skip
