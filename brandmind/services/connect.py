"""Bring a store in, and the people who sign in to it: the two legs through Shopify."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlencode

from brandmind.clock import utc_now
from brandmind.commerce.shop import is_shop_domain, normalise_shop_domain
from brandmind.db import admission, flows, stores
from brandmind.db.flows import Leg
from brandmind.db.users import Person
from brandmind.errors import (
    SettingsError,
    SignInRefused,
)
from brandmind.services import sessions, tokens
from brandmind.shopify import oauth
from brandmind.shopify.client import ShopifyClient
from brandmind.shopify.oauth import OfflineGrant, OnlineGrant
from brandmind.shopify.source import ShopifySource
from brandmind.shopify.tokens import TokenProvider

if TYPE_CHECKING:
    from brandmind.runtime import Runtime

FLOW_LIFE: Final = timedelta(minutes=10)
CALLBACK_PATH: Final = "/auth/callback"
_STATE: Final = "flow"
_BINDING: Final = "binding"
_LONGEST_QUERY: Final = 4096


@dataclass(frozen=True, slots=True)
class Browser:
    """The browser that asks: the values of its cookies and what it calls itself."""

    binding: str | None = None
    cookie_header: str | None = None
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """Where the browser goes next, and the cookies it takes along, if any."""

    location: str
    binding: str | None = None
    session_token: str | None = None


async def start(rt: Runtime, shop: str, *, browser: Browser, reconnect: bool = False) -> Step:
    """Leave for Shopify: to sign in where the store is installed, to install it elsewhere.

    `reconnect` asks for a new grant although there is one. Raises InvalidInput for what is no
    shop's address, SettingsError without an app of one's own at Shopify.
    """
    domain = normalise_shop_domain(shop)
    store = await rt.db.read(stores.find_by_domain, domain)
    leg: Leg = "person"
    if reconnect or store is None or not store.installed or store.needs_reconnect:
        leg = "install"
    return await _leave(rt, domain, leg=leg, browser=browser)


async def from_shopify(rt: Runtime, query: str, *, browser: Browser) -> Step:
    """An install or "Open app" that begins at Shopify, as `GET /?shop&timestamp&hmac`.

    Raises SignInRefused for a query Shopify did not sign just now.
    """
    signed = _signed(rt, query)
    domain = _shop_of(signed)
    viewer = await sessions.who(rt, browser.cookie_header)
    if viewer is not None:
        for store in viewer.stores:
            if store.domain == domain and store.installed:
                return Step(screen(rt, "/command-center", domain))
    return await start(rt, domain, browser=browser)


async def come_back(rt: Runtime, query: str, *, browser: Browser) -> Step:
    """The callback of either leg; `query` is the raw query string, which Shopify signed.

    The install leg ends on the way to the person leg, with the store kept and its first sync
    queued; the person leg ends signed in. Raises SignInRefused for whatever is forged, reused,
    old or another browser's, NotAllowed for a blocked member, ShopifyUnavailable or Throttled
    where the shop does not answer.
    """
    signed = _signed(rt, query)
    domain = _shop_of(signed)
    state = signed.get("state")
    if not state:
        raise SignInRefused()
    now = utc_now()
    flow = await rt.db.write(flows.consume, rt.cipher.digests(state, purpose=_STATE), now=now)
    if flow is None or flow.shop != domain or not _is_bound(rt, browser, flow.binding_hash):
        raise SignInRefused()
    if "error" in signed:
        error = "denied" if flow.leg == "install" else "link"
        return Step(f"{rt.settings.public_url}/connect?{urlencode({'error': error})}")
    code = signed.get("code")
    if not code:
        raise SignInRefused()
    if flow.leg == "install":
        return await _install(rt, domain, code, browser=browser)
    return await _sign_in(rt, domain, code, browser=browser)


def is_binding(rt: Runtime, value: str | None) -> bool:
    """Whether the value of a binding cookie is one of ours."""
    nonce, _, signature = (value or "").partition(".")
    return any(
        hmac.compare_digest(signature.encode(), good.encode())
        for good in rt.cipher.digests(nonce, purpose=_BINDING)
    )


async def _leave(rt: Runtime, domain: str, *, leg: Leg, browser: Browser) -> Step:
    settings = rt.settings
    if not settings.shopify_client_id:
        raise SettingsError(
            "No Shopify app is set up here. Ask the operator for a one-time sign-in link."
        )
    # One binding serves all sign-ins under way in a browser: two tabs do not spoil each other.
    binding = browser.binding if is_binding(rt, browser.binding) else None
    if binding is None:
        nonce = secrets.token_urlsafe(32)
        binding = f"{nonce}.{rt.cipher.digests(nonce, purpose=_BINDING)[0]}"
    state = secrets.token_urlsafe(32)
    now = utc_now()
    await rt.db.write(
        flows.begin,
        state_hash=rt.cipher.digests(state, purpose=_STATE)[0],
        shop=domain,
        leg=leg,
        binding_hash=rt.cipher.digests(binding, purpose=_STATE)[0],
        now=now,
        expires_at=now + FLOW_LIFE,
    )
    location = oauth.authorize_url(
        origin=settings.shopify_origin,
        shop=domain,
        client_id=settings.shopify_client_id,
        scopes=settings.shopify_scopes,
        redirect_uri=f"{settings.public_url}{CALLBACK_PATH}",
        state=state,
        per_user=leg == "person",
    )
    return Step(location, binding=binding)


async def _install(rt: Runtime, domain: str, code: str, *, browser: Browser) -> Step:
    grant = await _exchange(rt, domain, code)
    if not isinstance(grant, OfflineGrant):
        raise SignInRefused()
    done = await rt.db.write(
        stores.connect,
        domain,
        scopes=scope_list(grant.scopes),
        seal=lambda store_id: tokens.seal(rt, grant, store_id=store_id),
    )
    if done.run_id is not None:
        await rt.jobs.ring(done.run_id)
    return await _leave(rt, domain, leg="person", browser=browser)


async def _sign_in(rt: Runtime, domain: str, code: str, *, browser: Browser) -> Step:
    grant = await _exchange(rt, domain, code)
    if not isinstance(grant, OnlineGrant):
        raise SignInRefused()
    store = await rt.db.read(stores.find_by_domain, domain)
    if store is None or not store.installed:
        # Uninstalled while the person was away at Shopify.
        return await _leave(rt, domain, leg="install", browser=browser)
    shop_id = store.shop_id
    if shop_id is None:
        # People are known by (shop, person), and the sync may not have met the shop yet.
        shop_id = (
            await source_of(rt, domain, tokens.StoreToken(rt, store.store_id)).shop()
        ).shopify_id
    person = Person(
        shop_id=shop_id,
        shopify_user_id=grant.user_id,
        name=grant.name or "Somebody",
        email=grant.email or None,
        account_owner=grant.account_owner,
        scopes=scope_list(grant.user_scopes),
    )
    token = await open_session(rt, store.store_id, browser=browser, who=person)
    return Step(screen(rt, "/syncing", domain), session_token=token)


async def open_session(rt: Runtime, store_id: str, *, browser: Browser, who: Person | str) -> str:
    """A new session for a person just vouched for; the value of its cookie."""
    before = await sessions.who(rt, browser.cookie_header)
    token, digest = sessions.new_token(rt)
    await rt.db.write(
        admission.sign_in,
        store_id,
        who=who,
        token_hash=digest,
        joins=before.session_id if before else None,
        user_agent=browser.user_agent,
        first_is_admin=rt.settings.demo,
        now=utc_now(),
    )
    if before is not None:
        await rt.signals.session_ended(before.session_id)
    return token


async def _exchange(rt: Runtime, domain: str, code: str) -> OfflineGrant | OnlineGrant:
    return await oauth.exchange_code(
        rt.http,
        origin=rt.settings.shopify_origin,
        shop=domain,
        client_id=rt.settings.shopify_client_id,
        client_secret=rt.settings.client_secrets[0].get_secret_value(),
        code=code,
    )


def source_of(rt: Runtime, domain: str, token: TokenProvider) -> ShopifySource:
    """The shop, to ask it who it is."""
    client = ShopifyClient(rt.http, origin=rt.settings.shopify_origin, domain=domain, token=token)
    return ShopifySource(client)


def _signed(rt: Runtime, query: str) -> dict[str, str]:
    """The parameters of a query that Shopify signed within the last 90 s."""
    app_secrets = [secret.get_secret_value() for secret in rt.settings.client_secrets]
    if len(query) > _LONGEST_QUERY or not oauth.verify_query_hmac(query, app_secrets):
        raise SignInRefused()
    signed = dict(parse_qsl(query, keep_blank_values=True))
    if not oauth.fresh(signed.get("timestamp"), utc_now()):
        raise SignInRefused()
    return signed


def _shop_of(signed: dict[str, str]) -> str:
    domain = signed.get("shop", "")
    if not is_shop_domain(domain):
        raise SignInRefused()
    return domain


def _is_bound(rt: Runtime, browser: Browser, binding_hash: str) -> bool:
    if not is_binding(rt, browser.binding):
        return False
    return any(
        hmac.compare_digest(digest, binding_hash)
        for digest in rt.cipher.digests(browser.binding or "", purpose=_STATE)
    )


def screen(rt: Runtime, path: str, domain: str) -> str:
    """The public address of one of our pages, for a store."""
    return f"{rt.settings.public_url}{path}?{urlencode({'shop': domain})}"


def scope_list(scopes: Iterable[str]) -> str:
    """Scopes as they are kept: sorted, separated by commas."""
    return ",".join(sorted(scopes))
