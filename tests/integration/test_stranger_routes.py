"""Every HTTP route of ours, walked by people who may not: nothing comes back or changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.routing import Route

from brandmind import web
from tests.identity_world import HARBOR, PUBLIC, open_world
from tests.integration.stranger_world import DNA, PRODUCT, Neighbourhood

# Which answers a stranger may get, signed in elsewhere and not at all. A new route has to be
# thought about: it is missing here.
MAY_GET: dict[tuple[str, str], dict[str, set[int]]] = {
    ("GET", "/"): {"charlie": {200, 400}, "nobody": {200, 400}},
    ("POST", "/webhooks/shopify"): {"charlie": {401}, "nobody": {401}},
    ("GET", "/auth/connect"): {"charlie": {302}, "nobody": {302}},
    ("GET", "/auth/callback"): {"charlie": {400}, "nobody": {400}},
    ("GET", "/auth/link"): {"charlie": {200}, "nobody": {200}},
    ("POST", "/auth/link"): {"charlie": {400}, "nobody": {400}},
    ("POST", "/auth/logout"): {"charlie": {303}, "nobody": {303}},
    ("POST", "/api/stores/{store_id}/sync"): {"charlie": {404}, "nobody": {401}},
    ("GET", "/api/stores/{store_id}/status"): {"charlie": {404}, "nobody": {401}},
    ("GET", "/api/stores/{store_id}/privacy"): {"charlie": {404}, "nobody": {401}},
    ("GET", "/api/stores/{store_id}/privacy/{act_id}"): {"charlie": {404}, "nobody": {401}},
    ("GET", "/api/stores/{store_id}/orders.csv"): {"charlie": {404}, "nobody": {401}},
    ("GET", "/api/stores/{store_id}/products.csv"): {"charlie": {404}, "nobody": {401}},
    ("GET", "/api/stores/{store_id}/customers.csv"): {"charlie": {404}, "nobody": {401}},
    ("GET", "/api/stores/{store_id}/deciles.csv"): {"charlie": {404}, "nobody": {401}},
    ("GET", "/api/stores/{store_id}/ltv.csv"): {"charlie": {404}, "nobody": {401}},
    ("GET", "/api/stores/{store_id}/customers/{group}.csv"): {
        "charlie": {404},
        "nobody": {401},
    },
    ("GET", "/api/stores/{store_id}/dna.json"): {"charlie": {404}, "nobody": {401}},
    ("GET", "/api/stores/{store_id}/archive.zip"): {"charlie": {404}, "nobody": {401}},
    # Charlie sees and ends his own sessions here; those of others he does not have.
    ("GET", "/api/sessions"): {"charlie": {200}, "nobody": {401}},
    ("POST", "/api/sessions/end-others"): {"charlie": {200, 403}, "nobody": {401, 403}},
    ("POST", "/api/sessions/{session_id}/end"): {"charlie": {403, 404}, "nobody": {401, 403}},
    # For whoever is no administrator there is no such route.
    ("GET", "/api/admin/health"): {"charlie": {404}, "nobody": {404}},
    ("GET", "/healthz"): {"charlie": {200}, "nobody": {200}},
    ("GET", "/readyz"): {"charlie": {200, 503}, "nobody": {200, 503}},
    # Off, as long as no token is set.
    ("GET", "/metrics"): {"charlie": {404}, "nobody": {404}},
}


@pytest.fixture
async def around(sqlite_url: str) -> AsyncIterator[Neighbourhood]:
    async with open_world(sqlite_url) as world:
        made = Neighbourhood(world)
        await made.settle()
        yield made
        await made.leave()


def doors() -> set[tuple[str, str]]:
    """Method and path of every route."""
    every = set()
    for route in web.routes():
        assert isinstance(route, Route), route
        every |= {(method, route.path) for method in route.methods or () if method != "HEAD"}
    return every


def test_every_route_has_been_thought_about() -> None:
    assert doors() == set(MAY_GET)


@pytest.mark.parametrize("who", ["charlie", "nobody"])
@pytest.mark.parametrize("door", sorted(MAY_GET))
async def test_a_route_gives_a_stranger_nothing(
    around: Neighbourhood, who: str, door: tuple[str, str]
) -> None:
    method, path = door
    browser: httpx.AsyncClient = getattr(around, who)
    before = await around.everything_of_alice()
    queries: list[dict[str, Any]] = [
        {},
        {"shop": HARBOR},
        {"shop": HARBOR, "store_id": around.store_id, "hmac": "0" * 64, "timestamp": "1"},
        {"token": around.store_id, "shop": HARBOR, "reconnect": "1"},
    ]
    for query in queries:
        for headers in ({"origin": PUBLIC}, {"origin": PUBLIC, "x-store-id": around.store_id}):
            answer = await browser.request(
                method,
                path.replace("{store_id}", around.store_id).replace("{group}", "champions"),
                params=query,
                headers=headers,
                data={"token": around.store_id} if method == "POST" else None,
            )
            allowed = MAY_GET[door][who]
            # An address without a shop goes back to the form, for anybody.
            assert answer.status_code in allowed | ({307} if "shop" not in query else set())
            told = answer.text + repr(answer.headers)
            # An echo of what the request itself brought along is no news.
            news = around.secrets() - ({around.store_id} if "token" in query else set())
            assert not {secret for secret in news if secret in told}
    assert await around.everything_of_alice() == before


FOREIGN: dict[str, list[tuple[str, str]]] = {
    "no origin": [],
    "no origin but a referer": [("referer", f"{PUBLIC}/settings")],
    "another host": [("origin", "https://evil.example")],
    "null": [("origin", "null")],
    "empty": [("origin", "")],
    "ours with more behind": [("origin", f"{PUBLIC}.evil.example")],
    "ours with a slash": [("origin", f"{PUBLIC}/")],
    "another port": [("origin", "http://localhost:1")],
    "another name of this machine": [("origin", PUBLIC.replace("localhost", "127.0.0.1"))],
    "ours and another": [("origin", PUBLIC), ("origin", "https://evil.example")],
}


@pytest.mark.parametrize("which", sorted(FOREIGN))
async def test_no_page_elsewhere_makes_the_owners_browser_change_anything(
    around: Neighbourhood, which: str
) -> None:
    """The owner's cookie comes along; the webhooks' door knows no cookies and asks for a mark."""
    before = await around.everything_of_alice()
    session = (await around.alice.get("/api/sessions")).json()["sessions"][0]["session_id"]
    changing = [door for door in sorted(MAY_GET) if door[0] not in ("GET", "HEAD")]
    assert len(changing) >= 6
    for method, path in changing:
        address = path.replace("{store_id}", around.store_id).replace("{session_id}", session)
        answer = await around.alice.request(
            method, address, headers=FOREIGN[which], data={"token": "x"}
        )
        expected = {"/webhooks/shopify": 401, "/auth/link": 400}.get(path, 403)
        assert answer.status_code == expected, path
        assert "set-cookie" not in answer.headers
    assert await around.everything_of_alice() == before


async def test_nothing_is_changed_by_following_a_link(around: Neighbourhood) -> None:
    """A link elsewhere takes the owner's cookie along; so no GET may change a thing."""
    before = await around.everything_of_alice()
    for method, path in sorted(MAY_GET):
        address = path.replace("{store_id}", around.store_id)
        for tried in {"GET", "HEAD"} if method == "GET" else {"GET", "HEAD", "PUT", "DELETE"}:
            answer = await around.alice.request(
                tried, address, params={"shop": HARBOR, "_method": "POST"},
                headers={"x-http-method-override": "POST"},
            )  # fmt: skip
            assert answer.status_code < 500
    assert await around.everything_of_alice() == before


