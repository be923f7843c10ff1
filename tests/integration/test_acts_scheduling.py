"""What is read by itself: once a night, on the moved clock, spread, and never where it must not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from brandmind import clock
from brandmind.clock import utc_now
from brandmind.db import runs, scheduling
from brandmind.db.tables import EVENT, TOKEN
from brandmind.runtime import Runtime, open_runtime
from brandmind.services import scheduling as scheduler
from brandmind.sync.stages import Kind, Priority
from tests.factories import make_order
from tests.faults.ground import settings_for
from tests.integration.store_ground import (
    STORE_ID,
    claim,
    close_stages,
    insert_store,
    run_rows,
    set_run,
    set_store,
    store_row,
)

DAY = timedelta(days=1)


class Bell:
    def __init__(self) -> None:
        self.rung: list[str] = []

    async def ring(self, run_id: str) -> bool:
        self.rung.append(run_id)
        return True

    async def close(self) -> None:
        return None


@pytest.fixture
async def rt(database_url: str, tmp_path: Path) -> AsyncIterator[Runtime]:
    async with open_runtime(settings_for(tmp_path, database_url=database_url), jobs=False) as rt:
        rt.jobs = Bell()
        await rt.db.write(insert_store, synced_until=utc_now(), history_done=True)
        yield rt


@pytest.fixture
def ahead(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Moves the clock of this process as the stories move that of a house."""
    told = tmp_path / "clock"
    monkeypatch.setattr(clock, "_OFFSET_FILE", str(told))
    return lambda by: told.write_text(str(by.total_seconds()))


async def _live(rt: Runtime) -> list[Any]:
    return [row for row in await rt.db.read(run_rows) if row.status in runs.LIVE]


async def _ends(rt: Runtime) -> None:
    at = await claim(rt.db)
    assert at is not None
    await rt.db.write(close_stages, at.run_id)
    await rt.db.write(runs.finish, at)


async def test_each_night_has_one_sync_on_the_moved_clock(rt: Runtime, ahead: Any) -> None:
    await scheduler.sweep(rt)
    first = (await rt.db.read(store_row)).nightly_at
    assert first is not None
    assert utc_now() < first < utc_now() + DAY
    for night in range(1, 4):
        ahead(first - datetime.now(UTC) + (night - 1) * DAY - timedelta(minutes=1))
        assert await scheduler.sweep(rt) == 0
        assert not await _live(rt)
        ahead(first - datetime.now(UTC) + (night - 1) * DAY + timedelta(seconds=1))
        assert await scheduler.sweep(rt) == 1
        assert await scheduler.sweep(rt) == 0
        (run,) = await _live(rt)
        assert (run.kind, run.reason) == (Kind.INCREMENTAL.value, "nightly")
        assert run.priority == Priority.INCREMENTAL.rank
        await _ends(rt)
    assert len(await rt.db.read(run_rows)) == 3
    bell: Any = rt.jobs
    assert len(bell.rung) == 3


async def test_two_workers_that_look_at_once_make_one_night(rt: Runtime, ahead: Any) -> None:
    await scheduler.sweep(rt)
    ahead(DAY)
    for _ in range(2):
        await rt.db.write(scheduling.take_turn, STORE_ID, now=utc_now())
    assert len(await _live(rt)) == 1


async def test_a_clock_that_was_years_ahead_leaves_no_store_unread_for_years(
    rt: Runtime, ahead: Any
) -> None:
    ahead(700 * DAY)
    await scheduler.sweep(rt)
    ahead(timedelta())
    assert await scheduler.sweep(rt) == 1
    assert (await rt.db.read(store_row)).next_sync_at < utc_now() + DAY
    assert not await _live(rt)


@pytest.mark.parametrize("which", ["paused_at", "uninstalled_at"])
async def test_a_store_that_rests_or_left_has_no_turn(rt: Runtime, ahead: Any, which: str) -> None:
    await scheduler.sweep(rt)
    await rt.db.write(set_store, **{which: utc_now()})
    ahead(2 * DAY)
    assert await scheduler.sweep(rt) == 0
    assert not await _live(rt)


async def test_a_night_in_the_middle_of_a_sync_is_made_up_for_after_it(
    rt: Runtime, ahead: Any
) -> None:
    await scheduler.sweep(rt)
    await rt.db.write(
        runs.want, STORE_ID, kind=Kind.INCREMENTAL, priority=Priority.MANUAL, reason="manual"
    )
    at = await claim(rt.db)
    assert at is not None
    ahead(DAY)
    await scheduler.sweep(rt)
    await rt.db.write(close_stages, at.run_id)
    await rt.db.write(runs.finish, at)
    (run,) = await _live(rt)
    assert run.reason == "nightly"


