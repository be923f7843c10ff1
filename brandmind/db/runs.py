"""Runs in SQL: made, claimed, waiting, ended. Every change of hands raises the fence."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from brandmind.clock import new_id
from brandmind.db import restrictions
from brandmind.db.session import db_now
from brandmind.db.tables import EVENT, RUN, STAGE, STORE
from brandmind.errors import Fenced, NotFound
from brandmind.sync.selection import CUSTOMERS_OFF, OrdersSince, Selection
from brandmind.sync.stages import (
    PAGED,
    Kind,
    Priority,
    RunStatus,
    Stage,
    StageState,
    stages_of,
)

LIVE: Final = (RunStatus.QUEUED.value, RunStatus.RUNNING.value)
_CANDIDATES: Final = 5
# A gap that a second reading did not fill is read for again once a day, not at every sync.
GAP_REST: Final = timedelta(hours=20)
# The stages a merchant may choose among; together they are a whole sync.
CHOSEN: Final = frozenset({Stage.PRODUCTS, Stage.ORDERS, Stage.CUSTOMERS})
# The reason of a run that also compares what is stored with what the shop has.
NIGHTLY: Final = "nightly"
OF_CUSTOMERS: Final = frozenset({Stage.CUSTOMERS, Stage.LATE_CUSTOMERS})
FRONT: Final = (Kind.FULL.value, Kind.INCREMENTAL.value)
_READ: Final = (StageState.DONE.value, StageState.GAP.value)
_LEFT_UNREAD: Final = (StageState.SKIPPED.value, StageState.QUEUED.value)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a run, as long as its fence stands."""

    run_id: str
    store_id: str
    kind: Kind
    reason: str
    epoch: int
    fence: int
    owner: str
    only: frozenset[Stage] | None
    first_read_no: int
    domain: str
    currency: str | None
    retries: int


def lock_store(session: Session, store_id: str) -> Any:
    """The store's row, locked until the transaction ends: the first lock everywhere.

    Raises NotFound.
    """
    row = session.execute(
        sa.select(STORE).where(STORE.c.store_id == store_id).with_for_update(key_share=True)
    ).first()
    if row is None:
        raise NotFound
    return row


def selection_of(store: Any) -> Selection:
    """What the merchant of that store's row has chosen to be read."""
    return Selection(OrdersSince(store.orders_since), bool(store.reads_customers))


_NOTE: Final = sa.insert(EVENT)


def note_event(
    session: Session,
    *,
    run_id: str,
    store_id: str,
    name: str,
    fence: int,
    stage: str = "",
    cursor: str = "",
    next_cursor: str = "",
    count: int = 0,
    detail: str = "",
) -> None:
    """Append to the run's story."""
    session.execute(
        _NOTE,
        {
            "run_id": run_id,
            "store_id": store_id,
            "at": db_now(session),
            "name": name,
            "fence": fence,
            "stage": stage,
            "cursor": cursor,
            "next_cursor": next_cursor,
            "count": count,
            "detail": detail,
        },
    )


def insert_run(
    session: Session,
    store_id: str,
    *,
    kind: Kind,
    priority: Priority,
    reason: str,
    epoch: int,
    by: str | None = None,
    only: Iterable[Stage] | None = None,
    created_from: datetime | None = None,
    created_before: datetime | None = None,
) -> str:
    """A new queued run with its stages, due now; its id. The caller holds the store's lock.

    `created_from` and `created_before` are the windows of a run that does not ask the shop for
    its clock first. What the merchant has turned off is a stage that is left out.
    Raises IntegrityError if a run of that kind is live.
    """
    run_id = new_id()
    now = db_now(session)
    off = not session.execute(
        sa.select(STORE.c.reads_customers).where(STORE.c.store_id == store_id)
    ).scalar_one()
    chosen = frozenset(only) if only is not None else None
    session.execute(
        sa.insert(RUN).values(
            run_id=run_id,
            store_id=store_id,
            kind=kind.value,
            reason=reason,
            priority=priority.rank,
            status=RunStatus.QUEUED.value,
            epoch=epoch,
            only=",".join(sorted(chosen)) if chosen is not None else "",
            due_at=now,
            requested_at=now,
            requested_by=by,
            **_FRESH,
        )
    )
    session.execute(
        sa.insert(STAGE),
        [
            {
                "run_id": run_id,
                "stage": stage.value,
                "position": position,
                "done": 0,
                "exact": True,
                "readings": 1,
                "attempts": 0,
                "created_from": created_from if stage in PAGED else None,
                "created_before": created_before if stage in PAGED else None,
                **(LEFT_OUT if off and stage in OF_CUSTOMERS else QUEUED),
            }
            for position, stage in enumerate(stages_of(kind, only=chosen))
        ],
    )
    note_event(session, run_id=run_id, store_id=store_id, name="requested", fence=0, detail=reason)
    return run_id


