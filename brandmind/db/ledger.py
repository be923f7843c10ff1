"""The durable memory of one claimed run: `sync.ports.Ledger` over SQL.

Lock order everywhere: store, run, then rows. The store's row lock makes one writer of a store;
the fence makes it the right one; the epoch makes it this installation's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import orjson
import sqlalchemy as sa
from sqlmodel import Session

from brandmind.clock import new_id
from brandmind.commerce.shop import ShopFacts, zone
from brandmind.db import (
    burials,
    portraits,
    proofs,
    rejects,
    restrictions,
    retime,
    rollups,
    runs,
    upserts,
)
from brandmind.db.portraits import Portrait
from brandmind.db.session import Database, db_now
from brandmind.db.tables import OUTBOX, RUN, STAGE, STORE
from brandmind.errors import Fenced, NotFound
from brandmind.sync import status
from brandmind.sync.engine import END
from brandmind.sync.ports import Checkpoint, Found, Known, Page, Proof, ProofPlan, Total, Window
from brandmind.sync.progress import StageProgress
from brandmind.sync.stages import PAGED, UNPROVEN, Kind, RunStatus, Stage, StageState

P = ParamSpec("P")
T = TypeVar("T")

# The shop's search index lags its writes, so a window begins before the last one ended.
OVERLAP: Final = timedelta(minutes=5)
# So long a run may wait for its first claim before others give way to it: free slots are quicker.
_UNHEARD: Final = timedelta(milliseconds=300)
# Records that are looked at to see whether the shop shows again what it hid.
_SAMPLE: Final = 15


class SqlLedger:
    """The ledger of one claim; `sync.ports.Ledger` says what each method promises."""

    def __init__(self, db: Database, claim: runs.Claim) -> None:
        self.db = db
        self.claim = claim
        self.announced_seq = 0

    async def checkpoint(self, stage: Stage) -> Checkpoint:
        return await self.db.read(_checkpoint, self.claim, stage)

    async def stages(self) -> tuple[Stage, ...]:
        """The stages of the run, in order."""
        return await self.db.read(_stages, self.claim)

    async def keep_shop(self, facts: ShopFacts) -> None:
        await self._write(_keep_shop, facts)

    async def keep_totals(self, totals: dict[Stage, Total]) -> None:
        """What the shop says it holds, known before the reading begins."""
        await self._write(_keep_totals, totals)

    async def begin(self, stage: Stage, *, total: Total | None) -> Checkpoint:
        return await self._write(_begin, stage, total)

    async def take_read_no(self) -> int:
        return await self.db.write(_take_read_no, self.claim)

    async def land(self, page: Page, *, after: str) -> Checkpoint:
        return await self._write(_land, page, after, self.announced_seq)

    async def proof_plan(self, stage: Stage) -> ProofPlan:
        return await self._owned(proofs.plan, stage)

    async def prove(self, stage: Stage, counted: dict[Window, Total]) -> tuple[Proof, ...]:
        # Counting a large store takes its time: it is done before the lock is taken.
        stored = await self.db.read(proofs.stored, self.claim.store_id, stage, tuple(counted))
        return await self._owned(proofs.prove, stage, counted, stored)

    async def known(self, stage: Stage, window: Window) -> Known:
        return await self.db.read(proofs.known, self.claim.store_id, stage, window)

    async def compared(
        self, stage: Stage, window: Window, *, redacted: int, complete: bool
    ) -> None:
        await self._owned(proofs.compared, stage, window, redacted=redacted, complete=complete)

    async def bury(self, stage: Stage, ids: Sequence[int], *, read_no: int) -> None:
        await self._owned(_bury, stage, ids, read_no)

    async def land_found(self, stage: Stage, found: Found, *, read_no: int) -> None:
        await self._owned(_land_found, stage, found, read_no)

    async def orders_of(self, customers: Sequence[int]) -> list[int]:
        return await self.db.read(proofs.orders_of, self.claim.store_id, customers)

    async def customers_of(self, orders: Sequence[int]) -> list[int]:
        return await self.db.read(proofs.customers_of, self.claim.store_id, orders)

    async def buyers_of_late(self) -> list[int]:
        return await self.db.read(proofs.buyers_of_late, self.claim)

    async def not_seen_again(self, stage: Stage) -> list[int]:
        return await self.db.read(proofs.not_seen_again, self.claim, stage)

    async def orders_of_nobody(self) -> list[int]:
        return await self.db.read(proofs.orders_of_nobody, self.claim.store_id)

    async def customers_miscounted(self) -> list[int]:
        return await self.db.read(proofs.customers_miscounted, self.claim.store_id)

    async def rejected(self, stage: Stage) -> list[int]:
        return await self.db.read(rejects.to_try_again, self.claim, stage)

    async def unreadable(self, stage: Stage) -> int:
        return await self.db.read(rejects.count, self.claim.store_id, stage)

    async def scopes(self) -> frozenset[str]:
        return await self.db.read(_scopes, self.claim.store_id)

    async def waits(self) -> bool:
        """Say that the shop asked to slow down; False if that was said since the last page."""
        return await self._write(_waits)

    async def finish(self, stage: Stage, state: StageState, *, note: str | None = None) -> None:
        await self._write(_finish_stage, stage, state, note)

    async def some(self, stage: Stage) -> list[int]:
        return await self.db.read(_some, self.claim.store_id, stage)

    async def reopen(self, stage: Stage) -> Checkpoint:
        await self._owned(_reopen, stage)
        return await self.checkpoint(stage)

    async def retime(self) -> None:
        after: int | None = 0
        while after is not None:
            after = await self._owned(_retime, after)

    async def restart(self, stage: Stage, *, window: Window, total: Total) -> bool:
        return await self._write(_restart, stage, window, total)

    async def recount(self) -> None:
        while await self._write(_recount):
            pass

    async def keep_stock(self, *, day: date) -> None:
        """Write down what of each product can be sold on this shop-local day."""
        await self._write(_keep_stock, day)

    async def keep_portrait(self, portrait: Portrait) -> None:
        """Keep a portrait of the store."""
        await self._write(_keep_portrait, portrait)

    async def notify(self) -> None:
        await self._write(_notify)

    async def should_yield(self, *, slice_over: bool) -> bool:
        return await self.db.read(_should_yield, self.claim, slice_over)

    async def _write(
        self,
        act: Callable[Concatenate[Session, runs.Claim, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        return await self.db.write(act, self.claim, *args, **kwargs)

    async def _owned(
        self,
        act: Callable[Concatenate[Session, runs.Claim, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """The act in a transaction that owns the store and the run."""

        def owned(session: Session, claim: runs.Claim) -> T:
            _own(session, claim)
            return act(session, claim, *args, **kwargs)

        return await self.db.write(owned, self.claim)


def _own(session: Session, claim: runs.Claim, **values: Any) -> Any:
    """Lock the store and the run, and move the run on. Raises Fenced if either is another's."""
    store = runs.lock_store(session, claim.store_id)
    if store.epoch != claim.epoch:
        raise Fenced
    row = session.execute(
        sa.update(RUN)
        .where(
            RUN.c.run_id == claim.run_id,
            RUN.c.fence == claim.fence,
            RUN.c.status == RunStatus.RUNNING.value,
        )
        .values(beat=RUN.c.beat + 1, seq=RUN.c.seq + 1, **values)
        .returning(RUN)
    ).first()
    if row is None:
        raise Fenced
    return row


