"""How well a shop's rate budget is used: points spent of those restored, refusals, the time left.

A local Shopify with a real bucket is read by the product's own parts: the sync as a worker runs
it and, with a second reader, another worker that lists the same shop and shares its budget.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from brandmind.db.migrate import upgrade
from brandmind.launch.valkey import EmbeddedValkey, find_binary
from brandmind.runtime import Runtime, open_runtime
from brandmind.services import syncs
from brandmind.settings import Settings
from brandmind.shopify.client import ShopifyClient
from brandmind.shopify.source import ShopifySource
from brandmind.shopify.tokens import StaticToken
from brandmind.state.waiting_view import Watch
from brandmind.sync.ports import Window
from brandmind.sync.progress import StoreProgress
from brandmind.sync.stages import PAGED, Stage, StageState
from tests.contract.local_shopify import local_shopify
from tests.faults.ground import Ground, Shop, settings_for

SPENT_BAR: Final = 0.90
REFUSED_BAR: Final = 0.01
LEFT_BAR: Final = 0.25
# What a page asks for before it runs: below it the bucket holds the reading back.
_A_PAGE: Final = 600.0
_CLOSED: Final = (StageState.DONE, StageState.GAP, StageState.RESTRICTED)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A shop's bucket: Shopify's standard one, or one that lets a test be over sooner."""

    size: float = 2_000.0
    restore_per_s: float = 100.0


@dataclass(frozen=True, slots=True)
class Paced:
    """A reading of the front stages under a bucket. `spent` and `restored` are points from when
    the first bucket was used up; `said_s` is the time left that a page showed at half-way, None if
    it showed none, and `true_s` what it should have been."""

    readers: int
    took_s: float
    requests: int
    refused: int
    spent: float
    restored: float
    said_s: float | None
    true_s: float

    @property
    def use(self) -> float:
        """Points spent of those restored."""
        return self.spent / self.restored

    @property
    def off_by(self) -> float:
        """How wrong the time left was, as a part of the truth."""
        return 1.0 if self.said_s is None else abs(self.said_s - self.true_s) / self.true_s


async def read(settings: Settings, shop: Shop, *, readers: int, bucket: Bucket) -> Paced:
    """Connect the shop's store and read it under the bucket, alone or beside another worker."""
    settings = settings.model_copy(update={"read_by": "paged"})
    shop.control(
        "config", unlimited=False, bucket_size=bucket.size, restore_rate=bucket.restore_per_s
    )
    async with AsyncExitStack() as stack:
        rt = await stack.enter_async_context(open_runtime(settings))
        rt.hub.start()
        stack.push_async_callback(rt.hub.stop)
        store_id = await Ground(rt).connect(shop)
        await asyncio.to_thread(_log, shop, forget=True)
        tasks = [asyncio.create_task(syncs.work(rt, store_id=store_id))]
        for _ in range(readers - 1):
            other = await stack.enter_async_context(open_runtime(settings))
            tasks.append(asyncio.create_task(_list(other, shop, store_id)))
        try:
            began_s, said = time.time(), await _follow(rt, store_id)
            ended_s = time.time()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    half_s = began_s + (ended_s - began_s) / 2
    half_at_s, said_s = min(said, key=lambda one: abs(one[0] - half_s))
    asked = [one for one in await asyncio.to_thread(_log, shop) if one["at"] <= ended_s]
    spent, restored = _use(asked, bucket)
    return Paced(
        readers=readers,
        took_s=ended_s - began_s,
        requests=len(asked),
        refused=sum("THROTTLED" in one["errors"] for one in asked),
        spent=spent,
        restored=restored,
        said_s=said_s,
        true_s=ended_s - half_at_s,
    )


async def _follow(rt: Runtime, store_id: str) -> list[tuple[float, float | None]]:
    """What an open page knows of the time left, until the front stages are read."""
    watch, said = Watch(), []
    async with rt.hub.watch(store_id) as changes:
        progress = await syncs.progress(rt, store_id)
        while not _is_read(progress):
            watch.saw(progress, at_s=time.monotonic())
            said.append((time.time(), watch.left_s(progress)))
            with suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    progress = await changes.next()
    return said


