"""The fault suite: `make faults`, or `python -m tests.faults --only 1-after-commit-sqlite`."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import sys
import time
import traceback
import warnings
from pathlib import Path

# A developer's own settings must not steer the suite.
for _name in [name for name in os.environ if name.startswith("BRANDMIND_")]:
    del os.environ[_name]
os.environ["BRANDMIND_ENV_FILE"] = os.devnull

from tests.faults import table  # noqa: E402
from tests.faults.conductor import conduct  # noqa: E402
from tests.faults.ground import ROOT  # noqa: E402
from tests.faults.lane import Lane  # noqa: E402
from tests.faults.outcome import Outcome  # noqa: E402
from tests.faults.plan import Case, every_case  # noqa: E402

_PAGE = ROOT / "docs" / "reliability.md"
_BEGIN, _END = "<!-- make faults: begin -->", "<!-- make faults: end -->"


def main() -> int:
    """Run the suite; 0 if nothing was lost, doubled, different or late."""
    asked = _arguments()
    if asked.lane:
        asyncio.run(_be_a_lane())
        return 0
    cases = _chosen(asked)
    if asked.list:
        print(*(f"{times:>4}  {case.slug}" for case, times in cases), sep="\n")
        return 0
    began_s = time.monotonic()
    print(f"seed {asked.seed}, {len(cases)} cases, {asked.lanes} lanes", flush=True)
    outcomes = asyncio.run(
        conduct(
            cases,
            seed=asked.seed,
            lanes=asked.lanes,
            logs=asked.logs,
            heard=lambda one: _say(one, seed=asked.seed),
        )
    )
    took_s = time.monotonic() - began_s
    _conclude(outcomes, asked, took_s=took_s)
    return 0 if all(one.is_sound for one in outcomes) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--lanes", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[], help="names of cases, or how they begin")
    parser.add_argument("--times", type=int, help="how often, in place of each case's own number")
    parser.add_argument("--short", action="store_true", help="the form that `make test` runs")
    parser.add_argument("--list", action="store_true", help="say the cases, run none")
    parser.add_argument("--write", action="store_true", help=f"put the table into {_PAGE.name}")
    parser.add_argument("--logs", type=Path, default=ROOT / ".faults")
    parser.add_argument("--lane", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _chosen(asked: argparse.Namespace) -> list[tuple[Case, int]]:
    found = []
    for case in every_case():
        if asked.only and not any(case.slug.startswith(name) for name in asked.only):
            continue
        times = asked.times or (case.seldom if asked.short else case.often)
        if times:
            found.append((case, times))
    if not found:
        raise SystemExit("There is no such case; --list says them all.")
    return found


def _say(one: Outcome, *, seed: int) -> None:
    longest = f"longest {max(one.recoveries_s):.2f} s" if one.recoveries_s else ""
    print(f"{one.case:<44} {one.faults:>4} faults  {one.took_s:>5.0f} s  {longest}", flush=True)
    for note in one.notes:
        print(f"    {note}", flush=True)
    if not one.is_sound:
        for sentence in one.complaints():
            print(f"    WRONG: {sentence}", flush=True)
        print(f"    alone: python -m tests.faults --seed {seed} --only {one.case}", flush=True)


def _conclude(outcomes: list[Outcome], asked: argparse.Namespace, *, took_s: float) -> None:
    print(f"\n{table.as_text(outcomes)}\n\n{took_s / 60:.1f} minutes, seed {asked.seed}")
    said = (
        f'`make faults ARGS="--seed {asked.seed}"`, {took_s / 60:.0f} minutes, '
        f"{asked.lanes} lanes on {os.cpu_count()} cores:\n\n{table.as_markdown(outcomes)}"
    )
    report = asked.logs / "report.md"
    report.write_text(said)
    print(f"the same as Markdown: {report}")
    if asked.write:
        before, _, rest = _PAGE.read_text().partition(_BEGIN)
        _, _, after = rest.partition(_END)
        _PAGE.write_text(f"{before}{_BEGIN}\n{said}{_END}{after}")


async def _be_a_lane() -> None:
    # What the cases or their libraries print must not get between the answers.
    wire = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    cases = {case.slug: case for case in every_case()}
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    async with Lane() as lane:
        async for line in lines:
            told = json.loads(line)
            outcome = await _one(cases[told["case"]], lane, told["seed"], told["times"])
            # This process opens as much in half an hour as another in months, and its collector
            # looks as rarely.
            gc.collect()
            wire.write(json.dumps(outcome.plain()) + "\n")
            wire.flush()


async def _one(case: Case, lane: Lane, seed: int, times: int) -> Outcome:
    print(f"== {case.slug} seed {seed}", file=sys.stderr, flush=True)
    outcome = Outcome(case.group, case.slug, seed, promised_s=case.promised_s)
    try:
        await case.go(lane, outcome, times=times)
    except Exception as error:
        traceback.print_exc()
        last = traceback.extract_tb(error.__traceback__)
        ours = next((at for at in reversed(last) if "/tests/" in at.filename), last[-1])
        where = f"{Path(ours.filename).name}:{ours.lineno}"
        outcome.wrong.append(f"{type(error).__name__} at {where}: {str(error)[:2000]}")
    # What could not be tried here says so in a note.
    enough = outcome.faults >= times or outcome.notes
    outcome.hold(enough, f"{outcome.faults} faults of {times} that were planned")
    return outcome


if __name__ == "__main__":
    # arq passes an option on to redis-py that redis 6 deprecates.
    warnings.filterwarnings("ignore", message=".*retry_on_timeout.*")
    sys.exit(main())
