"""What the engine needs of the world: a source to read, a ledger to write, ears to tell."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
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


@dataclass(frozen=True, slots=True)
class Found:
    """Records fetched by id. `missing` the shop does not have, or does not show."""

    records: tuple[Record, ...]
    missing: tuple[int, ...]
    rejects: tuple[Reject, ...] = ()
    restricted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """A closed window in which the shop counts `counted` records and `stored` are here.

    `stored` includes removed records that the shop still has. Where the shop only said "at
    least" (`exact` false) nothing can be told to be too much.
    """

    window: Window
    counted: int
    stored: int
    exact: bool = True

    @property
    def short_by(self) -> int:
        """How many the shop has that are not here."""
        return max(self.counted - self.stored, 0)

    @property
    def over_by(self) -> int:
        """How many are here that the shop does not count any more."""
        return max(self.stored - self.counted, 0) if self.exact else 0


@dataclass(frozen=True, slots=True)
class ProofPlan:
    """What a stage has to be held against: windows to `count`, and some whose ids to `compare`.

    `checks`: all that is stored is looked over, not only what is new.
    """

    count: tuple[Window, ...]
    compare: tuple[Window, ...] = ()
    checks: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of a window: `ids` with the number of the request that brought each,
    `redacted` those that must not come back, and how many rows the resource has in `total`."""

    ids: dict[int, int]
    redacted: frozenset[int]
    total: int


class Source(Protocol):
    """A shop that can be read. Errors are `errors.ShopifyError`s."""

    async def shop(self) -> ShopFacts:
        """The shop's facts, its granted scopes and its own clock."""
        ...

    async def count(self, stage: Stage, window: Window) -> Total:
        """How many records the shop says the window holds."""
        ...

    async def counts(self, asked: Sequence[tuple[Stage, Window]]) -> list[Total]:
        """The same for many windows at once, in as few requests as the shop's limits allow."""
        ...

    def ids(self, stage: Stage, window: Window) -> AsyncIterator[tuple[int, ...]]:
        """The numbers of all records of a window, some at a time."""
        ...

    async def by_ids(self, stage: Stage, shopify_ids: list[int]) -> Found:
        """The records of these numbers, whole, as they are now."""
        ...

    def pages(self, stage: Stage, window: Window, *, after: str | None) -> AsyncIterator[Page]:
        """The pages after a cursor (None: from the start); the next is prefetched by the source."""
        ...


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a stage of a run stands in the ledger.

    `window` is what is read, `proof` the span in which the shop's count and ours are held against
    each other afterwards; `readings` is above 1 while a gap is read for again.
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

    async def proof_plan(self, stage: Stage) -> ProofPlan:
        """The closed windows that the stage is to be held against now."""
        ...

    async def prove(self, stage: Stage, counted: dict[Window, Total]) -> tuple[Proof, ...]:
        """Keep the shop's counts beside ours, and return how they compare."""
        ...

    async def known(self, stage: Stage, window: Window) -> Known:
        """What is stored of a window."""
        ...

    async def compared(
        self, stage: Stage, window: Window, *, redacted: int, complete: bool
    ) -> None:
        """Note that a window's ids were compared: `redacted` of its removed records the shop still
        has; `complete` if all that differed was put right."""
        ...

    async def bury(self, stage: Stage, ids: Sequence[int], *, read_no: int) -> None:
        """Remove records that the shop has no more, unless a later request brought them again."""
        ...

    async def land_found(self, stage: Stage, found: Found, *, read_no: int) -> None:
        """Write records that were fetched by their ids; deletions of them are taken back."""
        ...

    async def orders_of(self, customers: Sequence[int]) -> list[int]:
        """The orders that are stored as these customers'."""
        ...

    async def customers_of(self, orders: Sequence[int]) -> list[int]:
        """The customers who are stored and have these orders."""
        ...

    async def buyers_of_late(self) -> list[int]:
        """Customers of whom this run brought an order after they themselves were read."""
        ...

    async def not_seen_again(self, stage: Stage) -> list[int]:
        """Records created too lately for a count, stored before this run and not listed in it."""
        ...

    async def orders_of_nobody(self) -> list[int]:
        """The orders whose customer is not stored."""
        ...

    async def customers_miscounted(self) -> list[int]:
        """Customers who say another number of orders than are stored as theirs."""
        ...

    async def rejected(self, stage: Stage) -> list[int]:
        """Records of the stage that could not be read in an earlier run, to be tried again."""
        ...

    async def unreadable(self, stage: Stage) -> int:
        """How many records of the stage could not be read."""
        ...

    async def scopes(self) -> frozenset[str]:
        """The scopes the shop named when the run began."""
        ...

    async def finish(self, stage: Stage, state: StageState, *, note: str | None = None) -> None:
        """Close the stage."""
        ...

    async def some(self, stage: Stage) -> list[int]:
        """The ids of a few stored records of the stage."""
        ...

    async def reopen(self, stage: Stage) -> Checkpoint:
        """Read the stage in full, not only what changed: the shop shows what it hid before."""
        ...

    async def retime(self) -> None:
        """Reckon the days of stored rows again if the shop's time zone changed."""
        ...

    async def restart(self, stage: Stage, *, window: Window, total: Total) -> bool:
        """Read a window that is short of the shop's count again, from its beginning.

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
