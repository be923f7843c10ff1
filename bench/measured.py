"""A command run as a fresh process, and what it took."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple


class CommandFailed(Exception):
    """A command ended otherwise than with 0; its text is what it said."""


class Cost(NamedTuple):
    """Seconds on the clock from start to end, seconds of CPU, peak resident megabytes (10^6).

    CPU contains that of the processes it started and waited for. `peak_mb` is its own, and
    `largest_mb` that of the largest among it and them.
    """

    wall_s: float
    cpu_s: float
    peak_mb: float
    largest_mb: float


# How often the peak is looked at: what rises and ends between the last look and the exit is missed.
_LOOK_S: Final = 0.02


def run(
    module: str,
    arguments: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str],
    told: str = "",
) -> Cost:
    """Run `python -m module arguments` to its end, `told` on its input; its output goes to `log`.

    Raises CommandFailed.
    """
    with log.open("wb") as out:
        began_s = time.perf_counter()
        child = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
        )
        try:
            assert child.stdin is not None
            child.stdin.write(told.encode())
            child.stdin.close()
            own_mb = 0.0
            while not (ended := os.wait4(child.pid, os.WNOHANG))[0]:
                own_mb = max(own_mb, _peak_mb(child.pid))
                time.sleep(_LOOK_S)
            _, status, usage = ended
        except BaseException:
            child.kill()
            child.wait()
            raise
        wall_s = time.perf_counter() - began_s
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        said = log.read_text(errors="replace").strip()[-2000:]
        raise CommandFailed(f"{module} ended with {child.returncode}:\n{said}")
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    largest_mb = usage.ru_maxrss * unit / 1e6
    return Cost(
        wall_s, usage.ru_utime + usage.ru_stime, min(own_mb, largest_mb) or largest_mb, largest_mb
    )


def _peak_mb(pid: int) -> float:
    """The peak of a process alone, 0 where Linux's /proc does not tell it."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) * 1024 / 1e6 if found else 0.0
