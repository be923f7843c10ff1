"""The engine: reads a store stage by stage, each page landed before it is announced.

It knows no Shopify, SQL, Redis, queue or screen; it can be killed at any line and started again.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from enum import StrEnum
from typing import Final

from brandmind.errors import AccessRefused
from brandmind.sync.ports import Announcer, Checkpoint, Ledger, Source, Total, Window
from brandmind.sync.slices import Pages
from brandmind.sync.stages import COUNTED, PAGED, UNPROVEN, Stage, StageState
from brandmind.sync.truth import Truth, total_of

# The cursor of a stage whose last page has landed: such a page can never land twice.
END: Final = "$"
_CLOSED: Final = frozenset(
    {StageState.DONE, StageState.GAP, StageState.RESTRICTED, StageState.SKIPPED}
)
# Rollups follow the rows at this pace while pages land.
_RECOUNT_EVERY_S: Final = 2.0
# Older orders change the sums of days that were counted already, by what came back of them: in a
# large store, where two seconds read only a few days, that would be most of the counting.
_RECOUNT_SHARE: Final = 0.1
_CAPITAL: Final = re.compile(r"([A-Z])")


class Outcome(StrEnum):
    """How a slice of work ended without an error."""

    DONE = "done"
    YIELDED = "yielded"


class Engine:
    """One claimed run at work. Errors of the source and `errors.Fenced` pass through.

    `reader` is where the pages come from if not from the source itself.
    """

    def __init__(
        self,
        *,
        source: Source,
        ledger: Ledger,
        announcer: Announcer,
        reader: Pages | None = None,
        portray: Callable[[], Awaitable[None]] | None = None,
        slice_s: float = 5.0,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._reader: Pages = reader or source
        self._ledger = ledger
        self._announcer = announcer
        self._portray = portray
        self._now_s = now_s
        self._truth = Truth(source, ledger)
        self._slice_ends_s = now_s() + slice_s
        self._recount_due_s = -math.inf

    async def run(self) -> Outcome:
        """Work until the run is whole or has to be given up for another."""
        for stage in await self._ledger.stages():
            at = await self._ledger.checkpoint(stage)
            if at.state in _CLOSED:
                continue
            if stage in PAGED:
                if not await self._read(stage):
                    return Outcome.YIELDED
            else:
                await self._do(stage)
            self._announcer.changed()
        return Outcome.DONE

    async def _do(self, stage: Stage) -> None:
        await self._ledger.begin(stage, total=None)
        self._announcer.changed()
        if stage is Stage.SHOP:
            await self._ask_shop()
        elif stage is Stage.FIGURES:
            await self._ledger.retime()
            await self._ledger.recount()
            if self._portray is not None:
                await self._portray()
        elif stage is Stage.NOTIFY:
            await self._ledger.notify()
        await self._ledger.finish(stage, StageState.DONE)

    async def _ask_shop(self) -> None:
        await self._ledger.keep_shop(await self._source.shop())
        asked = []
        for stage in await self._ledger.stages():
            if stage in COUNTED:
                at = await self._ledger.checkpoint(stage)
                if at.state not in _CLOSED:
                    asked.append((stage, at.window))
        await self._ledger.keep_totals(await self._count(asked))
        self._announcer.changed()

    async def _count(self, asked: list[tuple[Stage, Window]]) -> dict[Stage, Total]:
        """The shop's counts in one request; stages that may not be counted are left out."""
        try:
            found = await self._source.counts(asked)
        except AccessRefused:
            if len(asked) == 1:
                # The stage says so itself in its turn.
                return {}
            return {k: v for one in asked for k, v in (await self._count([one])).items()}
        return {stage: total for (stage, _), total in zip(asked, found, strict=True)}

    async def _read(self, stage: Stage) -> bool:
        """Read a paged stage to its end; False if it was given up for another run."""
        try:
            before = await self._ledger.checkpoint(stage)
            if before.restricted and not before.cursor and await self._truth.shown_again(stage):
                before = await self._ledger.reopen(stage)
            total = None
            if before.total is None and stage not in UNPROVEN:
                total = await self._source.count(stage, before.window)
            at = await self._ledger.begin(stage, total=total)
            self._announcer.changed()
            while True:
                if not await self._read_pages(at):
                    return False
                again = await self._prove(stage)
                if again is None:
                    return True
                at = again
        except AccessRefused as error:
            await self._ledger.finish(stage, StageState.RESTRICTED, note=error.message)
            return True

    async def _prove(self, stage: Stage) -> Checkpoint | None:
        """Close a stage that was read to its end, or say what to read again: the windows that are
        short of the shop's count, once each."""
        short_by = unreadable = vanished = 0
        await self._truth.follow_orders(stage)
        if stage not in UNPROVEN:
            await self._truth.try_again(stage)
            verdict = await self._truth.judge(stage)
            unreadable = await self._ledger.unreadable(stage)
            short_by, vanished = verdict.short_by, verdict.vanished
            for proof in verdict.short if short_by > unreadable else ():
                if await self._ledger.restart(stage, window=proof.window, total=total_of(proof)):
                    return await self._ledger.checkpoint(stage)
        at = await self._ledger.checkpoint(stage)
        if short_by or vanished:
            note = _gap(stage, short_by, unreadable=unreadable, vanished=vanished)
            await self._ledger.finish(stage, StageState.GAP, note=note)
        elif at.restricted:
            await self._ledger.finish(stage, StageState.RESTRICTED, note=_hidden(at.restricted))
        else:
            await self._ledger.finish(stage, StageState.DONE)
        return None

    async def _read_pages(self, at: Checkpoint) -> bool:
        if at.cursor == END:
            return True
        pages = self._reader.pages(at.stage, at.window, after=at.cursor or None)
        async with aclosing(pages):  # type: ignore[type-var]
            async for page in pages:
                at = await self._ledger.land(page, after=at.cursor)
                # Said only after the commit: no screen shows what a crash could undo.
                self._announcer.changed()
                if page.next_cursor is None:
                    break
                await self._recount_if_due()
                if await self._ledger.should_yield(slice_over=self._now_s() >= self._slice_ends_s):
                    return False
        return True

    async def _recount_if_due(self) -> None:
        began_s = self._now_s()
        if began_s < self._recount_due_s:
            return
        await self._ledger.recount()
        ended_s = self._now_s()
        rest_s = max(_RECOUNT_EVERY_S, (ended_s - began_s) / _RECOUNT_SHARE)
        self._recount_due_s = ended_s + rest_s


def _gap(stage: Stage, short_by: int, *, unreadable: int, vanished: int) -> str:
    what = stage.resource.capitalize()
    if vanished and not short_by:
        return (
            f"Shopify shows {vanished:,} {stage.resource} fewer than we have. "
            "Nothing was removed. We look again tonight."
        )
    lost = min(short_by, unreadable)
    if not lost:
        return f"{what} are {short_by:,} short of Shopify's count. We look again tonight."
    one = stage.resource.removesuffix("s")
    unread = f"{lost:,} {one if lost == 1 else stage.resource} could not be read"
    if lost == short_by:
        return f"{unread}. We try again at the next sync."
    return f"{what} are {short_by:,} short of Shopify's count: {unread}. We look again tonight."


def _hidden(fields: str) -> str:
    """ "orders.nodes.customer" in words: whoever reads it knows no paths."""
    paths = [[part for part in path.split(".") if part != "nodes"] for path in fields.split(",")]
    names = [_CAPITAL.sub(r" \1", " ".join(path[1:] or path)).lower() for path in paths]
    return f"Shopify does not show BrandMind these fields of {paths[0][0]} yet: {', '.join(names)}."
