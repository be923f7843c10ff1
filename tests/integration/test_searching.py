"""A few letters find products, orders and customers of one store, as far as one may see them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from brandmind.clock import utc_now
from brandmind.db import searching as rows
from brandmind.services import searching
from brandmind.services.sessions import StoreRef
from tests.factories import Item, make_customer, make_order, make_product
from tests.identity_world import HARBOR, LEMON, Somebody, World, open_world

ALICE = Somebody(1, "Alice Harbor", owner=True)
CHARLIE = Somebody(3, "Charlie Lemon", owner=True)
TITLES = ("Wool socks", "Merino wool crew", "Woolly hat", "100% cotton_tee", "Öland sweater")
NAMES = ("Marta Fisher", "Ben O'Fish", "Zoë Fishman")


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with open_world(database_url) as opened:
        async with opened.browser() as alice, opened.browser() as charlie:
            await opened.connect(alice, ALICE)
            await opened.connect(charlie, CHARLIE, LEMON)
        await opened.sql("UPDATE store SET currency = 'USD'")
        store_id = await opened.store_id()
        write, now = opened.rt.db.write, utc_now()
        for number, title in enumerate(TITLES, 1):
            await write(make_product, store_id, number, title=title)
        for number, name in enumerate(NAMES, 1):
            await write(make_customer, store_id, number, number_of_orders=number)
            await opened.sql(
                "UPDATE customer SET display_name = :name, email = 'fish@example.com' "
                "WHERE shopify_id = :id",
                name=name,
                id=number,
            )
        for number in range(1, 61):
            at = now - timedelta(hours=61 - number)
            await write(make_order, store_id, 5_000 - number, at, [Item(1_000)])
            await opened.sql(
                "UPDATE shop_order SET number = :no, name = :name WHERE shopify_id = :id",
                no=1_000 + number,
                name=f"#{1_000 + number}",
                id=5_000 - number,
            )
        yield opened


async def seen(world: World, **rights: bool) -> StoreRef:
    return StoreRef(await world.store_id(), HARBOR, "Harbor", "owner", **rights)


async def test_titles_that_begin_with_it_come_before_words_and_parts(world: World) -> None:
    found = await searching.search(world.rt, await seen(world), "WOOL")
    assert [hit.title for hit in found.products] == ["Wool socks", "Woolly hat", "Merino wool crew"]
    found = await searching.search(world.rt, await seen(world), "Öland")
    assert [hit.title for hit in found.products] == ["Öland sweater"]
    if world.rt.db.is_sqlite:
        # On PostgreSQL that is its locale's to say.
        found = await searching.search(world.rt, await seen(world), "öLAND")
        assert [hit.title for hit in found.products] == ["Öland sweater"]


@pytest.mark.parametrize(
    ("text", "titles"), [("0%", ["100% cotton_tee"]), ("n_t", ["100% cotton_tee"]), ("__", [])]
)
async def test_a_sign_of_a_pattern_is_only_itself(
    world: World, text: str, titles: list[str]
) -> None:
    found = await searching.search(world.rt, await seen(world), text)
    assert [hit.title for hit in found.products] == titles


async def test_customers_are_found_by_the_name_that_is_shown_and_by_nothing_else(
    world: World,
) -> None:
    found = await searching.search(world.rt, await seen(world), "fish")
    assert [hit.name for hit in found.customers] == ["Marta Fisher", "Zoë Fishman", "Ben O'Fish"]
    assert "example.com" not in repr(found)
    assert not (await searching.search(world.rt, await seen(world), "fish@example")).customers


@pytest.mark.parametrize("text", ["1042", "#1042", " #1042 ", "EN1042", "EN1042-A"])
async def test_an_order_is_found_by_its_number_however_it_is_written(
    world: World, text: str
) -> None:
    found = await searching.search(world.rt, await seen(world), text)
    assert [hit.name for hit in found.orders] == ["#1042"]
    assert found.orders[0].total_minor == 1_000


@pytest.mark.parametrize("number", [1_001, 1_030, 1_060])
async def test_an_order_among_many_is_found_by_halving_alone(
    world: World, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "_AROUND", 5)
    monkeypatch.setattr(rows, "_FEW", 0)
    found = await world.rt.db.read(rows.orders, await world.store_id(), number)
    assert [hit.name for hit in found] == [f"#{number}"]
    assert await world.rt.db.read(rows.orders, await world.store_id(), 99) == []


async def test_where_numbers_are_out_of_order_a_small_store_is_looked_through(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "_AROUND", 2)
    await world.sql("UPDATE shop_order SET number = 7, name = 'A7' WHERE number = 1030")
    found = await world.rt.db.read(rows.orders, await world.store_id(), 7)
    assert [hit.name for hit in found] == ["A7"]


async def test_little_or_odd_text_finds_nothing_and_breaks_nothing(world: World) -> None:
    for text in ("", " ", "\0", "w", "99999999999999999999", "-1", "#", "%", "\ud800"):
        found = await searching.search(world.rt, await seen(world), text)
        assert (found.orders, found.products, found.customers) == ((), (), ())


async def test_what_shopify_does_not_let_somebody_see_is_not_looked_among(world: World) -> None:
    blind = await seen(world, may_orders=False, may_products=False, may_customers=False)
    for text in ("1042", "wool", "fish"):
        found = await searching.search(world.rt, blind, text)
        assert (found.orders, found.products, found.customers) == ((), (), ())
        assert found.closed == ("orders", "products", "customers")


async def test_another_store_holds_nothing_of_it(world: World) -> None:
    lemon = StoreRef(await world.store_id(LEMON), LEMON, "Lemon", "owner")
    for text in ("1042", "wool", "fish"):
        found = await searching.search(world.rt, lemon, text)
        assert (found.orders, found.products, found.customers) == ((), (), ())


async def test_no_more_than_a_few_of_each_come_back(world: World) -> None:
    for number in range(100, 130):
        await world.rt.db.write(
            make_product, await world.store_id(), number, title=f"Sock number {number}"
        )
    found = await searching.search(world.rt, await seen(world), "sock")
    assert len(found.products) == rows.MOST
