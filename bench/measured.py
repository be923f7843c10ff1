"""A command run as a fresh process, and what it took."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class CommandFailed(Exception):
    """A command ended otherwise than with 0; its text is what it said."""


class Cost(NamedTuple):
    """Seconds on the clock from start to end, seconds of CPU, peak resident megabytes (10^6)."""

    wall_s: float
    cpu_s: float
    peak_mb: float


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
            _, status, usage = os.wait4(child.pid, 0)
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
    return Cost(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / 1e6)
