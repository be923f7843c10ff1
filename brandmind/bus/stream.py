"""The stream every process can hear: progress of stores and ends of sessions.

A stream and not pub/sub, because a reader who is away for a second must lose nothing; and a
stream of states and not of changes, because the newest message alone must be enough.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError

from brandmind.bus.silent import STREAM
from brandmind.sync.progress import StoreProgress, to_plain

log = logging.getLogger(__name__)

_KEEP: Final = 2_000
# Redis trouble must never slow a write down.
_LIMIT_S: Final = 1.0


class Stream:
    """Tells; never raises."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def progress(self, progress: StoreProgress) -> bool:
        """Tell a store's progress; whether it was taken."""
        return await self._add("progress", progress.store_id, orjson.dumps(to_plain(progress)))

    async def session_ended(self, session_id: str) -> bool:
        """Tell that a session was revoked, so that open pages end at once."""
        return await self._add("session", session_id, b"")

    async def _add(self, kind: str, key: str, body: bytes) -> bool:
        message: dict[Any, Any] = {"kind": kind, "key": key, "body": body}
        try:
            async with asyncio.timeout(_LIMIT_S):
                await self._redis.xadd(STREAM, message, maxlen=_KEEP, approximate=True)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("could not tell watchers: %s", type(error).__name__)
            return False
        return True
