"""People and their places in stores: admitted by Shopify's word or by an operator's hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from brandmind.clock import new_id
from brandmind.db.models import METADATA
from brandmind.db.runs import lock_store
from brandmind.errors import InvalidInput, NotAllowed, NotFound

Role = Literal["owner", "member"]

_USER: Final = METADATA.tables["app_user"]
_MEMBERSHIP: Final = METADATA.tables["membership"]


@dataclass(frozen=True, slots=True)
class Person:
    """A person as a shop's own log-in describes them. The e-mail is for letters, never proof."""

    shop_id: int
    shopify_user_id: int
    name: str
    email: str | None
    account_owner: bool
    scopes: str


def admit(
    session: Session, store_id: str, person: Person, *, now: datetime, first_is_admin: bool
) -> str:
    """This person's id, made a member of the store or brought up to date.

    Whoever is the account's owner at log-in is the owner, the former one becomes a member, and
    no block holds against them. Raises NotAllowed for a member whom the owner has blocked.
    """
    store = lock_store(session, store_id)
    user_id = _user_of(session, person, now=now)
    known = _membership(session, store_id, user_id)
    if known is not None and known.blocked_at is not None and not person.account_owner:
        raise NotAllowed(f"The owner of {store.name} has removed your access.")
    if person.account_owner:
        session.execute(
            sa.update(_MEMBERSHIP)
            .where(
                _MEMBERSHIP.c.store_id == store_id,
                _MEMBERSHIP.c.user_id != user_id,
                _MEMBERSHIP.c.role == "owner",
            )
            .values(role="member")
        )
    _put_membership(
        session,
        store_id,
        user_id=user_id,
        role="owner" if person.account_owner else "member",
        scopes=person.scopes,
        now=now,
    )
    if first_is_admin and not _any_admin(session):
        session.execute(sa.update(_USER).where(_USER.c.user_id == user_id).values(admin=True))
    return user_id


def add_by_hand(session: Session, store_id: str, *, name: str, now: datetime) -> str:
    """A person an operator vouches for, seeing all that the store reads; the person's id.

    The first person of a store without an owner is its owner. A second call with the same name
    means the same person. Raises InvalidInput for an empty name.
    """
    name = " ".join(name.split())
    if not name or len(name) > 120:
        raise InvalidInput("Give the person a name of up to 120 letters.", field="name")
    store = lock_store(session, store_id)
    found = session.execute(
        sa.select(_USER.c.user_id).where(_USER.c.name == name, _USER.c.home_shop_id.is_(None))
    ).first()
    if found is not None:
        user_id = str(found.user_id)
    else:
        user_id = new_id()
        session.execute(
            sa.insert(_USER).values(user_id=user_id, name=name, admin=False, created_at=now)
        )
    owner = session.execute(
        sa.select(_MEMBERSHIP.c.user_id).where(
            _MEMBERSHIP.c.store_id == store_id, _MEMBERSHIP.c.role == "owner"
        )
    ).first()
    role: Role = "owner" if owner is None or owner.user_id == user_id else "member"
    _put_membership(session, store_id, user_id=user_id, role=role, scopes=store.scopes, now=now)
    return user_id


def name_of(session: Session, who: str | None) -> str | None:
    """The name of the person of that id; what is no person's id is words already."""
    if who is None:
        return None
    name: str | None = session.execute(
        sa.select(_USER.c.name).where(_USER.c.user_id == who)
    ).scalar()
    return name or who


def may_enter(session: Session, store_id: str, user_id: str) -> bool:
    """Whether this person is a member of the store whom nobody has blocked."""
    known = _membership(session, store_id, user_id)
    return known is not None and known.blocked_at is None


