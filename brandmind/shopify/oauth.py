"""Shopify's OAuth: where to send a merchant, what comes back signed, and the tokens for it."""

from __future__ import annotations

import hmac
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, Literal
from urllib.parse import parse_qsl, quote, urlencode

import httpx

from brandmind.errors import QueryRefused, ShopifyUnavailable, SignInRefused, TokenRevoked
from brandmind.shopify import answers
from brandmind.shopify.client import TIMEOUT, shop_origin

# Shopify's own libraries allow this much between its clock and ours, either way.
FRESH_FOR_S: Final = 90
# An answer without `expires_in` has locked shops out of other apps: never read as "no expiry".
ASSUMED_LIFE_S: Final = 3600
ASSUMED_REFRESH_LIFE_S: Final = 90 * 24 * 3600

_UNSIGNED = frozenset({"hmac", "signature"})
_TERMINAL = frozenset({"invalid_grant", "invalid_token"})
# The configuration's fault, and cured there: no store has lost its access by it.
_OUR_FAULT = frozenset({"invalid_client", "unauthorized_client", "application_cannot_be_found"})

GrantType = Literal["authorization_code", "refresh_token", "client_credentials"]


@dataclass(frozen=True, slots=True)
class OfflineGrant:
    """Access to a shop. `expires_in_s` None: a token of the old kind, which does not expire."""

    access_token: str = field(repr=False)
    scopes: frozenset[str]
    expires_in_s: int | None = None
    refresh_token: str | None = field(default=None, repr=False)
    refresh_expires_in_s: int | None = None


@dataclass(frozen=True, slots=True)
class OnlineGrant:
    """Who a person is at this shop. The token that came with it is not kept."""

    user_id: int
    name: str = field(repr=False)
    email: str = field(repr=False)
    email_verified: bool
    account_owner: bool
    collaborator: bool
    locale: str
    user_scopes: frozenset[str]
    scopes: frozenset[str]


def authorize_url(
    *,
    origin: str,
    shop: str,
    client_id: str,
    scopes: Iterable[str],
    redirect_uri: str,
    state: str,
    per_user: bool = False,
) -> str:
    """Where a merchant agrees to the app. `per_user` asks for an online grant, which tells who
    the person is; without it the grant is offline, for the shop."""
    asked = {
        "client_id": client_id,
        "scope": ",".join(scopes),
        "redirect_uri": redirect_uri,
        "state": state,
    }
    if per_user:
        asked["grant_options[]"] = "per-user"
    return f"{shop_origin(origin, shop)}/admin/oauth/authorize?{urlencode(asked, quote_via=quote)}"


def verify_query_hmac(query: str | Iterable[tuple[str, str]], secrets: Sequence[str]) -> bool:
    """Whether Shopify signed this query (raw, without "?", or its decoded pairs in their order).

    Hex HMAC-SHA256 of the other parameters, sorted by key, `ids[]=2&ids[]=1` as `ids=["2", "1"]`.
    Any of the secrets may have signed it, so that a rotation breaks nobody's log-in. A parameter
    given twice is refused: whoever reads it could be shown the other one.
    """
    pairs = parse_qsl(query, keep_blank_values=True) if isinstance(query, str) else list(query)
    given = ""
    plain: dict[str, str] = {}
    lists: dict[str, list[str]] = {}
    for key, value in pairs:
        if key == "hmac":
            if given:
                return False
            given = value
        elif key.endswith("[]"):
            lists.setdefault(key[:-2], []).append(value)
        elif key in plain:
            return False
        elif key not in _UNSIGNED:
            plain[key] = value
    if not given or plain.keys() & lists.keys():
        return False
    for key, values in lists.items():
        plain[key] = "[" + ", ".join(f'"{value}"' for value in values) + "]"
    ordered = sorted(plain.items())
    # Shopify's libraries escape differently; both forms decode to the same parameters, so taking
    # either opens nothing.
    messages = (
        "&".join(
            f"{_escaped(key).replace('=', '%3D')}={_escaped(value)}" for key, value in ordered
        ),
        "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in ordered),
    )
    return any(
        hmac.compare_digest(_mac(message.encode(), secret).hex().encode(), given.lower().encode())
        for secret in secrets
        if secret
        for message in messages
    )


