"""Sign-ins under way and one-time links: written once, consumed once, both known by a hash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.db.models import METADATA

Leg = Literal["install", "person"]

_FLOW: Final = METADATA.tables["oauth_flow"]
_LINK: Final = METADATA.tables["sign_in_link"]


@dataclass(frozen=True, slots=True)
class Flow:
    """A sign-in that came back: where it was going, and the browser it left from."""

    shop: str
    leg: Leg
    binding_hash: str


@dataclass(frozen=True, slots=True)
class SignInLink:
    """Whom a one-time link signs in, and to which store."""

    user_id: str
    store_id: str


def begin(
    session: Session,
    *,
    state_hash: str,
    shop: str,
    leg: Leg,
    binding_hash: str,
    now: datetime,
    expires_at: datetime,
) -> None:
    """Remember a sign-in that leaves for Shopify now, and forget those that never came back."""
    session.execute(sa.delete(_FLOW).where(_FLOW.c.expires_at < now))
    session.execute(
        sa.insert(_FLOW).values(
            state_hash=state_hash,
            shop=shop,
            leg=leg,
            binding_hash=binding_hash,
            created_at=now,
            expires_at=expires_at,
        )
    )


def consume(session: Session, state_hashes: Sequence[str], *, now: datetime) -> Flow | None:
    """The sign-in of that state, which is gone hereafter; None if there is none, or it is old."""
    row = session.execute(
        sa.delete(_FLOW).where(_FLOW.c.state_hash.in_(tuple(state_hashes))).returning(_FLOW)
    ).first()
    if row is None or row.expires_at <= now:
        return None
    return Flow(shop=row.shop, leg=row.leg, binding_hash=row.binding_hash)


def add_link(
    session: Session,
    store_id: str,
    *,
    token_hash: str,
    user_id: str,
    now: datetime,
    expires_at: datetime,
) -> None:
    """A one-time link for this person into this store."""
    session.execute(sa.delete(_LINK).where(_LINK.c.expires_at < now))
    session.execute(
        sa.insert(_LINK).values(
            token_hash=token_hash, user_id=user_id, store_id=store_id, expires_at=expires_at
        )
    )


def consume_link(
    session: Session, token_hashes: Sequence[str], *, now: datetime
) -> SignInLink | None:
    """The link of that token, which is gone hereafter; None if there is none, or it is old."""
    row = session.execute(
        sa.delete(_LINK).where(_LINK.c.token_hash.in_(tuple(token_hashes))).returning(_LINK)
    ).first()
    if row is None or row.expires_at <= now:
        return None
    return SignInLink(user_id=row.user_id, store_id=row.store_id)
