"""What watchers are told stays true, and nobody's trouble makes the others wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from redis.asyncio import Redis

from brandmind.bus.hub import Hub
from brandmind.bus.stream import STREAM, Stream
from brandmind.clock import utc_now
from brandmind.db import runs, snapshot
from brandmind.db.ledger import SqlLedger
from brandmind.db.tables import RUN, STORE
from brandmind.runtime import Runtime, open_runtime
from brandmind.services import reaper as reaper_module
from brandmind.services.announcing import LiveAnnouncer
from brandmind.services.reaper import Reaper
from brandmind.sync.progress import StoreProgress
from tests.faults.ground import settings_for

STORES = ("a11ce00000", "b0b0000000")


class HangingRedis:
    """Takes nothing; counts who tried."""

    def __init__(self) -> None:
        self.tried = 0

    async def progress(self, progress: StoreProgress) -> bool:
        self.tried += 1
        return False

    async def session_ended(self, session_id: str) -> bool:
        return False


@pytest.fixture
async def rt(database_url: str, tmp_path: Path) -> AsyncIterator[Runtime]:
    async with open_runtime(settings_for(tmp_path, database_url=database_url), jobs=False) as rt:
        for store_id in STORES:
            await rt.db.write(_insert_store, store_id)
        yield rt


def _insert_store(session: Any, store_id: str) -> None:
    session.execute(
        sa.insert(STORE).values(
            store_id=store_id,
            domain=f"{store_id}.myshopify.com",
            name="Harbor & Pine",
            timezone="UTC",
            plan="",
            taxes_included=False,
            scopes="read_orders",
            epoch=1,
            read_no=0,
            history_done=False,
            installed_at=utc_now(),
        )
    )
    runs.insert_first_run(session, store_id, epoch=1)


async def test_a_redis_that_hangs_costs_a_look_of_the_reaper_one_try(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 1_000.0
    monkeypatch.setattr(reaper_module, "monotonic_s", lambda: now_s)
    rt.signals = hanging = HangingRedis()
    reaper = Reaper(rt)
    await reaper.look()
    now_s += 1.1
    await reaper.look()
    assert hanging.tried == 1


def _commits_half(rt: Runtime) -> None:
    rt.db.write_now(
        lambda s: s.execute(
            sa.update(RUN).where(RUN.c.store_id == STORES[0]).values(percent=50, seq=RUN.c.seq + 1)
        )
    )


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_state_and_its_number_are_of_one_moment(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """Whatever is committed once the number was read: before the run is read, or after it."""
    newest, left = runs.newest_run, [1]

    def commit_meanwhile(*asked: Any) -> Any:
        found = newest(*asked) if when == "after" else None
        if left:
            left.pop()
            _commits_half(rt)
        return found if when == "after" else newest(*asked)

    before = await rt.db.read(snapshot.progress, STORES[0])
    monkeypatch.setattr(runs, "newest_run", commit_meanwhile)
    seen = await rt.db.read(snapshot.progress, STORES[0])
    monkeypatch.undo()
    after = await rt.db.read(snapshot.progress, STORES[0])
    assert (before.percent, after.percent, after.seq) == (0, 50, before.seq + 1)
    # SQLite sees what was there when it began, PostgreSQL looks again.
    assert seen == (before if rt.db.is_sqlite else after)


async def test_where_commits_never_end_the_number_is_no_later_than_the_state(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages = snapshot._stages

    def commit_meanwhile(session: Any, run: Any) -> Any:
        found = stages(session, run)
        _commits_half(rt)
        return found

    monkeypatch.setattr(snapshot, "_stages", commit_meanwhile)
    torn = await rt.db.read(snapshot.progress, STORES[0])
    monkeypatch.undo()
    whole = await rt.db.read(snapshot.progress, STORES[0])
    assert torn.seq < whole.seq


async def test_a_message_of_no_known_form_does_not_deafen_the_hub(
    rt: Runtime, valkey_url: str
) -> None:
    async def newest(store_id: str) -> StoreProgress:
        return await rt.db.read(snapshot.progress, store_id)

    redis = Redis.from_url(valkey_url)
    hub = Hub(redis, newest)
    hub.start()
    try:
        async with hub.watch(STORES[0]) as watch, asyncio.timeout(20):
            first = await watch.next()
            await redis.xadd(STREAM, {"something": "else"})
            await redis.xadd(STREAM, {"kind": "progress", "key": STORES[0], "body": "[]"})
            await rt.db.write(
                lambda s: s.execute(
                    sa.update(RUN)
                    .where(RUN.c.store_id == STORES[0])
                    .values(percent=50, seq=RUN.c.seq + 1)
                )
            )
            await Stream(redis).progress(await newest(STORES[0]))
            told = await watch.next()
            while told.seq == first.seq:
                told = await watch.next()
            assert told.percent == 50
    finally:
        await hub.stop()
        await redis.aclose()


class SlowToStop:
    """Holds on to whoever tells it something, also when told to stop."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.stopping = asyncio.Event()
        self.may_end = asyncio.Event()

    async def progress(self, progress: StoreProgress) -> bool:
        if self.stopping.is_set():
            return True
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.stopping.set()
            await self.may_end.wait()
        return True

    async def session_ended(self, session_id: str) -> bool:
        return True


async def test_a_worker_that_stops_while_the_last_word_is_said_stops(rt: Runtime) -> None:
    claim = await rt.db.write(runs.claim_next, owner="one", oldest_first=False)
    assert claim is not None
    rt.signals = slow = SlowToStop()
    announcer = LiveAnnouncer(rt, SqlLedger(rt.db, claim))
    announcer.changed()
    async with asyncio.timeout(20):
        await slow.begun.wait()
        closing = asyncio.create_task(announcer.close())
        await slow.stopping.wait()
        closing.cancel()
        slow.may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await closing
