"""Syncs asked for by people: what may be asked, how often, and what was asked."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.clock import new_id
from brandmind.db import runs, users
from brandmind.db.session import db_now
from brandmind.db.tables import REQUEST, RUN, STAGE
from brandmind.errors import NotAllowed, NotFound, StorePaused, SyncAlreadyRunning, TooManySyncs
from brandmind.sync.stages import Kind, Priority, RunStatus, Stage

MANUAL_AN_HOUR: Final = 3
RETRIES_AN_HOUR: Final = 10
_HOUR: Final = timedelta(hours=1)


def request(
    session: Session,
    store_id: str,
    *,
    by: str | None,
    kind: Kind | None = None,
    only: Iterable[Stage] | None = None,
    limited: bool = True,
) -> str:
    """A sync asked for by a person; its run id.

    `kind` None: incremental once a full one was whole, else full; a first sync that has stopped
    goes on from there. `limited` counts it among the
    store's three an hour. Raises SyncAlreadyRunning, TooManySyncs, StorePaused,
    NotAllowed for a store that has left, NotFound.
    """
    store = _idle_store(session, store_id)
    if limited:
        _count_request(session, store_id, kind="manual", most=MANUAL_AN_HOUR)
    stopped = _stopped_first(session, store) if kind is None and only is None else None
    if stopped is not None:
        # Reading it all again from nothing is what "start over" is for.
        runs.requeue_ended(
            session, stopped, name="asked for", priority=Priority.MANUAL, detail=by or ""
        )
        if limited:
            _keep_request(session, store_id, run_id=stopped, kind="manual", by=by)
        return stopped
    chosen = kind or (Kind.FULL if store.synced_until is None else Kind.INCREMENTAL)
    run_id = runs.insert_run(
        session,
        store_id,
        kind=chosen,
        priority=Priority.MANUAL if limited else Priority.FIRST,
        reason="manual",
        epoch=store.epoch,
        by=by,
        only=only,
    )
    if limited:
        _keep_request(session, store_id, run_id=run_id, kind="manual", by=by)
    return run_id


def retry(session: Session, store_id: str, *, by: str | None, from_start: bool = False) -> str:
    """The failed or cancelled run of the store back in the queue; its id.

    It goes on from where it stopped; `from_start` puts a new run of its kind in its place, which
    reads everything once more. Raises SyncAlreadyRunning, TooManySyncs (ten an hour),
    StorePaused, NotAllowed for a store that has left, NotFound.
    """
    store = _idle_store(session, store_id)
    ended = (RunStatus.FAILED.value, RunStatus.CANCELLED.value)
    newest = (
        runs.newest_run(session, store_id, kinds)
        for kinds in (runs.FRONT, (Kind.HISTORICAL.value,))
    )
    run = next((run for run in newest if run is not None and run.status in ended), None)
    if run is None or run.epoch != store.epoch:
        raise NotFound("There is nothing to retry.")
    _count_request(session, store_id, kind="retry", most=RETRIES_AN_HOUR)
    if from_start:
        run_id = _start_over(session, run, by=by)
    else:
        run_id = str(run.run_id)
        runs.requeue_ended(
            session, run_id, name="retried", priority=Priority.MANUAL, detail=by or ""
        )
    _keep_request(session, store_id, run_id=run_id, kind="retry", by=by)
    return run_id


def _stopped_first(session: Session, store: Any) -> str | None:
    if store.synced_until is not None:
        return None
    run = runs.newest_run(session, store.store_id, runs.FRONT)
    ended = (RunStatus.FAILED.value, RunStatus.CANCELLED.value)
    if run is None or run.status not in ended or run.epoch != store.epoch or run.only:
        return None
    return str(run.run_id)


def _start_over(session: Session, run: Any, *, by: str | None) -> str:
    windows = session.execute(
        sa.select(STAGE.c.created_from, STAGE.c.created_before).where(
            STAGE.c.run_id == run.run_id, STAGE.c.stage == Stage.HISTORY.value
        )
    ).first()
    # Its own later try would read what the new one reads.
    session.execute(sa.update(RUN).where(RUN.c.run_id == run.run_id).values(retry_at=None))
    return runs.insert_run(
        session,
        run.store_id,
        kind=Kind(run.kind),
        priority=Priority.MANUAL,
        # A first sync that starts over is still the first one.
        reason=run.reason if run.reason == "connected" else "started over",
        epoch=run.epoch,
        by=by,
        only=[Stage(part) for part in run.only.split(",")] if run.only else None,
        created_from=windows.created_from if windows else None,
        created_before=windows.created_before if windows else None,
    )


def manual_left(session: Session, store_id: str) -> tuple[int, datetime | None]:
    """How many manual syncs are left this hour, and when the next is possible if none is."""
    now = db_now(session)
    times = _recent_requests(session, store_id, kind="manual", since=now - _HOUR)
    left = max(0, MANUAL_AN_HOUR - len(times))
    return left, None if left else times[-MANUAL_AN_HOUR] + _HOUR


def full_sync_s(session: Session, store_id: str) -> float | None:
    """Seconds that the last whole reading took, older orders included; None: there was none."""
    took: float | None = None
    for kind in (Kind.FULL, Kind.HISTORICAL):
        run = session.execute(
            sa.select(RUN.c.started_at, RUN.c.finished_at)
            .where(
                RUN.c.store_id == store_id,
                RUN.c.kind == kind.value,
                RUN.c.status == RunStatus.DONE.value,
                RUN.c.only == "",
            )
            .order_by(RUN.c.finished_at.desc())
            .limit(1)
        ).first()
        if run is not None and run.started_at is not None:
            took = (took or 0.0) + (run.finished_at - run.started_at).total_seconds()
    return took


def _idle_store(session: Session, store_id: str) -> Any:
    """The store's row, locked, of a store that may start a sync now."""
    store = runs.lock_store(session, store_id)
    if store.uninstalled_at is not None:
        raise NotAllowed(f"BrandMind is not installed in {store.name} any more.")
    if store.paused_at is not None:
        by = users.name_of(session, store.paused_by)
        raise StorePaused(paused_by=by or "an operator", paused_at=store.paused_at)
    live = _live_front(session, store_id)
    if live is not None:
        raise SyncAlreadyRunning(live)
    return store


