"""What reading in slices needs: their words, a memory for them, and a shop that exports."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

from brandmind.sync.ports import Page, Total, Window
from brandmind.sync.stages import Stage


class Mode(StrEnum):
    """How a slice is read: page by page, or as one export that Shopify prepares."""

    PAGED = "paged"
    BULK = "bulk"


class SliceState(StrEnum):
    """Where a slice's export stands. ASKED: its start was on its way when that was written."""

    PLANNED = "planned"
    ASKED = "asked"
    RUNNING = "running"
    READY = "ready"
    LANDED = "landed"


@dataclass(frozen=True, slots=True)
class Slice:
    """A closed part of a stage's window, newest first by `number`.

    `counted` is the shop's count when it was planned, `attempt` the export under way or the last
    one. `read_no` was taken before that export was first asked for, `asked_s` ago when this was
    read. `operation` is its id at Shopify.
    """

    number: int
    window: Window
    mode: Mode
    counted: int
    state: SliceState = SliceState.PLANNED
    attempt: int = 0
    read_no: int = 0
    operation: str | None = None
    asked_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Layout:
    """The slices of a stage's present reading, none before they are planned.

    `mark` names this reading of this installation, so that an export can be told to be ours.
    `floor` is the earliest moment anything in the shop can be from.
    """

    slices: tuple[Slice, ...]
    total: Total | None
    mark: str
    floor: datetime


@dataclass(frozen=True, slots=True)
class Operation:
    """A bulk operation as Shopify tells it; `text` is the query it was started with."""

    gid: str
    status: str
    error_code: str | None
    created_at: datetime
    objects: int
    roots: int
    url: str | None
    text: str

    @property
    def is_under_way(self) -> bool:
        return self.status in ("CREATED", "RUNNING", "CANCELING")


class Patience(NamedTuple):
    """Seconds on the database's clock since an export was asked for, and since it last moved."""

    asked_s: float
    still_s: float


class Export(Protocol):
    """The finished file of an operation, whole and checked."""

    @property
    def roots(self) -> int:
        """How many records it holds."""
        ...

    async def page(self, at: int, size: int) -> Page:
        """The records from the one with index `at` on, whole; its cursor means nothing."""
        ...

    def remove(self) -> None:
        """Delete the file."""
        ...


class Exports(Protocol):
    """A shop that prepares exports. Errors are `errors.ShopifyError`s."""

    def text(self, stage: Stage, window: Window, *, mark: str) -> str:
        """The query of an export; `mark` is the first line of it."""
        ...

    async def start(self, text: str) -> Operation | None:
        """Ask for an export; None if the shop has no room for another now.

        Raises QueryRefused if it will not export this, AccessRefused if it may not be read.
        """
        ...

    async def look(self, gid: str) -> Operation | None:
        """How an export stands, None if the shop knows nothing of it."""
        ...

    async def recent(self) -> Sequence[Operation]:
        """The newest operations of this app in the shop, whatever became of them."""
        ...

    async def cancel(self, gid: str) -> None:
        """Stop an export."""
        ...

    async def fetch(self, stage: Stage, operation: Operation, *, name: str) -> Export:
        """The file of a finished operation, under that name, checked before anybody reads it.

        Raises ExportDamaged if it is not what the operation says it is, or gone.
        """
        ...


class SliceBook(Protocol):
    """The durable memory of the slices of one claimed run; guarded as its ledger is."""

    async def layout(self, stage: Stage) -> Layout:
        """How the stage's present reading is cut."""
        ...

    async def keep(self, stage: Stage, slices: Sequence[Slice], *, reason: str) -> None:
        """Store a plan in place of any other of the stage, and why it is so.

        No slices: the stage is paged, which is said once, however often it is planned.
        """
        ...

    async def asking(self, stage: Stage, number: int) -> Slice:
        """An export is about to be asked for: the next attempt, numbered before the request."""
        ...

    async def started(self, stage: Stage, number: int, operation: Operation) -> Slice:
        """It has an id."""
        ...

    async def looked(self, stage: Stage, number: int, operation: Operation) -> Patience:
        """What was seen of it."""
        ...

    async def drop(self, stage: Stage, number: int, *, why: str) -> Slice:
        """The export came to nothing: its id is forgotten, its attempt stays counted."""
        ...

    async def page_instead(self, stage: Stage, number: int, *, why: str) -> Slice:
        """The slice will be read page by page."""
        ...

    async def landed(self, stage: Stage, number: int) -> None:
        """All of it is stored."""
        ...

    async def is_ours(self, gid: str) -> bool:
        """Whether a live run of this installation waits for that operation."""
        ...


class Pages(Protocol):
    """Where the engine gets its pages from: a source, or a source read in slices."""

    def pages(self, stage: Stage, window: Window, *, after: str | None) -> AsyncIterator[Page]: ...


# "s3:" where slice 3 begins, "s3:paged:<cursor>" within its pages, "s3.2:bulk:500" after 500
# records of its second export. A shop's own cursor holds no colon.
_POSITION: Final = re.compile(r"s(\d+)(?:\.(\d+))?:(?:(paged|bulk):(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a stage read in slices: what has landed up to here, as the cursor says it."""

    number: int
    mode: Mode | None = None
    attempt: int = 0
    rest: str = ""

    def __str__(self) -> str:
        if self.mode is None:
            return f"s{self.number}:"
        attempt = f".{self.attempt}" if self.mode is Mode.BULK else ""
        return f"s{self.number}{attempt}:{self.mode.value}:{self.rest}"

    @classmethod
    def of(cls, cursor: str) -> Position | None:
        """The place a cursor names; None for a cursor of a stage that is not cut in slices."""
        found = _POSITION.fullmatch(cursor)
        if found is None:
            return None
        number, attempt, mode, rest = found.groups()
        return cls(int(number), Mode(mode) if mode else None, int(attempt or 0), rest or "")
