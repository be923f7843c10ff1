"""Runs cases in a few lanes side by side, each a process of its own, and gathers what came."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from brandmind.launch.lifeline import tied_to_me
from tests.faults.ground import ROOT
from tests.faults.outcome import Outcome
from tests.faults.plan import Case

Heard = Callable[[Outcome], None]


async def conduct(
    cases: Sequence[tuple[Case, int]],
    *,
    seed: int,
    lanes: int,
    logs: Path,
    heard: Heard = lambda _: None,
) -> list[Outcome]:
    """What came of each (case, times), in the order of their ends.

    Cases that must be alone go first, one after the other.
    """
    logs.mkdir(parents=True, exist_ok=True)
    outcomes: list[Outcome] = []

    def note(outcome: Outcome) -> None:
        outcomes.append(outcome)
        heard(outcome)

    alone = [one for one in cases if one[0].alone]
    rest = [one for one in cases if not one[0].alone]
    if alone:
        await _lane(alone, seed=seed, log=logs / "lane-alone.log", note=note)
    await asyncio.gather(
        *(
            _lane(rest, seed=seed, log=logs / f"lane-{number}.log", note=note)
            for number in range(1, min(lanes, len(rest)) + 1)
        )
    )
    return outcomes


async def _lane(cases: list[tuple[Case, int]], *, seed: int, log: Path, note: Heard) -> None:
    """One lane: takes the next case until none is left; starts anew where one goes astray."""
    process: asyncio.subprocess.Process | None = None
    try:
        while cases:
            case, times = cases.pop(0)
            if process is None:
                process = await _start(log)
            began_s = time.monotonic()
            outcome = await _ask(process, case, seed=case.seed(seed), times=times)
            if outcome is None:
                process.kill()
                process = await _end(process)
                outcome = Outcome(case.group, case.slug, case.seed(seed))
                outcome.wrong.append(f"no answer within {case.limit_s:g} s, see {log}")
            outcome.took_s = time.monotonic() - began_s
            note(outcome)
    finally:
        if process is not None:
            await _end(process)


async def _start(log: Path) -> asyncio.subprocess.Process:
    with log.open("ab") as console:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.faults", "--lane"),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=console,
            limit=2**24,
            preexec_fn=tied_to_me(by=signal.SIGKILL),
        )


async def _ask(
    process: asyncio.subprocess.Process, case: Case, *, seed: int, times: int
) -> Outcome | None:
    assert process.stdin
    assert process.stdout
    line = json.dumps({"case": case.slug, "seed": seed, "times": times})
    process.stdin.write(line.encode() + b"\n")
    try:
        async with asyncio.timeout(case.limit_s):
            await process.stdin.drain()
            said = await process.stdout.readline()
    except (TimeoutError, ConnectionError):
        return None
    return Outcome(**json.loads(said)) if said else None


async def _end(process: asyncio.subprocess.Process) -> None:
    """A lane that hears no more goes home; one that does not answer is killed."""
    assert process.stdin
    process.stdin.close()
    try:
        async with asyncio.timeout(20):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
