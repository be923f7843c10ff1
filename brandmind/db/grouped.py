"""Who is in which group of customers, as the newest portrait of a store found it.

A few hundred customers share a row, since a great store has ten thousands: what is written with a
portrait and what is read for a page are both a few rows. Names and addresses are never here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlmodel import Session

from brandmind.db import burials
from brandmind.db.tables import CUSTOMER_GROUP
from brandmind.dna.facts import CustomerFact

# Of the customers that a row may hold. Rows that hold more by an older number would be missed.
CHUNK: Final = 500
_AT = CUSTOMER_GROUP.c


def chunks(members: Mapping[str, Sequence[CustomerFact]]) -> dict[str, list[str]]:
    """The texts of the rows of each group, in order: lists of [id, orders, net sales in minor
    units, moment of the last order as Unix milliseconds].
    """
    return {
        group: [_text(some[at : at + CHUNK]) for at in range(0, len(some), CHUNK)]
        for group, some in members.items()
    }


def _text(some: Iterable[CustomerFact]) -> str:
    lives = [(one.gid, one.orders, one.net_minor, one.last_at_ms) for one in some]
    return orjson.dumps(lives).decode()


def keep(
    session: Session, store_id: str, number: int, members: Mapping[str, Sequence[str]]
) -> None:
    """Keep who is in the groups of the store's portrait of that number, in place of all others.

    The caller holds the store's lock. Nobody is kept where one of them was redacted since the
    facts were read: their id must not come back.
    """
    wanted = {
        (group, CHUNK * at): text
        for group, texts in members.items()
        for at, text in enumerate(texts)
    }
    if wanted and wanted == _kept(session, store_id, number):
        return
    forget(session, store_id)
    redacted = burials.buried(session, store_id, "customers", reason="redacted")
    if not wanted or (redacted and any(_names(text, redacted) for text in wanted.values())):
        return
    rows: list[dict[str, Any]] = [
        {
            "store_id": store_id,
            "number": number,
            "group_key": group,
            "place": place,
            "members_json": text,
        }
        for (group, place), text in wanted.items()
    ]
    session.execute(sa.insert(CUSTOMER_GROUP), rows)


def _kept(session: Session, store_id: str, number: int) -> dict[tuple[str, int], str]:
    rows = session.execute(
        sa.select(_AT.group_key, _AT.place, _AT.members_json).where(
            _AT.store_id == store_id, _AT.number == number
        )
    )
    return {(row[0], row[1]): row[2] for row in rows}


def _names(text: str, ids: set[int]) -> bool:
    return any(life[0] in ids for life in orjson.loads(text))


def forget(session: Session, store_id: str) -> None:
    """Remove all that is kept of the store's groups; the next portrait keeps it anew."""
    session.execute(sa.delete(CUSTOMER_GROUP).where(_AT.store_id == store_id))


def group_of(session: Session, store_id: str, customer_id: int) -> str | None:
    """The group that a customer of the store is kept in."""
    rows = session.execute(
        sa.select(_AT.group_key, _AT.members_json).where(_AT.store_id == store_id)
    )
    return next((key for key, text in rows if _names(text, {customer_id})), None)


def some(
    session: Session, store_id: str, *, number: int, group: str, first: int, most: int
) -> list[CustomerFact]:
    """Up to `most` of a group from the place `first` on, 0 the one who spent most; nobody where
    the portrait of that number has none kept.

    Only what a list of them shows: first days and the shop's own counts are left at 0 and None.
    """
    rows = session.execute(
        sa.select(_AT.place, _AT.members_json)
        .where(
            _AT.store_id == store_id,
            _AT.number == number,
            _AT.group_key == group,
            _AT.place > first - CHUNK,
            _AT.place < first + most,
        )
        .order_by(_AT.place)
    ).all()
    lives = [life for row in rows for life in orjson.loads(row.members_json)]
    start = first - rows[0].place if rows else 0
    return [
        CustomerFact(gid, 0, last_at_ms, orders, net_minor, orders, None)
        for gid, orders, net_minor, last_at_ms in lives[start : start + most]
    ]
