"""A local Shopify read by exports over HTTP: the tables are those of paging, byte for byte."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from brandmind.db import runs
from brandmind.db.ledger import SqlLedger
from brandmind.db.tables import EVENT, SLICE
from brandmind.runtime import open_runtime
from brandmind.services import exports, stores, syncs
from brandmind.settings import Settings
from brandmind.sync import slicing
from brandmind.sync.ports import Checkpoint, Page
from brandmind.sync.stages import Kind, Stage
from tests.faults.ground import (
    KEY,
    Ground,
    Shop,
    contents,
    settings_for,
    standing,
    undisturbed,
    until,
)


def by_exports(
    folder: Path, *, database_url: str, shopify: str, redis_url: str = "", records: int = 400
) -> Settings:
    return Settings.load(
        data_dir=folder,
        database_url=database_url,
        redis_url=redis_url,
        shopify_origin=f"{shopify}/{{shop}}",
        encryption_keys=f"test:{KEY}",
        read_by="bulk",
        export_records=records,
    )


async def work_through(ground: Ground, store_id: str) -> None:
    async def is_over() -> bool:
        await syncs.work(ground.rt, store_id=store_id)
        return all(row.status == "done" for row in await ground.runs(store_id))

    await until(is_over, within_s=100, every_s=0.05)
    await ground.completed(store_id, within_s=1.0)


async def plans(ground: Ground) -> list[str]:
    return await ground.db.read(
        lambda s: [
            row.detail for row in s.execute(sa.select(EVENT).where(EVENT.c.name == "planned"))
        ]
    )


async def failures(ground: Ground) -> list[str]:
    return await ground.db.read(
        lambda s: [
            row.detail for row in s.execute(sa.select(EVENT).where(EVENT.c.name == "export failed"))
        ]
    )


async def test_a_store_read_by_exports_equals_the_store_read_by_pages(
    shopify: str, tmp_path: Path, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shop = Shop(shopify, orders=1_500, products=120, customers=500)
    settings = by_exports(tmp_path, database_url=database_url, shopify=shopify)
    async with open_runtime(settings, jobs=False) as rt:
        ground = Ground(rt)
        store_id = await ground.connect(shop)
        await work_through(ground, store_id)
        await ground.assert_whole(shop, store_id)
        stored = await asyncio.to_thread(contents, ground.db, store_id)
        assert len(await plans(ground)) == 4
        assert await failures(ground) == []
    # Not a byte of the files is left.
    assert list(settings.exports_dir.iterdir()) == []
    other = tmp_path_factory.mktemp("peace")
    peace = settings_for(other, database_url=_fresh(other), shopify=shopify)
    paged = await undisturbed(shop, peace)
    assert any(row for row in paged["order_refund"])
    assert stored == paged


async def test_twelve_thousand_orders_are_read_by_exports_by_themselves(
    shopify: str, tmp_path: Path, sqlite_url: str
) -> None:
    shop = Shop(shopify, orders=12_000, products=100, customers=300)
    # A standard plan: paging so many would take five minutes.
    shop.control("config", unlimited=False)
    settings = settings_for(tmp_path, database_url=sqlite_url, shopify=shopify)
    async with open_runtime(settings, jobs=False) as rt:
        ground = Ground(rt)
        store_id = await ground.connect(shop)
        await work_through(ground, store_id)
        await ground.assert_whole(shop, store_id)
        told = await plans(ground)
        assert any("1 page run and" in one and "100 points/s" in one for one in told), told


@pytest.mark.faults
@pytest.mark.timeout(300)
async def test_a_worker_killed_among_exports_is_followed_by_one_that_takes_them_up(
    shopify: str,
    tmp_path: Path,
    database_url: str,
    valkey_url: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    monkeypatch.setenv("BRANDMIND_READ_BY", "bulk")
    monkeypatch.setenv("BRANDMIND_EXPORT_RECORDS", "300")
    shop = Shop(shopify, orders=1_800, products=100, customers=300)
    shop.control("config", bulk_start_s=0.3)
    settings = by_exports(
        tmp_path, database_url=database_url, redis_url=valkey_url, shopify=shopify, records=300
    )
    async with standing(settings) as ground:
        worker = await ground.worker()
        store_id = await ground.connect(shop)
        for number in range(1, 4):

            async def has_moved(at: int = 3 * number) -> bool:
                return await ground.pages(store_id) >= at

            await until(has_moved)
            worker.send(signal.SIGKILL)
            worker.end()
            worker = await ground.worker()
        await ground.completed(store_id)
        await ground.assert_whole(shop, store_id)
        assert await failures(ground) == []
        stored = await asyncio.to_thread(contents, ground.db, store_id)
        worker.end()
        await exports.sweep(ground.rt)
        assert list(settings.exports_dir.iterdir()) == []
    other = tmp_path_factory.mktemp("peace")
    peace = settings_for(other, database_url=_fresh(other), shopify=shopify)
    monkeypatch.delenv("BRANDMIND_READ_BY")
    assert stored == await undisturbed(shop, peace)


async def test_a_cancelled_sync_takes_its_exports_with_it(
    shopify: str, tmp_path: Path, sqlite_url: str
) -> None:
    shop = Shop(shopify, orders=900, products=40, customers=300)
    shop.control("config", bulk_start_s=600.0)
    settings = by_exports(tmp_path, database_url=sqlite_url, shopify=shopify)
    async with open_runtime(settings, jobs=False) as rt:
        ground = Ground(rt)
        store_id = await ground.connect(shop)
        await syncs.work(rt, store_id=store_id)
        (run,) = await ground.runs(store_id)
        assert (run.status, run.waiting) == ("queued", "bulk")
        assert run.error.startswith("Shopify is preparing an export of")
        await syncs.cancel(rt, store_id, by="alice")
        rows = await rt.db.read(
            lambda s: s.execute(
                sa.select(SLICE.c.operation).where(SLICE.c.operation.is_not(None))
            ).all()
        )
        assert rows
        states = await _states(ground, shop, [row.operation for row in rows])
        assert set(states) <= {"CANCELED", "CANCELING"}
        shop.control("config", bulk_start_s=0.0)
        await syncs.request(rt, store_id, by="alice", kind=Kind.FULL)
        await work_through_newest(ground, store_id)
        await ground.assert_whole(shop, store_id)


async def test_a_store_that_is_cut_off_here_leaves_no_export_at_shopify(
    shopify: str, tmp_path: Path, sqlite_url: str
) -> None:
    shop = Shop(shopify, orders=300, products=40, customers=100)
    shop.control("config", bulk_start_s=600.0)
    settings = by_exports(tmp_path, database_url=sqlite_url, shopify=shopify)
    async with open_runtime(settings, jobs=False) as rt:
        ground = Ground(rt)
        store_id = await ground.connect(shop)
        await syncs.work(rt, store_id=store_id)
        await stores.uninstall(rt, store_id, by="operator")
        rows = await rt.db.read(
            lambda s: s.execute(
                sa.select(SLICE.c.operation).where(SLICE.c.operation.is_not(None))
            ).all()
        )
        assert rows
        states = await _states(ground, shop, [row.operation for row in rows])
        assert set(states) <= {"CANCELED", "CANCELING"}


async def test_no_file_outlives_its_run(shopify: str, tmp_path: Path, sqlite_url: str) -> None:
    shop = Shop(shopify, orders=900, products=40, customers=300)
    settings = by_exports(tmp_path, database_url=sqlite_url, shopify=shopify)
    async with open_runtime(settings, jobs=False) as rt:
        ground = Ground(rt)
        store_id = await ground.connect(shop)
        land = SqlLedger.land

        async def cancelled(ledger: SqlLedger, page: Page, *, after: str) -> Checkpoint:
            if page.stage is Stage.ORDERS:
                assert len(list(settings.exports_dir.iterdir())) == 1
                (row,) = await ground.runs(store_id)
                # By somebody far away, who cannot reach this disk.
                await rt.db.write(runs.cancel, store_id, by="alice")
                assert row.status == "running"
            return await land(ledger, page, after=after)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(SqlLedger, "land", cancelled)
            await syncs.work(rt, store_id=store_id)
        (row,) = await ground.runs(store_id)
        assert row.status == "cancelled"
        assert list(settings.exports_dir.iterdir()) == []


async def work_through_newest(ground: Ground, store_id: str) -> None:
    async def is_over() -> bool:
        await syncs.work(ground.rt, store_id=store_id)
        return all(row.status in ("done", "cancelled") for row in await ground.runs(store_id))

    await until(is_over, within_s=100, every_s=0.05)


async def _states(ground: Ground, shop: Shop, gids: list[str]) -> list[str]:
    found = []
    token = await asyncio.to_thread(shop.token)
    for gid in gids:
        answer = await ground.rt.http.post(
            f"{shop.address}/{shop.domain}/admin/api/2026-10/graphql.json",
            json={
                "query": f'{{ bulkOperation(id: "{gid}") {{ ... on BulkOperation {{ status }} }} }}'
            },
            headers={"X-Shopify-Access-Token": token},
        )
        told: dict[str, Any] = answer.json()
        found.append(told["data"]["bulkOperation"]["status"])
    return found


def _fresh(folder: Path) -> str:
    from brandmind.db import migrate

    url = f"sqlite:///{folder / 'peace.db'}"
    migrate.upgrade(url)
    return url


@pytest.fixture(scope="module")
def troubled(shopify: str) -> Shop:
    return Shop(shopify, orders=500, products=40, customers=200)


@pytest.fixture(scope="module")
def in_peace(
    shopify: str, troubled: Shop, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[tuple[Any, ...]]]:
    folder = tmp_path_factory.mktemp("peace")
    settings = settings_for(folder, database_url=_fresh(folder), shopify=shopify)
    return asyncio.run(undisturbed(troubled, settings))


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"kind": "bulk-failed"}, "ended failed (INTERNAL_SERVER_ERROR)"),
        ({"kind": "bulk-failed", "mode": "TIMEOUT"}, "ended failed (TIMEOUT)"),
        ({"kind": "bulk-failed", "mode": "ACCESS_DENIED"}, "Shopify refuses the export"),
        ({"kind": "bulk-cancelled"}, "ended canceled"),
        ({"kind": "bulk-expired"}, "ended expired"),
        ({"kind": "bulk-stuck", "mode": "RUNNING"}, "stood still"),
        ({"kind": "bulk-stuck", "mode": "CREATED"}, "stood still"),
        ({"kind": "bulk-gone", "count": 3}, "file is gone"),
        ({"kind": "bulk-cut"}, None),
        ({"kind": "bulk-truncated", "mode": "mid-line"}, None),
        ({"kind": "bulk-truncated", "mode": "mid-line", "count": 3}, "of the export is damaged"),
        ({"kind": "bulk-truncated", "mode": "missing-lines", "count": 3}, "the export has"),
        ({"kind": "reset", "count": 3}, None),
        ({"kind": "throttled", "count": 3}, None),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else "",
)
async def test_whatever_goes_wrong_with_an_export_the_store_is_whole_in_the_end(
    shopify: str,
    tmp_path: Path,
    sqlite_url: str,
    troubled: Shop,
    in_peace: dict[str, list[tuple[Any, ...]]],
    monkeypatch: pytest.MonkeyPatch,
    fault: dict[str, Any],
    told: str | None,
) -> None:
    monkeypatch.setattr(slicing, "STUCK_S", 1.0)
    settings = by_exports(tmp_path, database_url=sqlite_url, shopify=shopify, records=200)
    async with open_runtime(settings, jobs=False) as rt:
        ground = Ground(rt)
        store_id = await ground.connect(troubled)
        troubled.control("faults", **({"count": 1} | fault))
        try:
            await work_through(ground, store_id)
        finally:
            troubled.control("faults", method="DELETE")
        await ground.assert_whole(troubled, store_id)
        failed = await failures(ground)
        assert any(told in one for one in failed) if told else failed == []
        assert await asyncio.to_thread(contents, ground.db, store_id) == in_peace
    assert list(settings.exports_dir.iterdir()) == []
