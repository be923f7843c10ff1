"""The people of a store: looked at by all of them, blocked and let back in by its owner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from brandmind.clock import utc_now
from brandmind.commerce.shop import granted
from brandmind.db import sessions as session_rows
from brandmind.db import users
from brandmind.errors import NotAllowed
from brandmind.services.sessions import StoreRef

if TYPE_CHECKING:
    from brandmind.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Member:
    """A person of a store. `may_…`: what Shopify lets them see there; `by_hand`: an operator let
    them in, and not Shopify."""

    user_id: str
    name: str
    role: str
    blocked_at: datetime | None
    since_at: datetime
    may_orders: bool
    may_products: bool
    may_customers: bool
    by_hand: bool = False


async def listed(rt: Runtime, store: StoreRef) -> list[Member]:
    """The members of an authorised store, the owner first."""
    found = []
    for row in await rt.db.read(users.members, store.store_id):
        scopes = frozenset(part for part in row.scopes.split(",") if part)
        found.append(
            Member(
                user_id=row.user_id,
                name=row.name,
                role=row.role,
                blocked_at=row.blocked_at,
                since_at=row.created_at,
                may_orders=granted(scopes, "read_orders"),
                may_products=granted(scopes, "read_products"),
                may_customers=granted(scopes, "read_customers"),
                by_hand=bool(row.by_hand),
            )
        )
    return found


async def block(rt: Runtime, store: StoreRef, *, user_id: str) -> None:
    """Take a member's access away, by the owner; pages they have open end within a second.

    The block holds over uninstall and reinstall. Raises NotAllowed for whoever is no owner, and
    for the account's owner as the target; NotFound for somebody who is no member.
    """
    await _set(rt, store, user_id=user_id, at=utc_now())
    holding = await rt.db.read(session_rows.holding, store.store_id, user_id=user_id)
    for session_id in holding:
        # The session goes on for other stores: its pages only have to look again.
        await rt.signals.session_ended(session_id)


async def let_in(rt: Runtime, store: StoreRef, *, user_id: str) -> None:
    """Give a blocked member their access back. Raises as `block` does."""
    await _set(rt, store, user_id=user_id, at=None)


async def _set(rt: Runtime, store: StoreRef, *, user_id: str, at: datetime | None) -> None:
    if store.role != "owner":
        raise NotAllowed("Only the owner of the account may do that.")
    await rt.db.write(users.set_blocked, store.store_id, user_id=user_id, at=at)
