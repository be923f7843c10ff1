"""What became of things that were suggested: done, or put off until a day."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final, Literal, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from brandmind.db import runs
from brandmind.db.session import db_now
from brandmind.db.tables import ACTION_MARK

State = Literal["done", "later"]
STATES: Final[tuple[State, ...]] = ("done", "later")


class Mark(NamedTuple):
    """A suggestion that is put away up to, but without, the shop-local day `until`."""

    key: str
    about: str
    state: State
    until: date
    marked_at: datetime


def marks(session: Session, store_id: str, *, today: date) -> list[Mark]:
    """What is put away on that shop-local day, the latest first."""
    return [
        Mark(row.key, row.about, row.state, date.fromisoformat(row.until), row.marked_at)
        for row in session.execute(
            sa.select(ACTION_MARK)
            .where(ACTION_MARK.c.store_id == store_id, ACTION_MARK.c.until > today.isoformat())
            .order_by(ACTION_MARK.c.marked_at.desc(), ACTION_MARK.c.key, ACTION_MARK.c.about)
        )
    ]


def put(
    session: Session,
    store_id: str,
    *,
    key: str,
    about: str,
    state: State,
    until: date,
    by: str,
) -> None:
    """Put a suggestion away; the last word counts. Raises NotFound."""
    runs.lock_store(session, store_id)
    insert: Any = sqlite.insert
    if session.get_bind().dialect.name == "postgresql":
        insert = postgresql.insert
    said = {
        "state": state,
        "until": until.isoformat(),
        "marked_at": db_now(session),
        "marked_by": by,
    }
    session.execute(
        insert(ACTION_MARK)
        .values(store_id=store_id, key=key, about=about, **said)
        .on_conflict_do_update(index_elements=["store_id", "key", "about"], set_=said)
    )


def take_back(session: Session, store_id: str, *, key: str, about: str) -> None:
    """Let a suggestion show again; one that is not put away stays as it is."""
    session.execute(
        sa.delete(ACTION_MARK).where(
            ACTION_MARK.c.store_id == store_id,
            ACTION_MARK.c.key == key,
            ACTION_MARK.c.about == about,
        )
    )
