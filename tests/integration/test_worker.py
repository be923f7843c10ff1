"""The worker as a process: bells, silence, shut-down, and a Redis that comes and goes."""

from __future__ import annotations

import asyncio
import pickle
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgpack
import pytest
import redis

from brandmind.bus import jobs as bus_jobs
from brandmind.launch.valkey import EmbeddedValkey, packed_binary
from brandmind.services import syncs
from brandmind.settings import Settings
from brandmind.sync.stages import StoreStatus
from tests.faults.ground import ROOT, Ground, Shop, settings_for, standing, until
from tests.faults.invariants import broken
from worker.main import hang_up, make_worker

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]


@pytest.fixture
def valkey() -> Iterator[EmbeddedValkey]:
    """One of the test's own, to be killed."""
    with (
        tempfile.TemporaryDirectory(prefix="bm-") as folder,
        EmbeddedValkey(Path(folder), binary=packed_binary()) as server,
    ):
        yield server


@pytest.fixture
def settings(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, shopify: str) -> Settings:
    return settings_for(tmp_path, database_url=database_url, redis_url=valkey.url, shopify=shopify)


@pytest.fixture
async def ground(settings: Settings) -> AsyncIterator[Ground]:
    async with standing(settings) as found:
        yield found


def test_the_worker_never_loads_the_screens() -> None:
    asked = "import sys, worker.main; print([m for m in sys.modules if m.startswith('reflex')])"
    answer = subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"


# Of arq's making; the worker process ignores it too.
@pytest.mark.filterwarnings("ignore:.*retry_on_timeout:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:Call to deprecated close:DeprecationWarning")
async def test_a_rung_bell_is_heard_without_the_reaper(ground: Ground, shopify: str) -> None:
    shop = Shop(shopify)
    store_id = await ground.connect(shop)
    bells = make_worker(ground.rt)
    listening = asyncio.create_task(bells.async_run())
    try:
        await ground.completed(store_id)
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        # As the worker itself does: a job may be at its last step, and closing passes that on.
        await hang_up(bells)
    await ground.assert_whole(shop, store_id)


async def test_a_worker_process_reads_a_store_to_its_end(ground: Ground, shopify: str) -> None:
    worker = await ground.worker()
    shop = Shop(shopify)
    store_id = await ground.connect(shop)
    await ground.completed(store_id)
    await ground.assert_whole(shop, store_id)
    assert worker.is_alive


async def test_a_bell_never_rung_starts_within_twelve_seconds(
    settings: Settings, shopify: str
) -> None:
    async with standing(settings, rings=False) as ground:
        await ground.worker()
        shop = Shop(shopify)
        store_id = await ground.connect(shop)

        async def has_begun() -> bool:
            return (await ground.runs(store_id))[0].started_at is not None

        await until(has_begun, within_s=12.0)
        await ground.completed(store_id)
        await ground.assert_whole(shop, store_id)


async def test_a_worker_told_to_stop_is_out_in_three_seconds_and_the_next_goes_on(
    ground: Ground, shopify: str
) -> None:
    worker = await ground.worker()
    shop = Shop(shopify)
    # The shop, three counts, a few pages; then the worker waits for an answer that does not come.
    shop.hold_after(7)
    store_id = await ground.connect(shop)
    await until(lambda: shop.waiting)
    worker.send(signal.SIGTERM)
    assert await asyncio.to_thread(worker.process.wait, 3.0) == 0, worker.console
    (run,) = await ground.runs(store_id)
    assert run.status == "queued"
    assert [event.name for event in await ground.story(store_id)][-1] == "worker stopped"
    before = await ground.pages(store_id)
    assert before > 0

    shop.go_on()
    await ground.worker()
    await ground.completed(store_id)
    # A page read again would break the story.
    await ground.assert_whole(shop, store_id)


async def test_two_workers_never_work_on_one_store_at_once(ground: Ground, shopify: str) -> None:
    shops = [Shop(shopify, orders=500) for _ in range(4)]
    for shop in shops:
        shop.slow(0.05)
    workers = [await ground.worker() for _ in range(2)]
    stores = [await ground.connect(shop) for shop in shops]
    for store_id in stores * 5:
        # Bells without number: none of them gives a right.
        (run, *_) = await ground.runs(store_id)
        await ground.rt.jobs.ring(run.run_id)
    for shop, store_id in zip(shops, stores, strict=True):
        await ground.completed(store_id)
        await ground.assert_whole(shop, store_id)
    assert broken(await ground.story()) == []
    assert all(worker.is_alive for worker in workers)


