"""All cases of the fault suite: which group, on which database, how often."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Final

from tests.faults.armed import ANY_POINT, EXPORT_POINTS, PAGE_POINTS
from tests.faults.groups import (
    bells,
    clocks,
    databases,
    deaths,
    redis_deaths,
    shopify_troubles,
    slots,
    stops,
    trees,
    uninstalls,
    watchers,
)
from tests.faults.lane import Kind, Lane
from tests.faults.outcome import Outcome

Run = Callable[..., Awaitable[None]]
BOTH: Final[tuple[Kind, ...]] = ("sqlite", "postgres")
GROUPS: Final = {
    1: "kill -9 at each named point",
    2: "recovery with all job slots full, and under the launcher",
    3: "stopped past the lease, then awake",
    4: "many bells, one claim",
    5: "Redis flushed, killed, away for 30 s",
    6: "a bell never rung",
    7: "readers that are late, drop out, have two tabs",
    8: "uninstalled in mid-page",
    9: "every process killed at once",
    10: "clock ten minutes off",
    11: "told to stop",
    12: "Shopify's troubles",
    13: "the database restarts, the disk is full",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One case: `run(lane, kind, rng, outcome, times=…)`, `often` times in the long run.

    `seldom` is how often in the short one; 0 leaves it out. `alone`: no other lane works
    meanwhile, since its promise is a matter of the whole machine.
    """

    group: int
    name: str
    kind: Kind
    run: Run
    often: int = 20
    seldom: int = 0
    promised_s: float = 7.0
    alone: bool = False
    limit_s: float = 300.0

    @property
    def slug(self) -> str:
        """Its name on the command line."""
        return f"{self.group}-{self.name.lower().replace(' ', '-')}-{self.kind}"

    def seed(self, of: int) -> int:
        """Its own seed, so that it does the same alone as among the others."""
        return zlib.crc32(f"{of}:{self.slug}".encode())

    async def go(self, lane: Lane, outcome: Outcome, *, times: int) -> None:
        """Run it; what came of it is in `outcome`."""
        await self.run(lane, self.kind, Random(outcome.seed), outcome, times=times)


def every_case() -> list[Case]:
    """All cases; the slow ones first, so that no lane ends long after the others."""
    every = [case for kind in BOTH for case in (*_slow(kind), *_deaths(kind), *_quick(kind))]
    return [case for case in every if case.often]


def _slow(kind: Kind) -> list[Case]:
    redis_is = redis_deaths.redis_is
    return [
        Case(2, "launched", kind, slots.launched, promised_s=2.0, alone=True, limit_s=420.0),
        Case(9, "all at once", kind, trees.all_at_once, often=10, promised_s=60.0, limit_s=600.0),
        Case(10, "clock", kind, clocks.ten_minutes_off, often=3),
        Case(5, "away", kind, partial(redis_is, trouble="away"), often=3),
        Case(3, "zombies", kind, stops.zombies, seldom=int(kind == "postgres")),
    ]


def _deaths(kind: Kind) -> list[Case]:
    # In the short form each point is tried on one of the two databases.
    return [
        Case(
            1, point, kind, partial(deaths.killed_at, point=point),
            seldom=2 if number % 2 == BOTH.index(kind) else 0,
            # Each export is a shop of its own, read and then read again in peace.
            limit_s=600.0,
        )
        for number, point in enumerate((*PAGE_POINTS, ANY_POINT, *EXPORT_POINTS))
    ]  # fmt: skip


def _quick(kind: Kind) -> list[Case]:
    redis_is = redis_deaths.redis_is
    here, there = int(kind == "sqlite"), int(kind == "postgres")
    return [
        Case(5, "flushed", kind, partial(redis_is, trouble="flushed"), often=10, seldom=1),
        Case(5, "killed", kind, partial(redis_is, trouble="killed"), often=10, seldom=1),
        Case(4, "bells", kind, bells.one_claim, seldom=4),
        Case(6, "no bell", kind, bells.never_rung, often=3, promised_s=12.0),
        Case(2, "slots full", kind, slots.slots_full, seldom=here, limit_s=600.0),
        Case(7, "readers", kind, watchers.readers, seldom=4 * there),
        Case(8, "in mid-page", kind, uninstalls.in_mid_page, seldom=1),
        Case(12, "storm", kind, shopify_troubles.storm, often=40, seldom=5 * here),
        Case(12, "exports", kind, shopify_troubles.exports, seldom=3 * there),
        Case(12, "tokens", kind, shopify_troubles.dying_tokens, seldom=here),
        Case(12, "restless", kind, shopify_troubles.restless, often=60, seldom=4 * here),
        Case(13, "disk full", kind, databases.disk_full, often=10),
        Case(13, "restarted", kind, databases.restarted, often=10 * there, seldom=there),
        Case(11, "told to stop", kind, stops.told_to_stop, seldom=1),
    ]
