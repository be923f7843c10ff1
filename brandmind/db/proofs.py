"""Closed windows of creation, and how the shop's count of each compares with what is stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.db import burials, restrictions, runs, upserts
from brandmind.db.session import db_now
from brandmind.db.tables import CUSTOMER, ORDER, PROOF, RUN, STAGE, STORE, TOMBSTONE
from brandmind.sync import windows
from brandmind.sync.ports import Known, Proof, ProofPlan, Total, Window
from brandmind.sync.stages import Kind, RunStatus, Stage

# The shop's search index lags its writes: what was created in these last minutes may be listed
# and not yet counted, or the other way round. It belongs to the next proof.
SETTLED: Final = timedelta(minutes=5)
CHECK_REST: Final = timedelta(hours=20)
# Each day so much of the windows has its ids compared, though the counts agree.
_ROLLING: Final = 30
# Without read_all_orders Shopify shows the orders of the last 60 days; a day of them is fading.
_READABLE: Final = timedelta(days=59)
_BUYERS: Final = 2_000
_MISCOUNTED: Final = 250
_UNSEEN: Final = 100
_SECOND: Final = timedelta(seconds=1)


def check_due(session: Session, store: Any) -> bool:
    """Whether every closed window should be held against the shop: once a day, and after each
    reading of the whole, during which records may have been deleted."""
    if store.checked_at is None or store.checked_at < db_now(session) - CHECK_REST:
        return True
    read = session.execute(
        sa.select(RUN.c.run_id)
        .where(
            RUN.c.store_id == store.store_id,
            RUN.c.epoch == store.epoch,
            RUN.c.kind.in_((Kind.FULL.value, Kind.HISTORICAL.value)),
            RUN.c.status == RunStatus.DONE.value,
            RUN.c.finished_at >= store.checked_at,
        )
        .limit(1)
    ).first()
    return read is not None


def check_next(session: Session, store_id: str) -> None:
    """Let the store's next incremental sync hold every window against the shop."""
    session.execute(sa.update(STORE).where(STORE.c.store_id == store_id).values(checked_at=None))


def plan(session: Session, claim: runs.Claim, stage: Stage) -> ProofPlan:
    """The windows that a stage is to be held against; the caller holds the store's lock.

    A full reading is cut into windows anew. An incremental one adds what was created since the
    last proof and leaves older proofs as they were made, unless they are not whole or it checks.
    """
    at = session.execute(
        sa.select(STAGE).where(STAGE.c.run_id == claim.run_id, STAGE.c.stage == stage.value)
    ).one()
    run = session.execute(sa.select(RUN).where(RUN.c.run_id == claim.run_id)).one()
    store = session.execute(sa.select(STORE).where(STORE.c.store_id == claim.store_id)).one()
    span = _settled(Window(at.created_from, at.created_before), run.shop_at)
    since = _shown_since(stage, run.shop_at, store)
    if since is not None and (span.created_from is None or span.created_from < since):
        span = Window(since, span.created_before)
    found = _rows(session, claim, stage.resource)
    if at.updated_from is None or not found:
        mine = [row for row in found if row.run_id == claim.run_id and _meets(row, span)]
        if mine:
            # Asked again: what agreed once is left as it was proven.
            return ProofPlan(tuple(_window(row) for row in mine if row.state != "whole"))
        _cut(session, claim, stage, span, total=at.total or 0, store=store)
        mine = _rows(session, claim, stage.resource)
        mine = [row for row in mine if row.run_id == claim.run_id and _meets(row, span)]
        return ProofPlan(tuple(_window(row) for row in mine))
    _leave_hidden(session, claim, stage, run.shop_at, store)
    last = _up_to(session, claim, stage.resource, found[-1], span.created_before)
    rows = [
        row
        for row in _rows(session, claim, stage.resource)
        if since is None or row.created_before > since
    ]
    due = [row for row in rows if run.checks or row.state != "whole" or row.created_before == last]
    return ProofPlan(
        tuple(_window(row) for row in due),
        tuple(_window(row) for row in _rolling(session, rows)) if run.checks else (),
        checks=run.checks,
    )


