"""Letting people in: member, session and one-time link, each in one transaction."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from brandmind.db import flows, sessions, stores, users
from brandmind.db.users import Person
from brandmind.errors import NotAllowed, NotFound


def sign_in(
    session: Session,
    store_id: str,
    *,
    who: Person | str,
    token_hash: str,
    joins: str | None,
    user_agent: str,
    first_is_admin: bool,
    now: datetime,
) -> str:
    """A session for somebody just vouched for, by Shopify (a Person) or by a link (an id).

    Returns its id. `joins`: the session the browser had, which ends and hands its stores over.
    Raises NotAllowed for a blocked member.
    """
    if isinstance(who, Person):
        stores.learn_shop_id(session, store_id, shop_id=who.shop_id)
        user_id = users.admit(session, store_id, who, now=now, first_is_admin=first_is_admin)
    else:
        user_id = who
        if not users.may_enter(session, store_id, user_id):
            raise NotAllowed("Your access to this store has been removed.")
    return sessions.open_session(
        session,
        store_id,
        user_id=user_id,
        token_hash=token_hash,
        joins=joins,
        user_agent=user_agent,
        now=now,
    )


def invite(
    session: Session,
    domain: str,
    *,
    name: str,
    token_hash: str,
    now: datetime,
    expires_at: datetime,
) -> str:
    """A one-time link into a store for a person the operator names; the person's id.

    Raises NotFound for a store that is not connected, InvalidInput for a name that is none.
    """
    store = stores.find_by_domain(session, domain)
    if store is None:
        raise NotFound(f"{domain} is not connected.")
    user_id = users.add_by_hand(session, store.store_id, name=name, now=now)
    flows.add_link(
        session,
        store.store_id,
        token_hash=token_hash,
        user_id=user_id,
        now=now,
        expires_at=expires_at,
    )
    return user_id
