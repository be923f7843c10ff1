"""Bring a store in, and the people who sign in to it: the two legs through Shopify."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlencode

from sqlmodel import Session

from brandmind.clock import utc_now
from brandmind.commerce.shop import is_shop_domain, normalise_shop_domain
from brandmind.db import flows, stores, users
from brandmind.db import sessions as session_rows
from brandmind.db.flows import Leg
from brandmind.db.grants import GrantKind
from brandmind.db.stores import Connection
from brandmind.db.users import Person
from brandmind.errors import (
    InvalidInput,
    NotAllowed,
    NotFound,
    SettingsError,
    SignInRefused,
    TokenRevoked,
)
from brandmind.services import sessions, tokens
from brandmind.shopify import oauth
from brandmind.shopify.client import ShopifyClient
from brandmind.shopify.oauth import OfflineGrant, OnlineGrant
from brandmind.shopify.source import ShopifySource
from brandmind.shopify.tokens import StaticToken, TokenProvider

if TYPE_CHECKING:
    from brandmind.runtime import Runtime

FLOW_LIFE: Final = timedelta(minutes=10)
CALLBACK_PATH: Final = "/auth/callback"
LINK_PATH: Final = "/auth/link"
_STATE: Final = "flow"
_BINDING: Final = "binding"
_LINK: Final = "link"
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
                return Step(_screen(rt, "/command-center", domain))
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


async def with_token(rt: Runtime, shop: str, token: str) -> Connection:
    """Connect a store by an Admin token of its own custom app, after trying it out.

    Raises InvalidInput, also for a token that does not open the shop, and ShopifyUnavailable.
    """
    domain = normalise_shop_domain(shop)
    if not token:
        raise InvalidInput("There is no token on standard input.", field="token")
    grant = OfflineGrant(access_token=token, scopes=frozenset())
    try:
        return await _by_hand(rt, domain, grant, kind="token", refresh=None)
    except TokenRevoked as error:
        raise InvalidInput(f"This token does not open {domain}.", field="token") from error


async def with_client_credentials(
    rt: Runtime, shop: str, *, client_id: str, client_secret: str
) -> Connection:
    """Connect a store of one's own organisation; its 24-hour token is renewed by itself.

    Raises InvalidInput, also for credentials the shop refuses, and ShopifyUnavailable.
    """
    domain = normalise_shop_domain(shop)
    try:
        grant = await oauth.client_credentials(
            rt.http,
            origin=rt.settings.shopify_origin,
            shop=domain,
            client_id=client_id,
            client_secret=client_secret,
        )
    except TokenRevoked as error:
        words = f"{domain} does not accept these credentials."
        raise InvalidInput(words, field="client_credentials") from error
    pair = tokens.credentials(client_id=client_id, client_secret=client_secret)
    return await _by_hand(rt, domain, grant, kind="client_credentials", refresh=pair)


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
        scopes=_scope_list(grant.scopes),
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
            await _source(rt, domain, tokens.StoreToken(rt, store.store_id)).shop()
        ).shopify_id
    person = Person(
        shop_id=shop_id,
        shopify_user_id=grant.user_id,
        name=grant.name or "Somebody",
        email=grant.email or None,
        account_owner=grant.account_owner,
        scopes=_scope_list(grant.user_scopes),
    )
    token = await _open_session(rt, store.store_id, browser=browser, who=person)
    return Step(_screen(rt, "/syncing", domain), session_token=token)


async def make_link(rt: Runtime, shop: str, name: str) -> str:
    """A one-time link that signs a person the operator names in to a store, for ten minutes.

    Raises InvalidInput, NotFound for a store that is not connected.
    """
    domain = normalise_shop_domain(shop)
    token = secrets.token_urlsafe(32)
    now = utc_now()
    digest = rt.cipher.digests(token, purpose=_LINK)[0]

    def write(session: Session) -> None:
        store = stores.find_by_domain(session, domain)
        if store is None:
            raise NotFound(f"{domain} is not connected.")
        user_id = users.add_by_hand(session, store.store_id, name=name, now=now)
        flows.add_link(
            session,
            store.store_id,
            token_hash=digest,
            user_id=user_id,
            now=now,
            expires_at=now + FLOW_LIFE,
        )

    await rt.db.write(write)
    return f"{rt.settings.public_url}{LINK_PATH}?{urlencode({'token': token})}"


async def use_link(rt: Runtime, token: str, *, browser: Browser) -> Step:
    """Sign in by a one-time link, which is gone hereafter.

    Raises SignInRefused for one that is used, old or made up, NotAllowed for a blocked member.
    """
    digests = rt.cipher.digests(token, purpose=_LINK)
    link = await rt.db.write(flows.consume_link, digests, now=utc_now())
    store = await rt.db.read(stores.find, link.store_id) if link is not None else None
    if link is None or store is None:
        raise SignInRefused()
    token = await _open_session(rt, store.store_id, browser=browser, who=link.user_id)
    return Step(_screen(rt, "/syncing", store.domain), session_token=token)


async def _open_session(rt: Runtime, store_id: str, *, browser: Browser, who: Person | str) -> str:
    """A new session for a person just vouched for; the value of its cookie."""
    before = await sessions.who(rt, browser.cookie_header)
    token, digest = sessions.new_token(rt)
    now = utc_now()

    def write(session: Session) -> None:
        if isinstance(who, Person):
            stores.learn_shop_id(session, store_id, shop_id=who.shop_id)
            user_id = users.admit(session, store_id, who, now=now, first_is_admin=rt.settings.demo)
        else:
            user_id = who
            if not users.may_enter(session, store_id, user_id):
                raise NotAllowed("Your access to this store has been removed.")
        session_rows.open_session(
            session,
            store_id,
            user_id=user_id,
            token_hash=digest,
            joins=before.session_id if before else None,
            user_agent=browser.user_agent,
            now=now,
        )

    await rt.db.write(write)
    if before is not None:
        await rt.signals.session_ended(before.session_id)
    return token


async def _by_hand(
    rt: Runtime, domain: str, grant: OfflineGrant, *, kind: GrantKind, refresh: str | None
) -> Connection:
    facts = await _source(rt, domain, StaticToken(grant.access_token)).shop()

    def write(session: Session) -> Connection:
        done = stores.connect(
            session,
            domain,
            scopes=_scope_list(facts.scopes or grant.scopes),
            seal=lambda store_id: tokens.seal(
                rt, grant, store_id=store_id, kind=kind, refresh=refresh
            ),
        )
        stores.learn_shop_id(session, done.store_id, shop_id=facts.shopify_id)
        return done

    done = await rt.db.write(write)
    if done.run_id is not None:
        await rt.jobs.ring(done.run_id)
    return done


async def _exchange(rt: Runtime, domain: str, code: str) -> OfflineGrant | OnlineGrant:
    return await oauth.exchange_code(
        rt.http,
        origin=rt.settings.shopify_origin,
        shop=domain,
        client_id=rt.settings.shopify_client_id,
        client_secret=rt.settings.client_secrets[0].get_secret_value(),
        code=code,
    )


def _source(rt: Runtime, domain: str, token: TokenProvider) -> ShopifySource:
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


def _screen(rt: Runtime, path: str, domain: str) -> str:
    return f"{rt.settings.public_url}{path}?{urlencode({'shop': domain})}"


def _scope_list(scopes: Iterable[str]) -> str:
    return ",".join(sorted(scopes))
