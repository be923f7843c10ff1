"""The whole house falls, or all its workers at once: one command, and it goes on."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from brandmind.launch import frontend
from brandmind.settings import Settings
from tests.faults.ground import Shop, contents, settings_for, standing, undisturbed, until
from tests.faults.house import House

pytestmark = [
    pytest.mark.faults,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at processes in /proc"),
]


async def test_a_sync_outlives_its_workers_and_then_its_house(
    shopify: str, tmp_path: Path, sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    frontend.ensure_built()
    shop = Shop(shopify, orders=2_500, products=300, customers=900)
    shop.hold_after(8)
    house = House(tmp_path / "house", shopify=shopify)
    try:
        await house.ready()
        async with standing(_settings(house, shopify)) as ground:
            store_id = await ground.connect(shop)
            await until(lambda: shop.waiting)
            before = await ground.pages(store_id)
            both = house.workers
            assert len(both) == 2
            for pid in both:
                os.kill(pid, signal.SIGKILL)
            began_s = time.monotonic()
            # Those who asked are dead; three answers for whoever comes next.
            shop.go_on()
            shop.hold_after(3)

            async def has_gone_on() -> bool:
                return await ground.pages(store_id) > before

            await until(has_gone_on)
            with capsys.disabled():
                took_s = time.monotonic() - began_s
                print(f"\nBoth workers killed at once: next page after {took_s:.2f} s")
            await until(lambda: shop.waiting)
        house.kill()
    finally:
        house.end()
    shop.go_on()
    again = House(house.data, shopify=shopify)
    try:
        await again.ready()
        async with standing(_settings(again, shopify)) as ground:
            await ground.completed(store_id, within_s=120.0)
            await ground.assert_whole(shop, store_id)
            stored = await asyncio.to_thread(contents, ground.db, store_id)
    finally:
        again.end()
    peace = settings_for(tmp_path, database_url=sqlite_url, shopify=shopify)
    assert stored == await undisturbed(shop, peace)


def _settings(house: House, shopify: str) -> Settings:
    return Settings.load(data_dir=house.data, shopify_origin=f"{shopify}/{{shop}}")
