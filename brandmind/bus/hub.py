"""One ear for a web process: reads the stream and hands each tab the newest state of its store."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import orjson

from brandmind.bus.silent import STREAM
from brandmind.errors import BrandMindError, NotFound
from brandmind.sync.progress import StoreProgress, from_plain

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = logging.getLogger(__name__)

_BLOCK_MS: Final = 2_000
# While Redis is away the watchers are told from SQL at this pace.
_WITHOUT_REDIS_S: Final = 1.5


class SessionEnded(BrandMindError):
    """You have been signed out."""


class Watch:
    """One tab's view of one store. Only the newest state is kept: nobody falls behind."""

    def __init__(self, hub: Hub, store_id: str, session_id: str | None) -> None:
        self.store_id = store_id
        self.session_id = session_id
        self._hub = hub
        self._newest: StoreProgress | None = None
        self._ended = False
        self._told = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._hub._watches[self.store_id].add(self)
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        watches = self._hub._watches.get(self.store_id)
        if watches is not None:
            watches.discard(self)
            if not watches:
                self._hub._watches.pop(self.store_id, None)

    def tell(self, progress: StoreProgress) -> None:
        """Take a newer state; an older one changes nothing."""
        if self._newest is None or progress.seq >= self._newest.seq:
            self._newest = progress
            self._told.set()

    def end(self) -> None:
        """The session is over."""
        self._ended = True
        self._told.set()

    async def next(self) -> StoreProgress:
        """The newest state, as soon as there is one that was not handed out yet.

        Raises SessionEnded.
        """
        await self._told.wait()
        self._told.clear()
        if self._ended:
            raise SessionEnded
        assert self._newest is not None
        return self._newest

    def __aiter__(self) -> AsyncIterator[StoreProgress]:
        return self._follow()

    async def _follow(self) -> AsyncIterator[StoreProgress]:
        while True:
            yield await self.next()


class Hub:
    """Reads the stream while it runs and fans out in memory: one blocking reader a process."""

    def __init__(
        self, redis: Redis | None, snapshot: Callable[[str], Awaitable[StoreProgress]]
    ) -> None:
        self._redis = redis
        self._snapshot = snapshot
        self._watches: dict[str, set[Watch]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None

    def watch(self, store_id: str, *, session_id: str | None = None) -> Watch:
        """A watch of a store, to be entered before its snapshot is read."""
        return Watch(self, store_id, session_id)

    def start(self) -> None:
        """Begin to listen."""
        self._task = asyncio.create_task(self._listen(), name="hub")

    async def stop(self) -> None:
        """Stop listening."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _listen(self) -> None:
        while self._redis is None:
            await asyncio.sleep(_WITHOUT_REDIS_S)
            await self._refresh()
        # Loaded by who has a Redis, see `silent`.
        from redis.exceptions import RedisError

        last = b""
        told: dict[Any, Any] = {}
        away = False
        while True:
            try:
                if away or not last:
                    # "$" means "from now" anew at each call, and what comes between two calls
                    # would be lost: so the present end is pinned, and SQL is read after that.
                    last, told = await self._end(self._redis)
                    away = False
                    await self._refresh()
                found = await self._redis.xread({STREAM: last}, block=_BLOCK_MS, count=200)
                for _name, messages in found or []:
                    last, told = messages[-1]
                    self._dispatch(messages)
                if not found:
                    end, newest = await self._end(self._redis)
                    if _order(end) < _order(last) or (end == last and newest != told):
                        # The stream was flushed, with messages that nobody had read, and began
                        # again with ids that are no later: they count its milliseconds.
                        last = b""
            except (RedisError, OSError, TimeoutError) as error:
                if not away:
                    log.warning("Redis is away (%s): progress is read from SQL meanwhile",
                                type(error).__name__)  # fmt: skip
                away = True
                await asyncio.sleep(_WITHOUT_REDIS_S)
                await self._refresh()
            except Exception:
                # Without this ear every tab of the process would stand still, and nobody knew.
                log.exception("the stream could not be followed; starting over")
                last = b""
                await asyncio.sleep(_WITHOUT_REDIS_S)

    async def _end(self, redis: Redis) -> tuple[bytes, dict[Any, Any]]:
        newest: list[Any] = await redis.xrevrange(STREAM, count=1)
        return (bytes(newest[0][0]), newest[0][1]) if newest else (b"0-0", {})

    def _dispatch(self, messages: list[tuple[Any, dict[Any, Any]]]) -> None:
        newest: dict[str, dict[str, Any]] = {}
        for _id, fields in messages:
            key = fields.get(b"key", b"").decode(errors="replace")
            if fields.get(b"kind") == b"session":
                for watch in [w for ws in self._watches.values() for w in ws]:
                    if watch.session_id == key:
                        watch.end()
            elif key in self._watches:
                try:
                    plain = orjson.loads(fields[b"body"])
                    # Two processes may tell of one store at a time, and the later of them less.
                    if key not in newest or plain["seq"] >= newest[key]["seq"]:
                        newest[key] = plain
                except (ValueError, KeyError, TypeError):
                    log.warning("a message on the stream could not be read")
        for store_id, plain in newest.items():
            try:
                progress = from_plain(plain)
            except (ValueError, KeyError, TypeError):
                log.warning("a message on the stream could not be read")
                continue
            for watch in tuple(self._watches.get(store_id, ())):
                watch.tell(progress)

    async def _refresh(self) -> None:
        for store_id in tuple(self._watches):
            try:
                progress = await self._snapshot(store_id)
            except NotFound:
                continue
            except Exception as error:
                log.warning("could not read a snapshot: %s", type(error).__name__)
                return
            for watch in tuple(self._watches.get(store_id, ())):
                watch.tell(progress)


def _order(message_id: bytes) -> tuple[int, int]:
    at, _, number = message_id.partition(b"-")
    return int(at), int(number)
