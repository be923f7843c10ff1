"""The whole sign-in against a local Shopify over HTTP: consent, tokens, people, a first sync."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from brandmind.errors import TokenRevoked
from brandmind.services import sessions, syncs
from brandmind.services.tokens import StoreToken
from brandmind.sync.stages import RunStatus, Stage, StageState, StoreStatus
from tests.contract.local_shopify import local_shopify
from tests.identity_world import HARBOR, PUBLIC, World, open_world


@pytest.fixture(scope="module")
def shopify() -> Iterator[str]:
    size = ("--orders", "60", "--products", "12", "--customers", "30", "--plan", "unlimited")
    with local_shopify(*size) as address:
        yield address


@pytest.fixture
async def world(sqlite_url: str, shopify: str) -> AsyncIterator[World]:
    async with open_world(
        sqlite_url,
        origin=shopify + "/{shop}",
        demo=True,
        shopify_client_id="",
        shopify_client_secret="",
    ) as made:
        async with _at(shopify) as control:
            await control.post(f"/__control/{HARBOR}/uninstall")
            await control.post(f"/__control/{HARBOR}/staff", json={"user": "owner"})
            await control.delete(f"/__control/{HARBOR}/faults")
        yield made


def _at(address: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=address, trust_env=False)


def _path(location: str) -> str:
    parts = urlsplit(location)
    assert f"{parts.scheme}://{parts.netloc}" == PUBLIC
    return f"{parts.path}?{parts.query}"


async def _through(world: World, shopify: str, browser: httpx.AsyncClient, *, decision: str) -> str:
    """Press Connect, answer the consent page where one is shown; where the browser ends."""
    async with _at(shopify) as outside:
        answer = await browser.get("/auth/connect", params={"shop": HARBOR})
        for _ in range(8):
            location = answer.headers["location"]
            if location.startswith(shopify):
                page = await outside.get(location)
                if page.status_code == 200:
                    page = await outside.post(location, data={"decision": decision})
                location = page.headers["location"]
            path = _path(location)
            if not path.startswith("/auth/"):
                return path
            answer = await browser.get(path)
            assert answer.status_code == 302, answer.text
    raise AssertionError("the sign-in goes round in circles")


async def test_consent_leads_to_a_signed_in_owner_and_a_sync_that_completes(
    world: World, shopify: str
) -> None:
    async with world.browser() as robin:
        end = await _through(world, shopify, robin, decision="install")
        assert end == f"/syncing?shop={HARBOR}"
        viewer = await sessions.who(world.rt, f"bm_session={robin.cookies['bm_session']}")
        assert viewer is not None
        assert (viewer.name, viewer.admin) == ("Robin Harbor", True)
        assert viewer.stores[0].role == "owner"
        store_id = viewer.stores[0].store_id

        assert world.database_file is not None
        for part in world.database_file.parent.glob(f"{world.database_file.name}*"):
            assert b"shpat_" not in part.read_bytes()
            assert b"shprt_" not in part.read_bytes()

        runs = await world.sql("SELECT run_id, status FROM sync_run")
        assert [tuple(run) for run in runs] == [(world.bell.rung[0], "queued")]
        await syncs.work(world.rt)
        status = (await robin.get(f"/api/stores/{store_id}/status")).json()
        assert status["status"] == "COMPLETED"
        progress = await syncs.progress(world.rt, store_id)
        products = progress.stage(Stage.PRODUCTS)
        assert products is not None
        assert (products.state, products.done) == (StageState.DONE, 12)


async def test_cancelling_at_shopify_keeps_nothing(world: World, shopify: str) -> None:
    async with world.browser() as robin:
        end = await _through(world, shopify, robin, decision="cancel")
        assert end == "/connect?error=denied"
    for table in ("store", "token", "app_user", "session", "oauth_flow"):
        assert not await world.sql(f"SELECT 1 FROM {table}")


async def test_a_colleague_signs_in_with_what_shopify_lets_them_see(
    world: World, shopify: str
) -> None:
    async with world.browser() as robin, world.browser() as lee, _at(shopify) as control:
        await _through(world, shopify, robin, decision="install")
        await control.post(f"/__control/{HARBOR}/staff", json={"user": "limited"})
        assert await _through(world, shopify, lee, decision="none") == f"/syncing?shop={HARBOR}"
        viewer = await sessions.who(world.rt, f"bm_session={lee.cookies['bm_session']}")
        assert viewer is not None
        (store,) = viewer.stores
        assert (store.role, store.may_products, store.may_orders) == ("member", True, False)
        assert not viewer.admin


async def test_tokens_rotate_and_die_as_shopify_says(world: World, shopify: str) -> None:
    async with world.browser() as robin, _at(shopify) as control:
        await _through(world, shopify, robin, decision="install")
        token = StoreToken(world.rt, await world.store_id())
        first = await token.access_token()
        second = await token.refreshed(first)
        assert await token.refreshed(second) not in (first, second)
        await control.post(f"/__control/{HARBOR}/uninstall")
        with pytest.raises(TokenRevoked):
            await token.refreshed(await token.access_token())
        # Connecting again is an install of its own, and takes up where it stopped.
        assert (
            await _through(world, shopify, robin, decision="install") == f"/syncing?shop={HARBOR}"
        )
        assert await token.access_token() != second


async def _connected(world: World, shopify: str) -> str:
    async with world.browser() as robin:
        await _through(world, shopify, robin, decision="install")
    return await world.store_id()


async def test_a_token_that_dies_in_the_midst_of_a_sync_is_renewed_once_and_it_goes_on(
    world: World, shopify: str
) -> None:
    store_id = await _connected(world, shopify)
    async with _at(shopify) as control:
        await control.delete(f"/__log/{HARBOR}")
        await control.post(f"/__control/{HARBOR}/faults", json={"kind": "token-expiry", "count": 1})
        await syncs.work(world.rt, store_id=store_id)
        asked = (await control.get(f"/__log/{HARBOR}")).json()["requests"]
    progress = await syncs.progress(world.rt, store_id)
    assert progress.status is StoreStatus.COMPLETED
    assert sum(one["operation"] == "oauth/access_token" for one in asked) == 1


async def test_a_renewal_whose_answer_is_lost_in_the_midst_of_a_sync_locks_nobody_out(
    world: World, shopify: str
) -> None:
    store_id = await _connected(world, shopify)
    async with _at(shopify) as control:
        await control.delete(f"/__log/{HARBOR}")
        for kind in ("token-expiry", "lost-refresh"):
            await control.post(f"/__control/{HARBOR}/faults", json={"kind": kind, "count": 1})
        await syncs.work(world.rt, store_id=store_id)
        waiting = await syncs.progress(world.rt, store_id)
        assert waiting.run_status is RunStatus.QUEUED
        assert waiting.error_kind == "transient"
        await world.sql("UPDATE sync_run SET due_at = 0")
        await syncs.work(world.rt, store_id=store_id)
        asked = (await control.get(f"/__log/{HARBOR}")).json()["requests"]
    assert (await syncs.progress(world.rt, store_id)).status is StoreStatus.COMPLETED
    # The refresh token that was kept is good until its replacement is used.
    assert sum(one["operation"] == "oauth/access_token" for one in asked) == 2
    assert not await world.sql("SELECT 1 FROM token WHERE lease_at IS NOT NULL")
