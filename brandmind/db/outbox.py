"""Messages waiting to be sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.db.session import db_now
from brandmind.db.tables import OUTBOX


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `body_json` holds the facts its text is made of."""

    outbox_id: str
    store_id: str
    kind: str
    body_json: str
    created_at: datetime


def unsent(session: Session, *, limit: int) -> list[Message]:
    """The oldest messages that were not sent."""
    return [
        Message(row.outbox_id, row.store_id, row.kind, row.body_json, row.created_at)
        for row in session.execute(
            sa.select(OUTBOX)
            .where(OUTBOX.c.sent_at.is_(None))
            .order_by(OUTBOX.c.created_at, OUTBOX.c.outbox_id)
            .limit(limit)
        )
    ]


def sent(session: Session, outbox_id: str) -> None:
    """Note that a message was sent."""
    session.execute(
        sa.update(OUTBOX)
        .where(OUTBOX.c.outbox_id == outbox_id)
        .values(sent_at=db_now(session), attempts=OUTBOX.c.attempts + 1)
    )
