"""Who a process is, so exactly that another on this host can tell whether it still lives."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from brandmind.clock import new_id


@cache
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        # Without /proc nobody can be looked up: such owners are judged by their beat alone.
        return f"unknown-{new_id()}"


def _namespace(pid: int | str) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return ""


def _started(pid: int | str) -> str:
    """The process's start in clock ticks since boot: a reused pid has another."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    # The command may hold spaces and brackets; the fields after its last bracket are plain.
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in ("Z", "X") else fields[19]


@cache
def this_owner() -> str:
    """This process: boot id, pid namespace, pid, start time and a random part."""
    pid = os.getpid()
    return "|".join((_boot_id(), _namespace("self"), str(pid), _started(pid), new_id()[:8]))


def is_gone(owner: str) -> bool:
    """Whether an owner of this very host is certainly dead; False if that cannot be told."""
    parts = owner.split("|")
    if len(parts) != 5 or parts[0] != _boot_id() or parts[1] != _namespace("self"):
        return False
    return bool(parts[1]) and _started(parts[2]) != parts[3]


def session_name(owner: str) -> str:
    """What an owner's database sessions are called: short enough for PostgreSQL's 63 bytes."""
    return f"brandmind {owner.rpartition('|')[2]}"
