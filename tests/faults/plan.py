"""All cases of the fault suite: which group, on which database, how often."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Final

from tests.faults.armed import ANY_POINT, PAGE_POINTS
from tests.faults.groups import deaths
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
    """The slow ones first, so that no lane ends long after the others."""
    cases: list[Case] = []
    for kind in BOTH:
        for point in (*PAGE_POINTS, ANY_POINT):
            seldom = 2 if (kind == "sqlite") == (point in PAGE_POINTS[::2]) else 0
            cases.append(
                Case(1, point, kind, partial(deaths.killed_at, point=point), seldom=seldom)
            )
    return cases
