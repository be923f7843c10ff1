"""The launcher as a person starts it: two workers, the web, Valkey and perhaps a local Shopify."""

from __future__ import annotations

import contextlib
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
    """One launch in a data folder, its console kept in a file.

    `brandmind demo`, or `brandmind up` with a Shopify at `shopify` that outlives it.
    """

    def __init__(
        self, data: Path, *, shopify: str = "", more: dict[str, str] | None = None
    ) -> None:
        self.data = data
        self._console = data.parent / f"{data.name}-{free_port()}.log"
        environment = os.environ | {"BRANDMIND_DATA_DIR": str(data), "PYTHONUNBUFFERED": "1"}
        environment |= more or {}
        if shopify:
            environment["BRANDMIND_SHOPIFY_ORIGIN"] = f"{shopify}/{{shop}}"
            command = ["-m", "brandmind", "up"]
        else:
            environment["LOCAL_SHOPIFY_PORT"] = str(free_port())
            command = ["-c", _DEMO, "demo"]
        with self._console.open("wb") as console:
            self._process = subprocess.Popen(
                [sys.executable, *command, "--port", str(free_port())],
                cwd=ROOT,
                env=environment,
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
    def children(self) -> dict[int, list[str]]:
        """All processes of the house that live now, with their command lines."""
        pid = self._process.pid
        found = {}
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            with contextlib.suppress(OSError):
                found[int(child)] = Path(f"/proc/{child}/cmdline").read_text().split("\0")
        return found

    @property
    def workers(self) -> set[int]:
        """The worker processes that live now."""
        return {pid for pid, line in self.children.items() if line[1:3] == ["-m", "worker"]}

    def kill(self) -> None:
        """End every process of it at once, as a power cut would."""
        for pid in (self._process.pid, *self.children):
            os.kill(pid, signal.SIGKILL)
        self._process.wait()

    @property
    def ready_workers(self) -> int:
        """How often a worker has come up so far."""
        logs = (self.data / "logs").glob("worker-*.log*")
        return sum(log.read_text(errors="replace").count("worker ready") for log in logs)

    def end(self) -> None:
        """Stop as Ctrl-C does; nothing to do if it is gone."""
        if self._process.poll() is not None:
            return
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
