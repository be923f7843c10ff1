"""A cancelled sync is gone at its next beat, even from a worker whose shop never answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import worker.main
from brandmind.services import heart, syncs
from brandmind.settings import Settings
from brandmind.sync.stages import StoreStatus
from tests.faults.ground import Ground, Shop, contents, settings_for, standing, until
from tests.faults.invariants import broken

# Of arq's making; the worker process ignores it too.
pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.filterwarnings("ignore:.*retry_on_timeout:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Call to deprecated close:DeprecationWarning"),
]

# A beat, and what a machine shared with other tests may take to notice it. The client's own
# patience with a silent shop is fifteen times as long.
GONE_S = heart.BEAT_S + 1.2
# The shop, three counts, a few pages; then no answer comes.
HELD_AFTER = 7


@pytest.fixture
def settings(tmp_path: Path, database_url: str, valkey_url: str, shopify: str) -> Settings:
    return settings_for(tmp_path, database_url=database_url, redis_url=valkey_url, shopify=shopify)


@pytest.fixture
async def ground(settings: Settings) -> AsyncIterator[Ground]:
    async with standing(settings) as found:
        yield found


@asynccontextmanager
async def one_slot(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """A worker that hears bells with a single slot and has no reaper to help it."""
    monkeypatch.setattr(worker.main, "MAX_JOBS", 1)
    bells = worker.main.make_worker(ground.rt)
    listening = asyncio.create_task(bells.async_run())
    try:
        yield bells
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        # As the worker itself does: a job may be at its last step, and closing passes that on.
        await worker.main.hang_up(bells)


async def held(ground: Ground, shop: Shop) -> str:
    """A store whose first sync has stored some pages and now stands at the gate."""
    shop.hold_after(HELD_AFTER)
    store_id = await ground.connect(shop)
    await until(lambda: shop.waiting)
    assert await ground.pages(store_id) > 0
    return store_id


async def has_begun(ground: Ground, store_id: str) -> bool:
    (run, *_) = await ground.runs(store_id)
    return run.started_at is not None


async def test_a_cancelled_sync_frees_its_slot_though_its_shop_never_answers(
    ground: Ground, shopify: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent, other = Shop(shopify), Shop(shopify, orders=120)
    async with one_slot(ground, monkeypatch) as bells:
        store_id = await held(ground, silent)
        stored = await asyncio.to_thread(contents, ground.db, store_id)
        next_id = await ground.connect(other)
        (job,) = bells.tasks.values()

        await syncs.cancel(ground.rt, store_id, by="alice")
        # The one job of the one slot goes on with the other store.
        await until(lambda: has_begun(ground, next_id), within_s=GONE_S)
        assert not job.done()
        await ground.completed(next_id)
        await until(job.done)
        assert silent.waiting, "the gate was open"

        assert await asyncio.to_thread(contents, ground.db, store_id) == stored
        assert stored["product"]
        (run,) = await ground.runs(store_id)
        assert (run.status, run.ended_by) == ("cancelled", "alice")
        assert [event.name for event in await ground.story(store_id)][-1] == "cancelled"
        assert (await syncs.progress(ground.rt, store_id)).status is StoreStatus.CANCELLED
        assert broken(await ground.story()) == []
    await ground.assert_whole(other, next_id)


async def test_a_worker_told_to_stop_as_its_sync_is_cancelled_stops(
    ground: Ground, shopify: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two reasons to be cancelled, the loss of the run answers one alone."""

    class LastHeart(heart.Heart):
        def _lose(self) -> None:
            super()._lose()
            working.cancel()

    monkeypatch.setattr(syncs, "Heart", LastHeart)
    store_id = await ground.connect(shop := Shop(shopify))
    shop.hold_after(HELD_AFTER)
    working = asyncio.create_task(syncs.work(ground.rt, store_id=store_id))
    await until(lambda: shop.waiting)
    await syncs.cancel(ground.rt, store_id, by="alice")
    await until(working.done, within_s=GONE_S)
    assert working.cancelled()
    (run,) = await ground.runs(store_id)
    assert run.status == "cancelled"
    assert broken(await ground.story()) == []