def want(
    session: Session,
    store_id: str,
    *,
    kind: Kind,
    priority: Priority,
    reason: str,
    by: str | None = None,
    only: Iterable[Stage] | None = None,
) -> str | None:
    """See to it that the store is read once from now on; the id of the run that will do it.

    For whoever cannot be told "a sync is already running": webhooks, the scheduler, a new choice.
    A run that has not begun serves as it is, sooner if this is more urgent; one that is under way
    is followed by another. A full run under way serves for its changes too. None: the store has
    left. A paused store keeps the run until it goes on. Raises NotFound.
    """
    store = lock_store(session, store_id)
    if store.uninstalled_at is not None:
        return None
    kinds = FRONT if kind is Kind.INCREMENTAL else (kind.value,)
    live = session.execute(
        sa.select(RUN)
        .where(RUN.c.store_id == store_id, RUN.c.status.in_(LIVE), RUN.c.kind.in_(kinds))
        .order_by(sa.case((RUN.c.kind == kind.value, 0), else_=1))
        .limit(1)
    ).first()
    if live is None:
        return insert_run(
            session,
            store_id,
            kind=kind,
            priority=priority,
            reason=reason,
            epoch=store.epoch,
            by=by,
            only=only,
        )
    session.execute(
        sa.update(RUN)
        .where(RUN.c.run_id == live.run_id)
        .values(**_merged(live, kind, priority=priority, reason=reason, now=db_now(session)))
    )
    note_event(
        session,
        run_id=live.run_id,
        store_id=store_id,
        name="wanted again",
        fence=live.fence,
        detail=reason,
    )
    return str(live.run_id)


def _merged(
    live: Any, kind: Kind, *, priority: Priority, reason: str, now: datetime
) -> dict[str, Any]:
    same = live.kind == kind.value
    values: dict[str, Any] = {"seq": RUN.c.seq + 1}
    if same:
        values["priority"] = min(live.priority, priority.rank)
    if same and live.status == RunStatus.QUEUED.value and not live.waiting:
        # Not where it waits for Shopify: each wish would be one more knock at a closed door.
        values["due_at"] = min(live.due_at, now)
    if same and live.started_at is None and not live.only:
        # It reads all of this anyway; only the night's comparison is more than was asked before.
        if reason == NIGHTLY:
            values["reason"] = NIGHTLY
        return values
    values |= {
        "again": True,
        "again_priority": min(live.again_priority or priority.rank, priority.rank),
        "again_reason": live.again_reason if live.again_reason == NIGHTLY else reason,
    }
    return values


def note_usage(session: Session, claim: Claim, usage: dict[str, float]) -> None:
    """Add what a slice has cost to the run's metadata. Raises Fenced."""
    row = session.execute(
        sa.select(RUN.c.metadata_json).where(RUN.c.run_id == claim.run_id).with_for_update()
    ).first()
    if row is None:
        raise Fenced
    known = json.loads(row.metadata_json)
    for name, more in usage.items():
        known[name] = round(known.get(name, 0) + more, 2)
    known["slices"] = known.get("slices", 0) + 1
    known["counts"] = {
        at.stage: at.done
        for at in session.execute(
            sa.select(STAGE).where(STAGE.c.run_id == claim.run_id).order_by(STAGE.c.position)
        )
        if Stage(at.stage) in PAGED
    }
    _guarded(session, claim, {"metadata_json": json.dumps(known, separators=(",", ":"))})


