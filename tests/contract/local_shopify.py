"""A local Shopify as a process of its own, for tests that speak HTTP with it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from brandmind.launch.lifeline import tied_to_me

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def local_shopify(*options: str, module: str = "brandmind.simulator") -> Iterator[str]:
    """Start the simulator, or a `module` around it, on a free port; its address. It ends with the
    block."""
    command = [sys.executable, "-m", module, "--port", "0", *options]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=tied_to_me(by=signal.SIGKILL),
    ) as process:
        try:
            assert process.stdout
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()
