"""Who is in a group of customers, a page at a time: as the newest portrait has kept them, or,
where it has not, scored again as it scored them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

from brandmind.clock import monotonic_s
from brandmind.db import facts as portrayed
from brandmind.db import figures, grouped
from brandmind.db import people as rows
from brandmind.db.people import PersonRow
from brandmind.dna.facts import CustomerFact
from brandmind.dna.rfm import GROUPS, members
from brandmind.errors import InvalidInput
from brandmind.services import dna
from brandmind.services.dna import StoreDna

if TYPE_CHECKING:
    from brandmind.runtime import Runtime

PAGE: Final = 50
# Whoever turns pages does not have all customers scored again for each.
_KEPT_S: Final = 60.0
_MOST_KEPT: Final = 8


@dataclass(frozen=True, slots=True)
class Member:
    """A customer of a group. Names and addresses are None where Shopify does not show them."""

    customer_id: int
    name: str | None
    email: str | None
    email_marketing: str | None
    city: str | None
    country_code: str | None
    orders: int
    net_minor: int
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class GroupPage:
    """A page of a group, those who spent most first; `count` is of the whole group.

    Everything before the day `as_of` counts. `page` begins with 1 and is never past the last.
    """

    group: str
    name: str
    currency: str
    as_of: date
    count: int
    page: int
    pages: int
    members: tuple[Member, ...]


_Lives = dict[str, list[CustomerFact]]
_kept: dict[tuple[str, int], tuple[float, _Lives]] = {}


async def group(rt: Runtime, store_id: str, *, group: str, page: int = 1) -> GroupPage | None:
    """A page of a group of the newest portrait, None while there are no groups.

    Raises InvalidInput for a group that is none, NotFound.
    """
    newest = await _newest(rt, store_id, group)
    if newest is None:
        return None
    count = _counted(newest, group)
    at, pages = _turned(page, count)
    first = (at - 1) * PAGE
    shown = await _kept_some(
        rt, store_id, newest, group, first=first, most=min(PAGE, count - first)
    )
    currency = newest.tables["currency"]
    if shown is None:
        currency, lives = await _scored_again(rt, store_id, newest, group)
        count = len(lives)
        at, pages = _turned(page, count)
        shown = lives[(at - 1) * PAGE : at * PAGE]
    return GroupPage(
        group=group,
        name=GROUPS[group],
        currency=currency,
        as_of=newest.as_of,
        count=count,
        page=at,
        pages=pages,
        members=await _who(rt, store_id, shown),
    )


async def everyone(rt: Runtime, store_id: str, *, group: str) -> tuple[str, tuple[Member, ...]]:
    """The currency and all of a group; nobody while there are no groups. Raises as `group`."""
    newest = await _newest(rt, store_id, group)
    if newest is None:
        return "", ()
    currency, count = newest.tables["currency"], _counted(newest, group)
    lives = await _kept_some(rt, store_id, newest, group, first=0, most=count)
    if lives is None:
        currency, lives = await _scored_again(rt, store_id, newest, group)
    return currency, await _who(rt, store_id, lives)


async def _newest(rt: Runtime, store_id: str, group: str) -> StoreDna | None:
    """The newest portrait if it has groups."""
    if group not in GROUPS:
        raise InvalidInput("There is no such group of customers.", field="group")
    newest = await dna.store_dna(rt, store_id)
    return None if newest is None or newest.tables["rfm"]["reason"] else newest


def _counted(newest: StoreDna, group: str) -> int:
    """How many the portrait has counted in a group."""
    return sum(
        int(one["customers"]) for one in newest.tables["rfm"]["groups"] if one["group"] == group
    )


def _turned(page: int, count: int) -> tuple[int, int]:
    """The page of so many customers that is meant, and how many pages there are."""
    pages = max(1, -(-count // PAGE))
    return min(max(1, page), pages), pages


async def _kept_some(
    rt: Runtime, store_id: str, newest: StoreDna, group: str, *, first: int, most: int
) -> list[CustomerFact] | None:
    """The `most` of a group from the place `first` on as the portrait has kept them; None where it
    has not: it was made before it did, or somebody was redacted since.
    """
    found = await rt.db.read(
        grouped.some, store_id, number=newest.number, group=group, first=first, most=most
    )
    return found if len(found) == most else None


async def _scored_again(
    rt: Runtime, store_id: str, newest: StoreDna, group: str
) -> tuple[str, list[CustomerFact]]:
    """The store's currency and all of a group, as of the portrait's day. Raises NotFound."""
    facts = await rt.db.read(figures.facts, store_id)
    key, now = (store_id, newest.number), monotonic_s()
    for old in [at for at, (made, _) in _kept.items() if now - made > _KEPT_S]:
        del _kept[old]
    if key not in _kept:
        while len(_kept) >= _MOST_KEPT:
            del _kept[next(iter(_kept))]
        lives = await rt.db.read(rows.lives, store_id, currency=facts.currency, end=newest.as_of)
        never = await rt.db.read(
            portrayed.prospects,
            store_id,
            buyers={one.gid for one in lives},
            whole=facts.history_done,
        )
        _kept[key] = (now, await asyncio.to_thread(members, lives, never))
    return facts.currency, _kept[key][1].get(group, [])


async def _who(rt: Runtime, store_id: str, lives: Iterable[CustomerFact]) -> tuple[Member, ...]:
    lives = list(lives)
    known = await rt.db.read(rows.people, store_id, [one.gid for one in lives])
    return tuple(_member(one, known.get(one.gid)) for one in lives)


def _member(one: CustomerFact, who: PersonRow | None) -> Member:
    return Member(
        customer_id=one.gid,
        name=who.name if who else None,
        email=who.email if who else None,
        email_marketing=who.email_marketing if who else None,
        city=who.city if who else None,
        country_code=who.country_code if who else None,
        orders=one.orders,
        net_minor=one.net_minor,
        last_at=datetime.fromtimestamp(one.last_at_ms / 1000, UTC) if one.orders else None,
    )