def prove(
    session: Session,
    claim: runs.Claim,
    stage: Stage,
    counted: dict[Window, Total],
    stored: dict[Window, int],
) -> tuple[Proof, ...]:
    """Keep the shop's counts beside ours; the caller holds the store's lock."""
    now = db_now(session)
    proofs: list[Proof] = []
    for row in _rows(session, claim, stage.resource):
        window = _window(row)
        total = counted.get(window)
        if total is None:
            continue
        proof = Proof(window, total.count, stored[window] + row.buried, total.exact)
        state = "short" if proof.short_by else "over" if proof.over_by else "whole"
        session.execute(
            sa.update(PROOF)
            .where(*_key(claim, stage.resource, row.created_before))
            .values(
                state=state,
                counted=total.count,
                exact=total.exact,
                stored=stored[window],
                proven_at=now,
            )
        )
        proofs.append(proof)
    return tuple(proofs)


def stored(
    session: Session, store_id: str, stage: Stage, asked: Sequence[Window]
) -> dict[Window, int]:
    """How many records of each window are stored.

    Orders have an index of their creation, and a window is a stretch of it. The other resources
    are smaller by far, and are gone through once for all windows.
    """
    table = upserts.table_of(stage)
    here = table.c.store_id == store_id
    if stage.resource == "orders":
        return {
            one: session.execute(
                sa.select(sa.func.count()).select_from(table).where(here, *_within(table, one))
            ).scalar_one()
            for one in asked
        }
    sums = [
        sa.func.coalesce(sa.func.sum(sa.case((sa.and_(*_within(table, one)), 1), else_=0)), 0)
        for one in asked
    ]
    if not sums:
        return {}
    found = session.execute(sa.select(*sums).where(here)).one()
    return {one: int(number) for one, number in zip(asked, found, strict=True)}


def known(session: Session, store_id: str, stage: Stage, window: Window) -> Known:
    """What is stored of a window, by id."""
    table = upserts.table_of(stage)
    rows = session.execute(
        sa.select(table.c.shopify_id, table.c.read_no).where(
            table.c.store_id == store_id, *_within(table, window)
        )
    )
    total = session.execute(
        sa.select(sa.func.count()).select_from(table).where(table.c.store_id == store_id)
    ).scalar_one()
    return Known(
        ids={row.shopify_id: row.read_no for row in rows},
        redacted=frozenset(burials.buried(session, store_id, stage.resource, reason="redacted")),
        total=int(total),
    )


def compared(
    session: Session,
    claim: runs.Claim,
    stage: Stage,
    window: Window,
    *,
    redacted: int,
    complete: bool,
) -> None:
    """Note that a window's ids were compared; the caller holds the store's lock."""
    if window.created_before is None:
        return
    values: dict[str, Any] = {"buried": redacted}
    if complete:
        values["compared_at"] = db_now(session)
    session.execute(
        sa.update(PROOF).where(*_key(claim, stage.resource, window.created_before)).values(**values)
    )


def begin_again(session: Session, claim: runs.Claim, stage: Stage, window: Window) -> bool:
    """Mark that this run reads a window again; False if it did so before."""
    row = session.execute(
        sa.update(PROOF)
        .where(
            *_key(claim, stage.resource, window.created_before),
            sa.or_(PROOF.c.again_run.is_(None), PROOF.c.again_run != claim.run_id),
        )
        .values(again_run=claim.run_id)
        .returning(PROOF.c.resource)
    ).first()
    return row is not None


def orders_of(session: Session, store_id: str, customers: Iterable[int]) -> list[int]:
    """The orders stored as these customers', at most a thousand."""
    return _some_orders(session, store_id, ORDER.c.customer_id.in_(list(customers)))


def customers_of(session: Session, store_id: str, orders: Iterable[int]) -> list[int]:
    """The stored customers of these orders."""
    return list(
        session.scalars(
            sa.select(ORDER.c.customer_id)
            .join(
                CUSTOMER,
                sa.and_(
                    CUSTOMER.c.store_id == store_id, CUSTOMER.c.shopify_id == ORDER.c.customer_id
                ),
            )
            .where(ORDER.c.store_id == store_id, ORDER.c.shopify_id.in_(list(orders)))
            .distinct()
        )
    )


def buyers_of_late(session: Session, claim: runs.Claim) -> list[int]:
    """Customers of whom this run brought an order after they were read, at most two thousand.

    What they spent changes with their orders; Shopify does not count that as a change of theirs.
    """
    here = sa.and_(
        CUSTOMER.c.store_id == claim.store_id, CUSTOMER.c.shopify_id == ORDER.c.customer_id
    )
    return list(
        session.scalars(
            sa.select(ORDER.c.customer_id)
            .join(CUSTOMER, here)
            .where(
                ORDER.c.store_id == claim.store_id,
                ORDER.c.read_no >= claim.first_read_no,
                ORDER.c.read_no > CUSTOMER.c.read_no,
            )
            .distinct()
            .limit(_BUYERS)
        )
    )