def _stages(session: Session, claim: runs.Claim) -> tuple[Stage, ...]:
    rows = session.execute(
        sa.select(STAGE.c.stage).where(STAGE.c.run_id == claim.run_id).order_by(STAGE.c.position)
    )
    return tuple(Stage(row.stage) for row in rows)


def _checkpoint(session: Session, claim: runs.Claim, stage: Stage) -> Checkpoint:
    row = session.execute(
        sa.select(STAGE).where(STAGE.c.run_id == claim.run_id, STAGE.c.stage == stage.value)
    ).one()
    run = session.execute(sa.select(RUN).where(RUN.c.run_id == claim.run_id)).one()
    return _as_checkpoint(
        row,
        cursor=run.cursor if run.stage == stage.value else "",
        floor=_floor(session, claim, stage),
    )


def _floor(session: Session, claim: runs.Claim, stage: Stage) -> datetime | None:
    """The moment before which no order was chosen: changes of older ones bring no stray rows."""
    if stage is not Stage.ORDERS:
        return None
    store = session.execute(sa.select(STORE).where(STORE.c.store_id == claim.store_id)).one()
    return _orders_floor(store, None)


def _orders_floor(store: Any, at: datetime | None) -> datetime | None:
    floor: datetime | None = store.history_from
    if not store.history_done:
        # Not known to be whole from anywhere yet: the choice itself, at a moment that stays.
        floor = runs.selection_of(store).oldest(at) if at is not None else None
    return floor


