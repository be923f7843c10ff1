"""Who is in a group of customers: scored as the portrait scores them, a page at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

from brandmind.clock import monotonic_s
from brandmind.db import facts as portrayed
from brandmind.db import figures
from brandmind.db import people as rows
from brandmind.db.people import PersonRow
from brandmind.dna.facts import CustomerFact
from brandmind.dna.rfm import GROUPS, PROSPECTS, scored
from brandmind.errors import InvalidInput
from brandmind.services import dna

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
    found = await _members(rt, store_id, group)
    if found is None:
        return None
    currency, as_of, lives = found
    pages = max(1, -(-len(lives) // PAGE))
    page = min(max(1, page), pages)
    shown = lives[(page - 1) * PAGE : page * PAGE]
    return GroupPage(
        group=group,
        name=GROUPS[group],
        currency=currency,
        as_of=as_of,
        count=len(lives),
        page=page,
        pages=pages,
        members=await _who(rt, store_id, shown),
    )


async def everyone(rt: Runtime, store_id: str, *, group: str) -> tuple[str, tuple[Member, ...]]:
    """The currency and all of a group; nobody while there are no groups. Raises as `group`."""
    found = await _members(rt, store_id, group)
    if found is None:
        return "", ()
    currency, _, lives = found
    return currency, await _who(rt, store_id, lives)


async def _members(
    rt: Runtime, store_id: str, group: str
) -> tuple[str, date, list[CustomerFact]] | None:
    if group not in GROUPS:
        raise InvalidInput("There is no such group of customers.", field="group")
    newest = await dna.store_dna(rt, store_id)
    if newest is None or newest.tables["rfm"]["reason"]:
        return None
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
        by_group = await asyncio.to_thread(_grouped, lives, never)
        _kept[key] = (now, by_group)
    return facts.currency, newest.as_of, _kept[key][1].get(group, [])


def _grouped(lives: list[CustomerFact], prospects: list[int]) -> _Lives:
    by_gid = {one.gid: one for one in lives}
    found: _Lives = {}
    for one in scored(lives):
        found.setdefault(one.group, []).append(by_gid[one.gid])
    for some in found.values():
        some.sort(key=lambda one: (-one.net_minor, one.gid))
    found[PROSPECTS] = [CustomerFact(gid, 0, 0, 0, 0, 0, 0) for gid in prospects]
    return found


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
