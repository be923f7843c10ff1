"""What a shop does not show: remembered until a reading finds that it is shown."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.db.session import db_now
from brandmind.db.tables import RESTRICTION
from brandmind.sync.stages import Stage


def key_of(stage: Stage) -> str:
    """Under what a stage's restriction is kept: older orders are read by themselves."""
    return stage.value if stage is Stage.HISTORY else stage.resource


def keep(session: Session, store_id: str, key: str, *, epoch: int, fields: str, note: str) -> None:
    """Remember what is hidden; `fields` empty: the whole of it is refused."""
    lift(session, store_id, key)
    session.execute(
        sa.insert(RESTRICTION).values(
            store_id=store_id,
            resource=key,
            epoch=epoch,
            fields=fields,
            note=note,
            seen_at=db_now(session),
        )
    )


def lift(session: Session, store_id: str, key: str) -> None:
    """Forget it: the shop shows it now."""
    session.execute(
        sa.delete(RESTRICTION).where(
            RESTRICTION.c.store_id == store_id, RESTRICTION.c.resource == key
        )
    )


def of(session: Session, store_id: str, *, epoch: int) -> dict[str, Any]:
    """The store's restrictions of this installation by products, orders, customers, history."""
    return {
        row.resource: row
        for row in session.execute(
            sa.select(RESTRICTION).where(
                RESTRICTION.c.store_id == store_id, RESTRICTION.c.epoch == epoch
            )
        )
    }