def _as_checkpoint(row: Any, *, cursor: str, floor: datetime | None = None) -> Checkpoint:
    proof = Window(created_from=row.created_from, created_before=row.created_before)
    window = proof
    if row.readings > 1:
        window = Window(created_from=row.again_from, created_before=row.again_before)
    elif Stage(row.stage) in UNPROVEN:
        window = replace(proof, updated_from=row.updated_from)
    elif row.updated_from is not None:
        window = Window(updated_from=row.updated_from, created_from=floor)
    return Checkpoint(
        stage=Stage(row.stage),
        state=StageState(row.state),
        cursor=cursor,
        done=row.done,
        total=row.total,
        exact=row.exact,
        readings=row.readings,
        restricted=row.restricted,
        window=window,
        proof=proof,
    )


def _keep_shop(session: Session, claim: runs.Claim, facts: ShopFacts) -> None:
    store = runs.lock_store(session, claim.store_id)
    nightly = claim.reason == runs.NIGHTLY
    checks = claim.kind is Kind.INCREMENTAL and (nightly or proofs.check_due(session, store))
    _own(session, claim, shop_at=facts.answered_at, checks=checks)
    recent_from = store.recent_from
    if recent_from is None or claim.kind is Kind.FULL:
        recent_from = runs.selection_of(store).recent(facts.answered_at)
    values: dict[str, Any] = {
        "shop_id": facts.shopify_id,
        "name": facts.name,
        "currency": facts.currency,
        "timezone": facts.timezone,
        "country_code": facts.country_code,
        "plan": facts.plan,
        "taxes_included": facts.taxes_included,
        "shop_created_at": facts.created_at,
        "scopes": ",".join(sorted(facts.scopes)),
        "recent_from": recent_from,
    }
    hidden = restrictions.of(session, claim.store_id, epoch=claim.epoch)
    # Orders of the last sixty days only, until now: the others are read as if for the first time.
    widened = "read_all_orders" in facts.scopes and not runs.reads_history(store.scopes)
    anew = {key for key, row in hidden.items() if not row.fields} | (
        {"orders"} if widened else set()
    )
    if "orders" in anew and (claim.only is None or Stage.ORDERS in claim.only):
        values["history_done"] = False
    if not store.days_timezone:
        # Where nothing is stored yet, nothing is to be reckoned again.
        stored = _some(session, claim.store_id, Stage.ORDERS)
        values["days_timezone"] = store.timezone if stored else facts.timezone
    session.execute(sa.update(STORE).where(STORE.c.store_id == claim.store_id).values(**values))
    for stage in PAGED:
        kind = Kind.FULL if stage.resource in anew else claim.kind
        window = _window(kind, stage, facts=facts, store=store, recent=recent_from)
        if kind is Kind.INCREMENTAL and stage.resource in hidden:
            window["restricted"] = hidden[stage.resource].fields
        session.execute(
            sa.update(STAGE)
            .where(STAGE.c.run_id == claim.run_id, STAGE.c.stage == stage.value)
            .values(**window)
        )