def fresh(timestamp: str | None, now: datetime) -> bool:
    """Whether a signed Unix timestamp lies within 90 s of now, before or after."""
    if not timestamp or not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        return False
    return abs((now - datetime.fromtimestamp(int(timestamp), UTC)).total_seconds()) <= FRESH_FOR_S


async def exchange_code(
    http: httpx.AsyncClient,
    *,
    origin: str,
    shop: str,
    client_id: str,
    client_secret: str,
    code: str,
) -> OfflineGrant | OnlineGrant:
    """What the code of a callback stands for; an online grant if it names a person.

    Asks for tokens that expire. Raises SignInRefused for a code that is wrong or used, QueryRefused
    if the app's own credentials are, ShopifyUnavailable or Throttled where a second try may help.
    """
    told = await _ask(
        http,
        "authorization_code",
        url=_endpoint(origin, shop),
        client_id=client_id,
        client_secret=client_secret,
        code=code,
        expiring="1",
    )
    return _online(told) if told.get("associated_user") else _offline(told)


async def refresh(
    http: httpx.AsyncClient,
    *,
    origin: str,
    shop: str,
    client_id: str,
    client_secret: str,
    refresh_token: str,
) -> OfflineGrant:
    """A new pair of tokens; the old refresh token lives until the new pair is used.

    Raises TokenRevoked only if the shop refuses the refresh token for good. After a lost answer
    (ShopifyUnavailable, Throttled) the same refresh token may be sent again.
    """
    told = await _ask(
        http,
        "refresh_token",
        url=_endpoint(origin, shop),
        client_id=client_id,
        client_secret=client_secret,
        refresh_token=refresh_token,
    )
    # Whatever an answer leaves out, this shop's tokens are of the kind that expires.
    return _offline({"refresh_token": refresh_token, "expires_in": ASSUMED_LIFE_S} | told)


async def client_credentials(
    http: httpx.AsyncClient, *, origin: str, shop: str, client_id: str, client_secret: str
) -> OfflineGrant:
    """A token for a store of the app's own organisation: 24 hours, no refresh token.

    Raises TokenRevoked if the shop refuses these credentials.
    """
    told = await _ask(
        http,
        "client_credentials",
        url=_endpoint(origin, shop),
        client_id=client_id,
        client_secret=client_secret,
    )
    return _offline({"expires_in": ASSUMED_LIFE_S} | told)


@cache
def _oauth_client() -> Any:
    """Authlib's client, loaded when a token is first asked for: a worker hardly ever does."""
    from authlib.deprecate import AuthlibDeprecationWarning

    with warnings.catch_warnings():
        # Authlib prefers httpx2, which is not what the rest of this process speaks; httpx serves.
        warnings.simplefilter("ignore", AuthlibDeprecationWarning)
        from authlib.integrations.httpx_client import AsyncOAuth2Client
    return AsyncOAuth2Client


