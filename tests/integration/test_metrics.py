"""The numbers for operators: who may read them, what they say, and that they name nobody."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from brandmind.db import presence
from brandmind.services.gauges import Gauge
from brandmind.web.metrics import exposed
from tests.identity_world import HARBOR, World, open_world
from tests.integration.stranger_world import SHOP_NAME, Neighbourhood

TOKEN = "for-the-eyes-of-operators-7"
KNOWN = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def around(database_url: str) -> AsyncIterator[Neighbourhood]:
    async with open_world(database_url, metrics_token=TOKEN) as world:
        made = Neighbourhood(world)
        await made.settle()
        yield made
        await made.leave()


async def numbers(world: World) -> dict[str, float]:
    async with world.browser() as browser:
        answer = await browser.get("/metrics", headers=KNOWN)
    assert answer.status_code == 200
    return {
        name.removeprefix("brandmind_"): float(number)
        for name, number in re.findall(r"^(brandmind_\S+) (\S+)$", answer.text, re.M)
    }


async def test_without_a_token_set_there_is_no_such_page(sqlite_url: str) -> None:
    async with open_world(sqlite_url) as world, world.browser() as browser:
        for headers in ({}, {"authorization": "Bearer "}, {"authorization": ""}, KNOWN):
            assert (await browser.get("/metrics", headers=headers)).status_code == 404


async def test_only_who_has_the_token_reads_them(around: Neighbourhood) -> None:
    wrong: list[list[tuple[str, str]]] = [
        [],
        [("authorization", TOKEN)],
        [("authorization", f"Basic {TOKEN}")],
        [("authorization", f"Bearer {TOKEN}x")],
        [("authorization", f"Bearer {TOKEN[:-1]}")],
        [("authorization", "Bearer ")],
        [("authorization", f"Bearer {TOKEN}"), ("authorization", f"Bearer {TOKEN}")],
        [("x-authorization", f"Bearer {TOKEN}")],
    ]
    for headers in wrong:
        # A signed-in owner is no operator.
        answer = await around.alice.get("/metrics", headers=httpx.Headers(headers))
        assert answer.status_code == 401, headers
        assert "brandmind_" not in answer.text
    assert (await around.alice.get(f"/metrics?token={TOKEN}")).status_code == 401
    answer = await around.alice.get("/metrics", headers=KNOWN)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"


async def test_they_name_no_store_and_nobody(around: Neighbourhood) -> None:
    answer = await around.nobody.get("/metrics", headers=KNOWN)
    assert "brandmind_stores" in answer.text
    for secret in (*around.secrets(), HARBOR, SHOP_NAME, around.store_id):
        assert secret not in answer.text


async def test_they_say_what_waits_how_long_and_what_was_refused(around: Neighbourhood) -> None:
    world = around.world
    before = await numbers(world)
    assert before['up{part="database"}'] == 1
    for name in ("queue_oldest_seconds", "webhooks_oldest_seconds", "workers"):
        assert before[name] == 0
    assert "worker_heartbeat_age_seconds" not in before
    await world.rt.db.write(presence.note, "this one", slots=1)
    await world.sql("DELETE FROM sync_event")
    past = datetime(2026, 1, 2, tzinfo=UTC)
    await world.sql(
        "UPDATE sync_run SET status = 'queued', due_at = :past WHERE store_id = :store",
        past=past, store=around.store_id,
    )  # fmt: skip
    for number, aside in ((1, None), (2, None), (3, past)):
        await world.sql(
            "INSERT INTO inbox (store_id, webhook_id, topic, act, stage, others, epoch, "
            "received_at, due_at, tries, note, aside_at) VALUES (:store, :id, 'orders/create', "
            "'fetch', 'orders', '', 1, :past, :past, 0, '', :aside)",
            store=around.store_id, id=str(number), past=past, aside=aside,
        )  # fmt: skip
    async with world.browser() as browser:
        await browser.post("/webhooks/shopify", content=b"{}")
        await browser.get("/api/sessions")
    now = await numbers(world)
    assert now['syncs{state="queued"}'] >= 1
    assert now["queue_oldest_seconds"] > 86_400
    assert now['webhooks_inbox{state="waiting"}'] == 2
    assert now['webhooks_inbox{state="aside"}'] == 1
    assert now["webhooks_oldest_seconds"] > 86_400
    assert now["workers"] == 1
    assert now["worker_heartbeat_age_seconds"] < 3_600
    unsigned = 'webhooks_answers_total{answer="unsigned"}'
    assert now[unsigned] == before[unsigned] + 1
    refused = 'http_answers_total{status="4xx"}'
    assert now[refused] == before[refused] + 2
    assert now['stores{state="connected"}'] == 2


async def test_a_database_that_is_away_is_told_and_no_failure(sqlite_url: str) -> None:
    async with open_world(sqlite_url, metrics_token=TOKEN) as world:
        await world.sql("ALTER TABLE store RENAME TO elsewhere")
        told = await numbers(world)
    assert told['up{part="database"}'] == 0
    assert 'http_answers_total{status="5xx"}' in told
    assert 'syncs{state="queued"}' not in told


def test_the_format_is_that_of_prometheus() -> None:
    found = [
        Gauge("a", "gauge", "Of a.", {"": 0.5}),
        Gauge("b_total", "counter", "Of b.", {"x": 3, "y": 1e9}, "kind"),
    ]
    assert exposed(found) == (
        "# HELP brandmind_a Of a.\n# TYPE brandmind_a gauge\nbrandmind_a 0.5\n"
        "# HELP brandmind_b_total Of b.\n# TYPE brandmind_b_total counter\n"
        'brandmind_b_total{kind="x"} 3\nbrandmind_b_total{kind="y"} 1000000000\n'
    )


async def test_all_of_them_stand_in_the_operators_page(around: Neighbourhood) -> None:
    await around.world.rt.db.write(presence.note, "this one", slots=1)
    told = {name.partition("{")[0] for name in await numbers(around.world)} | {"tabs"}
    page = Path(__file__).parents[2] / "docs" / "operations.md"
    assert set(re.findall(r"^\| `brandmind_([a-z0-9_]+)", page.read_text(), re.M)) == told
