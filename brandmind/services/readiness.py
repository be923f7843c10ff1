"""Whether this process can serve: what of its ground is missing."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from brandmind.db import stores

if TYPE_CHECKING:
    from brandmind.runtime import Runtime

log = logging.getLogger(__name__)

_LIMIT_S: Final = 2.0


async def missing(rt: Runtime) -> list[str]:
    """The names of what does not answer within two seconds: "database", "redis"."""
    names = ("database", "redis")
    answers = await asyncio.gather(_database(rt), _redis(rt), return_exceptions=True)
    for name, answer in zip(names, answers, strict=True):
        if isinstance(answer, BaseException):
            log.warning("%s does not answer: %s", name, type(answer).__name__)
    return [
        name
        for name, answer in zip(names, answers, strict=True)
        if isinstance(answer, BaseException)
    ]


async def _database(rt: Runtime) -> None:
    async with asyncio.timeout(_LIMIT_S):
        await rt.db.read(stores.find_by_domain, "")


async def _redis(rt: Runtime) -> None:
    if rt.redis is not None:
        async with asyncio.timeout(_LIMIT_S):
            await rt.redis.exists("brandmind:ready")
