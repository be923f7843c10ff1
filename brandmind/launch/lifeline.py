"""A child never outlives the process that started it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def tied_to_me(*, by: signal.Signals = signal.SIGTERM) -> Callable[[], None] | None:
    """A `preexec_fn` after which the kernel sends the child this signal when we die.

    Linux only; elsewhere None, and a launcher killed outright leaves its children behind.
    The tie is to the starting *thread*: start children from one that lives on.
    """
    if not sys.platform.startswith("linux"):
        return None
    # Loaded before the fork: loading in between could wait for a lock that nobody will release.
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, int(by), 0, 0, 0)
        if os.getppid() != parent:  # it died before the tie was made
            os._exit(1)

    return tie


def end_group(leader: int, by: signal.Signals) -> None:
    """Signal a child started in a session of its own, with all it has started itself."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, by)
