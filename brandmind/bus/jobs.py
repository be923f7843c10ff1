"""The one door to arq: rings the bell for a run. Another queue would change this file alone."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import logging
import warnings
from typing import Any, Final

import msgpack
from arq.connections import ArqRedis, RedisSettings, create_pool
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from brandmind.clock import new_id

log = logging.getLogger(__name__)

QUEUE: Final = "brandmind:bells"
RUN_JOB: Final = "sync.run"
_LIMIT_S: Final = 1.0

# Not pickle, arq's default: with it whoever writes that Redis runs code in our worker.
serialize = msgpack.packb
deserialize = functools.partial(msgpack.unpackb, raw=False)


def redis_settings(url: str) -> RedisSettings:
    """arq's settings for a Redis address, patient enough to outlive its restarts.

    arq 0.28 leaves its loop when Redis is away for two seconds unless told otherwise; 0.25 has no
    such fields and is patient by itself.
    """
    settings = RedisSettings.from_dsn(url)
    known = {field.name for field in dataclasses.fields(RedisSettings)}
    patient: dict[str, Any] = {
        "conn_retries": 10_000,
        "conn_retry_delay": 1,
        "retry_on_timeout": False,
        "retry_on_error": [RedisConnectionError, RedisTimeoutError, OSError],
        "retry": Retry(ExponentialBackoff(cap=1.0, base=0.05), retries=10_000),
    }
    for name, value in patient.items():
        if name in known:
            setattr(settings, name, value)
    return settings


class Jobs:
    """Rings; never raises. The run's row is the truth, and a bell unheard is found by it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool: ArqRedis | None = None

    async def ring(self, run_id: str) -> bool:
        """Tell a worker that a run is due; whether the bell was rung."""
        try:
            async with asyncio.timeout(_LIMIT_S):
                pool = await self._open()
                try:
                    await self._enqueue(pool, run_id)
                except (RedisConnectionError, OSError):
                    # Idle connections outlive a restart of Redis on our side alone.
                    await pool.connection_pool.disconnect(inuse_connections=False)
                    await self._enqueue(pool, run_id)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("could not ring for a run: %s", type(error).__name__)
            return False
        return True

    async def _enqueue(self, pool: ArqRedis, run_id: str) -> None:
        # A new id for each bell: arq drops a second job of an id it remembers.
        job_id = f"sync:{run_id}:{new_id()[:8]}"
        await pool.enqueue_job(RUN_JOB, run_id, _job_id=job_id, _queue_name=QUEUE)

    async def _open(self) -> ArqRedis:
        if self._pool is None:
            settings = RedisSettings.from_dsn(self._url)
            settings.conn_retries = 0
            with warnings.catch_warnings():
                # arq passes retry_on_timeout, which redis 6 deprecates.
                warnings.filterwarnings("ignore", message=".*retry_on_timeout.*")
                self._pool = await create_pool(
                    settings,
                    job_serializer=serialize,
                    job_deserializer=deserialize,
                    default_queue_name=QUEUE,
                )
        return self._pool

    async def close(self) -> None:
        """Give back the connections."""
        if self._pool is not None:
            await self._pool.aclose()
