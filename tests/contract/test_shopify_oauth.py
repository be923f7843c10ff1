"""The two grants, a refresh and a withdrawal, against a Shopify that checks what it is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from brandmind.errors import QueryRefused, SignInRefused, TokenRevoked
from brandmind.shopify import oauth
from brandmind.shopify.client import ShopifyClient
from brandmind.shopify.oauth import OfflineGrant, OnlineGrant
from brandmind.shopify.tokens import StaticToken
from tests.contract.local_shopify import local_shopify

SECRET = "brandmind-local-secret"
CALLBACK = "http://127.0.0.1:8000/auth/callback"
SCOPES = ["read_products", "read_orders", "read_customers"]


@pytest.fixture(scope="module")
def simulator() -> Iterator[str]:
    with local_shopify("--orders", "20", "--products", "10", "--customers", "10") as address:
        yield address


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


class App:
    """Our app at one shop of the simulator."""

    def __init__(self, http: httpx.AsyncClient, base: str, shop: str) -> None:
        self.http = http
        self.base = base
        self.shop = f"{shop}.myshopify.com"
        self.at = {
            "origin": f"{base}/{{shop}}",
            "shop": self.shop,
            "client_id": "brandmind-local",
        }

    async def consent(self, *, per_user: bool = False) -> str:
        """The raw query the merchant comes back with."""
        url = oauth.authorize_url(
            **self.at, scopes=SCOPES, redirect_uri=CALLBACK, state="nonce", per_user=per_user
        )
        answer = await self.http.post(url, data={"decision": "install"})
        assert answer.status_code in (302, 303), answer.text
        assert answer.headers["location"].startswith(CALLBACK)
        return urlsplit(answer.headers["location"]).query

    async def ask(self, act: str, *, secret: str = SECRET, **fields: str) -> Any:
        return await getattr(oauth, act)(self.http, client_secret=secret, **self.at, **fields)

    def client(self, token: str) -> ShopifyClient:
        return ShopifyClient(
            self.http, origin=self.at["origin"], domain=self.shop, token=StaticToken(token)
        )


def code_in(query: str) -> str:
    return parse_qs(query)["code"][0]


async def test_a_merchant_comes_back_signed_and_just_now(
    http: httpx.AsyncClient, simulator: str
) -> None:
    query = await App(http, simulator, "harbor-and-pine").consent()
    told = {key: value for key, (value,) in parse_qs(query).items()}
    assert oauth.verify_query_hmac(query, ["older", SECRET])
    assert not oauth.verify_query_hmac(query.replace("harbor", "harbour"), [SECRET])
    assert oauth.fresh(told["timestamp"], datetime.now(UTC))
    assert told["state"] == "nonce"


async def test_a_code_opens_the_shop_once(http: httpx.AsyncClient, simulator: str) -> None:
    app = App(http, simulator, "opened-once")
    code = code_in(await app.consent())
    grant = await app.ask("exchange_code", code=code)
    assert isinstance(grant, OfflineGrant)
    assert grant.expires_in_s == 3600
    assert grant.refresh_token
    assert set(SCOPES) <= grant.scopes
    assert (await app.client(grant.access_token).query("shop")).data["shop"]
    with pytest.raises(SignInRefused):
        await app.ask("exchange_code", code=code)


async def test_a_person_is_told_by_the_second_leg(http: httpx.AsyncClient, simulator: str) -> None:
    app = App(http, simulator, "two-legs")
    await app.consent()
    grant = await app.ask("exchange_code", code=code_in(await app.consent(per_user=True)))
    assert isinstance(grant, OnlineGrant)
    assert grant.account_owner
    assert grant.name
    assert "read_orders" in grant.user_scopes


async def test_a_refresh_token_serves_again_until_its_successor_is_used(
    http: httpx.AsyncClient, simulator: str
) -> None:
    app = App(http, simulator, "refreshed")
    first = await app.ask("exchange_code", code=code_in(await app.consent()))
    # As after a lost answer: the same token is sent twice.
    await app.ask("refresh", refresh_token=first.refresh_token)
    second = await app.ask("refresh", refresh_token=first.refresh_token)
    assert second.access_token != first.access_token
    assert (await app.client(second.access_token).query("shop")).data["shop"]


async def test_an_uninstalled_app_has_lost_its_access_for_good(
    http: httpx.AsyncClient, simulator: str
) -> None:
    app = App(http, simulator, "left-us")
    grant = await app.ask("exchange_code", code=code_in(await app.consent()))
    await http.post(f"{simulator}/__control/{app.shop}/uninstall")
    with pytest.raises(TokenRevoked):
        await app.ask("refresh", refresh_token=grant.refresh_token)
    with pytest.raises(TokenRevoked):
        await app.client(grant.access_token).query("shop")


async def test_a_wrong_secret_of_ours_revokes_nobody(
    http: httpx.AsyncClient, simulator: str
) -> None:
    app = App(http, simulator, "wrong-secret")
    grant = await app.ask("exchange_code", code=code_in(await app.consent()))
    with pytest.raises(QueryRefused):
        await app.ask("refresh", secret="wrong", refresh_token=grant.refresh_token)


async def test_an_apps_own_credentials_open_its_own_store(
    http: httpx.AsyncClient, simulator: str
) -> None:
    app = App(http, simulator, "our-own")
    grant = await app.ask("client_credentials")
    assert grant.refresh_token is None
    assert grant.expires_in_s == 24 * 3600 - 1 or grant.expires_in_s == 24 * 3600
    assert (await app.client(grant.access_token).query("shop")).data["shop"]
