"""What the law asks for of a store's data: given out or forgotten, in one step with its proof."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlmodel import Session

from brandmind.clock import new_id
from brandmind.db import burials, erasure, grouped, refetched
from brandmind.db.inbox import Turn
from brandmind.db.privacy_acts import ERASURE, clear_exports, conclude, order
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

# Ours, and no fact about the customer.
_NOT_THEIRS: Final = frozenset({"store_id", "read_no"})


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
    grouped.forget(session, store_id)
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
        "group": grouped.group_of(session, store_id, customer_id),
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


def order_erasure(session: Session, store_id: str, *, epoch: int, cause: str) -> bool:
    """Have a store that left at that epoch erased now; False if it is not gone at it."""
    if not erasure.order(session, store_id, epoch=epoch):
        return False
    order(session, store_id, kind=ERASURE, cause=cause)
    return True


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
    return clear_exports(
        session, PRIVACY_ACT.c.shop_key == store_id, PRIVACY_ACT.c.customer_id == customer_id
    )


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
