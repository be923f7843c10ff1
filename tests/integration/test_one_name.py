"""A page asked for by another name of this machine opens by the one name that people are given."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.identity_world import HARBOR, PUBLIC, World, open_world

# As browsers ask for a page, and not for a file of one.
A_PAGE = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture
async def world(sqlite_url: str) -> AsyncIterator[World]:
    async with open_world(sqlite_url) as made:
        yield made


async def asked(
    world: World, host: str, path: str = "/", *, method: str = "GET", accept: str = "text/html"
) -> httpx.Response:
    """The answer to a request that names `host`."""
    async with world.browser() as browser:
        return await browser.request(method, path, headers={"host": host, "accept": accept})


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "[::1]:8000", "127.9.9.9:8000"])
async def test_another_name_of_this_machine_leads_to_the_public_one(
    world: World, host: str
) -> None:
    answer = await asked(world, host, "/connect?shop=a%20b&error=link", accept=A_PAGE["accept"])
    assert answer.status_code == 307
    assert answer.headers["location"] == f"{PUBLIC}/connect?shop=a%20b&error=link"
    assert answer.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


async def test_the_public_name_may_be_a_number_too(sqlite_url: str) -> None:
    async with open_world(sqlite_url, public_url="http://127.0.0.1:8000") as world:
        assert (await asked(world, "127.0.0.1:8000")).status_code == 200
        answer = await asked(world, "localhost:8000", "/command-center?shop=sample")
        assert answer.status_code == 307
        assert answer.headers["location"] == "http://127.0.0.1:8000/command-center?shop=sample"


@pytest.mark.parametrize(
    "host",
    [
        "localhost:8000",
        "LOCALHOST:8000",
        "evil.com",
        "evil.com:8000",
        "127.0.0.1.evil.com:8000",
        "localhost.evil.com:8000",
        "127.0.0.1@evil.com:8000",
        "evil.com@127.0.0.1:8000",
        "127.0.0.1:8000@evil.com",
        "127.0.0.1",
        "127.0.0.1:8001",
        "127.0.0.1:08000",
        "127.0.0.1:x",
        "127.0.0.1:8000:8000",
        "::1:8000",
        "[::1]:8000]",
        "10.0.0.7:8000",
        "0.0.0.0:8000",
        "a b",
        "",
    ],
)
async def test_no_other_host_is_led_anywhere(world: World, host: str) -> None:
    answer = await asked(world, host)
    assert (answer.status_code, "location" in answer.headers) == (200, False)


@pytest.mark.parametrize("path", ["//evil.com", "//evil.com/%2e%2e", "/\\evil.com", "/@evil.com"])
async def test_no_path_leads_off_the_public_address(world: World, path: str) -> None:
    async with world.browser(base="http://127.0.0.1:8000") as browser:
        answer = await browser.get(f"http://127.0.0.1:8000{path}", headers=A_PAGE)
    assert answer.status_code == 307
    assert answer.headers["location"].startswith(f"{PUBLIC}/")


@pytest.mark.parametrize(
    "path",
    [
        "/api/sessions",
        "/webhooks/shopify",
        "/healthz",
        "/readyz",
        "/metrics",
        "/ping",
        "/_event",
        "/_event/",
        "/_upload",
        "/auth/link",
        "/assets/a.js",
        "/fonts/a.woff2",
    ],
)
async def test_what_is_no_page_is_answered_by_every_name(world: World, path: str) -> None:
    answer = await asked(world, "127.0.0.1:8000", path)
    assert answer.status_code != 307


@pytest.mark.parametrize("method", ["POST", "HEAD", "OPTIONS", "PUT"])
async def test_only_what_is_looked_at_is_led_on(world: World, method: str) -> None:
    assert (await asked(world, "127.0.0.1:8000", method=method)).status_code != 307


async def test_a_file_of_a_page_is_answered_by_every_name(world: World) -> None:
    assert (await asked(world, "127.0.0.1:8000", accept="*/*")).status_code == 200
    assert (await asked(world, "127.0.0.1:8000", accept="image/svg+xml")).status_code == 200


@pytest.mark.parametrize(
    "told",
    [
        {"public_url": "https://brandmind.example.com"},
        {"public_url": "https://localhost:8000"},
        {"public_url": "http://shop.local:8000"},
        # A proxy may hide the name that was typed: leading on from it could go in circles.
        {"public_url": PUBLIC, "trusted_proxy_hops": 1},
    ],
)
async def test_where_others_or_a_proxy_may_ask_nobody_is_led_on(
    sqlite_url: str, told: dict[str, object]
) -> None:
    async with open_world(sqlite_url, **told) as world:
        assert (await asked(world, "127.0.0.1:8000")).status_code == 200


async def test_connect_leads_on_from_every_name_and_the_page_lets_it(world: World) -> None:
    """A browser holds each redirect of a form against the policy of the page it stood on."""
    for host in ("127.0.0.1:8000", "mymachine:8000"):
        page = await asked(world, host, accept="*/*")
        policy = page.headers["content-security-policy"]
        (forms,) = [part for part in policy.split("; ") if part.startswith("form-action ")]
        pressed = await asked(world, host, f"/auth/connect?shop={HARBOR}")
        assert pressed.headers["location"].startswith(f"{PUBLIC}/auth/connect?")
        assert PUBLIC in forms.split(" ")