def _window(
    kind: Kind, stage: Stage, *, facts: ShopFacts, store: Any, recent: Any
) -> dict[str, Any]:
    # Customers who were not followed for a while have to be read whole, not only the changes.
    whole = stage is Stage.CUSTOMERS and store.customers_unread
    if kind is Kind.INCREMENTAL and store.synced_until is not None and not whole:
        since = None
        if stage is Stage.ORDERS:
            since = store.history_from if store.history_done else recent
        return {
            "updated_from": store.synced_until - OVERLAP,
            "created_from": since,
            "created_before": facts.answered_at,
        }
    # Closed at the shop's own clock: what is created while we read belongs to the next sync, so
    # that the shop's count of the window and ours can be held against each other.
    floor = _orders_floor(store, facts.answered_at)
    if stage in (Stage.LATE_PRODUCTS, Stage.LATE_CUSTOMERS):
        return {"updated_from": facts.answered_at - OVERLAP}
    if stage is Stage.LATE_ORDERS:
        return {"updated_from": facts.answered_at - OVERLAP, "created_from": floor}
    if stage is Stage.OLDER_ORDERS:
        return {
            "created_from": floor,
            "created_before": recent - timedelta(seconds=1),
            "updated_from": recent,
        }
    if stage is Stage.ORDERS:
        return {"created_from": recent, "created_before": facts.answered_at}
    if stage is Stage.HISTORY:
        return {"created_before": recent - timedelta(seconds=1)}
    return {"created_before": facts.answered_at}


def _keep_totals(session: Session, claim: runs.Claim, totals: dict[Stage, Total]) -> None:
    _own(session, claim)
    for stage, total in totals.items():
        _raise_total(session, claim, stage, total)


def _raise_total(session: Session, claim: runs.Claim, stage: Stage, total: Total) -> None:
    session.execute(
        sa.update(STAGE)
        .where(
            STAGE.c.run_id == claim.run_id,
            STAGE.c.stage == stage.value,
            sa.or_(STAGE.c.total.is_(None), STAGE.c.total < total.count),
        )
        .values(total=total.count, exact=total.exact)
    )


def _waits(session: Session, claim: runs.Claim) -> bool:
    row = session.execute(
        sa.update(RUN)
        .where(
            RUN.c.run_id == claim.run_id,
            RUN.c.fence == claim.fence,
            RUN.c.status == RunStatus.RUNNING.value,
            RUN.c.waiting.is_(None),
        )
        .values(
            waiting="throttled",
            error="Shopify asked us to slow down. Continuing by itself.",
            error_kind="throttled",
            seq=RUN.c.seq + 1,
        )
        .returning(RUN.c.run_id)
    ).first()
    return row is not None


def _begin(session: Session, claim: runs.Claim, stage: Stage, total: Total | None) -> Checkpoint:
    row = session.execute(sa.select(RUN).where(RUN.c.run_id == claim.run_id)).one()
    cursor = row.cursor if row.stage == stage.value else ""
    _own(session, claim, stage=stage.value, cursor=cursor)
    now = db_now(session)
    session.execute(
        sa.update(STAGE)
        .where(STAGE.c.run_id == claim.run_id, STAGE.c.stage == stage.value)
        .values(
            state=StageState.RUNNING.value,
            started_at=sa.func.coalesce(
                STAGE.c.started_at, sa.literal(now, type_=STAGE.c.started_at.type)
            ),
        )
    )
    if total is not None:
        _raise_total(session, claim, stage, total)
    runs.note_event(
        session,
        run_id=claim.run_id,
        store_id=claim.store_id,
        name="resumed" if cursor else "began",
        fence=claim.fence,
        stage=stage.value,
        cursor=cursor,
    )
    found = session.execute(
        sa.select(STAGE).where(STAGE.c.run_id == claim.run_id, STAGE.c.stage == stage.value)
    ).one()
    return _as_checkpoint(found, cursor=cursor, floor=_floor(session, claim, stage))