LEFT_OUT: Final = {"state": StageState.SKIPPED.value, "note": CUSTOMERS_OFF}
QUEUED: Final = {"state": StageState.QUEUED.value, "note": None}
_FRESH: Final[dict[str, Any]] = {
    "stage": "",
    "cursor": "",
    "percent": 0,
    "attempt": 0,
    "retries": 0,
    "fence": 0,
    "beat": 0,
    "seq": 1,
    "announced_seq": 0,
    "owner": "",
    "again": False,
    "again_reason": "",
    "first_read_no": 0,
    "metadata_json": "{}",
}


def insert_first_run(
    session: Session, store_id: str, *, epoch: int, reason: str = "connected"
) -> str:
    """The first full sync of a connection; the caller holds the store's lock."""
    return insert_run(
        session,
        store_id,
        kind=Kind.FULL,
        priority=Priority.FIRST,
        reason=reason,
        epoch=epoch,
    )


def newest_run(session: Session, store_id: str, kinds: Iterable[str]) -> Any | None:
    """The row of the store's newest run of these kinds, None if there never was one."""
    return session.execute(
        sa.select(RUN)
        .where(RUN.c.store_id == store_id, RUN.c.kind.in_(tuple(kinds)))
        .order_by(RUN.c.requested_at.desc(), RUN.c.run_id)
        .limit(1)
    ).first()


def requeue_ended(
    session: Session,
    run_id: str,
    *,
    name: str,
    priority: Priority | None = None,
    counted: bool = False,
    detail: str = "",
) -> None:
    """An ended run back to queued, its checkpoint kept. `counted`: it was tried by itself."""
    values: dict[str, Any] = {
        "status": RunStatus.QUEUED.value,
        "due_at": db_now(session),
        "attempt": 0,
        "failing_since": None,
        "retry_at": None,
        "error": None,
        "error_kind": None,
        "request_ref": None,
        "waiting": None,
        "ended_by": None,
        "finished_at": None,
        "fence": RUN.c.fence + 1,
        "seq": RUN.c.seq + 1,
        "retries": RUN.c.retries + 1 if counted else 0,
    }
    if priority is not None:
        values["priority"] = priority.rank
    row = session.execute(
        sa.update(RUN)
        .where(
            RUN.c.run_id == run_id,
            RUN.c.status.in_((RunStatus.FAILED.value, RunStatus.CANCELLED.value)),
        )
        .values(**values)
        .returning(RUN.c.store_id, RUN.c.fence)
    ).first()
    if row is None:
        return
    session.execute(
        sa.update(STAGE)
        .where(STAGE.c.run_id == run_id, STAGE.c.state == StageState.FAILED.value)
        .values(state=StageState.QUEUED.value, finished_at=None, note=None)
    )
    note_event(
        session, run_id=run_id, store_id=row.store_id, name=name, fence=row.fence, detail=detail
    )


