"""The reaper: whose beat stands still is dead, whose beat moves is not, whatever clocks say."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from brandmind.clock import utc_now
from brandmind.db import reaping, runs
from brandmind.db.tables import EVENT, RUN, STORE
from brandmind.launch.valkey import EmbeddedValkey, packed_binary
from brandmind.owner import this_owner
from brandmind.runtime import Runtime, open_runtime
from brandmind.services import reaper as reaper_module
from brandmind.services import syncs
from brandmind.services.reaper import Reaper
from brandmind.settings import Settings
from brandmind.sync.progress import StoreProgress
from tests.faults.ground import ROOT, Ground, Shop, settings_for, standing, until

STORE_ID = "a11ce00000"
# Of a machine elsewhere: nobody here can tell whether its process lives.
ELSEWHERE = "another-boot|pid:[1]|77|1|abcdef01"


class Clock:
    """The reaper's own monotonic clock, turned by hand."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Ears:
    """Hears what watchers would."""

    heard: list[StoreProgress] = field(default_factory=list)
    deaf: bool = False

    async def progress(self, progress: StoreProgress) -> bool:
        if not self.deaf:
            self.heard.append(progress)
        return not self.deaf

    async def session_ended(self, session_id: str) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(reaper_module, "monotonic_s", clock)
    return clock


@pytest.fixture
async def rt(database_url: str, tmp_path: Path) -> AsyncIterator[Runtime]:
    async with open_runtime(settings_for(tmp_path, database_url=database_url), jobs=False) as rt:
        rt.signals = Ears()
        await rt.db.write(_insert_store)
        yield rt