def _take_read_no(session: Session, claim: runs.Claim) -> int:
    taken: int | None = session.execute(
        _TAKE_READ_NO, {"store": claim.store_id, "claimed": claim.epoch}
    ).scalar_one_or_none()
    if taken is None:
        raise Fenced
    return taken


# What each page asks is built once: SQLAlchemy takes longer to build and to recognise a statement
# than SQLite takes to run it.
_STORE: Final = (
    sa.select(STORE.c.epoch, STORE.c.timezone)
    .where(STORE.c.store_id == sa.bindparam("store"))
    .with_for_update(key_share=True)
)
_READ_SO_FAR: Final = (
    sa.select(STAGE.c.done, STAGE.c.total, RUN.c.percent)
    .join(RUN, RUN.c.run_id == STAGE.c.run_id)
    .where(STAGE.c.run_id == sa.bindparam("run"))
)
_TAKE_READ_NO: Final = (
    sa.update(STORE)
    .where(STORE.c.store_id == sa.bindparam("store"), STORE.c.epoch == sa.bindparam("claimed"))
    .values(read_no=STORE.c.read_no + 1)
    .returning(STORE.c.read_no)
)
_COUNT_UP: Final = (
    sa.update(STAGE)
    .where(STAGE.c.run_id == sa.bindparam("run"), STAGE.c.stage == sa.bindparam("named"))
    .values(done=STAGE.c.done + sa.bindparam("counted"))
    .returning(STAGE)
)
_MOVE_ON: Final = (
    sa.update(RUN)
    .where(
        RUN.c.run_id == sa.bindparam("run"),
        RUN.c.fence == sa.bindparam("claimed"),
        RUN.c.stage == sa.bindparam("named"),
        RUN.c.cursor == sa.bindparam("after"),
        RUN.c.status == RunStatus.RUNNING.value,
    )
    .values(
        cursor=sa.bindparam("following"),
        percent=sa.bindparam("now"),
        beat=RUN.c.beat + 1,
        seq=RUN.c.seq + 1,
        announced_seq=sa.case(
            (RUN.c.announced_seq < sa.bindparam("announced"), sa.bindparam("announced")),
            else_=RUN.c.announced_seq,
        ),
        attempt=0,
        failing_since=None,
        waiting=None,
        error=None,
        error_kind=None,
    )
    .returning(RUN.c.seq)
)


def _land(
    session: Session, claim: runs.Claim, page: Page, after: str, announced_seq: int
) -> Checkpoint:
    store = session.execute(_STORE, {"store": claim.store_id}).first()
    if store is None:
        raise NotFound
    if store.epoch != claim.epoch:
        raise Fenced
    stage = page.stage.value
    landed = upserts.land(
        session,
        claim.store_id,
        stage=page.stage,
        records=page.records,
        read_no=page.read_no,
        first_read_no=claim.first_read_no,
        tz=zone(store.timezone),
    )
    rejects.settle(session, claim, page.stage, page.records, page.rejects)
    if page.restricted:
        _keep_restricted(session, claim, stage, page.restricted)
    row = session.execute(
        _COUNT_UP, {"run": claim.run_id, "named": stage, "counted": landed.counted}
    ).one()
    next_cursor = page.next_cursor or END
    # The guard comes with the write it guards: a fenced owner's rows are rolled back with it.
    moved = session.execute(
        _MOVE_ON,
        {
            "run": claim.run_id,
            "claimed": claim.fence,
            "named": stage,
            "after": after,
            "following": next_cursor,
            "now": _percent(session, claim),
            "announced": announced_seq,
        },
    ).first()
    if moved is None:
        raise Fenced
    runs.note_event(
        session,
        run_id=claim.run_id,
        store_id=claim.store_id,
        name="page",
        fence=claim.fence,
        stage=stage,
        cursor=after,
        next_cursor=next_cursor,
        count=landed.counted,
    )
    return _as_checkpoint(row, cursor=next_cursor)


