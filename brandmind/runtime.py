"""What one process holds open: the database, Redis, the HTTP client and the keys."""

from __future__ import annotations

import contextlib
import ctypes
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final, Protocol

import httpcore
import httpx

from brandmind import collector
from brandmind.bus.hub import Hub
from brandmind.bus.silent import NoBell, Silent
from brandmind.db import snapshot
from brandmind.db.cipher import Cipher
from brandmind.db.session import Database
from brandmind.owner import session_name, this_owner
from brandmind.settings import Settings
from brandmind.sync.pacing import LocalPacers, Pacers
from brandmind.sync.progress import StoreProgress

if TYPE_CHECKING:
    from redis.asyncio import Redis

# From malloc.h.
_M_ARENA_MAX: Final = -8
_M_MMAP_THRESHOLD: Final = -3
# Above the answers that come by the hundred.
_MAPPED_BYTES: Final = 1 << 20
_SWITCH_S: Final = 0.001
# A page of answers has nearly a megabyte; httpcore asks for 64 KB at a time.
_READ_BYTES: Final = 1 << 20


class Bell(Protocol):
    """The door to the queue."""

    async def ring(self, run_id: str) -> bool: ...

    async def close(self) -> None: ...


class Teller(Protocol):
    """The stream that watchers hear."""

    async def progress(self, progress: StoreProgress) -> bool: ...

    async def session_ended(self, session_id: str) -> bool: ...


@dataclass(slots=True)
class Runtime:
    """The open things of one process, handed to every service first."""

    settings: Settings
    db: Database
    http: httpx.AsyncClient
    cipher: Cipher
    jobs: Bell
    signals: Teller
    hub: Hub
    redis: Redis | None = None
    # Kept between slices: what a shop's bucket holds is not forgotten with a page.
    pacers: Pacers = field(default_factory=LocalPacers)
    owner: str = field(default_factory=this_owner)


_current: Runtime | None = None


def get() -> Runtime:
    """The runtime of this process. Raises RuntimeError before it is opened."""
    if _current is None:
        raise RuntimeError("the runtime is not open")
    return _current


def set_current(runtime: Runtime | None) -> None:
    """Make a runtime the one `get` returns."""
    global _current
    _current = runtime


@asynccontextmanager
async def open_runtime(
    settings: Settings, *, jobs: bool = True, transport: httpx.AsyncBaseTransport | None = None
) -> AsyncIterator[Runtime]:
    """Open everything, and close it again.

    `jobs` false leaves Redis and the queue out: nobody is rung and nobody watches. `transport`
    replaces the network below the HTTP client.
    """
    collector.calm()
    _keep_few_heaps()
    _share_the_interpreter()
    _read_much_at_once()
    async with AsyncExitStack() as stack:
        db = Database(settings.database_url, name=session_name(this_owner()))
        stack.callback(db.close)
        http = await stack.enter_async_context(
            httpx.AsyncClient(
                transport=transport,
                verify=_believed(),
                follow_redirects=False,
                # The environment's proxies are not for a shop's data.
                trust_env=False,
                timeout=httpx.Timeout(30.0, connect=5.0),
                limits=httpx.Limits(max_connections=64, max_keepalive_connections=16),
            )
        )
        bell, signals, redis = await _open_bus(settings, stack) if jobs else _no_bus()

        async def newest(store_id: str) -> StoreProgress:
            return await db.read(snapshot.progress, store_id)

        hub = Hub(redis, newest)
        runtime = Runtime(
            settings=settings,
            db=db,
            http=http,
            cipher=Cipher(settings.encryption_keys),
            jobs=bell,
            signals=signals,
            hub=hub,
            redis=redis,
            pacers=_pacers(redis),
        )
        yield runtime


def _share_the_interpreter() -> None:
    """Let a thread that computes give way sooner: a page's rows go to the database in steps that
    each ask for Python's lock, while the next page is being read."""
    sys.setswitchinterval(_SWITCH_S)


def _read_much_at_once() -> None:
    """Let what has come over a connection be taken in one piece: each piece costs a turn of the
    event loop and a copy."""
    httpcore.AsyncHTTP11Connection.READ_NUM_BYTES = _READ_BYTES


def _keep_few_heaps() -> None:
    """Let the threads of this process share two heaps. glibc gives each of them one of its own,
    and what a page of answers took in each stays with it: ten megabytes for nothing."""
    if sys.platform != "linux":
        return
    # Not every C library has it, and none is worse off without.
    with contextlib.suppress(AttributeError, OSError):
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_ARENA_MAX, 2)
        libc.mallopt(_M_MMAP_THRESHOLD, _MAPPED_BYTES)


@cache
def _believed() -> ssl.SSLContext:
    """Whose certificates are believed. To read them all takes a twentieth of a second, at each
    opening; they do not change while a process lives."""
    return httpx.create_ssl_context(trust_env=False)


async def _open_bus(settings: Settings, stack: AsyncExitStack) -> tuple[Bell, Teller, Redis]:
    from redis.asyncio import Redis

    from brandmind.bus.jobs import Jobs
    from brandmind.bus.stream import Stream

    redis = Redis.from_url(settings.redis_url, socket_connect_timeout=1.0)
    stack.push_async_callback(redis.aclose)
    jobs = Jobs(settings.redis_url)
    stack.push_async_callback(jobs.close)
    return jobs, Stream(redis), redis


def _pacers(redis: Redis | None) -> Pacers:
    if redis is None:
        return LocalPacers()
    from brandmind.bus.limits import SharedPacers

    return SharedPacers(redis, owner=this_owner())


def _no_bus() -> tuple[Bell, Teller, None]:
    return NoBell(), Silent(), None
