"""Which workers are there: each writes its own row, and whoever is long gone is forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.db.session import db_now
from brandmind.db.tables import RUN, WORKER
from brandmind.sync.stages import RunStatus

# One that fell silent is shown for so long, then it is history.
KEPT: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker process. `silent_s`: since its last word; `at_work`: the runs it holds."""

    owner: str
    slots: int
    started_at: datetime
    silent_s: float
    at_work: int


def note(session: Session, owner: str, *, slots: int) -> None:
    """Keep that this worker is there now."""
    now = db_now(session)
    known = session.execute(
        sa.update(WORKER)
        .where(WORKER.c.owner == owner)
        .values(seen_at=now, slots=slots)
        .returning(WORKER.c.owner)
    ).first()
    if known is None:
        session.execute(
            sa.insert(WORKER).values(owner=owner, slots=slots, started_at=now, seen_at=now)
        )
    session.execute(sa.delete(WORKER).where(WORKER.c.seen_at < now - KEPT))


def leave(session: Session, owner: str) -> None:
    """This worker goes, and nobody shall miss it."""
    session.execute(sa.delete(WORKER).where(WORKER.c.owner == owner))


def workers(session: Session) -> list[Worker]:
    """All that are there or fell silent within the hour, the longest there first."""
    now = db_now(session)
    held = (
        sa.select(sa.func.count())
        .select_from(RUN)
        .where(RUN.c.owner == WORKER.c.owner, RUN.c.status == RunStatus.RUNNING.value)
        .scalar_subquery()
    )
    return [
        Worker(
            owner=row.owner,
            slots=row.slots,
            started_at=row.started_at,
            silent_s=max(0.0, (now - row.seen_at).total_seconds()),
            at_work=row.at_work,
        )
        for row in session.execute(
            sa.select(WORKER, held.label("at_work"))
            .where(WORKER.c.seen_at >= now - KEPT)
            .order_by(WORKER.c.started_at, WORKER.c.owner)
        )
    ]
