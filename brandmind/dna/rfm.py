"""Customers by recency, frequency and money: scores 1-5 within the store, and eleven groups.

Ranks are whole numbers throughout, and people who are alike always have the same score.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from brandmind.dna.facts import CustomerFact
from brandmind.dna.measure import nearest_rank

LEAST_CUSTOMERS: Final = 50
_LEAST_SPREAD_MS: Final = 30 * 86_400_000
_DAY_MS: Final = 86_400_000

CHAMPIONS: Final = "CHAMPIONS"
LOYAL: Final = "LOYAL"
ACTIVE: Final = "ACTIVE"
NEW: Final = "NEW"
PROMISING: Final = "PROMISING"
NEEDS_ATTENTION: Final = "NEEDS_ATTENTION"
ALMOST_LOST: Final = "ALMOST_LOST"
PREVIOUSLY_LOYAL: Final = "PREVIOUSLY_LOYAL"
AT_RISK: Final = "AT_RISK"
DORMANT: Final = "DORMANT"
PROSPECTS: Final = "PROSPECTS"

# Shopify's names, best first, and how people read them.
GROUPS: Final = {
    CHAMPIONS: "Champions",
    LOYAL: "Loyal",
    ACTIVE: "Active",
    NEW: "New",
    PROMISING: "Promising",
    NEEDS_ATTENTION: "Needs attention",
    ALMOST_LOST: "Almost lost",
    PREVIOUSLY_LOYAL: "Previously loyal",
    AT_RISK: "At risk",
    DORMANT: "Dormant",
    PROSPECTS: "Prospects",
}

# All 25 cells, by R and then by FM 1 to 5.
_GRID: Final = {
    5: (NEW, ACTIVE, ACTIVE, CHAMPIONS, CHAMPIONS),
    4: (PROMISING, ACTIVE, ACTIVE, LOYAL, LOYAL),
    3: (ALMOST_LOST, ALMOST_LOST, NEEDS_ATTENTION, LOYAL, LOYAL),
    2: (DORMANT, DORMANT, AT_RISK, AT_RISK, PREVIOUSLY_LOYAL),
    1: (DORMANT, DORMANT, AT_RISK, AT_RISK, PREVIOUSLY_LOYAL),
}


class Scored(NamedTuple):
    """A customer's scores and group."""

    gid: int
    recency: int
    frequency: int
    monetary: int
    fm: int
    group: str


@dataclass(frozen=True, slots=True)
class Group:
    """One group: how many, their net sales, and the middle of days since their last order."""

    group: str
    name: str
    customers: int
    net_minor: int
    days_since: int | None


@dataclass(frozen=True, slots=True)
class Rfm:
    """The groups of a store, best first; none while there is too little to tell them apart."""

    groups: tuple[Group, ...]
    customers: int
    reason: Literal["few", "recent"] | None


class Agreement(NamedTuple):
    """Of `compared` customers, whom the shop has put into a group too, the `same` are alike."""

    compared: int
    same: int


def group_of(recency: int, fm: int) -> str:
    """The group of a cell of the grid."""
    return _GRID[recency][fm - 1]


def scores(values: Sequence[int], *, ties: Literal["lower", "higher"]) -> list[int]:
    """A score of 1-5 for each value, higher values higher: min(5, 1 + 5 (rank - 1) / (n - 1)).

    Equal values share the rank of the lowest or of the highest of them; a measure of which there
    is a single value tells nothing and scores 3.
    """
    ordered = sorted(values)
    if not ordered or ordered[0] == ordered[-1]:
        return [3] * len(values)
    last = len(ordered) - 1
    of = {
        value: min(
            5,
            1
            + 5
            * (bisect_left(ordered, value) if ties == "lower" else bisect_right(ordered, value) - 1)
            // last,
        )
        for value in set(values)
    }
    return [of[value] for value in values]


def scored(customers: Iterable[CustomerFact]) -> list[Scored]:
    """Every customer with an order, scored against the others, by gid."""
    people = sorted(one for one in customers if one.orders > 0)
    # The most recent is 5; those of one moment share the better score.
    recency = scores([one.last_at_ms for one in people], ties="higher")
    frequency = scores([one.orders for one in people], ties="lower")
    monetary = scores([one.net_minor for one in people], ties="lower")
    return [
        Scored(one.gid, r, f, m, fm := (f + m + 1) // 2, group_of(r, fm))
        for one, r, f, m in zip(people, recency, frequency, monetary, strict=True)
    ]


def all_recent(people: Sequence[CustomerFact]) -> bool:
    """Whether all last orders lie within 30 days: too close together to tell who stays away.

    Raises ValueError of nobody.
    """
    moments = [one.last_at_ms for one in people]
    return max(moments) - min(moments) < _LEAST_SPREAD_MS


def rfm(
    customers: Sequence[CustomerFact],
    *,
    prospects: int,
    as_of_ms: int,
    known: Sequence[Scored] | None = None,
) -> Rfm:
    """The groups; `prospects` have no orders, `as_of_ms` is what days are counted back from.

    `known` are the scores of these customers, where somebody has worked them out before.
    """
    people = [one for one in customers if one.orders > 0]
    if len(people) < LEAST_CUSTOMERS:
        return Rfm((), len(people), "few")
    if all_recent(people):
        return Rfm((), len(people), "recent")
    by_gid = {one.gid: one for one in people}
    members: dict[str, list[CustomerFact]] = {group: [] for group in GROUPS}
    for one in scored(people) if known is None else known:
        members[one.group].append(by_gid[one.gid])
    return Rfm(
        tuple(
            Group(
                group=group,
                name=name,
                customers=len(members[group]) if group != PROSPECTS else prospects,
                net_minor=sum(one.net_minor for one in members[group]),
                days_since=_middle_days(members[group], as_of_ms),
            )
            for group, name in GROUPS.items()
        ),
        len(people),
        None,
    )


def members(
    customers: Collection[CustomerFact],
    never: Iterable[int],
    *,
    known: Iterable[Scored] | None = None,
) -> dict[str, list[CustomerFact]]:
    """Everybody of each group, those who spent most first and then by id; empty groups are absent.

    `never` are the ids of those who never bought; `known` as in `rfm`.
    """
    by_gid = {one.gid: one for one in customers}
    found: dict[str, list[CustomerFact]] = {}
    for one in scored(customers) if known is None else known:
        found.setdefault(one.group, []).append(by_gid[one.gid])
    for some in found.values():
        some.sort(key=lambda one: (-one.net_minor, one.gid))
    prospects = [CustomerFact(gid, 0, 0, 0, 0, 0, None) for gid in sorted(never)]
    return found | ({PROSPECTS: prospects} if prospects else {})


def agreement(customers: Iterable[CustomerFact], known: Iterable[Scored]) -> Agreement:
    """How many customers with an order are in the group that the shop has put them in."""
    told = {one.gid: one.shops_group for one in customers if one.shops_group is not None}
    same = [told[one.gid] == one.group for one in known if one.gid in told]
    return Agreement(len(same), sum(same))


def _middle_days(people: Sequence[CustomerFact], as_of_ms: int) -> int | None:
    if not people:
        return None
    return nearest_rank(sorted(max(0, as_of_ms - one.last_at_ms) // _DAY_MS for one in people), 50)
