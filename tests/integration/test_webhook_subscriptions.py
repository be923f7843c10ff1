"""Subscriptions are looked at after the install and daily, and whoever asks is told what misses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from brandmind.errors import ShopifyUnavailable
from brandmind.services import subscriptions, webhooks
from brandmind.shopify import subscribing
from tests.identity_world import HARBOR, LEMON, Somebody, World, open_world

ALICE = Somebody(1, "Alice Harbor", owner=True)


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with open_world(database_url) as opened:
        yield opened


@pytest.fixture
def mended(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was asked for; the first item of `answers` is what misses, or an error."""
    asked: list[Any] = []

    async def mend(client: Any, wanted: Any, *, uri: str) -> dict[str, str]:
        asked.append((client.domain, [one.topic for one in wanted], uri))
        found = answers.pop(0) if answers else {}
        if isinstance(found, Exception):
            raise found
        return found

    answers: list[Any] = []
    monkeypatch.setattr(subscribing, "mend", mend)
    asked.append(answers)
    return asked


async def test_an_installed_store_is_looked_at_once_until_a_day_has_passed(
    world: World, mended: list[Any]
) -> None:
    async with world.browser() as browser:
        await world.connect(browser, ALICE)
    assert await subscriptions.check(world.rt) == 1
    domain, topics, uri = mended[1]
    assert (domain, uri) == (HARBOR, "http://localhost:8000/webhooks/shopify")
    assert {"ORDERS_CREATE", "REFUNDS_CREATE", "CUSTOMERS_DELETE", "APP_UNINSTALLED"} <= set(topics)
    assert "CUSTOMERS_MERGE" not in topics
    assert await subscriptions.check(world.rt) == 0
    await world.sql("UPDATE live SET check_at = checked_at")
    assert await subscriptions.check(world.rt) == 1


async def test_new_scopes_or_a_new_address_are_looked_at_at_once(
    world: World, mended: list[Any]
) -> None:
    async with world.browser() as browser:
        await world.connect(browser, ALICE)
    await subscriptions.check(world.rt)
    await world.sql("UPDATE store SET scopes = 'read_customer_merge,read_customers'")
    assert await subscriptions.check(world.rt) == 1
    assert "CUSTOMERS_MERGE" in mended[-1][1]
    world.rt.settings.public_url = "https://new.example.com"
    assert await subscriptions.check(world.rt) == 1
    assert mended[-1][2] == "https://new.example.com/webhooks/shopify"


async def test_what_misses_is_told_by_the_status_and_to_the_operator(
    world: World, mended: list[Any]
) -> None:
    mended[0].append({"ORDERS_CREATE": "Not approved."})
    async with world.browser() as browser:
        store_id = await world.connect(browser, ALICE)
        await subscriptions.check(world.rt)
        told = (await browser.get(f"/api/stores/{store_id}/status")).json()["webhooks"]
    assert told["missing"] == ["orders/create"]
    assert told["note"] == "Not approved."
    assert told["checked_at"] is not None
    ((domain, standing, aside),) = await webhooks.look(world.rt, HARBOR)
    assert (domain, standing.missing, aside) == (HARBOR, ("orders/create",), [])


async def test_a_shop_that_is_away_is_looked_at_again_soon(world: World, mended: list[Any]) -> None:
    mended[0].append(ShopifyUnavailable())
    async with world.browser() as browser:
        store_id = await world.connect(browser, ALICE)
    assert await subscriptions.check(world.rt) == 1
    assert await subscriptions.check(world.rt) == 0
    assert (await webhooks.standing(world.rt, store_id)).checked_at is None
    await world.sql("UPDATE live SET check_at = NULL")
    assert await subscriptions.check(world.rt) == 1
    assert (await webhooks.standing(world.rt, store_id)).checked_at is not None


async def test_without_a_public_address_shopify_is_not_asked(
    database_url: str, mended: list[Any]
) -> None:
    async with open_world(database_url, origin="https://{shop}") as world:
        async with world.browser() as browser:
            store_id = await world.connect(browser, ALICE)
        assert await subscriptions.check(world.rt) == 1
        standing = await webhooks.standing(world.rt, store_id)
        assert "orders/create" in standing.missing
        assert standing.note == subscriptions.NO_ADDRESS
        assert len(mended) == 1


async def test_stores_without_our_app_and_those_that_left_are_not_asked(
    world: World, mended: list[Any]
) -> None:
    async with world.browser() as browser:
        await world.connect(browser, ALICE)
    async with world.browser() as browser:
        await world.connect(browser, ALICE, LEMON)
    await world.sql("UPDATE store SET uninstalled_at = installed_at WHERE domain = :d", d=HARBOR)
    await world.sql(
        "UPDATE token SET grant_kind = 'token' WHERE store_id IN "
        "(SELECT store_id FROM store WHERE domain = :d)",
        d=LEMON,
    )
    assert await subscriptions.check(world.rt) == 0
