"""Reads a stage in slices: pages first, then exports that Shopify prepares meanwhile.

An export's id is stored before anybody waits for it, so that whoever takes the run over waits
for the same one; a file is checked to its last line before its first record lands.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from typing import Final, NamedTuple

from brandmind.clock import utc_now
from brandmind.errors import (
    AccessRefused,
    BulkNotReady,
    ExportDamaged,
    QueryRefused,
    ShopifyUnavailable,
    Throttled,
)
from brandmind.sync.plan import Choice, is_quick, planned
from brandmind.sync.ports import Page, Source, Window
from brandmind.sync.slices import (
    Export,
    Exports,
    Layout,
    Mode,
    Operation,
    Position,
    Slice,
    SliceBook,
    SliceState,
)
from brandmind.sync.stages import Stage

Sleep = Callable[[float], Awaitable[None]]

BATCH: Final = 250
# What one app may have under way in one shop (API 2026-01 and later).
AT_ONCE: Final = 5
TRIES: Final = 3
# An export that has not moved for so long is asked for anew.
STUCK_S: Final = 600.0
_LOOK_EVERY_S: Final = 2.0
_NO_ROOM_S: Final = 20.0
_IN_PLACE: Final = (0.3, 0.7, 1.0)
_ORPHAN: Final = timedelta(hours=24)

_log = logging.getLogger(__name__)


class _Failed(NamedTuple):
    why: str


class SlicedReader:
    """The pages of a source, read in slices where its counts say that this is quicker.

    `points_per_s` tells the shop's rate budget, None while it is not known.
    """

    def __init__(
        self,
        *,
        source: Source,
        exports: Exports,
        book: SliceBook,
        choice: Choice | None = None,
        points_per_s: Callable[[], float | None] = lambda: None,
        now_s: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._source = source
        self._exports = exports
        self._book = book
        self._choice = choice or Choice()
        self._points_per_s = points_per_s
        self._now_s = now_s
        self._sleep = sleep
        self._looked_s = -_LOOK_EVERY_S
        self._swept = False

    async def pages(
        self, stage: Stage, window: Window, *, after: str | None
    ) -> AsyncIterator[Page]:
        """The pages after a cursor (None: from the start), whatever way they are read.

        Raises BulkNotReady while there is nothing to do but to wait for Shopify.
        """
        position = Position.of(after) if after else Position(0)
        layout = None if position is None else await self._layout(stage, window, anew=not after)
        if position is None or layout is None or not layout.slices:
            begun = after if position is None else None
            async with aclosing(self._source.pages(stage, window, after=begun)) as pages:  # type: ignore[type-var]
                async for page in pages:
                    yield page
            return
        work = _Work(stage, layout)
        last = len(work.slices) - 1
        for number in range(position.number, last + 1):
            at = position if number == position.number else Position(number)
            following = str(Position(number + 1)) if number < last else None
            reading = self._slice(work, at, following)
            async with aclosing(reading):  # type: ignore[type-var]
                async for page in reading:
                    yield page
            await self._book.landed(stage, number)

    async def _layout(self, stage: Stage, window: Window, *, anew: bool) -> Layout | None:
        if window.updated_from is not None or window.created_before is None:
            # Only read by pages: there is nothing to choose, and nothing to say.
            return None
        layout = await self._book.layout(stage)
        if not anew:
            return layout
        if layout.slices and _covers(layout.slices, window):
            return layout
        rate = self._points_per_s()
        # The whole stage's count is known already; a part of it holds no more.
        total = layout.total
        if total is None or not is_quick(stage, total, choice=self._choice, points_per_s=rate):
            total = await self._source.count(stage, window)

        async def counts(parts: Sequence[Window]) -> Sequence[int]:
            found = await self._source.counts([(stage, part) for part in parts])
            return [one.count for one in found]

        plan = await planned(
            stage,
            window,
            total,
            choice=self._choice,
            points_per_s=rate,
            floor=layout.floor,
            counts=counts,
        )
        await self._book.keep(stage, plan.slices, reason=plan.reason)
        return await self._book.layout(stage) if plan.slices else None

    async def _slice(self, work: _Work, at: Position, following: str | None) -> AsyncIterator[Page]:
        number = at.number
        if work.slices[number].mode is Mode.BULK and at.mode is not Mode.PAGED:
            reading = self._exported(work, at, following)
            async with aclosing(reading):  # type: ignore[type-var]
                async for page in reading:
                    yield page
            if work.slices[number].mode is Mode.BULK:
                return
            # Its export came to nothing again and again.
            at = Position(number)
        slice_ = work.slices[number]
        after = at.rest if at.mode is Mode.PAGED else None
        pages = self._source.pages(work.stage, slice_.window, after=after or None)
        async with aclosing(pages):  # type: ignore[type-var]
            async for page in pages:
                cursor = following
                if page.next_cursor is not None:
                    cursor = str(Position(number, Mode.PAGED, rest=page.next_cursor))
                yield replace(page, next_cursor=cursor)
                await self._keep_going(work, number)

    async def _exported(
        self, work: _Work, at: Position, following: str | None
    ) -> AsyncIterator[Page]:
        """The slice's export in batches of whole records; nothing if it must be paged after all."""
        number, stage = at.number, work.stage
        export = await self._ready(work, number)
        if export is None:
            return
        slice_ = work.slices[number]
        begun = int(at.rest or 0) if at.attempt == slice_.attempt else 0
        done = False
        upcoming: asyncio.Task[Page] | None = None
        try:
            while True:
                size = min(BATCH, export.roots - begun)
                page = await (upcoming or export.page(begun, size))
                begun += size
                done = begun >= export.roots
                upcoming = None
                if not done:
                    # What refunds of the next batch need of Shopify is asked for meanwhile.
                    ahead = export.page(begun, min(BATCH, export.roots - begun))
                    upcoming = asyncio.create_task(_page(ahead))
                cursor = str(Position(number, Mode.BULK, slice_.attempt, str(begun)))
                yield replace(
                    page,
                    stage=stage,
                    next_cursor=following if done else cursor,
                    read_no=slice_.read_no,
                )
                if done:
                    return
                await self._keep_going(work, number)
        finally:
            if upcoming is not None:
                upcoming.cancel()
                await asyncio.gather(upcoming, return_exceptions=True)
            if done:
                # Landed; or, if that failed, fetched once more.
                export.remove()

    async def _ready(self, work: _Work, number: int) -> Export | None:
        """The export of a slice, ready to be read; None if the slice is to be paged instead."""
        waits = list(_IN_PLACE)
        while True:
            slice_ = work.slices[number]
            if slice_.mode is Mode.PAGED:
                return None
            found = await self._at_work(work, number)
            if isinstance(found, Operation):
                name = f"{work.layout.mark}-{work.stage.value}-{number}-{slice_.read_no}"
                try:
                    return await self._exports.fetch(work.stage, found, name=name)
                except ExportDamaged as error:
                    found = _Failed(error.message)
            if isinstance(found, _Failed):
                await self._again(work, number, why=found.why)
                continue
            if work.slices[number].mode is Mode.PAGED:
                return None
            await self._ahead(work, number)
            if not waits:
                raise BulkNotReady(
                    delay_s=min(max(found / 4, 1.0), 10.0),
                    records=slice_.counted,
                    what=work.stage.resource,
                )
            await self._sleep(waits.pop(0))

    async def _at_work(self, work: _Work, number: int) -> Operation | _Failed | float:
        """The slice's finished operation, why it failed, or how long it was waited for so far."""
        slice_ = work.slices[number]
        if slice_.operation is None:
            try:
                started = await self._start(work, number)
            except (AccessRefused, QueryRefused) as error:
                await self._page_rest(work, number, why=error.message)
                return 0.0
            if not started:
                if slice_.asked_s > STUCK_S:
                    await self._page_instead(work, number, why="the shop had no room for it")
                    return 0.0
                return _NO_ROOM_S
            slice_ = work.slices[number]
        assert slice_.operation is not None
        operation = await self._exports.look(slice_.operation)
        if operation is None:
            return _Failed("Shopify no longer knows the export")
        patience = await self._book.looked(work.stage, number, operation)
        if operation.is_under_way:
            work.slices[number] = replace(work.slices[number], state=SliceState.RUNNING)
            if patience.still_s > STUCK_S:
                await self._exports.cancel(operation.gid)
                return _Failed(f"the export stood still for {patience.still_s / 60:.0f} min")
            return patience.asked_s
        if operation.error_code == "ACCESS_DENIED":
            # An export is refused whole for one field; pages come without it and say which.
            await self._page_rest(work, number, why="Shopify refuses the export")
            return 0.0
        if operation.status != "COMPLETED":
            code = f" ({operation.error_code})" if operation.error_code else ""
            return _Failed(f"the export ended {operation.status.lower()}{code}")
        work.slices[number] = replace(work.slices[number], state=SliceState.READY)
        return operation

    async def _start(self, work: _Work, number: int) -> bool:
        """Have an export under way for the slice; False if the shop has no room now."""
        slice_, stage = work.slices[number], work.stage
        known: Operation | None = None
        if slice_.state is SliceState.ASKED:
            # We died, or the connection did, before its id was known: it may be under way.
            known = await self._adopted(work, slice_)
        if known is None:
            if slice_.state is not SliceState.ASKED:
                await self._sweep_orphans(work)
                slice_ = await self._book.asking(stage, number)
                work.slices[number] = slice_
            known = await self._exports.start(self._text(work, slice_))
            if known is None:
                return False
        work.slices[number] = await self._book.started(stage, number, known)
        return True

    def _text(self, work: _Work, slice_: Slice) -> str:
        mark = (
            f"{work.layout.mark} {work.stage.value} {slice_.number}.{slice_.attempt} "
            f"r{slice_.read_no}"
        )
        return self._exports.text(work.stage, slice_.window, mark=mark)

    async def _adopted(self, work: _Work, slice_: Slice) -> Operation | None:
        text = self._text(work, slice_)
        for operation in await self._exports.recent():
            if operation.text == text and _is_young(operation):
                return operation
        return None

    async def _sweep_orphans(self, work: _Work) -> None:
        """Cancel what an ended run of ours has left under way: it holds one of five places."""
        if self._swept:
            return
        self._swept = True
        ours = work.layout.mark.split("-")[0]
        for operation in await self._exports.recent():
            if (
                operation.is_under_way
                and operation.text.startswith(f"# {ours}")
                and not await self._book.is_ours(operation.gid)
            ):
                _log.info("an export that nobody waits for any more is cancelled")
                await self._exports.cancel(operation.gid)

    async def _again(self, work: _Work, number: int, *, why: str) -> None:
        if work.slices[number].attempt >= TRIES:
            await self._page_instead(work, number, why=why)
        else:
            work.slices[number] = await self._book.drop(work.stage, number, why=why)

    async def _page_instead(self, work: _Work, number: int, *, why: str) -> None:
        work.slices[number] = await self._book.page_instead(work.stage, number, why=why)

    async def _page_rest(self, work: _Work, number: int, *, why: str) -> None:
        for other in range(number, len(work.slices)):
            if work.slices[other].mode is Mode.BULK:
                await self._page_instead(work, other, why=why)

    async def _keep_going(self, work: _Work, number: int) -> None:
        """While this slice lands, the next ones are prepared."""
        if self._now_s() - self._looked_s >= _LOOK_EVERY_S:
            try:
                await self._ahead(work, number)
            except (ShopifyUnavailable, Throttled) as error:
                # They are only early: what is being read now must not be given up for them.
                _log.info("no export was started ahead: %s", type(error).__name__)
            self._looked_s = self._now_s()

    async def _ahead(self, work: _Work, number: int) -> None:
        """Start the exports of the next slices, as many as there is room for."""
        near = range(number, min(number + AT_ONCE, len(work.slices)))
        for other in near:
            if work.slices[other].mode is not Mode.BULK:
                continue
            if work.slices[other].state in (SliceState.READY, SliceState.LANDED):
                continue
            if other == number and work.slices[other].operation is not None:
                continue
            if work.slices[other].operation is None:
                try:
                    if not await self._start(work, other):
                        return
                except (AccessRefused, QueryRefused) as error:
                    await self._page_rest(work, other, why=error.message)
                    return


class _Work:
    """A stage being read: its slices as they are now."""

    def __init__(self, stage: Stage, layout: Layout) -> None:
        self.stage = stage
        self.layout = layout
        self.slices = list(layout.slices)


async def _page(coming: Awaitable[Page]) -> Page:
    return await coming


def _covers(slices: tuple[Slice, ...], window: Window) -> bool:
    """Whether a plan is one of this window, with nothing of it landed yet."""
    return (
        slices[0].window.created_before == window.created_before
        and slices[-1].window.created_from == window.created_from
        and all(one.state is not SliceState.LANDED for one in slices)
    )


def _is_young(operation: Operation) -> bool:
    return utc_now() - operation.created_at < _ORPHAN