def claim_next(
    session: Session,
    *,
    owner: str,
    oldest_first: bool,
    run_id: str | None = None,
    store_id: str | None = None,
) -> Claim | None:
    """Claim the best due run among stores that have none running and are not paused.

    `oldest_first` takes the longest waiting whatever its priority, so that nothing starves.
    `run_id` limits the choice to one run, `store_id` to one store (a sync followed in the
    caller's own process).
    """
    running = RUN.alias("running")
    now = db_now(session)
    order = (RUN.c.due_at, RUN.c.priority) if oldest_first else (RUN.c.priority, RUN.c.due_at)
    query = (
        sa.select(RUN.c.run_id, RUN.c.fence)
        .join(STORE, STORE.c.store_id == RUN.c.store_id)
        .where(
            RUN.c.status == RunStatus.QUEUED.value,
            RUN.c.due_at <= now,
            STORE.c.paused_at.is_(None),
            ~sa.exists().where(
                running.c.store_id == RUN.c.store_id,
                running.c.status == RunStatus.RUNNING.value,
            ),
        )
        .order_by(*order)
        # One row and no more: what is locked here is hidden from all who claim meanwhile.
        .limit(1)
        .with_for_update(of=RUN, skip_locked=True)
    )
    if run_id is not None:
        query = query.where(RUN.c.run_id == run_id)
    elif not oldest_first:
        # Hidden by another's lock, the best run of a store must not let its second best pass.
        better = RUN.alias("better")
        query = query.where(
            ~sa.exists().where(
                better.c.store_id == RUN.c.store_id,
                better.c.status == RunStatus.QUEUED.value,
                better.c.due_at <= now,
                better.c.priority < RUN.c.priority,
            )
        )
    if store_id is not None:
        query = query.where(RUN.c.store_id == store_id)
    tried: list[str] = []
    while len(tried) < _CANDIDATES:
        candidate = session.execute(query.where(RUN.c.run_id.not_in(tried))).first()
        if candidate is None:
            return None
        claim = _claim(session, candidate.run_id, candidate.fence, owner)
        if claim is not None:
            return claim
        tried.append(candidate.run_id)
    return None


def _claim(session: Session, run_id: str, fence: int, owner: str) -> Claim | None:
    try:
        with session.begin_nested():
            row = session.execute(
                sa.update(RUN)
                .where(
                    RUN.c.run_id == run_id,
                    RUN.c.fence == fence,
                    RUN.c.status == RunStatus.QUEUED.value,
                )
                .values(
                    status=RunStatus.RUNNING.value,
                    fence=RUN.c.fence + 1,
                    beat=RUN.c.beat + 1,
                    seq=RUN.c.seq + 1,
                    owner=owner,
                    # A look at an export does not end the waiting for it: the next page does.
                    waiting=sa.case((RUN.c.waiting == "bulk", RUN.c.waiting), else_=None),
                    started_at=sa.func.coalesce(
                        RUN.c.started_at, sa.bindparam("now", type_=RUN.c.started_at.type)
                    ),
                )
                .returning(RUN),
                {"now": db_now(session)},
            ).first()
    except IntegrityError:
        # Another run of this store was claimed a moment ago: the next candidate, then.
        return None
    if row is None:
        return None
    store = session.execute(sa.select(STORE).where(STORE.c.store_id == row.store_id)).one()
    if store.epoch != row.epoch:
        # Ordered for an installation that is over.
        end_run(session, run_id, status=RunStatus.CANCELLED, name="obsolete")
        return None
    first_read_no = row.first_read_no
    if not first_read_no:
        first_read_no = store.read_no + 1
        session.execute(
            sa.update(RUN).where(RUN.c.run_id == run_id).values(first_read_no=first_read_no)
        )
    note_event(
        session,
        run_id=run_id,
        store_id=row.store_id,
        name="claimed",
        fence=row.fence,
        stage=row.stage,
        cursor=row.cursor,
        detail=owner,
    )
    return Claim(
        run_id=row.run_id,
        store_id=row.store_id,
        kind=Kind(row.kind),
        reason=row.reason,
        epoch=row.epoch,
        fence=row.fence,
        owner=owner,
        only=frozenset(Stage(part) for part in row.only.split(",")) if row.only else None,
        first_read_no=first_read_no,
        domain=store.domain,
        currency=store.currency,
        retries=row.retries,
    )


@dataclass(frozen=True, slots=True)
class Attempt:
    """Tries without progress so far, since when, and the database's present moment."""

    tries: int
    failing_since: datetime | None
    now: datetime


def attempt_of(session: Session, run_id: str) -> Attempt:
    """How long a run has been failing."""
    row = session.execute(
        sa.select(RUN.c.attempt, RUN.c.failing_since).where(RUN.c.run_id == run_id)
    ).one()
    return Attempt(tries=row.attempt, failing_since=row.failing_since, now=db_now(session))


