"""What the law asks for of a store's data: given out, forgotten, and written down as done."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from brandmind.clock import new_id
from brandmind.db import burials, refetched
from brandmind.db.inbox import Turn
from brandmind.db.session import db_now
from brandmind.db.tables import (
    CUSTOMER,
    INBOX,
    LINE,
    ORDER,
    OUTBOX,
    PRIVACY_ACT,
    REFUND,
    REJECT,
    STORE,
)
from brandmind.sync.stages import Stage

EXPORT_KEPT: Final = timedelta(days=30)
# Ours, and no fact about the customer.
_NOT_THEIRS: Final = frozenset({"store_id", "read_no"})


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


def redact_customer(
    session: Session, turn: Turn, *, cause: str, customer_id: int, orders: tuple[int, ...]
) -> dict[str, int]:
    """Forget a customer: the row, all that is personal in the orders, and every copy.

    `orders` are those that the request names; the customer's stored ones come along. Raises
    Fenced.
    """
    refetched.lock(session, turn)
    store_id = turn.store_id
    act_id = order(session, store_id, kind="redact_customer", cause=cause, customer_id=customer_id)
    theirs = session.scalars(
        sa.select(ORDER.c.shopify_id).where(
            ORDER.c.store_id == store_id, ORDER.c.customer_id == customer_id
        )
    ).all()
    counts = {
        "customers": burials.bury(session, store_id, "customers", [customer_id], "redacted"),
        "orders": burials.depersonalise(session, store_id, {*orders, *theirs}),
        "rejects": _drop_rejects(session, store_id, customer_id, {*orders, *theirs}),
        "deliveries": _drop_deliveries(session, store_id, customer_id),
        "exports": _drop_exports(session, store_id, customer_id),
    }
    conclude(session, act_id, outcome="done", counts=counts)
    refetched.moved(session, turn)
    return counts


def give_out(
    session: Session, turn: Turn, *, cause: str, customer_id: int, orders: tuple[int, ...]
) -> str:
    """Gather all that is stored of a customer for the merchant, and tell them; the act's id.

    Raises Fenced.
    """
    refetched.lock(session, turn)
    store_id = turn.store_id
    act_id = order(session, store_id, kind="data_request", cause=cause, customer_id=customer_id)
    customer = session.execute(
        sa.select(CUSTOMER).where(
            CUSTOMER.c.store_id == store_id, CUSTOMER.c.shopify_id == customer_id
        )
    ).first()
    mine = sa.or_(ORDER.c.customer_id == customer_id, ORDER.c.shopify_id.in_(orders))
    order_rows = session.execute(
        sa.select(ORDER).where(ORDER.c.store_id == store_id, mine).order_by(ORDER.c.shopify_id)
    ).all()
    found = {
        "shop": turn.domain,
        "customer_id": customer_id,
        "made_at": db_now(session),
        "customer": _plain(customer) if customer is not None else None,
        "orders": [
            _plain(row)
            | {
                "lines": _children(session, LINE, store_id, row.shopify_id),
                "refunds": _children(session, REFUND, store_id, row.shopify_id),
            }
            for row in order_rows
        ],
    }
    conclude(
        session,
        act_id,
        outcome="done",
        counts={"customers": int(customer is not None), "orders": len(order_rows)},
        export_json=orjson.dumps(found).decode(),
    )
    _tell(session, store_id, act_id)
    return act_id


def forget(session: Session, store_id: str) -> None:
    """Of a store that is erased only what was done stays, not to whom."""
    session.execute(
        sa.update(PRIVACY_ACT)
        .where(PRIVACY_ACT.c.shop_key == store_id)
        .values(customer_id=None, export_json=None)
    )


def drop_old_exports(session: Session) -> int:
    """Remove what data requests found once it has lain there for its 30 days."""
    return _cleared(session, PRIVACY_ACT.c.done_at < db_now(session) - EXPORT_KEPT)


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


def _drop_rejects(session: Session, store_id: str, customer_id: int, orders: set[int]) -> int:
    gids = [f"gid://shopify/Customer/{customer_id}"]
    gids += [f"gid://shopify/Order/{one}" for one in sorted(orders)]
    removed = 0
    for at in range(0, len(gids), 500):
        gone = session.execute(
            sa.delete(REJECT)
            .where(REJECT.c.store_id == store_id, REJECT.c.gid.in_(gids[at : at + 500]))
            .returning(REJECT.c.gid)
        )
        removed += len(gone.all())
    return removed


def _drop_deliveries(session: Session, store_id: str, customer_id: int) -> int:
    gone = session.execute(
        sa.delete(INBOX)
        .where(
            INBOX.c.store_id == store_id,
            INBOX.c.stage == Stage.CUSTOMERS.value,
            INBOX.c.shopify_id == customer_id,
            INBOX.c.done_at.is_not(None),
        )
        .returning(INBOX.c.webhook_id)
    )
    return len(gone.all())


def _drop_exports(session: Session, store_id: str, customer_id: int) -> int:
    return _cleared(
        session, PRIVACY_ACT.c.shop_key == store_id, PRIVACY_ACT.c.customer_id == customer_id
    )


def _cleared(session: Session, *where: sa.ColumnElement[bool]) -> int:
    found = session.execute(
        sa.update(PRIVACY_ACT)
        .where(PRIVACY_ACT.c.export_json.is_not(None), *where)
        .values(export_json=None)
        .returning(PRIVACY_ACT.c.act_id)
    )
    return len(found.all())


def _children(
    session: Session, table: sa.Table, store_id: str, order_id: int
) -> list[dict[str, Any]]:
    rows = session.execute(
        sa.select(table)
        .where(table.c.store_id == store_id, table.c.order_id == order_id)
        .order_by(table.c.shopify_id)
    )
    return [_plain(row) for row in rows]


def _plain(row: Any) -> dict[str, Any]:
    return {name: value for name, value in row._mapping.items() if name not in _NOT_THEIRS}


def _tell(session: Session, store_id: str, act_id: str) -> None:
    known = session.execute(
        sa.select(OUTBOX.c.outbox_id).where(OUTBOX.c.cause == f"data_request:{act_id}")
    ).first()
    if known is not None:
        return
    store = session.execute(sa.select(STORE.c.name).where(STORE.c.store_id == store_id)).one()
    now: datetime = db_now(session)
    session.execute(
        sa.insert(OUTBOX).values(
            outbox_id=new_id(),
            store_id=store_id,
            kind="data_request",
            cause=f"data_request:{act_id}",
            body_json=orjson.dumps({"store": store.name, "act": act_id}).decode(),
            created_at=now,
            attempts=0,
        )
    )
