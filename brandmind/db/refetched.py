"""Records fetched again by their ids, after a delivery: landed, buried, counted, all in one go."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.commerce.records import OrderRecord, Record
from brandmind.commerce.shop import zone
from brandmind.db import burials, inbox, rollups, runs, upserts
from brandmind.db.inbox import Turn, Waiting
from brandmind.db.session import db_now
from brandmind.db.tables import LIVE, ORDER, REJECT, RUN, STAGE, STORE, TOMBSTONE
from brandmind.errors import Fenced
from brandmind.sync.deliveries import Act
from brandmind.sync.ports import Reject
from brandmind.sync.stages import Stage, StageState

RESOURCES: Final = {
    Stage.PRODUCTS: "products",
    Stage.ORDERS: "orders",
    Stage.CUSTOMERS: "customers",
}
# Without read_all_orders the shop shows 60 days; near that edge "not there" proves nothing.
_SEEN_FOR_SURE: Final = timedelta(days=58)
# A delivery may be faster than the shop's own copies: how long until its answer is believed.
LOOK_AGAIN_S: Final = (2.0, 10.0, 60.0)
_DAYS_AT_ONCE: Final = 31
# Orders of one buyer come in twos and threes, and the shop adds up in a moment of its own.
_BUYERS_AFTER_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Fetched:
    """What the shop answered to these ids, and the deliveries that made us ask."""

    stage: Stage
    read_no: int
    records: Sequence[Record]
    missing: Collection[int]
    rejects: Sequence[Reject]
    asked_by: Sequence[Waiting]


@dataclass(slots=True)
class Landing:
    """What came of it. `left_days`: rollups are still older than their rows."""

    changed: bool = False
    left_days: bool = False
    settled: list[str] = field(default_factory=list)


def take_read_no(session: Session, turn: Turn) -> int:
    """The number of the next request to the shop. Raises Fenced if the installation is over."""
    taken = session.scalar(
        sa.update(STORE)
        .where(STORE.c.store_id == turn.store_id, STORE.c.epoch == turn.epoch)
        .values(read_no=STORE.c.read_no + 1)
        .returning(STORE.c.read_no)
    )
    if taken is None:
        raise Fenced
    return int(taken)


def land(session: Session, turn: Turn, fetched: Fetched) -> Landing:
    """Write what the shop answered by the same road as a sync, and settle the deliveries.

    What is missing is buried where a delivery said that it is gone, and where it is still missing
    after the last look. What is said to be gone and is there is looked at again first. Raises
    Fenced if the installation is over.
    """
    store = lock(session, turn)
    resource = RESOURCES[fetched.stage]
    landing = Landing()
    by_id = _by_id(fetched.asked_by)
    there = {record.shopify_id for record in fetched.records}
    doubted = {
        one
        for one in there
        if any(_says_gone(row, one) and _looks_again(row) for row in by_id.get(one, ()))
    }
    burials.lift(session, turn.store_id, resource, there - doubted)
    gone = _gone(session, store, fetched, by_id)
    buyers = _buyers(session, turn, fetched, gone)
    accepted = _land_records(session, store, _chosen(session, turn, fetched))
    removed = burials.bury(session, turn.store_id, resource, gone, "deleted") if gone else 0
    unsure = doubted | (set(fetched.missing) - _buried(session, turn, resource, fetched.missing))
    waits: dict[float, list[str]] = {}
    for row in fetched.asked_by:
        if _looks_again(row) and any(
            one in unsure and (one not in there or _says_gone(row, one)) for one in ids_of(row)
        ):
            waits.setdefault(LOOK_AGAIN_S[row.tries], []).append(row.webhook_id)
        else:
            landing.settled.append(row.webhook_id)
            if row.act is Act.MERGE:
                _ask_for_orders(session, turn, row)
    _keep_rejects(session, turn.store_id, fetched)
    inbox.settle(session, turn.store_id, landing.settled)
    for delay_s, webhook_ids in waits.items():
        inbox.put_off(
            session,
            turn.store_id,
            webhook_ids,
            delay_s=delay_s,
            note="the shop's answer is not settled yet",
            counts_as_try=True,
        )
    landing.changed = bool(accepted or removed)
    if landing.changed and buyers:
        # What they spent is told by no delivery of their own.
        inbox.keep_own(
            session,
            turn,
            Stage.CUSTOMERS,
            buyers,
            cause=f"buyers:{fetched.read_no}",
            delay_s=_BUYERS_AFTER_S,
        )
    if landing.changed:
        # Few days as a rule; what is left is counted right after, in transactions of its own.
        done = rollups.recount_dirty(session, turn.store_id, limit=_DAYS_AT_ONCE)
        landing.left_days = done == _DAYS_AT_ONCE
    _move_on(session, turn, changed=landing.changed)
    return landing


def keep_scopes(session: Session, turn: Turn, scopes: Collection[str]) -> None:
    """What the shop grants to us now. Raises Fenced."""
    lock(session, turn)
    session.execute(
        sa.update(STORE)
        .where(STORE.c.store_id == turn.store_id)
        .values(scopes=",".join(sorted(scopes)))
    )
    _move_on(session, turn, changed=True)


def hasten(session: Session, turn: Turn) -> list[str]:
    """Pull the store's runs that wait for a bulk operation to now; their ids."""
    rows = session.execute(
        sa.update(RUN)
        .where(
            RUN.c.store_id == turn.store_id,
            RUN.c.status == "queued",
            RUN.c.waiting == "bulk",
            RUN.c.due_at > db_now(session),
        )
        .values(due_at=db_now(session))
        .returning(RUN.c.run_id)
    )
    return [row.run_id for row in rows]


