"""Signatures hold only for what was signed, and a refusal is told apart from bad luck."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from brandmind.errors import (
    QueryRefused,
    ShopifyUnavailable,
    ShopUnavailable,
    SignInRefused,
    Throttled,
    TokenRevoked,
)
from brandmind.shopify import oauth, webhooks
from brandmind.shopify.oauth import OfflineGrant, OnlineGrant

VECTORS = json.loads((Path(__file__).parent / "hmac-vectors.json").read_text(encoding="utf-8"))
QUERIES = [one for one in VECTORS if "hex" in one]
SHOP = "harbor-and-pine.myshopify.com"


def pairs_of(params: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (key, str(one))
        for key, value in params.items()
        for one in (value if isinstance(value, list) else [value])
    ]


@pytest.mark.parametrize("vector", QUERIES, ids=lambda vector: vector["name"])
def test_a_signed_query_is_accepted_as_pairs_and_raw_under_either_secret(
    vector: dict[str, Any],
) -> None:
    pairs = [*pairs_of(vector["params"]), ("hmac", vector["hex"]), ("signature", "old")]
    assert oauth.verify_query_hmac(pairs, [vector["secret"]])
    assert oauth.verify_query_hmac(urlencode(pairs), ["newer", vector["secret"]])


@pytest.mark.parametrize("vector", QUERIES, ids=lambda vector: vector["name"])
def test_a_changed_query_is_refused(vector: dict[str, Any]) -> None:
    pairs = pairs_of(vector["params"])
    signed = ("hmac", vector["hex"])
    secrets = [vector["secret"]]
    assert not oauth.verify_query_hmac([*pairs, signed, ("extra", "1")], secrets)
    assert not oauth.verify_query_hmac([*pairs[1:], signed], secrets)
    assert not oauth.verify_query_hmac([*pairs, ("hmac", "0" * 64)], secrets)
    assert not oauth.verify_query_hmac(pairs, secrets)
    assert not oauth.verify_query_hmac([*pairs, signed], ["other"])
    assert not oauth.verify_query_hmac([*pairs, signed], [])


def test_an_empty_secret_signs_nothing() -> None:
    pairs = [("shop", SHOP), ("hmac", oauth._mac(f"shop={SHOP}".encode(), "").hex())]
    assert not oauth.verify_query_hmac(pairs, [""])


def test_a_parameter_given_twice_is_refused_although_signed_once() -> None:
    vector = QUERIES[0]
    pairs = [*pairs_of(vector["params"]), ("hmac", vector["hex"])]
    assert oauth.verify_query_hmac(pairs, [vector["secret"]])
    assert not oauth.verify_query_hmac([("shop", "evil"), *pairs], [vector["secret"]])


@pytest.mark.needs_shared
def test_every_collected_vector_verifies(shared_data: Path) -> None:
    vectors = json.loads((shared_data / "hmac-vectors.json").read_text())["vectors"]
    assert len(vectors) == 10
    for vector in vectors:
        if vector["kind"] == "webhook":
            body, digest = vector["body"].encode(), vector["expected_base64"]
            assert webhooks.verify(body, digest, [vector["secret"]]), vector["name"]
        else:
            pairs = [*pairs_of(vector["params"]), ("hmac", vector["expected_hex"])]
            assert oauth.verify_query_hmac(pairs, [vector["secret"]]), vector["name"]


@pytest.mark.parametrize(
    ("away_s", "is_fresh"), [(0, True), (90, True), (-90, True), (91, False), (-91, False)]
)
def test_a_stamp_is_fresh_for_ninety_seconds_either_way(away_s: int, *, is_fresh: bool) -> None:
    stamp = 1_790_000_000
    now = datetime.fromtimestamp(stamp, UTC) + timedelta(seconds=away_s)
    assert oauth.fresh(str(stamp), now) is is_fresh


@pytest.mark.parametrize("stamp", [None, "", "soon", "-5", "1e9", "٣", "9" * 40])
def test_what_is_no_stamp_is_not_fresh(stamp: str | None) -> None:
    assert not oauth.fresh(stamp, datetime.now(UTC))


def test_the_merchant_is_sent_to_the_shop_with_what_the_app_asks() -> None:
    url = oauth.authorize_url(
        origin="http://127.0.0.1:9292/{shop}",
        shop=SHOP,
        client_id="app",
        scopes=["read_products", "read_orders"],
        redirect_uri="http://localhost:8000/auth/callback",
        state="nonce",
    )
    parts = urlsplit(url)
    assert f"{parts.netloc}{parts.path}" == f"127.0.0.1:9292/{SHOP}/admin/oauth/authorize"
    assert parse_qs(parts.query) == {
        "client_id": ["app"],
        "scope": ["read_products,read_orders"],
        "redirect_uri": ["http://localhost:8000/auth/callback"],
        "state": ["nonce"],
    }


def test_a_person_is_asked_for_by_an_online_grant() -> None:
    url = oauth.authorize_url(
        origin="https://{shop}",
        shop=SHOP,
        client_id="app",
        scopes=[],
        redirect_uri="https://b.example/auth/callback",
        state="nonce",
        per_user=True,
    )
    assert url.startswith(f"https://{SHOP}/admin/oauth/authorize?")
    assert parse_qs(urlsplit(url).query)["grant_options[]"] == ["per-user"]


class Endpoint:
    """A token endpoint that gives one answer."""

    def __init__(self, answer: httpx.Response | Exception) -> None:
        self.answer = answer
        self.forms: list[dict[str, str]] = []
        self.urls: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.urls.append(str(request.url))
        form = parse_qs(request.content.decode())
        self.forms.append({key: value for key, (value,) in form.items()})
        assert "authorization" not in request.headers
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def ask(self, act: str, **fields: str) -> Any:
        async with httpx.AsyncClient(transport=httpx.MockTransport(self)) as http:
            return await getattr(oauth, act)(
                http,
                origin="https://{shop}",
                shop=SHOP,
                client_id="app",
                client_secret="secret",
                **fields,
            )


def granted(**changes: Any) -> httpx.Response:
    told = {
        "access_token": "shpat_1",
        "scope": "read_orders, read_products",
        "expires_in": 3599,
        "refresh_token": "shprt_1",
        "refresh_token_expires_in": 7_776_000,
    } | changes
    return httpx.Response(200, json={key: value for key, value in told.items() if value != "-"})


def refused(status: int, error: str | None = None) -> httpx.Response:
    return httpx.Response(status, json={"error": error} if error else {})


async def test_a_code_becomes_tokens_that_expire() -> None:
    endpoint = Endpoint(granted())
    grant = await endpoint.ask("exchange_code", code="c&=%")
    assert isinstance(grant, OfflineGrant)
    assert (grant.access_token, grant.refresh_token) == ("shpat_1", "shprt_1")
    assert (grant.expires_in_s, grant.refresh_expires_in_s) == (3599, 7_776_000)
    assert grant.scopes == {"read_orders", "read_products"}
    assert endpoint.urls == [f"https://{SHOP}/admin/oauth/access_token"]
    (form,) = endpoint.forms
    assert (form["code"], form["expiring"]) == ("c&=%", "1")
    assert (form["client_id"], form["client_secret"]) == ("app", "secret")


async def test_a_code_of_a_person_tells_who_it_is_and_no_token() -> None:
    user = {
        "id": 902541635,
        "first_name": "Ada",
        "last_name": "Example",
        "email": "ada@example.com",
        "email_verified": True,
        "account_owner": True,
        "collaborator": False,
        "locale": "en",
    }
    answer = granted(associated_user=user, associated_user_scope="read_orders", refresh_token="-")
    grant = await Endpoint(answer).ask("exchange_code", code="c")
    assert isinstance(grant, OnlineGrant)
    assert (grant.user_id, grant.name, grant.account_owner) == (902541635, "Ada Example", True)
    assert grant.user_scopes == {"read_orders"}
    assert "shpat_1" not in str(vars_of(grant))


def vars_of(grant: Any) -> list[Any]:
    return [getattr(grant, name) for name in grant.__slots__]


async def test_a_token_of_the_old_kind_does_not_expire() -> None:
    answer = granted(expires_in="-", refresh_token="-", refresh_token_expires_in="-")
    grant = await Endpoint(answer).ask("exchange_code", code="c")
    assert (grant.expires_in_s, grant.refresh_token) == (None, None)


@pytest.mark.parametrize("status", [400, 401])
async def test_a_wrong_or_used_code_refuses_the_sign_in(status: int) -> None:
    with pytest.raises(SignInRefused):
        await Endpoint(refused(status, "invalid_request")).ask("exchange_code", code="c")


@pytest.mark.parametrize("error", ["invalid_client", "application_cannot_be_found"])
async def test_wrong_credentials_of_the_app_are_our_fault(error: str) -> None:
    for act, fields in (("exchange_code", {"code": "c"}), ("refresh", {"refresh_token": "r"})):
        with pytest.raises(QueryRefused):
            await Endpoint(refused(401, error)).ask(act, **fields)


async def test_a_wrong_client_id_does_not_end_a_stores_access() -> None:
    with pytest.raises(QueryRefused):
        await Endpoint(refused(400, "invalid_request")).ask("refresh", refresh_token="r")


async def test_a_refresh_gives_a_new_pair() -> None:
    endpoint = Endpoint(granted(access_token="shpat_2", refresh_token="shprt_2"))
    grant = await endpoint.ask("refresh", refresh_token="shprt_1")
    assert (grant.access_token, grant.refresh_token) == ("shpat_2", "shprt_2")
    (form,) = endpoint.forms
    assert (form["grant_type"], form["refresh_token"]) == ("refresh_token", "shprt_1")
    assert "expiring" not in form


@pytest.mark.parametrize("gap", ["-", None])
async def test_a_refresh_that_forgets_the_life_of_its_tokens_is_never_for_ever(gap: Any) -> None:
    answer = granted(expires_in=gap, refresh_token_expires_in=gap, refresh_token=gap)
    grant = await Endpoint(answer).ask("refresh", refresh_token="shprt_1")
    assert (grant.expires_in_s, grant.refresh_token) == (3600, "shprt_1")
    assert grant.refresh_expires_in_s == 7_776_000


@pytest.mark.parametrize(
    ("status", "error"), [(401, "invalid_request"), (400, "invalid_grant"), (401, "invalid_token")]
)
async def test_a_dead_refresh_token_ends_access_for_good(status: int, error: str) -> None:
    with pytest.raises(TokenRevoked):
        await Endpoint(refused(status, error)).ask("refresh", refresh_token="r")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refused(503), ShopifyUnavailable),
        (refused(429), Throttled),
        (refused(401), ShopifyUnavailable),
        (httpx.Response(403, text="<html>proxy</html>"), ShopifyUnavailable),
        (httpx.Response(200, text='{"access_to'), ShopifyUnavailable),
        (httpx.Response(200, json={"scope": "x"}), ShopifyUnavailable),
        (httpx.ConnectTimeout("slow"), ShopifyUnavailable),
        (httpx.ReadError("cut"), ShopifyUnavailable),
        (refused(402), ShopUnavailable),
        (refused(404), ShopUnavailable),
    ],
)
async def test_anything_but_a_clear_refusal_leaves_the_refresh_token_alive(
    answer: httpx.Response | Exception, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await Endpoint(answer).ask("refresh", refresh_token="r")


async def test_an_apps_own_credentials_open_its_own_store_for_a_day() -> None:
    endpoint = Endpoint(granted(expires_in=86399, refresh_token="-"))
    grant = await endpoint.ask("client_credentials")
    assert (grant.expires_in_s, grant.refresh_token) == (86399, None)
    assert endpoint.forms[0]["grant_type"] == "client_credentials"
    with pytest.raises(TokenRevoked):
        await Endpoint(refused(400, "invalid_client")).ask("client_credentials")


async def test_an_answer_in_gzip_is_read_through_the_processs_own_client() -> None:
    import gzip

    packed = gzip.compress(granted().content)
    answer = httpx.Response(200, content=packed, headers={"Content-Encoding": "gzip"})
    grant = await Endpoint(answer).ask("exchange_code", code="c")
    assert grant.access_token == "shpat_1"


def test_a_grant_shows_no_token() -> None:
    grant = OfflineGrant("shpat_1", frozenset({"read_orders"}), 1, "shprt_1", 2)
    assert "shpat_1" not in repr(grant)
    assert "shprt_1" not in repr(grant)