def set_down(
    session: Session,
    claim: Claim,
    *,
    name: str,
    delay_s: float = 0.0,
    waiting: str | None = None,
    error: str | None = None,
    error_kind: str | None = None,
    request_ref: str | None = None,
    counts_as_try: bool = False,
) -> None:
    """Give a claimed run back to the queue, due in `delay_s`. Raises Fenced."""
    now = db_now(session)
    values: dict[str, Any] = {
        "status": RunStatus.QUEUED.value,
        "due_at": now + timedelta(seconds=delay_s),
        "waiting": waiting,
        "error": error,
        "error_kind": error_kind,
        "request_ref": request_ref,
        "fence": RUN.c.fence + 1,
        "seq": RUN.c.seq + 1,
    }
    if counts_as_try:
        values["attempt"] = RUN.c.attempt + 1
        values["failing_since"] = sa.func.coalesce(
            RUN.c.failing_since, sa.literal(now, type_=RUN.c.failing_since.type)
        )
        session.execute(
            sa.update(STAGE)
            .where(STAGE.c.run_id == claim.run_id, STAGE.c.state == StageState.RUNNING.value)
            .values(attempts=STAGE.c.attempts + 1)
        )
    _guarded(session, claim, values)
    note_event(
        session,
        run_id=claim.run_id,
        store_id=claim.store_id,
        name=name,
        fence=claim.fence,
        detail=error or waiting or "",
    )


def fail(
    session: Session,
    claim: Claim,
    *,
    error: str,
    error_kind: str,
    request_ref: str | None,
    retry_in_s: float | None,
) -> None:
    """End a claimed run FAILED; `retry_in_s` is when it is tried again by itself. Raises Fenced."""
    now = db_now(session)
    _guarded(
        session,
        claim,
        {
            "status": RunStatus.FAILED.value,
            "error": error,
            "error_kind": error_kind,
            "request_ref": request_ref,
            "waiting": None,
            "retry_at": now + timedelta(seconds=retry_in_s) if retry_in_s is not None else None,
            "attempt": RUN.c.attempt + 1,
            "finished_at": now,
            "fence": RUN.c.fence + 1,
            "seq": RUN.c.seq + 1,
        },
    )
    session.execute(
        sa.update(STAGE)
        .where(STAGE.c.run_id == claim.run_id, STAGE.c.state == StageState.RUNNING.value)
        .values(
            state=StageState.FAILED.value,
            attempts=STAGE.c.attempts + 1,
            finished_at=now,
            note=error,
        )
    )
    note_event(
        session,
        run_id=claim.run_id,
        store_id=claim.store_id,
        name="failed",
        fence=claim.fence,
        detail=f"{error_kind}: {error}",
    )


def cancel(session: Session, store_id: str, *, by: str, name: str = "cancelled") -> list[str]:
    """End every live run of the store, keeping what is stored; the ids of those that were live.

    `by` is a person's id, or the words for whoever is none; `name` is what the run's story calls
    it.
    """
    lock_store(session, store_id)
    rows = session.execute(
        sa.select(RUN.c.run_id).where(RUN.c.store_id == store_id, RUN.c.status.in_(LIVE))
    ).all()
    for row in rows:
        end_run(session, row.run_id, status=RunStatus.CANCELLED, name=name, by=by)
    return [str(row.run_id) for row in rows]


def end_run(
    session: Session,
    run_id: str,
    *,
    name: str,
    status: RunStatus = RunStatus.CANCELLED,
    by: str = "",
) -> None:
    """End a live run without asking its owner, who is fenced. The caller holds the store's lock."""
    row = session.execute(
        sa.update(RUN)
        .where(RUN.c.run_id == run_id)
        .values(
            status=status.value,
            waiting=None,
            ended_by=by or None,
            finished_at=db_now(session),
            fence=RUN.c.fence + 1,
            seq=RUN.c.seq + 1,
        )
        .returning(RUN.c.store_id, RUN.c.fence)
    ).one()
    session.execute(
        sa.update(STAGE)
        .where(STAGE.c.run_id == run_id, STAGE.c.state == StageState.RUNNING.value)
        .values(state=StageState.QUEUED.value)
    )
    note_event(session, run_id=run_id, store_id=row.store_id, name=name, fence=row.fence, detail=by)


