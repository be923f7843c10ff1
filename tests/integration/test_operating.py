"""The operator sees every store, the queue and the ground, and nothing of a merchant's data."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

import pytest

from brandmind.db import operating as rows
from brandmind.db import presence as presence_rows
from brandmind.errors import NotAllowed, NotFound
from brandmind.services import operating, presence, sessions
from brandmind.services.operating import ACTS
from brandmind.services.sessions import Viewer
from tests.identity_world import HARBOR, LEMON, Somebody, World, open_world

ALICE = Somebody(1, "Alice Harbor", owner=True)
CHARLIE = Somebody(3, "Charlie Lemon", owner=True)
OLGA = Viewer("session", "olga", "Olga", admin=True)


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with open_world(database_url) as opened:
        async with opened.browser() as browser:
            await opened.connect(browser, ALICE)
        async with opened.browser() as browser:
            await opened.connect(browser, CHARLIE, LEMON)
        yield opened


async def line(world: World, domain: str = HARBOR) -> rows.StoreLine:
    return next(at for at in await world.rt.db.read(rows.stores) if at.domain == domain)


async def moment(world: World, *, ago_s: float) -> Any:
    """A moment before now, as this database keeps it."""
    import time
    from datetime import UTC, datetime, timedelta

    at = datetime.now(UTC) - timedelta(seconds=ago_s)
    return int((time.time() - ago_s) * 1000) if world.rt.db.is_sqlite else at


async def test_each_state_of_a_store_is_told_by_its_own_name(world: World) -> None:
    store_id = await world.store_id()
    of = "WHERE store_id = :store"

    async def stands(statement: str, **more: Any) -> str:
        await world.sql(statement, store=store_id, **more)
        return (await line(world)).state

    assert (await line(world)).state == "queued"
    later = await moment(world, ago_s=-90)
    assert await stands(f"UPDATE sync_run SET due_at = :at {of}", at=later) == "waiting"
    assert await stands(f"UPDATE sync_run SET status = 'running' {of}") == "reading"
    failed = f"UPDATE sync_run SET status = 'failed', error_kind = 'transient' {of}"
    assert await stands(failed) == "failed"
    assert await stands(f"UPDATE sync_run SET status = 'done' {of}") == "new"
    synced = await moment(world, ago_s=60)
    assert await stands(f"UPDATE store SET last_synced_at = :at {of}", at=synced) == "ready"
    gap = (
        "UPDATE sync_stage SET state = 'gap' WHERE stage = 'orders' AND run_id IN "
        f"(SELECT run_id FROM sync_run {of})"
    )
    assert await stands(gap) == "incomplete"
    assert await stands(f"UPDATE store SET paused_at = :at {of}", at=synced) == "paused"
    assert await stands(f"UPDATE store SET uninstalled_at = :at {of}", at=synced) == "left"
    assert (await line(world, LEMON)).state == "queued"


async def test_the_queue_is_counted_without_what_a_pause_holds_back(world: World) -> None:
    before = await world.rt.db.read(rows.jobs)
    assert (before.due, before.running, before.later) == (2, 0, 0)
    await world.sql("UPDATE sync_run SET due_at = :at", at=await moment(world, ago_s=300))
    await world.sql(
        "UPDATE store SET paused_at = :at WHERE domain = :shop",
        at=await moment(world, ago_s=1),
        shop=LEMON,
    )
    now = await world.rt.db.read(rows.jobs)
    assert now.due == 1
    assert 299 <= now.oldest_due_s < 420
    assert (now.p95_s, now.throttled_share) == (None, None)
    spent = json.dumps({"requests": 200, "throttled": 5})
    await world.sql(
        "UPDATE sync_run SET status = 'done', started_at = :began, finished_at = :ended, "
        "metadata_json = :spent",
        began=await moment(world, ago_s=60),
        ended=await moment(world, ago_s=18),
        spent=spent,
    )
    ended = await world.rt.db.read(rows.jobs)
    assert (ended.done, ended.failed) == (2, 0)
    assert ended.p95_s == pytest.approx(42, abs=1)
    assert ended.throttled_share == pytest.approx(0.025)


async def test_a_look_round_tells_nothing_of_people_customers_or_orders(world: World) -> None:
    await world.sql("UPDATE store SET name = 'Zanzibar Secret Store'")
    house = await operating.look(world.rt, OLGA)
    assert {part.name: part.ok for part in house.parts} == {"database": True, "redis": True}
    assert {at.domain for at in house.stores} == {HARBOR, LEMON}
    told = repr(house) + repr(await operating.story(world.rt, OLGA, HARBOR))
    told += json.dumps(operating.plain(house))
    for secret in ("Alice", "Charlie", "Zanzibar", "somebody@example.com", "shpat", "shprt"):
        assert secret not in told


async def test_whoever_is_no_administrator_may_nothing(world: World) -> None:
    somebody = Viewer("session", "bob", "Bob")
    for asked in (
        operating.look(world.rt, somebody),
        operating.story(world.rt, somebody, HARBOR),
        operating.retry_failed(world.rt, somebody),
        operating.replay_all(world.rt, somebody),
        *(operating.act(world.rt, somebody, HARBOR, what) for what in ACTS),
    ):
        with pytest.raises(NotAllowed):
            await asked  # type: ignore[misc]
    runs = await world.sql("SELECT status FROM sync_run")
    assert [row[0] for row in runs] == ["queued", "queued"]


async def test_failed_stores_go_on_but_those_whose_merchant_is_needed(world: World) -> None:
    await world.sql("UPDATE sync_run SET status = 'failed', error_kind = 'transient'")
    lemon = await world.store_id(LEMON)
    await world.sql("UPDATE sync_run SET error_kind = 'auth' WHERE store_id = :at", at=lemon)
    assert await operating.retry_failed(world.rt, OLGA) == (1, 0)
    assert (await line(world)).state == "queued"
    assert (await line(world, LEMON)).state == "failed"
    # A merchant is told that the operator did it, not who that is.
    ((by,),) = await world.sql("SELECT requested_by FROM sync_request")
    assert by == "the operator"


async def test_each_act_does_what_it_says(world: World) -> None:
    async def does(what: operating.Act) -> str:
        await operating.act(world.rt, OLGA, HARBOR, what)
        return (await line(world)).state

    assert await does("pause") == "paused"
    assert await does("resume") == "queued"
    assert await does("stop") == "new"
    assert await does("retry") == "queued"
    await does("stop")
    assert await does("start_over") == "queued"
    await does("stop")
    assert await does("read_again") == "queued"
    assert len(await world.sql("SELECT run_id FROM sync_request")) == 2
    with pytest.raises(NotFound):
        await operating.act(world.rt, OLGA, "nobody.myshopify.com", "pause")


async def test_what_lies_aside_is_put_back_for_one_store_or_for_all(world: World) -> None:
    now = await moment(world, ago_s=5)
    for shop in (HARBOR, LEMON):
        await world.sql(
            "INSERT INTO inbox (store_id, webhook_id, topic, act, stage, others, epoch, "
            "received_at, due_at, tries, note, aside_at) VALUES (:store, 'w1', 'orders/updated', "
            "'fetch', 'orders', '', 1, :at, :at, 5, 'no answer', :at)",
            store=await world.store_id(shop),
            at=now,
        )
    assert (await line(world)).aside == 1
    story = await operating.story(world.rt, OLGA, HARBOR)
    assert story is not None
    assert [(one.topic, one.note) for one in story.aside] == [("orders/updated", "no answer")]
    assert await operating.act(world.rt, OLGA, HARBOR, "replay") == 1
    assert ((await line(world)).waiting, (await line(world, LEMON)).aside) == (1, 1)
    assert await operating.replay_all(world.rt, OLGA) == 1
    assert (await line(world, LEMON)).aside == 0


async def test_the_story_of_a_store_names_what_happened_and_no_process(world: World) -> None:
    from brandmind.db import runs

    claim = await world.rt.db.write(runs.claim_next, owner="host|secret|42", oldest_first=False)
    assert claim is not None
    await world.rt.db.write(runs.set_down, claim, name="will try again", error="No answer.")
    domain = claim.domain
    story = await operating.story(world.rt, OLGA, domain)
    assert story is not None
    assert [(one.name, one.detail) for one in story.events] == [
        ("will try again", "No answer."),
        ("claimed", ""),
        ("requested", "connected"),
    ]
    assert [one.stage for one in story.runs[0].stages][:2] == ["shop", "products"]
    assert "secret" not in repr([asdict(one) for one in story.events])


async def test_a_worker_says_that_it_is_there_and_takes_it_back(world: World) -> None:
    world.rt.owner = "worker-1"
    task = asyncio.create_task(presence.keep(world.rt, slots=6))
    while not (found := await world.rt.db.read(presence_rows.workers)):
        await asyncio.sleep(0.01)
    assert (found[0].owner, found[0].slots, found[0].at_work) == ("worker-1", 6, 0)
    assert found[0].silent_s < presence.SILENT_S
    await world.sql("UPDATE worker SET seen_at = :at", at=await moment(world, ago_s=60))
    (silent,) = await world.rt.db.read(presence_rows.workers)
    assert silent.silent_s >= 59
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert await world.rt.db.read(presence_rows.workers) == []


async def test_a_worker_that_died_is_forgotten_after_an_hour(world: World) -> None:
    await world.rt.db.write(presence_rows.note, "dead", slots=6)
    await world.sql("UPDATE worker SET seen_at = :at", at=await moment(world, ago_s=3700))
    assert await world.rt.db.read(presence_rows.workers) == []
    await world.rt.db.write(presence_rows.note, "alive", slots=6)
    assert len(await world.sql("SELECT owner FROM worker")) == 1


async def test_the_figures_are_there_for_other_programs_of_an_administrator(world: World) -> None:
    async with world.browser() as browser:
        assert (await browser.get("/api/admin/health")).status_code == 404
        await world.sign_in(browser, ALICE)
        assert (await browser.get("/api/admin/health")).status_code == 404
        await world.sql("UPDATE app_user SET admin = true WHERE name = 'Alice Harbor'")
        answer = await browser.get("/api/admin/health")
        assert answer.status_code == 200
        told = answer.json()
        assert told["ok"] is True
        assert told["stores"] == {"queued": 2}
        assert told["jobs"]["due"] == 2
        viewer = await sessions.who(world.rt, f"bm_session={browser.cookies['bm_session']}")
        assert viewer is not None
        assert viewer.admin


async def test_a_database_that_is_away_is_told_and_is_all_that_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_args: Any, **_kwargs: Any) -> Any:
        raise OSError("no route to host")

    monkeypatch.setattr(type(world.rt.db), "read", away)
    house = await operating.look(world.rt, OLGA)
    assert house.jobs is None
    assert house.stores == ()
    assert [(part.name, part.ok) for part in house.parts] == [("database", False), ("redis", True)]
