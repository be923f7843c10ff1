"""The token endpoint: a code, a refresh token or the app's own credentials for an access token."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import httpx
from authlib.deprecate import AuthlibDeprecationWarning

from brandmind.clock import utc_now
from brandmind.errors import (
    QueryRefused,
    ShopifyError,
    ShopifyUnavailable,
    SignInRefused,
    TokenRevoked,
)
from brandmind.shopify import answers
from brandmind.shopify.client import TIMEOUT, shop_origin

with warnings.catch_warnings():
    # Authlib prefers httpx2, which is not what the rest of this process speaks; httpx serves too.
    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    from authlib.integrations.httpx_client import AsyncOAuth2Client

# An answer without `expires_in` has locked shops out of other apps: never read as "no expiry".
ASSUMED_LIFE_S: Final = 3600
ASSUMED_REFRESH_LIFE_S: Final = 90 * 24 * 3600

# Other errors, "invalid_client" above all, are our configuration's fault and may be cured.
_TERMINAL = frozenset({"invalid_request", "invalid_grant", "invalid_token"})


@dataclass(frozen=True, slots=True)
class OfflineGrant:
    """Access to a shop. `expires_at` None: a token of the old kind, which does not expire."""

    access_token: str = field(repr=False)
    expires_at: datetime | None
    refresh_token: str | None = field(repr=False)
    refresh_expires_at: datetime | None
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class OnlineGrant:
    """Who a person is at this shop. The token that came with it is not kept."""

    user_id: int
    first_name: str = field(repr=False)
    last_name: str = field(repr=False)
    email: str = field(repr=False)
    email_verified: bool
    account_owner: bool
    collaborator: bool
    locale: str
    user_scopes: frozenset[str]
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class TokenEndpoint:
    """A shop's token endpoint for one app. `secrets` newest first; `transport` for tests."""

    origin: str
    domain: str
    client_id: str
    secrets: Sequence[str] = field(repr=False)
    transport: httpx.AsyncBaseTransport | None = None

    @property
    def url(self) -> str:
        return f"{shop_origin(self.origin, self.domain)}/admin/oauth/access_token"

    async def exchange_code(
        self, code: str, *, now: datetime | None = None
    ) -> OfflineGrant | OnlineGrant:
        """What a code from the callback stands for; online if it names a person.

        Raises SignInRefused for a code that is wrong or used, ShopifyUnavailable or Throttled
        where another try may succeed, QueryRefused if the app's own credentials are wrong.
        """
        now = now or utc_now()
        told = await self._ask("authorization_code", code=code, expiring="1")
        return _online(told) if told.get("associated_user") else _offline(told, now)

    async def refresh(self, refresh_token: str, *, now: datetime | None = None) -> OfflineGrant:
        """A new pair of tokens; the old refresh token lives until the new one is used.

        Raises TokenRevoked only if the shop refuses the refresh token for good. After a lost
        answer (ShopifyUnavailable) the same refresh token may be sent again.
        """
        now = now or utc_now()
        told = await self._ask("refresh_token", refresh_token=refresh_token)
        told.setdefault("refresh_token", refresh_token)
        if told.get("expires_in") is None:
            told["expires_in"] = ASSUMED_LIFE_S
        return _offline(told, now)

    async def client_credentials(self, *, now: datetime | None = None) -> OfflineGrant:
        """A token for a store of the app's own organisation, for 24 hours, without refresh."""
        now = now or utc_now()
        told = await self._ask("client_credentials")
        if told.get("expires_in") is None:
            told["expires_in"] = ASSUMED_LIFE_S
        return _offline(told, now)

    async def _ask(self, grant_type: str, **fields: str) -> dict[str, Any]:
        client = AsyncOAuth2Client(
            client_id=self.client_id,
            client_secret=self.secrets[0],
            # Shopify reads the credentials from the body, not from a header.
            token_endpoint_auth_method="client_secret_post",  # noqa: S106
            transport=self.transport,
            timeout=TIMEOUT,
            follow_redirects=False,
            trust_env=False,
        )

        def look(response: httpx.Response) -> httpx.Response:
            # Authlib reads the body alone; whether to try again is in the status.
            problem = _problem(response, grant_type)
            if problem is not None:
                raise problem
            return response

        client.register_compliance_hook("access_token_response", look)
        try:
            async with client:
                told = await client.fetch_token(self.url, grant_type=grant_type, **fields)
        except httpx.HTTPError as error:
            raise ShopifyUnavailable(
                f"Shopify could not be reached ({type(error).__name__})."
            ) from None
        return dict(told)


def _problem(response: httpx.Response, grant_type: str) -> Exception | None:
    """The error in a token answer, None if it holds a token."""
    request_id = answers.request_id_of(response.headers)
    try:
        told = response.json()
    except ValueError:
        told = None
    if response.status_code == 200:
        if isinstance(told, dict) and isinstance(told.get("access_token"), str):
            return None
        return ShopifyUnavailable("Shopify's answer arrived damaged.", request_id=request_id)
    if response.status_code in (400, 401, 403):
        error = str(told.get("error") or "") if isinstance(told, dict) else ""
        if error in _TERMINAL or (grant_type == "authorization_code" and error != "invalid_client"):
            if grant_type == "refresh_token":
                return TokenRevoked(request_id=request_id)
            if grant_type == "authorization_code":
                return SignInRefused()
        if not error:
            return ShopifyUnavailable(
                f"Shopify answered {response.status_code} without a reason.", request_id=request_id
            )
        return QueryRefused(
            "Shopify does not accept this app's credentials.", code=error, request_id=request_id
        )
    problem: ShopifyError | None = answers.of_status(
        response.status_code, response.headers, response.content
    )
    return problem


def _offline(told: Mapping[str, Any], now: datetime) -> OfflineGrant:
    refresh_token = told.get("refresh_token") or None
    life_s = told.get("expires_in")
    if life_s is None and refresh_token is not None:
        life_s = ASSUMED_LIFE_S
    refresh_expires_at = None
    if refresh_token is not None:
        refresh_life_s = told.get("refresh_token_expires_in") or ASSUMED_REFRESH_LIFE_S
        refresh_expires_at = now + timedelta(seconds=int(refresh_life_s))
    return OfflineGrant(
        access_token=told["access_token"],
        expires_at=None if life_s is None else now + timedelta(seconds=int(life_s)),
        refresh_token=refresh_token,
        refresh_expires_at=refresh_expires_at,
        scopes=_scopes(told.get("scope")),
    )


def _online(told: Mapping[str, Any]) -> OnlineGrant:
    user = told["associated_user"]
    return OnlineGrant(
        user_id=int(user["id"]),
        first_name=str(user.get("first_name") or ""),
        last_name=str(user.get("last_name") or ""),
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
