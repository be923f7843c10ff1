"""Portraits as they are kept: every one, numbered, and the record of stock they will need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa
from sqlmodel import Session

from brandmind.db import grouped
from brandmind.db.facts import STOCK_KEPT_DAYS
from brandmind.db.session import db_now
from brandmind.db.tables import DNA_RUN, PRODUCT, STOCK_DAY


class Portrait(NamedTuple):
    """A portrait to be kept; the texts are JSON.

    `members` are `grouped.chunks` of who is in each group, None where nobody has told.
    """

    as_of: date
    dna_version: int
    strands: int
    labels: dict[str, str]
    portrait_json: str
    tables_json: str
    members: Mapping[str, Sequence[str]] | None = None


class Kept(NamedTuple):
    """A kept portrait, its JSON as data."""

    number: int
    as_of: date
    made_at: datetime
    portrait: dict[str, Any]
    tables: dict[str, Any]


class Earlier(NamedTuple):
    """A kept portrait that another is compared with: its scores by strand, None where not read."""

    number: int
    as_of: date
    dna_version: int
    scores: dict[str, float | None]


class Point(NamedTuple):
    """The last portrait of a day, without its details."""

    number: int
    as_of: date
    dna_version: int
    strands: int


def labels_before(session: Session, store_id: str, *, as_of: date, version: int) -> dict[str, str]:
    """The labels shown on the last earlier day that has a portrait of this version."""
    found = session.scalar(
        sa.select(DNA_RUN.c.labels_json)
        .where(
            DNA_RUN.c.store_id == store_id,
            DNA_RUN.c.as_of < as_of.isoformat(),
            DNA_RUN.c.dna_version == version,
        )
        .order_by(DNA_RUN.c.as_of.desc(), DNA_RUN.c.number.desc())
        .limit(1)
    )
    return dict(orjson.loads(found)) if found else {}


def keep(session: Session, store_id: str, portrait: Portrait, *, run_id: str) -> int:
    """Keep a portrait and who is in its groups; its number. One that says what the last of its day
    said adds nothing.

    The caller holds the store's lock.
    """
    number = _keep(session, store_id, portrait, run_id=run_id)
    grouped.keep(session, store_id, number, portrait.members or {})
    return number


def _keep(session: Session, store_id: str, portrait: Portrait, *, run_id: str) -> int:
    last = session.execute(
        sa.select(DNA_RUN)
        .where(DNA_RUN.c.store_id == store_id)
        .order_by(DNA_RUN.c.number.desc())
        .limit(1)
    ).first()
    if last is not None and (last.as_of, last.portrait_json, last.tables_json) == (
        portrait.as_of.isoformat(),
        portrait.portrait_json,
        portrait.tables_json,
    ):
        return int(last.number)
    number = last.number + 1 if last is not None else 1
    session.execute(
        sa.insert(DNA_RUN).values(
            store_id=store_id,
            number=number,
            as_of=portrait.as_of.isoformat(),
            dna_version=portrait.dna_version,
            run_id=run_id,
            made_at=db_now(session),
            strands=portrait.strands,
            labels_json=orjson.dumps(portrait.labels, option=orjson.OPT_SORT_KEYS).decode(),
            scores_json=_scores_json(portrait.portrait_json),
            portrait_json=portrait.portrait_json,
            tables_json=portrait.tables_json,
        )
    )
    return int(number)


def _scores_json(portrait_json: str) -> str:
    strands = orjson.loads(portrait_json).get("strands", ())
    found = {strand["key"]: strand["score"] for strand in strands}
    return orjson.dumps(found, option=orjson.OPT_SORT_KEYS).decode()


def latest(session: Session, store_id: str) -> Kept | None:
    """The newest portrait, whole; None before the first."""
    row = session.execute(
        sa.select(
            DNA_RUN.c.number,
            DNA_RUN.c.as_of,
            DNA_RUN.c.made_at,
            DNA_RUN.c.portrait_json,
            DNA_RUN.c.tables_json,
        )
        .where(DNA_RUN.c.store_id == store_id)
        .order_by(DNA_RUN.c.as_of.desc(), DNA_RUN.c.number.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    return Kept(
        row.number,
        date.fromisoformat(row.as_of),
        row.made_at,
        orjson.loads(row.portrait_json),
        orjson.loads(row.tables_json),
    )


def earlier(session: Session, store_id: str, *, up_to: date) -> Earlier | None:
    """The newest portrait of the days up to and with `up_to`, None where there is none."""
    return _earlier(
        session,
        sa.and_(DNA_RUN.c.store_id == store_id, DNA_RUN.c.as_of <= up_to.isoformat()),
    )


def numbered(session: Session, store_id: str, *, number: int) -> Earlier | None:
    """The portrait of that number of the store, None where it has none."""
    return _earlier(session, sa.and_(DNA_RUN.c.store_id == store_id, DNA_RUN.c.number == number))


def _earlier(session: Session, which: sa.ColumnElement[bool]) -> Earlier | None:
    row = session.execute(
        sa.select(DNA_RUN.c.number, DNA_RUN.c.as_of, DNA_RUN.c.dna_version, DNA_RUN.c.scores_json)
        .where(which)
        .order_by(DNA_RUN.c.as_of.desc(), DNA_RUN.c.number.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    scores = orjson.loads(row.scores_json)
    return Earlier(row.number, date.fromisoformat(row.as_of), row.dna_version, scores)


def scores(session: Session, store_id: str, *, days: int) -> dict[str, list[tuple[date, float]]]:
    """By strand its score on each of the last so many days that have a portrait, oldest first."""
    rows = session.execute(
        sa.select(DNA_RUN.c.as_of, DNA_RUN.c.scores_json)
        .where(DNA_RUN.c.store_id == store_id, DNA_RUN.c.number.in_(_last_of_days(store_id)))
        .order_by(DNA_RUN.c.as_of.desc())
        .limit(days)
    ).all()
    found: dict[str, list[tuple[date, float]]] = {}
    for row in reversed(rows):
        for key, score in orjson.loads(row.scores_json).items():
            if score is not None:
                found.setdefault(key, []).append((date.fromisoformat(row.as_of), score))
    return found


def _last_of_days(store_id: str) -> sa.Select[tuple[int]]:
    return (
        sa.select(sa.func.max(DNA_RUN.c.number))
        .where(DNA_RUN.c.store_id == store_id)
        .group_by(DNA_RUN.c.as_of)
    )


def history(session: Session, store_id: str, *, limit: int = 400) -> list[Point]:
    """The last portrait of each day, newest first."""
    return [
        Point(row.number, date.fromisoformat(row.as_of), row.dna_version, row.strands)
        for row in session.execute(
            sa.select(DNA_RUN.c.number, DNA_RUN.c.as_of, DNA_RUN.c.dna_version, DNA_RUN.c.strands)
            .where(DNA_RUN.c.store_id == store_id, DNA_RUN.c.number.in_(_last_of_days(store_id)))
            .order_by(DNA_RUN.c.as_of.desc())
            .limit(limit)
        )
    ]


def keep_stock(session: Session, store_id: str, *, day: date) -> None:
    """Write down what of each product can be sold on this shop-local day; drop what is too old.

    The caller holds the store's lock.
    """
    session.execute(
        sa.delete(STOCK_DAY).where(
            STOCK_DAY.c.store_id == store_id,
            sa.or_(
                STOCK_DAY.c.day == day.isoformat(),
                STOCK_DAY.c.day < (day - timedelta(days=STOCK_KEPT_DAYS)).isoformat(),
            ),
        )
    )
    session.execute(
        sa.insert(STOCK_DAY).from_select(
            ["store_id", "day", "product_id", "available"],
            sa.select(
                PRODUCT.c.store_id,
                sa.literal(day.isoformat()),
                PRODUCT.c.shopify_id,
                PRODUCT.c.total_inventory,
            ).where(
                PRODUCT.c.store_id == store_id,
                PRODUCT.c.tracks_inventory,
                PRODUCT.c.total_inventory.is_not(None),
            ),
        )
    )
