"""The authorization-code grant through its own routes."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from tests.unit.simulator.shopper import SHOP, Shopper, opened

CLIENT = {"client_id": "brandmind-local", "client_secret": "brandmind-local-secret"}
BACK = "http://localhost:8123/auth/callback"
AUTHORIZE = f"/{SHOP}/admin/oauth/authorize"
TOKEN = f"/{SHOP}/admin/oauth/access_token"


def asking(**changes: str) -> str:
    asked = {
        "client_id": "brandmind-local",
        "scope": "read_orders,read_products,read_customers",
        "redirect_uri": BACK,
        "state": "a-nonce",
    }
    return f"{AUTHORIZE}?{urlencode(asked | changes)}"


def landed(answer: Any) -> dict[str, str]:
    assert answer.status_code == 302, answer.text
    target = answer.headers["location"]
    assert target.startswith(BACK + "?")
    found = dict(parse_qsl(urlsplit(target).query))
    message = "&".join(f"{key}={found[key]}" for key in sorted(found) if key != "hmac")
    secret = CLIENT["client_secret"].encode()
    assert found["hmac"] == hmac.new(secret, message.encode(), hashlib.sha256).hexdigest()
    return found


async def install(shopper: Shopper, **changes: str) -> dict[str, str]:
    return landed(await shopper.http.post(asking(**changes), data={"decision": "install"}))


async def grant(shopper: Shopper, **sent: str) -> Any:
    return await shopper.http.post(TOKEN, data=CLIENT | sent)


async def test_the_consent_page_names_the_shop_the_scopes_and_both_buttons() -> None:
    async with opened() as shopper:
        shown = await shopper.http.get(asking())
    assert shown.status_code == 200
    for part in (
        "Harbor &amp; Pine",
        "read_orders",
        "Local Shopify",
        'id="install"',
        'id="cancel"',
    ):
        assert part in shown.text


async def test_installing_leads_back_signed_with_code_state_and_host() -> None:
    async with opened() as shopper:
        found = await install(shopper)
    assert set(found) == {"code", "hmac", "host", "shop", "state", "timestamp"}
    assert (found["shop"], found["state"]) == (SHOP, "a-nonce")


async def test_cancelling_leads_back_with_a_signed_refusal() -> None:
    async with opened() as shopper:
        answer = await shopper.http.post(asking(), data={"decision": "cancel"})
    found = landed(answer)
    assert found["error"] == "access_denied"
    assert "code" not in found


@pytest.mark.parametrize(
    "wrong", [{"redirect_uri": "https://evil.example/auth"}, {"client_id": "somebody"}]
)
async def test_a_foreign_address_or_app_is_never_led_back(wrong: dict[str, str]) -> None:
    async with opened() as shopper:
        answer = await shopper.http.post(asking(**wrong), data={"decision": "install"})
    assert answer.status_code == 400
    assert "location" not in answer.headers


async def test_a_code_becomes_an_expiring_pair_that_reads_and_refreshes() -> None:
    async with opened() as shopper:
        found = await install(shopper)
        pair = (await grant(shopper, code=found["code"], expiring="1")).json()
        shopper.token = pair["access_token"]
        asked = "{ currentAppInstallation { accessScopes { handle } } }"
        scopes = await shopper.data(asked)
        again = (await grant(shopper, code=found["code"], expiring="1")).status_code
        renewed = await grant(
            shopper, grant_type="refresh_token", refresh_token=pair["refresh_token"]
        )
    assert {one["handle"] for one in scopes["currentAppInstallation"]["accessScopes"]} == {
        "read_orders",
        "read_products",
        "read_customers",
    }
    assert again == 400
    assert renewed.json()["access_token"] != pair["access_token"]


async def test_a_dead_refresh_token_is_answered_with_401_invalid_request() -> None:
    async with opened() as shopper:
        answer = await grant(shopper, grant_type="refresh_token", refresh_token="shprt_none")
    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_request"


async def test_a_wrong_secret_gets_nothing() -> None:
    async with opened() as shopper:
        found = await install(shopper)
        answer = await shopper.http.post(
            TOKEN, data=CLIENT | {"client_secret": "guess", "code": found["code"]}
        )
    assert answer.status_code == 400
    assert "access_token" not in answer.text


async def test_a_known_person_is_answered_at_once_with_who_they_are() -> None:
    async with opened() as shopper:
        await install(shopper)
        found = landed(await shopper.http.get(asking(**{"grant_options[]": "per-user"})))
        answer = (await grant(shopper, code=found["code"])).json()
    assert answer["expires_in"] == 86399
    assert answer["associated_user"]["account_owner"] is True
    assert answer["associated_user_scope"] == "read_customers,read_orders,read_products"
    assert "refresh_token" not in answer


async def test_staff_with_fewer_rights_have_fewer_scopes() -> None:
    async with opened() as shopper:
        await install(shopper)
        await shopper.control("staff", {"user": "limited"})
        found = landed(await shopper.http.get(asking(**{"grant_options[]": "per-user"})))
        answer = (await grant(shopper, code=found["code"])).json()
    assert answer["associated_user"]["account_owner"] is False
    assert answer["associated_user_scope"] == "read_customers,read_products"


async def test_nobody_logged_in_is_asked_to_log_in_first() -> None:
    async with opened() as shopper:
        await install(shopper)
        await shopper.control("staff", {"user": "none"})
        url = asking(**{"grant_options[]": "per-user"})
        shown = await shopper.http.get(url)
        assert 'value="owner"' in shown.text
        landed(await shopper.http.post(url, data={"user": "staff"}))


async def test_client_credentials_give_a_day() -> None:
    async with opened() as shopper:
        answer = (await grant(shopper, grant_type="client_credentials")).json()
        shopper.token = answer["access_token"]
        assert await shopper.data("{ shop { id } }")
    assert answer["expires_in"] == 86399
