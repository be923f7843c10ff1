"""Groups 1 and 2: workers killed at every named point, and how soon the next page is committed."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any, Final

import sqlalchemy as sa

from brandmind.db.tables import EVENT
from tests.faults.armed import ANY_POINT, EXPORT_POINTS
from tests.faults.ground import Ground, Shop, until
from tests.faults.lane import Arena, Kind, Lane
from tests.faults.nursery import ArmedWorker
from tests.faults.outcome import Outcome, judge
from tests.faults.reader import Reader

# The deepest passage that is chosen, where it is not the fourth.
_DEEPEST: Final = {ANY_POINT: 14, "export started": 1, "export id stored": 1, "mid-download": 2}
# Reads everything by exports, in slices and batches that are small.
BY_EXPORT: Final = {
    "BRANDMIND_READ_BY": "bulk",
    "BRANDMIND_EXPORT_RECORDS": "100",
    "FAULTS_BATCH": "10",
    "FAULTS_STUCK_S": "4",
}
# What happens to a worker that was struck, until it is over and the next page is committed.
Aftermath = Callable[["Struck"], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Struck:
    """A worker that was struck in the midst of a store: where, when, and what is kept of it."""

    arena: Arena
    store_id: str
    shop: Shop
    worker: ArmedWorker
    at: float
    outcome: Outcome


async def killed_at(
    lane: Lane, kind: Kind, rng: Random, outcome: Outcome, *, point: str, times: int
) -> None:
    """Workers die at one point again and again; a warm one stands by each time."""
    told = BY_EXPORT if point in EXPORT_POINTS else None
    await strike(
        lane, kind, rng, outcome, points=(point,), times=times, then=_is_survived, told=told
    )


async def _is_survived(struck: Struck) -> None:
    await until(lambda: not struck.worker.is_alive)
    await has_gone_on(struck)


async def strike(
    lane: Lane,
    kind: Kind,
    rng: Random,
    outcome: Outcome,
    *,
    points: Sequence[str],
    times: int,
    then: Aftermath,
    by: signal.Signals = signal.SIGKILL,
    told: dict[str, str] | None = None,
) -> None:
    """Signal the worker of a store at one of the points, so many times, over as many stores as
    that takes; each store is read to its end and judged."""
    async with lane.arena(kind) as arena:
        arena.told = told or {}
        while outcome.faults < times:
            before = outcome.faults
            await _one_store(lane, arena, rng, outcome, points, times=times, then=then, by=by)
            if outcome.faults == before:
                outcome.wrong.append(f"nobody passed {', '.join(points)}")
                return


async def _one_store(
    lane: Lane,
    arena: Arena,
    rng: Random,
    outcome: Outcome,
    points: Sequence[str],
    *,
    times: int,
    then: Aftermath,
    by: signal.Signals,
) -> None:
    shop = lane.shop(orders=min(1_000, 120 + 50 * (times - outcome.faults)))
    shop.hold_after(rng.randint(5, 12))
    store_id = await arena.connect(shop)
    reader = Reader(arena.rt, store_id)
    while outcome.faults < times and await stands_at_the_gate(arena, shop, store_id):
        while len(arena.alive()) < 2:
            await arena.starts()
        struck = await strike_once(
            arena, rng, outcome, shop, store_id, point=rng.choice(points), by=by
        )
        if struck is not None:
            outcome.faults += 1
            await then(struck)
    shop.go_on()
    await arena.completed(store_id)
    await seen_to_the_end(reader, outcome)
    await judge(outcome, arena, shop, store_id, peace=await lane.peace(shop))


async def strike_once(
    arena: Arena,
    rng: Random,
    outcome: Outcome,
    shop: Shop,
    store_id: str,
    *,
    point: str,
    by: signal.Signals = signal.SIGKILL,
) -> Struck | None:
    """Signal whoever passes a point next, at a seeded passage; None if nobody did."""
    nth = rng.randint(1, _DEEPEST.get(point, 4))
    commands = arena.commands
    number = commands.give(point, nth=nth, by=by)
    shop.go_on()
    # Answers enough to come to the point.
    shop.hold_after(nth + (16 if point in EXPORT_POINTS else 2))

    async def is_over() -> bool:
        return bool(commands.done(number) or shop.waiting or await is_whole(arena, store_id))

    await until(is_over)
    if commands.done(number) is None:
        # It stands at the gate: it may still land the page at hand.
        await asyncio.sleep(0.2)
    commands.take_back()
    done = commands.done(number)
    if done is None:
        return None
    worker = next(one for one in arena.armed if one.pid == done.pid)
    return Struck(arena, store_id, shop, worker, done.at, outcome)


async def has_gone_on(struck: Struck) -> None:
    """Another worker has committed the next page; how soon is kept."""
    # Whoever was struck may have had most of the answers.
    _answers_again(struck.shop)
    back = await recovery_of(
        struck.arena, struck.store_id, struck.worker.pid, died_at=struck.at, shop=struck.shop
    )
    struck.outcome.recoveries_s.append(back.page_after_s)


async def stands_at_the_gate(arena: Arena, shop: Shop, store_id: str) -> bool:
    """Wait until the sync stands at the gate; False if it has come to its end instead."""
    if not arena.alive():
        await arena.starts()

    async def stands_or_ended() -> bool:
        return shop.waiting > 0 or await is_whole(arena, store_id)

    await until(stands_or_ended)
    return shop.waiting > 0


async def is_whole(arena: Ground, store_id: str) -> bool:
    rows = await arena.runs(store_id)
    return len(rows) > 1 and all(row.status == "done" for row in rows)


async def seen_to_the_end(reader: Reader, outcome: Outcome) -> None:
    """The reader has seen the sync's end and nothing fall."""
    await until(lambda: reader.last is not None and reader.last.status == "COMPLETED", within_s=15)
    await reader.leave()
    outcome.falls += len(reader.falls)
    outcome.wrong += [f"progress fell: {what}" for what in reader.falls[:3]]
    outcome.hold(reader.last and reader.last.percent == 100, "the last percent seen is not 100")