class _Through(httpx.AsyncBaseTransport):
    """Lets Authlib's client speak over the HTTP client of this process, pool and all."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._http.send(request, auth=None, follow_redirects=False, stream=True)
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=response.stream,
            extensions=response.extensions,
        )


async def _ask(
    http: httpx.AsyncClient,
    grant_type: GrantType,
    *,
    url: str,
    client_id: str,
    client_secret: str,
    **fields: str,
) -> dict[str, Any]:
    def look(response: httpx.Response) -> httpx.Response:
        # Authlib reads the body alone; whether another try may help is in the status.
        problem = _problem(response, grant_type)
        if problem is not None:
            raise problem
        return response

    client = _oauth_client()(
        client_id=client_id,
        client_secret=client_secret,
        # Shopify reads the credentials from the body, not from a header.
        token_endpoint_auth_method="client_secret_post",  # noqa: S106
        transport=_Through(http),
        timeout=TIMEOUT,
        follow_redirects=False,
        trust_env=False,
    )
    client.register_compliance_hook("access_token_response", look)
    try:
        async with client:
            told = await client.fetch_token(url, grant_type=grant_type, **fields)
    except (httpx.RequestError, httpx.StreamError) as error:
        raise ShopifyUnavailable(
            f"Shopify could not be reached ({type(error).__name__})."
        ) from None
    return {name: value for name, value in told.items() if value is not None}


def _problem(response: httpx.Response, grant_type: GrantType) -> Exception | None:
    """The error in a token answer, None if it holds a token."""
    request_id = answers.request_id_of(response.headers)
    status = response.status_code
    try:
        told = response.json()
    except ValueError:
        told = None
    if status == 200:
        if isinstance(told, dict) and isinstance(told.get("access_token"), str):
            return None
        return ShopifyUnavailable("Shopify's answer arrived damaged.", request_id=request_id)
    if status not in (400, 401, 403):
        return answers.of_status(status, response.headers, response.content)
    error = str(told.get("error") or "") if isinstance(told, dict) else ""
    if error in _OUR_FAULT and grant_type != "client_credentials":
        return QueryRefused(
            "Shopify does not accept this app's credentials.", code=error, request_id=request_id
        )
    if grant_type == "authorization_code":
        return SignInRefused()
    if not error:
        # Without a reason nobody's access is declared dead: a proxy may have answered.
        return ShopifyUnavailable(f"Shopify answered {status}.", request_id=request_id)
    if grant_type == "client_credentials" or error in _TERMINAL:
        return TokenRevoked(request_id=request_id)
    if status == 401 and error == "invalid_request":
        return TokenRevoked(request_id=request_id)
    # "invalid_request" with 400 may be a client id that is wrong: that must not end every store.
    return QueryRefused("Shopify refused our request.", code=error, request_id=request_id)


def _endpoint(origin: str, shop: str) -> str:
    return f"{shop_origin(origin, shop)}/admin/oauth/access_token"


def _offline(told: Mapping[str, Any]) -> OfflineGrant:
    refresh_token = told.get("refresh_token") or None
    life_s = told.get("expires_in")
    if life_s is None and refresh_token is not None:
        life_s = ASSUMED_LIFE_S
    refresh_life_s = told.get("refresh_token_expires_in") or ASSUMED_REFRESH_LIFE_S
    return OfflineGrant(
        access_token=told["access_token"],
        scopes=_scopes(told.get("scope")),
        expires_in_s=None if life_s is None else int(life_s),
        refresh_token=refresh_token,
        refresh_expires_in_s=int(refresh_life_s) if refresh_token is not None else None,
    )


def _online(told: Mapping[str, Any]) -> OnlineGrant:
    user = told["associated_user"]
    return OnlineGrant(
        user_id=int(user["id"]),
        name=f"{user.get('first_name') or ''} {user.get('last_name') or ''}".strip(),
        email=str(user.get("email") or ""),
        email_verified=bool(user.get("email_verified")),
        account_owner=bool(user.get("account_owner")),
        collaborator=bool(user.get("collaborator")),
        locale=str(user.get("locale") or "en"),
        user_scopes=_scopes(told.get("associated_user_scope")),
        scopes=_scopes(told.get("scope")),
    )


def _scopes(text: Any) -> frozenset[str]:
    return frozenset(scope.strip() for scope in str(text or "").split(",") if scope.strip())


def _mac(message: bytes, secret: str) -> bytes:
    return hmac.digest(secret.encode(), message, "sha256")


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("&", "%26")
