"""A local Shopify as a process of its own, for tests that speak HTTP with it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def local_shopify(*options: str) -> Iterator[str]:
    """Start the simulator on a free port; its address. It ends with the block."""
    command = [sys.executable, "-m", "brandmind.simulator", "--port", "0", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()