def _insert_store(
    session: Any, store_id: str = STORE_ID, domain: str = "harbor-and-pine.myshopify.com"
) -> None:
    session.execute(
        sa.insert(STORE).values(
            store_id=store_id,
            domain=domain,
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


async def _claim(rt: Runtime, *, owner: str) -> runs.Claim:
    claim = await rt.db.write(runs.claim_next, owner=owner, oldest_first=False)
    assert claim is not None
    return claim


async def _run(rt: Runtime) -> Any:
    return await rt.db.read(lambda session: session.execute(sa.select(RUN)).one())


async def test_a_beat_that_stands_still_for_the_lease_is_a_death(rt: Runtime, clock: Clock) -> None:
    claim = await _claim(rt, owner=ELSEWHERE)
    reaper = Reaper(rt, lease_s=4.0)
    assert await reaper.look() == []
    clock.now_s += 3.9
    assert await reaper.look() == []
    clock.now_s += 0.2
    assert await reaper.look() == [claim.run_id]
    run = await _run(rt)
    assert run.status == "queued"
    assert run.fence == claim.fence + 1


async def test_an_owner_that_is_slow_but_alive_is_never_robbed(rt: Runtime, clock: Clock) -> None:
    claim = await _claim(rt, owner=ELSEWHERE)
    reaper = Reaper(rt, lease_s=4.0)
    for _ in range(20):
        assert await reaper.look() == []
        clock.now_s += 3.9
        assert await rt.db.write(reaping.beat, claim.run_id, claim.fence)
    assert (await _run(rt)).fence == claim.fence


async def test_a_beat_between_the_look_and_the_taking_saves_the_owner(
    rt: Runtime, clock: Clock
) -> None:
    claim = await _claim(rt, owner=ELSEWHERE)
    (seen,) = await rt.db.read(reaping.pulses)
    assert await rt.db.write(reaping.beat, claim.run_id, claim.fence)
    assert not await rt.db.write(reaping.take_over, seen, why="test")
    assert (await _run(rt)).status == "running"


async def test_two_reapers_take_a_dead_run_once(rt: Runtime, clock: Clock) -> None:
    claim = await _claim(rt, owner=ELSEWHERE)
    both = [Reaper(rt), Reaper(rt)]
    for reaper in both:
        await reaper.look()
    clock.now_s += 5.0
    taken = [await reaper.look() for reaper in both]
    assert taken == [[claim.run_id], []]
    assert (await _run(rt)).fence == claim.fence + 1


async def test_an_owner_of_this_host_that_is_gone_is_taken_over_at_the_first_look(
    rt: Runtime, clock: Clock
) -> None:
    said = "from brandmind.owner import this_owner; print(this_owner())"
    gone = subprocess.run(
        [sys.executable, "-c", said], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    claim = await _claim(rt, owner=gone)
    assert await Reaper(rt).look() == [claim.run_id]


async def test_a_living_owner_of_this_host_has_its_whole_lease(rt: Runtime, clock: Clock) -> None:
    claim = await _claim(rt, owner=this_owner())
    reaper = Reaper(rt)
    assert await reaper.look() == []
    clock.now_s += 3.9
    assert await reaper.look() == []
    clock.now_s += 0.2
    assert await reaper.look() == [claim.run_id]


async def test_a_reaper_that_had_to_wait_itself_judges_nobody(
    rt: Runtime, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _claim(rt, owner=ELSEWHERE)
    reaper = Reaper(rt)
    await reaper.look()
    clock.now_s += 10.0
    look = reaping.pulses

    def slow(session: Any) -> Any:
        clock.now_s += 1.5
        return look(session)

    monkeypatch.setattr(reaping, "pulses", slow)
    assert await reaper.look() == []
    monkeypatch.setattr(reaping, "pulses", look)
    assert len(await reaper.look()) == 1


async def test_a_run_nobody_heard_of_is_found_after_two_seconds(rt: Runtime, clock: Clock) -> None:
    assert await Reaper(rt).look() == []
    await rt.db.write(lambda s: s.execute(
        sa.update(RUN).values(due_at=utc_now() - timedelta(seconds=2.5))))  # fmt: skip
    assert len(await Reaper(rt).look()) == 1


@pytest.mark.postgres
async def test_two_who_claim_at_the_same_instant_both_find_work(
    postgres_database_url: str, tmp_path: Path
) -> None:
    settings = settings_for(tmp_path, database_url=postgres_database_url)
    async with open_runtime(settings, jobs=False) as rt:
        await rt.db.write(_insert_store)
        await rt.db.write(_insert_store, "b0b0000000", "second.myshopify.com")
        claimed, go_on = threading.Event(), threading.Event()

        def slowly(session: Any) -> runs.Claim | None:
            claim = runs.claim_next(session, owner="one", oldest_first=False)
            claimed.set()
            go_on.wait(30)
            return claim

        first = asyncio.create_task(rt.db.write(slowly))
        await asyncio.to_thread(claimed.wait, 30)
        try:
            second = await _claim(rt, owner="two")
        finally:
            go_on.set()
        one = await first
        assert one is not None
        assert {one.store_id, second.store_id} == {STORE_ID, "b0b0000000"}


async def test_a_failed_run_is_tried_again_once_its_time_has_come(
    rt: Runtime, clock: Clock
) -> None:
    claim = await _claim(rt, owner=ELSEWHERE)
    await rt.db.write(
        runs.fail, claim, error="Shopify is away.", error_kind="transient", request_ref=None,
        retry_in_s=900.0,
    )  # fmt: skip
    assert await Reaper(rt).look() == []
    assert (await _run(rt)).status == "failed"
    await rt.db.write(lambda s: s.execute(sa.update(RUN).values(retry_at=utc_now())))
    assert await Reaper(rt).look() == [claim.run_id]
    run = await _run(rt)
    assert (run.status, run.retries, run.retry_at) == ("queued", 1, None)


async def test_a_change_that_nobody_told_is_told(rt: Runtime, clock: Clock) -> None:
    ears = rt.signals
    assert isinstance(ears, Ears)
    run = await _run(rt)
    assert run.announced_seq < run.seq
    reaper = Reaper(rt)
    await reaper.look()
    assert ears.heard == []
    ears.deaf = True
    clock.now_s += 1.1
    await reaper.look()
    assert (await _run(rt)).announced_seq < run.seq
    # Redis is back: it is told once, and not again.
    ears.deaf = False
    for _ in range(3):
        clock.now_s += 1.1
        await reaper.look()
    assert [progress.store_id for progress in ears.heard] == [STORE_ID]
    assert (await _run(rt)).announced_seq == run.seq


# With real processes


@pytest.fixture
def settings(tmp_path: Path, database_url: str, shopify: str) -> Iterator[Settings]:
    with (
        tempfile.TemporaryDirectory(prefix="bm-") as folder,
        EmbeddedValkey(Path(folder), binary=packed_binary()) as valkey,
    ):
        yield settings_for(
            tmp_path, database_url=database_url, redis_url=valkey.url, shopify=shopify
        )


@pytest.fixture
async def ground(settings: Settings) -> AsyncIterator[Ground]:
    async with standing(settings) as found:
        yield found


@pytest.mark.faults
async def test_a_worker_that_stood_still_past_its_lease_writes_not_one_row(
    ground: Ground, shopify: str
) -> None:
    zombie = await ground.worker()
    shop = Shop(shopify, orders=600)
    shop.hold_after(6)
    store_id = await ground.connect(shop)
    await until(lambda: shop.waiting)

    async def has_landed_what_came() -> bool:
        # The page before the one asked for may still be on its way into the database, and a
        # process that is stopped in there keeps its locks (docs/reliability.md).
        before = len(await ground.story(store_id))
        await asyncio.sleep(0.5)
        return len(await ground.story(store_id)) == before

    await until(has_landed_what_came)
    zombie.send(signal.SIGSTOP)
    (claimed,) = await ground.runs(store_id)
    other = await ground.worker()

    async def is_taken() -> bool:
        return await ground.owner_pid(store_id) == other.pid

    await until(is_taken)
    shop.go_on()
    await ground.completed(store_id)
    written = len(await ground.story(store_id))

    # Its page is answered and its rows are at hand when it wakes.
    zombie.send(signal.SIGCONT)
    other.send(signal.SIGTERM)
    await asyncio.to_thread(other.process.wait)
    second = Shop(shopify, orders=60)
    second_id = await ground.connect(second)
    await ground.completed(second_id)
    assert f"|{zombie.pid}|" in (await ground.runs(second_id))[0].owner
    assert len(await ground.story(store_id)) == written
    pages = await ground.db.read(lambda s: s.execute(
        sa.select(EVENT.c.fence).where(EVENT.c.name == "page", EVENT.c.store_id == store_id,
                                       EVENT.c.run_id == claimed.run_id)).all())  # fmt: skip
    assert {row.fence for row in pages} > {claimed.fence}
    await ground.assert_whole(shop, store_id)
    await ground.assert_whole(second, second_id)


@pytest.mark.faults
async def test_a_clock_that_jumps_ten_minutes_steals_no_lease(
    ground: Ground, shopify: str, tmp_path: Path
) -> None:
    wall = tmp_path / "clock"
    wall.write_text("0")
    owner = await ground.worker(clock=wall)
    shop = Shop(shopify, orders=600)
    shop.hold_after(6)
    store_id = await ground.connect(shop)
    await until(lambda: shop.waiting)
    (claimed,) = await ground.runs(store_id)
    assert f"|{owner.pid}|" in claimed.owner
    await ground.worker(clock=wall)
    for offset_s in (600, -600):
        wall.write_text(str(offset_s))
        beat = (await ground.runs(store_id))[0].beat

        # Nothing but the heart moves it while the page hangs: longer than the lease of four.
        async def has_lived(beat: int = beat) -> bool:
            return bool((await ground.runs(store_id))[0].beat >= beat + 7)

        await until(has_lived)
        (run,) = await ground.runs(store_id)
        assert (run.fence, run.owner) == (claimed.fence, claimed.owner)
    shop.go_on()
    await ground.completed(store_id)
    await ground.assert_whole(shop, store_id)
    # What changes meanwhile is read by the next sync, whatever our clock says.
    shop.control("orders", count=3)
    await syncs.request(ground.rt, store_id, by="somebody")
    await ground.completed(store_id)
    await ground.assert_whole(shop, store_id)
    assert len(await ground.runs(store_id)) == 3
