"""How often Python's garbage collector looks for cycles."""

from __future__ import annotations

import gc


def look_rarely() -> None:
    """Let the collector look less often, before much is loaded: the classes and tables of a
    process come to stay, and looking for cycles among them took a sixth of its start."""
    gc.set_threshold(100_000, 50, 10)


def calm() -> None:
    """Leave what is loaded out of it as well: records are tuples without cycles, made by the
    hundred thousand, and looking for cycles among them cost half the time of reading them.

    Once in a process: what is thrown away and not yet found would be left out as well, for good.
    """
    if not gc.get_freeze_count():
        gc.freeze()
    look_rarely()