def _live_front(session: Session, store_id: str) -> str | None:
    found = session.execute(
        sa.select(RUN.c.run_id).where(
            RUN.c.store_id == store_id, RUN.c.status.in_(runs.LIVE), RUN.c.kind.in_(runs.FRONT)
        )
    ).first()
    return str(found.run_id) if found else None


def _recent_requests(
    session: Session, store_id: str, *, kind: str, since: datetime
) -> list[datetime]:
    return [
        row.requested_at
        for row in session.execute(
            sa.select(REQUEST.c.requested_at)
            .where(
                REQUEST.c.store_id == store_id,
                REQUEST.c.kind == kind,
                REQUEST.c.requested_at > since,
            )
            .order_by(REQUEST.c.requested_at)
        )
    ]


def _count_request(session: Session, store_id: str, *, kind: str, most: int) -> None:
    now = db_now(session)
    times = _recent_requests(session, store_id, kind=kind, since=now - _HOUR)
    if len(times) >= most:
        next_at = times[-most] + _HOUR
        raise TooManySyncs(
            next_at=next_at, retry_after_s=max(1, math.ceil((next_at - now).total_seconds()))
        )


def _keep_request(
    session: Session, store_id: str, *, run_id: str, kind: str, by: str | None
) -> None:
    session.execute(
        sa.insert(REQUEST).values(
            request_id=new_id(),
            store_id=store_id,
            run_id=run_id,
            kind=kind,
            requested_by=by,
            requested_at=db_now(session),
        )
    )
