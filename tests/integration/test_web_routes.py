"""Each route, tried as the owner, as a teammate and as a stranger, who must see nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from brandmind.services import by_hand, sessions, stores
from tests.identity_world import HARBOR, LEMON, PUBLIC, Somebody, World, open_world

ALICE = Somebody(1, "Alice Harbor", owner=True)
BOB = Somebody(2, "Bob Harbor", scopes="read_products")
CHARLIE = Somebody(3, "Charlie Lemon", owner=True)
OURS = {"origin": PUBLIC}


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with open_world(database_url) as made:
        yield made


class People:
    """Alice owns Harbor, Bob works there, Charlie owns another store; nobody is nobody."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.alice, self.bob, self.charlie, self.nobody = (world.browser() for _ in range(4))
        self.store_id = ""

    async def arrive(self) -> None:
        self.store_id = await self.world.connect(self.alice, ALICE)
        await self.world.sign_in(self.bob, BOB)
        await self.world.connect(self.charlie, CHARLIE, LEMON)


@pytest.fixture
async def people(world: World) -> AsyncIterator[People]:
    made = People(world)
    await made.arrive()
    yield made
    for browser in (made.alice, made.bob, made.charlie, made.nobody):
        await browser.aclose()


async def test_the_status_is_for_members_only(people: People) -> None:
    path = f"/api/stores/{people.store_id}/status"
    for member in (people.alice, people.bob):
        answer = await member.get(path)
        assert answer.status_code == 200
        assert answer.json()["shop"] == HARBOR
        assert answer.json()["store_id"] == people.store_id
        assert answer.headers["cache-control"] == "no-store"
    stranger = await people.charlie.get(path)
    unknown = await people.charlie.get("/api/stores/0000000000/status")
    assert (stranger.status_code, stranger.json()) == (404, unknown.json())
    answer = await people.nobody.get(path)
    assert (answer.status_code, answer.json()["error"]) == (401, "signed_out")


async def test_the_status_tells_stages_counts_waits_and_the_last_error(
    people: People, world: World
) -> None:
    await world.sql(
        "UPDATE sync_run SET status = 'queued', started_at = requested_at, attempt = 2, "
        "waiting = 'throttled', error = 'Shopify asked us to slow down.', error_kind = 'throttled'"
    )
    await world.sql("UPDATE sync_stage SET done = 7, total = 9 WHERE stage = 'orders'")
    told = (await people.alice.get(f"/api/stores/{people.store_id}/status")).json()
    assert told["status"] == "IN_PROGRESS"
    assert (told["attempt"], told["error"]) == (2, "Shopify asked us to slow down.")
    # A wait is a wait: with its reason and the moment it ends, and no failure.
    assert told["waiting"] == "throttled"
    assert told["next_try_at"] is not None
    assert told["counts"]["orders"] == {"done": 7, "total": 9, "exact": True}
    assert [at["stage"] for at in told["stages"]][:2] == ["shop", "products"]


async def test_a_paused_store_keeps_what_it_was(people: People, world: World) -> None:
    await stores.pause(world.rt, people.store_id, by="Olga")
    path = f"/api/stores/{people.store_id}"
    told = (await people.alice.get(f"{path}/status")).json()
    assert (told["status"], told["status_before"]) == ("PAUSED", "PENDING")
    assert told["paused_by"] == "Olga"
    assert (await people.alice.post(f"{path}/sync", headers=OURS)).json()["paused_by"] == "Olga"
    await stores.resume(world.rt, people.store_id)
    told = (await people.alice.get(f"{path}/status")).json()
    assert (told["status"], told["status_before"]) == ("PENDING", None)


async def test_a_sync_is_asked_for_by_members_only(people: People, world: World) -> None:
    path = f"/api/stores/{people.store_id}/sync"
    assert (await people.nobody.post(path, headers=OURS)).status_code == 401
    assert (await people.charlie.post(path, headers=OURS)).status_code == 404
    runs = await world.sql("SELECT run_id FROM sync_run WHERE store_id = :s", s=people.store_id)
    answer = await people.bob.post(path, headers=OURS)
    assert answer.status_code == 409
    assert answer.json()["error"] == "sync_running"
    assert answer.json()["run_id"] == runs[0][0]


