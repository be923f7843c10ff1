"""The slices of a run in SQL: `sync.slices.SliceBook`, guarded by the run's fence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Concatenate, Final, NamedTuple, ParamSpec, TypeVar

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.db import runs
from brandmind.db.session import Database, db_now
from brandmind.db.tables import EVENT, RUN, SLICE, STAGE, STORE
from brandmind.errors import Fenced
from brandmind.sync.ports import Total, Window
from brandmind.sync.slices import Layout, Mode, Operation, Patience, Slice, SliceState
from brandmind.sync.stages import RunStatus, Stage

P = ParamSpec("P")
T = TypeVar("T")

# Shopify itself is not older.
_FIRST_SHOP: Final = datetime(2006, 1, 1, tzinfo=UTC)
_AT_SHOPIFY: Final = (SliceState.ASKED.value, SliceState.RUNNING.value, SliceState.READY.value)


class SqlSlices:
    """The slices of one claim; `sync.slices.SliceBook` says what each method promises."""

    def __init__(self, db: Database, claim: runs.Claim) -> None:
        self._db = db
        self._claim = claim

    async def layout(self, stage: Stage) -> Layout:
        return await self._db.read(_layout, self._claim, stage)

    async def keep(self, stage: Stage, slices: Sequence[Slice], *, reason: str) -> None:
        await self._write(_keep, stage, slices, reason)

    async def asking(self, stage: Stage, number: int) -> Slice:
        return await self._write(_asking, stage, number)

    async def started(self, stage: Stage, number: int, operation: Operation) -> Slice:
        return await self._write(_started, stage, number, operation)

    async def looked(self, stage: Stage, number: int, operation: Operation) -> Patience:
        return await self._write(_looked, stage, number, operation)

    async def drop(self, stage: Stage, number: int, *, why: str) -> Slice:
        return await self._write(_drop, stage, number, why)

    async def page_instead(self, stage: Stage, number: int, *, why: str) -> Slice:
        return await self._write(_page_instead, stage, number, why)

    async def landed(self, stage: Stage, number: int) -> None:
        await self._write(_set, stage, number, state=SliceState.LANDED.value)

    async def is_ours(self, gid: str) -> bool:
        return await self._db.read(_is_ours, self._claim.store_id, gid)

    async def _write(
        self,
        act: Callable[Concatenate[Session, runs.Claim, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        def guarded(session: Session) -> T:
            _hold(session, self._claim)
            return act(session, self._claim, *args, **kwargs)

        return await self._db.write(guarded)


class AtShopify(NamedTuple):
    """An export that a run has asked for and nobody may need any more."""

    run_id: str
    operation: str


def at_shopify(session: Session, run_ids: Iterable[str]) -> list[AtShopify]:
    """The exports these runs have under way or ready."""
    rows = session.execute(
        sa.select(SLICE.c.run_id, SLICE.c.operation).where(
            SLICE.c.run_id.in_(tuple(run_ids)),
            SLICE.c.operation.is_not(None),
            SLICE.c.state.in_((SliceState.ASKED.value, SliceState.RUNNING.value)),
        )
    )
    return [AtShopify(row.run_id, row.operation) for row in rows]


def live(session: Session, run_ids: Iterable[str]) -> set[str]:
    """Which of these runs are queued or running."""
    rows = session.execute(
        sa.select(RUN.c.run_id).where(RUN.c.run_id.in_(tuple(run_ids)), RUN.c.status.in_(runs.LIVE))
    )
    return {row.run_id for row in rows}


def live_runs(session: Session, store_id: str) -> list[str]:
    """The live runs of a store."""
    rows = session.execute(
        sa.select(RUN.c.run_id).where(RUN.c.store_id == store_id, RUN.c.status.in_(runs.LIVE))
    )
    return [row.run_id for row in rows]


def _hold(session: Session, claim: runs.Claim) -> None:
    """Lock the store and the run for this transaction. Raises Fenced if either is another's."""
    store = runs.lock_store(session, claim.store_id)
    if store.epoch != claim.epoch:
        raise Fenced
    row = session.execute(
        sa.select(RUN.c.run_id)
        .where(
            RUN.c.run_id == claim.run_id,
            RUN.c.fence == claim.fence,
            RUN.c.status == RunStatus.RUNNING.value,
        )
        .with_for_update(key_share=True)
    ).first()
    if row is None:
        raise Fenced


def _here(claim: runs.Claim, stage: Stage, number: int | None = None) -> list[Any]:
    where = [SLICE.c.run_id == claim.run_id, SLICE.c.stage == stage.value]
    return where if number is None else [*where, SLICE.c.number == number]


def _layout(session: Session, claim: runs.Claim, stage: Stage) -> Layout:
    at = session.execute(
        sa.select(STAGE).where(STAGE.c.run_id == claim.run_id, STAGE.c.stage == stage.value)
    ).one()
    store = session.execute(
        sa.select(STORE.c.shop_created_at).where(STORE.c.store_id == claim.store_id)
    ).one()
    rows = session.execute(
        sa.select(SLICE)
        .where(*_here(claim, stage), SLICE.c.reading == at.readings)
        .order_by(SLICE.c.number)
    )
    now = db_now(session)
    return Layout(
        slices=tuple(_slice(row, now=now) for row in rows),
        total=Total(at.total, exact=at.exact) if at.total is not None else None,
        mark=f"brandmind.{claim.store_id}-{claim.epoch}-{claim.run_id}-{at.readings}",
        floor=store.shop_created_at or _FIRST_SHOP,
    )


