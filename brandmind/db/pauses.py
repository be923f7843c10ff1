"""A store that rests: nothing of it is claimed until it goes on."""

from __future__ import annotations

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.db import runs
from brandmind.db.session import db_now
from brandmind.db.tables import RUN, STORE


def pause(session: Session, store_id: str, *, by: str) -> str | None:
    """Let the store rest; a running run yields at its next page, and keeps all it was.

    The id of its newest run, whose watchers are to be told. Pausing twice changes nothing.
    Raises NotFound.
    """
    store = runs.lock_store(session, store_id)
    if store.paused_at is None:
        session.execute(
            sa.update(STORE)
            .where(STORE.c.store_id == store_id)
            .values(paused_at=db_now(session), paused_by=by)
        )
    return _touched(session, store_id)


def resume(session: Session, store_id: str) -> tuple[str | None, list[str]]:
    """Let the store go on: the id of its newest run, and those that are due. Raises NotFound."""
    runs.lock_store(session, store_id)
    session.execute(
        sa.update(STORE).where(STORE.c.store_id == store_id).values(paused_at=None, paused_by=None)
    )
    due = session.execute(
        sa.select(RUN.c.run_id)
        .where(
            RUN.c.store_id == store_id,
            RUN.c.status == "queued",
            RUN.c.due_at <= db_now(session),
        )
        .order_by(RUN.c.priority)
    )
    return _touched(session, store_id), [str(row.run_id) for row in due]


def _touched(session: Session, store_id: str) -> str | None:
    """Watchers take only what is newer than what they have."""
    newest = runs.newest_run(session, store_id, runs.FRONT)
    if newest is None:
        return None
    session.execute(sa.update(RUN).where(RUN.c.run_id == newest.run_id).values(seq=RUN.c.seq + 1))
    return str(newest.run_id)
