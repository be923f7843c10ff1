"""What a shop does not show is said, and read by itself once it is shown."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from brandmind.db.session import Database
from brandmind.db.tables import CUSTOMER, ORDER, RESTRICTION
from brandmind.errors import AccessRefused
from brandmind.sync.stages import Stage, StageState, StoreStatus
from tests.memory_shop import SHOP_NOW, MemoryShop
from tests.sync_world import SyncWorld

SIXTY_DAYS_ONLY = ("read_products", "read_orders", "read_customers")
ALL = (*SIXTY_DAYS_ONLY, "read_all_orders")


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    db = Database(database_url)
    yield db
    db.close()


async def _kept(db: Database) -> set[str]:
    return set(await db.read(lambda s: list(s.scalars(sa.select(RESTRICTION.c.resource)))))


def _refuse(shop: MemoryShop, stage: Stage) -> None:
    async def refused(at: Stage, _number: int) -> None:
        if at is stage:
            raise AccessRefused(scope=f"read_{stage.resource}")

    shop.before_page = refused


def _later(shop: MemoryShop) -> None:
    shop.facts = replace(shop.facts, answered_at=shop.facts.answered_at + timedelta(hours=1))


async def test_fields_that_come_back_are_read_in_full_with_the_history(db: Database) -> None:
    world = SyncWorld(db, MemoryShop(orders=300, page=50))
    world.shop.restricted = ("orders.nodes.customer",)
    assert (await world.first()).reason == "restricted"
    assert await _kept(db) == {"orders", "history"}
    world.shop.restricted = ()
    last = await world.again()
    assert last.status is StoreStatus.COMPLETED
    # Every page of both, though not one order has changed.
    assert len(world.asked("page orders")) == 4
    assert len(world.asked("page history")) == 3
    assert await _kept(db) == set()
    assert (await world.again()).status is StoreStatus.COMPLETED
    assert world.asked("page orders") == ["page orders 0"]


async def test_fields_that_stay_hidden_are_still_said_and_not_read_for(db: Database) -> None:
    world = SyncWorld(db, MemoryShop(orders=300, page=50))
    world.shop.restricted = ("orders.nodes.customer",)
    await world.first()
    last = await world.again()
    assert (last.status, last.reason) == (StoreStatus.PARTIAL, "restricted")
    orders = last.stage(Stage.ORDERS)
    assert orders is not None
    assert (orders.state, orders.note) == (
        StageState.RESTRICTED,
        "Shopify does not show BrandMind these fields of orders yet: customer.",
    )
    assert world.asked("page orders", "page history") == ["page orders 0"]


async def test_fields_hidden_in_mid_life_are_said_and_read_again_later(db: Database) -> None:
    world = SyncWorld(db, MemoryShop(orders=300, page=50))
    assert (await world.first()).status is StoreStatus.COMPLETED
    world.shop.restricted = ("orders.nodes.customer",)
    world.shop.change(Stage.ORDERS, 3, updated_at=SHOP_NOW)
    assert (await world.again()).reason == "restricted"
    world.shop.restricted = ()
    assert (await world.again()).status is StoreStatus.COMPLETED
    assert len(world.asked("page history")) == 3


async def test_a_scope_lost_in_mid_life_is_said_and_made_up_for(db: Database) -> None:
    world = SyncWorld(db, MemoryShop(customers=25))
    await world.first()
    _refuse(world.shop, Stage.CUSTOMERS)
    last = await world.again()
    assert (last.status, last.reason) == (StoreStatus.PARTIAL, "restricted")
    # What is stored stays, and what changes now is not seen.
    assert len(await world.ids(CUSTOMER)) == 25
    world.shop.change(Stage.CUSTOMERS, 7, first_name="Renamed", updated_at=SHOP_NOW)
    for _ in range(2):
        _later(world.shop)
        assert (await world.again()).reason == "restricted"
    world.shop.before_page = None
    _later(world.shop)
    assert (await world.again()).status is StoreStatus.COMPLETED
    assert (await world.row(CUSTOMER, 7)).first_name == "Renamed"
    assert await _kept(db) == set()


async def test_the_orders_beyond_sixty_days_are_all_read_once_they_are_shown(
    db: Database,
) -> None:
    shop = MemoryShop(orders=300, page=50).with_scopes(*SIXTY_DAYS_ONLY)
    shop.shows_days = 60
    world = SyncWorld(db, shop)
    last = await world.first()
    assert (last.status, last.reason) == (StoreStatus.PARTIAL, "restricted")
    assert len(await world.ids(ORDER)) == 59
    shop.with_scopes(*ALL).shows_days = None
    last = await world.again()
    assert last.status is StoreStatus.COMPLETED
    assert len(await world.ids(ORDER)) == 300


async def test_older_orders_lost_in_mid_life_are_said_and_followed_up_later(db: Database) -> None:
    shop = MemoryShop(orders=300, page=50)
    world = SyncWorld(db, shop)
    await world.first()
    shop.with_scopes(*SIXTY_DAYS_ONLY).shows_days = 60
    last = await world.again()
    assert (last.status, last.reason) == (StoreStatus.PARTIAL, "restricted")
    assert last.history is not None
    assert last.history.note == "Shopify gives us the last 60 days of orders for now."
    assert len(await world.ids(ORDER)) == 300
    for order in (100, 250):
        shop.change(Stage.ORDERS, order, updated_at=SHOP_NOW, financial_status="REFUNDED")
    _later(shop)
    assert (await world.again()).reason == "restricted"
    shop.with_scopes(*ALL).shows_days = None
    for _ in range(2):
        _later(shop)
    assert (await world.again()).status is StoreStatus.COMPLETED
    assert (await world.row(ORDER, 100)).financial_status == "REFUNDED"
    assert (await world.row(ORDER, 250)).financial_status == "REFUNDED"
