"""What tests stand on: databases, Redis, ports, a browser; each ends with the test run.

A part that this machine lacks skips its tests and is named at the end; REQUIRE_ALL=1 makes every
such skip a failure (tests marked needs_shared are exempt, and named).
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

# Before anything of ours is imported: a developer's own settings must not steer the tests.
_TEST_ONLY = {"BRANDMIND_SHARED", "BRANDMIND_CHROMIUM"}
for _name in [n for n in os.environ if n.startswith("BRANDMIND_") and n not in _TEST_ONLY]:
    del os.environ[_name]
os.environ["BRANDMIND_ENV_FILE"] = os.devnull

# A shell has what runs in its background ignore Ctrl-C, and all that is started from there.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

import hypothesis  # noqa: E402
import pytest  # noqa: E402
import redis  # noqa: E402

from brandmind.launch import ports  # noqa: E402
from brandmind.launch.valkey import OLDEST, EmbeddedValkey, packed_binary  # noqa: E402
from tests.contract.local_shopify import local_shopify  # noqa: E402
from tests.postgres_cluster import PostgresCluster, postgres_binaries  # noqa: E402

# How long an example takes says how busy the machine is, never whether a property holds.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")

ROOT = Path(__file__).resolve().parent.parent
REQUIRE_ALL = os.environ.get("REQUIRE_ALL", "") not in {"", "0"}


# Lanes


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--lane",
        choices=["together", "alone"],
        help="only the tests that may run beside others, or only those that may not",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    lane, asked_long = config.option.lane, "long" in (config.option.markexpr or "")

    def is_left_out(item: pytest.Item) -> bool:
        is_alone = item.get_closest_marker("alone") is not None
        if lane and is_alone != (lane == "alone"):
            return True
        return item.get_closest_marker("long") is not None and not asked_long

    left_out = [item for item in items if is_left_out(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not is_left_out(item)]


# Skips


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, None]:
    outcome = yield
    report = outcome.get_result()
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        if item.get_closest_marker("needs_shared"):
            return
        report.outcome = "failed"
        report.longrepr = f"REQUIRE_ALL=1, but this was skipped: {_reason(report)}"


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, None]:
    outcome = yield
    report = outcome.get_result()
    if REQUIRE_ALL and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"REQUIRE_ALL=1, but this file was skipped: {_reason(report)}"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        terminalreporter.section("not tested on this machine")
        for reason, count in Counter(_reason(report) for report in skipped).most_common():
            terminalreporter.line(f"{count:>4}  {reason}")


def _reason(report: Any) -> str:
    said = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return str(said).removeprefix("Skipped: ").strip().splitlines()[-1]


# Places and ports


@pytest.fixture
def free_port() -> int:
    return ports.free_port()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of recorded answers and real data beside the repository."""
    found = Path(os.environ.get("BRANDMIND_SHARED", ROOT.parent / "shared" / "data"))
    if not found.is_dir():
        pytest.skip(f"no shared data at {found} (BRANDMIND_SHARED names another place)")
    return found


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """A Chromium or Chrome for Playwright's `executable_path`."""
    named = os.environ.get("BRANDMIND_CHROMIUM")
    mac = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
    names = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome", mac)
    for name in (named,) if named else names:
        if found := shutil.which(name):
            return found
    pytest.skip("no Chromium or Chrome on this machine")


# Redis


@pytest.fixture(scope="session")
def _valkey() -> Iterator[EmbeddedValkey]:
    with (
        tempfile.TemporaryDirectory(prefix="bm-") as folder,
        EmbeddedValkey(Path(folder), binary=packed_binary()) as server,
    ):
        yield server


@pytest.fixture
def valkey_url(_valkey: EmbeddedValkey) -> str:
    """The embedded Valkey, empty."""
    return _emptied(_valkey)


@pytest.fixture(scope="session")
def _redis_server() -> Iterator[EmbeddedValkey]:
    binary = shutil.which("redis-server")
    if not binary:
        pytest.skip(f"no redis-server {OLDEST[0]}.{OLDEST[1]} or newer on this machine")
    with (
        tempfile.TemporaryDirectory(prefix="bm-") as folder,
        EmbeddedValkey(Path(folder), binary=Path(binary)) as server,
    ):
        yield server


@pytest.fixture
def redis_server_url(_redis_server: EmbeddedValkey) -> str:
    """A real redis-server, empty."""
    return _emptied(_redis_server)


def _emptied(server: EmbeddedValkey) -> str:
    if not server.is_ready():  # a test killed it
        server.start()
    with redis.Redis.from_url(server.url) as client:
        client.flushall()
    return server.url


# Databases


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[PostgresCluster]:
    binaries = postgres_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL on this machine")
    with PostgresCluster(binaries) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def postgres_url(postgres_cluster: PostgresCluster) -> str:
    """The address of an empty database of a private PostgreSQL."""
    return postgres_cluster.create("plain")


@pytest.fixture(scope="session")
def _migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from brandmind.db.migrate import upgrade

    path = tmp_path_factory.mktemp("migrated") / "template.db"
    upgrade(f"sqlite:///{path}")
    # The copies must hold everything: fold the write-ahead log into the file.
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path


@pytest.fixture(scope="session")
def _migrated_postgres(postgres_cluster: PostgresCluster) -> str:
    from brandmind.db.migrate import upgrade

    upgrade(postgres_cluster.create("template_migrated"))
    return "template_migrated"


@pytest.fixture
def sqlite_url(_migrated_sqlite: Path, tmp_path: Path) -> str:
    """A fresh migrated SQLite database."""
    path = tmp_path / "brandmind.db"
    shutil.copyfile(_migrated_sqlite, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_database_url(
    postgres_cluster: PostgresCluster, _migrated_postgres: str
) -> Iterator[str]:
    """A fresh migrated PostgreSQL database."""
    name = postgres_cluster.new_name()
    yield postgres_cluster.create(name, template=_migrated_postgres)
    postgres_cluster.drop(name)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh migrated database: the test runs once on each kind."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_database_url"
    return str(request.getfixturevalue(name))


@pytest.fixture(scope="module")
def shopify() -> Iterator[str]:
    """The address of a local Shopify that the tests of a file share."""
    with local_shopify() as address:
        yield address
