"""What a second sync of an unchanged store asks of its shop."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from bench.measured import Cost
from bench.reading import settings_of
from bench.shops import MadeShop, local_shopify

REQUESTS_BAR: Final = 10


@dataclass(frozen=True, slots=True)
class Incremental:
    """The first sync and the second: what they took, and the operations the second asked."""

    orders: int
    first: Cost
    second: Cost
    asked: Counter[str]

    @property
    def requests(self) -> int:
        return self.asked.total()


def measure(orders: int = 100_000) -> Incremental:
    """Read a store whole, then again. Raises CommandFailed."""
    with tempfile.TemporaryDirectory(prefix="brandmind-bench-") as made, local_shopify() as origin:
        folder = Path(made)
        environment = settings_of(folder, origin)
        environment["BRANDMIND_DATABASE_URL"] = f"sqlite:///{folder / 'incremental.db'}"
        shop = MadeShop(origin, "unchanged", orders=orders)
        log = folder / "last.log"
        shop.connect(log=log, environment=environment)
        first = shop.sync(log=log, environment=environment)
        httpx.delete(f"{origin}/__log/{shop.domain}", timeout=60).raise_for_status()
        second = shop.sync(log=log, environment=environment)
        told = httpx.get(f"{origin}/__log/{shop.domain}", timeout=60).raise_for_status().json()
        asked = Counter(str(one["operation"]) for one in told["requests"])
        return Incremental(orders, first, second, asked)


def lines(found: Incremental) -> list[str]:
    """What was found, as lines with its bar."""
    asked = ", ".join(f"{name} {times}" for name, times in sorted(found.asked.items()))
    return [
        f"A second sync of an unchanged store of {found.orders:,} orders",
        f"  the first took {found.first.wall_s:.0f} s, the second {found.second.wall_s:.1f} s",
        f"  requests: {found.requests} (at most {REQUESTS_BAR}: bar "
        f"{'met' if found.requests <= REQUESTS_BAR else 'not met'}): {asked}",
    ]