def finish(session: Session, claim: Claim) -> str | None:
    """End a claimed run DONE, and insert what follows it in the same transaction.

    A full run is followed by the reading of its older orders, a run asked for again by another.
    Returns the id of what follows, if anything does. Raises Fenced.
    """
    store = lock_store(session, claim.store_id)
    now = db_now(session)
    if store.epoch != claim.epoch:
        raise Fenced
    row = _guarded(
        session,
        claim,
        {
            "status": RunStatus.DONE.value,
            "percent": 100,
            "waiting": None,
            "error": None,
            "error_kind": None,
            "finished_at": now,
            "fence": RUN.c.fence + 1,
            "seq": RUN.c.seq + 1,
        },
    )
    note_event(
        session, run_id=claim.run_id, store_id=claim.store_id, name="done", fence=claim.fence
    )
    stages = {
        found.stage: found
        for found in session.execute(sa.select(STAGE).where(STAGE.c.run_id == claim.run_id))
    }
    values = _learnt(claim, store, row, stages, now=now)
    if values:
        session.execute(sa.update(STORE).where(STORE.c.store_id == claim.store_id).values(**values))
    store = session.execute(sa.select(STORE).where(STORE.c.store_id == claim.store_id)).one()
    customers = stages.get(Stage.CUSTOMERS.value)
    left_out = customers is not None and customers.state in _LEFT_UNREAD
    follows = _once_more(session, store, row, chosen=left_out and store.reads_customers)
    if claim.only is None or Stage.ORDERS in claim.only or claim.kind is Kind.HISTORICAL:
        history = read_history(session, store, after=claim.kind, now=now)
        follows = follows or history
    return follows


def _learnt(
    claim: Claim, store: Any, run: Any, stages: dict[str, Any], *, now: datetime
) -> dict[str, Any]:
    """What a whole run tells about its store."""
    if claim.kind is Kind.HISTORICAL:
        return history_learnt(store, stages[Stage.HISTORY.value])
    values: dict[str, Any] = {"last_synced_at": now}
    customers = stages.get(Stage.CUSTOMERS.value)
    if customers is not None:
        # Fields that are hidden are no reason to read everybody again and again.
        read = customers.state in _READ or bool(customers.restricted)
        values["customers_unread"] = not read
        if read:
            values["customers_read_at"] = now
    if claim.only is None or claim.only >= CHOSEN:
        # Never back: a run that waited long for its last try began before others that are whole.
        values["synced_until"] = max(filter(None, (run.shop_at, store.synced_until)), default=None)
        if run.checks:
            values["checked_at"] = now
    if claim.kind is Kind.FULL:
        # Its own orders tell now when its quiet hour is.
        values |= {"next_sync_at": None, "nightly_at": None}
    return values


def history_learnt(store: Any, history: Any) -> dict[str, Any]:
    """What the store knows once a run's reading of the older orders (its stage's row) counts."""
    if history.state != StageState.DONE.value:
        return {}
    begins = history.created_from
    if store.history_done and begins is not None:
        # What was read from further back is still there, and still followed.
        begins = store.history_from and min(begins, store.history_from)
    return {"history_done": True, "history_from": begins}


def _once_more(session: Session, store: Any, run: Any, *, chosen: bool) -> str | None:
    """Queue what was asked for, or chosen, while the run was under way; its id."""
    if not (run.again or chosen) or has_live(session, store.store_id, FRONT):
        return None
    return insert_run(
        session,
        store.store_id,
        kind=Kind.INCREMENTAL,
        priority=_priority(run.again_priority) if run.again else Priority.MANUAL,
        reason=(run.again_reason or "again") if run.again else "chosen",
        epoch=store.epoch,
    )


def _priority(rank: int | None) -> Priority:
    return next((each for each in Priority if each.rank == rank), Priority.INCREMENTAL)


