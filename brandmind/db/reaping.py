"""What keeps runs alive when their owners are not: beats, take-overs, and what was never told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.db import runs
from brandmind.db.session import db_now
from brandmind.db.tables import RUN, STORE
from brandmind.sync.stages import RunStatus

_DEATHS_AT_ONCE: Final = 3
_LONGEST_REST_S: Final = 60


@dataclass(frozen=True, slots=True)
class Pulse:
    """A running run as a reaper sees it: dead once `fence` and `beat` stand still too long."""

    run_id: str
    store_id: str
    fence: int
    beat: int
    owner: str


def beat(session: Session, run_id: str, fence: int) -> bool:
    """One heartbeat; False if the run is no longer this owner's."""
    found = session.execute(
        sa.update(RUN)
        .where(
            RUN.c.run_id == run_id,
            RUN.c.fence == fence,
            RUN.c.status == RunStatus.RUNNING.value,
        )
        .values(beat=RUN.c.beat + 1)
        .returning(RUN.c.run_id)
    ).first()
    return found is not None


def pulses(session: Session) -> list[Pulse]:
    """Every running run."""
    return [
        Pulse(row.run_id, row.store_id, row.fence, row.beat, row.owner)
        for row in session.execute(
            sa.select(RUN.c.run_id, RUN.c.store_id, RUN.c.fence, RUN.c.beat, RUN.c.owner).where(
                RUN.c.status == RunStatus.RUNNING.value
            )
        )
    ]


def end_sessions(session: Session, name: str) -> int:
    """Ends the database sessions of that name, but for ours; how many there were.

    PostgreSQL only. Whoever stands still in the midst of a transaction keeps its row locks, and no
    timeout of the server counts while it waits for the rest of a statement's rows.
    """
    if session.get_bind().dialect.name != "postgresql":
        return 0
    return len(
        session.execute(
            sa.text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = :name AND usename = current_user "
                "AND datname = current_database() AND pid <> pg_backend_pid()"
            ),
            {"name": name},
        ).all()
    )


def take_over(session: Session, pulse: Pulse, *, why: str) -> bool:
    """Put a dead owner's run back in the queue; False if it lives or is taken already.

    It is due at once, unless its owners died again and again without a page in between.
    """
    now = db_now(session)
    row = session.execute(
        sa.update(RUN)
        .where(
            RUN.c.run_id == pulse.run_id,
            RUN.c.fence == pulse.fence,
            RUN.c.beat == pulse.beat,
            RUN.c.status == RunStatus.RUNNING.value,
        )
        .values(
            status=RunStatus.QUEUED.value,
            due_at=now,
            attempt=RUN.c.attempt + 1,
            fence=RUN.c.fence + 1,
            seq=RUN.c.seq + 1,
        )
        .returning(RUN.c.fence, RUN.c.stage, RUN.c.cursor, RUN.c.attempt)
    ).first()
    if row is None:
        return False
    if row.attempt > _DEATHS_AT_ONCE:
        # Whoever takes it up dies of it, and with them the work of other stores.
        rest_s = min(2 ** (row.attempt - _DEATHS_AT_ONCE), _LONGEST_REST_S)
        session.execute(
            sa.update(RUN)
            .where(RUN.c.run_id == pulse.run_id)
            .values(due_at=now + timedelta(seconds=rest_s))
        )
    runs.note_event(
        session,
        run_id=pulse.run_id,
        store_id=pulse.store_id,
        name="taken over",
        fence=row.fence,
        stage=row.stage,
        cursor=row.cursor,
        detail=why,
    )
    return True


def unheard(session: Session, *, for_s: float) -> list[str]:
    """Runs that have been due for so long although somebody should have claimed them."""
    running = RUN.alias("running")
    return [
        row.run_id
        for row in session.execute(
            sa.select(RUN.c.run_id)
            .join(STORE, STORE.c.store_id == RUN.c.store_id)
            .where(
                RUN.c.status == RunStatus.QUEUED.value,
                RUN.c.due_at <= db_now(session) - timedelta(seconds=for_s),
                STORE.c.paused_at.is_(None),
                ~sa.exists().where(
                    running.c.store_id == RUN.c.store_id,
                    running.c.status == RunStatus.RUNNING.value,
                ),
            )
            .order_by(RUN.c.priority, RUN.c.due_at)
            .limit(20)
        )
    ]


def retry_failed(session: Session) -> list[str]:
    """Put back the failed runs whose own later try is due; their ids."""
    rows = session.execute(
        sa.select(RUN.c.run_id, RUN.c.store_id, RUN.c.kind)
        .where(RUN.c.status == RunStatus.FAILED.value, RUN.c.retry_at <= db_now(session))
        .limit(20)
    ).all()
    back: list[str] = []
    for row in rows:
        runs.lock_store(session, row.store_id)
        kinds = runs.FRONT if row.kind in runs.FRONT else (row.kind,)
        newest = runs.newest_run(session, row.store_id, kinds)
        superseded = newest is not None and newest.run_id != row.run_id and not newest.only
        if superseded or runs.has_live(session, row.store_id, kinds):
            # Something newer has read or reads what this one would: it has nothing left to add.
            session.execute(sa.update(RUN).where(RUN.c.run_id == row.run_id).values(retry_at=None))
            continue
        runs.requeue_ended(session, row.run_id, name="tried again", counted=True)
        back.append(str(row.run_id))
    return back


def untold(session: Session) -> list[tuple[str, str, int]]:
    """(run_id, store_id, seq) of runs with a committed change that nobody announced."""
    return [
        (row.run_id, row.store_id, row.seq)
        for row in session.execute(
            sa.select(RUN.c.run_id, RUN.c.store_id, RUN.c.seq)
            .where(RUN.c.announced_seq < RUN.c.seq)
            .limit(100)
        )
    ]


def told(session: Session, run_id: str, seq: int) -> None:
    """Note that a run's state up to `seq` was announced."""
    session.execute(
        sa.update(RUN)
        .where(RUN.c.run_id == run_id, RUN.c.announced_seq < seq)
        .values(announced_seq=seq)
    )


def seq_of(session: Session, run_id: str) -> int:
    """The run's number of committed changes; 0 if there is no such run."""
    found = session.execute(sa.select(RUN.c.seq).where(RUN.c.run_id == run_id)).scalar()
    return int(found or 0)


def any_retry_due(session: Session) -> bool:
    """Whether a failed run's own later try is due."""
    found = session.execute(
        sa.select(RUN.c.run_id)
        .where(RUN.c.status == RunStatus.FAILED.value, RUN.c.retry_at <= db_now(session))
        .limit(1)
    ).first()
    return found is not None