async def test_the_fourth_sync_in_an_hour_says_when_to_come_again(
    people: People, world: World
) -> None:
    path = f"/api/stores/{people.store_id}/sync"
    for browser in (people.alice, people.bob, people.alice):
        await world.sql("UPDATE sync_run SET status = 'done'")
        answer = await browser.post(path, headers=OURS)
        assert answer.status_code == 202, answer.text
        assert answer.json()["run_id"] in world.bell.rung
    await world.sql("UPDATE sync_run SET status = 'done'")
    answer = await people.bob.post(path, headers=OURS)
    assert (answer.status_code, answer.json()["error"]) == (429, "too_many_syncs")
    assert 0 < int(answer.headers["retry-after"]) <= 3600
    asked_by = await world.sql("SELECT DISTINCT requested_by FROM sync_request")
    assert len(asked_by) == 2


async def test_a_paused_store_answers_with_who_and_when(people: People, world: World) -> None:
    now = "1700000000000" if world.rt.db.is_sqlite else "'2023-11-14T22:13:20Z'"
    await world.sql("UPDATE sync_run SET status = 'done'")
    await world.sql(f"UPDATE store SET paused_at = {now}, paused_by = 'Olga'")
    answer = await people.alice.post(f"/api/stores/{people.store_id}/sync", headers=OURS)
    assert (answer.status_code, answer.json()["error"]) == (409, "store_paused")
    assert answer.json()["paused_by"] == "Olga"
    assert answer.json()["paused_at"].startswith("2023-11-14T22:13:20")


async def test_a_store_that_left_is_seen_and_not_synced(people: People, world: World) -> None:
    now = "1700000000000" if world.rt.db.is_sqlite else "'2023-11-14T22:13:20Z'"
    await world.sql(f"UPDATE store SET uninstalled_at = {now}")
    assert (await people.alice.get(f"/api/stores/{people.store_id}/status")).status_code == 200
    answer = await people.alice.post(f"/api/stores/{people.store_id}/sync", headers=OURS)
    assert (answer.status_code, answer.json()["error"]) == (409, "store_disconnected")