@pytest.mark.parametrize(
    "leads",
    ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)",
     "evil.myshopify.com.evil.example", "evil.example/.myshopify.com",
     "harbor.myshopify.com@evil.example", "harbor.myshopify.com:8080", "x.myshopify.com#@evil"],
)  # fmt: skip
async def test_no_route_leads_a_browser_somewhere_else(around: Neighbourhood, leads: str) -> None:
    names = ("shop", "next", "return_to", "redirect", "redirect_uri", "url", "host", "to", "from")
    for method, path in sorted(MAY_GET):
        for browser in (around.alice, around.nobody):
            address = path.replace("{store_id}", around.store_id)
            answer = await browser.request(
                method,
                address,
                params=dict.fromkeys(names, leads),
                headers={"host": "evil.example"},
            )
            location = answer.headers.get("location", f"{PUBLIC}/")
            assert location.startswith((f"{PUBLIC}/", "http://shopify.test/")), path
            assert "evil" not in location.partition("?")[0], path


async def test_the_owner_gets_what_the_stranger_does_not(around: Neighbourhood) -> None:
    answer = await around.alice.get(f"/api/stores/{around.store_id}/status")
    assert (answer.status_code, answer.json()["shop"]) == (200, HARBOR)
    before = await around.everything_of_alice()
    answer = await around.alice.post(
        f"/api/stores/{around.store_id}/sync", headers={"origin": PUBLIC}
    )
    assert answer.status_code == 202
    assert await around.everything_of_alice() != before


async def test_another_stores_id_is_as_unknown_as_none(around: Neighbourhood) -> None:
    for method, path in (("POST", "sync"), ("GET", "status")):
        answers = []
        for store_id in (around.store_id, "0000000000"):
            answer = await around.charlie.request(
                method, f"/api/stores/{store_id}/{path}", headers={"origin": PUBLIC}
            )
            answers.append((answer.status_code, answer.text, sorted(answer.headers.items())))
        assert answers[0] == answers[1]


@pytest.mark.parametrize(
    "name",
    [
        "orders.csv",
        "products.csv",
        "customers.csv",
        "deciles.csv",
        "ltv.csv",
        "customers/champions.csv",
        "dna.json",
    ],
)
async def test_a_file_is_for_those_who_may_see_what_is_in_it(
    around: Neighbourhood, name: str
) -> None:
    path = f"/api/stores/{around.store_id}/{name}"
    days = {"from": "2020-01-01", "to": "2027-01-01"}
    answer = await around.alice.get(path, params=days)
    assert answer.status_code == 200
    assert "attachment" in answer.headers["content-disposition"]
    assert answer.headers["cache-control"] == "no-store"
    told = {
        "orders.csv": "7313.00",
        "products.csv": PRODUCT,
        "deciles.csv": "decile,customers,share,currency,net,least",
        "ltv.csv": "month_after,customers,currency,net,per_customer",
        "customers/champions.csv": "customer_id,name,email",
        "dna.json": DNA,
    }
    assert told.get(name, "cohort,size") in answer.text
    # His Shopify account may see products alone.
    refused = await around.bob.get(path, params=days)
    assert refused.status_code == 403
    assert not any(secret in refused.text for secret in around.secrets())


async def test_days_that_are_none_are_refused_by_name(around: Neighbourhood) -> None:
    path = f"/api/stores/{around.store_id}/orders.csv"
    for days, field in (
        ({"from": "x", "to": "2026-01-01"}, "from"),
        ({"from": "2026-01-01"}, "to"),
    ):
        answer = await around.alice.get(path, params=days)
        assert (answer.status_code, answer.json()["field"]) == (400, field)
