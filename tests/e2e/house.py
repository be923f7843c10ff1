"""The whole house for the stories: started as a person starts it, with its shops to play with."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

from brandmind.launch import frontend

T = TypeVar("T")

# Further than a story leaps, and nearer than a plan that is taken for a mistake (two days).
_NEXT_NIGHT_S = 40 * 3600


def until(found: Callable[[], T], *, what: str, within_s: float = 60) -> T:
    """The first answer that holds; fails with `what` was waited for."""
    ends_at = time.monotonic() + within_s
    while True:
        answer = found()
        if answer:
            return answer
        assert time.monotonic() < ends_at, f"waited {within_s:.0f} s for {what}"
        time.sleep(0.05)


class House:
    """`brandmind demo` in a data folder of its own, its console and its database."""

    def __init__(self, data: Path, *, port: int) -> None:
        self.data = data
        self._console = data / "console.txt"
        self._clock = data / "clock"
        self._clock.write_text("0")
        told = {
            "BRANDMIND_DATA_DIR": str(data),
            "BRANDMIND_CLOCK_FILE": str(self._clock),
            "PYTHONUNBUFFERED": "1",
        }
        # A file and no pipe: nobody has to read along for the house to go on talking.
        with self._console.open("w") as console:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "brandmind", "demo", "--port", str(port)],
                cwd=frontend.HOME,
                env=os.environ | told,
                stdout=console,
                stderr=subprocess.STDOUT,
            )
        try:
            until(self._is_up, what="the house", within_s=120)
        except BaseException:
            self.close()
            raise
        self.url = self._said(r"BrandMind is ready: +(http\S+)")
        self.simulator = self._said(r"A local Shopify: +(http\S+)")

    def _is_up(self) -> bool:
        assert self._process.poll() is None, self.console()
        return "Ctrl-C stops everything" in self.console()

    def _said(self, words: str) -> str:
        found = re.search(words, self.console())
        assert found, self.console()
        return found[1]

    def console(self) -> str:
        """What it has printed so far."""
        return self._console.read_text()

    def move_clock(self, seconds: float) -> None:
        """How far the clock of all its processes is ahead; the simulated shops keep theirs.

        The nightly reading of every store is put off first: wherever in the world it is night
        during that leap, these stories go on with the numbers they have.
        """
        tomorrow_ms = int((time.time() + _NEXT_NIGHT_S) * 1000)
        with sqlite3.connect(self.data / "brandmind.db", timeout=10) as connection:
            connection.execute(
                "UPDATE store SET next_sync_at = ?, nightly_at = ?", [tomorrow_ms] * 2
            )
        connection.close()
        self._clock.write_text(str(seconds))

    def children(self, part: str) -> list[int]:
        """Ids of its processes whose command line holds `part`."""
        pid = self._process.pid
        pids = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [
            int(child)
            for child in pids
            if part in Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ")
        ]

    def rows(self, statement: str, *values: object) -> list[Any]:
        """Rows of its database, read only."""
        address = f"file:{self.data / 'brandmind.db'}?mode=ro"
        connection = sqlite3.connect(address, uri=True, timeout=10)
        try:
            return connection.execute(statement, values).fetchall()
        finally:
            connection.close()

    def shop(self, name: str, **make_up: Any) -> Shop:
        """A shop of the simulator, made anew with these sizes and limits."""
        return Shop(self, f"{name}.myshopify.com", make_up)

    def close(self) -> None:
        """Stops all of it, and makes sure."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(30)
        finally:
            # The children watch their parent and go with it.
            self._process.kill()
            self._process.wait()


class Shop:
    """One simulated shop: what it is told to do, what is true of it, what we kept of it."""

    def __init__(self, house: House, domain: str, make_up: dict[str, Any]) -> None:
        self._house = house
        self.domain = domain
        self.is_gated = False
        self.control("config", make_up)

    def control(self, what: str, sent: dict[str, Any] | None = None, *, method: str = "") -> Any:
        """Asks a control route; POSTs what is sent."""
        body = None if sent is None else json.dumps(sent).encode()
        return self._ask(f"/__control/{self.domain}/{what}", body, method=method)

    def _ask(self, path: str, body: bytes | None = None, *, method: str = "") -> Any:
        request = urllib.request.Request(self._house.simulator + path, data=body)
        if method:
            request.method = method
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def hold(self, *, after: int = 0) -> None:
        """From the next request but `after` on, no answer leaves the shop."""
        self.control("gate", {"after_requests": after})

    def held(self) -> None:
        """Waits until somebody waits for an answer."""
        until(lambda: self.control("gate")["waiting"], what=f"a held request of {self.domain}")

    def let_go(self) -> None:
        """Answers whatever waits, and from now on."""
        self.control("gate", method="DELETE")

    def step(self, requests: int = 1) -> None:
        """Answers whatever waits and a few more, then holds again."""
        self.let_go()
        self.hold(after=requests - 1)

    def fail(self, kind: str, **settings: Any) -> None:
        """Sets a fault."""
        self.control("faults", {"kind": kind, **settings})

    def truth(self, **days: str) -> dict[str, Any]:
        """The simulator's own books."""
        found: dict[str, Any] = self._ask(f"/__truth/{self.domain}?{urlencode(days)}")
        return found

    @property
    def store_id(self) -> str:
        found = self._house.rows("SELECT store_id FROM store WHERE domain = ?", self.domain)
        return str(found[0][0]) if found else ""

    def kept(self) -> dict[str, int]:
        """How many records of the shop are stored."""
        return {
            name: self._house.rows(f"SELECT count(*) FROM {table} WHERE store_id = ?", store)[0][0]
            for store in (self.store_id,)
            for name, table in {
                "orders": "shop_order",
                "lines": "order_line",
                "refunds": "order_refund",
                "customers": "customer",
                "products": "product",
                "variants": "variant",
            }.items()
        }

    def is_whole(self) -> bool:
        """Whether its newest sync and all older orders are done."""
        runs = self._house.rows(
            "SELECT kind, status FROM sync_run WHERE store_id = ?", self.store_id
        )
        return {("full", "done"), ("historical", "done")} <= set(runs) and all(
            status == "done" for _, status in runs
        )
