"""Armed workers, forked from one process that has loaded everything."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from brandmind.launch.lifeline import tied_to_me
from brandmind.settings import Settings
from tests.faults.ground import ROOT, until, worker_environment

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Done:
    """An order that was carried out: by which process, when (seconds of the epoch)."""

    pid: int
    at: float


class Commands:
    """The one order that the armed workers of a data folder are under."""

    def __init__(self, data: Path) -> None:
        self.folder = data / "orders"
        self.folder.mkdir(exist_ok=True)

    def give(self, point: str, *, nth: int = 1, by: signal.Signals = signal.SIGKILL) -> int:
        """Whoever passes a point the nth time from now on is signalled; the order's number."""
        number = next(_numbers)
        told = {"id": str(number), "point": point, "nth": nth, "signal": by.name}
        draft = self.folder / "draft"
        draft.write_text(json.dumps(told))
        draft.rename(self.folder / "order")
        return number

    def take_back(self) -> None:
        """Forget an order that was not carried out."""
        with contextlib.suppress(FileNotFoundError):
            (self.folder / "order").unlink()

    def done(self, number: int) -> Done | None:
        """Who carried an order out; None if nobody did."""
        try:
            found = json.loads((self.folder / f"done-{number}").read_text())
        except FileNotFoundError:
            return None
        return Done(found["pid"], found["at"])


class ArmedWorker:
    """A real worker process that can be told to end at a named point of its work."""

    def __init__(self, nursery: Nursery, pid: int, *, console: Path) -> None:
        self.pid = pid
        self.code: int | None = None
        self.gone = asyncio.Event()
        self._nursery = nursery
        self._console = console

    @property
    def console(self) -> str:
        return self._console.read_text(errors="replace") if self._console.exists() else ""

    @property
    def is_alive(self) -> bool:
        return not self.gone.is_set()

    async def ready(self) -> None:
        await until(lambda: "worker ready" in self.console or not self.is_alive)
        assert self.is_alive, self.console

    def send(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    async def ended(self, *, within_s: float) -> int:
        """Wait for its end; the exit code, negative for a signal."""
        async with asyncio.timeout(within_s):
            await self.gone.wait()
        assert self.code is not None
        return self.code

    def end(self) -> None:
        """Gone without leave; nothing to do if it is gone already."""
        if self.is_alive:
            self.send(signal.SIGKILL)


class Nursery:
    """The process that forks armed workers; they end with it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._born: dict[int, asyncio.Future[int]] = {}
        self._workers: dict[int, ArmedWorker] = {}
        self._early: dict[int, int] = {}
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def open(cls) -> Nursery:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.faults.armed", "--nursery"),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            preexec_fn=tied_to_me(by=signal.SIGKILL),
        )
        assert process.stdout
        assert json.loads(await process.stdout.readline())["ready"]
        return cls(process)

    async def worker(
        self,
        settings: Settings,
        *,
        page_size: int | None = None,
        more: dict[str, str] | None = None,
    ) -> ArmedWorker:
        """A worker with these settings, not yet ready."""
        number = next(_numbers)
        orders = Commands(settings.data_dir).folder
        environment = worker_environment(settings) | {"FAULTS_ORDERS": str(orders)} | (more or {})
        if page_size is not None:
            environment["FAULTS_PAGE_SIZE"] = str(page_size)
        console = settings.data_dir / f"armed-{number}.log"
        born: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._born[number] = born
        line: dict[str, Any] = {"id": number, "env": environment, "console": str(console)}
        assert self._process.stdin
        self._process.stdin.write(json.dumps(line).encode() + b"\n")
        await self._process.stdin.drain()
        pid = await born
        worker = self._workers[pid] = ArmedWorker(self, pid, console=console)
        if pid in self._early:
            self._is_gone(pid, self._early.pop(pid))
        return worker

    async def _read(self) -> None:
        assert self._process.stdout
        async for line in self._process.stdout:
            said = json.loads(line)
            if "gone" in said:
                self._is_gone(said["gone"], said["code"])
            else:
                self._born.pop(said["id"]).set_result(said["pid"])

    def _is_gone(self, pid: int, code: int) -> None:
        worker = self._workers.pop(pid, None)
        if worker is None:
            self._early[pid] = code
            return
        worker.code = code
        worker.gone.set()

    async def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
