"""What is asked for while something is live already: served once more, sooner, and never twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from brandmind.clock import utc_now
from brandmind.db import requests, runs
from brandmind.db.session import Database, db_now
from brandmind.errors import NotAllowed, NotFound, StorePaused, TooManySyncs
from brandmind.sync.stages import Kind, Priority
from tests.integration.store_ground import (
    STORE_ID,
    claim,
    close_stages,
    insert_store,
    run_rows,
    set_run,
    set_store,
)


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    db = Database(database_url)
    await db.write(insert_store, synced_until=utc_now(), history_done=True)
    yield db
    db.close()


async def _want(db: Database, reason: str = "orders/create", **more: Any) -> str | None:
    values = {"kind": Kind.INCREMENTAL, "priority": Priority.WEBHOOK} | more
    return await db.write(runs.want, STORE_ID, reason=reason, **values)


async def test_the_first_wish_is_a_run_and_the_second_finds_it(db: Database) -> None:
    first = await _want(db, "nightly", priority=Priority.INCREMENTAL)
    assert await _want(db) == first
    (row,) = await db.read(run_rows)
    # It has not begun, so it reads all that; sooner, and still comparing as the night asked.
    assert (row.priority, row.reason, row.again) == (Priority.WEBHOOK.rank, "nightly", False)


async def test_a_night_that_finds_a_waiting_run_makes_it_compare(db: Database) -> None:
    await _want(db)
    await _want(db, "nightly", priority=Priority.INCREMENTAL)
    (row,) = await db.read(run_rows)
    assert (row.priority, row.reason) == (Priority.WEBHOOK.rank, "nightly")


async def test_what_is_wanted_of_a_run_under_way_follows_it(db: Database) -> None:
    first = await _want(db, "poll", priority=Priority.INCREMENTAL)
    at = await claim(db)
    assert at is not None
    await _want(db, "nightly", priority=Priority.INCREMENTAL)
    await _want(db, "orders/create")
    assert len(await db.read(run_rows)) == 1
    await db.write(close_stages, first)
    follows = await db.write(runs.finish, at)
    rows = {row.run_id: row for row in await db.read(run_rows)}
    assert set(rows) == {first, follows}
    assert rows[str(follows)].reason == "nightly"
    assert rows[str(follows)].priority == Priority.WEBHOOK.rank
    assert not rows[str(follows)].again


async def test_a_wish_pulls_a_later_turn_to_now_but_not_a_wait_for_shopify(db: Database) -> None:
    run_id = str(await _want(db))
    later = await db.read(db_now) + timedelta(minutes=10)
    await db.write(set_run, run_id, due_at=later)
    await _want(db)
    assert (await db.read(run_rows))[0].due_at < later
    await db.write(set_run, run_id, due_at=later, waiting="throttled")
    await _want(db)
    assert (await db.read(run_rows))[0].due_at > later - timedelta(seconds=1)


async def test_a_full_sync_under_way_serves_for_changes_and_is_followed(db: Database) -> None:
    full = await db.write(requests.request, STORE_ID, by="alice", kind=Kind.FULL)
    at = await claim(db)
    assert at is not None
    assert await _want(db) == full
    (row,) = await db.read(run_rows)
    # A webhook's hurry is not the full reading's.
    assert row.priority == Priority.MANUAL.rank
    await db.write(close_stages, full)
    await db.write(runs.finish, at)
    kinds = [row.kind for row in await db.read(run_rows)]
    assert Kind.INCREMENTAL.value in kinds


async def test_a_run_of_a_part_does_not_serve_for_the_whole(db: Database) -> None:
    from brandmind.sync.stages import Stage

    part = await _want(db, only=[Stage.PRODUCTS])
    await _want(db)
    (row,) = await db.read(run_rows)
    assert (row.run_id, row.again) == (part, True)


async def test_a_store_that_left_wants_nothing_and_one_that_never_was_is_not_found(
    db: Database,
) -> None:
    await db.write(set_store, uninstalled_at=utc_now())
    assert await _want(db) is None
    assert await db.read(run_rows) == []
    with pytest.raises(NotFound):
        await db.write(
            runs.want,
            "nobody",
            kind=Kind.INCREMENTAL,
            priority=Priority.WEBHOOK,
            reason="orders/create",
        )
    with pytest.raises(NotAllowed):
        await db.write(requests.request, STORE_ID, by="alice")


async def test_a_paused_store_keeps_a_webhooks_wish_and_answers_a_person(db: Database) -> None:
    await db.write(set_store, paused_at=utc_now(), paused_by="Olga")
    run_id = await _want(db)
    assert run_id is not None
    assert await claim(db) is None
    with pytest.raises(StorePaused, match="Paused by Olga on"):
        await db.write(requests.request, STORE_ID, by="alice")
    await db.write(set_store, paused_at=None)
    at = await claim(db)
    assert at is not None
    assert at.run_id == run_id


async def _fails(db: Database, run_id: str, **values: Any) -> None:
    await db.write(set_run, run_id, status="failed", error="Shopify did not answer.", **values)


async def test_starting_over_is_a_new_run_and_the_old_ones_later_try_is_off(db: Database) -> None:
    old = await db.write(requests.request, STORE_ID, by="alice", kind=Kind.FULL)
    await _fails(db, old, retry_at=utc_now(), reason="connected")
    new = await db.write(requests.retry, STORE_ID, by="alice", from_start=True)
    rows = {row.run_id: row for row in await db.read(run_rows)}
    assert new != old
    assert rows[old].retry_at is None
    assert (rows[new].kind, rows[new].reason) == (Kind.FULL.value, "connected")
    assert rows[new].priority == Priority.MANUAL.rank


async def test_going_on_is_the_same_run_from_its_checkpoint(db: Database) -> None:
    run_id = await db.write(requests.request, STORE_ID, by="alice", kind=Kind.FULL)
    await _fails(db, run_id, stage="orders", cursor="page 9")
    assert await db.write(requests.retry, STORE_ID, by="alice") == run_id
    (row,) = await db.read(run_rows)
    assert (row.status, row.stage, row.cursor) == ("queued", "orders", "page 9")


async def test_the_eleventh_retry_in_an_hour_is_refused(db: Database) -> None:
    run_id = await db.write(requests.request, STORE_ID, by="alice", kind=Kind.FULL)
    for number in range(10):
        await _fails(db, run_id)
        run_id = await db.write(requests.retry, STORE_ID, by="alice", from_start=bool(number % 2))
    await _fails(db, run_id)
    with pytest.raises(TooManySyncs):
        await db.write(requests.retry, STORE_ID, by="alice", from_start=True)
    # They are no syncs by hand: of those two are left.
    assert (await db.read(requests.manual_left, STORE_ID))[0] == 2


async def test_who_stopped_a_sync_is_kept_and_forgotten_when_it_goes_on(db: Database) -> None:
    run_id = await db.write(requests.request, STORE_ID, by="alice")
    assert await db.write(runs.cancel, STORE_ID, by="alice") == [run_id]
    assert (await db.read(run_rows))[0].ended_by == "alice"
    await db.write(requests.retry, STORE_ID, by="alice")
    assert (await db.read(run_rows))[0].ended_by is None


async def test_what_a_slice_cost_adds_up_in_the_runs_row(db: Database) -> None:
    import json

    await _want(db)
    at = await claim(db)
    assert at is not None
    for _ in range(2):
        await db.write(runs.note_usage, at, {"requests": 3, "points": 41.5, "throttled": 0})
    found = json.loads((await db.read(run_rows))[0].metadata_json)
    assert (found["requests"], found["points"], found["slices"]) == (6, 83, 2)
    assert set(found["counts"]) == {"products", "orders", "customers"}
