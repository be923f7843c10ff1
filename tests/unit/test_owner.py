"""Who a process is, and when it is certainly gone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from brandmind.owner import is_gone, this_owner

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/ns/pid").exists(), reason="looks processes up in /proc"
)

ROOT = Path(__file__).parents[2]
SAYS_AND_STAYS = "from brandmind.owner import this_owner; print(this_owner(), flush=True); input()"


@pytest.fixture
def other() -> Iterator[subprocess.Popen[str]]:
    """Another process, which says who it is and stays."""
    with subprocess.Popen(
        [sys.executable, "-c", SAYS_AND_STAYS],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def _says(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def test_a_process_stays_the_same_owner() -> None:
    assert this_owner() == this_owner()
    assert this_owner().split("|")[2] == str(os.getpid())


def test_a_living_process_is_not_gone(other: subprocess.Popen[str]) -> None:
    assert not is_gone(this_owner())
    assert not is_gone(_says(other))


def test_a_killed_process_is_gone_though_nobody_has_buried_it(
    other: subprocess.Popen[str],
) -> None:
    owner = _says(other)
    other.kill()
    # It has ended and is not waited for: a zombie in the table of processes.
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
    assert is_gone(owner)
    other.wait()
    assert is_gone(owner)


def test_a_stopped_process_is_not_gone(other: subprocess.Popen[str]) -> None:
    owner = _says(other)
    os.kill(other.pid, 19)
    os.waitid(os.P_PID, other.pid, os.WSTOPPED | os.WNOWAIT)
    assert not is_gone(owner)


def test_another_process_under_a_reused_number_is_not_the_owner() -> None:
    boot, space, pid, started, tail = this_owner().split("|")
    assert is_gone("|".join((boot, space, pid, str(int(started) - 1), tail)))


@pytest.mark.parametrize("part", [0, 1])
def test_of_another_boot_or_another_container_nobody_can_tell(part: int) -> None:
    parts = this_owner().split("|")
    parts[2:4] = ["4194304", "1"]
    assert is_gone("|".join(parts))
    parts[part] = "elsewhere"
    assert not is_gone("|".join(parts))


@pytest.mark.parametrize("owner", ["", "one", "a|b|c|d|e|f"])
def test_an_owner_that_is_no_process_is_judged_by_its_beat_alone(owner: str) -> None:
    assert not is_gone(owner)
