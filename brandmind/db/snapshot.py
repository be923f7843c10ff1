"""The state of a store's sync as SQL knows it: what a late watcher reads first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.db import grants, runs, users
from brandmind.db.ledger import stage_progress
from brandmind.db.session import db_now
from brandmind.db.tables import LIVE, RUN, STAGE, STORE
from brandmind.errors import NotFound
from brandmind.sync import status
from brandmind.sync.progress import StageProgress, StoreProgress
from brandmind.sync.selection import OrdersSince
from brandmind.sync.stages import Kind, RunStatus, Stage, StageState, StoreStatus

STOPPED = "Stopped by hand. The next sync goes on from here."
_LOOKS = 5
SIXTY_DAYS = "Shopify gives us the last 60 days of orders for now."


def progress(session: Session, store_id: str) -> StoreProgress:
    """The store's progress. Raises NotFound.

    PostgreSQL shows each statement the newest commits. Read until nothing was committed meanwhile:
    a newer state under an older number would be followed by a message that says less.
    """
    for _ in range(_LOOKS):
        seq = _seq(session, store_id)
        found = _seen(session, store_id, seq)
        if _seq(session, store_id) == seq:
            break
    # Of the two, a state newer than its number: an older one would stay on the screens.
    return found


def _seq(session: Session, store_id: str) -> int:
    """The number of all that was committed of the store's runs and deliveries."""
    of_runs = sa.select(sa.func.coalesce(sa.func.sum(RUN.c.seq), 0)).where(
        RUN.c.store_id == store_id
    )
    of_deliveries = sa.select(sa.func.coalesce(sa.func.sum(LIVE.c.seq), 0)).where(
        LIVE.c.store_id == store_id
    )
    row = session.execute(
        sa.select(of_runs.scalar_subquery(), of_deliveries.scalar_subquery())
    ).one()
    return int(row[0]) + int(row[1])


def _seen(session: Session, store_id: str, seq: int) -> StoreProgress:
    store = session.execute(sa.select(STORE).where(STORE.c.store_id == store_id)).first()
    if store is None:
        raise NotFound
    live = session.execute(sa.select(LIVE.c.changed_at).where(LIVE.c.store_id == store_id)).first()
    front = runs.newest_run(session, store_id, runs.FRONT)
    history_run = runs.newest_run(session, store_id, (Kind.HISTORICAL.value,))
    if history_run is not None and history_run.epoch != store.epoch:
        history_run = None
    stages = _stages(session, front)
    history = _history(session, store, front, history_run)
    # Watchers follow the front run while there is something to follow; its errors come first.
    shown = front
    if (
        front is not None
        and history_run is not None
        and front.status == RunStatus.DONE.value
        and history_run.status != RunStatus.DONE.value
    ):
        shown = history_run
    found, reason = status.store_status(
        paused=False,
        front=RunStatus(front.status) if front is not None else None,
        started=front is not None and front.started_at is not None,
        stages=stages,
        history=history,
        history_done=store.history_done,
    )
    paused = store.paused_at is not None
    grant = grants.find(session, store_id)
    waits = shown is not None and shown.status in runs.LIVE and bool(shown.waiting)
    return StoreProgress(
        store_id=store_id,
        status=StoreStatus.PAUSED if paused else found,
        reason=None if paused else reason,
        run_id=front.run_id if front is not None else None,
        kind=Kind(front.kind) if front is not None else None,
        run_status=RunStatus(front.status) if front is not None else None,
        first=store.last_synced_at is None
        or (front is not None and front.kind == Kind.FULL.value and front.reason == "connected"),
        seq=seq,
        percent=front.percent if front is not None else 0,
        stages=stages,
        history=history,
        attempt=shown.attempt if shown is not None else 0,
        waiting=shown.waiting if shown is not None and waits else None,
        next_try_at=(shown.due_at if waits else shown.retry_at) if shown is not None else None,
        error=shown.error if shown is not None else None,
        error_kind=shown.error_kind if shown is not None else None,
        request_id=shown.request_ref if shown is not None else None,
        requested_at=front.requested_at if front is not None else None,
        started_at=front.started_at if front is not None else None,
        finished_at=front.finished_at if front is not None else None,
        last_synced_at=store.last_synced_at,
        changed_at=live.changed_at if live is not None else None,
        ended_by=users.name_of(session, shown.ended_by) if shown is not None else None,
        paused_by=users.name_of(session, store.paused_by),
        paused_at=store.paused_at,
        status_before=found if paused else None,
        reason_before=reason if paused else None,
        orders_since=OrdersSince(store.orders_since),
        reads_customers=store.reads_customers,
        customers_read_at=store.customers_read_at,
        nightly_at=store.nightly_at,
        polled=grant is not None and grant.grant.kind != "oauth",
        uninstalled_at=store.uninstalled_at,
        erase_at=store.erase_at,
    )


def _stages(session: Session, run: Any | None) -> tuple[StageProgress, ...]:
    if run is None:
        return ()
    rows = session.execute(
        sa.select(STAGE).where(STAGE.c.run_id == run.run_id).order_by(STAGE.c.position)
    )
    return status.shown(tuple(stage_progress(row) for row in rows))


def _history(session: Session, store: Any, front: Any, run: Any) -> StageProgress | None:
    done = front is not None and front.status == RunStatus.DONE.value
    limited = done and not runs.reads_history(store.scopes) and _wants_older(session, store)
    at = next((at for at in _stages(session, run) if at.stage is Stage.HISTORY), None)
    if limited and (run is None or run.status not in runs.LIVE):
        at = at or StageProgress(stage=Stage.HISTORY, state=StageState.RESTRICTED)
        return replace(at, state=StageState.RESTRICTED, note=SIXTY_DAYS)
    if at is not None and run.status == RunStatus.FAILED.value:
        return replace(at, state=StageState.FAILED, note=run.error)
    if at is not None and run.status == RunStatus.CANCELLED.value and store.history_done:
        # What is chosen now is whole without it.
        return None
    if at is not None and run.status == RunStatus.CANCELLED.value:
        # Nobody reads it now, so nobody may say that it goes on in the background.
        return replace(at, state=StageState.SKIPPED, note=STOPPED)
    return at


def _wants_older(session: Session, store: Any) -> bool:
    recent_from = store.recent_from
    if recent_from is None:
        return True
    return runs.selection_of(store).wants_older(recent_from, now=db_now(session))
