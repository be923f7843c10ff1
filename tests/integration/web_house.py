"""A real web process on a database full of Alice's secrets, its log, and who knocks at it."""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brandmind.launch import ports
from tests.identity_world import APP_ID, APP_SECRET, open_world
from tests.integration.stranger_world import Neighbourhood

ROOT = Path(__file__).resolve().parents[2]
KEY = base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
# Touched by whoever looks; everything else stays as it is unless somebody acts.
_MOVES_BY_ITSELF = {"session": {"seen_at", "last_store_id"}}


@dataclass
class WebHouse:
    """What a test needs of it. Cookies are whole headers: `bm_session=…`."""

    port: int
    process: subprocess.Popen[bytes]
    database: Path
    log: Path
    store_id: str
    secrets: set[str]
    cookies: dict[str, str | None]

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.port}"

    def everything(self) -> dict[str, list[str]]:
        """Every row of every table."""
        found: dict[str, list[str]] = {}
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            for (name,) in [tuple(row) for row in tables]:
                left_out = _MOVES_BY_ITSELF.get(name, set())
                found[name] = sorted(
                    repr([(key, row[key]) for key in row.keys() if key not in left_out])  # noqa: SIM118
                    for row in connection.execute(f"SELECT * FROM {name}")
                )
        return found

    def said(self) -> str:
        """All it has logged so far."""
        return self.log.read_text(errors="replace")

    def resident_kb(self) -> int:
        """How much memory it holds."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])


@contextmanager
def web_house(folder: Path, template: Path, *, redis_url: str, **told: str) -> Iterator[WebHouse]:
    """Settles the neighbourhood in a copy of the template and serves it on a free port."""
    database = folder / "brandmind.db"
    shutil.copyfile(template, database)
    port = ports.free_port()
    public = f"http://localhost:{port}"
    facts: dict[str, Any] = asyncio.run(_settled(f"sqlite:///{database}", public))
    environment = os.environ | {
        "BRANDMIND_DATA_DIR": str(folder),
        "BRANDMIND_DATABASE_URL": f"sqlite:///{database}",
        "BRANDMIND_REDIS_URL": redis_url,
        "BRANDMIND_PORT": str(port),
        "BRANDMIND_PUBLIC_URL": public,
        "BRANDMIND_SHOPIFY_ORIGIN": "http://shopify.invalid/{shop}",
        "BRANDMIND_SHOPIFY_CLIENT_ID": APP_ID,
        "BRANDMIND_SHOPIFY_CLIENT_SECRET": APP_SECRET,
        "BRANDMIND_ENCRYPTION_KEYS": f"k1:{KEY}",
        "PYTHONUNBUFFERED": "1",
        **told,
    }
    log = folder / "web.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.open_web"],
            cwd=ROOT,
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    house = WebHouse(port, process, database, log, **facts)
    try:
        _wait_for(house)
        yield house
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        process.wait()


async def _settled(database_url: str, public: str) -> dict[str, Any]:
    async with open_world(database_url, public_url=public) as world:
        made = Neighbourhood(world)
        await made.settle()
        facts = {
            "store_id": made.store_id,
            "secrets": made.secrets(),
            "cookies": {who: made.cookie_of(who) for who in ("alice", "bob", "charlie", "nobody")},
        }
        await made.leave()
    return facts


def _wait_for(house: WebHouse) -> None:
    ends_at = time.monotonic() + 120
    while True:
        assert house.process.poll() is None, house.said()
        with suppress(OSError), urllib.request.urlopen(f"{house.origin}/ping", timeout=5):
            return
        assert time.monotonic() < ends_at, house.said()
        time.sleep(0.05)
