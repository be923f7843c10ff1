"""Every answer of Shopify ends in data or in the one error it stands for."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from brandmind.errors import (
    AccessRefused,
    BadAnswer,
    QueryRefused,
    QueryTooCostly,
    ShopifyUnavailable,
    ShopUnavailable,
    Throttled,
    TokenRevoked,
)
from brandmind.shopify import client as client_module
from brandmind.shopify.client import ShopifyClient
from brandmind.shopify.tokens import StaticToken
from tests.unit.shopify.double import DATE, DOMAIN, asked, client_of, cost, failed, ok
from tests.unit.shopify.made import shop

WRONG_TOKEN = {"errors": "[API] Invalid API key or access token"}


class RenewableToken:
    """A token that can be renewed once."""

    def __init__(self) -> None:
        self.token = "old"
        self.stale: list[str] = []

    async def access_token(self) -> str:
        return self.token

    async def refreshed(self, stale: str) -> str:
        self.stale.append(stale)
        self.token = "new"
        return self.token


async def test_a_query_goes_to_the_shop_under_its_origin_with_token_and_document() -> None:
    seen: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return ok(shop())

    async with httpx.AsyncClient(transport=httpx.MockTransport(respond)) as http:
        client = ShopifyClient(
            http,
            origin="http://127.0.0.1:9292/{shop}",
            domain=DOMAIN,
            token=StaticToken("shpat_secret"),
        )
        answer = await client.query("shop")
    assert str(seen[0].url) == f"http://127.0.0.1:9292/{DOMAIN}/admin/api/2026-10/graphql.json"
    assert seen[0].headers["X-Shopify-Access-Token"] == "shpat_secret"
    assert asked(seen[0])["operationName"] == "Shop"
    assert answer.data["shop"]["name"] == "Harbor & Pine"
    assert answer.date == datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    assert answer.request_id == "req-1"


async def test_a_dead_token_is_renewed_once_and_the_query_repeated() -> None:
    token = RenewableToken()

    def respond(request: httpx.Request) -> httpx.Response:
        if request.headers["X-Shopify-Access-Token"] == "old":
            return httpx.Response(401, json=WRONG_TOKEN)
        return ok(shop())

    answer = await client_of(respond, token=token).query("shop")
    assert answer.data["shop"]["name"] == "Harbor & Pine"
    assert token.stale == ["old"]


async def test_a_renewed_token_that_is_refused_as_well_means_access_is_gone() -> None:
    token = RenewableToken()
    calls = 0

    def respond(request: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        return httpx.Response(401, json=WRONG_TOKEN, headers={"X-Request-Id": "req-9"})

    with pytest.raises(TokenRevoked) as caught:
        await client_of(respond, token=token).query("shop")
    assert caught.value.request_id == "req-9"
    assert calls == 2


async def test_a_token_nobody_can_renew_means_access_is_gone() -> None:
    answer = httpx.Response(401, json=WRONG_TOKEN, headers={"X-Request-Id": "req-9"})
    with pytest.raises(TokenRevoked) as caught:
        await client_of(lambda _: answer).query("shop")
    assert caught.value.request_id == "req-9"


@pytest.mark.parametrize("status", [402, 404, 423])
async def test_a_frozen_locked_or_missing_shop_is_unavailable(status: int) -> None:
    with pytest.raises(ShopUnavailable):
        await client_of(lambda _: httpx.Response(status)).query("shop")


@pytest.mark.parametrize("status", [408, 430, 500, 502, 503, 504, 520, 530, 540])
async def test_a_server_error_is_transient(status: int) -> None:
    answer = httpx.Response(status, text="<html>", headers={"X-Request-Id": "req-9"})
    with pytest.raises(ShopifyUnavailable) as caught:
        await client_of(lambda _: answer).query("shop")
    assert caught.value.request_id == "req-9"
    assert caught.value.kind == "transient"


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [("7.5", 7.5), ("0", 1.0), ("Mon, 23 Nov 2026 12:00:30 GMT", 30.0), ("soon", 2.0)],
)
async def test_too_many_requests_say_how_long_to_wait(header: str, wait_s: float) -> None:
    answer = httpx.Response(429, headers={"Retry-After": header, "Date": DATE})
    with pytest.raises(Throttled) as caught:
        await client_of(lambda _: answer).query("shop")
    assert caught.value.retry_after_s == wait_s


async def test_a_token_of_the_old_kind_is_told_apart_from_a_missing_scope() -> None:
    old = "[API] Non-expiring access tokens are no longer accepted for the Admin API."
    with pytest.raises(TokenRevoked):
        await client_of(lambda _: httpx.Response(403, json={"errors": old})).query("shop")
    scope = "[API] This action requires merchant approval for read_orders scope."
    with pytest.raises(AccessRefused) as caught:
        await client_of(lambda _: httpx.Response(403, json={"errors": scope})).query("shop")
    assert caught.value.scope == "read_orders"


async def test_a_bad_request_is_our_fault() -> None:
    with pytest.raises(QueryRefused) as caught:
        await client_of(lambda _: httpx.Response(400)).query("shop")
    assert caught.value.code == "400"


async def test_a_redirect_is_not_followed() -> None:
    hosts: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        return httpx.Response(307, headers={"Location": "https://elsewhere.example/"})

    with pytest.raises(BadAnswer):
        await client_of(respond).query("shop")
    assert hosts == [DOMAIN]


def throttled(requested: float, available: float) -> httpx.Response:
    return failed(
        {"message": "Throttled", "extensions": {"code": "THROTTLED"}},
        extensions=cost(requested, available),
    )


@pytest.mark.parametrize(("available", "wait_s"), [(92.0, 5.0), (590.0, 1.0)])
async def test_an_empty_bucket_says_how_long_it_fills(available: float, wait_s: float) -> None:
    with pytest.raises(Throttled) as caught:
        await client_of(lambda _: throttled(592, available)).query("shop")
    assert caught.value.retry_after_s == wait_s


async def test_a_query_above_the_limit_is_too_costly() -> None:
    error = {"message": "Query cost is 1400", "extensions": {"code": "MAX_COST_EXCEEDED"}}
    with pytest.raises(QueryTooCostly):
        await client_of(lambda _: failed(error)).query("shop")


async def test_an_error_of_shopifys_own_in_an_answer_is_transient() -> None:
    error = {"message": "Internal error", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}
    with pytest.raises(ShopifyUnavailable):
        await client_of(lambda _: failed(error)).query("shop")


async def test_a_query_shopify_does_not_understand_is_our_fault() -> None:
    error = {"message": "Field 'x' doesn't exist", "extensions": {"code": "undefinedField"}}
    with pytest.raises(QueryRefused) as caught:
        await client_of(lambda _: failed(error)).query("shop")
    assert caught.value.code == "undefinedField"
    assert caught.value.kind == "ours"


async def test_a_refused_root_names_the_missing_scope() -> None:
    error = {
        "message": "Access denied for orders field. Required access: `read_orders` access scope.",
        "path": ["orders"],
        "extensions": {"code": "ACCESS_DENIED", "requiredAccess": "`read_orders` access scope."},
    }
    with pytest.raises(AccessRefused) as caught:
        await client_of(lambda _: failed(error, data={"orders": None})).query("shop")
    assert caught.value.scope == "read_orders"


@pytest.mark.parametrize("code", [{}, {"extensions": {"code": "ACCESS_DENIED"}}])
async def test_protected_fields_that_come_as_null_are_named_not_refused(code: Any) -> None:
    errors = [
        {
            "message": "This app is not approved to access the firstName field. See …",
            "path": ["customers", "nodes", at, "firstName"],
        }
        | code
        for at in range(3)
    ]
    data = {"customers": {"nodes": [{"firstName": None}] * 3}}
    answer = await client_of(lambda _: failed(*errors, data=data)).query("shop")
    assert answer.restricted == ("customers.nodes.firstName",)


async def test_unapproved_customer_data_as_a_whole_are_refused_without_a_scope() -> None:
    error = {
        "message": "This app is not approved to access the Customer object.",
        "path": ["customers"],
    }
    with pytest.raises(AccessRefused) as caught:
        await client_of(lambda _: failed(error, data={"customers": None})).query("shop")
    assert caught.value.scope is None
    assert "protected customer data" in caught.value.message


async def test_a_search_warning_is_a_bug_and_never_an_answer() -> None:
    search = [
        {
            "path": ["orders"],
            "query": "updatet_at:>='2026'",
            "warnings": [{"field": "updatet_at", "code": "invalid_field", "message": "…"}],
        }
    ]
    answer = ok({"orders": {"nodes": []}}, extensions={"search": search})
    with pytest.raises(QueryRefused) as caught:
        await client_of(lambda _: answer).query("shop")
    assert caught.value.code == "search_warning"
    assert caught.value.details == ["updatet_at invalid_field"]


async def test_a_search_shopify_understood_is_an_answer() -> None:
    answer = ok(shop(), extensions={"search": [{"path": ["orders"], "query": "x"}]})
    assert (await client_of(lambda _: answer).query("shop")).data["shop"]


async def test_a_broken_connection_is_transient_and_names_no_address() -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("reset by 10.0.0.1")

    with pytest.raises(ShopifyUnavailable) as caught:
        await client_of(respond).query("shop")
    assert caught.value.message == "Shopify could not be reached (ReadError)."


class CutBody(httpx.AsyncByteStream):
    async def __aiter__(self) -> Any:
        yield b'{"data": {"sho'
        raise httpx.RemoteProtocolError("peer closed connection")


async def test_a_body_cut_on_its_way_is_transient() -> None:
    with pytest.raises(ShopifyUnavailable):
        await client_of(lambda _: httpx.Response(200, stream=CutBody())).query("shop")


@pytest.mark.parametrize("body", [b'{"data": {"shop": {"na', b"", b"<html>Sorry</html>"])
async def test_a_body_that_is_no_json_is_transient_and_not_kept_in_the_error(body: bytes) -> None:
    with pytest.raises(ShopifyUnavailable) as caught:
        await client_of(lambda _: httpx.Response(200, content=body)).query("shop")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"data": null}'])
async def test_an_answer_without_data_is_a_bad_answer(body: bytes) -> None:
    with pytest.raises(BadAnswer):
        await client_of(lambda _: httpx.Response(200, content=body)).query("shop")


async def test_an_answer_larger_than_we_take_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "MAX_BODY_BYTES", 1000)
    with pytest.raises(BadAnswer):
        await client_of(lambda _: httpx.Response(200, content=b" " * 1001)).query("shop")


async def test_no_token_reaches_a_log_or_an_error(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = StaticToken("shpat_secret")
    with pytest.raises(ShopifyUnavailable) as caught:
        await client_of(lambda _: httpx.Response(500), token=token).query("shop")
    assert "shpat_secret" not in caplog.text + repr(caught.value) + repr(token)


async def test_another_api_version_than_asked_for_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        answer = ok(shop())
        answer.headers["X-Shopify-API-Version"] = "2027-01"
        return answer

    client = client_of(respond)
    await client.query("shop")
    await client.query("shop")
    told = [one for one in caplog.records if "2027-01" in one.getMessage()]
    assert len(told) == 1


async def test_a_character_no_database_keeps_is_left_out() -> None:
    body = rb'{"data": {"name": "Har\u0000bor\u0000\u0000", "path": "C:\\u0000"}}'

    def respond(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=body, headers={"date": DATE})

    answer = await client_of(respond).query("shop")
    assert answer.data == {"name": "Harbor", "path": "C:\\u0000"}
