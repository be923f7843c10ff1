"""What the merchant wants read, and what follows from a change of mind."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.db import runs
from brandmind.db.session import db_now
from brandmind.db.tables import RUN, STAGE, STORE
from brandmind.errors import NotAllowed
from brandmind.sync.selection import Selection
from brandmind.sync.stages import Kind, Priority, RunStatus, Stage, StageState

# The line moves on with every moment.
_GRACE: Final = timedelta(days=2)
_OPEN: Final = (StageState.QUEUED.value, StageState.RUNNING.value, StageState.FAILED.value)


def choose(session: Session, store_id: str, selection: Selection, *, by: str | None) -> list[str]:
    """Keep the choice and queue what it asks for and is not stored; ids of runs to be rung.

    It holds for the stages still to come of whatever runs. What is turned off stays stored.
    Raises NotFound, NotAllowed for a store that has left.
    """
    store = runs.lock_store(session, store_id)
    if store.uninstalled_at is not None:
        raise NotAllowed(f"BrandMind is not installed in {store.name} any more.")
    session.execute(
        sa.update(STORE)
        .where(STORE.c.store_id == store_id)
        .values(orders_since=selection.orders_since.value, reads_customers=selection.customers)
    )
    store = session.execute(sa.select(STORE).where(STORE.c.store_id == store_id)).one()
    wanted = [_customers(session, store, on=selection.customers, by=by)]
    wanted.append(_orders(session, store, selection))
    return [run_id for run_id in wanted if run_id is not None]


def _customers(session: Session, store: Any, *, on: bool, by: str | None) -> str | None:
    unfinished = session.execute(
        sa.select(RUN.c.run_id, RUN.c.status, STAGE.c.position, STAGE.c.state)
        .join(STAGE, STAGE.c.run_id == RUN.c.run_id)
        .where(
            RUN.c.store_id == store.store_id,
            RUN.c.epoch == store.epoch,
            RUN.c.kind.in_(runs.FRONT),
            RUN.c.status != RunStatus.DONE.value,
            STAGE.c.stage == Stage.CUSTOMERS.value,
        )
    ).all()
    served = False
    for at in unfinished:
        if not on and at.state in _OPEN:
            _set_customers(session, at.run_id, runs.LEFT_OUT)
        elif on and at.state == StageState.SKIPPED.value:
            if not _is_past(session, at.run_id, at.position):
                _set_customers(session, at.run_id, runs.QUEUED)
                served |= at.status in runs.LIVE
            # One that is past them queues their reading when it ends.
            served |= at.status in runs.LIVE
    if not on or served or not store.customers_unread:
        return None
    return runs.want(
        session,
        store.store_id,
        kind=Kind.INCREMENTAL,
        priority=Priority.MANUAL,
        reason="chosen",
        by=by,
    )


def _is_past(session: Session, run_id: str, position: int) -> bool:
    later = session.execute(
        sa.select(STAGE.c.run_id).where(
            STAGE.c.run_id == run_id,
            STAGE.c.position > position,
            STAGE.c.state.not_in((StageState.QUEUED.value, StageState.SKIPPED.value)),
        )
    ).first()
    return later is not None


def _set_customers(session: Session, run_id: str, values: dict[str, Any]) -> None:
    session.execute(
        sa.update(STAGE)
        .where(
            STAGE.c.run_id == run_id,
            STAGE.c.stage.in_([stage.value for stage in runs.OF_CUSTOMERS]),
        )
        .values(**values)
    )
    session.execute(sa.update(RUN).where(RUN.c.run_id == run_id).values(seq=RUN.c.seq + 1))


def _orders(session: Session, store: Any, selection: Selection) -> str | None:
    now = db_now(session)
    live = session.execute(
        sa.select(RUN.c.run_id, STAGE.c.created_from)
        .join(STAGE, STAGE.c.run_id == RUN.c.run_id)
        .where(
            RUN.c.store_id == store.store_id,
            RUN.c.status.in_(runs.LIVE),
            STAGE.c.stage == Stage.HISTORY.value,
        )
    ).first()
    oldest = selection.oldest(now)
    if live is not None and oldest is not None and _begins_before(live, oldest - _GRACE):
        runs.end_run(session, live.run_id, name="no longer wanted")
    if runs.has_live(session, store.store_id, runs.FRONT):
        # It sees to the older orders when it ends.
        return None
    return runs.read_history(session, store, after=None, now=now)


def _begins_before(history: Any, at: datetime) -> bool:
    return history.created_from is None or history.created_from < at