def _keep_restricted(
    session: Session, claim: runs.Claim, stage: str, fields: tuple[str, ...]
) -> None:
    here = (STAGE.c.run_id == claim.run_id, STAGE.c.stage == stage)
    known = session.execute(sa.select(STAGE.c.restricted).where(*here)).scalar_one()
    named = sorted({*fields, *filter(None, known.split(","))})
    session.execute(sa.update(STAGE).where(*here).values(restricted=",".join(named)))


def _land_found(
    session: Session, claim: runs.Claim, stage: Stage, found: Found, read_no: int
) -> None:
    """Records by their ids, on the road of every page; what the shop shows again is not deleted."""
    store = session.execute(sa.select(STORE).where(STORE.c.store_id == claim.store_id)).one()
    burials.lift(session, claim.store_id, stage.resource, [one.shopify_id for one in found.records])
    landed = upserts.land(
        session,
        claim.store_id,
        stage=stage,
        records=found.records,
        read_no=read_no,
        first_read_no=claim.first_read_no,
        tz=zone(store.timezone),
    )
    rejects.settle(session, claim, stage, found.records, found.rejects, missing=found.missing)
    session.execute(
        sa.update(STAGE)
        .where(
            STAGE.c.run_id == claim.run_id,
            STAGE.c.stage == stage.value,
            # A stage that is closed has said how many it read.
            STAGE.c.state == StageState.RUNNING.value,
        )
        .values(done=STAGE.c.done + landed.counted)
    )
    runs.note_event(
        session,
        run_id=claim.run_id,
        store_id=claim.store_id,
        name="fetched by id",
        fence=claim.fence,
        stage=stage.value,
        count=landed.accepted,
    )


def _bury(
    session: Session, claim: runs.Claim, stage: Stage, ids: Sequence[int], read_no: int
) -> None:
    table = upserts.table_of(stage)
    # What a later request brought is there: a webhook may have been quicker than we.
    gone = list(
        session.scalars(
            sa.select(table.c.shopify_id).where(
                table.c.store_id == claim.store_id,
                table.c.shopify_id.in_(ids),
                table.c.read_no < read_no,
            )
        )
    )
    count = burials.bury(session, claim.store_id, stage.resource, gone, "deleted")
    runs.note_event(
        session,
        run_id=claim.run_id,
        store_id=claim.store_id,
        name="removed",
        fence=claim.fence,
        stage=stage.value,
        count=count,
    )


def _scopes(session: Session, store_id: str) -> frozenset[str]:
    found = session.execute(
        sa.select(STORE.c.scopes).where(STORE.c.store_id == store_id)
    ).scalar_one()
    return frozenset(filter(None, found.split(",")))


def stage_progress(row: Any) -> StageProgress:
    """A stage row as its watchers see it."""
    return StageProgress(
        stage=Stage(row.stage),
        state=StageState(row.state),
        done=row.done,
        total=row.total,
        exact=row.exact,
        attempts=row.attempts,
        started_at=row.started_at,
        finished_at=row.finished_at,
        note=row.note,
    )


def _percent(session: Session, claim: runs.Claim) -> int:
    rows = session.execute(_READ_SO_FAR, {"run": claim.run_id}).all()
    return status.percent(rows, before=rows[0].percent, finished=False)


def _finish_stage(
    session: Session, claim: runs.Claim, stage: Stage, state: StageState, note: str | None
) -> None:
    _own(session, claim, stage="", cursor="", attempt=0, failing_since=None)
    values: dict[str, Any] = {
        "state": state.value,
        "note": note,
        "finished_at": db_now(session),
    }
    closed = session.execute(
        sa.update(STAGE)
        .where(STAGE.c.run_id == claim.run_id, STAGE.c.stage == stage.value)
        .values(**values)
        .returning(STAGE)
    ).one()
    if stage in PAGED:
        _settle_restriction(session, claim, stage, closed)
    runs.note_event(
        session,
        run_id=claim.run_id,
        store_id=claim.store_id,
        name=f"stage {state.value}",
        fence=claim.fence,
        stage=stage.value,
        detail=note or "",
    )


