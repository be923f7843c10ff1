"""What is stored of a store: counted, taken along by whoever may, deleted by its owner alone."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import pytest

from brandmind.clock import utc_now
from brandmind.db import stored as rows
from brandmind.errors import InvalidInput, NotAllowed
from brandmind.services import scheduling, sessions, stored
from brandmind.services.sessions import StoreRef
from tests.factories import Item, make_customer, make_order, make_product
from tests.identity_world import HARBOR, LEMON, Somebody, World, open_world

ALICE = Somebody(1, "Alice Harbor", owner=True)
BOB = Somebody(2, "Bob Teammate", scopes="read_products")
CHARLIE = Somebody(3, "Charlie Lemon", owner=True)
FORMULA = '=HYPERLINK("https://evil.example")'


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with open_world(database_url) as opened:
        yield opened


async def settled(world: World, browser: Any) -> StoreRef:
    """Alice's store with a product, two customers and three orders; as she may see it."""
    store_id = await world.connect(browser, ALICE)
    await world.sql("UPDATE store SET currency = 'USD'")
    write, now = world.rt.db.write, utc_now()
    await write(make_product, store_id, 1, title=FORMULA)
    for number in (1, 2):
        await write(make_customer, store_id, number, number_of_orders=1)
    for number in (1, 2, 3):
        await write(make_order, store_id, number, now, [Item(1_000)], customer_id=1)
    return await ref(world, browser)


async def ref(world: World, browser: Any, domain: str = HARBOR) -> StoreRef:
    viewer = await sessions.who(world.rt, f"bm_session={browser.cookies['bm_session']}")
    assert viewer is not None
    return next(at for at in viewer.stores if at.domain == domain)


def opened(content: bytes) -> tuple[dict[str, list[dict[str, str]]], dict[str, Any]]:
    """The tables of an archive by their names, and its manifest."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        assert file.testzip() is None
        tables = {
            name: list(csv.DictReader(io.StringIO(file.read(name).decode("utf-8-sig"))))
            for name in file.namelist()
            if name.endswith(".csv")
        }
        return tables, json.loads(file.read("manifest.json"))


async def test_what_is_stored_is_counted_for_each_store_by_itself(world: World) -> None:
    async with world.browser() as alice, world.browser() as charlie:
        store = await settled(world, alice)
        lemon = await world.connect(charlie, CHARLIE, LEMON)
    found = await stored.stored(world.rt, store.store_id)
    assert found.counts["orders"] == 3
    assert found.counts["order_lines"] == 3
    assert (found.counts["customers"], found.counts["products"]) == (2, 1)
    assert found.oldest_at is not None
    empty = await stored.stored(world.rt, lemon)
    assert set(empty.counts.values()) == {0}
    assert (empty.portraits, empty.oldest_at) == (0, None)


async def test_the_owner_takes_everything_along_and_the_manifest_counts_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "PAGE", 2)
    async with world.browser() as alice:
        store = await settled(world, alice)
        answer = await alice.get(f"/api/stores/{store.store_id}/archive.zip")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert 'filename="harbor-and-pine.zip"' in answer.headers["content-disposition"]
    tables, manifest = opened(answer.content)
    found = await stored.stored(world.rt, store.store_id)
    counts = {f"{name}.csv": count for name, count in found.counts.items()}
    assert {name: len(lines) for name, lines in tables.items()} == counts
    assert {name: at["records"] for name, at in manifest["files"].items()} == counts
    assert manifest["shop"] == HARBOR
    assert manifest["left_out"] == []
    assert sorted(int(line["shopify_id"]) for line in tables["orders.csv"]) == [1, 2, 3]
    assert "store_id" not in tables["orders.csv"][0]
    # Nothing that a spreadsheet would run.
    assert tables["products.csv"][0]["title"] == f"'{FORMULA}"


async def test_a_teammate_takes_along_only_what_shopify_lets_them_see(world: World) -> None:
    async with world.browser() as alice, world.browser() as bob:
        store = await settled(world, alice)
        await world.sign_in(bob, BOB)
        answer = await bob.get(f"/api/stores/{store.store_id}/archive.zip")
    tables, manifest = opened(answer.content)
    assert set(tables) == {"products.csv", "variants.csv"}
    assert len(manifest["left_out"]) == 5


async def test_two_archives_of_a_store_are_not_made_side_by_side(world: World) -> None:
    async with world.browser() as alice:
        store = await settled(world, alice)
        first = stored.archive(world.rt, store)
        await anext(first)
        with pytest.raises(NotAllowed):
            stored.archive(world.rt, store)
        answer = await alice.get(f"/api/stores/{store.store_id}/archive.zip")
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "60"
        async for _ in first:
            pass
        assert (await alice.get(f"/api/stores/{store.store_id}/archive.zip")).status_code == 200


async def test_one_that_was_asked_for_and_never_begun_is_in_nobodys_way(world: World) -> None:
    async with world.browser() as alice:
        store = await settled(world, alice)
        stored.archive(world.rt, store)
        assert (await alice.get(f"/api/stores/{store.store_id}/archive.zip")).status_code == 200


async def test_only_the_owner_who_types_the_address_deletes_a_store(world: World) -> None:
    async with world.browser() as alice, world.browser() as bob:
        store = await settled(world, alice)
        await world.sign_in(bob, BOB)
        with pytest.raises(NotAllowed):
            await stored.erase(world.rt, await ref(world, bob), typed=HARBOR)
        for typed in ("", "harbor", LEMON, "delete", "x" * 255):
            with pytest.raises(InvalidInput):
                await stored.erase(world.rt, store, typed=typed)
        ((gone_at,),) = await world.sql("SELECT uninstalled_at FROM store")
        assert gone_at is None
        await stored.erase(world.rt, store, typed=f" {HARBOR.upper()} ")
        assert await scheduling.erase(world.rt) == store.store_id
        assert await world.sql("SELECT store_id FROM store") == []
        for table in ("shop_order", "customer", "token", "membership", "sync_run"):
            assert await world.sql(f"SELECT store_id FROM {table}") == []
        assert (await alice.get(f"/api/stores/{store.store_id}/status")).status_code == 401


async def test_a_store_that_has_left_is_deleted_now_instead_of_in_two_days(world: World) -> None:
    from brandmind.services import stores

    async with world.browser() as alice:
        await settled(world, alice)
        store_id = await world.store_id()
        await stores.uninstall(world.rt, store_id)
        assert await scheduling.erase(world.rt) is None
        await stored.erase(world.rt, await ref(world, alice), typed=HARBOR)
    assert await scheduling.erase(world.rt) == store_id


async def test_the_neighbours_keep_everything(world: World) -> None:
    async with world.browser() as alice, world.browser() as charlie:
        store = await settled(world, alice)
        lemon = await world.connect(charlie, CHARLIE, LEMON)
        await world.sql("UPDATE store SET currency = 'USD'")
        await world.rt.db.write(make_order, lemon, 9, utc_now(), [Item(500)])
        await stored.erase(world.rt, store, typed=HARBOR)
        await scheduling.erase(world.rt)
        assert (await stored.stored(world.rt, lemon)).counts["orders"] == 1
        assert (await charlie.get(f"/api/stores/{lemon}/status")).status_code == 200
