"""Under a shop's rate budget: hardly a point unspent, hardly a refusal, and the time left is right.

The bucket is the shop's own and runs on real time; it gives so few points a second that even a
slow machine could read several times as fast, so what is measured is the pacing alone.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import paced
from bench.paced import Bucket
from brandmind.settings import Settings
from tests.faults.ground import Shop, settings_for

pytestmark = pytest.mark.alone

# A page asks for about 600 points before it runs: less would be no bucket for it.
SMALL = Bucket(size=1_000.0, restore_per_s=150.0)
# What a page of orders takes of it.
A_PAGE_S = 1.5


@pytest.fixture
def settings(sqlite_url: str, valkey_url: str, shopify: str, tmp_path: Path) -> Settings:
    return settings_for(tmp_path, database_url=sqlite_url, redis_url=valkey_url, shopify=shopify)


async def test_one_worker_spends_what_is_restored_and_says_when_it_is_done(
    settings: Settings, shopify: str
) -> None:
    # Few customers: their pages are so cheap that a busy machine would be what holds them back.
    shop = Shop(shopify, orders=12_000, products=240, customers=250)
    found = await paced.read(settings, shop, readers=1, bucket=SMALL)
    assert found.use >= paced.SPENT_BAR, found
    assert found.refused <= paced.REFUSED_BAR * found.requests, found
    # In so small a reading a page more or less is seen.
    assert found.said_s is not None
    assert abs(found.said_s - found.true_s) <= paced.LEFT_BAR * found.true_s + A_PAGE_S, found


async def test_two_workers_on_one_shop_share_its_budget(settings: Settings, shopify: str) -> None:
    shop = Shop(shopify, orders=4_000, products=120, customers=250)
    found = await paced.read(settings, shop, readers=2, bucket=SMALL)
    assert found.use >= paced.SPENT_BAR, found
    assert found.refused <= paced.REFUSED_BAR * found.requests, found