def recount(session: Session, turn: Turn) -> int:
    """Bring more rollups up to date; 0 when none is left. Raises Fenced."""
    lock(session, turn)
    done = rollups.recount_dirty(session, turn.store_id)
    if done:
        _move_on(session, turn, changed=True)
    return done


def lock(session: Session, turn: Turn) -> Any:
    """The store's row, locked, if its installation is still the turn's. Raises Fenced."""
    store = runs.lock_store(session, turn.store_id)
    if store.epoch != turn.epoch:
        raise Fenced
    return store


def moved(session: Session, turn: Turn) -> None:
    """Note that the store's rows changed, so that its watchers are told."""
    _move_on(session, turn, changed=True)


def _move_on(session: Session, turn: Turn, *, changed: bool) -> None:
    values: dict[str, Any] = {"beat": LIVE.c.beat + 1}
    if changed:
        values |= {"seq": LIVE.c.seq + 1, "changed_at": db_now(session)}
    session.execute(sa.update(LIVE).where(LIVE.c.store_id == turn.store_id).values(**values))


def _chosen(session: Session, turn: Turn, fetched: Fetched) -> Fetched:
    """Without the orders that the merchant does not want read and that we do not have."""
    if fetched.stage is not Stage.ORDERS or turn.orders_from is None:
        return fetched
    old = [one.shopify_id for one in fetched.records if one.created_at < turn.orders_from]
    stored = set(
        session.scalars(
            sa.select(ORDER.c.shopify_id).where(
                ORDER.c.store_id == turn.store_id, ORDER.c.shopify_id.in_(old)
            )
        )
    )
    unwanted = set(old) - stored
    kept = [one for one in fetched.records if one.shopify_id not in unwanted]
    return replace(fetched, records=kept)


def _buyers(session: Session, turn: Turn, fetched: Fetched, gone: Collection[int]) -> list[int]:
    """Whose totals these orders change: the customers they have, and those they had.

    An order of a moment that we know already changes none: a replay asks for nobody.
    """
    if fetched.stage is not Stage.ORDERS or not turn.reads_customers:
        return []
    ids = sorted({*gone, *(one.shopify_id for one in fetched.records)})
    had = {
        row.shopify_id: row
        for row in session.execute(
            sa.select(ORDER.c.shopify_id, ORDER.c.updated_at, ORDER.c.customer_id).where(
                ORDER.c.store_id == turn.store_id, ORDER.c.shopify_id.in_(ids)
            )
        )
    }
    found = {had[one].customer_id for one in gone if one in had}
    for one in fetched.records:
        known = had.get(one.shopify_id)
        if isinstance(one, OrderRecord) and (known is None or known.updated_at < one.updated_at):
            found |= {one.customer_id, known.customer_id if known is not None else None}
    return sorted(one for one in found if one is not None)


def _land_records(session: Session, store: Any, fetched: Fetched) -> int:
    """Land the records; those that a reading under way expects are counted as read by it."""
    reading = _reading(session, store, fetched.stage)
    mine = [r for r in fetched.records if reading is not None and _expects(reading, r)]
    others = [r for r in fetched.records if r not in mine] if mine else list(fetched.records)
    accepted = 0
    for records, first_read_no in ((mine, reading and reading.first_read_no), (others, 0)):
        landed = upserts.land(
            session,
            store.store_id,
            stage=fetched.stage,
            records=records,
            read_no=fetched.read_no,
            first_read_no=first_read_no or 0,
            tz=zone(store.timezone),
        )
        accepted += landed.accepted
        if records is mine and landed.counted and reading is not None:
            session.execute(
                sa.update(STAGE)
                .where(STAGE.c.run_id == reading.run_id, STAGE.c.stage == reading.stage)
                .values(done=STAGE.c.done + landed.counted)
            )
    return accepted


