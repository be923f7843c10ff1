"""Signed-in browsers: opened, looked up by the hash of their cookie, ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.clock import new_id
from brandmind.db.models import METADATA
from brandmind.db.tables import STORE

IDLE: Final = timedelta(days=14)
LONGEST: Final = timedelta(days=30)
PASS: Final = timedelta(days=30)

_SESSION: Final = METADATA.tables["session"]
_PASSED: Final = METADATA.tables["session_store"]
_USER: Final = METADATA.tables["app_user"]
_MEMBERSHIP: Final = METADATA.tables["membership"]


@dataclass(frozen=True, slots=True)
class OpenStore:
    """A store this session may open, and the person it knows there."""

    store_id: str
    domain: str
    name: str
    timezone: str
    user_id: str
    role: str
    scopes: frozenset[str]
    installed: bool


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that holds. `locked`: stores of its people that it has not passed."""

    session_id: str
    user_id: str
    name: str
    admin: bool
    seen_at: datetime
    last_store_id: str | None
    stores: tuple[OpenStore, ...]
    locked: tuple[OpenStore, ...]


def open_session(
    session: Session,
    store_id: str,
    *,
    user_id: str,
    token_hash: str,
    joins: str | None,
    user_agent: str,
    now: datetime,
) -> str:
    """A new session that has passed this store; its id.

    `joins`: the session this browser had. It ends, and the stores it had passed go over with
    the moments of their passing, so that none is prolonged by signing in to another.
    """
    session_id = new_id()
    session.execute(
        sa.insert(_SESSION).values(
            session_id=session_id,
            token_hash=token_hash,
            user_id=user_id,
            last_store_id=store_id,
            user_agent=user_agent[:200],
            created_at=now,
            seen_at=now,
        )
    )
    _pass(session, session_id, store_id=store_id, user_id=user_id, now=now)
    if joins is not None:
        for row in session.execute(
            sa.select(_PASSED).where(_PASSED.c.session_id == joins, _PASSED.c.store_id != store_id)
        ).all():
            _pass(
                session, session_id, store_id=row.store_id, user_id=row.user_id, now=row.passed_at
            )
        end(session, joins, now=now)
    return session_id


def find(session: Session, token_hashes: Sequence[str], *, now: datetime) -> OpenSession | None:
    """The session of that cookie with its stores, None if there is none or it is over."""
    row = session.execute(
        sa.select(_SESSION, _USER.c.name)
        .join(_USER, _USER.c.user_id == _SESSION.c.user_id)
        .where(
            _SESSION.c.token_hash.in_(tuple(token_hashes)),
            _SESSION.c.revoked_at.is_(None),
            _SESSION.c.seen_at > now - IDLE,
            _SESSION.c.created_at > now - LONGEST,
        )
    ).first()
    if row is None:
        return None
    passed = session.execute(
        sa.select(_PASSED.c.store_id, _PASSED.c.user_id, _PASSED.c.passed_at).where(
            _PASSED.c.session_id == row.session_id
        )
    ).all()
    current = {(p.store_id, p.user_id) for p in passed if p.passed_at > now - PASS}
    # An old pass opens nothing, but still says whose stores may be named as locked.
    people = {row.user_id, *(p.user_id for p in passed)}
    stores: list[OpenStore] = []
    locked: dict[str, OpenStore] = {}
    for found in session.execute(
        sa.select(
            _MEMBERSHIP.c.store_id,
            _MEMBERSHIP.c.user_id,
            _MEMBERSHIP.c.role,
            _MEMBERSHIP.c.scopes,
            STORE.c.domain,
            STORE.c.name,
            STORE.c.timezone,
            STORE.c.uninstalled_at,
        )
        .join(STORE, STORE.c.store_id == _MEMBERSHIP.c.store_id)
        .where(_MEMBERSHIP.c.user_id.in_(people), _MEMBERSHIP.c.blocked_at.is_(None))
        .order_by(STORE.c.name, STORE.c.domain)
    ):
        if (found.store_id, found.user_id) in current:
            stores.append(_open_store(found))
        else:
            locked[found.store_id] = _open_store(found)
    for store in stores:
        locked.pop(store.store_id, None)
    admins = {user_id for _, user_id in current}
    return OpenSession(
        session_id=row.session_id,
        user_id=row.user_id,
        name=row.name,
        admin=_is_admin(session, admins),
        seen_at=row.seen_at,
        last_store_id=row.last_store_id,
        stores=tuple(stores),
        locked=tuple(locked.values()),
    )


