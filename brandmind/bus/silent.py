"""What stands in for Redis where there is none, and what needs no Redis to be named.

Kept apart from the rest of this package: the client of Redis takes eight megabytes to load, and a
sync in one process never asks it anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from brandmind.sync.progress import StoreProgress

STREAM: Final = "brandmind:told"


class Silent:
    """A stream nobody hears, for work in one process without Redis."""

    async def progress(self, progress: StoreProgress) -> bool:
        return True

    async def session_ended(self, session_id: str) -> bool:
        return True


class NoBell:
    """A door nobody stands behind, for work in one process without a queue."""

    async def ring(self, run_id: str) -> bool:
        return True

    async def close(self) -> None:
        return None