@pytest.mark.parametrize("trouble", ["killed", "flushed", "away for eight seconds"])
async def test_redis_may_die_and_the_same_worker_ends_the_sync(
    ground: Ground, shopify: str, valkey: EmbeddedValkey, trouble: str
) -> None:
    worker = await ground.worker()
    shop = Shop(shopify)
    shop.hold_after(7)
    store_id = await ground.connect(shop)
    await until(lambda: shop.waiting)

    if trouble == "flushed":
        with redis.Redis.from_url(valkey.url) as client:
            client.flushall()
    else:
        valkey.kill()
    shop.go_on()
    if trouble == "killed":
        valkey.start()
        await ground.completed(store_id)
    elif trouble == "flushed":
        await ground.completed(store_id)
    else:
        # It ends while Redis is away, and not because Redis came back.
        await ground.completed(store_id)
        # Two patient seconds are what arq gives by itself.
        await asyncio.sleep(8.0)
        valkey.start()
    await ground.assert_whole(shop, store_id)
    assert worker.is_alive, worker.console

    # It hears again: a bell for nothing is taken from the queue. The bell it was at when Redis
    # died may stand there still, as being answered.
    with redis.Redis.from_url(valkey.url) as client:
        await until(lambda: _rung(ground))
        await until(lambda: not _bells_for(client, "nobody"))
    assert worker.is_alive, worker.console


def _bells_for(client: redis.Redis, run_id: str) -> list[bytes]:
    waiting = client.zrange(bus_jobs.QUEUE, 0, -1)
    return [one for one in waiting if one.startswith(f"sync:{run_id}:".encode())]


async def _rung(ground: Ground) -> bool:
    return await ground.rt.jobs.ring("nobody")


async def test_what_goes_over_the_wire_is_msgpack(ground: Ground, valkey: EmbeddedValkey) -> None:
    assert await ground.rt.jobs.ring("some-run")
    with redis.Redis.from_url(valkey.url) as client:
        (key,) = client.keys("arq:job:*")
        told: dict[str, Any] = msgpack.unpackb(client.get(key), raw=False)
    assert told["f"] == bus_jobs.RUN_JOB
    assert told["a"] == ["some-run"]


async def test_a_pickle_in_the_queue_runs_nothing(
    ground: Ground, shopify: str, valkey: EmbeddedValkey, tmp_path: Path
) -> None:
    proof = tmp_path / "it-ran"
    evil = pickle.dumps({"t": 1, "f": bus_jobs.RUN_JOB, "a": (_Bomb(proof),), "k": {}, "et": 1})
    with redis.Redis.from_url(valkey.url) as client:
        client.set("arq:job:evil", evil)
        client.zadd(bus_jobs.QUEUE, {"evil": 1})
        worker = await ground.worker()
        await until(lambda: client.zcard(bus_jobs.QUEUE) == 0)
    assert not proof.exists()
    store_id = await ground.connect(Shop(shopify, orders=50))
    await ground.completed(store_id)
    assert worker.is_alive
    progress = await syncs.progress(ground.rt, store_id)
    assert progress.status is StoreStatus.COMPLETED


class _Bomb:
    """Touches a file where it is unpickled."""

    def __init__(self, proof: Path) -> None:
        self._proof = proof

    def __reduce__(self) -> Any:
        return (Path.touch, (self._proof,))


async def test_a_worker_that_dies_with_many_runs_leaves_none_waiting(
    ground: Ground, shopify: str
) -> None:
    shops = [Shop(shopify, orders=60, products=30, customers=30) for _ in range(5)]
    for shop in shops:
        shop.hold_after(6)
    victim = await ground.worker()
    stores = [await ground.connect(shop) for shop in shops]
    await until(lambda: all(shop.waiting for shop in shops))
    heir = await ground.worker()
    victim.end()

    # More than the reaper resumes by itself; the shops still answer nobody.
    async def all_have_an_owner() -> bool:
        return {await ground.owner_pid(store_id) for store_id in stores} == {heir.pid}

    await until(all_have_an_owner)
    for shop in shops:
        shop.go_on()
    for shop, store_id in zip(shops, stores, strict=True):
        await ground.completed(store_id)
        await ground.assert_whole(shop, store_id)
