"""The supervisor: what dies comes back, what crash-loops is slowed, nothing is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from brandmind.launch.supervisor import DidNotStart, Program, Supervisor
from brandmind.logs import redact

ROOT = Path(__file__).resolve().parents[2]

# A child that reports its pid to the test, then does what it was given.
CHILD = """
import os, signal, socket, subprocess, sys, time
line = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
line.sendall(f"{os.getpid()}\\n".encode())
"""


class Reports:
    """Hears each child that starts: its pid, and the moment its life ends."""

    def __init__(self) -> None:
        self.pids: asyncio.Queue[int] = asyncio.Queue()
        self.ended: dict[int, asyncio.Event] = {}
        self.port = 0

    async def hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pid = int(await reader.readline())
        self.ended[pid] = asyncio.Event()
        self.pids.put_nowait(pid)
        with contextlib.suppress(ConnectionError):
            await reader.read()
        self.ended[pid].set()
        writer.close()

    async def next_pid(self) -> int:
        return await asyncio.wait_for(self.pids.get(), 20)

    async def wait_for_the_end_of(self, pid: int) -> None:
        await asyncio.wait_for(self.ended[pid].wait(), 20)


@pytest.fixture
async def reports() -> AsyncIterator[Reports]:
    heard = Reports()
    server = await asyncio.start_server(heard.hear, "127.0.0.1", 0)
    heard.port = server.sockets[0].getsockname()[1]
    yield heard
    server.close()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
async def supervisor(tmp_path: Path, said: list[str]) -> AsyncIterator[Supervisor]:
    made = Supervisor(log_dir=tmp_path / "logs", say=said.append)
    yield made
    await made.stop(within_s=0.2, ground_within_s=0.2)


def child(
    reports: Reports,
    then: str = "time.sleep(600)",
    *,
    name: str = "child",
    is_ready: Callable[[], Awaitable[bool]] | None = None,
    ready_within_s: float = 20,
) -> Program:
    return Program(
        name=name,
        argv=[sys.executable, "-S", "-c", CHILD + then, str(reports.port)],
        env=os.environ,
        is_ready=is_ready,
        ready_within_s=ready_within_s,
    )


async def test_a_child_that_is_killed_is_started_again(
    supervisor: Supervisor, reports: Reports, said: list[str]
) -> None:
    await supervisor.start(child(reports))
    first = await reports.next_pid()
    os.kill(first, signal.SIGKILL)
    second = await reports.next_pid()
    assert second != first
    assert supervisor.pids == {"child": second}
    assert said[0] == "child was killed (signal 9); starting it again."


async def test_ten_kills_in_a_row_are_each_answered_at_once(
    supervisor: Supervisor, reports: Reports, said: list[str]
) -> None:
    await supervisor.start(child(reports))
    for _ in range(10):
        os.kill(await reports.next_pid(), signal.SIGKILL)
    await reports.next_pid()
    assert not [line for line in said if "trying again in" in line]


async def test_a_child_that_keeps_ending_is_slowed_down_and_the_console_says_so(
    supervisor: Supervisor, reports: Reports, said: list[str]
) -> None:
    await supervisor.start(child(reports, "print('no such table', flush=True); sys.exit(3)"))
    for _ in range(4):
        await reports.next_pid()
    waits = [line for line in said if "trying again in" in line]
    assert "child ended (code 3), 2 times now; trying again in 0.25 s." in waits[0]
    assert "child ended (code 3), 3 times now; trying again in 0.5 s." in waits[1]
    assert "no such table" in waits[0]


async def test_a_child_that_never_works_is_reported_with_its_last_words(
    supervisor: Supervisor, reports: Reports
) -> None:
    async def never() -> bool:
        return False

    program = child(reports, "print('the port is gone'); sys.exit(1)", is_ready=never)
    with pytest.raises(DidNotStart, match=r"child ended.*the port is gone"):
        await supervisor.start(program)


async def test_a_program_that_does_not_exist_is_reported(supervisor: Supervisor) -> None:
    program = Program(name="ghost", argv=["/no/such/program"], env={})
    with pytest.raises(DidNotStart, match="ghost"):
        await supervisor.start(program)


async def test_stopping_ends_even_a_child_that_will_not_and_what_it_started(
    supervisor: Supervisor, reports: Reports
) -> None:
    stubborn = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    grandchild = "subprocess.Popen([sys.executable, '-S', '-c', sys.argv[2], sys.argv[1], ''])\n"
    program = child(reports, stubborn + grandchild + "time.sleep(600)")
    ignoring = CHILD + stubborn + "time.sleep(600)"
    program = Program(name="child", argv=[*program.argv, ignoring], env=os.environ)
    await supervisor.start(program)
    pids = [await reports.next_pid(), await reports.next_pid()]
    await supervisor.stop(within_s=0.2)
    for pid in pids:
        await reports.wait_for_the_end_of(pid)
    assert supervisor.pids == {}


async def test_stopping_while_a_child_waits_for_its_next_try_does_not_wait(
    supervisor: Supervisor, reports: Reports, said: list[str]
) -> None:
    await supervisor.start(child(reports, "sys.exit(3)"))
    while not any("trying again" in line for line in said):
        await reports.next_pid()
    await asyncio.wait_for(supervisor.stop(), 5)
    assert supervisor.pids == {}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's tie is Linux's")
async def test_children_die_with_a_launcher_that_is_killed(
    reports: Reports, tmp_path: Path
) -> None:
    launcher = f"""
import asyncio, os, pathlib, sys
from brandmind.launch.supervisor import Program, Supervisor
async def main():
    supervisor = Supervisor(log_dir=pathlib.Path({str(tmp_path)!r}), say=print)
    argv = [sys.executable, "-S", "-c", {CHILD + "time.sleep(600)"!r}, "{reports.port}"]
    await supervisor.start(Program(name="child", argv=argv, env=os.environ))
    await asyncio.sleep(600)
asyncio.run(main())
"""
    process = subprocess.Popen([sys.executable, "-c", launcher], cwd=ROOT)
    pid = await reports.next_pid()
    process.kill()
    process.wait()
    await reports.wait_for_the_end_of(pid)


async def test_what_a_child_says_is_kept_and_its_warnings_are_echoed(
    supervisor: Supervisor, reports: Reports, said: list[str], tmp_path: Path
) -> None:
    words = "print('all is well'); print('WARNING redis is slow, token shpat_abc123'); "
    await supervisor.start(child(reports, words + "sys.stdout.flush(); sys.exit(3)"))
    await reports.next_pid()
    await reports.next_pid()  # begun anew: the first one's words are all read
    log = (tmp_path / "logs" / "child.log").read_text()
    assert "all is well" in log
    assert "[child] WARNING redis is slow, token shpat_[redacted]" in said
    assert "all is well" not in "\n".join(said).replace("Its last words", "")
    assert "shpat_abc123" not in log


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("X-Shopify-Access-Token: shpua_0aF9", "X-Shopify-Access-Token: [redacted]"),
        ("Authorization: Bearer abc.def", "Authorization: [redacted]"),
        ("redis://:pw@127.0.0.1:1/0 is down", "redis://[redacted]@127.0.0.1:1/0 is down"),
        ("unix://:pw@/data/valkey.sock", "unix://[redacted]@/data/valkey.sock"),
        ('{"access_token":"abc"}', '{"access_token":"[redacted]"}'),
        ("nothing secret: 127.0.0.1:80", "nothing secret: 127.0.0.1:80"),
    ],
)
def test_nothing_that_looks_like_a_secret_is_written(line: str, shown: str) -> None:
    assert redact(line) == shown
