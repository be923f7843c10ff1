"""From the door to the open page: a delivery moves the figures by push, without Shopify's body."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from redis.asyncio import Redis

from brandmind.bus.hub import Hub
from brandmind.bus.stream import Stream
from brandmind.clock import monotonic_s, utc_now
from brandmind.db import snapshot
from brandmind.services import deliveries
from brandmind.state import frame
from brandmind.state.center import Center
from brandmind.state.follow import paced
from brandmind.sync.stages import Stage
from tests import shop_words
from tests.faults.ground import until
from tests.identity_world import open_world
from tests.integration.stranger_world import NET, Neighbourhood
from tests.integration.test_webhook_landing import Shop
from tests.records import an_order
from worker.inbox import work_off


@pytest.fixture
async def around(sqlite_url: str, valkey_url: str) -> AsyncIterator[Neighbourhood]:
    async with open_world(sqlite_url) as world, Redis.from_url(valkey_url) as redis:
        made = Neighbourhood(world)
        await made.settle()
        rt = world.rt

        async def newest(store_id: str) -> Any:
            return await rt.db.read(snapshot.progress, store_id)

        rt.redis, rt.signals, rt.hub = redis, Stream(redis), Hub(redis, newest)
        rt.hub.start()
        worker = asyncio.create_task(work_off(rt))
        yield made
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
        await rt.hub.stop()
        await made.leave()


async def test_an_order_that_is_delivered_changes_the_open_command_center(
    around: Neighbourhood, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop()
    monkeypatch.setattr(deliveries, "source_of", lambda _rt, _turn: shop)
    # The page's own clock: whatever it learns without a push, it learns too late for this test.
    monkeypatch.setattr(frame, "paced", partial(paced, tick_s=600.0))
    now = utc_now()
    await around.world.sql("UPDATE store SET scopes = 'read_all_orders,read_orders'")
    async with around.tab("alice") as tab:
        following = asyncio.create_task(
            tab.event(
                f"{Center.get_full_name()}.follow",
                "/command-center?shop=harbor-and-pine.myshopify.com",
                {},
                within_s=100,
            )
        )
        await until(lambda: bool(tab.learnt({NET})), within_s=30)
        tab.sent.clear()
        sold = an_order(2, at=now, net_minor=100_000, updated_at=now)
        shop.put(Stage.ORDERS, sold._replace(created_at=now - timedelta(seconds=1)))
        raw = shop_words.body({"id": 2})
        at_s = monotonic_s()
        async with around.world.browser() as http:
            answer = await http.post(
                shop_words.PATH, content=raw, headers=shop_words.headers(raw, "orders/create")
            )
        assert answer.status_code == 200
        await until(lambda: bool(tab.learnt({"$8,313"})), within_s=30)
        print(f"from the door to the page: {monotonic_s() - at_s:.2f} s")
        await until(lambda: bool(tab.learnt({"Synced just now"})), within_s=30)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
