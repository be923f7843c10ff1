"""Privacy acts as rows: asked for, done, shown; the proof, which outlives the store."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from brandmind.clock import new_id
from brandmind.db.session import db_now
from brandmind.db.tables import CUSTOMER, ORDER, PRIVACY_ACT, PRODUCT, STORE

ERASURE: Final = "redact_store"
EXPORT_KEPT: Final = timedelta(days=30)


def order(
    session: Session, store_id: str, *, kind: str, cause: str, customer_id: int | None = None
) -> str:
    """Write down that something is asked for; the same act's id however often it is asked."""
    store = session.execute(sa.select(STORE.c.domain).where(STORE.c.store_id == store_id)).one()
    insert: Any = sqlite.insert
    if session.get_bind().dialect.name == "postgresql":
        insert = postgresql.insert
    session.execute(
        insert(PRIVACY_ACT)
        .values(
            act_id=new_id(),
            shop_key=store_id,
            domain=store.domain,
            kind=kind,
            cause=cause,
            customer_id=customer_id,
            ordered_at=db_now(session),
            outcome="",
            counts_json="{}",
        )
        .on_conflict_do_nothing(index_elements=["shop_key", "cause"])
    )
    found: str = session.execute(
        sa.select(PRIVACY_ACT.c.act_id).where(
            PRIVACY_ACT.c.shop_key == store_id, PRIVACY_ACT.c.cause == cause
        )
    ).scalar_one()
    return found


def conclude(
    session: Session, act_id: str, *, outcome: str, counts: dict[str, int], **more: Any
) -> None:
    """Write down what was done; the first word stands."""
    session.execute(
        sa.update(PRIVACY_ACT)
        .where(PRIVACY_ACT.c.act_id == act_id, PRIVACY_ACT.c.done_at.is_(None))
        .values(
            done_at=db_now(session),
            outcome=outcome,
            counts_json=orjson.dumps(counts).decode(),
            **more,
        )
    )


def refuse_erasure(session: Session, store_id: str, *, cause: str) -> None:
    """Write down that an erasure was asked for of a store that is installed."""
    act_id = order(session, store_id, kind=ERASURE, cause=cause)
    conclude(session, act_id, outcome="dropped: the store is installed", counts={})


def begin_erasure(session: Session, store_id: str, *, epoch: int) -> None:
    """Write down what a store holds that is about to be erased, by whoever's order."""
    order(session, store_id, kind=ERASURE, cause=f"erasure {epoch}")
    counts = {
        name: int(
            session.scalar(
                sa.select(sa.func.count()).select_from(table).where(table.c.store_id == store_id)
            )
            or 0
        )
        for name, table in (("orders", ORDER), ("customers", CUSTOMER), ("products", PRODUCT))
    }
    # After a crash in the middle less is left: the first count is what was erased.
    session.execute(
        sa.update(PRIVACY_ACT)
        .where(*_open_erasures(store_id), PRIVACY_ACT.c.counts_json == "{}")
        .values(counts_json=orjson.dumps(counts).decode())
    )


def end_erasure(session: Session, store_id: str) -> None:
    """Write down that a store is erased. Only what was done stays, not to whom."""
    session.execute(
        sa.update(PRIVACY_ACT)
        .where(*_open_erasures(store_id))
        .values(done_at=db_now(session), outcome="done")
    )
    session.execute(
        sa.update(PRIVACY_ACT)
        .where(PRIVACY_ACT.c.shop_key == store_id)
        .values(customer_id=None, export_json=None)
    )


def _open_erasures(store_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        PRIVACY_ACT.c.shop_key == store_id,
        PRIVACY_ACT.c.kind == ERASURE,
        PRIVACY_ACT.c.done_at.is_(None),
    )


def drop_old_exports(session: Session) -> int:
    """Remove what data requests found once it has lain there for its 30 days."""
    return clear_exports(session, PRIVACY_ACT.c.done_at < db_now(session) - EXPORT_KEPT)


def clear_exports(session: Session, *where: sa.ColumnElement[bool]) -> int:
    """Remove what those data requests found; of how many there was something to remove."""
    found = session.execute(
        sa.update(PRIVACY_ACT)
        .where(PRIVACY_ACT.c.export_json.is_not(None), *where)
        .values(export_json=None)
        .returning(PRIVACY_ACT.c.act_id)
    )
    return len(found.all())


def acts(session: Session, store_id: str) -> list[Any]:
    """The privacy acts of a store, newest first: act_id, kind, customer_id, ordered_at, done_at,
    outcome, counts_json, has_export."""
    return list(
        session.execute(
            sa.select(
                PRIVACY_ACT.c.act_id,
                PRIVACY_ACT.c.kind,
                PRIVACY_ACT.c.customer_id,
                PRIVACY_ACT.c.ordered_at,
                PRIVACY_ACT.c.done_at,
                PRIVACY_ACT.c.outcome,
                PRIVACY_ACT.c.counts_json,
                PRIVACY_ACT.c.export_json.is_not(None).label("has_export"),
            )
            .where(PRIVACY_ACT.c.shop_key == store_id)
            .order_by(PRIVACY_ACT.c.ordered_at.desc(), PRIVACY_ACT.c.act_id)
            .limit(200)
        )
    )


def every_act(session: Session) -> list[Any]:
    """All privacy acts for the operator, newest first: domain, kind, ordered_at, done_at,
    outcome, counts_json."""
    return list(
        session.execute(
            sa.select(
                PRIVACY_ACT.c.domain,
                PRIVACY_ACT.c.kind,
                PRIVACY_ACT.c.ordered_at,
                PRIVACY_ACT.c.done_at,
                PRIVACY_ACT.c.outcome,
                PRIVACY_ACT.c.counts_json,
            ).order_by(PRIVACY_ACT.c.ordered_at.desc(), PRIVACY_ACT.c.act_id)
        )
    )


def export_of(session: Session, store_id: str, act_id: str) -> str | None:
    """What a data request of the store found, as JSON; None if that is not there any more."""
    return session.scalar(
        sa.select(PRIVACY_ACT.c.export_json).where(
            PRIVACY_ACT.c.shop_key == store_id, PRIVACY_ACT.c.act_id == act_id
        )
    )
