"""What the engine needs of the world: a source to read, a ledger to write, ears to tell."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from brandmind.commerce.records import Record
from brandmind.commerce.shop import ShopFacts
from brandmind.sync.stages import Stage, StageState


@dataclass(frozen=True, slots=True)
class Total:
    """The shop's own count. `exact` false: at least that many (Shopify's precision AT_LEAST)."""

    count: int
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Window:
    """Which records a paged stage reads; None leaves that end open. Ends are inclusive UTC.

    `created_*` reads newest first by creation, which never changes under the reader.
    `updated_from` reads what changed since, oldest change first.
    """

    created_from: datetime | None = None
    created_before: datetime | None = None
    updated_from: datetime | None = None


class Reject(NamedTuple):
    """A record the shop sent that cannot be read: whose, and why, without personal data."""

    gid: str
    reason: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page of whole records: nested lists drained, `next_cursor` None on the last page.

    `rejects` are records left out because they cannot be read; `restricted` names fields that
    came as null because the app may not see them ("orders.nodes.customer").
    """

    stage: Stage
    records: tuple[Record, ...]
    next_cursor: str | None
    read_no: int = 0
    rejects: tuple[Reject, ...] = ()
    restricted: tuple[str, ...] = ()


class Source(Protocol):
    """A shop that can be read. Errors are `errors.ShopifyError`s."""

    async def shop(self) -> ShopFacts:
        """The shop's facts, its granted scopes and its own clock."""
        ...

    async def count(self, stage: Stage, window: Window) -> Total:
        """How many records the shop says the window holds."""
        ...

    def pages(self, stage: Stage, window: Window, *, after: str | None) -> AsyncIterator[Page]:
        """The pages after a cursor (None: from the start); the next is prefetched by the source."""
        ...


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a stage of a run stands in the ledger.

    `window` is what is read, `proof` the closed window in which the shop's count and ours are
    held against each other afterwards; `readings` is 2 for the second reading of a gap.
    `restricted` names fields the shop would not show, comma separated.
    """

    stage: Stage
    state: StageState
    cursor: str
    done: int
    total: int | None
    exact: bool
    readings: int
    restricted: str
    window: Window
    proof: Window


class Ledger(Protocol):
    """The durable memory of one claimed run. Every write is guarded by the run's fence:
    if somebody else owns the run by now it raises `errors.Fenced` and nothing is written."""

    async def stages(self) -> tuple[Stage, ...]:
        """The stages of the run, in order."""
        ...

    async def checkpoint(self, stage: Stage) -> Checkpoint:
        """Where a stage stands."""
        ...

    async def begin(self, stage: Stage, *, total: Total | None) -> Checkpoint:
        """Mark the stage running with the shop's count (never lowering one already told)."""
        ...

    async def keep_shop(self, facts: ShopFacts) -> None:
        """Store the shop's facts and derive the windows of the run's paged stages from them."""
        ...

    async def keep_totals(self, totals: dict[Stage, Total]) -> None:
        """What the shop says it holds, known before the reading begins."""
        ...

    async def take_read_no(self) -> int:
        """A number that rises with every request to the shop, taken before the request."""
        ...

    async def land(self, page: Page, *, after: str) -> Checkpoint:
        """Write the page's rows and its checkpoint in one transaction."""
        ...

    async def stored(self, stage: Stage, window: Window) -> int:
        """How many records of the stage's resource are stored that were created in a window."""
        ...

    async def finish(self, stage: Stage, state: StageState, *, note: str | None = None) -> None:
        """Close the stage."""
        ...

    async def restart(self, stage: Stage, *, total: Total) -> bool:
        """Read the stage's whole closed window from its beginning: the second reading of a gap.

        False if that was done already: in this run, or where only changes were to be read, within
        the last day.
        """
        ...

    async def recount(self) -> None:
        """Bring the rollups up to date with the rows, in short transactions."""
        ...

    async def notify(self) -> None:
        """Write the outbox row that tells the merchant the store is ready."""
        ...

    async def should_yield(self, *, slice_over: bool) -> bool:
        """Whether the store was paused, a better run of it waits, or, once the slice of time is
        over, anybody waits at all."""
        ...


class Announcer(Protocol):
    """Told after each commit; it must return at once and never raise."""

    def changed(self) -> None: ...
