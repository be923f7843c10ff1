"""How fast a store is read, beside a bare program that writes the same bytes to the same tables."""

from __future__ import annotations

import base64
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

import httpx
import orjson

from bench import measured
from bench.ceiling import TABLES
from bench.measured import Cost
from bench.served import SHOP

# dlt 1.31 extracting the same load to files on two cores, the fastest of the engines measured.
BEST_ENGINE: Final = 5_031
RATIO_BAR: Final = 0.5
PEAK_BAR_MB: Final = 150.0
SPEED_AIM: Final = 4_000
_ENDPOINT: Final = f"/{SHOP}/admin/api/2026-10/graphql.json"


@dataclass(frozen=True, slots=True)
class Sizes:
    """What the shop holds."""

    orders: int
    customers: int
    products: int

    @property
    def records(self) -> int:
        """Records as the peers count them: a product with its variants is one."""
        return self.orders + self.customers + self.products


@dataclass(slots=True)
class Reading:
    """The costs of all rounds, the rows both roads filled, and the bytes they read."""

    sizes: Sizes
    rows: int
    bytes: int
    requests: int
    ours: list[Cost] = field(default_factory=list)
    ceiling: list[Cost] = field(default_factory=list)
    download: list[Cost] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """Our rows per second over the ceiling's, medians of the rounds."""
        return median_s(self.ceiling) / median_s(self.ours)

    @property
    def cpu_ratio(self) -> float:
        """The same by CPU seconds: it says what the work costs where other work disturbs."""
        return median(c.cpu_s for c in self.ceiling) / median(c.cpu_s for c in self.ours)

    @property
    def peak_mb(self) -> float:
        """The highest of the rounds."""
        return max(cost.peak_mb for cost in self.ours)


def median_s(costs: list[Cost]) -> float:
    """The median wall time of some runs, in seconds."""
    return median(cost.wall_s for cost in costs)


def read(sizes: Sizes, *, rounds: int, folder: Path | None = None) -> Reading:
    """Measure `rounds` rounds of download, ceiling and ours, one after the other.

    Raises CommandFailed, AssertionError if the two roads filled different rows or the server had
    to render while it was measured.
    """
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        return _read(sizes, rounds, folder)
    with tempfile.TemporaryDirectory(prefix="brandmind-bench-") as made:
        return _read(sizes, rounds, Path(made))


def _read(sizes: Sizes, rounds: int, folder: Path) -> Reading:
    with serving(sizes) as origin:
        # Pages on every road: the server of answers knows no exports.
        environment = settings_of(folder, origin) | {"BRANDMIND_READ_BY": "paged"}
        seed = folder / "seed.db"
        log = folder / "last.log"
        for name in ("seed.db", "seed.db-wal", "seed.db-shm"):
            (folder / name).unlink(missing_ok=True)
        environment["BRANDMIND_DATABASE_URL"] = f"sqlite:///{seed}"
        measured.run("brandmind", ["migrate"], log=log, environment=environment)
        measured.run(
            "brandmind",
            ["stores", "connect", SHOP, "--token-stdin"],
            log=log,
            environment=environment,
            told="shpat_of_the_benchmark",
        )
        with closing(sqlite3.connect(seed)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

        def sync() -> Cost:
            mine = _copy(seed, folder / "ours.db")
            environment["BRANDMIND_DATABASE_URL"] = f"sqlite:///{mine}"
            return measured.run(
                "brandmind", ["sync", SHOP, "--inline"], log=log, environment=environment
            )

        sync()
        told = httpx.get(origin, timeout=60).raise_for_status()
        known = orjson.loads(told.content)
        questions = folder / "questions.json"
        questions.write_bytes(orjson.dumps(known["questions"]))
        address = [f"{origin}{_ENDPOINT}", str(questions)]
        found = counts(folder / "ours.db")
        result = Reading(
            sizes, rows=sum(found.values()), bytes=known["bytes"], requests=len(known["questions"])
        )
        bare = _copy(seed, folder / "ceiling.db")
        measured.run("bench.ceiling", [*address, str(bare)], log=log, environment=environment)
        for _ in range(rounds):
            result.download.append(
                measured.run(
                    "bench.ceiling",
                    [*address, str(bare), "--download-only"],
                    log=log,
                    environment=environment,
                )
            )
            _copy(seed, bare)
            result.ceiling.append(
                measured.run(
                    "bench.ceiling", [*address, str(bare)], log=log, environment=environment
                )
            )
            result.ours.append(sync())
            here, there = counts(folder / "ours.db"), counts(bare)
            assert here == there, f"different rows: {here} and {there}"
        again = orjson.loads(httpx.get(origin, timeout=60).content)
        assert again["rendered"] == known["rendered"], "a question had not been asked before"
        return result


def counts(database: Path) -> dict[str, int]:
    """Rows by table."""
    with closing(sqlite3.connect(database)) as connection:
        return {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in TABLES
        }


@contextmanager
def serving(sizes: Sizes) -> Iterator[str]:
    """The server of answers as a process of its own; its address."""
    sizes_told = (f"--{name}={getattr(sizes, name)}" for name in sizes.__slots__)
    command = [sys.executable, "-m", "bench.served", *sizes_told]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            origin = server.stdout.readline().strip()
            if not origin:
                raise measured.CommandFailed("the server of answers did not start")
            yield origin
        finally:
            server.kill()


def settings_of(folder: Path, origin: str) -> dict[str, str]:
    """The environment of commands that work in a folder with a Shopify at an address."""
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    plain = folder / "plain"
    plain.mkdir(exist_ok=True)
    # The optional extra [predict], which the tests need, is not part of a plain installation.
    (plain / "sitecustomize.py").write_text("import sys\n\nsys.modules['scipy'] = None\n")
    return {
        "PYTHONPATH": str(plain),
        "BRANDMIND_DATA_DIR": str(folder),
        "BRANDMIND_ENCRYPTION_KEYS": f"bench:{key}",
        "BRANDMIND_SHOPIFY_ORIGIN": f"{origin}/{{shop}}",
        "BRANDMIND_ENV_FILE": "/dev/null",
        # As installed: compiled once, by the round that is not measured.
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(folder / "compiled"),
    }


def _copy(seed: Path, to: Path) -> Path:
    for name in (to.name, f"{to.name}-wal", f"{to.name}-shm"):
        to.with_name(name).unlink(missing_ok=True)
    shutil.copy(seed, to)
    return to
