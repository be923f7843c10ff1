"""A store's changes at the speed of an eye: the first at once, then at most four a second."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterable, AsyncIterator
from typing import Final

from brandmind.errors import BrandMindError
from brandmind.sync.progress import StoreProgress

LEAST_S: Final = 0.25
TICK_S: Final = 5.0


async def paced(
    changes: AsyncIterable[StoreProgress], *, least_s: float = LEAST_S, tick_s: float = TICK_S
) -> AsyncIterator[StoreProgress | None]:
    """Each change, or None after `tick_s` seconds without one; ends when the changes end.

    `changes` keeps only its newest, so waiting here loses nothing that would still be true.
    """
    newest = aiter(changes)
    waiting: asyncio.Future[StoreProgress] | None = None
    try:
        while True:
            waiting = waiting or asyncio.ensure_future(_next(newest))
            done, _ = await asyncio.wait({waiting}, timeout=tick_s)
            if not done:
                yield None
                continue
            try:
                change = waiting.result()
            except _Ended:
                return
            finally:
                waiting = None
            yield change
            await asyncio.sleep(least_s)
    finally:
        if waiting is not None:
            waiting.cancel()
            with contextlib.suppress(asyncio.CancelledError, _Ended):
                await waiting


class _Ended(Exception):
    """The changes have ended; a future cannot carry StopAsyncIteration."""


async def _next(changes: AsyncIterator[StoreProgress]) -> StoreProgress:
    try:
        return await anext(changes)
    except (StopAsyncIteration, BrandMindError):
        # The hub says so by an error of its own when a session is revoked.
        raise _Ended from None
