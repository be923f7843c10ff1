"""What open tabs hear: late, twice, away, and through restarts of Redis."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from redis.asyncio import Redis

from brandmind.bus.hub import Hub, SessionEnded, Watch
from brandmind.bus.stream import STREAM, Stream
from brandmind.launch.valkey import EmbeddedValkey, packed_binary
from brandmind.sync.progress import StoreProgress
from brandmind.sync.stages import Kind, RunStatus, StoreStatus
from tests.faults.ground import until

STORE, OTHER = "a11ce00000", "b0b0000000"


def at(percent: int, *, store_id: str = STORE) -> StoreProgress:
    return StoreProgress(
        store_id=store_id,
        status=StoreStatus.COMPLETED if percent == 100 else StoreStatus.IN_PROGRESS,
        reason=None,
        run_id="run",
        kind=Kind.FULL,
        run_status=RunStatus.DONE if percent == 100 else RunStatus.RUNNING,
        first=True,
        seq=percent + 1,
        percent=percent,
        stages=(),
        history=None,
        attempt=0,
        waiting=None,
        next_try_at=None,
        error=None,
        error_kind=None,
        request_id=None,
        requested_at=None,
        started_at=None,
        finished_at=None,
        last_synced_at=None,
    )


@dataclass
class Sync:
    """Stands for a worker: what it commits is in SQL first and then told."""

    stream: Stream
    sql: dict[str, StoreProgress] = field(default_factory=dict)

    async def snapshot(self, store_id: str) -> StoreProgress:
        return self.sql[store_id]

    async def commits(self, percent: int, *, store_id: str = STORE) -> bool:
        self.sql[store_id] = at(percent, store_id=store_id)
        return await self.stream.progress(self.sql[store_id])


@pytest.fixture
def valkey() -> Iterator[EmbeddedValkey]:
    with (
        tempfile.TemporaryDirectory(prefix="bm-") as folder,
        EmbeddedValkey(Path(folder), binary=packed_binary()) as server,
    ):
        yield server


@pytest.fixture
async def redis(valkey: EmbeddedValkey) -> AsyncIterator[Redis]:
    client = Redis.from_url(valkey.url, socket_connect_timeout=1.0)
    yield client
    await client.aclose()


@pytest.fixture
async def sync(redis: Redis) -> Sync:
    found = Sync(Stream(redis))
    await found.commits(0)
    await found.commits(0, store_id=OTHER)
    return found


@pytest.fixture
async def hub(redis: Redis, sync: Sync) -> AsyncIterator[Hub]:
    hub = Hub(redis, sync.snapshot)
    hub.start()
    yield hub
    await hub.stop()


class Tab:
    """One open page: subscribes, reads SQL, then follows."""

    def __init__(self, hub: Hub, sync: Sync, *, store_id: str = STORE, session: str = "") -> None:
        self.seen: list[int] = []
        self.ended = False
        self._watch = hub.watch(store_id, session_id=session or None)
        self._sync = sync
        self._task = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        async with self._watch as watch:
            watch.tell(await self._sync.snapshot(self._watch.store_id))
            try:
                async for progress in watch:
                    self.seen.append(progress.percent)
            except SessionEnded:
                self.ended = True

    async def sees(self, percent: int, *, within_s: float = 10.0) -> None:
        await until(lambda: self.seen[-1:] == [percent], within_s=within_s)
        assert self.seen == sorted(self.seen)

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def test_a_late_tab_sees_the_truth_at_once_and_then_what_follows(
    hub: Hub, sync: Sync
) -> None:
    for percent in (10, 20, 30):
        await sync.commits(percent)
    tab = Tab(hub, sync)
    await tab.sees(30)
    await sync.commits(100)
    await tab.sees(100)
    assert tab.seen[0] == 30
    await tab.close()


async def test_a_tab_opened_after_the_end_sees_the_end(hub: Hub, sync: Sync) -> None:
    await sync.commits(100)
    tab = Tab(hub, sync)
    await tab.sees(100)
    await tab.close()


async def test_two_tabs_see_the_same_and_a_third_only_its_own_store(hub: Hub, sync: Sync) -> None:
    tabs = [Tab(hub, sync), Tab(hub, sync)]
    third = Tab(hub, sync, store_id=OTHER)
    for tab in (*tabs, third):
        await tab.sees(0)
    for percent in (25, 50, 100):
        await sync.commits(percent)
    await sync.commits(7, store_id=OTHER)
    for tab in tabs:
        await tab.sees(100)
    await third.sees(7)
    assert set(third.seen) == {0, 7}
    for tab in (*tabs, third):
        await tab.close()


async def test_a_tab_that_drops_and_comes_back_never_sees_progress_fall(
    hub: Hub, sync: Sync
) -> None:
    tab = Tab(hub, sync)
    await sync.commits(40)
    await tab.sees(40)
    await tab.close()
    await sync.commits(60)
    back = Tab(hub, sync)
    await back.sees(60)
    assert set(back.seen) == {60}
    await sync.commits(100)
    await back.sees(100)
    await back.close()


async def test_a_burst_is_told_by_its_newest_state(hub: Hub, sync: Sync) -> None:
    tab = Tab(hub, sync)
    await tab.sees(0)
    await asyncio.gather(*(sync.commits(percent) for percent in range(1, 101)))
    await tab.sees(100)
    await tab.close()


async def test_an_older_state_that_comes_late_changes_nothing(hub: Hub) -> None:
    watch = Watch(hub, STORE, None)
    watch.tell(at(50))
    watch.tell(at(40))
    assert (await watch.next()).percent == 50


async def test_a_restart_of_redis_hides_nothing(
    hub: Hub, sync: Sync, valkey: EmbeddedValkey
) -> None:
    tab = Tab(hub, sync)
    await sync.commits(20)
    await tab.sees(20)
    valkey.kill()
    # Redis is away: what is committed now is told to nobody.
    assert not await sync.commits(60)
    await tab.sees(60)
    valkey.start()
    await until(lambda: sync.commits(80))
    await tab.sees(80)
    await sync.commits(100)
    await tab.sees(100)
    await tab.close()


async def test_what_was_committed_just_before_redis_came_back_is_seen(
    hub: Hub, sync: Sync, valkey: EmbeddedValkey
) -> None:
    tab = Tab(hub, sync)
    await tab.sees(0)
    valkey.kill()
    assert not await sync.commits(30)
    await tab.sees(30)
    assert not await sync.commits(100)
    valkey.start()
    # Nothing more is ever told.
    await tab.sees(100)
    await tab.close()


async def test_a_flush_hides_nothing(hub: Hub, sync: Sync, redis: Redis) -> None:
    tab = Tab(hub, sync)
    await sync.commits(20)
    await tab.sees(20)
    await redis.flushall()
    await sync.commits(60)
    await tab.sees(60)
    await redis.flushall()
    await sync.commits(100)
    await tab.sees(100)
    await tab.close()


async def test_a_message_that_a_flush_took_away_is_read_from_sql(
    hub: Hub, sync: Sync, redis: Redis
) -> None:
    tab = Tab(hub, sync)
    await sync.commits(20)
    await tab.sees(20)
    # Committed and told, but flushed before anybody read it.
    sync.sql[STORE] = at(100)
    await redis.flushall()
    await tab.sees(100)
    await tab.close()


async def test_a_stream_that_begins_again_at_an_earlier_time_is_heard(
    hub: Hub, sync: Sync, redis: Redis
) -> None:
    tab = Tab(hub, sync)
    await tab.sees(0)
    sync.sql[STORE] = at(10)
    # The server's clock was an hour ahead, and is put right while it is restarted empty.
    ahead = f"{int((asyncio.get_running_loop().time() + 10**10) * 1000)}-0"
    await redis.xadd(STREAM, {"kind": "session", "key": "nobody", "body": b""}, id=ahead)
    await redis.flushall()
    await sync.commits(50)
    await tab.sees(50)
    await sync.commits(100)
    await tab.sees(100)
    await tab.close()


async def test_a_session_that_ends_ends_its_tabs_within_a_second_and_no_others(
    hub: Hub, sync: Sync
) -> None:
    mine = [Tab(hub, sync, session="mine"), Tab(hub, sync, store_id=OTHER, session="mine")]
    yours = Tab(hub, sync, session="yours")
    for tab in (*mine, yours):
        await tab.sees(0)
    assert await sync.stream.session_ended("mine")
    await until(lambda: all(tab.ended for tab in mine), within_s=1.0)
    await sync.commits(100)
    await yours.sees(100)
    assert not yours.ended
    for tab in (*mine, yours):
        await tab.close()
