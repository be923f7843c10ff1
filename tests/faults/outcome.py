"""What came of a case: faults, times, and everything that is wrong with what it left behind."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

import sqlalchemy as sa

from brandmind.db.models import METADATA
from tests.faults.ground import Ground, Shop, contents
from tests.faults.invariants import broken

Contents = dict[str, list[tuple[Any, ...]]]
_RESOURCES = (("orders", "shop_order"), ("products", "product"), ("customers", "customer"))


@dataclass
class Outcome:
    """The figures of one case; `wrong` says in words what must not be.

    `lost` and `doubled` are records (or pages), `different` rows that an undisturbed sync has
    otherwise, `falls` how often a reader saw progress go back. `recoveries_s` are the seconds
    from each death to the next page that was committed.
    """

    group: int
    case: str
    seed: int
    promised_s: float = 7.0
    faults: int = 0
    recoveries_s: list[float] = field(default_factory=list)
    lost: int = 0
    doubled: int = 0
    different: int = 0
    falls: int = 0
    syncs: int = 0
    wrong: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    took_s: float = 0.0

    @property
    def is_sound(self) -> bool:
        counted = self.lost or self.doubled or self.different or self.falls
        return not counted and not self.wrong and not self.late

    @property
    def late(self) -> list[float]:
        """The recoveries that took longer than was promised."""
        return [took_s for took_s in self.recoveries_s if took_s > self.promised_s]

    def complaints(self) -> list[str]:
        """All that is wrong, in words."""
        found = list(self.wrong)
        for what in ("lost", "doubled", "different", "falls"):
            if count := getattr(self, what):
                found.append(f"{what}: {count}")
        if self.late:
            found.append(
                f"later than {self.promised_s:g} s: " + ", ".join(f"{s:.2f} s" for s in self.late)
            )
        return found

    def plain(self) -> dict[str, Any]:
        """For the wire between a lane and the conductor."""
        return asdict(self)

    def hold(self, sound: Any, sentence: str) -> None:
        """Note what is wrong unless it is sound."""
        if not sound:
            self.wrong.append(sentence)


async def judge(
    outcome: Outcome, ground: Ground, shop: Shop, store_id: str, *, peace: Contents | None
) -> None:
    """Hold a store that is whole against its shop, its story and a sync in peace."""
    outcome.syncs += 1
    await asyncio.to_thread(_hold_ids, outcome, ground, shop, store_id)
    for sentence in broken(await ground.story(store_id)):
        if "landed twice" in sentence:
            outcome.doubled += 1
        outcome.wrong.append(sentence)
    if peace is not None:
        stored = await asyncio.to_thread(contents, ground.db, store_id)
        hold_contents(outcome, stored, peace)


def _hold_ids(outcome: Outcome, ground: Ground, shop: Shop, store_id: str) -> None:
    for resource, name in _RESOURCES:
        table = METADATA.tables[name]
        query = sa.select(table.c.shopify_id).where(table.c.store_id == store_id)
        stored = Counter(ground.db.read_now(lambda s, q=query: list(s.execute(q).scalars())))  # type: ignore[misc]
        truth = shop.ids(resource)
        lost, strange = truth - set(stored), set(stored) - truth
        outcome.lost += len(lost)
        outcome.different += len(strange)
        outcome.doubled += sum(count - 1 for count in stored.values())
        outcome.hold(not lost, f"{len(lost)} {resource} lost, {sorted(lost)[:3]} …")
        outcome.hold(not strange, f"{len(strange)} {resource} that the shop does not have")


def hold_contents(outcome: Outcome, stored: Contents, peace: Contents) -> None:
    """Count the rows that two syncs have stored differently."""
    for table, rows in peace.items():
        ours, theirs = Counter(stored[table]), Counter(rows)
        apart = (ours - theirs) + (theirs - ours)
        outcome.different += sum(apart.values())
        outcome.hold(not apart, f"{table}: {sum(apart.values())} rows differ, {list(apart)[:2]}")
