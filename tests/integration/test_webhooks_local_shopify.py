"""Webhooks over HTTP from end to end: subscribed to, delivered with losses, landed, and left by."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.embed import Server
from pydantic import SecretStr
from starlette.applications import Starlette

from brandmind import runtime, web
from brandmind.db import inbox
from brandmind.db.tables import CUSTOMER, INBOX, PRIVACY_ACT, STORE
from brandmind.launch import ports
from brandmind.services import deliveries, scheduling, subscriptions, syncs
from brandmind.settings import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET
from tests.faults.ground import Ground, Shop, contents, settings_for, standing, undisturbed, until

pytestmark = [pytest.mark.timeout(240)]


@pytest.fixture
async def ground(tmp_path: Path, database_url: str, shopify: str) -> AsyncIterator[Ground]:
    port = ports.free_port()
    settings = settings_for(tmp_path, database_url=database_url, shopify=shopify).model_copy(
        update={
            "public_url": f"http://127.0.0.1:{port}",
            "shopify_client_id": DEMO_CLIENT_ID,
            "shopify_client_secret": SecretStr(DEMO_CLIENT_SECRET),
        }
    )
    async with standing(settings, rings=False) as found:
        runtime.set_current(found.rt)
        server = Server(
            Starlette(routes=web.routes()),
            address="127.0.0.1",
            port=port,
            interface=Interfaces.ASGI,
            log_level=LogLevels.error,
        )
        serving = asyncio.create_task(server.serve())
        await until(lambda: _listens(port), within_s=20)
        yield found
        server.stop()
        with contextlib.suppress(asyncio.CancelledError):
            await serving
        runtime.set_current(None)


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def _installed(ground: Ground, shop: Shop) -> str:
    """A store read whole, connected by an app whose webhooks we can verify."""
    store_id = await ground.connect(shop)
    await ground.db.write(
        lambda s: s.execute(sa.text("UPDATE token SET grant_kind = 'oauth'")).rowcount
    )
    await syncs.work(ground.rt, store_id=store_id)
    await ground.completed(store_id, within_s=1.0)
    assert await subscriptions.check(ground.rt) == 1
    return store_id


def _said(shop: Shop) -> dict[str, Any]:
    return shop.control("webhooks", method="GET")


async def _worked_off(ground: Ground, shop: Shop) -> None:
    """Every delivery of the shop was answered, and what it asked for is done."""

    async def is_quiet() -> bool:
        await deliveries.work(ground.rt)
        await ground.db.write(
            lambda s: s.execute(sa.update(INBOX).values(due_at=datetime(2020, 1, 1, tzinfo=UTC)))
        )
        said = await asyncio.to_thread(_said, shop)
        rows = await ground.db.read(
            lambda s: s.execute(sa.select(INBOX).where(INBOX.c.done_at.is_(None))).all()
        )
        return not said["waiting"] and not rows

    await until(is_quiet, within_s=120, every_s=0.05)


async def test_a_shop_that_changes_is_followed_by_webhooks_alone(
    ground: Ground, shopify: str, tmp_path: Path
) -> None:
    shop = Shop(shopify, orders=36, products=20, customers=30)
    store_id = await _installed(ground, shop)
    said = _said(shop)
    assert {one["uri"] for one in said["subscriptions"]} == {subscriptions.address(ground.rt)}
    assert len(said["subscriptions"]) >= 12
    assert (await ground.db.read(inbox.standing, store_id)).missing == ()

    def changes() -> None:
        shop.control("webhooks", scale=0.001)
        shop.control("faults", kind="webhook-twice", rate=0.3)
        shop.control("faults", kind="webhook-shuffled", rate=0.7, seconds=0.3)
        orders, products, customers = (
            [f"gid://shopify/{kind}/{one}" for one in sorted(shop.ids(resource))]
            for kind, resource in (
                ("Order", "orders"), ("Product", "products"), ("Customer", "customers"),
            )
        )  # fmt: skip
        made = shop.control("orders", count=10)["ids"]
        new = shop.control("create", products=3, customers=4)["ids"]
        for how in ("add", "refund", "cancel"):
            shop.control("edit", ids=orders[:6] if how == "add" else made[:4], how=how)
        shop.control("touch", ids=[*products[:5], *customers[:5], *orders[10:25]])
        shop.control("delete", ids=[*orders[30:33], products[-1], new[0], new[-1]])
        shop.control("merge", keep=customers[0], gone=customers[1])

    await asyncio.to_thread(changes)
    await _worked_off(ground, shop)
    found = contents(ground.db, store_id)
    other = tmp_path / "other"
    other.mkdir()
    from brandmind.db.migrate import upgrade

    url = f"sqlite:///{other}/truth.db"
    await asyncio.to_thread(upgrade, url)
    truth = await undisturbed(shop, settings_for(other, database_url=url, shopify=shopify))
    for name, rows in truth.items():
        assert len(found[name]) == len(rows), name
        different = [
            [(one, other) for one, other in zip(*pair, strict=True) if one != other]
            for pair in zip(found[name], rows, strict=True)
            if pair[0] != pair[1]
        ]
        assert different == [], name


async def test_a_privacy_request_of_the_shop_is_carried_out(ground: Ground, shopify: str) -> None:
    shop = Shop(shopify, orders=60, products=5, customers=20)
    store_id = await _installed(ground, shop)
    customer = min(shop.ids("customers"))
    gid = f"gid://shopify/Customer/{customer}"
    await asyncio.to_thread(shop.control, "privacy", topic="customers/redact", customer=gid)
    await _worked_off(ground, shop)
    (act,) = await ground.db.read(lambda s: s.execute(sa.select(PRIVACY_ACT)).all())
    assert (act.kind, act.outcome, act.customer_id) == ("redact_customer", "done", customer)
    left = await ground.db.read(lambda s: s.scalars(sa.select(CUSTOMER.c.shopify_id)).all())
    assert customer not in left
    # A whole reading anew does not bring the customer back.
    await syncs.request(ground.rt, store_id, by=None, kind=None, limited=False)
    await syncs.work(ground.rt, store_id=store_id)
    left = await ground.db.read(lambda s: s.scalars(sa.select(CUSTOMER.c.shopify_id)).all())
    assert customer not in left


async def test_new_scopes_are_followed_by_their_subscriptions(ground: Ground, shopify: str) -> None:
    shop = Shop(shopify, orders=20, products=5, customers=10)
    await _installed(ground, shop)
    topics = {one["topic"] for one in _said(shop)["subscriptions"]}
    assert "CUSTOMERS_MERGE" not in topics
    await asyncio.to_thread(shop.control, "scopes", add=["read_customer_merge"])
    await _worked_off(ground, shop)
    (store,) = await ground.db.read(lambda s: s.execute(sa.select(STORE)).all())
    assert "read_customer_merge" in store.scopes.split(",")
    assert await subscriptions.check(ground.rt) == 1
    assert "CUSTOMERS_MERGE" in {one["topic"] for one in _said(shop)["subscriptions"]}


async def test_a_shop_that_uninstalls_is_cut_off_and_erased_when_the_law_says(
    ground: Ground, shopify: str
) -> None:
    shop = Shop(shopify, orders=40, products=5, customers=10)
    store_id = await _installed(ground, shop)
    await asyncio.to_thread(shop.control, "uninstall")
    await until(lambda: _left(ground), within_s=60)
    assert await ground.db.read(lambda s: s.execute(sa.text("SELECT * FROM token")).all()) == []
    await asyncio.to_thread(shop.control, "privacy", topic="shop/redact")
    await until(lambda: _erased(ground, store_id), within_s=60)
    assert await ground.db.read(lambda s: s.execute(sa.select(CUSTOMER)).all()) == []
    acts = await ground.db.read(lambda s: s.execute(sa.select(PRIVACY_ACT)).all())
    assert {(act.kind, act.outcome) for act in acts} == {("redact_store", "done")}


async def _left(ground: Ground) -> bool:
    await deliveries.work(ground.rt)
    (store,) = await ground.db.read(lambda s: s.execute(sa.select(STORE)).all())
    return store.uninstalled_at is not None


async def _erased(ground: Ground, store_id: str) -> bool:
    await deliveries.work(ground.rt)
    await scheduling.erase(ground.rt)
    found = await ground.db.read(
        lambda s: s.execute(sa.select(STORE).where(STORE.c.store_id == store_id)).first()
    )
    return found is None