@dataclass(frozen=True, slots=True)
class Back:
    """After a death: until the run was claimed, and until the next page was committed."""

    claimed_after_s: float
    page_after_s: float


def _answers_again(shop: Shop) -> None:
    shop.go_on()
    shop.hold_after(8)


async def recovery_of(
    arena: Ground, store_id: str, pid: int, *, died_at: float, shop: Shop | None = None
) -> Back:
    """Wait for the next page of whoever took over; the times by the stamps of the events.

    A `shop` whose answers are counted gives more of them where they ran out before that page: a
    stage that is proven asks many times between its last page and the next one's first.
    """
    found: list[Back] = []

    async def has_come() -> bool:
        story = await arena.db.read(_stamped, store_id)
        back = _next_page(story, pid, died_at)
        if back is not None:
            found.append(back)
        elif shop is not None and shop.waiting:
            _answers_again(shop)
        return back is not None

    await until(has_come, within_s=30.0)
    return found[0]


def _stamped(session: Any, store_id: str) -> list[tuple[str, datetime, str]]:
    rows = session.execute(
        sa.select(EVENT.c.name, EVENT.c.at, EVENT.c.detail)
        .where(EVENT.c.store_id == store_id)
        .where(EVENT.c.name.in_(("claimed", "page", "done")))
        .order_by(EVENT.c.event_id)
    )
    return [(row.name, row.at, row.detail) for row in rows]


async def page_after(arena: Ground, store_id: str, at: float) -> float:
    """Wait for the first page (or end of a run) committed after a moment; the seconds to it."""
    found: list[float] = []

    async def has_come() -> bool:
        stamps = [when.timestamp() for name, when, _ in await arena.db.read(_stamped, store_id)
                  if name != "claimed" and when.timestamp() >= at]  # fmt: skip
        found.extend(stamps[:1])
        return bool(stamps)

    await until(has_come, within_s=60.0)
    return found[0] - at


def _next_page(story: list[tuple[str, datetime, str]], pid: int, died_at: float) -> Back | None:
    claimed: float | None = None
    last = max(
        (i for i, (name, _, who) in enumerate(story) if name == "claimed" and f"|{pid}|" in who),
        default=-1,
    )
    for name, at, _ in story[last + 1 :]:
        if name == "claimed" and claimed is None:
            claimed = at.timestamp()
        # A run that needed no page any more was taken up and ended.
        elif name in ("page", "done") and claimed is not None:
            return Back(max(0.0, claimed - died_at), max(0.0, at.timestamp() - died_at))
    return None
