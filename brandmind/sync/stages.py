"""The stages of a sync, the kinds of run made of them, and the states both can be in."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Stage(StrEnum):
    """One step of a run, checkpointed by itself."""

    SHOP = "shop"
    PRODUCTS = "products"
    ORDERS = "orders"
    CUSTOMERS = "customers"
    FIGURES = "figures"
    NOTIFY = "notify"
    HISTORY = "history"


# Stages that read pages from Shopify; the others are one short piece of work.
PAGED: Final = frozenset({Stage.PRODUCTS, Stage.ORDERS, Stage.CUSTOMERS, Stage.HISTORY})


class Kind(StrEnum):
    """What a run is for."""

    FULL = "full"
    INCREMENTAL = "incremental"
    HISTORICAL = "historical"


class RunStatus(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class StageState(StrEnum):
    """Where a stage stands. GAP: read to its end, but short of the shop's own count."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    GAP = "gap"
    RESTRICTED = "restricted"
    FAILED = "failed"
    SKIPPED = "skipped"


class StoreStatus(StrEnum):
    """A store as its merchant sees it; the mapping is `sync.status.store_status`."""

    PENDING = "PENDING"
    IN_PROGRESS = "IN_PROGRESS"
    PARTIAL = "PARTIAL"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    PAUSED = "PAUSED"


class Priority(StrEnum):
    """Who goes first, best first; the rank is the number the claim sorts by."""

    WEBHOOK = "webhook"
    MANUAL = "manual"
    FIRST = "first"
    INCREMENTAL = "incremental"
    HISTORY = "history"

    @property
    def rank(self) -> int:
        return 10 * (list(Priority).index(self) + 1)


STAGES_OF: Final[dict[Kind, tuple[Stage, ...]]] = {
    Kind.FULL: (
        Stage.SHOP,
        Stage.PRODUCTS,
        Stage.ORDERS,
        Stage.CUSTOMERS,
        Stage.FIGURES,
        Stage.NOTIFY,
    ),
    Kind.INCREMENTAL: (
        Stage.SHOP,
        Stage.PRODUCTS,
        Stage.ORDERS,
        Stage.CUSTOMERS,
        Stage.FIGURES,
    ),
    Kind.HISTORICAL: (Stage.HISTORY, Stage.FIGURES),
}


def stages_of(kind: Kind, *, only: frozenset[Stage] | None = None) -> tuple[Stage, ...]:
    """The stages of a run in order; `only` leaves out the paged stages that are not named."""
    return tuple(
        stage for stage in STAGES_OF[kind] if only is None or stage not in PAGED or stage in only
    )