def _settle_restriction(session: Session, claim: runs.Claim, stage: Stage, closed: Any) -> None:
    """Remember what the shop hid of a stage; forget it where the whole of it was shown."""
    key = restrictions.key_of(stage)
    if closed.restricted or closed.state == StageState.RESTRICTED.value:
        restrictions.keep(
            session,
            claim.store_id,
            key,
            epoch=claim.epoch,
            fields=closed.restricted,
            note=closed.note or "",
        )
    elif stage not in UNPROVEN and closed.updated_from is None:
        restrictions.lift(session, claim.store_id, key)


def _some(session: Session, store_id: str, stage: Stage) -> list[int]:
    """A few of the newest stored records."""
    table = upserts.table_of(stage)
    return list(
        session.scalars(
            sa.select(table.c.shopify_id)
            .where(table.c.store_id == store_id)
            .order_by(table.c.shopify_id.desc())
            .limit(_SAMPLE)
        )
    )


def _reopen(session: Session, claim: runs.Claim, stage: Stage) -> None:
    """Let a stage that only had changes to read be read in full: the shop shows all of it now."""
    here = (STAGE.c.run_id == claim.run_id, STAGE.c.stage == stage.value)
    store = session.execute(sa.select(STORE).where(STORE.c.store_id == claim.store_id)).one()
    values: dict[str, Any] = {"updated_from": None, "restricted": "", "total": None}
    if stage is Stage.ORDERS:
        values["created_from"] = store.recent_from
        restrictions.keep(
            session,
            claim.store_id,
            restrictions.key_of(Stage.HISTORY),
            epoch=claim.epoch,
            fields=session.execute(sa.select(STAGE.c.restricted).where(*here)).scalar_one(),
            note="",
        )
    session.execute(sa.update(STAGE).where(*here).values(**values))
    runs.note_event(
        session,
        run_id=claim.run_id,
        store_id=claim.store_id,
        name="shown again",
        fence=claim.fence,
        stage=stage.value,
    )


def _restart(
    session: Session, claim: runs.Claim, stage: Stage, window: Window, total: Total
) -> bool:
    here = (STAGE.c.run_id == claim.run_id, STAGE.c.stage == stage.value)
    at = session.execute(sa.select(STAGE).where(*here)).one()
    if at.updated_from is not None and _read_again_lately(session, claim, stage):
        return False
    _own(session, claim, stage=stage.value, cursor="")
    if not proofs.begin_again(session, claim, stage, window):
        return False
    # What is missing need not have changed lately: only the whole window can bring it.
    session.execute(
        sa.update(STAGE)
        .where(*here)
        .values(
            readings=STAGE.c.readings + 1,
            again_from=window.created_from,
            again_before=window.created_before,
        )
    )
    _raise_total(session, claim, stage, total)
    runs.note_event(
        session,
        run_id=claim.run_id,
        store_id=claim.store_id,
        name="read again",
        fence=claim.fence,
        stage=stage.value,
        count=total.count,
    )
    return True


def _read_again_lately(session: Session, claim: runs.Claim, stage: Stage) -> bool:
    """Whether a second reading of this gap has found nothing more within the last day."""
    found = session.execute(
        sa.select(STAGE.c.run_id)
        .join(RUN, RUN.c.run_id == STAGE.c.run_id)
        .where(
            RUN.c.store_id == claim.store_id,
            RUN.c.epoch == claim.epoch,
            STAGE.c.stage == stage.value,
            STAGE.c.state == StageState.GAP.value,
            STAGE.c.readings > 1,
            STAGE.c.finished_at > db_now(session) - runs.GAP_REST,
        )
        .limit(1)
    ).first()
    return found is not None


def _retime(session: Session, claim: runs.Claim, after: int) -> int | None:
    return retime.next_orders(session, claim.store_id, after=after)


def _recount(session: Session, claim: runs.Claim) -> int:
    _own(session, claim)
    done: int = rollups.recount_dirty(session, claim.store_id)
    return done


