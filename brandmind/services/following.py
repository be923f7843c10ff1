"""A sync followed from a terminal: asked for, worked on here or watched, and its exit code."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, TextIO

from brandmind.db import runs
from brandmind.errors import InvalidInput, SyncAlreadyRunning
from brandmind.runtime import Runtime
from brandmind.services import stores, syncs
from brandmind.sync.progress import StoreProgress
from brandmind.sync.stages import Kind, RunStatus, Stage, StageState, StoreStatus

_LOOK_EVERY_S: Final = 0.25
_SELECTABLE: Final = (Stage.PRODUCTS, Stage.ORDERS, Stage.CUSTOMERS)
_LIVE: Final = (RunStatus.QUEUED, RunStatus.RUNNING)
_UNHEARD_S: Final = 15.0

COMPLETED, FAILED, GAP = 0, 1, 3
_GOES_ON: Final = (
    "No longer following. The sync goes on in the background; the same command follows it again."
)
_STOPS_HERE: Final = (
    "Stopped. What was read is kept; the next worker, or the same command, goes on from there."
)


def chosen_stages(text: str) -> frozenset[Stage] | None:
    """The stages named by a comma list; None for an empty one. Raises InvalidInput."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    known = {stage.value: stage for stage in _SELECTABLE}
    for name in names:
        if name not in known:
            raise InvalidInput(
                f"--only takes {', '.join(known)}; {name!r} is none of them.", field="only"
            )
    return frozenset(known[name] for name in names) or None


async def sync(
    rt: Runtime,
    domain: str,
    *,
    kind: Kind | None,
    only: Iterable[Stage] | None,
    inline: bool,
    history: bool,
    out: TextIO | None = None,
) -> int:
    """Request a sync of a store and stay with it to its end; the exit code of the command.

    0: completed, or limited only by what Shopify grants. 3: a gap remains. 1: failed, cancelled.
    A sync that is already running is followed instead. Whoever stops following by Ctrl-C is told
    what becomes of the sync. Raises NotFound, StorePaused, NotAllowed for a store that has left.
    """
    store_id = (await stores.by_domain(rt, domain)).store_id
    line = _Line(out or sys.stderr)
    try:
        await syncs.request(rt, store_id, by="command line", kind=kind, only=only, limited=False)
    except SyncAlreadyRunning:
        line.say("A sync is already running. Here it is.")
    done = asyncio.Event()
    working = asyncio.create_task(_work_here(rt, store_id, done)) if inline else None
    try:
        last = await _follow(rt, store_id, history=history, line=line, done=done)
    except asyncio.CancelledError:
        line.say(_STOPS_HERE if inline else _GOES_ON)
        raise
    finally:
        if working is not None:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
    return _conclude(last, line, history=history)


async def _work_here(rt: Runtime, store_id: str, done: asyncio.Event) -> None:
    """Work on the store for as long as it is followed; `done` says when nothing is due."""
    while True:
        if await syncs.work(rt, store_id=store_id):
            done.set()
        await asyncio.sleep(0.05)


async def _follow(
    rt: Runtime, store_id: str, *, history: bool, line: _Line, done: asyncio.Event
) -> StoreProgress:
    kinds = (*runs.FRONT, Kind.HISTORICAL.value) if history else runs.FRONT
    waited_s = 0.0
    while True:
        done.clear()
        progress = await syncs.progress(rt, store_id)
        line.show(progress)
        if not await rt.db.read(runs.has_live, store_id, kinds):
            return await syncs.progress(rt, store_id)
        if progress.run_status is RunStatus.QUEUED and progress.started_at is None:
            waited_s += _LOOK_EVERY_S
            if waited_s == _UNHEARD_S:
                line.say("No worker has taken it up yet. Start `brandmind up`, or use --inline.")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_EVERY_S):
                await done.wait()


def _conclude(last: StoreProgress, line: _Line, *, history: bool) -> int:
    if last.status is StoreStatus.COMPLETED:
        line.say(f"Completed: {_counts(last)}. Counts match Shopify.")
        return COMPLETED
    if last.status is StoreStatus.PARTIAL and last.reason == "restricted":
        notes = [at.note for at in (*last.stages, last.history) if at and _is_restricted(at.state)]
        told = " ".join(filter(None, notes))
        line.say(f"Completed as far as Shopify allows: {_counts(last)}. {told}")
        return COMPLETED
    if last.status is StoreStatus.PARTIAL and last.reason == "history" and not history:
        line.say(f"Ready: {_counts(last)}. Older orders are still to come.")
        return COMPLETED
    if last.status is StoreStatus.PARTIAL and last.reason == "gap":
        notes = [at.note for at in (*last.stages, last.history) if at and at.note]
        line.say(" ".join(filter(None, notes)))
        return GAP
    line.say(f"{last.status.value.capitalize()}. {last.error or ''}".rstrip())
    return FAILED


def _is_restricted(state: StageState) -> bool:
    return state is StageState.RESTRICTED


def _counts(progress: StoreProgress) -> str:
    told = [
        f"{at.done:,} {at.stage.value}"
        for at in (*progress.stages, progress.history)
        if at is not None and at.total is not None
    ]
    return ", ".join(told) or "nothing to read"


class _Line:
    """One line that is rewritten on a terminal, and one line a stage everywhere else."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._tty = out.isatty()
        self._last = ""
        self._began_at = datetime.now(UTC)

    def show(self, progress: StoreProgress) -> None:
        text = self._text(progress)
        if self._tty:
            self._out.write(f"\r\x1b[2K{text}")
        elif text.split(":")[0] != self._last:
            self._last = text.split(":")[0]
            self._out.write(f"{text}\n")
        self._out.flush()

    def say(self, text: str) -> None:
        self._out.write(f"\r\x1b[2K{text}\n" if self._tty else f"{text}\n")
        self._out.flush()

    def _text(self, progress: StoreProgress) -> str:
        if progress.waiting and progress.error:
            return progress.error
        at = next((at for at in progress.stages if at.state is StageState.RUNNING), None)
        if at is None and progress.history and progress.history.state is StageState.RUNNING:
            at = progress.history
        if at is None:
            return "Waiting"
        bar = ""
        if progress.run_status in _LIVE:
            filled = progress.percent * 24 // 100
            bar = f" [{'#' * filled}{'.' * (24 - filled)}] {progress.percent}%"
        of = f" of {at.total:,}{'' if at.exact else '+'}" if at.total is not None else ""
        return f"Reading {at.stage.value}: {at.done:,}{of}{bar}"
