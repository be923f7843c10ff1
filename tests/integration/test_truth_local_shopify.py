"""The whole way over HTTP: a shop that changes while it is read ends here as it is there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from brandmind.db import migrate, requests
from brandmind.db.tables import CUSTOMER, ORDER, PROOF, STORE
from brandmind.services import syncs
from brandmind.sync import windows
from brandmind.sync.progress import StoreProgress
from brandmind.sync.stages import Stage, StoreStatus
from tests.faults.ground import Ground, Shop, contents, settings_for, standing, undisturbed

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
async def ground(tmp_path: Path, database_url: str, shopify: str) -> AsyncIterator[Ground]:
    settings = settings_for(tmp_path, database_url=database_url, shopify=shopify)
    async with standing(settings, rings=False) as found:
        yield found


@pytest.fixture
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty records are a window, so that a small shop has as many as a large one."""
    monkeypatch.setattr(windows, "RECORDS", 40)
    monkeypatch.setattr(windows.cut, "__kwdefaults__", {"records": 40})


async def _again(ground: Ground, store_id: str) -> StoreProgress:
    await ground.db.write(requests.request, store_id, by="alice", limited=False)
    await syncs.work(ground.rt, store_id=store_id)
    return await syncs.progress(ground.rt, store_id)


async def _connected(ground: Ground, shop: Shop) -> str:
    store_id = await ground.connect(shop)
    await syncs.work(ground.rt, store_id=store_id)
    return store_id


def _asked(shop: Shop) -> list[dict[str, Any]]:
    """What the shop was asked since the last call."""
    address = f"{shop.address}/__log/{shop.domain}"
    found: list[dict[str, Any]] = httpx.get(address, timeout=30).json()["requests"]
    httpx.delete(address, timeout=30)
    return found


@pytest.mark.parametrize(("seed", "read_by"), [(1, "auto"), (3, "bulk")])
async def test_a_shop_that_never_stands_still_ends_as_it_is(
    tmp_path: Path, database_url: str, shopify: str, seed: int, read_by: str
) -> None:
    settings = settings_for(tmp_path, database_url=database_url, shopify=shopify, read_by=read_by)
    async with standing(settings, rings=False) as ground:
        await _ends_as_it_is(ground, shopify, tmp_path, seed=seed)


async def _ends_as_it_is(ground: Ground, shopify: str, tmp_path: Path, *, seed: int) -> None:
    shop = Shop(shopify, orders=3_000, customers=1_200, products=150)
    await asyncio.to_thread(
        lambda: shop.control(
            "churn", seed=seed, create=0.6, update=1.5, edit=0.6, delete=0.3, merge=0.1
        )
    )
    store_id = await _connected(ground, shop)
    met = await asyncio.to_thread(lambda: shop.control("churn", method="DELETE"))
    assert {act for act, ids in met["done"].items() if ids} >= {"create", "update", "delete"}
    last = await _again(ground, store_id)
    assert last.status is StoreStatus.COMPLETED, last
    await ground.assert_whole(shop, store_id)
    (tmp_path / "peace").mkdir()
    peace = settings_for(
        tmp_path / "peace",
        database_url=_another(tmp_path),
        shopify=shopify,
    )
    expected = await undisturbed(shop, peace)
    found = contents(ground.db, store_id)
    for table, rows in expected.items():
        differ = [pair for pair in zip(found[table], rows, strict=True) if pair[0] != pair[1]]
        assert differ == [], (table, differ[:3])


def _another(folder: Path) -> str:
    """An empty database."""
    url = f"sqlite:///{folder}/peace.db"
    migrate.upgrade(url)
    return url


async def test_a_second_sync_of_an_unchanged_shop_asks_at_most_ten_times(
    ground: Ground, shopify: str, small_windows: None
) -> None:
    shop = Shop(shopify, orders=3_000, customers=900)
    store_id = await _connected(ground, shop)
    _asked(shop)
    assert (await _again(ground, store_id)).status is StoreStatus.COMPLETED
    asked = _asked(shop)
    assert len(asked) <= 10, [one["operation"] for one in asked]
    proofs = await ground.db.read(lambda s: s.execute(sa.select(PROOF)).all())
    assert {one.state for one in proofs} == {"whole"}
    assert sum(one.resource == "orders" for one in proofs) > 40


async def test_counts_that_stop_at_ten_thousand_are_told_apart_from_whole_ones(
    ground: Ground, shopify: str
) -> None:
    shop = Shop(shopify, orders=300)
    await asyncio.to_thread(lambda: shop.control("faults", kind="count-capped"))
    store_id = await _connected(ground, shop)
    assert (await syncs.progress(ground.rt, store_id)).status is StoreStatus.COMPLETED