def _keep_stock(session: Session, claim: runs.Claim, day: date) -> None:
    _own(session, claim)
    portraits.keep_stock(session, claim.store_id, day=day)


def _keep_portrait(session: Session, claim: runs.Claim, portrait: Portrait) -> None:
    _own(session, claim)
    portraits.keep(session, claim.store_id, portrait, run_id=claim.run_id)


def _notify(session: Session, claim: runs.Claim) -> None:
    _own(session, claim)
    store = session.execute(sa.select(STORE).where(STORE.c.store_id == claim.store_id)).one()
    if store.ready_told_at is not None:
        return
    now = db_now(session)
    counts = {
        row.stage: row.done
        for row in session.execute(sa.select(STAGE).where(STAGE.c.run_id == claim.run_id))
        if Stage(row.stage) in PAGED - UNPROVEN
    }
    session.execute(
        sa.insert(OUTBOX).values(
            outbox_id=new_id(),
            store_id=claim.store_id,
            kind="store_ready",
            cause=f"store_ready:{claim.store_id}:{claim.epoch}",
            body_json=orjson.dumps({"store": store.name, "counts": counts}).decode(),
            created_at=now,
            attempts=0,
        )
    )
    session.execute(
        sa.update(STORE).where(STORE.c.store_id == claim.store_id).values(ready_told_at=now)
    )


def _yielding(*, slice_over: bool) -> sa.Select[Any]:
    """What a slice looks at before its next page, in one row: asked so often that it is one
    statement, built once. `store`, `run` and `now` are bound."""
    store_id: sa.BindParameter[str] = sa.bindparam("store")
    run_id: sa.BindParameter[str] = sa.bindparam("run")
    waits = sa.select(RUN.c.run_id).where(
        RUN.c.status == RunStatus.QUEUED.value, RUN.c.due_at <= sa.bindparam("now")
    )
    own = RUN.alias("own")
    priority = sa.select(own.c.priority).where(own.c.run_id == run_id).scalar_subquery()
    better = sa.exists(waits.where(RUN.c.store_id == store_id, RUN.c.priority < priority))
    # Only for those who could be claimed: giving way to a paused store would cost a page each time.
    running, theirs = RUN.alias("running"), STORE.alias("theirs")
    claimable = waits.join(theirs, theirs.c.store_id == RUN.c.store_id).where(
        RUN.c.store_id != store_id,
        theirs.c.paused_at.is_(None),
        ~sa.exists().where(
            running.c.store_id == RUN.c.store_id,
            running.c.status == RunStatus.RUNNING.value,
        ),
    )
    if not slice_over:
        # Somebody looks at a page on which nothing has moved yet: that comes before what is on its
        # way, but not before what matters more.
        claimable = claimable.where(
            RUN.c.fence == 0,
            RUN.c.priority <= priority,
            RUN.c.due_at <= sa.bindparam("long_ago"),
        )
    read_now = (
        sa.select(STAGE.c.state)
        .join(own, sa.and_(own.c.run_id == STAGE.c.run_id, own.c.stage == STAGE.c.stage))
        .where(own.c.run_id == run_id)
        .scalar_subquery()
    )
    return sa.select(
        STORE.c.paused_at.is_not(None).label("paused"),
        read_now.label("state"),
        better.label("better"),
        sa.exists(claimable).label("others"),
    ).where(STORE.c.store_id == store_id)


_YIELDING: Final = {slice_over: _yielding(slice_over=slice_over) for slice_over in (False, True)}


def _should_yield(session: Session, claim: runs.Claim, slice_over: bool) -> bool:
    now = db_now(session)
    known = {"store": claim.store_id, "run": claim.run_id, "now": now}
    if not slice_over:
        known["long_ago"] = now - _UNHEARD
    row = session.execute(_YIELDING[slice_over], known).first()
    # A stage is skipped while it is read where the merchant turns off what it reads.
    turned_off = row is not None and row.state == StageState.SKIPPED.value
    return bool(row is None or row.paused or turned_off or row.better or row.others)
