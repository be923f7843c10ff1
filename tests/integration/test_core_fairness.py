"""Who gets a turn: a run taken up by the reaper gives way like any other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from brandmind.clock import utc_now
from brandmind.db import reaping, requests, runs
from brandmind.db.ledger import SqlLedger
from brandmind.db.session import db_now
from brandmind.db.tables import RUN, STORE
from brandmind.runtime import Runtime, open_runtime
from brandmind.services import syncs
from brandmind.sync.ports import Page
from brandmind.sync.stages import Kind, Priority, Stage
from tests.faults.ground import settings_for

STORE_ID = "a11ce00000"


class Bell:
    """A queue that is there or away."""

    def __init__(self, *, away: bool) -> None:
        self.away = away
        self.rung: list[str] = []

    async def ring(self, run_id: str) -> bool:
        self.rung.append(run_id)
        return not self.away

    async def close(self) -> None:
        return None


@pytest.fixture
async def rt(database_url: str, tmp_path: Path) -> AsyncIterator[Runtime]:
    async with open_runtime(settings_for(tmp_path, database_url=database_url), jobs=False) as rt:
        await rt.db.write(_insert_store, STORE_ID)
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
            scopes="read_orders,read_all_orders",
            epoch=1,
            read_no=0,
            history_done=False,
            synced_until=utc_now(),
            installed_at=utc_now(),
        )
    )


def _history(session: Any) -> str:
    return runs.insert_run(
        session,
        STORE_ID,
        kind=Kind.HISTORICAL,
        priority=Priority.HISTORY,
        reason="history",
        epoch=1,
    )


class Slices:
    """Stands in for the work of a slice: history yields to a person once, then each run ends."""

    def __init__(self) -> None:
        self.worked: list[Kind] = []

    async def execute(self, rt: Runtime, claim: runs.Claim, *, slice_s: float = 5.0) -> None:
        self.worked.append(claim.kind)
        if len(self.worked) == 1:
            await rt.db.write(requests.request, STORE_ID, by="alice")
            await rt.db.write(runs.set_down, claim, name="yielded")
            return
        await rt.db.write(
            lambda s: s.execute(
                sa.update(RUN).where(RUN.c.run_id == claim.run_id).values(status="done")
            )
        )


async def test_a_run_the_reaper_took_up_gives_way_to_a_person_while_redis_is_away(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    slices = Slices()
    monkeypatch.setattr(syncs, "execute", slices.execute)
    rt.jobs = Bell(away=True)
    await syncs.resume(rt, await rt.db.write(_history))
    assert slices.worked == [Kind.HISTORICAL, Kind.INCREMENTAL, Kind.HISTORICAL]


async def test_a_run_the_reaper_took_up_goes_back_to_the_queue_after_its_slice(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    slices = Slices()
    monkeypatch.setattr(syncs, "execute", slices.execute)
    rt.jobs = bell = Bell(away=False)
    run_id = await rt.db.write(_history)
    await syncs.resume(rt, run_id)
    assert slices.worked == [Kind.HISTORICAL]
    assert bell.rung == [run_id]


async def test_a_run_whose_worker_is_told_to_stop_is_rung_for(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asyncio.Event()

    async def works_for_ever(*_args: Any, **_named: Any) -> None:
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(syncs, "_run", works_for_ever)
    rt.jobs = bell = Bell(away=False)
    run_id = await rt.db.write(_history)
    work = asyncio.create_task(syncs.work(rt))
    await begun.wait()
    assert bell.rung == []
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    assert work.cancelled()
    # Put back first: who comes at that bell must find it.
    assert bell.rung == [run_id]
    (status,) = await rt.db.read(lambda s: s.execute(sa.select(RUN.c.status)).scalars().all())
    assert status == "queued"


async def _yields(rt: Runtime, claim: runs.Claim) -> bool:
    return await SqlLedger(rt.db, claim).should_yield(slice_over=True)


async def test_a_slice_gives_way_to_those_who_could_be_claimed_and_to_no_others(
    rt: Runtime,
) -> None:
    run_id = await rt.db.write(requests.request, STORE_ID, by="alice")
    claim = await rt.db.write(runs.claim_next, owner="one", oldest_first=False, run_id=run_id)
    assert claim is not None
    # The store's own older orders come after this run anyway.
    await rt.db.write(_history)
    assert not await _yields(rt, claim)
    await rt.db.write(_insert_store, "b0b0000000")
    await rt.db.write(requests.request, "b0b0000000", by="bob")
    await rt.db.write(_pause, utc_now())
    assert not await _yields(rt, claim)
    await rt.db.write(_pause, None)
    assert await _yields(rt, claim)


async def test_a_run_gives_way_early_to_one_whose_watcher_has_seen_nothing_yet(
    rt: Runtime,
) -> None:
    run_id = await rt.db.write(requests.request, STORE_ID, by="alice")
    claim = await rt.db.write(runs.claim_next, owner="one", oldest_first=False, run_id=run_id)
    assert claim is not None
    await rt.db.write(_insert_store, "b0b0000000")
    other = await rt.db.write(requests.request, "b0b0000000", by="bob")

    async def gives_way(**values: Any) -> bool:
        waited = {"due_at": utc_now() - timedelta(seconds=1), "fence": 0} | values
        await rt.db.write(
            lambda s: s.execute(sa.update(RUN).where(RUN.c.run_id == other).values(**waited))
        )
        return await SqlLedger(rt.db, claim).should_yield(slice_over=False)

    assert await gives_way()
    # A free slot takes it sooner than we could.
    assert not await gives_way(due_at=utc_now())
    # It had its turn, and has the next when our slice is over.
    assert not await gives_way(fence=1)
    assert not await gives_way(priority=Priority.HISTORY.rank)
    assert await gives_way(priority=Priority.WEBHOOK.rank)


def _pause(session: Any, at: Any) -> None:
    session.execute(sa.update(STORE).where(STORE.c.store_id == "b0b0000000").values(paused_at=at))


async def _dies(rt: Runtime, run_id: str) -> bool:
    """Claim the run and die of it; False if it is not due."""
    claim = await rt.db.write(runs.claim_next, owner="one", oldest_first=False, run_id=run_id)
    if claim is None:
        return False
    for pulse in await rt.db.read(reaping.pulses):
        assert await rt.db.write(reaping.take_over, pulse, why="test")
    return True


async def test_a_run_that_kills_every_owner_rests_between_its_tries(rt: Runtime) -> None:
    run_id = await rt.db.write(_history)
    deaths = 0
    while await _dies(rt, run_id):
        deaths += 1
        assert deaths < 10
    assert deaths == 4


async def test_a_run_that_gets_on_between_two_deaths_is_due_at_once(rt: Runtime) -> None:
    run_id = await rt.db.write(_history)
    cursor = ""
    for number in range(6):
        claim = await rt.db.write(runs.claim_next, owner="one", oldest_first=False, run_id=run_id)
        assert claim is not None
        ledger = SqlLedger(rt.db, claim)
        if not number:
            await ledger.begin(Stage.HISTORY, total=None)
        page = Page(stage=Stage.HISTORY, records=(), next_cursor=str(number))
        cursor = (await ledger.land(page, after=cursor)).cursor
        for pulse in await rt.db.read(reaping.pulses):
            assert await rt.db.write(reaping.take_over, pulse, why="test")


# The order of claims


_PRIORITIES = (
    (Kind.HISTORICAL, Priority.HISTORY),
    (Kind.INCREMENTAL, Priority.INCREMENTAL),
    (Kind.FULL, Priority.FIRST),
    (Kind.INCREMENTAL, Priority.MANUAL),
    (Kind.INCREMENTAL, Priority.WEBHOOK),
)


async def _queue_one_of_each(rt: Runtime) -> None:
    """A store for each priority, the least urgent one waiting longest."""
    for number, (kind, priority) in enumerate(_PRIORITIES):
        store_id = f"c{number:09}"
        await rt.db.write(_insert_store, store_id)
        run_id = await rt.db.write(
            runs.insert_run, store_id, kind=kind, priority=priority, reason="test", epoch=1
        )
        await rt.db.write(_due_ago, run_id, seconds=100 - number)


def _due_ago(session: Any, run_id: str, *, seconds: float) -> None:
    at = db_now(session) - timedelta(seconds=seconds)
    session.execute(sa.update(RUN).where(RUN.c.run_id == run_id).values(due_at=at))


async def _claimed(rt: Runtime, *, oldest_first: bool = False) -> runs.Claim | None:
    return await rt.db.write(runs.claim_next, owner="one", oldest_first=oldest_first)


def _priority_of(session: Any, run_id: str) -> int:
    return int(
        session.execute(sa.select(RUN.c.priority).where(RUN.c.run_id == run_id)).scalar_one()
    )


async def test_the_most_urgent_run_is_claimed_first(rt: Runtime) -> None:
    await _queue_one_of_each(rt)
    order = []
    while (claim := await _claimed(rt)) is not None:
        order.append(await rt.db.read(_priority_of, claim.run_id))
    assert order == [priority.rank for priority in Priority]


async def test_the_oldest_due_is_claimed_whatever_its_priority(rt: Runtime) -> None:
    await _queue_one_of_each(rt)
    claim = await _claimed(rt, oldest_first=True)
    assert claim is not None
    assert claim.kind is Kind.HISTORICAL


async def test_every_fifth_turn_is_the_longest_waitings(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def claim_next(session: Any, *, oldest_first: bool, **more: Any) -> runs.Claim | None:
        asked.append(oldest_first)
        return real(session, oldest_first=oldest_first, **more) if len(asked) < 12 else None

    async def execute(rt: Runtime, claim: runs.Claim, *, slice_s: float = 5.0) -> None:
        await rt.db.write(runs.set_down, claim, name="yielded")

    real = runs.claim_next
    monkeypatch.setattr(runs, "claim_next", claim_next)
    monkeypatch.setattr(syncs, "execute", execute)
    await rt.db.write(_history)
    await syncs.work(rt)
    assert [number for number, oldest in enumerate(asked, 1) if oldest] == [5, 10]


async def test_a_store_has_one_run_at_a_time_though_many_claim_at_once(rt: Runtime) -> None:
    await rt.db.write(_history)
    await rt.db.write(requests.request, STORE_ID, by="alice")
    claims = await asyncio.gather(*(_claimed(rt) for _ in range(8)))
    assert [claim.kind for claim in claims if claim is not None] == [Kind.INCREMENTAL]


async def test_the_database_itself_refuses_a_second_running_run_of_a_store(rt: Runtime) -> None:
    await rt.db.write(_history)
    await rt.db.write(requests.request, STORE_ID, by="alice")
    assert await _claimed(rt) is not None
    with pytest.raises(IntegrityError):
        await rt.db.write(lambda s: s.execute(sa.update(RUN).values(status="running")))


async def test_history_gives_way_to_its_own_store_before_its_slice_is_over(rt: Runtime) -> None:
    run_id = await rt.db.write(_history)
    claim = await rt.db.write(runs.claim_next, owner="one", oldest_first=False, run_id=run_id)
    assert claim is not None
    ledger = SqlLedger(rt.db, claim)
    assert not await ledger.should_yield(slice_over=False)
    await rt.db.write(
        runs.want, STORE_ID, kind=Kind.INCREMENTAL, priority=Priority.WEBHOOK, reason="orders"
    )
    assert await ledger.should_yield(slice_over=False)


async def test_twenty_small_stores_get_their_turns_while_a_big_history_runs(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers; the history needs many slices, a small store two: what matters is the order."""
    small = [f"d{number:09}" for number in range(20)]
    slices: dict[str, int] = {STORE_ID: 60, **dict.fromkeys(small, 2)}
    order: list[str] = []

    async def execute(rt: Runtime, claim: runs.Claim, *, slice_s: float = 5.0) -> None:
        order.append(claim.store_id)
        slices[claim.store_id] -= 1
        if slices[claim.store_id]:
            await rt.db.write(runs.set_down, claim, name="yielded")
        else:
            await rt.db.write(
                lambda s: s.execute(
                    sa.update(RUN).where(RUN.c.run_id == claim.run_id).values(status="done")
                )
            )

    monkeypatch.setattr(syncs, "execute", execute)
    await rt.db.write(_history)
    for store_id in small:
        await rt.db.write(_insert_store, store_id)
        await rt.db.write(runs.insert_first_run, store_id, epoch=1)
    await asyncio.gather(syncs.work(rt), syncs.work(rt))
    assert not any(slices.values())
    last_small = max(at for at, store_id in enumerate(order) if store_id != STORE_ID)
    before = order[: last_small + 1].count(STORE_ID)
    # The history has every fifth turn and no more while anybody else waits, but never none.
    assert 0 < before <= len(order[: last_small + 1]) // 5 + 2
    firsts = [order.index(store_id) for store_id in small]
    # Each store's first turn comes before any has had a second one too many.
    assert max(firsts) < 2 * len(small) + before