async def test_a_deleted_order_and_a_merged_customer_are_gone_after_the_next_sync(
    ground: Ground, shopify: str
) -> None:
    shop = Shop(shopify, orders=600, customers=200)
    store_id = await _connected(ground, shop)
    bought = await ground.db.read(
        lambda s: s.execute(
            sa.select(ORDER.c.customer_id, sa.func.count().label("orders"))
            .where(ORDER.c.customer_id.is_not(None))
            .group_by(ORDER.c.customer_id)
            .order_by(sa.desc("orders"))
            .limit(2)
        ).all()
    )
    (keep, _), (gone, orders) = bought
    order_id = sorted(shop.ids("orders"))[5]
    await asyncio.to_thread(
        lambda: shop.control(
            "merge", keep=f"gid://shopify/Customer/{keep}", gone=f"gid://shopify/Customer/{gone}"
        )
    )
    await asyncio.to_thread(lambda: shop.control("delete", ids=[f"gid://shopify/Order/{order_id}"]))
    assert (await _again(ground, store_id)).status is StoreStatus.COMPLETED
    await ground.assert_whole(shop, store_id)
    of = await ground.db.read(
        lambda s: dict(
            s.execute(
                sa.select(ORDER.c.customer_id, sa.func.count())
                .where(ORDER.c.customer_id.in_([keep, gone]))
                .group_by(ORDER.c.customer_id)
            ).all()
        )
    )
    assert gone not in of
    assert of[keep] >= orders


async def test_an_order_of_this_minute_that_is_gone_at_the_next_look_is_gone_here(
    ground: Ground, shopify: str
) -> None:
    """No count is held against the last minutes, and a deletion changes nothing that is listed."""
    shop = Shop(shopify, orders=120)
    store_id = await _connected(ground, shop)
    # The first look after a reading of the whole compares everything: not that one.
    assert (await _again(ground, store_id)).status is StoreStatus.COMPLETED
    before = shop.ids("orders")
    await asyncio.to_thread(lambda: shop.control("orders", count=3))
    assert (await _again(ground, store_id)).status is StoreStatus.COMPLETED
    new = sorted(shop.ids("orders") - before)
    assert len(new) == 3
    await asyncio.to_thread(lambda: shop.control("delete", ids=[f"gid://shopify/Order/{new[1]}"]))
    assert (await _again(ground, store_id)).status is StoreStatus.COMPLETED
    await ground.assert_whole(shop, store_id)


async def test_customers_that_are_refused_and_granted_again_are_read_by_themselves(
    ground: Ground, shopify: str
) -> None:
    shop = Shop(shopify, orders=300, customers=100)
    store_id = await _connected(ground, shop)
    await asyncio.to_thread(lambda: shop.control("scopes", remove=["read_customers"]))
    last = await _again(ground, store_id)
    assert (last.status, last.reason) == (StoreStatus.PARTIAL, "restricted")
    made = await asyncio.to_thread(lambda: shop.control("create", customers=3))
    assert made
    await asyncio.to_thread(lambda: shop.control("scopes", add=["read_customers"]))
    last = await _again(ground, store_id)
    assert last.status is StoreStatus.COMPLETED
    await ground.assert_whole(shop, store_id)


async def test_a_shop_of_sixty_days_is_read_whole_once_it_is_allowed(
    ground: Ground, shopify: str
) -> None:
    shop = Shop(shopify, orders=900)
    await asyncio.to_thread(lambda: shop.control("faults", kind="sixty-days"))
    token = await asyncio.to_thread(shop.token)
    assert token
    await asyncio.to_thread(lambda: shop.control("scopes", remove=["read_all_orders"]))
    store_id = await ground.connect(shop)
    await asyncio.to_thread(lambda: shop.control("scopes", remove=["read_all_orders"]))
    await syncs.work(ground.rt, store_id=store_id)
    last = await syncs.progress(ground.rt, store_id)
    assert (last.status, last.reason) == (StoreStatus.PARTIAL, "restricted")
    assert last.stage(Stage.ORDERS) is not None
    await asyncio.to_thread(lambda: shop.control("faults?kind=sixty-days", method="DELETE"))
    await asyncio.to_thread(lambda: shop.control("scopes", add=["read_all_orders"]))
    assert (await _again(ground, store_id)).status is StoreStatus.COMPLETED
    await ground.assert_whole(shop, store_id)


async def test_hidden_customer_fields_are_filled_in_once_they_are_shown(
    ground: Ground, shopify: str
) -> None:
    shop = Shop(shopify, orders=200, customers=60)
    await asyncio.to_thread(lambda: shop.control("faults", kind="protected-data", mode="fields"))
    store_id = await _connected(ground, shop)
    last = await syncs.progress(ground.rt, store_id)
    assert (last.status, last.reason) == (StoreStatus.PARTIAL, "restricted")
    await asyncio.to_thread(lambda: shop.control("faults?kind=protected-data", method="DELETE"))
    assert (await _again(ground, store_id)).status is StoreStatus.COMPLETED
    named = await ground.db.read(
        lambda s: s.execute(
            sa.select(sa.func.count()).where(CUSTOMER.c.first_name.is_not(None))
        ).scalar_one()
    )
    assert named > 0
    assert (await ground.db.read(lambda s: s.execute(sa.select(STORE)).all()))[0].history_done
