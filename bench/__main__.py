"""`python -m bench`: measures, prints a table of ratios, and says whether the bars are met."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bench.reading import Reading


# Each part imports what it needs when its turn comes.


def _reading(chosen: argparse.Namespace) -> Iterator[str]:
    from bench import reading

    sizes = reading.Sizes(
        orders=chosen.orders, customers=chosen.customers, products=chosen.products
    )
    yield from table(reading.read(sizes, rounds=chosen.rounds, folder=chosen.folder))


def _incremental(chosen: argparse.Namespace) -> Iterator[str]:
    from bench import incremental

    yield from incremental.lines(incremental.measure(chosen.unchanged))


def _growth(chosen: argparse.Namespace) -> Iterator[str]:
    from bench import growth

    yield from growth.lines(growth.measure(chosen.growing))


def _throttle(chosen: argparse.Namespace) -> Iterator[str]:
    from bench import paced

    yield from paced.lines(paced.measure(orders=chosen.paced))


def _crowd(chosen: argparse.Namespace) -> Iterator[str]:
    from bench import crowd

    found = crowd.measure(stores=chosen.stores, history=chosen.history)
    yield from crowd.lines(found, history=chosen.history)


def _webhooks(_chosen: argparse.Namespace) -> Iterator[str]:
    from bench import webhooks

    yield from webhooks.lines(webhooks.measure())


def _portrait(_chosen: argparse.Namespace) -> Iterator[str]:
    from bench import portrait

    yield from portrait.lines(portrait.measure())


def _screen(chosen: argparse.Namespace) -> Iterator[str]:
    from bench import screen

    try:
        yield from screen.lines(screen.look(visits=chosen.visits, messages=chosen.messages))
    except screen.NoBrowser as why:
        yield f"Not measured in a browser: {why}."


PARTS: Final[dict[str, Callable[[argparse.Namespace], Iterator[str]]]] = {
    "reading": _reading,
    "incremental": _incremental,
    "growth": _growth,
    "throttle": _throttle,
    "crowd": _crowd,
    "webhooks": _webhooks,
    "portrait": _portrait,
    "screen": _screen,
}


def main() -> None:
    """Run the benchmarks; slow machines fail nothing, they only print lower figures."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--orders", type=int, default=60_000)
    parser.add_argument("--customers", type=int, default=30_000)
    parser.add_argument("--products", type=int, default=6_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--unchanged", type=int, default=100_000)
    parser.add_argument("--growing", type=int, default=200_000)
    parser.add_argument("--paced", type=int, default=12_000)
    parser.add_argument("--stores", type=int, default=20)
    parser.add_argument("--history", type=int, default=1_000_000)
    parser.add_argument("--visits", type=int, default=5)
    parser.add_argument("--messages", type=int, default=100)
    parser.add_argument("--only", choices=PARTS, action="append")
    parser.add_argument("--folder", type=Path, help="keep databases and logs of the reading here")
    chosen = parser.parse_args()
    if chosen.only:
        for name in chosen.only:
            print("\n".join(PARTS[name](chosen)), end="\n\n", flush=True)
        return
    for name in PARTS:
        # Each in a process of its own: the peak of a child begins at its parent's size.
        subprocess.run([sys.executable, "-m", "bench", "--only", name, *sys.argv[1:]], check=False)


def table(result: Reading) -> list[str]:
    """The figures of a reading, as lines."""
    from bench.reading import BEST_ENGINE, PEAK_BAR_MB, RATIO_BAR, SPEED_AIM, median_s

    sizes = result.sizes
    said = [
        f"Reading a store of {sizes.orders:,} orders, {sizes.customers:,} customers and "
        f"{sizes.products:,} products",
        f"{result.requests} answers, {result.bytes / 1e6:,.1f} MB, {result.rows:,} rows in seven "
        f"tables; medians of {len(result.ours)} rounds",
        "",
        f"{'':<30}{'seconds':>9}{'CPU s':>8}{'peak MB':>9}{'orders/s':>10}{'records/s':>11}"
        f"{'rows/s':>9}",
    ]
    for name, costs in (
        ("brandmind sync --inline", result.ours),
        ("raw ceiling", result.ceiling),
        ("download only", result.download),
    ):
        wall_s = median_s(costs)
        said.append(
            f"{name:<30}{wall_s:>9.2f}{median(c.cpu_s for c in costs):>8.2f}"
            f"{max(c.peak_mb for c in costs):>9.0f}{sizes.orders / wall_s:>10,.0f}"
            f"{sizes.records / wall_s:>11,.0f}{result.rows / wall_s:>9,.0f}"
        )
    said += [
        f"{'best engine elsewhere (dlt)':<30}{'':>9}{'':>8}{'':>9}{'':>10}{BEST_ENGINE:>11,}",
        f"{'by CPU seconds the ratio is':<30}{result.cpu_ratio:>9.2f}",
        "",
        _bar(
            "ratio to the raw ceiling",
            f"{result.ratio:.2f}",
            f"at least {RATIO_BAR}",
            met=result.ratio >= RATIO_BAR,
        ),
        f"orders stored and typed: {sizes.orders / median_s(result.ours):,.0f} a second (aim "
        f"{SPEED_AIM:,})",
        _bar(
            "peak memory",
            f"{result.peak_mb:.0f} MB",
            f"at most {PEAK_BAR_MB:.0f} MB",
            met=result.peak_mb <= PEAK_BAR_MB,
        ),
    ]
    return said


def _bar(what: str, found: str, wanted: str, *, met: bool) -> str:
    return f"{what}: {found} ({wanted}): bar {'met' if met else 'not met'}"


if __name__ == "__main__":
    main()
