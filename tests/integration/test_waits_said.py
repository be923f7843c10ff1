"""A wait of the shop's asking is said as a wait, to whoever watches and to whoever comes later."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from brandmind.db import runs
from brandmind.db.ledger import SqlLedger
from brandmind.db.session import Database
from brandmind.runtime import open_runtime
from brandmind.services import syncs
from brandmind.services.announcing import LiveAnnouncer
from brandmind.settings import Settings
from brandmind.sync.progress import StoreProgress
from brandmind.sync.stages import StoreStatus
from tests.faults.ground import Ground, Shop, settings_for
from tests.memory_shop import MemoryShop
from tests.sync_world import SyncWorld

# A page of orders asks for about 600 points before it runs and pays a third of them: it is waited
# for some seconds, however slow the machine.
SMALL_POINTS, RESTORED_PER_S = 700.0, 60.0
# Of no machine: a wait that ends when the test says so.
LONG_S = 30.0


@pytest.fixture
def settings(sqlite_url: str, valkey_url: str, shopify: str, tmp_path: Path) -> Settings:
    return settings_for(tmp_path, database_url=sqlite_url, redis_url=valkey_url, shopify=shopify)


@pytest.mark.timeout(120)
async def test_a_reading_held_back_by_its_budget_says_so_and_ends(
    settings: Settings, shopify: str
) -> None:
    shop = Shop(shopify, orders=300, products=20, customers=20)
    shop.control("config", unlimited=False, bucket_size=SMALL_POINTS, restore_rate=RESTORED_PER_S)
    said: list[StoreProgress] = []
    come_later: list[StoreProgress] = []
    async with open_runtime(settings) as rt:
        rt.hub.start()
        store_id = await Ground(rt).connect(shop)
        async with rt.hub.watch(store_id) as changes:
            working = asyncio.create_task(syncs.work(rt, store_id=store_id))
            while not said or said[-1].status is not StoreStatus.COMPLETED:
                said.append(await changes.next())
                come_later.append(await syncs.progress(rt, store_id))
            await working
        await rt.hub.stop()
    assert {one.waiting for one in said} == {None, "throttled"}
    # A wait is no failure, and it ends.
    assert not any(one.status is StoreStatus.FAILED for one in said)
    assert said[-1].waiting is None
    # A page that is opened during the wait knows it too.
    assert "throttled" in {one.waiting for one in come_later}
    assert come_later[-1].waiting is None


class Told:
    """`Signals` that keeps what was told, and can be waited for."""

    def __init__(self) -> None:
        self._heard: asyncio.Queue[StoreProgress] = asyncio.Queue()

    async def progress(self, progress: StoreProgress) -> bool:
        self._heard.put_nowait(progress)
        return True

    async def next(self) -> StoreProgress:
        return await asyncio.wait_for(self._heard.get(), timeout=20.0)


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[SyncWorld]:
    db = Database(database_url)
    found = SyncWorld(db, MemoryShop())
    await found.connect()
    yield found
    db.close()


async def claimed(world: SyncWorld) -> SqlLedger:
    claim = await world.db.write(runs.claim_next, owner="one", oldest_first=False)
    assert claim is not None
    return SqlLedger(world.db, claim)


def announcer_of(world: SyncWorld, ledger: SqlLedger, told: Told) -> LiveAnnouncer:
    rt: Any = SimpleNamespace(db=world.db, signals=told)
    return LiveAnnouncer(rt, ledger)


async def test_a_page_that_lands_before_a_wait_is_told_with_the_wait(world: SyncWorld) -> None:
    told, ledger = Told(), await claimed(world)
    announcer = announcer_of(world, ledger, told)
    announcer.waiting_s = lambda: LONG_S
    announcer.changed()
    assert (await told.next()).waiting == "throttled"
    # It is written down only if it lasts: the page has told its news first.
    await announcer.close()


async def test_a_wait_during_which_nothing_lands_is_written_down_once(world: SyncWorld) -> None:
    told, ledger = Told(), await claimed(world)
    announcer = announcer_of(world, ledger, told)
    announcer.waiting_s = lambda: LONG_S
    assert (await told.next()).waiting == "throttled"
    assert (await world.progress()).waiting == "throttled"
    assert not await ledger.waits()
    await announcer.close()


async def test_a_wait_too_short_to_be_noticed_is_not_told(world: SyncWorld) -> None:
    told, ledger = Told(), await claimed(world)
    announcer = announcer_of(world, ledger, told)
    announcer.waiting_s = lambda: 1.0
    announcer.changed()
    assert (await told.next()).waiting is None
    await announcer.close()
    assert (await world.progress()).waiting is None


async def test_the_next_page_ends_a_wait_that_was_written_down(world: SyncWorld) -> None:
    ledger = await claimed(world)
    assert await ledger.waits()
    assert (await world.progress()).waiting == "throttled"
    await world.db.write(runs.set_down, ledger.claim, name="yielded")
    assert (await world.to_the_end()).waiting is None