@pytest.mark.parametrize(
    "origin", [None, "null", "https://evil.example", f"{PUBLIC}.evil.example", "http://localhost"]
)
async def test_another_sites_page_can_neither_sync_nor_sign_out(
    people: People, world: World, origin: str | None
) -> None:
    headers = {"origin": origin} if origin else {}
    await world.sql("UPDATE sync_run SET status = 'done'")
    for path in (f"/api/stores/{people.store_id}/sync", "/auth/logout"):
        answer = await people.alice.post(path, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (403, "wrong_origin")
    assert not await world.sql("SELECT 1 FROM sync_request")
    assert (await people.alice.get(f"/api/stores/{people.store_id}/status")).status_code == 200


async def test_signing_out_ends_the_session_on_the_server(people: People, world: World) -> None:
    cookie = people.alice.cookies["bm_session"]
    answer = await people.alice.post("/auth/logout", headers=OURS)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{PUBLIC}/"
    assert "bm_session" not in people.alice.cookies
    path = f"/api/stores/{people.store_id}/status"
    kept = await people.nobody.get(path, headers={"cookie": f"bm_session={cookie}"})
    assert kept.status_code == 401
    ended = await world.sql("SELECT session_id FROM session WHERE revoked_at IS NOT NULL")
    assert world.bell.ended == [ended[0][0]]
    assert (await people.bob.get(path)).status_code == 200
    assert (await people.nobody.post("/auth/logout", headers=OURS)).status_code == 303


async def test_what_shopify_hides_from_a_person_is_known(people: People, world: World) -> None:
    bob = await sessions.who(world.rt, f"bm_session={people.bob.cookies['bm_session']}")
    assert bob is not None
    (store,) = bob.stores
    assert (store.role, store.may_products) == ("member", True)
    assert (store.may_orders, store.may_customers) == (False, False)
    assert not bob.admin


async def test_only_ones_own_stores_are_authorised(people: People, world: World) -> None:
    async def of(browser: httpx.AsyncClient) -> sessions.Viewer | None:
        return await sessions.who(world.rt, f"a=b; bm_session={browser.cookies['bm_session']}; c=d")

    alice, charlie = await of(people.alice), await of(people.charlie)
    assert (await stores.authorise(world.rt, alice, HARBOR)).store_id == people.store_id
    assert (await stores.authorise(world.rt, alice, None)).store_id == people.store_id
    for viewer, domain in ((charlie, HARBOR), (None, HARBOR), (None, None), (alice, "x y")):
        with pytest.raises(stores.NotFound):
            await stores.authorise(world.rt, viewer, domain)


async def test_the_store_used_last_is_opened_next_time(people: People, world: World) -> None:
    alice = people.alice
    await world.sign_in(alice, Somebody(9, "Alice Lemon"), LEMON)
    header = f"bm_session={alice.cookies['bm_session']}"
    viewer = await sessions.who(world.rt, header)
    assert viewer is not None
    assert {store.domain for store in viewer.stores} == {HARBOR, LEMON}
    assert (await stores.authorise(world.rt, viewer, None)).domain == LEMON
    await stores.authorise(world.rt, viewer, HARBOR)
    viewer = await sessions.who(world.rt, header)
    assert (await stores.authorise(world.rt, viewer, None)).domain == HARBOR


async def test_a_store_passed_over_thirty_days_ago_is_named_and_not_opened(
    people: People, world: World
) -> None:
    alice = people.alice
    await world.sign_in(alice, Somebody(9, "Alice Lemon"), LEMON)
    old = "1600000000000" if world.rt.db.is_sqlite else "'2020-09-13T00:00:00Z'"
    await world.sql(
        f"UPDATE session_store SET passed_at = {old} WHERE store_id = :s", s=people.store_id
    )
    viewer = await sessions.who(world.rt, f"bm_session={alice.cookies['bm_session']}")
    assert viewer is not None
    assert [store.domain for store in viewer.stores] == [LEMON]
    assert [store.domain for store in viewer.locked] == [HARBOR]
    assert (await alice.get(f"/api/stores/{people.store_id}/status")).status_code == 404


@pytest.mark.parametrize(("column", "days"), [("seen_at", 15), ("created_at", 31)])
async def test_a_session_ends_idle_or_old(
    people: People, world: World, column: str, days: int
) -> None:
    past = (
        f"(strftime('%s','now') - {days * 86400}) * 1000"
        if world.rt.db.is_sqlite
        else f"now() - interval '{days} days'"
    )
    await world.sql(f"UPDATE session SET {column} = {past}")
    assert (await people.alice.get(f"/api/stores/{people.store_id}/status")).status_code == 401


async def test_every_session_of_a_person_can_be_ended_but_this(
    people: People, world: World
) -> None:
    async with world.browser() as phone:
        await world.sign_in(phone, ALICE)
        viewer = await sessions.who(world.rt, f"bm_session={phone.cookies['bm_session']}")
        assert viewer is not None
        assert await sessions.revoke_all(world.rt, viewer, but_this=True) == 1
        path = f"/api/stores/{people.store_id}/status"
        assert (await phone.get(path)).status_code == 200
        assert (await people.alice.get(path)).status_code == 401
        assert (await people.bob.get(path)).status_code == 200
        assert len(world.bell.ended) == 1


async def test_a_one_time_link_signs_in_once(people: People, world: World) -> None:
    url = await by_hand.make_link(world.rt, HARBOR, "  Dora   Desk ")
    token = url.rpartition("=")[2]
    async with world.browser() as dora:
        for _ in range(2):
            # A preview of the link must not use it up.
            page = await dora.get(url)
            assert page.status_code == 200
            assert "bm_session" not in dora.cookies
        evil = await dora.post("/auth/link", data={"token": token}, headers={"origin": "x"})
        assert evil.status_code == 400
        answer = await dora.post("/auth/link", data={"token": token}, headers=OURS)
        assert (answer.status_code, answer.headers["location"]) == (
            303,
            f"{PUBLIC}/syncing?shop={HARBOR}",
        )
        path = f"/api/stores/{people.store_id}/status"
        assert (await dora.get(path)).status_code == 200
        again = await dora.post("/auth/link", data={"token": token}, headers=OURS)
        assert again.status_code == 400
    rows = await world.sql(
        "SELECT name, role FROM app_user JOIN membership USING (user_id) WHERE name LIKE 'D%'"
    )
    assert [tuple(row) for row in rows] == [("Dora Desk", "member")]


async def test_an_old_or_made_up_link_signs_nobody_in(people: People, world: World) -> None:
    url = await by_hand.make_link(world.rt, HARBOR, "Dora")
    past = "1000" if world.rt.db.is_sqlite else "'1970-01-01T00:00:01Z'"
    await world.sql(f"UPDATE sign_in_link SET expires_at = {past}")
    for token in (url.rpartition("=")[2], "made-up", "", "x" * 5000):
        answer = await people.nobody.post("/auth/link", data={"token": token}, headers=OURS)
        assert answer.status_code == 400
    with pytest.raises(stores.NotFound):
        await by_hand.make_link(world.rt, "no-such-store", "Dora")


async def test_a_link_page_shows_its_token_as_text_only(world: World) -> None:
    async with world.browser() as browser:
        page = await browser.get("/auth/link", params={"token": '"><script>alert(1)</script>'})
        assert "<script>" not in page.text


async def test_every_answer_carries_the_headers_that_guard_a_browser(world: World) -> None:
    async with world.browser() as browser:
        for path in ("/", "/healthz", "/auth/connect", "/api/stores/x/status", "/no-such-page"):
            answer = await browser.get(path)
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "same-origin"
            assert "strict-transport-security" not in answer.headers


async def test_over_https_cookies_are_secure_and_bound_to_the_host(sqlite_url: str) -> None:
    public = "https://brandmind.example.com"
    async with open_world(sqlite_url, public_url=public) as world, world.browser() as alice:
        left = await alice.get("/auth/connect", params={"shop": HARBOR})
        flow = left.headers["set-cookie"]
        assert flow.startswith("__Host-bm_flow=")
        for part in ("Secure", "HttpOnly", "SameSite=lax", "Path=/", "Max-Age=600"):
            assert part in flow
        assert "Domain" not in flow
        assert left.headers["strict-transport-security"].startswith("max-age=31536000")
        await world.connect(alice, ALICE)
        cookie = alice.cookies["__Host-bm_session"]
        assert await sessions.who(world.rt, f"__Host-bm_session={cookie}") is not None
        # A cookie any subdomain could have planted is not read.
        assert await sessions.who(world.rt, f"bm_session={cookie}") is None


async def test_health_tells_what_is_missing(world: World) -> None:
    async with world.browser() as browser:
        assert (await browser.get("/healthz")).json() == {"status": "ok"}
        assert (await browser.get("/readyz")).json() == {"status": "ready"}
        await world.sql("ALTER TABLE store RENAME TO elsewhere")
        answer = await browser.get("/readyz")
        assert (answer.status_code, answer.json()["missing"]) == (503, ["database"])


async def test_behind_a_proxy_plain_http_becomes_https(sqlite_url: str) -> None:
    public = "https://brandmind.example.com"
    plain = {"x-forwarded-proto": "http"}
    async with (
        open_world(sqlite_url, public_url=public, trusted_proxy_hops=1) as world,
        world.browser() as browser,
    ):
        answer = await browser.get("/connect?shop=a%20b", headers=plain)
        assert answer.status_code == 308
        assert answer.headers["location"] == f"{public}/connect?shop=a%20b"
        sneaky = await browser.get(f"{public}//evil.example", headers=plain)
        assert sneaky.headers["location"] == f"{public}//evil.example"
        forged = {"x-forwarded-proto": "http, https"}
        assert (await browser.get("/connect", headers=forged)).status_code == 200
        assert (await browser.get("/healthz", headers=plain)).status_code == 200


async def test_without_a_proxy_nobody_is_believed_about_the_scheme(world: World) -> None:
    async with world.browser() as browser:
        answer = await browser.get("/connect", headers={"x-forwarded-proto": "http"})
        assert answer.status_code == 200
