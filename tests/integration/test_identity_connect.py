"""A store and its people come in by two legs through Shopify, and by no other way."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from brandmind.errors import SignInRefused
from tests.identity_world import (
    APP_ID,
    HARBOR,
    LEMON,
    PUBLIC,
    Somebody,
    World,
    authorize_query,
    open_world,
    signed,
)

ALICE = Somebody(1, "Alice Harbor", owner=True)
BOB = Somebody(2, "Bob Harbor")


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with open_world(database_url) as made:
        yield made


async def _nothing_is_kept(world: World) -> bool:
    tables = ("store", "token", "app_user", "membership", "session", "sync_run", "oauth_flow")
    return all([not await world.sql(f"SELECT 1 FROM {name}") for name in tables])


async def test_a_store_connects_in_two_legs_and_its_first_sync_is_queued(world: World) -> None:
    async with world.browser() as alice:
        asked = await world.leave(alice, "https://Harbor-and-Pine.myshopify.com/admin")
        assert asked["client_id"] == APP_ID
        assert asked["redirect_uri"] == f"{PUBLIC}/auth/callback"
        assert asked["scope"] == "read_products,read_orders,read_customers"
        assert "grant_options[]" not in asked
        code = world.shopify.code_for(None)
        back = signed(world.callback(asked, HARBOR, code=code))
        answer = await alice.get(f"/auth/callback?{back}")
        person_leg = authorize_query(answer)
        assert person_leg["grant_options[]"] == "per-user"
        assert "bm_session" not in alice.cookies
        assert world.shopify.asked[0]["expiring"] == "1"

        runs = await world.sql("SELECT run_id, kind, status, reason FROM sync_run")
        assert [tuple(run)[1:] for run in runs] == [("full", "queued", "connected")]
        assert world.bell.rung == [runs[0][0]]
        assert not await world.sql("SELECT 1 FROM session")

        answer = await world.finish(alice, person_leg, ALICE, HARBOR)
        assert answer.headers["location"] == f"{PUBLIC}/syncing?shop={HARBOR}"
        assert alice.cookies["bm_session"]
        members = await world.sql("SELECT role, scopes FROM membership")
        assert [tuple(row) for row in members] == [
            ("owner", "read_customers,read_orders,read_products")
        ]


async def test_no_token_lies_readable_in_the_database(world: World) -> None:
    async with world.browser() as alice:
        await world.connect(alice, ALICE)
        cookie = alice.cookies["bm_session"]
    rows = await world.sql("SELECT access_sealed, refresh_sealed FROM token")
    assert rows[0][0].startswith("k1.")
    kept = str(rows) + str(await world.sql("SELECT * FROM session"))
    if world.database_file is not None:
        parts = world.database_file.parent.glob(f"{world.database_file.name}*")
        kept += "".join(part.read_bytes().decode("latin-1") for part in parts)
    assert "shpat_" not in kept
    assert "shprt_" not in kept
    assert cookie not in kept


async def test_a_tab_closed_after_consent_loses_nothing(world: World) -> None:
    async with world.browser() as alice:
        await world.install(alice)
    assert len(await world.sql("SELECT 1 FROM sync_run WHERE status = 'queued'")) == 1
    async with world.browser() as tomorrow:
        answer = await world.sign_in(tomorrow, ALICE)
        assert answer.headers["location"].endswith(f"/syncing?shop={HARBOR}")
    assert len(await world.sql("SELECT 1 FROM sync_run")) == 1


async def test_denied_consent_leaves_nothing(world: World) -> None:
    async with world.browser() as alice:
        asked = await world.leave(alice, HARBOR)
        denied = signed(world.callback(asked, HARBOR, error="access_denied"))
        answer = await alice.get(f"/auth/callback?{denied}")
        assert answer.headers["location"] == f"{PUBLIC}/connect?error=denied"
        assert await _nothing_is_kept(world)
        again = await alice.get(f"/auth/callback?{denied}")
        assert again.status_code == 400


WORDS = SignInRefused().message


async def _refused(world: World, browser: httpx.AsyncClient, query: str) -> None:
    answer = await browser.get(f"/auth/callback?{query}")
    assert answer.status_code == 400
    assert "This sign-in link is not valid or too old." in answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert not await world.sql("SELECT 1 FROM store")
    assert not await world.sql("SELECT 1 FROM session")


@pytest.mark.parametrize(
    "changed",
    [
        {"timestamp": str(int(time.time()) - 3600)},
        {"timestamp": "4102444800"},
        {"timestamp": ""},
        {"timestamp": "yesterday"},
        {"shop": LEMON},
        {"shop": "harbor-and-pine.myshopify.com.evil.example"},
        {"shop": "evil.example"},
        {"shop": "evil.example/harbor-and-pine.myshopify.com"},
        {"shop": "harbor-and-pine.myshopify.com\n.evil.example"},
        {"shop": "HARBOR-and-pine.myshopify.com@evil.example"},
        {"shop": ""},
        {"state": "made-up"},
        {"state": ""},
        {"code": ""},
    ],
)
async def test_a_signed_callback_that_is_stale_or_of_another_shop_is_refused(
    world: World, changed: dict[str, str]
) -> None:
    async with world.browser() as alice:
        asked = await world.leave(alice, HARBOR)
        code = world.shopify.code_for(None)
        params = world.callback(asked, HARBOR, **({"code": code} | changed))
        await _refused(world, alice, signed(params))
    assert not world.shopify.asked


@pytest.mark.parametrize("forge", ["wrong secret", "changed", "no hmac", "empty", "doubled"])
async def test_a_callback_shopify_did_not_sign_is_refused(world: World, forge: str) -> None:
    async with world.browser() as alice:
        asked = await world.leave(alice, HARBOR)
        params = world.callback(asked, HARBOR, code=world.shopify.code_for(None))
        query = {
            "wrong secret": signed(params, secret="another"),
            "changed": signed(params).replace("code=", "code=x"),
            "no hmac": signed(params).rpartition("&hmac=")[0],
            "empty": "",
            "doubled": signed(params) + f"&shop={LEMON}",
        }[forge]
        await _refused(world, alice, query)
        # The forgery has not spoiled the sign-in that is under way.
        answer = await alice.get("/auth/callback?" + signed(params))
        assert answer.status_code == 302


async def test_a_callback_opens_once(world: World) -> None:
    async with world.browser() as alice:
        asked = await world.leave(alice, HARBOR)
        query = signed(world.callback(asked, HARBOR, code=world.shopify.code_for(None)))
        assert (await alice.get(f"/auth/callback?{query}")).status_code == 302
        assert (await alice.get(f"/auth/callback?{query}")).status_code == 400
        assert len(world.shopify.asked) == 1


async def test_a_callback_in_another_browser_is_refused(world: World) -> None:
    async with world.browser() as alice, world.browser() as mallory:
        asked = await world.leave(mallory, HARBOR)
        query = signed(world.callback(asked, HARBOR, code=world.shopify.code_for(None)))
        await _refused(world, alice, query)
        # With a binding of her own she gets no further.
        await world.leave(alice, HARBOR)
        asked = await world.leave(mallory, HARBOR)
        query = signed(world.callback(asked, HARBOR, code=world.shopify.code_for(None)))
        await _refused(world, alice, query)


async def test_a_binding_cookie_that_we_did_not_sign_is_replaced(world: World) -> None:
    async with world.browser() as alice:
        alice.cookies.set("bm_flow", "planted.by-somebody", domain="localhost.local")
        await alice.get("/auth/connect", params={"shop": HARBOR}, headers={"cookie": "bm_flow=x.y"})
        flow = next(c for c in alice.cookies.jar if c.name == "bm_flow" and c.value != "x.y")
        assert flow.value
        assert not flow.value.startswith("x.")


async def test_a_sign_in_older_than_ten_minutes_is_refused(world: World) -> None:
    async with world.browser() as alice:
        asked = await world.leave(alice, HARBOR)
        expired = "1000" if world.rt.db.is_sqlite else "'1970-01-01T00:00:01Z'"
        await world.sql(f"UPDATE oauth_flow SET expires_at = {expired}")
        code = world.shopify.code_for(None)
        await _refused(world, alice, signed(world.callback(asked, HARBOR, code=code)))


@pytest.mark.parametrize(
    "shop",
    [
        "",
        "evil.example",
        "https://evil.example/?harbor-and-pine.myshopify.com",
        "harbor-and-pine.myshopify.com.evil.example",
        "//evil.example",
        "https://harbor-and-pine.myshopify.com@evil.example",
        "harbor-and-pine.myshopify.com:8080",
        "javascript:alert(1)",
    ],
)
async def test_no_address_but_a_shops_is_ever_redirected_to(world: World, shop: str) -> None:
    async with world.browser() as alice:
        answer = await alice.get("/auth/connect", params={"shop": shop})
        assert answer.headers["location"] == f"{PUBLIC}/connect?error=invalid"
        query = signed({"shop": shop, "timestamp": str(int(time.time()))})
        answer = await alice.get(f"/?{query}")
        assert answer.status_code == 400


async def test_a_wrong_code_is_refused_after_the_state_is_spent(world: World) -> None:
    async with world.browser() as alice:
        asked = await world.leave(alice, HARBOR)
        await _refused(world, alice, signed(world.callback(asked, HARBOR, code="unknown-code")))


async def test_shopify_away_during_the_exchange_is_said_and_keeps_nothing(world: World) -> None:
    async with world.browser() as alice:
        asked = await world.leave(alice, HARBOR)
        world.shopify.answers.append(httpx.ConnectError("down"))
        query = signed(world.callback(asked, HARBOR, code=world.shopify.code_for(None)))
        answer = await alice.get(f"/auth/callback?{query}")
        assert answer.status_code == 503
        assert "Shopify is not answering right now." in answer.text
        assert not await world.sql("SELECT 1 FROM store")


async def test_an_install_code_gives_no_session_and_a_person_code_no_store(world: World) -> None:
    async with world.browser() as alice:
        asked = await world.leave(alice, HARBOR)
        query = signed(world.callback(asked, HARBOR, code=world.shopify.code_for(ALICE)))
        await _refused(world, alice, query)
        await world.install(alice)
        asked = await world.leave(alice, HARBOR)
        query = signed(world.callback(asked, HARBOR, code=world.shopify.code_for(None)))
        assert (await alice.get(f"/auth/callback?{query}")).status_code == 400
        assert not await world.sql("SELECT 1 FROM session")


async def test_a_healthy_install_connected_again_only_gets_new_tokens(world: World) -> None:
    async with world.browser() as alice:
        store_id = await world.connect(alice, ALICE)
        before = await world.sql("SELECT access_sealed, generation FROM token")
        await world.sql("UPDATE sync_run SET status = 'done'")
        asked = await world.leave(alice, HARBOR, reconnect="1")
        assert "grant_options[]" not in asked
        query = signed(world.callback(asked, HARBOR, code=world.shopify.code_for(None)))
        assert (await alice.get(f"/auth/callback?{query}")).status_code == 302
    after = await world.sql("SELECT access_sealed, generation FROM token")
    assert after[0][0] != before[0][0]
    assert after[0][1] == before[0][1] + 1
    assert [tuple(r) for r in await world.sql("SELECT store_id, epoch FROM store")] == [
        (store_id, 1)
    ]
    assert len(await world.sql("SELECT 1 FROM sync_run")) == 1


async def test_a_store_that_comes_back_gets_a_new_epoch_and_a_first_sync(world: World) -> None:
    async with world.browser() as alice:
        await world.connect(alice, ALICE)
        now = "1700000000000" if world.rt.db.is_sqlite else "'2023-11-14T00:00:00Z'"
        await world.sql(f"UPDATE store SET uninstalled_at = {now}")
        answer = await world.install(alice)
        assert answer.status_code == 302
    rows = await world.sql("SELECT epoch, uninstalled_at FROM store")
    assert tuple(rows[0]) == (2, None)
    runs = await world.sql("SELECT status, epoch FROM sync_run ORDER BY epoch")
    assert [tuple(run) for run in runs] == [("cancelled", 1), ("queued", 2)]
    assert len(world.bell.rung) == 2


async def test_reconnecting_takes_up_the_run_that_had_lost_its_access(world: World) -> None:
    async with world.browser() as alice:
        await world.connect(alice, ALICE)
        await world.sql("UPDATE sync_run SET status = 'failed', error_kind = 'auth', cursor = 'c7'")
        asked = await world.leave(alice, HARBOR, reconnect="1")
        query = signed(world.callback(asked, HARBOR, code=world.shopify.code_for(None)))
        assert (await alice.get(f"/auth/callback?{query}")).status_code == 302
    runs = await world.sql("SELECT run_id, status, cursor FROM sync_run")
    assert [tuple(run)[1:] for run in runs] == [("queued", "c7")]
    assert world.bell.rung[-1] == runs[0][0]


async def test_a_second_store_joins_the_session_and_a_new_cookie_replaces_the_old(
    world: World,
) -> None:
    async with world.browser() as alice:
        harbor = await world.connect(alice, ALICE)
        first = alice.cookies["bm_session"]
        lemon = await world.connect(alice, Somebody(7, "Alice Lemon", owner=True), LEMON)
        assert alice.cookies["bm_session"] != first
        for store_id in (harbor, lemon):
            assert (await alice.get(f"/api/stores/{store_id}/status")).status_code == 200
        async with world.browser() as thief:
            stolen = {"cookie": f"bm_session={first}"}
            answer = await thief.get(f"/api/stores/{harbor}/status", headers=stolen)
            assert answer.status_code == 401
    old = await world.sql("SELECT session_id FROM session WHERE revoked_at IS NOT NULL")
    assert world.bell.ended == [old[0][0]]


async def test_two_sign_ins_at_once_in_one_browser_both_succeed(world: World) -> None:
    async with world.browser() as alice:
        harbor = await world.connect(alice, ALICE)
        lemon = await world.connect(alice, Somebody(7, "Alice Lemon", owner=True), LEMON)
        await alice.post("/auth/logout", headers={"origin": PUBLIC})
        one, other = await world.leave(alice, HARBOR), await world.leave(alice, LEMON)
        answer = await world.finish(alice, other, Somebody(7, "Alice Lemon", owner=True), LEMON)
        assert answer.headers["location"] == f"{PUBLIC}/syncing?shop={LEMON}"
        answer = await world.finish(alice, one, ALICE, HARBOR)
        assert answer.headers["location"] == f"{PUBLIC}/syncing?shop={HARBOR}"
        for store_id in (harbor, lemon):
            assert (await alice.get(f"/api/stores/{store_id}/status")).status_code == 200


async def test_the_account_owner_at_log_in_is_the_owner(world: World) -> None:
    async with world.browser() as alice, world.browser() as bob:
        await world.connect(alice, ALICE)
        await world.sign_in(bob, BOB)
        roles = "SELECT name, role FROM membership JOIN app_user USING (user_id) ORDER BY name"
        assert [tuple(row) for row in await world.sql(roles)] == [
            ("Alice Harbor", "owner"),
            ("Bob Harbor", "member"),
        ]
        await world.sign_in(bob, Somebody(2, "Bob Harbor", owner=True))
        assert [tuple(row) for row in await world.sql(roles)] == [
            ("Alice Harbor", "member"),
            ("Bob Harbor", "owner"),
        ]


async def test_a_blocked_member_is_told_so_and_gets_no_session(world: World) -> None:
    async with world.browser() as alice, world.browser() as bob:
        await world.connect(alice, ALICE)
        store_id = await world.store_id()
        await world.sign_in(bob, BOB)
        now = "1700000000000" if world.rt.db.is_sqlite else "'2023-11-14T00:00:00Z'"
        await world.sql(f"UPDATE membership SET blocked_at = {now} WHERE role = 'member'")
        # The session he has ends to open the store at once.
        assert (await bob.get(f"/api/stores/{store_id}/status")).status_code == 404
        sessions = len(await world.sql("SELECT 1 FROM session"))
        answer = await world.sign_in(bob, BOB)
        assert answer.status_code == 403
        assert "has removed your access." in answer.text
        assert len(await world.sql("SELECT 1 FROM session")) == sessions


async def test_the_same_number_in_another_shop_is_another_person(world: World) -> None:
    async with world.browser() as alice, world.browser() as mallory:
        harbor = await world.connect(alice, ALICE)
        await world.connect(mallory, Somebody(ALICE.user_id, ALICE.name, owner=True), LEMON)
        assert len(await world.sql("SELECT 1 FROM app_user")) == 2
        assert (await mallory.get(f"/api/stores/{harbor}/status")).status_code == 404


async def test_the_first_person_administers_a_demo_and_nothing_else(
    database_url: str, world: World
) -> None:
    async with world.browser() as alice:
        await world.connect(alice, ALICE)
        assert not await world.sql("SELECT 1 FROM app_user WHERE admin")


async def test_in_the_demo_the_first_person_and_only_they_administer(sqlite_url: str) -> None:
    async with open_world(sqlite_url, demo=True) as demo:
        async with demo.browser() as alice, demo.browser() as bob:
            await demo.connect(alice, ALICE)
            await demo.sign_in(bob, BOB)
        rows = await demo.sql("SELECT name FROM app_user WHERE admin")
        assert [row[0] for row in rows] == ["Alice Harbor"]


async def test_shopifys_own_entry_goes_where_the_person_should_be(world: World) -> None:
    def entry() -> str:
        return "/?" + signed({"shop": HARBOR, "timestamp": str(int(time.time()))})

    async with world.browser() as alice, world.browser() as bob:
        assert "grant_options[]" not in authorize_query(await alice.get(entry()))
        await world.connect(alice, ALICE)
        answer = await alice.get(entry())
        assert answer.headers["location"] == f"{PUBLIC}/command-center?shop={HARBOR}"
        assert authorize_query(await bob.get(entry()))["grant_options[]"] == "per-user"
        forged = entry().replace("hmac=", "hmac=0")
        assert (await bob.get(forged)).status_code == 400
        assert (await bob.get("/")).text == "a page of the screens"
        assert (await bob.get("/?shop=x&xhmac=1")).text == "a page of the screens"


async def test_a_name_of_this_host_that_is_not_the_public_one_is_left_first(world: World) -> None:
    async with world.browser(base="http://127.0.0.1:8000") as alice:
        answer = await alice.get("/auth/connect", params={"shop": HARBOR})
        parts = urlsplit(answer.headers["location"])
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{PUBLIC}/auth/connect"
        assert parse_qs(parts.query)["shop"] == [HARBOR]
        # A proxy that hides the public name must not send the browser round for ever.
        answer = await alice.get(f"{parts.path}?{parts.query}")
        authorize_query(answer)


async def test_without_an_app_at_shopify_it_is_said(sqlite_url: str) -> None:
    async with (
        open_world(sqlite_url, shopify_client_id="", shopify_client_secret="") as bare,
        bare.browser() as alice,
    ):
        answer = await alice.get("/auth/connect", params={"shop": HARBOR})
        assert answer.status_code == 503
        assert "one-time sign-in link" in answer.text