def _slice(row: Any, *, now: datetime | None = None) -> Slice:
    return Slice(
        number=row.number,
        window=Window(row.created_from, row.created_before),
        mode=Mode(row.mode),
        counted=row.counted,
        state=SliceState(row.state),
        attempt=row.attempt,
        read_no=row.read_no,
        operation=row.operation,
        asked_s=(now - row.asked_at).total_seconds() if now and row.asked_at else 0.0,
    )


def _keep(
    session: Session, claim: runs.Claim, stage: Stage, slices: Sequence[Slice], reason: str
) -> None:
    dropped = session.execute(
        sa.delete(SLICE).where(*_here(claim, stage)).returning(SLICE.c.number)
    )
    if not slices:
        if dropped.first() is not None or not _is_planned(session, claim, stage):
            _note(session, claim, stage, "planned", reason)
        return
    reading = session.execute(
        sa.select(STAGE.c.readings).where(
            STAGE.c.run_id == claim.run_id, STAGE.c.stage == stage.value
        )
    ).scalar_one()
    session.execute(
        sa.insert(SLICE),
        [
            {
                "run_id": claim.run_id,
                "stage": stage.value,
                "number": one.number,
                "reading": reading,
                "created_from": one.window.created_from,
                "created_before": one.window.created_before,
                "mode": one.mode.value,
                "counted": one.counted,
                "state": one.state.value,
                "attempt": 0,
                "read_no": 0,
                "status": "",
                "objects": 0,
                "roots": 0,
            }
            for one in slices
        ],
    )
    _note(session, claim, stage, "planned", reason)


def _is_planned(session: Session, claim: runs.Claim, stage: Stage) -> bool:
    """Whether the run's story says already how it reads the stage."""
    found = session.execute(
        sa.select(EVENT.c.event_id)
        .where(
            EVENT.c.run_id == claim.run_id,
            EVENT.c.stage == stage.value,
            EVENT.c.name == "planned",
        )
        .limit(1)
    ).first()
    return found is not None


def _asking(session: Session, claim: runs.Claim, stage: Stage, number: int) -> Slice:
    read_no = session.execute(
        sa.update(STORE)
        .where(STORE.c.store_id == claim.store_id)
        .values(read_no=STORE.c.read_no + 1)
        .returning(STORE.c.read_no)
    ).scalar_one()
    return _set(
        session, claim, stage, number,
        state=SliceState.ASKED.value, attempt=SLICE.c.attempt + 1, read_no=read_no,
        operation=None, status="", asked_at=db_now(session), moved_at=db_now(session),
    )  # fmt: skip


def _started(
    session: Session, claim: runs.Claim, stage: Stage, number: int, operation: Operation
) -> Slice:
    now = db_now(session)
    return _set(
        session, claim, stage, number,
        state=SliceState.RUNNING.value, operation=operation.gid, status=operation.status,
        operation_at=operation.created_at, asked_at=now, moved_at=now,
    )  # fmt: skip


def _looked(
    session: Session, claim: runs.Claim, stage: Stage, number: int, operation: Operation
) -> Patience:
    now = db_now(session)
    row = session.execute(sa.select(SLICE).where(*_here(claim, stage, number))).one()
    moved_at = row.moved_at or now
    if (row.status, row.objects, row.roots) != (
        operation.status, operation.objects, operation.roots,
    ):  # fmt: skip
        moved_at = now
    _set(
        session, claim, stage, number,
        state=SliceState.READY.value if operation.status == "COMPLETED" else row.state,
        status=operation.status, objects=operation.objects, roots=operation.roots,
        moved_at=moved_at,
    )  # fmt: skip
    asked_s = (now - (row.asked_at or now)).total_seconds()
    return Patience(asked_s=asked_s, still_s=(now - moved_at).total_seconds())


def _drop(session: Session, claim: runs.Claim, stage: Stage, number: int, why: str) -> Slice:
    _note(session, claim, stage, "export failed", f"slice {number}: {why}; asked for again")
    return _set(
        session, claim, stage, number,
        state=SliceState.PLANNED.value, operation=None, status="",
    )  # fmt: skip


def _page_instead(
    session: Session, claim: runs.Claim, stage: Stage, number: int, why: str
) -> Slice:
    _note(session, claim, stage, "export failed", f"slice {number}: {why}; paged instead")
    return _set(
        session, claim, stage, number,
        state=SliceState.PLANNED.value, mode=Mode.PAGED.value, operation=None, status="",
    )  # fmt: skip


def _set(session: Session, claim: runs.Claim, /, stage: Stage, number: int, **values: Any) -> Slice:
    row = session.execute(
        sa.update(SLICE).where(*_here(claim, stage, number)).values(**values).returning(SLICE)
    ).first()
    if row is None:
        # Planned anew by somebody who holds the run now.
        raise Fenced
    return _slice(row)


def _is_ours(session: Session, store_id: str, gid: str) -> bool:
    found = session.execute(
        sa.select(SLICE.c.run_id)
        .join(RUN, RUN.c.run_id == SLICE.c.run_id)
        .where(
            RUN.c.store_id == store_id,
            RUN.c.status.in_(runs.LIVE),
            SLICE.c.operation == gid,
            SLICE.c.state.in_(_AT_SHOPIFY),
        )
    ).first()
    return found is not None


def _note(session: Session, claim: runs.Claim, stage: Stage, name: str, detail: str) -> None:
    runs.note_event(
        session,
        run_id=claim.run_id,
        store_id=claim.store_id,
        name=name,
        fence=claim.fence,
        stage=stage.value,
        detail=detail,
    )
