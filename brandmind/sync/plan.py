"""How a stage is read: page by page, or cut into slices that Shopify exports. Pure thought:
what the shop counts is asked through a function."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, Literal

from brandmind.sync.ports import Total, Window
from brandmind.sync.slices import Mode, Slice
from brandmind.sync.stages import Stage

Counts = Callable[[Sequence[Window]], Awaitable[Sequence[int]]]

# What a full page of each resource costs in query points, and how many records it holds.
_PAGES: Final = {"products": (332.0, 240), "orders": (592.0, 240), "customers": (46.0, 250)}
# Shopify's standard plan; told otherwise by its first answer.
STANDARD_POINTS_PER_S: Final = 100.0
_ROUND_TRIP_S: Final = 1.0
_MOST_PARTS: Final = 48
_HEAD_TRIES: Final = 6
_NO_SHOP_BEFORE: Final = 1990


@dataclass(frozen=True, slots=True)
class Choice:
    """How to choose. `mode` other than auto forces it; `slice_records` is the most of an export,
    `head_records` about what is paged before the exports so that the first numbers come at once;
    `patience_s` is how long paging may take before exports are worth their waiting."""

    mode: Literal["auto", "paged", "bulk"] = "auto"
    slice_records: int = 5_000
    head_records: int = 480
    patience_s: float = 120.0


@dataclass(frozen=True, slots=True)
class Plan:
    """The slices, newest first, and why; no slices: page by page in one piece. `reason` is empty
    where there was nothing to choose."""

    slices: tuple[Slice, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class _Piece:
    window: Window
    count: int


def paging_s(stage: Stage, records: int, *, points_per_s: float) -> float:
    """Seconds to page so many records: by the budget, but a page is never quicker than a round
    trip."""
    cost, size = _PAGES[stage.resource]
    return math.ceil(records / size) * max(cost / max(points_per_s, 1.0), _ROUND_TRIP_S)


def is_quick(stage: Stage, total: Total, *, choice: Choice, points_per_s: float | None) -> bool:
    """Whether so many records are paged in one piece."""
    if choice.mode != "auto" or not total.exact:
        return choice.mode == "paged" or (total.exact and total.count == 0)
    rate = points_per_s or STANDARD_POINTS_PER_S
    return paging_s(stage, total.count, points_per_s=rate) <= choice.patience_s


async def planned(
    stage: Stage,
    window: Window,
    total: Total,
    *,
    choice: Choice,
    points_per_s: float | None,
    floor: datetime,
    counts: Counts,
) -> Plan:
    """How to read the window, which the shop counts to hold `total`."""
    # Changes are read in the order of their change, for which no export can be cut.
    if window.updated_from is not None or window.created_before is None:
        return Plan((), "")
    if is_quick(stage, total, choice=choice, points_per_s=points_per_s):
        return Plan((), _paged_reason(stage, total, choice=choice, points_per_s=points_per_s))
    head, rest = None, window
    if choice.head_records:
        head, rest = await _head(window, total.count, floor=floor, choice=choice, counts=counts)
    left = max(total.count - (head.count if head else 0), 0)
    pieces = await _cut(rest, left, floor=floor, size=choice.slice_records, counts=counts)
    slices = [Slice(0, piece.window, Mode.BULK, piece.count) for piece in _merged(pieces, choice)]
    if head is not None:
        slices.insert(0, Slice(0, head.window, Mode.PAGED, head.count))
    numbered = tuple(replace(one, number=number) for number, one in enumerate(slices))
    return Plan(numbered, _reason(stage, total, numbered, points_per_s=points_per_s))


def _paged_reason(stage: Stage, total: Total, *, choice: Choice, points_per_s: float | None) -> str:
    if choice.mode == "paged":
        return f"{_counted(stage, total)}: paged, as it is set"
    return f"{_counted(stage, total)}: paged in {_paging(stage, total, points_per_s=points_per_s)}"


def _reason(
    stage: Stage, total: Total, slices: tuple[Slice, ...], *, points_per_s: float | None
) -> str:
    exports = sum(one.mode is Mode.BULK for one in slices)
    parts = [f"{exports} export{'s' if exports != 1 else ''}"]
    if exports < len(slices):
        parts.insert(0, "1 page run")
    takes = _paging(stage, total, points_per_s=points_per_s)
    return f"{_counted(stage, total)}: {' and '.join(parts)}; paging would take {takes}"


def _counted(stage: Stage, total: Total) -> str:
    return f"{'' if total.exact else 'at least '}{total.count:,} {stage.resource}"


def _paging(stage: Stage, total: Total, *, points_per_s: float | None) -> str:
    rate = points_per_s or STANDARD_POINTS_PER_S
    takes_s = paging_s(stage, total.count, points_per_s=rate)
    takes = f"{takes_s / 60:.0f} min" if takes_s >= 60 else f"{takes_s:.0f} s"
    return f"about {takes} at {rate:g} points/s"


async def _head(
    window: Window, total: int, *, floor: datetime, choice: Choice, counts: Counts
) -> tuple[_Piece | None, Window]:
    """The newest few records as a window of their own, and the window without them.

    Both hold the second at which they meet: a shop may keep finer times than it tells.
    """
    end, start = _ends(window, floor)
    span_s = (end - start).total_seconds()
    share = choice.head_records / max(total, 1)
    for _ in range(_HEAD_TRIES):
        back_s = round(span_s * share)
        if not 1 <= back_s < span_s - 1:
            break
        cut = end - timedelta(seconds=back_s)
        (found,) = await counts([Window(cut, end)])
        piece = _Piece(Window(cut, end), found)
        if piece.count > 2 * choice.head_records:
            share *= max(choice.head_records / piece.count, 1 / 64)
        elif piece.count * 4 < choice.head_records:
            share *= 4
        else:
            return piece, Window(window.created_from, cut)
    return None, window


async def _cut(
    window: Window, total: int, *, floor: datetime, size: int, counts: Counts
) -> list[_Piece]:
    """The window in pieces of at most about `size` records, newest first."""
    end, start = _ends(window, floor)
    span_s = int((end - start).total_seconds())
    parts = min(math.ceil(total / size), _MOST_PARTS, span_s // 2)
    if parts < 2:
        return [_Piece(window, total)]
    bounds = [end - timedelta(seconds=span_s * at // parts) for at in range(parts)]
    windows = [Window(older, newer) for newer, older in pairwise(bounds)]
    windows.append(Window(window.created_from, bounds[-1]))
    pieces: list[_Piece] = []
    for one, found in zip(windows, await counts(windows), strict=True):
        if found > size and one.created_from is None:
            # A shop that moved to Shopify brought orders that are older than itself.
            older = start - (end - start)
            if older.year < _NO_SHOP_BEFORE:
                pieces.append(_Piece(one, found))
            else:
                pieces += await _cut(one, found, floor=older, size=size, counts=counts)
        elif found > size:
            pieces += await _cut(one, found, floor=floor, size=size, counts=counts)
        else:
            pieces.append(_Piece(one, found))
    return pieces


def _merged(pieces: list[_Piece], choice: Choice) -> list[_Piece]:
    merged = pieces[:1]
    for piece in pieces[1:]:
        newer = merged[-1]
        if newer.count + piece.count <= choice.slice_records:
            whole = Window(piece.window.created_from, newer.window.created_before)
            merged[-1] = _Piece(whole, newer.count + piece.count)
        else:
            merged.append(piece)
    return merged


def _ends(window: Window, floor: datetime) -> tuple[datetime, datetime]:
    end = window.created_before
    if end is None:
        raise ValueError("only a window that is closed at its newer end can be cut")
    start = window.created_from or floor
    # A floor above the end would say that nothing is there: the count knows better.
    return end, start if start < end else end - timedelta(days=365)
