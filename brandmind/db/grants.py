"""A store's sealed access to Shopify, and the lease of whoever renews it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.db.models import METADATA
from brandmind.db.session import db_now

GrantKind = Literal["oauth", "token", "client_credentials"]

TOKEN: Final = METADATA.tables["token"]


@dataclass(frozen=True, slots=True)
class SealedGrant:
    """What Shopify granted, sealed. Both expiries None: a token that does not end by itself."""

    kind: GrantKind
    access_sealed: str
    refresh_sealed: str | None = None
    access_expires_at: datetime | None = None
    refresh_expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class KeptGrant:
    """A grant as it lies in the database. `leased`: somebody said that he is renewing it."""

    grant: SealedGrant
    generation: int
    lease_no: int
    leased: bool

    @property
    def is_dead(self) -> bool:
        """Whether Shopify refused for good to renew it: only the merchant can help."""
        return self.grant.access_expires_at is not None and self.grant.refresh_sealed is None


def find(session: Session, store_id: str) -> KeptGrant | None:
    """The store's grant, None if it has none."""
    row = session.execute(sa.select(TOKEN).where(TOKEN.c.store_id == store_id)).first()
    if row is None:
        return None
    return KeptGrant(
        grant=SealedGrant(
            kind=row.grant_kind,
            access_sealed=row.access_sealed,
            refresh_sealed=row.refresh_sealed,
            access_expires_at=row.access_expires_at,
            refresh_expires_at=row.refresh_expires_at,
        ),
        generation=row.generation,
        lease_no=row.lease_no,
        leased=row.lease_at is not None,
    )


def put(session: Session, store_id: str, grant: SealedGrant) -> None:
    """A new grant in the place of any other; a renewal under way writes nothing any more.

    The caller holds the store's lock.
    """
    values = _values(grant) | {"lease_at": None}
    changed = session.execute(
        sa.update(TOKEN)
        .where(TOKEN.c.store_id == store_id)
        .values(**values, generation=TOKEN.c.generation + 1, lease_no=TOKEN.c.lease_no + 1)
        .returning(TOKEN.c.store_id)
    ).first()
    if changed is None:
        session.execute(
            sa.insert(TOKEN).values(store_id=store_id, generation=1, lease_no=0, **values)
        )


def take_lease(session: Session, store_id: str, *, generation: int, lease_no: int) -> int | None:
    """The right to renew, as a new lease number; None if anybody moved since this was read."""
    row = session.execute(
        sa.update(TOKEN)
        .where(
            TOKEN.c.store_id == store_id,
            TOKEN.c.generation == generation,
            TOKEN.c.lease_no == lease_no,
        )
        .values(lease_no=lease_no + 1, lease_at=db_now(session))
        .returning(TOKEN.c.lease_no)
    ).first()
    return int(row.lease_no) if row else None


def give_back_lease(session: Session, store_id: str, *, lease_no: int) -> None:
    """Say that the renewal failed, so that the next one need not wait."""
    session.execute(
        sa.update(TOKEN)
        .where(TOKEN.c.store_id == store_id, TOKEN.c.lease_no == lease_no)
        .values(lease_at=None)
    )


def renew(
    session: Session, store_id: str, grant: SealedGrant, *, generation: int, lease_no: int
) -> bool:
    """The renewed grant, both tokens and both expiries at once; False if the lease was lost."""
    row = session.execute(
        sa.update(TOKEN)
        .where(
            TOKEN.c.store_id == store_id,
            TOKEN.c.generation == generation,
            TOKEN.c.lease_no == lease_no,
        )
        .values(**_values(grant), generation=generation + 1, lease_at=None)
        .returning(TOKEN.c.store_id)
    ).first()
    return row is not None


def bury(session: Session, store_id: str, *, generation: int) -> bool:
    """Note that Shopify refuses this generation for good; False if a newer one is there."""
    now = db_now(session)
    row = session.execute(
        sa.update(TOKEN)
        .where(TOKEN.c.store_id == store_id, TOKEN.c.generation == generation)
        .values(
            refresh_sealed=None,
            access_expires_at=now,
            refresh_expires_at=now,
            lease_at=None,
        )
        .returning(TOKEN.c.store_id)
    ).first()
    return row is not None


def every_sealed(session: Session) -> list[tuple[str, int, str, str | None]]:
    """(store id, generation, sealed access, sealed refresh) of all stores: for a rotation."""
    rows = session.execute(
        sa.select(
            TOKEN.c.store_id,
            TOKEN.c.generation,
            TOKEN.c.access_sealed,
            TOKEN.c.refresh_sealed,
        )
    )
    return [(r.store_id, r.generation, r.access_sealed, r.refresh_sealed) for r in rows]


def reseal(
    session: Session, store_id: str, *, generation: int, access: str, refresh: str | None
) -> bool:
    """The same tokens under another key; False if they were renewed meanwhile."""
    row = session.execute(
        sa.update(TOKEN)
        .where(TOKEN.c.store_id == store_id, TOKEN.c.generation == generation)
        .values(access_sealed=access, refresh_sealed=refresh)
        .returning(TOKEN.c.store_id)
    ).first()
    return row is not None


def _values(grant: SealedGrant) -> dict[str, Any]:
    return {
        "grant_kind": grant.kind,
        "access_sealed": grant.access_sealed,
        "refresh_sealed": grant.refresh_sealed,
        "access_expires_at": grant.access_expires_at,
        "refresh_expires_at": grant.refresh_expires_at,
    }