def _reading(session: Session, store: Any, stage: Stage) -> Any | None:
    """The unfinished stage of a begun run that reads these records, None if there is none."""
    names = (Stage.ORDERS.value, Stage.HISTORY.value) if stage is Stage.ORDERS else (stage.value,)
    return session.execute(
        sa.select(
            RUN.c.run_id,
            RUN.c.first_read_no,
            STAGE.c.stage,
            STAGE.c.created_from,
            STAGE.c.created_before,
            STAGE.c.updated_from,
        )
        .join(RUN, RUN.c.run_id == STAGE.c.run_id)
        .where(
            RUN.c.store_id == store.store_id,
            RUN.c.epoch == store.epoch,
            RUN.c.status.in_(runs.LIVE),
            RUN.c.first_read_no > 0,
            STAGE.c.stage.in_(names),
            STAGE.c.state.in_((StageState.QUEUED.value, StageState.RUNNING.value)),
        )
        .order_by(RUN.c.priority)
        .limit(1)
    ).first()


def _expects(reading: Any, record: Record) -> bool:
    if reading.created_before is None and reading.created_from is None:
        return False
    return (
        (reading.created_from is None or record.created_at >= reading.created_from)
        and (reading.created_before is None or record.created_at <= reading.created_before)
        and (reading.updated_from is None or record.updated_at >= reading.updated_from)
    )


def _gone(
    session: Session, store: Any, fetched: Fetched, by_id: dict[int, list[Waiting]]
) -> set[int]:
    """Which of the missing are certainly gone, and not only unseen by us."""
    table = upserts.table_of(fetched.stage)
    said = {one for one in fetched.missing if any(_says_gone(r, one) for r in by_id.get(one, ()))}
    # Nobody said so, but it was there and the shop has not known it for a minute and more.
    lost = {
        one
        for one in set(fetched.missing) - said
        if not any(_looks_again(row) for row in by_id.get(one, ()))
    }
    stored = {
        row.shopify_id: row.created_at
        for row in session.execute(
            sa.select(table.c.shopify_id, table.c.created_at).where(
                table.c.store_id == store.store_id,
                table.c.shopify_id.in_(sorted(said | lost)),
            )
        )
    }
    gone = said | (lost & stored.keys())
    if fetched.stage is Stage.ORDERS and not runs.reads_history(store.scopes):
        sure_from = db_now(session) - _SEEN_FOR_SURE
        gone -= {one for one, created_at in stored.items() if created_at < sure_from}
    return gone


def _buried(session: Session, turn: Turn, resource: str, ids: Collection[int]) -> set[int]:
    if not ids:
        return set()
    return set(
        session.scalars(
            sa.select(TOMBSTONE.c.shopify_id).where(
                TOMBSTONE.c.store_id == turn.store_id,
                TOMBSTONE.c.resource == resource,
                TOMBSTONE.c.shopify_id.in_(sorted(ids)),
            )
        )
    )


def _ask_for_orders(session: Session, turn: Turn, row: Waiting) -> None:
    """Have the orders of a customer fetched again whom another has taken in."""
    orders = session.scalars(
        sa.select(ORDER.c.shopify_id)
        .where(ORDER.c.store_id == turn.store_id, ORDER.c.customer_id.in_(row.others))
        .order_by(ORDER.c.shopify_id)
    ).all()
    inbox.keep_own(session, turn, Stage.ORDERS, orders, cause=row.webhook_id)


def _says_gone(row: Waiting, shopify_id: int) -> bool:
    if row.act is Act.MERGE:
        return shopify_id in row.others
    return row.act is Act.CONFIRM_GONE


def _looks_again(row: Waiting) -> bool:
    return row.tries < len(LOOK_AGAIN_S)


def ids_of(row: Waiting) -> tuple[int, ...]:
    """The ids a delivery wants fetched again."""
    return tuple(one for one in (row.shopify_id, *row.others) if one is not None)


def _by_id(rows: Sequence[Waiting]) -> dict[int, list[Waiting]]:
    found: dict[int, list[Waiting]] = {}
    for row in rows:
        for one in ids_of(row):
            found.setdefault(one, []).append(row)
    return found


def _keep_rejects(session: Session, store_id: str, fetched: Fetched) -> None:
    for reject in fetched.rejects:
        here = (
            REJECT.c.store_id == store_id,
            REJECT.c.resource == fetched.stage.value,
            REJECT.c.gid == reject.gid,
        )
        session.execute(sa.delete(REJECT).where(*here))
        session.execute(
            sa.insert(REJECT).values(
                store_id=store_id,
                resource=fetched.stage.value,
                gid=reject.gid,
                reason=reject.reason,
                run_id="",
                seen_at=db_now(session),
            )
        )
