"""A store that left: cut off at once, erased two days later unless it came back.

Every table with a `store_id` is emptied of the store, whichever tables there are by then. What
stays is the bare row of a store whose owner has blocked somebody: the block outlives a reinstall.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.db import grants, privacy_acts, runs
from brandmind.db.models import METADATA
from brandmind.db.session import db_now
from brandmind.db.stores import name_from_domain
from brandmind.db.tables import RUN, STORE

AFTER: Final = timedelta(hours=48)
CHUNK: Final = 2_000
_MEMBERSHIP: Final = METADATA.tables["membership"]
_USER: Final = METADATA.tables["app_user"]
_SESSION: Final = METADATA.tables["session"]
_SESSION_STORE: Final = METADATA.tables["session_store"]
_FLOW: Final = METADATA.tables["oauth_flow"]
# The last of all, each with a rule of its own.
_LAST: Final = frozenset({"store", "membership", "session", "session_store", "app_user"})


@dataclass(frozen=True, slots=True)
class Uninstalled:
    """What an uninstall did: the runs it ended, the sessions whose pages have to look again."""

    epoch: int
    ended: tuple[str, ...]
    sessions: tuple[str, ...]
    erase_at: datetime


def uninstall(
    session: Session,
    store_id: str,
    *,
    by: str,
    epoch: int | None = None,
    generation: int | None = None,
) -> Uninstalled | None:
    """Cut the store off: nobody writes one more row of it after this commit.

    None if it has left already, or where `epoch` or the `generation` of its grant is given and
    the store is past it. Raises NotFound.
    """
    store = runs.lock_store(session, store_id)
    if store.uninstalled_at is not None or (epoch is not None and store.epoch != epoch):
        return None
    if generation is not None:
        grant = grants.find(session, store_id)
        if grant is None or grant.generation != generation:
            return None
    ended = runs.cancel(session, store_id, by=by, name="uninstalled")
    session.execute(
        sa.update(RUN)
        .where(RUN.c.store_id == store_id, RUN.c.retry_at.is_not(None))
        .values(retry_at=None)
    )
    session.execute(sa.delete(grants.TOKEN).where(grants.TOKEN.c.store_id == store_id))
    now = db_now(session)
    session.execute(
        sa.update(STORE)
        .where(STORE.c.store_id == store_id)
        .values(
            epoch=store.epoch + 1,
            uninstalled_at=now,
            paused_at=None,
            paused_by=None,
            next_sync_at=None,
            nightly_at=None,
            erase_at=now + AFTER,
            erase_epoch=store.epoch + 1,
        )
    )
    holding = session.execute(
        sa.select(_SESSION_STORE.c.session_id).where(_SESSION_STORE.c.store_id == store_id)
    )
    return Uninstalled(
        epoch=store.epoch + 1,
        ended=tuple(ended),
        sessions=tuple(str(row.session_id) for row in holding),
        erase_at=now + AFTER,
    )


def order(session: Session, store_id: str, *, epoch: int) -> bool:
    """Have a store that has left erased now (`shop/redact`); False if it is not gone at `epoch`."""
    row = session.execute(
        sa.update(STORE)
        .where(
            STORE.c.store_id == store_id,
            STORE.c.epoch == epoch,
            STORE.c.uninstalled_at.is_not(None),
        )
        .values(erase_at=db_now(session), erase_epoch=epoch)
        .returning(STORE.c.store_id)
    ).first()
    return row is not None


def due(session: Session) -> tuple[str, int] | None:
    """The store that is to be erased now and the epoch it was ordered for.

    On the database's clock: what cannot be undone does not hang on one machine's.
    """
    row = session.execute(
        sa.select(STORE.c.store_id, STORE.c.erase_epoch)
        .where(
            STORE.c.erase_at <= db_now(session),
            STORE.c.uninstalled_at.is_not(None),
            STORE.c.erase_epoch == STORE.c.epoch,
        )
        .order_by(STORE.c.erase_at)
        .limit(1)
    ).first()
    return (str(row.store_id), int(row.erase_epoch)) if row else None


def erase_some(session: Session, store_id: str, *, epoch: int, most: int = CHUNK) -> bool:
    """Remove up to `most` rows of a store that is still gone at that epoch; False at the end."""
    store = session.execute(
        sa.select(STORE).where(STORE.c.store_id == store_id).with_for_update(key_share=True)
    ).first()
    if store is None or store.uninstalled_at is None or store.epoch != epoch:
        return False
    for table in reversed(METADATA.sorted_tables):
        if table.name in _LAST or "store_id" not in table.columns:
            continue
        if _remove(session, table, store_id, most=most):
            return True
    _let_go(session, store)
    return False


def _remove(session: Session, table: sa.Table, store_id: str, *, most: int) -> int:
    key = sa.tuple_(*table.primary_key.columns)
    chosen = sa.select(*table.primary_key.columns).where(table.c.store_id == store_id).limit(most)
    removed = session.execute(sa.delete(table).where(key.in_(chosen)))
    return int(removed.rowcount)  # type: ignore[attr-defined]


def _let_go(session: Session, store: Any) -> None:
    """The people of the store, their sessions, and its own row."""
    store_id = store.store_id
    people = [
        row.user_id
        for row in session.execute(
            sa.select(_MEMBERSHIP.c.user_id).where(
                _MEMBERSHIP.c.store_id == store_id, _MEMBERSHIP.c.blocked_at.is_(None)
            )
        )
    ]
    session.execute(sa.delete(_SESSION_STORE).where(_SESSION_STORE.c.store_id == store_id))
    session.execute(
        sa.update(_SESSION).where(_SESSION.c.last_store_id == store_id).values(last_store_id=None)
    )
    session.execute(
        sa.delete(_MEMBERSHIP).where(
            _MEMBERSHIP.c.store_id == store_id, _MEMBERSHIP.c.blocked_at.is_(None)
        )
    )
    session.execute(sa.delete(_FLOW).where(_FLOW.c.shop == store.domain))
    privacy_acts.end_erasure(session, store_id)
    for user_id in people:
        _forget(session, user_id)
    blocked = session.execute(
        sa.select(_MEMBERSHIP.c.user_id).where(_MEMBERSHIP.c.store_id == store_id).limit(1)
    ).first()
    if blocked is None:
        session.execute(sa.delete(STORE).where(STORE.c.store_id == store_id))
        return
    kept = {"store_id", "domain", "shop_id", "epoch", "installed_at", "uninstalled_at"}
    bare: dict[str, Any] = {
        column.name: None for column in STORE.columns if column.name not in kept and column.nullable
    }
    bare |= {
        "name": name_from_domain(store.domain),
        "timezone": "UTC",
        "plan": "",
        "scopes": "",
        "taxes_included": False,
        "history_done": False,
        "customers_unread": False,
        "setup_step": 0,
        "week_start": 0,
        "read_no": 0,
    }
    session.execute(sa.update(STORE).where(STORE.c.store_id == store_id).values(**bare))


def _forget(session: Session, user_id: str) -> None:
    """Remove a person who has no place left here, unless they administer it."""
    elsewhere = sa.exists().where(_MEMBERSHIP.c.user_id == user_id)
    held = (
        sa.exists()
        .where(_SESSION.c.user_id == user_id)
        .where(_SESSION_STORE.c.session_id == _SESSION.c.session_id)
    )
    gone = session.execute(
        sa.select(_USER.c.user_id).where(
            _USER.c.user_id == user_id, _USER.c.admin.is_(False), ~elsewhere, ~held
        )
    ).first()
    if gone is None:
        return
    session.execute(sa.delete(_SESSION).where(_SESSION.c.user_id == user_id))
    session.execute(sa.delete(_USER).where(_USER.c.user_id == user_id))