def not_seen_again(session: Session, claim: runs.Claim, stage: Stage) -> list[int]:
    """Records of the last minutes, which no count is held against yet, that were stored before
    this run and that it did not list; at most a hundred.

    What was created so lately changed so lately, and is listed again by the overlap. What is not
    was deleted, or the shop's lists lag: the record's own id tells.
    """
    at = session.execute(
        sa.select(STAGE).where(STAGE.c.run_id == claim.run_id, STAGE.c.stage == stage.value)
    ).one()
    shop_at = session.scalar(sa.select(RUN.c.shop_at).where(RUN.c.run_id == claim.run_id))
    if shop_at is None or at.updated_from is None:
        return []
    begins = max(shop_at - SETTLED, at.created_from or shop_at - SETTLED)
    table = upserts.table_of(stage)
    return list(
        session.scalars(
            sa.select(table.c.shopify_id)
            .where(
                table.c.store_id == claim.store_id,
                *_within(table, Window(begins, at.created_before)),
                table.c.read_no < claim.first_read_no,
            )
            .order_by(table.c.shopify_id)
            .limit(_UNSEEN)
        )
    )


def orders_of_nobody(session: Session, store_id: str) -> list[int]:
    """Orders whose customer is neither stored nor redacted, at most a thousand.

    Whoever was deleted or merged before being read is still named by the orders read earlier.
    """
    here = sa.and_(CUSTOMER.c.store_id == store_id, CUSTOMER.c.shopify_id == ORDER.c.customer_id)
    redacted = sa.and_(
        TOMBSTONE.c.store_id == store_id,
        TOMBSTONE.c.resource == "customers",
        TOMBSTONE.c.shopify_id == ORDER.c.customer_id,
        TOMBSTONE.c.reason == "redacted",
    )
    return _some_orders(
        session,
        store_id,
        ORDER.c.customer_id.is_not(None),
        ~sa.exists().where(here),
        ~sa.exists().where(redacted),
    )


def customers_miscounted(session: Session, store_id: str) -> list[int]:
    """Customers who were read with another number of orders than are stored as theirs, at most
    two hundred and fifty, those read longest ago first; none while not all orders are stored.

    An order that is deleted before it is read leaves no other trace: Shopify does not count it as
    a change of its customer.
    """
    store = session.execute(
        sa.select(STORE.c.history_done, STORE.c.history_from, STORE.c.scopes, STORE.c.epoch).where(
            STORE.c.store_id == store_id
        )
    ).one()
    whole = store.history_done and store.history_from is None and runs.reads_history(store.scopes)
    if not whole or "orders" in restrictions.of(session, store_id, epoch=store.epoch):
        return []
    held = (
        sa.select(sa.func.count())
        .where(ORDER.c.store_id == store_id, ORDER.c.customer_id == CUSTOMER.c.shopify_id)
        .scalar_subquery()
    )
    return list(
        session.scalars(
            sa.select(CUSTOMER.c.shopify_id)
            .where(CUSTOMER.c.store_id == store_id, CUSTOMER.c.number_of_orders != held)
            .order_by(CUSTOMER.c.read_no, CUSTOMER.c.shopify_id)
            .limit(_MISCOUNTED)
        )
    )


def _some_orders(session: Session, store_id: str, *such: sa.ColumnElement[bool]) -> list[int]:
    return list(
        session.scalars(
            sa.select(ORDER.c.shopify_id)
            .where(ORDER.c.store_id == store_id, *such)
            .order_by(ORDER.c.shopify_id)
            .limit(1000)
        )
    )


def _settled(span: Window, shop_at: datetime | None) -> Window:
    end = span.created_before
    if end is None or shop_at is None:
        return span
    end = min(end, shop_at - SETTLED)
    if span.created_from is not None and end <= span.created_from:
        return span
    return Window(span.created_from, end)


def _rows(session: Session, claim: runs.Claim, resource: str) -> list[Any]:
    return list(
        session.execute(
            sa.select(PROOF)
            .where(
                PROOF.c.store_id == claim.store_id,
                PROOF.c.resource == resource,
                PROOF.c.epoch == claim.epoch,
            )
            .order_by(PROOF.c.created_before)
        )
    )


