"""Records that could not be read: kept with the reason, and tried again at the next sync."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.commerce.records import Record
from brandmind.db import runs
from brandmind.db.session import db_now
from brandmind.db.tables import REJECT
from brandmind.sync.ports import Reject
from brandmind.sync.stages import Stage

_KINDS: Final = {"products": "Product", "orders": "Order", "customers": "Customer"}
_AT_ONCE: Final = 250


_ANY: Final = (
    sa.select(REJECT.c.gid)
    .where(
        REJECT.c.store_id == sa.bindparam("store"), REJECT.c.resource == sa.bindparam("resource")
    )
    .limit(1)
)


def settle(
    session: Session,
    claim: runs.Claim,
    stage: Stage,
    records: Sequence[Record],
    refused: Iterable[Reject],
    *,
    missing: Sequence[int] = (),
) -> None:
    """Keep what was refused, and strike off what was read now or is gone at the shop."""
    here = (REJECT.c.store_id == claim.store_id, REJECT.c.resource == stage.resource)
    kept = {one.gid: one for one in refused}
    known = {"store": claim.store_id, "resource": stage.resource}
    if kept or session.execute(_ANY, known).first():
        read = [_gid(stage, one.shopify_id) for one in records]
        done = [*read, *(_gid(stage, one) for one in missing), *kept]
        for start in range(0, len(done), _AT_ONCE):
            session.execute(
                sa.delete(REJECT).where(*here, REJECT.c.gid.in_(done[start : start + _AT_ONCE]))
            )
    now = db_now(session)
    for one in kept.values():
        session.execute(
            sa.insert(REJECT).values(
                store_id=claim.store_id,
                resource=stage.resource,
                gid=one.gid,
                reason=one.reason,
                run_id=claim.run_id,
                seen_at=now,
            )
        )


def to_try_again(session: Session, claim: runs.Claim, stage: Stage) -> list[int]:
    """The numbers of records that an earlier run could not read, at most 250."""
    gids = session.scalars(
        sa.select(REJECT.c.gid)
        .where(
            REJECT.c.store_id == claim.store_id,
            REJECT.c.resource == stage.resource,
            REJECT.c.run_id != claim.run_id,
        )
        .order_by(REJECT.c.seen_at)
        .limit(_AT_ONCE)
    )
    numbers = (gid.rpartition("/")[2] for gid in gids)
    return [int(number) for number in numbers if number.isdecimal()]


def count(session: Session, store_id: str, stage: Stage) -> int:
    """How many records of a stage's resource could not be read."""
    return int(
        session.execute(
            sa.select(sa.func.count())
            .select_from(REJECT)
            .where(REJECT.c.store_id == store_id, REJECT.c.resource == stage.resource)
        ).scalar_one()
    )


def _gid(stage: Stage, shopify_id: int) -> str:
    return f"gid://shopify/{_KINDS[stage.resource]}/{shopify_id}"
