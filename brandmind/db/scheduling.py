"""What is read by itself: each night at a store's quiet hour, and more often where nobody calls.

The moments are on the worker's clock, since they only say when; that two workers look at the same
store at once is kept apart by the store's lock.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.commerce.shop import zone
from brandmind.db import grants, runs
from brandmind.db.tables import ORDER, STORE
from brandmind.db.types import UtcDateTime
from brandmind.sync import timetable
from brandmind.sync.stages import Kind, Priority, RunStatus

POLL: Final = "poll"
_ORDERS_OF: Final = timedelta(days=28)
# Further away than any plan of ours: somebody's clock was wrong.
_TOO_FAR: Final = timedelta(days=2)
# A quiet hour that moves does not make two nights of one.
_A_NIGHT_APART: Final = timedelta(hours=12)


def due(session: Session, *, now: datetime, most: int) -> list[str]:
    """Ids of stores to look at now, or never planned, the longest due first."""
    at = STORE.c.next_sync_at
    return [
        str(row.store_id)
        for row in session.execute(
            sa.select(STORE.c.store_id)
            .where(
                STORE.c.uninstalled_at.is_(None),
                STORE.c.paused_at.is_(None),
                sa.or_(at.is_(None), at <= now, at > now + _TOO_FAR),
            )
            .order_by(at.is_not(None), at, STORE.c.store_id)
            .limit(most)
        )
    ]


def take_turn(session: Session, store_id: str, *, now: datetime) -> str | None:
    """Queue what a store's turn asks for, and plan its next one; the id of a run to be rung."""
    store = runs.lock_store(session, store_id)
    at = store.next_sync_at
    if store.uninstalled_at is not None or store.paused_at is not None:
        return None
    if at is not None and now < at <= now + _TOO_FAR:
        return None
    planned = at is not None and at <= now
    nightly = planned and store.nightly_at is not None and store.nightly_at <= now
    run_id = _ask(session, store, nightly=nightly) if planned else None
    _plan(session, store, now=now, nightly=nightly)
    return run_id


def _ask(session: Session, store: Any, *, nightly: bool) -> str | None:
    grant = grants.find(session, store.store_id)
    if grant is None or grant.is_dead:
        # Only the merchant can help.
        return None
    newest = runs.newest_run(session, store.store_id, runs.FRONT)
    if (
        newest is not None
        and newest.status == RunStatus.FAILED.value
        and (newest.retry_at is not None or not nightly)
    ):
        # It has its own later tries.
        return None
    ended = (RunStatus.FAILED.value, RunStatus.CANCELLED.value)
    if store.synced_until is None:
        if nightly and newest is not None and newest.status in ended:
            # A first sync that stopped goes on: there is nothing yet to look for changes of.
            runs.requeue_ended(session, newest.run_id, name="taken up again")
            return str(newest.run_id)
        if newest is None or newest.status not in runs.LIVE or not nightly:
            return None
    elif not nightly and runs.has_live(session, store.store_id, runs.FRONT):
        return None
    return runs.want(
        session,
        store.store_id,
        kind=Kind.INCREMENTAL,
        priority=Priority.INCREMENTAL,
        reason=runs.NIGHTLY if nightly else POLL,
    )


def _plan(session: Session, store: Any, *, now: datetime, nightly: bool) -> None:
    tz = zone(store.timezone)
    night = timetable.next_night(
        store.store_id,
        hour=timetable.quiet_hour(_orders_by_hour(session, store, now=now)),
        tz=tz,
        after=now + _A_NIGHT_APART if nightly else now,
    )
    grant = grants.find(session, store.store_id)
    polls = grant is not None and grant.grant.kind != "oauth"
    session.execute(
        sa.update(STORE)
        .where(STORE.c.store_id == store.store_id)
        .values(
            nightly_at=night,
            next_sync_at=min(night, now + timetable.POLL_EVERY) if polls else night,
        )
    )


def _orders_by_hour(session: Session, store: Any, *, now: datetime) -> dict[int, int]:
    created = ORDER.c.created_at
    hour: sa.ColumnElement[Any]
    if session.get_bind().dialect.name == "postgresql":
        hour = sa.func.date_part("hour", sa.func.timezone("UTC", created))
    else:
        hour = sa.type_coerce(created, sa.BigInteger) // 3_600_000 % 24
    rows = session.execute(
        sa.select(hour.label("hour"), sa.func.count().label("orders"))
        .where(
            ORDER.c.store_id == store.store_id,
            created >= sa.literal(now - _ORDERS_OF, type_=UtcDateTime()),
        )
        .group_by(sa.text("1"))
    )
    offset = now.astimezone(zone(store.timezone)).utcoffset() or timedelta()
    ahead = round(offset.total_seconds() / 3600)
    return {(int(row.hour) + ahead) % 24: row.orders for row in rows}