def _cut(
    session: Session, claim: runs.Claim, stage: Stage, span: Window, *, total: int, store: Any
) -> None:
    """The span's windows in the place of all that meet it, of whatever installation."""
    here = [PROOF.c.store_id == claim.store_id, PROOF.c.resource == stage.resource]
    met = list(here)
    if span.created_from is not None:
        met.append(PROOF.c.created_before >= span.created_from)
    if span.created_before is not None:
        met.append(
            sa.or_(PROOF.c.created_from.is_(None), PROOF.c.created_from <= span.created_before)
        )
    session.execute(sa.delete(PROOF).where(*met))
    session.execute(sa.delete(PROOF).where(*here, PROOF.c.epoch != claim.epoch))
    now = db_now(session)
    # The last window of a resource is the one that later proofs lengthen.
    for window in windows.cut(span, total=total, oldest=store.shop_created_at):
        _insert(session, claim, stage.resource, window, compared_at=now)


def _insert(
    session: Session,
    claim: runs.Claim,
    resource: str,
    window: Window,
    *,
    compared_at: datetime,
) -> None:
    session.execute(
        sa.insert(PROOF).values(
            store_id=claim.store_id,
            resource=resource,
            created_from=window.created_from,
            created_before=window.created_before,
            epoch=claim.epoch,
            run_id=claim.run_id,
            state="open",
            counted=0,
            exact=True,
            stored=0,
            buried=0,
            compared_at=compared_at,
        )
    )


def _up_to(
    session: Session, claim: runs.Claim, resource: str, last: Any, end: datetime | None
) -> datetime:
    """Lengthen the last window up to `end`, or add another if it is full; where it ends now."""
    if end is None or end <= last.created_before:
        return last.created_before  # type: ignore[no-any-return]
    if last.stored < windows.RECORDS:
        session.execute(
            sa.update(PROOF)
            .where(*_key(claim, resource, last.created_before))
            .values(created_before=end, state="open", run_id=claim.run_id)
        )
    else:
        # What is created since was read whole by this very run.
        window = Window(last.created_before + _SECOND, end)
        _insert(session, claim, resource, window, compared_at=db_now(session))
    return end


def _rolling(session: Session, rows: Sequence[Any]) -> list[Any]:
    """Today's share of the windows, those first whose ids were compared longest ago."""
    before = db_now(session) - CHECK_REST
    waiting = [row for row in rows if row.compared_at is None or row.compared_at < before]
    waiting.sort(key=lambda row: (row.compared_at is not None, row.compared_at or before))
    return waiting[: -(-len(rows) // _ROLLING)]


def _shown_since(stage: Stage, shop_at: datetime | None, store: Any) -> datetime | None:
    """From when on the shop shows all records: what it hides is not gone. None: all of them."""
    if stage.resource != "orders" or runs.reads_history(store.scopes) or shop_at is None:
        return None
    return shop_at - _READABLE


def _leave_hidden(
    session: Session, claim: runs.Claim, stage: Stage, shop_at: datetime | None, store: Any
) -> None:
    """Let the window that reaches into the hidden past begin where the shop shows all again."""
    since = _shown_since(stage, shop_at, store)
    if since is not None:
        session.execute(
            sa.update(PROOF)
            .where(
                PROOF.c.store_id == claim.store_id,
                PROOF.c.resource == stage.resource,
                PROOF.c.created_before > since,
                sa.or_(PROOF.c.created_from.is_(None), PROOF.c.created_from < since),
            )
            .values(created_from=since)
        )


def _meets(row: Any, span: Window) -> bool:
    after = span.created_from is None or row.created_before >= span.created_from
    before = (
        span.created_before is None
        or row.created_from is None
        or row.created_from <= span.created_before
    )
    return after and before


def _window(row: Any) -> Window:
    return Window(row.created_from, row.created_before)


def _within(table: sa.Table, window: Window) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = [sa.true()]
    if window.created_from is not None:
        found.append(table.c.created_at >= window.created_from)
    if window.created_before is not None:
        found.append(table.c.created_at <= window.created_before)
    return found


def _key(
    claim: runs.Claim, resource: str, created_before: datetime | None
) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        PROOF.c.store_id == claim.store_id,
        PROOF.c.resource == resource,
        PROOF.c.created_before == created_before,
    )
