"""The engine: reads a store stage by stage, each page landed before it is announced.

It knows no Shopify, SQL, Redis, queue or screen; it can be killed at any line and started again.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import aclosing
from enum import StrEnum
from typing import Final

from brandmind.errors import AccessRefused
from brandmind.sync.ports import Announcer, Checkpoint, Ledger, Source, Total
from brandmind.sync.stages import PAGED, Stage, StageState

# The cursor of a stage whose last page has landed: such a page can never land twice.
END: Final = "$"
_CLOSED: Final = frozenset(
    {StageState.DONE, StageState.GAP, StageState.RESTRICTED, StageState.SKIPPED}
)
# Rollups follow the rows at this pace while pages land.
_RECOUNT_EVERY_S: Final = 2.0


class Outcome(StrEnum):
    """How a slice of work ended without an error."""

    DONE = "done"
    YIELDED = "yielded"


class Engine:
    """One claimed run at work. Errors of the source and `errors.Fenced` pass through."""

    def __init__(
        self,
        *,
        source: Source,
        ledger: Ledger,
        announcer: Announcer,
        slice_s: float = 5.0,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._ledger = ledger
        self._announcer = announcer
        self._now_s = now_s
        self._slice_ends_s = now_s() + slice_s
        self._recounted_s = -math.inf

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
            await self._ledger.recount()
        elif stage is Stage.NOTIFY:
            await self._ledger.notify()
        await self._ledger.finish(stage, StageState.DONE)

    async def _ask_shop(self) -> None:
        await self._ledger.keep_shop(await self._source.shop())
        totals: dict[Stage, Total] = {}
        for stage in await self._ledger.stages():
            if stage in PAGED:
                at = await self._ledger.checkpoint(stage)
                try:
                    totals[stage] = await self._source.count(stage, at.window)
                except AccessRefused:
                    # Its own stage says so in its turn.
                    continue
        await self._ledger.keep_totals(totals)
        self._announcer.changed()

    async def _read(self, stage: Stage) -> bool:
        """Read a paged stage to its end; False if it was given up for another run."""
        try:
            before = await self._ledger.checkpoint(stage)
            total = None
            if before.total is None:
                total = await self._source.count(stage, before.window)
            at = await self._ledger.begin(stage, total=total)
            self._announcer.changed()
            while True:
                if not await self._read_pages(at):
                    return False
                # How many records the shop counts in the window and we do not hold.
                whole = await self._source.count(stage, at.proof)
                short_by = whole.count - await self._ledger.stored(stage, at.proof)
                at = await self._ledger.checkpoint(stage)
                if short_by <= 0 and at.restricted:
                    await self._ledger.finish(
                        stage, StageState.RESTRICTED, note=_hidden(at.restricted)
                    )
                    return True
                if short_by <= 0:
                    await self._ledger.finish(stage, StageState.DONE)
                    return True
                if not await self._ledger.restart(stage, total=whole):
                    await self._ledger.finish(stage, StageState.GAP, note=_gap(stage, short_by))
                    return True
                at = await self._ledger.checkpoint(stage)
        except AccessRefused as error:
            await self._ledger.finish(stage, StageState.RESTRICTED, note=error.message)
            return True

    async def _read_pages(self, at: Checkpoint) -> bool:
        if at.cursor == END:
            return True
        pages = self._source.pages(at.stage, at.window, after=at.cursor or None)
        async with aclosing(pages):  # type: ignore[type-var]
            async for page in pages:
                at = await self._ledger.land(page, after=at.cursor)
                # Said only after the commit: no screen shows what a crash could undo.
                self._announcer.changed()
                if page.next_cursor is None:
                    break
                if self._now_s() - self._recounted_s >= _RECOUNT_EVERY_S:
                    await self._ledger.recount()
                    self._recounted_s = self._now_s()
                if await self._ledger.should_yield(slice_over=self._now_s() >= self._slice_ends_s):
                    return False
        return True


def _gap(stage: Stage, short_by: int) -> str:
    what = "Orders" if stage in (Stage.ORDERS, Stage.HISTORY) else stage.value.capitalize()
    return f"{what} are {short_by:,} short of Shopify's count. We look again tonight."


def _hidden(fields: str) -> str:
    return f"Shopify does not show BrandMind these fields yet: {fields.replace(',', ', ')}."
