"""Who gets a turn: a run taken up by the reaper gives way like any other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from brandmind.clock import utc_now
from brandmind.db import reaping, requests, runs
from brandmind.db.ledger import SqlLedger
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
