"""All stores at a glance, for the operator: how they stand, what waits, what went wrong.

Nothing of a merchant's customers, orders or people is read here.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.db import runs
from brandmind.db.session import db_now
from brandmind.db.tables import EVENT, INBOX, LIVE, RUN, STAGE, STORE
from brandmind.sync.stages import Kind, RunStatus, StageState

_DAY: Final = timedelta(hours=24)
_MOST_RUNS: Final = 5_000
# What these say is a sentence of ours; other events name people and processes.
_TOLD: Final = (
    "failed", "waiting", "will try again", "taken over", "requested", "wanted again", "planned",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StoreLine:
    """One store. `state`: left, paused, failed, reading, waiting, queued, incomplete, new or ready.

    `percent`, `stage`, `attempt` and the error are those of the run that decides the state.
    """

    store_id: str
    domain: str
    state: str
    stage: str
    percent: int
    attempt: int
    error: str
    error_kind: str
    next_at: datetime | None
    last_synced_at: datetime | None
    waiting: int
    aside: int
    missing: tuple[str, ...]
    note: str
    checked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Jobs:
    """The queue and the last 24 hours. Times in seconds, `p95_s` of whole front syncs;
    `throttled_share` is the part of all requests that Shopify slowed down, None: none was made."""

    running: int
    due: int
    oldest_due_s: float
    later: int
    failed: int
    done: int
    p95_s: float | None
    throttled_share: float | None


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run of a store's story."""

    run_id: str
    kind: str
    reason: str
    status: str
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    attempt: int
    error: str
    error_kind: str
    request_id: str
    retry_at: datetime | None
    stage: str
    cursor: str
    stages: tuple[StageLine, ...]


@dataclass(frozen=True, slots=True)
class StageLine:
    """A stage of a run."""

    stage: str
    state: str
    done: int
    total: int | None
    exact: bool
    attempts: int
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class EventLine:
    """Something that happened to a run."""

    at: datetime
    name: str
    stage: str
    count: int
    detail: str


def stores(session: Session) -> list[StoreLine]:
    """Every store by domain."""
    now = db_now(session)
    front, history = RUN.alias("front"), RUN.alias("history")
    counts = (
        sa.select(
            INBOX.c.store_id,
            sa.func.count().filter(INBOX.c.aside_at.is_(None)).label("waiting"),
            sa.func.count().filter(INBOX.c.aside_at.is_not(None)).label("aside"),
        )
        .where(INBOX.c.done_at.is_(None))
        .group_by(INBOX.c.store_id)
        .subquery()
    )
    gap = (
        sa.exists()
        .where(STAGE.c.run_id == front.c.run_id, STAGE.c.state == StageState.GAP.value)
        .correlate(front)
    )
    rows = session.execute(
        sa.select(
            STORE.c.store_id,
            STORE.c.domain,
            STORE.c.epoch,
            STORE.c.paused_at,
            STORE.c.uninstalled_at,
            STORE.c.last_synced_at,
            STORE.c.next_sync_at,
            *(front.c[name].label(f"front_{name}") for name in _OF_A_RUN),
            *(history.c[name].label(f"history_{name}") for name in _OF_A_RUN),
            gap.label("gap"),
            sa.func.coalesce(counts.c.waiting, 0).label("waiting"),
            sa.func.coalesce(counts.c.aside, 0).label("aside"),
            LIVE.c.missing,
            LIVE.c.note,
            LIVE.c.checked_at,
        )
        .select_from(STORE)
        .outerjoin(front, front.c.run_id == _newest(runs.FRONT))
        .outerjoin(history, history.c.run_id == _newest((Kind.HISTORICAL.value,)))
        .outerjoin(counts, counts.c.store_id == STORE.c.store_id)
        .outerjoin(LIVE, LIVE.c.store_id == STORE.c.store_id)
        .order_by(STORE.c.domain)
    )
    return [_line(row, now=now) for row in rows]


_OF_A_RUN: Final = (
    "status", "epoch", "stage", "percent", "attempt", "error", "error_kind", "due_at", "retry_at",
    "waiting",
)  # fmt: skip


def _newest(kinds: tuple[str, ...]) -> Any:
    """The newest run of these kinds of the store at hand: one look into an index."""
    return (
        sa.select(RUN.c.run_id)
        .where(RUN.c.store_id == STORE.c.store_id, RUN.c.kind.in_(kinds))
        .order_by(RUN.c.requested_at.desc(), RUN.c.run_id)
        .limit(1)
        .correlate(STORE)
        .scalar_subquery()
    )


def _line(row: Any, *, now: datetime) -> StoreLine:
    found = {
        of: {name: getattr(row, f"{of}_{name}") for name in _OF_A_RUN}
        for of in ("front", "history")
    }
    state, run = _state(row, found["front"], found["history"], now=now)
    next_at = run["retry_at"] if state == "failed" else row.next_sync_at
    if state in ("waiting", "queued"):
        next_at = run["due_at"]
    told = state in ("failed", "waiting", "queued", "reading")
    return StoreLine(
        store_id=row.store_id,
        domain=row.domain,
        state=state,
        stage=(run["stage"] or "") if told else "",
        percent=(run["percent"] or 0) if told else 0,
        attempt=(run["attempt"] or 0) if told else 0,
        error=(run["error"] or "") if told else "",
        error_kind=(run["error_kind"] or "") if told else "",
        next_at=None if state in ("left", "paused", "reading") else next_at,
        last_synced_at=row.last_synced_at,
        waiting=row.waiting,
        aside=row.aside,
        missing=tuple(filter(None, (row.missing or "").split(","))) if state != "left" else (),
        note=row.note or "",
        checked_at=row.checked_at,
    )