async def test_a_first_sync_that_was_stopped_goes_on_at_night(rt: Runtime, ahead: Any) -> None:
    await rt.db.write(set_store, synced_until=None, history_done=False)
    run_id = await rt.db.write(runs.insert_first_run, STORE_ID, epoch=1)
    await rt.db.write(set_run, run_id, status="failed", stage="orders", cursor="page 9")
    await scheduler.sweep(rt)
    ahead(DAY)
    await scheduler.sweep(rt)
    (run,) = await _live(rt)
    assert (run.run_id, run.cursor) == (run_id, "page 9")


async def test_what_has_its_own_later_try_is_left_to_it(rt: Runtime, ahead: Any) -> None:
    await scheduler.sweep(rt)
    run_id = await rt.db.write(
        runs.want, STORE_ID, kind=Kind.INCREMENTAL, priority=Priority.MANUAL, reason="manual"
    )
    await rt.db.write(set_run, str(run_id), status="failed", retry_at=utc_now() + DAY)
    ahead(DAY)
    assert await scheduler.sweep(rt) == 1
    assert not await _live(rt)


async def test_nobody_knocks_where_access_was_withdrawn(rt: Runtime, ahead: Any) -> None:
    await scheduler.sweep(rt)
    await rt.db.write(lambda s: s.execute(sa.delete(TOKEN)))
    ahead(DAY)
    assert await scheduler.sweep(rt) == 1
    assert not await _live(rt)
    assert (await rt.db.read(store_row)).nightly_at > utc_now()


async def test_a_store_connected_by_hand_is_looked_at_every_quarter_of_an_hour(
    rt: Runtime, ahead: Any
) -> None:
    await rt.db.write(lambda s: s.execute(sa.update(TOKEN).values(grant_kind="token")))
    await scheduler.sweep(rt)
    night = (await rt.db.read(store_row)).nightly_at
    reasons = []
    for quarter in range(1, 100):
        ahead(quarter * timedelta(minutes=15, seconds=2))
        assert await scheduler.sweep(rt) == 1
        (run,) = await _live(rt)
        reasons.append(run.reason)
        await _ends(rt)
        if utc_now() > night:
            break
    assert reasons.count("nightly") == 1
    assert reasons[-1] == "nightly"
    assert len(reasons) == len(await rt.db.read(run_rows))


async def test_after_a_long_night_stores_come_in_turn(rt: Runtime, ahead: Any) -> None:
    for number in range(24):
        await rt.db.write(
            insert_store, f"b0b00000{number:02}", synced_until=utc_now(), history_done=True
        )
    while await scheduler.sweep(rt):
        pass
    ahead(2 * DAY)
    assert [await scheduler.sweep(rt) for _ in range(4)] == [10, 10, 5, 0]


async def test_the_quiet_hour_is_that_of_the_stores_own_orders(rt: Runtime) -> None:
    # Orders at every hour of New York but ten to twelve.
    def sell(session: Any) -> None:
        number = 0
        for day in range(1, 9):
            for hour in range(24):
                number += 1
                at = datetime.now(UTC).replace(minute=30) - timedelta(days=day, hours=hour)
                local = scheduling.zone("America/New_York")
                if at.astimezone(local).hour not in (10, 11, 12):
                    make_order(session, STORE_ID, number, at, currency="USD")

    await rt.db.write(sell)
    await scheduler.sweep(rt)
    row = await rt.db.read(store_row)
    assert row.nightly_at.astimezone(scheduling.zone(row.timezone)).hour == 11


async def test_a_turn_shortens_the_story_of_runs_that_are_long_over(
    rt: Runtime, ahead: Any
) -> None:
    await scheduler.sweep(rt)
    ahead(DAY)
    await scheduler.sweep(rt)
    await _ends(rt)
    (run,) = await rt.db.read(run_rows)
    long_ago = utc_now() - 100 * DAY
    await rt.db.write(
        lambda session: session.execute(
            sa.update(EVENT).where(EVENT.c.run_id == run.run_id).values(at=long_ago)
        )
    )
    # Two nights after the late look above, whatever hour of the day it is now.
    ahead(3 * DAY)
    assert await scheduler.sweep(rt) == 1
    left = await rt.db.read(lambda session: session.scalars(sa.select(EVENT.c.run_id)).all())
    assert run.run_id not in left
    assert left