def members(session: Session, store_id: str) -> list[Any]:
    """The people of the store: user_id, name, role, blocked_at, scopes, created_at (their first
    sign-in there), by_hand (let in by an operator); the owner first."""
    return list(
        session.execute(
            sa.select(
                _USER.c.user_id,
                _USER.c.name,
                _MEMBERSHIP.c.role,
                _MEMBERSHIP.c.blocked_at,
                _MEMBERSHIP.c.scopes,
                _MEMBERSHIP.c.created_at,
                _USER.c.home_shop_id.is_(None).label("by_hand"),
            )
            .join(_USER, _USER.c.user_id == _MEMBERSHIP.c.user_id)
            .where(_MEMBERSHIP.c.store_id == store_id)
            .order_by(_MEMBERSHIP.c.role.desc(), _USER.c.name)
        )
    )


def set_blocked(session: Session, store_id: str, *, user_id: str, at: datetime | None) -> None:
    """Take a member's access away from `at`, or give it back with None.

    Raises NotFound for somebody who is no member, NotAllowed for the owner.
    """
    lock_store(session, store_id)
    known = _membership(session, store_id, user_id)
    if known is None:
        raise NotFound
    if known.role == "owner" and at is not None:
        raise NotAllowed("The owner of the account cannot be blocked.")
    session.execute(
        sa.update(_MEMBERSHIP)
        .where(_MEMBERSHIP.c.store_id == store_id, _MEMBERSHIP.c.user_id == user_id)
        .values(blocked_at=at)
    )


def set_admin(session: Session, who: str, *, admin: bool) -> str:
    """The right to administer for the person of that id or name, given or taken; the name.

    Raises NotFound for nobody, InvalidInput where several people have the name.
    """
    rows = session.execute(
        sa.select(_USER.c.user_id, _USER.c.name).where(
            sa.or_(_USER.c.user_id == who, _USER.c.name == who)
        )
    ).all()
    if not rows:
        raise NotFound(f"There is nobody called {who}.")
    if len(rows) > 1:
        ids = ", ".join(sorted(row.user_id for row in rows))
        raise InvalidInput(f"Several people are called {who}; name one of: {ids}.", field="user")
    session.execute(sa.update(_USER).where(_USER.c.user_id == rows[0].user_id).values(admin=admin))
    return str(rows[0].name)


def _user_of(session: Session, person: Person, *, now: datetime) -> str:
    insert: Any = sqlite.insert
    if session.get_bind().dialect.name == "postgresql":
        insert = postgresql.insert
    row = session.execute(
        insert(_USER)
        .values(
            user_id=new_id(),
            home_shop_id=person.shop_id,
            shopify_user_id=person.shopify_user_id,
            name=person.name,
            email=person.email,
            admin=False,
            created_at=now,
        )
        .on_conflict_do_update(
            index_elements=["home_shop_id", "shopify_user_id"],
            set_={"name": person.name, "email": person.email},
        )
        .returning(_USER.c.user_id)
    ).one()
    return str(row.user_id)


def _membership(session: Session, store_id: str, user_id: str) -> Any | None:
    return session.execute(
        sa.select(_MEMBERSHIP).where(
            _MEMBERSHIP.c.store_id == store_id, _MEMBERSHIP.c.user_id == user_id
        )
    ).first()


def _put_membership(
    session: Session, store_id: str, *, user_id: str, role: Role, scopes: str, now: datetime
) -> None:
    values: dict[str, Any] = {"role": role, "scopes": scopes}
    if role == "owner":
        values["blocked_at"] = None
    if _membership(session, store_id, user_id) is None:
        session.execute(
            sa.insert(_MEMBERSHIP).values(
                store_id=store_id, user_id=user_id, created_at=now, **values
            )
        )
    else:
        session.execute(
            sa.update(_MEMBERSHIP)
            .where(_MEMBERSHIP.c.store_id == store_id, _MEMBERSHIP.c.user_id == user_id)
            .values(**values)
        )


def _any_admin(session: Session) -> bool:
    return session.execute(sa.select(_USER.c.user_id).where(_USER.c.admin)).first() is not None
