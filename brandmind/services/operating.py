"""What whoever runs this installation sees and does: stores, queue, workers, ground; no merchant's
data. Every act is written to the log with the operator's id.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from brandmind.clock import monotonic_s
from brandmind.db import inbox, operating, presence
from brandmind.db import stores as store_rows
from brandmind.errors import BrandMindError, NotAllowed, NotFound
from brandmind.services import stores, syncs
from brandmind.services.presence import SILENT_S
from brandmind.services.sessions import Viewer
from brandmind.sync.stages import Kind

if TYPE_CHECKING:
    from brandmind.runtime import Runtime

log = logging.getLogger(__name__)

Act = Literal["retry", "start_over", "stop", "pause", "resume", "read_again", "replay"]
ACTS: Final[tuple[Act, ...]] = (
    "retry", "start_over", "stop", "pause", "resume", "read_again", "replay",
)  # fmt: skip
# What a merchant reads where an operator has acted; their name is nobody else's business.
OPERATOR: Final = "the operator"
_LIMIT_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the ground. `took_ms`: how long it took to answer, None: it did not."""

    name: str
    ok: bool
    took_ms: float | None
    kind: str
    used_bytes: int | None = None
    bells: int | None = None


@dataclass(frozen=True, slots=True)
class House:
    """The installation. `jobs` None: the database does not answer, and nothing else is known."""

    parts: tuple[Part, ...]
    jobs: operating.Jobs | None = None
    workers: tuple[presence.Worker, ...] = ()
    stores: tuple[operating.StoreLine, ...] = ()


@dataclass(frozen=True, slots=True)
class StoreStory:
    """One store of the installation: its newest runs, and what happened to the newest of all."""

    line: operating.StoreLine
    runs: tuple[operating.RunLine, ...]
    events: tuple[operating.EventLine, ...]
    aside: tuple[Aside, ...]


@dataclass(frozen=True, slots=True)
class Aside:
    """A delivery that lies aside."""

    topic: str
    received_at: Any
    note: str


async def look(rt: Runtime, viewer: Viewer) -> House:
    """The whole installation. Raises NotAllowed for whoever is no administrator."""
    _may(viewer)
    database, redis = await asyncio.gather(_database(rt), _redis(rt))
    if not database.ok:
        return House((database, redis))
    return House(
        parts=(database, redis),
        jobs=await rt.db.read(operating.jobs),
        workers=tuple(await rt.db.read(presence.workers)),
        stores=tuple(await rt.db.read(operating.stores)),
    )


async def story(rt: Runtime, viewer: Viewer, domain: str) -> StoreStory | None:
    """One store; None if there is none of that domain. Raises NotAllowed."""
    _may(viewer)
    lines = await rt.db.read(operating.stores)
    line = next((one for one in lines if one.domain == domain), None)
    if line is None:
        return None
    runs = await rt.db.read(operating.story, line.store_id)
    events: list[operating.EventLine] = []
    if runs:
        events = await rt.db.read(operating.events, line.store_id, run_id=runs[0].run_id)
    aside = [
        Aside(row.topic, row.received_at, row.note)
        for row in await rt.db.read(inbox.aside, line.store_id, limit=20)
    ]
    return StoreStory(line, tuple(runs), tuple(events), tuple(aside))


async def act(rt: Runtime, viewer: Viewer, domain: str, what: Act) -> int:
    """Act on one store; for a replay how many deliveries were put back, else 1.

    Raises NotAllowed for whoever is no administrator, NotFound, and what the act itself raises.
    """
    _may(viewer)
    store = await rt.db.read(store_rows.find_by_domain, domain)
    if store is None:
        raise NotFound("There is no such store.")
    at = store.store_id
    acts: dict[Act, Callable[[], Awaitable[Any]]] = {
        "retry": lambda: syncs.retry(rt, at, by=OPERATOR),
        "start_over": lambda: syncs.retry(rt, at, by=OPERATOR, from_start=True),
        "stop": lambda: syncs.cancel(rt, at, by=OPERATOR),
        "pause": lambda: stores.pause(rt, at, by=OPERATOR),
        "resume": lambda: stores.resume(rt, at),
        "read_again": lambda: syncs.request(
            rt, at, by=OPERATOR, kind=Kind.FULL, limited=False
        ),
        "replay": lambda: rt.db.write(inbox.replay, at),
    }  # fmt: skip
    done = await acts[what]()
    log.info("operator %s: %s for store %s", viewer.user_id, what, at)
    return done if isinstance(done, int) else 1


