"""Groups 3 and 11: workers stopped past their lease and woken again, and workers told to stop."""

from __future__ import annotations

import signal
import time
from random import Random

from tests.faults.armed import ANY_POINT, PAGE_POINTS
from tests.faults.groups.deaths import Struck, has_gone_on, strike
from tests.faults.lane import Kind, Lane
from tests.faults.outcome import Outcome

OUT_WITHIN_S = 3.0
# A process that stands still within a transaction holds SQLite's one lock: nobody can write until
# it wakes, so nothing is taken from it. PostgreSQL gives its locks back.
_OUTSIDE = PAGE_POINTS[:2]


async def zombies(lane: Lane, kind: Kind, rng: Random, outcome: Outcome, *, times: int) -> None:
    """A worker stands still until another has its run, and then wakes with its page at hand."""
    points = _OUTSIDE if kind == "sqlite" else PAGE_POINTS[:5]
    await strike(
        lane, kind, rng, outcome, points=points, times=times, then=_wakes, by=signal.SIGSTOP
    )


async def _wakes(struck: Struck) -> None:
    try:
        await has_gone_on(struck)
    finally:
        # What it writes now is seen by the judge; it lives on and may be the next to take over.
        struck.worker.send(signal.SIGCONT)


async def told_to_stop(
    lane: Lane, kind: Kind, rng: Random, outcome: Outcome, *, times: int
) -> None:
    """A worker gets SIGTERM at any point: it is out within three seconds, another goes on."""
    points = (*PAGE_POINTS, ANY_POINT)
    await strike(
        lane, kind, rng, outcome, points=points, times=times, then=_is_out, by=signal.SIGTERM
    )


async def _is_out(struck: Struck) -> None:
    code = await struck.worker.ended(within_s=20.0)
    took_s = time.time() - struck.at
    struck.outcome.hold(code == 0, f"ended with {code}: {struck.worker.console[-500:]}")
    struck.outcome.hold(took_s <= OUT_WITHIN_S, f"out after {took_s:.2f} s")
    await has_gone_on(struck)
