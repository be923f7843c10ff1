"""Who sits at this browser: sessions looked up on the server at every request and event."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from brandmind.clock import utc_now
from brandmind.commerce.shop import granted
from brandmind.db import sessions as rows
from brandmind.db.sessions import OpenSession, OpenStore
from brandmind.errors import NotFound

if TYPE_CHECKING:
    from brandmind.runtime import Runtime

_PURPOSE: Final = "session"
_SEEN_EVERY: Final = timedelta(minutes=1)
LIFE_S: Final = int(rows.LONGEST.total_seconds())


@dataclass(frozen=True, slots=True)
class StoreRef:
    """A store as one person may see it; `user_id` is who they are there.

    `may_…`: what Shopify lets this person see there. `installed` false: view and export only.
    """

    store_id: str
    domain: str
    name: str
    role: str
    may_orders: bool = True
    may_products: bool = True
    may_customers: bool = True
    installed: bool = True
    user_id: str = ""
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whoever is signed in. `locked`: stores to name, not to open, until signed in to there."""

    session_id: str
    user_id: str
    name: str
    stores: tuple[StoreRef, ...] = ()
    locked: tuple[StoreRef, ...] = ()
    admin: bool = False
    last_store_id: str | None = None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """One browser that is signed in. `user_agent` is what it called itself, at most 200 signs;
    `this`: the one that asks. `seen_at` is exact to a minute."""

    session_id: str
    user_agent: str
    signed_in_at: datetime
    seen_at: datetime
    this: bool


def cookie_name(*, is_https: bool) -> str:
    """The name of the session's cookie; the __Host- prefix binds it to this very host."""
    return "__Host-bm_session" if is_https else "bm_session"


def cookie_value(cookie_header: str | None, name: str) -> str | None:
    """The value of one cookie in a Cookie header; other names are never looked at."""
    for part in (cookie_header or "").split(";"):
        found, equals, value = part.strip().partition("=")
        if equals and found == name:
            return value.strip('"') or None
    return None


async def who(rt: Runtime, cookie_header: str | None) -> Viewer | None:
    """The person signed in with these cookies, None if nobody is."""
    token = cookie_value(cookie_header, cookie_name(is_https=rt.settings.is_https))
    if token is None or len(token) > 128:
        return None
    now = utc_now()
    digests = rt.cipher.digests(token, purpose=_PURPOSE)
    found = await rt.db.read(rows.find, digests, now=now)
    if found is None:
        return None
    if now - found.seen_at >= _SEEN_EVERY:
        await rt.db.write(rows.touch, found.session_id, now=now)
    return _viewer(found)


def new_token(rt: Runtime) -> tuple[str, str]:
    """A session's cookie value (256 random bits) and the hash of it that is kept."""
    token = secrets.token_urlsafe(32)
    return token, rt.cipher.digests(token, purpose=_PURPOSE)[0]


async def revoke(rt: Runtime, session_id: str) -> None:
    """End one session; its open pages end within a second."""
    if await rt.db.write(rows.end, session_id, now=utc_now()):
        await rt.signals.session_ended(session_id)


async def where(rt: Runtime, viewer: Viewer) -> list[SignedIn]:
    """Where the people this viewer is are signed in, the one used last first."""
    return [
        SignedIn(
            session_id=row.session_id,
            user_agent=row.user_agent,
            signed_in_at=row.created_at,
            seen_at=row.seen_at,
            this=row.session_id == viewer.session_id,
        )
        for row in await rt.db.read(rows.open_of, _people(viewer), now=utc_now())
    ]


async def revoke_one(rt: Runtime, viewer: Viewer, session_id: str) -> None:
    """End one of the viewer's own sessions. Raises NotFound for anybody else's."""
    mine = await rt.db.read(rows.open_of, _people(viewer), now=utc_now())
    if not any(row.session_id == session_id for row in mine):
        raise NotFound("There is no such session.")
    await revoke(rt, session_id)


async def revoke_all(rt: Runtime, viewer: Viewer, *, but_this: bool = False) -> int:
    """End every session of the people this viewer is; how many there were."""
    ended = await rt.db.write(
        rows.end_all,
        _people(viewer),
        but=viewer.session_id if but_this else None,
        now=utc_now(),
    )
    for session_id in ended:
        await rt.signals.session_ended(session_id)
    return len(ended)


def _people(viewer: Viewer) -> list[str]:
    return sorted({viewer.user_id, *(store.user_id for store in viewer.stores)})


def _viewer(found: OpenSession) -> Viewer:
    return Viewer(
        session_id=found.session_id,
        user_id=found.user_id,
        name=found.name,
        stores=tuple(_ref(store) for store in found.stores),
        locked=tuple(_ref(store) for store in found.locked),
        admin=found.admin,
        last_store_id=found.last_store_id,
    )


def _ref(store: OpenStore) -> StoreRef:
    return StoreRef(
        store_id=store.store_id,
        domain=store.domain,
        name=store.name,
        role=store.role,
        may_orders=granted(store.scopes, "read_orders"),
        may_products=granted(store.scopes, "read_products"),
        may_customers=granted(store.scopes, "read_customers"),
        installed=store.installed,
        user_id=store.user_id,
        timezone=store.timezone,
    )
