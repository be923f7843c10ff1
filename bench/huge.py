"""`python -m bench.huge`: stores from empty to a million orders, each read whole.

Each is a fresh process of `brandmind sync --inline`. Its peak is its own; that of the portrait of a
great store, which is made in a process that it starts, stands beside it.
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.measured import Cost
from bench.reading import settings_of
from bench.shops import MadeShop, local_shopify

MEMORY_BAR: Final = 1.20
TIME_BAR: Final = 1.25
# Products and orders.
SMALL: Final = ((0, 0), (10, 50), (100, 1_000), (1_000, 12_000))
_PRODUCTS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Read:
    """A store read whole: what it took, and the size of its database in megabytes (10^6)."""

    shop: MadeShop
    cost: Cost
    stored: int
    database_mb: float

    @property
    def cpu_us(self) -> float:
        """Microseconds of CPU a record."""
        return self.cost.cpu_s / max(self.shop.records, 1) * 1e6

    @property
    def wall_us(self) -> float:
        """Microseconds on the clock a record."""
        return self.cost.wall_s / max(self.shop.records, 1) * 1e6


def measure(sizes: Sequence[tuple[int, int]], *, folder: Path | None = None) -> Iterator[Read]:
    """Read stores of these products and orders one after the other.

    Raises CommandFailed, also for a store that did not become whole, and AssertionError for one
    that lacks a record.
    """
    with tempfile.TemporaryDirectory(prefix="brandmind-bench-", dir=folder) as made:
        for products, orders in sizes:
            # A new one each time: what it made for one shop is not to slow the next.
            with local_shopify() as origin:
                yield _read(Path(made), origin, products=products, orders=orders)


def _read(folder: Path, origin: str, *, products: int, orders: int) -> Read:
    shop = MadeShop(origin, f"store-of-{orders}", orders=orders, products=products)
    database, log = folder / f"{orders}.db", folder / "last.log"
    environment = settings_of(folder, origin)
    environment["BRANDMIND_DATABASE_URL"] = f"sqlite:///{database}"
    shop.connect(log=log, environment=environment)
    cost = shop.sync(log=log, environment=environment)
    with closing(sqlite3.connect(database)) as connection:
        counted = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("shop_order", "product", "customer")
        }
    wanted = {"shop_order": shop.orders, "product": shop.products, "customer": shop.customers}
    assert counted == wanted, f"stored {counted}, the shop has {wanted}"
    size_mb = database.stat().st_size / 1e6
    for name in (database.name, f"{database.name}-wal", f"{database.name}-shm"):
        database.with_name(name).unlink(missing_ok=True)
    return Read(shop, cost, sum(counted.values()), size_mb)


HEAD: Final = (
    f"{'products':>9}{'orders':>11}{'customers':>11}{'seconds':>9}{'CPU s':>8}{'peak MB':>9}"
    f"{'portrait MB':>13}{'CPU µs/record':>15}{'µs/record':>11}{'database MB':>13}"
)


def line(read: Read) -> str:
    """One store as a line of the table."""
    shop, cost = read.shop, read.cost
    return (
        f"{shop.products:>9,}{shop.orders:>11,}{shop.customers:>11,}{cost.wall_s:>9.1f}"
        f"{cost.cpu_s:>8.1f}{cost.peak_mb:>9.0f}{cost.largest_mb:>13.0f}"
        f"{read.cpu_us:>15,.0f}{read.wall_us:>11,.0f}{read.database_mb:>13,.0f}"
    )


def bars(large: Read, huge: Read) -> list[str]:
    """The huge store beside the large one."""
    memory = huge.cost.peak_mb / large.cost.peak_mb
    cpu, wall = huge.cpu_us / large.cpu_us, huge.wall_us / large.wall_us
    return [
        f"memory of the huge store over the large one: {memory:.2f} (at most {MEMORY_BAR}): bar "
        f"{'met' if memory <= MEMORY_BAR else 'not met'}",
        f"time a record: {wall:.2f} on the clock, {cpu:.2f} of CPU (at most {TIME_BAR}): bar "
        f"{'met' if wall <= TIME_BAR else 'not met'}",
    ]


def main() -> None:
    """Print a line for each store as it is read, then the bars."""
    parser = argparse.ArgumentParser(prog="python -m bench.huge", description=__doc__)
    parser.add_argument("--large", type=int, default=100_000)
    parser.add_argument("--huge", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where the databases go for the time")
    chosen = parser.parse_args()
    print(HEAD, flush=True)
    found = []
    sizes = (*SMALL, (_PRODUCTS, chosen.large), (_PRODUCTS, chosen.huge))
    for read in measure(sizes, folder=chosen.folder):
        found.append(read)
        print(line(read), flush=True)
    print("\n".join(bars(found[-2], found[-1])))


if __name__ == "__main__":
    main()
