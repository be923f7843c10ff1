"""Start programs, keep them running, and leave none behind."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from brandmind.launch.childlog import ChildLog
from brandmind.launch.lifeline import end_group, tied_to_me

Say = Callable[[str], None]

# A program that ends by itself within this time of its start is in trouble.
_SETTLED_AFTER_S = 5.0
_FIRST_WAIT_S = 0.25
_LONGEST_WAIT_S = 15.0
# Being killed from outside is no fault of the program: it comes back at once.
_KILLED = {-signal.SIGKILL, -signal.SIGTERM}


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One child: what is run, and how to see that it works."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path | None = None
    # Asked again and again after a start, until it says yes.
    is_ready: Callable[[], Awaitable[bool]] | None = None
    ready_within_s: float = 60.0
    # Stopped after the others, as those still need it.
    is_ground: bool = False
    # Its warnings stay in the log file.
    is_quiet: bool = False


@dataclass(slots=True, kw_only=True)
class _Child:
    program: Program
    process: asyncio.subprocess.Process | None = None
    keeper: asyncio.Task[None] | None = None
    started: int = 0
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    quick_ends: deque[float] = field(default_factory=lambda: deque(maxlen=32))


class DidNotStart(Exception):
    """A program could not be brought up."""


class Supervisor:
    """Runs programs until it is told to stop; a program that ends is started again.

    The first death is answered at once; a program that keeps ending by itself waits longer each
    time (to 15 s), and the console says so.
    """

    def __init__(self, *, log_dir: Path, say: Say, as_json: bool = False) -> None:
        self._log_dir = log_dir
        self._as_json = as_json
        self._say = say
        self._children: dict[str, _Child] = {}
        self._stopping = asyncio.Event()
        self._tie = tied_to_me()

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of those running now."""
        return {
            name: child.process.pid
            for name, child in self._children.items()
            if child.process and child.process.returncode is None
        }

    async def start(self, program: Program) -> None:
        """Start and wait until it is ready; from then on it is kept running.

        Raises:
            DidNotStart: it ended, or was not ready in time; with the last line it wrote.
        """
        child = _Child(program=program)
        self._children[program.name] = child
        log = ChildLog(
            program.name,
            self._log_dir,
            say=None if program.is_quiet else self._echo,
            as_json=self._as_json,
        )
        child.keeper = asyncio.create_task(self._keep(child, log), name=program.name)
        ready = asyncio.create_task(child.ready.wait())
        stop = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait(
                {ready, child.keeper, stop},
                timeout=program.ready_within_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if self._stopping.is_set():
                return
            if not child.ready.is_set():
                why = "ended" if child.keeper.done() else "was not ready in time"
                if child.keeper.done() and (error := child.keeper.exception()):
                    raise DidNotStart(f"{program.name}: {error}")
                raise DidNotStart(f"{program.name} {why}. {log.last_words()}")
        finally:
            ready.cancel()
            stop.cancel()

    def _echo(self, line: str) -> None:
        # What a child cries while it is being ended alarms for nothing; the file has it.
        if not self._stopping.is_set():
            self._say(line)

    async def _keep(self, child: _Child, log: ChildLog) -> None:
        program = child.program
        while not self._stopping.is_set():
            began = time.monotonic()
            process = await asyncio.create_subprocess_exec(
                *program.argv,
                env=dict(program.env),
                cwd=program.cwd,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                # A group of its own: Ctrl-C reaches us alone, and we end what it has started.
                start_new_session=True,
                preexec_fn=self._tie,
            )
            child.process = process
            child.started += 1
            reading = asyncio.create_task(log.follow(process.stdout))
            watching = asyncio.create_task(self._watch_ready(child))
            try:
                code = await process.wait()
            finally:
                watching.cancel()
            end_group(process.pid, signal.SIGKILL)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(reading, 0.5)
            if self._stopping.is_set() or not child.ready.is_set():
                # What never worked is for `start` to report, not to try again.
                return
            await self._wait_before_again(child, code, lasted_s=time.monotonic() - began, log=log)

    async def _watch_ready(self, child: _Child) -> None:
        probe = child.program.is_ready
        # Asked, since another process cannot set an event of ours.
        while probe and not await probe():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        if child.started > 1:
            self._say(f"{child.program.name} is back.")
        child.ready.set()

    async def _wait_before_again(
        self, child: _Child, code: int, *, lasted_s: float, log: ChildLog
    ) -> None:
        name = child.program.name
        how = f"was killed (signal {-code})" if code < 0 else f"ended (code {code})"
        if code in _KILLED or lasted_s > _SETTLED_AFTER_S:
            child.quick_ends.clear()
            self._say(f"{name} {how}; starting it again.")
            return
        child.quick_ends.append(time.monotonic())
        times = len(child.quick_ends)
        if times == 1:
            self._say(f"{name} {how}; starting it again. {log.last_words()}")
            return
        wait_s = min(_FIRST_WAIT_S * 2 ** (times - 2), _LONGEST_WAIT_S)
        self._say(
            f"{name} {how}, {times} times now; trying again in {wait_s:g} s. {log.last_words()}"
        )
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), wait_s)

    async def stop(self, *, within_s: float = 2.0, ground_within_s: float = 0.8) -> None:
        """End all children, politely and then not; returns when none is left."""
        self._stopping.set()
        for ground, patience_s in ((False, within_s), (True, ground_within_s)):
            some = [c for c in self._children.values() if c.program.is_ground is ground]
            await self._end(some, within_s=patience_s)

    async def _end(self, children: Sequence[_Child], *, within_s: float) -> None:
        keepers = {c.keeper for c in children if c.keeper and not c.keeper.done()}
        if not keepers:
            return
        for child in children:
            if child.process and child.process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    child.process.terminate()
        _, left = await asyncio.wait(keepers, timeout=within_s)
        if left:
            for child in children:
                if child.keeper in left and child.process:
                    end_group(child.process.pid, signal.SIGKILL)
            await asyncio.wait(left, timeout=2)