def touch(session: Session, session_id: str, *, now: datetime) -> None:
    """Note that the session is in use; never moves back."""
    session.execute(
        sa.update(_SESSION)
        .where(_SESSION.c.session_id == session_id, _SESSION.c.seen_at < now)
        .values(seen_at=now)
    )


def remember_store(session: Session, store_id: str, *, session_id: str) -> None:
    """The store to open first next time."""
    session.execute(
        sa.update(_SESSION)
        .where(_SESSION.c.session_id == session_id)
        .values(last_store_id=store_id)
    )


def end(session: Session, session_id: str, *, now: datetime) -> bool:
    """End a session at once; False if it was over already."""
    row = session.execute(
        sa.update(_SESSION)
        .where(_SESSION.c.session_id == session_id, _SESSION.c.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(_SESSION.c.session_id)
    ).first()
    return row is not None


def open_of(session: Session, user_ids: Sequence[str], *, now: datetime) -> list[Any]:
    """The sessions of these people that hold: session_id, user_agent, created_at, seen_at; the
    one used last comes first."""
    return list(
        session.execute(
            sa.select(
                _SESSION.c.session_id,
                _SESSION.c.user_agent,
                _SESSION.c.created_at,
                _SESSION.c.seen_at,
            )
            .where(
                _SESSION.c.user_id.in_(tuple(user_ids)),
                _SESSION.c.revoked_at.is_(None),
                _SESSION.c.seen_at > now - IDLE,
                _SESSION.c.created_at > now - LONGEST,
            )
            .order_by(_SESSION.c.seen_at.desc(), _SESSION.c.session_id)
        )
    )


def end_all(
    session: Session, user_ids: Sequence[str], *, but: str | None, now: datetime
) -> list[str]:
    """End every session of these people, except one; the ids of those that were open."""
    rows = session.execute(
        sa.update(_SESSION)
        .where(
            _SESSION.c.user_id.in_(tuple(user_ids)),
            _SESSION.c.revoked_at.is_(None),
            _SESSION.c.session_id != (but or ""),
        )
        .values(revoked_at=now)
        .returning(_SESSION.c.session_id)
    ).all()
    return [str(row.session_id) for row in rows]


def holding(session: Session, store_id: str, *, user_id: str) -> list[str]:
    """The open sessions through which this person sees this store."""
    rows = session.execute(
        sa.select(_PASSED.c.session_id)
        .join(_SESSION, _SESSION.c.session_id == _PASSED.c.session_id)
        .where(
            _PASSED.c.store_id == store_id,
            _PASSED.c.user_id == user_id,
            _SESSION.c.revoked_at.is_(None),
        )
    )
    return [str(row.session_id) for row in rows]


def _pass(session: Session, session_id: str, *, store_id: str, user_id: str, now: datetime) -> None:
    session.execute(
        sa.insert(_PASSED).values(
            session_id=session_id, store_id=store_id, user_id=user_id, passed_at=now
        )
    )


def _open_store(row: Any) -> OpenStore:
    return OpenStore(
        store_id=row.store_id,
        domain=row.domain,
        name=row.name,
        timezone=row.timezone,
        user_id=row.user_id,
        role=row.role,
        scopes=frozenset(part for part in row.scopes.split(",") if part),
        installed=row.uninstalled_at is None,
    )


def _is_admin(session: Session, user_ids: set[str]) -> bool:
    return (
        session.execute(
            sa.select(_USER.c.user_id).where(_USER.c.user_id.in_(user_ids), _USER.c.admin)
        ).first()
        is not None
    )