async def retry_failed(rt: Runtime, viewer: Viewer) -> tuple[int, int]:
    """Put every failed run back that can go on without its merchant: how many did, how many of
    them refused. Raises NotAllowed."""
    _may(viewer)
    done = refused = 0
    for line in retryable(await rt.db.read(operating.stores)):
        try:
            await syncs.retry(rt, line.store_id, by=OPERATOR)
            done += 1
        except BrandMindError as error:
            log.info("store %s was not retried: %s", line.store_id, type(error).__name__)
            refused += 1
    log.info("operator %s: retry of %d failed stores, %d refused", viewer.user_id, done, refused)
    return done, refused


async def replay_all(rt: Runtime, viewer: Viewer) -> int:
    """Put back what lies aside of every store; how many deliveries. Raises NotAllowed."""
    _may(viewer)
    lines = await rt.db.read(operating.stores)
    count = sum([await rt.db.write(inbox.replay, at.store_id) for at in lines if at.aside])
    log.info("operator %s: replay of %d deliveries", viewer.user_id, count)
    return count


def retryable(lines: Any) -> list[operating.StoreLine]:
    """The failed stores that need nothing of their merchants."""
    return [at for at in lines if at.state == "failed" and at.error_kind != "auth"]


def plain(house: House) -> dict[str, Any]:
    """The figures as JSON-ready data."""
    states: dict[str, int] = {}
    for at in house.stores:
        states[at.state] = states.get(at.state, 0) + 1
    return {
        "ok": all(part.ok for part in house.parts),
        "parts": [asdict(part) for part in house.parts],
        "jobs": asdict(house.jobs) if house.jobs else None,
        "workers": [
            {
                "started_at": at.started_at.isoformat(),
                "silent_s": round(at.silent_s, 1),
                "alive": at.silent_s < SILENT_S,
                "slots": at.slots,
                "at_work": at.at_work,
            }
            for at in house.workers
        ],
        "stores": states,
        "deliveries": {
            "waiting": sum(at.waiting for at in house.stores),
            "aside": sum(at.aside for at in house.stores),
        },
        "webhooks_missing": {at.domain: list(at.missing) for at in house.stores if at.missing},
    }


def _may(viewer: Viewer) -> None:
    if not viewer.admin:
        raise NotAllowed("Only an administrator of this installation may do that.")


async def _database(rt: Runtime) -> Part:
    kind = "SQLite" if rt.db.is_sqlite else "PostgreSQL"
    began_s = monotonic_s()
    try:
        async with asyncio.timeout(_LIMIT_S):
            await rt.db.read(store_rows.find_by_domain, "")
    except Exception as error:
        log.warning("the database does not answer: %s", type(error).__name__)
        return Part("database", False, None, kind)
    return Part("database", True, 1000 * (monotonic_s() - began_s), kind)


async def _redis(rt: Runtime) -> Part:
    if rt.redis is None:
        return Part("redis", True, None, "Not in use here")
    from brandmind.bus.jobs import QUEUE

    began_s = monotonic_s()
    try:
        async with asyncio.timeout(_LIMIT_S):
            await rt.redis.exists("brandmind:ready")
            took_ms = 1000 * (monotonic_s() - began_s)
            told = await rt.redis.info()
            bells = int(await rt.redis.zcard(QUEUE))
    except Exception as error:
        log.warning("redis does not answer: %s", type(error).__name__)
        return Part("redis", False, None, "Valkey or Redis")
    name = "Valkey" if told.get("server_name") == "valkey" or "valkey_version" in told else "Redis"
    version = told.get("valkey_version") or told.get("redis_version") or ""
    return Part(
        "redis", True, took_ms, f"{name} {version}".strip(), int(told.get("used_memory", 0)), bells
    )
