"""Store DNA: made when a sync has read the rows, kept, and told to the pages and the report."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from brandmind.db import facts, grouped, portraits
from brandmind.db.facts import Loaded
from brandmind.db.ledger import SqlLedger
from brandmind.db.portraits import Earlier, Point, Portrait
from brandmind.dna import cuts, predict, profile, rfm, tables
from brandmind.dna.pairs import pairs
from brandmind.dna.year import Year
from brandmind.services import portrait_process

__all__ = ["Past", "Point", "StoreDna", "history", "made", "past", "portray", "store_dna"]

if TYPE_CHECKING:
    from brandmind.runtime import Runtime

# The ghost marks on the page and the thin line of the gel.
AGO: Final = timedelta(days=90)
# The line of a strand's scores is this long.
LINE_DAYS: Final = 90
# From so many orders on, the facts are not loaded into the worker: of 30,000 they took 20 MB of it.
GREAT_ORDERS: Final = 10_000


@dataclass(frozen=True, slots=True)
class StoreDna:
    """The newest portrait of a store, and the scores of an earlier one where there is one.

    `portrait` is as `dna.profile.to_plain` has it, `tables` as `dna.tables`; of the earlier one
    `before` has the `dna_version` and each strand's `key` and `score`.
    """

    number: int
    as_of: date
    made_at: datetime
    portrait: dict[str, Any]
    tables: dict[str, Any]
    before: dict[str, Any] | None
    before_day: date | None
    before_number: int | None = None

    def compared(self, strand: Mapping[str, Any]) -> str:
        """How a strand of the portrait moved since the earlier one: a sentence, or ""."""
        if self.before is None or self.before_day is None:
            return ""
        earlier = {one["key"]: one for one in self.before["strands"]}
        day = f"{self.before_day.day} {self.before_day:%b}"
        return profile.compared(strand, earlier.get(strand["key"]), day=day)


async def portray(rt: Runtime, ledger: SqlLedger) -> None:
    """Make the portrait of a run's store and keep it. Raises Fenced.

    Reading and thinking happen in threads and hold no lock; only what is kept is written under
    the run's own.
    """
    store_id, run_id = ledger.claim.store_id, ledger.claim.run_id
    as_of = await rt.db.read(facts.as_of, store_id, run_id=run_id)
    await ledger.keep_stock(day=as_of)
    before = await rt.db.read(portraits.labels_before, store_id, as_of=as_of, version=cuts.VERSION)
    if await _elsewhere(rt, store_id):
        drawn = await portrait_process.draw(
            rt.settings.database_url, store_id, as_of=as_of, run_id=run_id, before=before
        )
    else:
        loaded = await rt.db.read(facts.load, store_id, as_of=as_of, run_id=run_id)
        drawn = await asyncio.to_thread(made, loaded, before)
    await ledger.keep_portrait(drawn)


async def _elsewhere(rt: Runtime, store_id: str) -> bool:
    """Whether a portrait would leave too much behind in this process: the facts of a great store,
    or, where a prediction can be made, the libraries it is fitted with.
    """
    if await rt.db.read(facts.order_count, store_id) >= GREAT_ORDERS:
        return True
    if not predict.installed():
        return False
    customers, repeaters = await rt.db.read(facts.buyers, store_id)
    return customers >= predict.LEAST_CUSTOMERS and repeaters >= predict.LEAST_REPEATERS


def made(loaded: Loaded, before: Mapping[str, str], *, predicting: bool = False) -> Portrait:
    """The portrait of these facts: the same bytes for the same facts and labels.

    `predicting` fits what customers may still bring where it is installed and can be told; that
    loads numpy and scipy into the process for good.
    """
    year = Year(loaded.facts)
    rules = pairs(year.baskets)
    found = profile.read(year, rules, before=before)
    beside = tables.tables(
        year,
        rules,
        loaded.months,
        loaded.hours,
        predict.predicted(year, fitting=predicting),
        loaded.year_buyers,
    )
    people = loaded.facts.customers
    members = (
        {} if beside["rfm"]["reason"] else rfm.members(people, loaded.never, known=year.scored)
    )
    return Portrait(
        as_of=found.as_of,
        dna_version=found.dna_version,
        strands=found.read,
        labels=found.labels,
        portrait_json=profile.to_json(found),
        tables_json=tables.to_json(beside),
        members=grouped.chunks(members),
    )


async def store_dna(rt: Runtime, store_id: str, *, against: int | None = None) -> StoreDna | None:
    """The newest portrait, None before the first; beside it that of 90 days earlier.

    `against` puts the store's portrait of that number beside it, if there is such an earlier one.
    """
    found = await rt.db.read(portraits.latest, store_id)
    if found is None:
        return None
    before = None
    if against is not None and against < found.number:
        before = await rt.db.read(portraits.numbered, store_id, number=against)
    if before is None:
        before = await rt.db.read(portraits.earlier, store_id, up_to=found.as_of - AGO)
    return StoreDna(
        number=found.number,
        as_of=found.as_of,
        made_at=found.made_at,
        portrait=found.portrait,
        tables=found.tables,
        before=_scored(before) if before else None,
        before_day=before.as_of if before else None,
        before_number=before.number if before else None,
    )


def _scored(before: Earlier) -> dict[str, Any]:
    strands = [{"key": key, "score": score} for key, score in before.scores.items()]
    return {"dna_version": before.dna_version, "strands": strands}


@dataclass(frozen=True, slots=True)
class Past:
    """A store's portraits by day, newest first, and each strand's scores, oldest first."""

    points: tuple[Point, ...] = ()
    scores: Mapping[str, list[tuple[date, float]]] = field(default_factory=dict)


async def past(rt: Runtime, store_id: str) -> Past:
    """What there is to compare the newest portrait with."""
    return Past(
        points=tuple(await history(rt, store_id)),
        scores=await rt.db.read(portraits.scores, store_id, days=LINE_DAYS),
    )


async def history(rt: Runtime, store_id: str) -> list[Point]:
    """The days that have a portrait, newest first."""
    return await rt.db.read(portraits.history, store_id)