def _state(
    row: Any, front: dict[str, Any], history: dict[str, Any], *, now: datetime
) -> tuple[str, dict[str, Any]]:
    """How a store stands, and the run that says so."""
    if row.uninstalled_at is not None:
        return "left", front
    if row.paused_at is not None:
        return "paused", front
    live = [run for run in (front, history) if run["status"] in runs.LIVE]
    running = next((run for run in live if run["status"] == RunStatus.RUNNING.value), None)
    if running is not None:
        return "reading", running
    failed = next(
        (
            run
            for run in (front, history)
            if run["status"] == RunStatus.FAILED.value and run["epoch"] == row.epoch
        ),
        None,
    )
    if failed is not None and failed is front:
        return "failed", failed
    if live:
        return ("waiting" if live[0]["due_at"] > now else "queued"), live[0]
    if failed is not None:
        return "failed", failed
    if front["status"] is None or row.last_synced_at is None:
        return "new", front
    return ("incomplete" if row.gap else "ready"), front


def jobs(session: Session) -> Jobs:
    """The queue as it is, and what came out of it in the last 24 hours."""
    now = db_now(session)
    live = session.execute(
        sa.select(
            sa.func.count().filter(RUN.c.status == RunStatus.RUNNING.value).label("running"),
            sa.func.count().filter(*_IS_QUEUED, RUN.c.due_at <= now).label("due"),
            sa.func.min(RUN.c.due_at).filter(*_IS_QUEUED, RUN.c.due_at <= now).label("oldest"),
            sa.func.count().filter(*_IS_QUEUED, RUN.c.due_at > now).label("later"),
        )
        .select_from(RUN.join(STORE, STORE.c.store_id == RUN.c.store_id))
        .where(RUN.c.status.in_(runs.LIVE))
    ).one()
    ended = session.execute(
        sa.select(
            RUN.c.status, RUN.c.kind, RUN.c.started_at, RUN.c.finished_at, RUN.c.metadata_json
        )
        .where(
            RUN.c.finished_at >= now - _DAY,
            RUN.c.status.in_((RunStatus.DONE.value, RunStatus.FAILED.value)),
        )
        .order_by(RUN.c.finished_at.desc())
        .limit(_MOST_RUNS)
    ).all()
    took = sorted(
        (row.finished_at - row.started_at).total_seconds()
        for row in ended
        if row.status == RunStatus.DONE.value and row.kind in runs.FRONT and row.started_at
    )
    spent = [json.loads(row.metadata_json) for row in ended]
    requests = sum(one.get("requests", 0) for one in spent)
    throttled = sum(one.get("throttled", 0) for one in spent)
    oldest = live.oldest
    return Jobs(
        running=live.running,
        due=live.due,
        oldest_due_s=max(0.0, (now - oldest).total_seconds()) if oldest is not None else 0.0,
        later=live.later,
        failed=sum(row.status == RunStatus.FAILED.value for row in ended),
        done=sum(row.status == RunStatus.DONE.value for row in ended),
        p95_s=took[math.ceil(0.95 * len(took)) - 1] if took else None,
        throttled_share=throttled / requests if requests else None,
    )


# What a pause holds back is no queue.
_IS_QUEUED: Final = (RUN.c.status == RunStatus.QUEUED.value, STORE.c.paused_at.is_(None))


def story(session: Session, store_id: str, *, most_runs: int = 6) -> list[RunLine]:
    """The newest runs of a store with their stages, newest first."""
    found = session.execute(
        sa.select(RUN)
        .where(RUN.c.store_id == store_id)
        .order_by(RUN.c.requested_at.desc(), RUN.c.run_id)
        .limit(most_runs)
    ).all()
    stages: dict[str, list[StageLine]] = {row.run_id: [] for row in found}
    for at in session.execute(
        sa.select(STAGE).where(STAGE.c.run_id.in_(stages)).order_by(STAGE.c.position)
    ):
        stages[at.run_id].append(
            StageLine(
                stage=at.stage,
                state=at.state,
                done=at.done,
                total=at.total,
                exact=at.exact,
                attempts=at.attempts,
                started_at=at.started_at,
                finished_at=at.finished_at,
            )
        )
    return [
        RunLine(
            run_id=row.run_id,
            kind=row.kind,
            reason=row.reason,
            status=row.status,
            requested_at=row.requested_at,
            started_at=row.started_at,
            finished_at=row.finished_at,
            attempt=row.attempt,
            error=row.error or "",
            error_kind=row.error_kind or "",
            request_id=row.request_ref or "",
            retry_at=row.retry_at,
            stage=row.stage,
            cursor=row.cursor,
            stages=tuple(stages[row.run_id]),
        )
        for row in found
    ]


def events(session: Session, store_id: str, *, run_id: str, most: int = 40) -> list[EventLine]:
    """The newest events of a store's run, newest first."""
    return [
        EventLine(
            at=row.at,
            name=row.name,
            stage=row.stage,
            count=row.records,
            detail=row.detail if row.name in _TOLD else "",
        )
        for row in session.execute(
            sa.select(
                EVENT.c.at,
                EVENT.c.name,
                EVENT.c.stage,
                EVENT.c.detail,
                EVENT.c["count"].label("records"),
            )
            .where(EVENT.c.store_id == store_id, EVENT.c.run_id == run_id)
            .order_by(EVENT.c.event_id.desc())
            .limit(most)
        )
    ]
