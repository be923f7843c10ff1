"""One mapping from what the runs say to what a merchant is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Protocol

from brandmind.sync.progress import StageProgress
from brandmind.sync.stages import PAGED, PART_OF, RunStatus, StageState, StoreStatus

_OPEN: Final = (StageState.QUEUED, StageState.RUNNING)
_TROUBLED: Final = (StageState.FAILED, StageState.RESTRICTED, StageState.GAP)


def store_status(
    *,
    paused: bool,
    front: RunStatus | None,
    started: bool,
    stages: tuple[StageProgress, ...],
    history: StageProgress | None,
    history_done: bool,
) -> tuple[StoreStatus, str | None]:
    """The store's status and, for PARTIAL, its reason: gap, restricted or history.

    `front` is the status of the newest full or incremental run, None if there never was one;
    `stages` are that run's stages, `history` the stage that reads older orders.
    """
    if paused:
        return StoreStatus.PAUSED, None
    if front is None or (front is RunStatus.QUEUED and not started):
        return StoreStatus.PENDING, None
    if front in (RunStatus.QUEUED, RunStatus.RUNNING):
        return StoreStatus.IN_PROGRESS, None
    if front is RunStatus.CANCELLED:
        return StoreStatus.CANCELLED, None
    if front is RunStatus.FAILED:
        return StoreStatus.FAILED, None
    states = {at.state for at in stages} | ({history.state} if history else set())
    if StageState.GAP in states:
        return StoreStatus.PARTIAL, "gap"
    if history is not None and history.state in (StageState.QUEUED, StageState.RUNNING):
        return StoreStatus.PARTIAL, "history"
    if not history_done and (history is None or history.state is not StageState.RESTRICTED):
        return StoreStatus.PARTIAL, "history"
    if StageState.RESTRICTED in states:
        return StoreStatus.PARTIAL, "restricted"
    return StoreStatus.COMPLETED, None


def shown(stages: tuple[StageProgress, ...]) -> tuple[StageProgress, ...]:
    """The stages a merchant is shown: those that read only changes count as a part of another.

    A stage stays at work until its parts are closed too, and takes over what is wrong with them.
    Its own counts stay its own: they are what the shop's count is held against.
    """
    whole = [at for at in stages if at.stage not in PART_OF]
    hidden = StageState.RESTRICTED
    told = {at.stage.resource for at in whole if at.stage in PAGED and at.state is hidden}
    # What is refused is said where it belongs, and not once more where its changes are read.
    parts = [at for at in stages if at.state is not hidden or at.stage.resource not in told]
    return tuple(
        _with_parts(at, [part for part in parts if PART_OF.get(part.stage) is at.stage])
        for at in whole
    )


def _with_parts(at: StageProgress, parts: list[StageProgress]) -> StageProgress:
    for part in parts:
        if part.state in _TROUBLED and at.state not in _TROUBLED:
            return replace(at, state=part.state, note=part.note)
    begun = any(part.state is not StageState.QUEUED for part in parts)
    open_parts = [part for part in parts if part.state in _OPEN]
    at = replace(at, behind=sum(max(0, (part.total or 0) - part.done) for part in open_parts))
    before = at.state is StageState.QUEUED and begun
    behind = at.state is StageState.DONE and bool(open_parts)
    if not before and not behind:
        return at
    started = [part.started_at for part in parts if part.started_at is not None]
    return replace(
        at,
        state=StageState.RUNNING,
        started_at=at.started_at or min(started, default=None),
        finished_at=None,
    )


class Counted(Protocol):
    """Records read and, once it is known, expected."""

    @property
    def done(self) -> int: ...

    @property
    def total(self) -> int | None: ...


def percent(stages: Sequence[Counted], *, before: int, finished: bool) -> int:
    """0-100 from real counts: rows read of rows expected; never below `before`.

    100 is kept for a run whose every stage is closed.
    """
    if finished:
        return 100
    expected = sum(max(at.total or 0, at.done) for at in stages)
    read = sum(at.done for at in stages)
    now = 100 * read // expected if expected else 0
    return max(before, min(now, 99))
