"""Many stores connect at once while a long history is read: how soon each sees first numbers."""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import sqlalchemy as sa

from brandmind.db import runs
from brandmind.db.ledger import SqlLedger
from brandmind.db.migrate import upgrade
from brandmind.db.tables import EVENT, RUN
from brandmind.launch.valkey import EmbeddedValkey, find_binary
from brandmind.runtime import Runtime, open_runtime
from brandmind.services import syncs, tokens
from brandmind.settings import Settings
from brandmind.shopify.client import ShopifyClient
from brandmind.shopify.source import ShopifySource
from brandmind.sync.progress import StoreProgress
from brandmind.sync.stages import Kind, StageState
from tests.contract.local_shopify import local_shopify
from tests.faults.ground import Ground, Shop, WorkerProcess, settings_for, until

LAST_AIM_S: Final = 20.0
SPREAD_BAR: Final = 3.0
_PATIENCE_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class Crowd:
    """Seconds from the moment all connected to each store's first numbers at its watcher; pages
    of the history before, while and after the crowd was served, and how often it gave way."""

    first_s: list[float]
    before: int
    meanwhile: int
    after: int
    yielded: int

    @property
    def last_s(self) -> float:
        return max(self.first_s)

    @property
    def spread(self) -> float:
        """The longest wait over the median."""
        return self.last_s / median(self.first_s)


def measure(
    *, stores: int = 20, orders: int = 2_000, history: int = 1_000_000, workers: int = 2
) -> Crowd:
    """Start it all in processes of their own and watch."""
    with tempfile.TemporaryDirectory(prefix="bm-") as made, local_shopify() as shopify:
        folder = Path(made)
        url = f"sqlite:///{folder / 'crowd.db'}"
        upgrade(url)
        with EmbeddedValkey(folder, binary=find_binary()) as valkey:
            settings = settings_for(folder, database_url=url, redis_url=valkey.url, shopify=shopify)
            shops = [
                Shop(shopify, orders=orders, products=120, customers=900, name=f"crowd-{number}")
                for number in range(stores)
            ]
            big = Shop(
                shopify, orders=history, products=2_000, customers=history // 5, name="history"
            )
            for shop in (*shops, big):
                # Shopify's own limits; and a shop's records are made before its merchant comes.
                shop.control("config", unlimited=False)
                shop.ids("products")
            return asyncio.run(_measure(settings, shops, big, workers))


async def _measure(settings: Settings, shops: list[Shop], big: Shop, workers: int) -> Crowd:
    async with AsyncExitStack() as stack:
        rt = await stack.enter_async_context(open_runtime(settings))
        rt.hub.start()
        stack.push_async_callback(rt.hub.stop)
        ground = Ground(rt)
        history_id = await _with_a_history(rt, big)
        processes = [WorkerProcess(settings) for _ in range(workers)]
        for process in processes:
            stack.callback(process.end)
        for process in processes:
            await process.ready()
        await until(lambda: _pages(rt, history_id), within_s=_PATIENCE_S)
        found = await asyncio.gather(*(asyncio.to_thread(shop.token) for shop in shops))
        assert all(found)
        before = await _pages(rt, history_id)
        began_s = time.monotonic()
        first = await asyncio.gather(*(_first_numbers(ground, shop) for shop in shops))
        meanwhile = await _pages(rt, history_id) - before
        yielded = await _events(rt, history_id, "yielded")
        goes_on = before + meanwhile

        async def has_gone_on() -> bool:
            return await _pages(rt, history_id) > goes_on

        await until(has_gone_on, within_s=_PATIENCE_S)
        after = await _pages(rt, history_id) - goes_on
        return Crowd([at - began_s for at in first], before, meanwhile, after, yielded)


async def _with_a_history(rt: Runtime, shop: Shop) -> str:
    """A store whose front stages are taken as read: what is left is the run of its history."""
    store_id = await Ground(rt).connect(shop)
    claim = await rt.db.write(
        runs.claim_next, owner=rt.owner, oldest_first=False, store_id=store_id
    )
    assert claim is not None
    client = ShopifyClient(
        rt.http,
        origin=rt.settings.shopify_origin,
        domain=shop.domain,
        token=tokens.StoreToken(rt, store_id),
    )
    ledger = SqlLedger(rt.db, claim)
    await ledger.keep_shop(await ShopifySource(client).shop())
    for stage in await ledger.stages():
        await ledger.begin(stage, total=None)
        await ledger.finish(stage, StageState.DONE)
    await rt.db.write(runs.finish, claim)
    return store_id


async def _first_numbers(ground: Ground, shop: Shop) -> float:
    """Connect, and wait as its waiting room does; the moment at which a count is there."""
    store_id = await ground.connect(shop)
    async with ground.rt.hub.watch(store_id) as changes:
        progress = await syncs.progress(ground.rt, store_id)
        async with asyncio.timeout(_PATIENCE_S):
            while not _has_numbers(progress):
                progress = await changes.next()
    return time.monotonic()


def _has_numbers(progress: StoreProgress) -> bool:
    return progress.done > 0


async def _pages(rt: Runtime, store_id: str) -> int:
    return await _events(rt, store_id, "page")


async def _events(rt: Runtime, store_id: str, name: str) -> int:
    def count(session: Any) -> int:
        found = session.scalar(
            sa.select(sa.func.count())
            .select_from(EVENT.join(RUN, RUN.c.run_id == EVENT.c.run_id))
            .where(
                EVENT.c.store_id == store_id,
                EVENT.c.name == name,
                RUN.c.kind == Kind.HISTORICAL.value,
            )
        )
        return int(found or 0)

    return await rt.db.read(count)


def lines(found: Crowd, *, history: int = 1_000_000) -> list[str]:
    """What was found, as lines with its aims."""
    aim = "met" if found.last_s <= LAST_AIM_S else "not met"
    bar = "met" if found.spread <= SPREAD_BAR else "not met"
    return [
        f"{len(found.first_s)} stores connect at once beside a history of {history:,} orders; "
        "first numbers at their watchers",
        f"  median                          {median(found.first_s):>6.1f} s",
        f"  the last                        {found.last_s:>6.1f} s  "
        f"(aim {LAST_AIM_S:.0f} s: {aim})",
        f"  the longest wait over the median{found.spread:>6.1f}    "
        f"(at most {SPREAD_BAR:.0f}: bar {bar})",
        f"  pages of the history: {found.before} before, {found.meanwhile} meanwhile, "
        f"{found.after} soon after; it gave way {found.yielded} times",
    ]
