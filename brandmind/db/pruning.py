"""What has had its time goes: the story of old runs, and sessions that are over."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.db.models import METADATA
from brandmind.db.session import db_now
from brandmind.db.sessions import IDLE, LONGEST
from brandmind.db.tables import EVENT, RUN
from brandmind.sync.stages import RunStatus

KEEP_DAYS: Final = 90
KEEP_EVENTS: Final = 50_000
_AT_ONCE: Final = 2_000
_SESSION: Final = METADATA.tables["session"]
_PASSED: Final = METADATA.tables["session_store"]


def prune_events(
    session: Session,
    store_id: str,
    *,
    keep_days: int = KEEP_DAYS,
    keep_events: int = KEEP_EVENTS,
) -> int:
    """Remove up to 2,000 events of a store that are older than `keep_days` or beyond the newest
    `keep_events`; how many went. Called again until it returns 0.

    Events of runs that are still live stay: the tests of a run's story read it from its beginning.
    """
    live = sa.select(RUN.c.run_id).where(
        RUN.c.store_id == store_id,
        RUN.c.status.in_((RunStatus.QUEUED.value, RunStatus.RUNNING.value)),
    )
    oldest_kept = (
        sa.select(EVENT.c.event_id)
        .where(EVENT.c.store_id == store_id)
        .order_by(EVENT.c.event_id.desc())
        .offset(keep_events)
        .limit(1)
        .scalar_subquery()
    )
    doomed = session.scalars(
        sa.select(EVENT.c.event_id)
        .where(
            EVENT.c.store_id == store_id,
            EVENT.c.run_id.not_in(live),
            sa.or_(
                EVENT.c.at < db_now(session) - timedelta(days=keep_days),
                EVENT.c.event_id <= oldest_kept,
            ),
        )
        .order_by(EVENT.c.event_id)
        .limit(_AT_ONCE)
    ).all()
    if doomed:
        session.execute(sa.delete(EVENT).where(EVENT.c.event_id.in_(doomed)))
    return len(doomed)


def prune_sessions(session: Session, *, now: datetime, at_once: int = _AT_ONCE) -> int:
    """Remove up to `at_once` sessions that are over, by whichever end; how many went.

    What opens nothing any more only tells where somebody was signed in, and with what browser.
    """
    doomed = session.scalars(
        sa.select(_SESSION.c.session_id)
        .where(
            sa.or_(
                _SESSION.c.revoked_at.is_not(None),
                _SESSION.c.seen_at <= now - IDLE,
                _SESSION.c.created_at <= now - LONGEST,
            )
        )
        .limit(at_once)
    ).all()
    if doomed:
        session.execute(sa.delete(_PASSED).where(_PASSED.c.session_id.in_(doomed)))
        session.execute(sa.delete(_SESSION).where(_SESSION.c.session_id.in_(doomed)))
    return len(doomed)
