"""`brandmind demo` as a person starts it: launcher, two workers, web and a local Shopify."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from brandmind.launch.ports import free_port
from tests.faults.ground import ROOT, until

# `brandmind demo`, but for the port of the local Shopify: two test runs that start at the same
# moment would both find the usual one free.
_DEMO = """
import os
from brandmind import cli
from brandmind.launch import house
house.SIMULATOR_PORT = int(os.environ["LOCAL_SHOPIFY_PORT"])
cli.main()
"""


class House:
    """One launch in a data folder of its own, its console kept in a file."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self._console = data.parent / f"{data.name}.log"
        with self._console.open("ab") as console:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _DEMO, "demo", "--port", str(free_port())],
                cwd=ROOT,
                env=os.environ
                | {
                    "BRANDMIND_DATA_DIR": str(data),
                    "PYTHONUNBUFFERED": "1",
                    "LOCAL_SHOPIFY_PORT": str(free_port()),
                },
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
            )

    @property
    def console(self) -> str:
        return self._console.read_text(errors="replace")

    @property
    def is_up(self) -> bool:
        return self._process.poll() is None

    async def ready(self) -> None:
        await until(lambda: "Ctrl-C stops everything" in self.console or not self.is_up)
        assert self.is_up, self.console

    @property
    def shopify(self) -> str:
        found = re.search(r"A local Shopify: +(http\S+)", self.console)
        assert found, self.console
        return found[1]

    @property
    def workers(self) -> set[int]:
        """The worker processes that live now."""
        pid = self._process.pid
        found = set()
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            command = Path(f"/proc/{child}/cmdline").read_text().split("\0")
            if command[1:3] == ["-m", "worker"]:
                found.add(int(child))
        return found

    @property
    def ready_workers(self) -> int:
        """How often a worker has come up so far."""
        logs = (self.data / "logs").glob("worker-*.log*")
        return sum(log.read_text(errors="replace").count("worker ready") for log in logs)

    def end(self) -> None:
        """Stop as Ctrl-C does."""
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def is_dead(pid: int) -> bool:
    """Whether a process runs no more, buried or not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state in ("Z", "X")