def _is_read(progress: StoreProgress) -> bool:
    paged = [at for at in progress.stages if at.stage in PAGED]
    return bool(paged) and all(at.state in _CLOSED for at in paged)


async def _list(rt: Runtime, shop: Shop, store_id: str) -> None:
    """Another worker that reads the same shop over and over, as a look-up of changes would."""
    client = ShopifyClient(
        rt.http,
        origin=rt.settings.shopify_origin,
        domain=shop.domain,
        token=StaticToken(await asyncio.to_thread(shop.token)),
        pacer=rt.pacers.of(store_id),
    )
    source = ShopifySource(client, currency="USD")
    while True:
        async for _page in source.pages(Stage.ORDERS, Window(), after=None):
            pass


def _log(shop: Shop, *, forget: bool = False) -> list[dict[str, Any]]:
    answer = httpx.request(
        "DELETE" if forget else "GET", f"{shop.address}/__log/{shop.domain}", timeout=60
    )
    found: list[dict[str, Any]] = answer.raise_for_status().json()["requests"]
    return sorted(found, key=lambda one: one["at"])


def _use(asked: list[dict[str, Any]], bucket: Bucket) -> tuple[float, float]:
    """Points spent and restored from when the first bucket was used up to the last page."""
    paid = [(one["at"], one["cost"] or 0.0) for one in asked]
    total, first = 0.0, 0
    while first < len(paid) and total < bucket.size - _A_PAGE:
        total += paid[first][1]
        first += 1
    rest = paid[first:]
    if not rest:
        raise ValueError("the shop was read before its first bucket was used up")
    since_s = paid[first - 1][0]
    return sum(cost for _, cost in rest), (rest[-1][0] - since_s) * bucket.restore_per_s


def measure(*, orders: int = 12_000, bucket: Bucket | None = None) -> list[Paced]:
    """Read a shop under the bucket (Shopify's standard one) with one worker and with two."""
    found = []
    with (
        tempfile.TemporaryDirectory(prefix="bm-") as made,
        local_shopify() as shopify,
    ):
        for readers in (1, 2):
            folder = Path(made) / str(readers)
            folder.mkdir()
            url = f"sqlite:///{folder / 'paced.db'}"
            upgrade(url)
            with EmbeddedValkey(folder, binary=find_binary()) as valkey:
                settings = settings_for(
                    folder, database_url=url, redis_url=valkey.url, shopify=shopify
                )
                shop = Shop(shopify, orders=orders, products=orders // 20, customers=orders // 4)
                found.append(
                    asyncio.run(read(settings, shop, readers=readers, bucket=bucket or Bucket()))
                )
    return found


def lines(found: list[Paced], bucket: Bucket | None = None) -> list[str]:
    """What was found, as lines with its bars."""
    bucket = bucket or Bucket()
    said = [
        f"Under a bucket of {bucket.size:,.0f} points that gets {bucket.restore_per_s:,.0f} a "
        "second",
        f"{'':<14}{'seconds':>9}{'requests':>10}{'refused':>9}{'spent of restored':>19}"
        f"{'left said / true at half-way':>31}",
    ]
    for one in found:
        left = "nothing" if one.said_s is None else f"{one.said_s:.0f} s"
        said.append(
            f"{f'{one.readers} worker' + 's' * (one.readers > 1):<14}{one.took_s:>9.0f}"
            f"{one.requests:>10}{one.refused:>9}{one.use:>19.1%}"
            f"{f'{left} / {one.true_s:.0f} s':>31}"
        )
    met = all(
        one.use >= SPENT_BAR
        and one.refused <= REFUSED_BAR * one.requests
        and one.off_by <= LEFT_BAR
        for one in found
    )
    said.append(
        f"at least {SPENT_BAR:.0%} spent, at most {REFUSED_BAR:.0%} refused, "
        f"time left within {LEFT_BAR:.0%}: bars {'met' if met else 'not met'}"
    )
    return said
