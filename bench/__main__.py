"""`python -m bench`: measures, prints a table of ratios, and says whether the bars are met."""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import median

from bench import reading, webhooks
from bench.reading import BEST_ENGINE, PEAK_BAR_MB, RATIO_BAR, Reading, Sizes, median_s


def main() -> None:
    """Run the benchmarks; slow machines fail nothing, they only print lower figures."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--orders", type=int, default=20_000)
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--products", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=("reading", "screen", "webhooks", "portrait"))
    parser.add_argument("--folder", type=Path, help="keep databases and logs here")
    chosen = parser.parse_args()
    sizes = Sizes(orders=chosen.orders, customers=chosen.customers, products=chosen.products)
    if chosen.only in (None, "webhooks"):
        print("\n".join(webhooks.lines(webhooks.measure())), flush=True)
    if chosen.only in (None, "portrait"):
        from bench import portrait

        print()
        print("\n".join(portrait.lines(portrait.measure())), flush=True)
    if chosen.only in (None, "reading"):
        print()
        result = reading.read(sizes, rounds=chosen.rounds, folder=chosen.folder)
        print("\n".join(table(result)), flush=True)
    if chosen.only in (None, "screen"):
        # Not before: a child's peak begins at its parent's size.
        from bench import screen

        print()
        try:
            print("\n".join(screen.lines(screen.look())))
        except screen.NoBrowser as why:
            print(f"Not measured in a browser: {why}.")


def table(result: Reading) -> list[str]:
    """The figures of a reading, as lines."""
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
