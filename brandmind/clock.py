"""The one clock and the one source of new ids."""

from __future__ import annotations

import os
import secrets
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

# Tests move the wall clock of running processes by writing seconds into this file.
_OFFSET_FILE = os.environ.get("BRANDMIND_CLOCK_FILE", "")


def _offset_s() -> float:
    if not _OFFSET_FILE:
        return 0.0
    try:
        return float(Path(_OFFSET_FILE).read_text() or 0)
    except (OSError, ValueError):
        return 0.0


def utc_now() -> datetime:
    """The present moment, aware, in UTC."""
    now = datetime.now(UTC)
    return now + timedelta(seconds=_offset_s()) if _OFFSET_FILE else now


def monotonic_s() -> float:
    """Seconds that never go back and that nobody can set: for leases and time-outs."""
    return time.monotonic()


def new_id() -> str:
    """A new random id, 32 hexadecimal digits."""
    return uuid.uuid4().hex


def new_store_id() -> str:
    """A new random id of a store, 10 hexadecimal digits: it stands in the key of every row."""
    return secrets.token_hex(5)