def read_history(session: Session, store: Any, *, after: Kind | None, now: datetime) -> str | None:
    """Queue the reading of the older orders, as far as they are chosen, unless they are whole or
    under way; its id. The caller holds the store's lock.

    Not only after a full run: a reading that was cancelled, that failed, or that Shopify did not
    allow at the time would otherwise be called "in the background" for ever. `after`: the kind
    of the run that has just ended, None for a new choice.
    """
    selection = selection_of(store)
    anew = after is Kind.FULL
    # What was hidden of the older orders too, and is not hidden of the recent ones any more.
    hidden = restrictions.of(session, store.store_id, epoch=store.epoch)
    shown = after is Kind.INCREMENTAL and "history" in hidden and "orders" not in hidden
    whole = store.history_done and not anew and not shown
    reached = store.history_from if whole else store.recent_from
    if reached is not None and not selection.wants_older(reached, now=now):
        if not store.history_done:
            session.execute(
                sa.update(STORE)
                .where(STORE.c.store_id == store.store_id)
                .values(history_done=True, history_from=reached)
            )
        return None
    kinds = (Kind.HISTORICAL.value,)
    if reached is None or store.recent_from is None:
        # Whole from the very first order, or not even the recent ones were begun.
        return None
    if not reads_history(store.scopes) or has_live(session, store.store_id, kinds):
        return None
    before = newest_run(session, store.store_id, kinds)
    oldest = selection.oldest(now)
    if (
        before is not None
        and before.epoch == store.epoch
        and not anew
        and _reaches(session, before, oldest)
    ):
        if before.status != RunStatus.DONE.value:
            if before.retry_at is None:
                requeue_ended(session, before.run_id, name="taken up again")
                return str(before.run_id)
            return None
        if not shown and not _worth_reading_again(session, before, now=now):
            return None
    return insert_run(
        session,
        store.store_id,
        kind=Kind.HISTORICAL,
        priority=Priority.HISTORY,
        reason="history",
        epoch=store.epoch,
        created_from=oldest,
        # Shopify's "<" means "<=", so the second before what is whole already begins.
        created_before=reached - timedelta(seconds=1),
    )


def _reaches(session: Session, run: Any, oldest: datetime | None) -> bool:
    """Whether a history run reads as far back as is chosen now, and no further."""
    begins: datetime | None = session.execute(
        sa.select(STAGE.c.created_from).where(
            STAGE.c.run_id == run.run_id, STAGE.c.stage == Stage.HISTORY.value
        )
    ).scalar()
    return (begins is None) == (oldest is None)


def _worth_reading_again(session: Session, run: Any, *, now: datetime) -> bool:
    """Whether a history run that ended without being whole may end otherwise now."""
    state = session.execute(
        sa.select(STAGE.c.state).where(
            STAGE.c.run_id == run.run_id, STAGE.c.stage == Stage.HISTORY.value
        )
    ).scalar()
    if state == StageState.RESTRICTED.value:
        return False
    return state != StageState.GAP.value or run.finished_at < now - GAP_REST


def reads_history(scopes: str) -> bool:
    """Whether a store's granted scopes reach orders older than 60 days."""
    return "read_all_orders" in scopes.split(",")


def _guarded(session: Session, claim: Claim, values: dict[str, Any]) -> Any:
    row = session.execute(
        sa.update(RUN)
        .where(
            RUN.c.run_id == claim.run_id,
            RUN.c.fence == claim.fence,
            RUN.c.status == RunStatus.RUNNING.value,
        )
        .values(**values)
        .returning(RUN)
    ).first()
    if row is None:
        raise Fenced
    return row


_LIVE_OF_KINDS: Final = sa.select(RUN.c.run_id).where(
    RUN.c.store_id == sa.bindparam("store"),
    RUN.c.status.in_(LIVE),
    RUN.c.kind.in_(sa.bindparam("kinds", expanding=True)),
)


def has_live(session: Session, store_id: str, kinds: Iterable[str]) -> bool:
    """Whether a run of these kinds is queued or running for the store."""
    asked = {"store": store_id, "kinds": tuple(kinds)}
    return session.execute(_LIVE_OF_KINDS, asked).first() is not None
