"""A store that leaves: cut off in mid-page, erased two days later, unless it comes back."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from brandmind.db import erasure, users
from brandmind.db.models import METADATA
from brandmind.db.session import db_now
from brandmind.db.tables import EVENT, STORE
from brandmind.launch.valkey import EmbeddedValkey, packed_binary
from brandmind.services import scheduling, stores, syncs
from brandmind.settings import Settings
from brandmind.sync.stages import StoreStatus
from tests.faults.ground import Ground, Shop, settings_for, standing, until

pytestmark = [pytest.mark.timeout(120)]

LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def valkey() -> Iterator[EmbeddedValkey]:
    with (
        tempfile.TemporaryDirectory(prefix="bm-") as folder,
        EmbeddedValkey(Path(folder), binary=packed_binary()) as server,
    ):
        yield server


@pytest.fixture
def settings(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, shopify: str) -> Settings:
    return settings_for(tmp_path, database_url=database_url, redis_url=valkey.url, shopify=shopify)


@pytest.fixture
async def ground(settings: Settings) -> AsyncIterator[Ground]:
    async with standing(settings) as found:
        yield found


def _everything(session: Any, store_id: str) -> dict[str, list[str]]:
    """Every row that names the store, whichever table it is in."""
    found = {}
    for table in METADATA.sorted_tables:
        if "store_id" in table.columns:
            rows = session.execute(sa.select(table).where(table.c.store_id == store_id)).all()
            found[table.name] = sorted(repr(tuple(row)) for row in rows)
    return found


def _left(session: Any, store_id: str) -> dict[str, int]:
    return {name: len(rows) for name, rows in _everything(session, store_id).items() if rows}


async def _synced(ground: Ground, shopify: str, **sizes: int) -> tuple[Shop, str]:
    shop = Shop(shopify, **{"orders": 300, "products": 20, "customers": 60} | sizes)
    store_id = await ground.connect(shop)
    await syncs.work(ground.rt, store_id=store_id)
    return shop, store_id


async def _time_is_up(ground: Ground, store_id: str) -> None:
    def move(session: Any) -> None:
        at = db_now(session) - timedelta(seconds=1)
        session.execute(sa.update(STORE).where(STORE.c.store_id == store_id).values(erase_at=at))

    await ground.db.write(move)


@pytest.mark.faults
async def test_after_an_uninstall_in_mid_page_nobody_writes_one_more_row(
    ground: Ground, shopify: str
) -> None:
    worker = await ground.worker()
    shop = Shop(shopify, orders=2_000)
    shop.hold_after(9)
    store_id = await ground.connect(shop)
    await until(lambda: shop.waiting)
    assert await ground.pages(store_id) > 0
    done = await stores.uninstall(ground.rt, store_id)
    assert done is not None
    assert len(done.ended) == 1
    after = await ground.db.read(_everything, store_id)
    # The answer it waited for arrives now, and the worker goes on to a store that is still there.
    shop.go_on()
    other = Shop(shopify, orders=120)
    other_id = await ground.connect(other)
    await ground.completed(other_id)
    await ground.assert_whole(other, other_id)
    now = await ground.db.read(_everything, store_id)
    # That the end was told to its watchers is a note to ourselves about the run, not a datum.
    for kept in (after, now):
        kept.pop("sync_run")
    assert now == after
    (run,) = await ground.runs(store_id)
    assert (run.status, run.ended_by) == ("cancelled", "Shopify")
    assert worker.is_alive


async def test_what_an_uninstall_leaves_is_to_look_at_and_to_export(
    ground: Ground, shopify: str
) -> None:
    _, store_id = await _synced(ground, shopify)
    before = await ground.db.read(_left, store_id)
    await stores.uninstall(ground.rt, store_id)
    left = await ground.db.read(_left, store_id)
    assert "token" not in left
    assert left["shop_order"] == before["shop_order"]
    at = await syncs.progress(ground.rt, store_id)
    assert at.uninstalled_at is not None
    assert at.erase_at is not None
    assert at.erase_at - at.uninstalled_at == timedelta(hours=48)
    assert await stores.uninstall(ground.rt, store_id) is None
    assert await scheduling.erase(ground.rt) is None
    assert await ground.db.read(_left, store_id) == left


async def test_two_days_later_not_a_row_is_left(ground: Ground, shopify: str) -> None:
    _, store_id = await _synced(ground, shopify)
    _, other_id = await _synced(ground, shopify)

    def join(session: Any) -> None:
        for name, which in (("Alice", store_id), ("Carol", store_id), ("Carol", other_id)):
            users.add_by_hand(session, which, name=name, now=LONG_AGO)

    await ground.db.write(join)
    others = await ground.db.read(_everything, other_id)
    assert others["customer_group"]
    done = await stores.uninstall(ground.rt, store_id)
    assert done is not None
    await _time_is_up(ground, store_id)
    chunks = 0
    while await ground.db.write(erasure.erase_some, store_id, epoch=done.epoch, most=100):
        chunks += 1
    assert chunks > 10
    assert await ground.db.read(_left, store_id) == {}
    assert await ground.db.read(_everything, other_id) == others
    names = await ground.db.read(lambda s: s.execute(sa.text("SELECT name FROM app_user")).all())
    assert [row.name for row in names] == ["Carol"]
    assert await scheduling.erase(ground.rt) is None


async def test_the_worker_erases_by_its_own_timer(ground: Ground, shopify: str) -> None:
    _, store_id = await _synced(ground, shopify)
    await stores.uninstall(ground.rt, store_id)
    await _time_is_up(ground, store_id)
    assert await scheduling.erase(ground.rt) == store_id
    assert await ground.db.read(_left, store_id) == {}


async def test_a_store_that_came_back_is_not_erased(ground: Ground, shopify: str) -> None:
    shop, store_id = await _synced(ground, shopify)
    done = await stores.uninstall(ground.rt, store_id)
    assert done is not None
    await _time_is_up(ground, store_id)
    # The erasure has begun when it comes back.
    assert await ground.db.write(erasure.erase_some, store_id, epoch=done.epoch, most=50)
    assert await ground.connect(shop) == store_id
    assert not await ground.db.write(erasure.erase_some, store_id, epoch=done.epoch)
    assert await scheduling.erase(ground.rt) is None
    await syncs.work(ground.rt, store_id=store_id)
    await ground.assert_whole(shop, store_id)
    at = await syncs.progress(ground.rt, store_id)
    assert at.status is StoreStatus.COMPLETED
    assert (at.uninstalled_at, at.erase_at) == (None, None)


async def test_an_order_for_another_epoch_erases_nothing(ground: Ground, shopify: str) -> None:
    _, store_id = await _synced(ground, shopify)
    assert not await ground.db.write(erasure.order, store_id, epoch=1)
    done = await stores.uninstall(ground.rt, store_id)
    assert done is not None
    assert not await ground.db.write(erasure.order, store_id, epoch=done.epoch - 1)
    assert await ground.db.read(erasure.due) is None
    assert await ground.db.write(erasure.order, store_id, epoch=done.epoch)
    assert await ground.db.read(erasure.due) == (store_id, done.epoch)


async def test_an_uninstall_of_an_earlier_installation_does_nothing(
    ground: Ground, shopify: str
) -> None:
    _, store_id = await _synced(ground, shopify)
    assert await stores.uninstall(ground.rt, store_id, epoch=0) is None
    assert (await syncs.progress(ground.rt, store_id)).uninstalled_at is None


async def test_a_block_outlives_the_erasure_and_the_next_install(
    ground: Ground, shopify: str
) -> None:
    shop, store_id = await _synced(ground, shopify)

    def block(session: Any) -> str:
        users.add_by_hand(session, store_id, name="Owner", now=LONG_AGO)
        mallory = users.add_by_hand(session, store_id, name="Mallory", now=LONG_AGO)
        users.set_blocked(session, store_id, user_id=mallory, at=LONG_AGO)
        return mallory

    mallory = await ground.db.write(block)
    await stores.uninstall(ground.rt, store_id)
    await _time_is_up(ground, store_id)
    await scheduling.erase(ground.rt)
    assert await ground.db.read(_left, store_id) == {"store": 1, "membership": 1}
    assert await ground.db.read(erasure.due) is None
    await ground.connect(shop)
    assert not await ground.db.read(users.may_enter, store_id, mallory)


# Of people or of the installation. A privacy act is the proof of what was done, and outlives it
# without the customer's number.
_OF_NO_STORE = {"app_user", "session", "oauth_flow", "privacy_act", "worker"}


def _goes_with_its_run(table: sa.Table) -> bool:
    return any(
        key.column.table.name == "sync_run" and key.ondelete == "CASCADE"
        for key in table.foreign_keys
    )


def test_every_table_of_a_store_has_a_key_to_be_emptied_by() -> None:
    for table in METADATA.sorted_tables:
        if "store_id" in table.columns:
            assert table.primary_key.columns, table.name
        elif not _goes_with_its_run(table) and table.name not in _OF_NO_STORE:
            # A new table without a store must be erased in a way of its own, and be named here.
            raise AssertionError(table.name)


async def test_the_story_of_a_store_goes_with_it(ground: Ground, shopify: str) -> None:
    _, store_id = await _synced(ground, shopify)
    await stores.uninstall(ground.rt, store_id)
    await _time_is_up(ground, store_id)
    await scheduling.erase(ground.rt)
    left = await ground.db.read(
        lambda s: s.execute(sa.select(EVENT.c.name).where(EVENT.c.store_id == store_id)).all()
    )
    assert left == []
