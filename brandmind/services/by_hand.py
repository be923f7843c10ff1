"""What an operator does where no app at Shopify can: connect by credentials, sign in by a link."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from brandmind.clock import utc_now
from brandmind.commerce.shop import normalise_shop_domain
from brandmind.db import admission, flows, stores
from brandmind.db.grants import GrantKind
from brandmind.db.stores import Connection
from brandmind.errors import InvalidInput, SignInRefused, TokenRevoked
from brandmind.services import tokens
from brandmind.services.connect import (
    FLOW_LIFE,
    Browser,
    Step,
    open_session,
    scope_list,
    screen,
    source_of,
)
from brandmind.shopify import oauth
from brandmind.shopify.oauth import OfflineGrant
from brandmind.shopify.tokens import StaticToken

if TYPE_CHECKING:
    from brandmind.runtime import Runtime

LINK_PATH: Final = "/auth/link"
_LINK: Final = "link"


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


async def make_link(rt: Runtime, shop: str, name: str) -> str:
    """A one-time link that signs a person the operator names in to a store, for ten minutes.

    Raises InvalidInput, NotFound for a store that is not connected.
    """
    domain = normalise_shop_domain(shop)
    token = secrets.token_urlsafe(32)
    now = utc_now()
    await rt.db.write(
        admission.invite,
        domain,
        name=name,
        token_hash=rt.cipher.digests(token, purpose=_LINK)[0],
        now=now,
        expires_at=now + FLOW_LIFE,
    )
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
    token = await open_session(rt, store.store_id, browser=browser, who=link.user_id)
    return Step(screen(rt, "/syncing", store.domain), session_token=token)


async def _by_hand(
    rt: Runtime, domain: str, grant: OfflineGrant, *, kind: GrantKind, refresh: str | None
) -> Connection:
    facts = await source_of(rt, domain, StaticToken(grant.access_token)).shop()

    done = await rt.db.write(
        stores.connect,
        domain,
        scopes=scope_list(facts.scopes or grant.scopes),
        seal=lambda store_id: tokens.seal(rt, grant, store_id=store_id, kind=kind, refresh=refresh),
        shop_id=facts.shopify_id,
    )
    if done.run_id is not None:
        await rt.jobs.ring(done.run_id)
    return done
