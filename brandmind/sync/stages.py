"""The stages of a sync, the kinds of run made of them, and the states both can be in."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Stage(StrEnum):
    """One step of a run, checkpointed by itself.

    OLDER_ORDERS are orders from before the recent months that changed within them: this week's
    return of an old order belongs to this week. The LATE ones read what changed while the stages
    before them were read.
    """

    SHOP = "shop"
    PRODUCTS = "products"
    ORDERS = "orders"
    OLDER_ORDERS = "older_orders"
    CUSTOMERS = "customers"
    LATE_PRODUCTS = "late_products"
    LATE_ORDERS = "late_orders"
    LATE_CUSTOMERS = "late_customers"
    FIGURES = "figures"
    NOTIFY = "notify"
    HISTORY = "history"

    @property
    def resource(self) -> str:
        """What a paged stage reads: products, orders or customers; "" for the others."""
        return _RESOURCES.get(self, "")


_RESOURCES: Final = {
    Stage.PRODUCTS: "products",
    Stage.LATE_PRODUCTS: "products",
    Stage.ORDERS: "orders",
    Stage.OLDER_ORDERS: "orders",
    Stage.LATE_ORDERS: "orders",
    Stage.HISTORY: "orders",
    Stage.CUSTOMERS: "customers",
    Stage.LATE_CUSTOMERS: "customers",
}
# Stages that read pages from Shopify; the others are one short piece of work.
PAGED: Final = frozenset(_RESOURCES)
# Paged stages of what changed: no closed window of the shop can be held against them, and no
# merchant is shown them. Each counts as a part of the shown stage it is named with here.
PART_OF: Final = {
    Stage.OLDER_ORDERS: Stage.ORDERS,
    Stage.LATE_PRODUCTS: Stage.FIGURES,
    Stage.LATE_ORDERS: Stage.FIGURES,
    Stage.LATE_CUSTOMERS: Stage.FIGURES,
}
UNPROVEN: Final = frozenset(PART_OF)
# What the shop is asked to count before the reading begins: what is late then is not there yet.
COUNTED: Final = (PAGED - UNPROVEN) | {Stage.OLDER_ORDERS}


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
        Stage.OLDER_ORDERS,
        Stage.CUSTOMERS,
        Stage.LATE_PRODUCTS,
        Stage.LATE_ORDERS,
        Stage.LATE_CUSTOMERS,
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
    """The stages of a run in order; `only` leaves out the paged stages that are not named.

    Older orders come with the orders. What changed meanwhile is left to the next whole sync then.
    """
    return tuple(
        stage
        for stage in STAGES_OF[kind]
        if only is None or stage not in PAGED or _chosen_as(stage) in only
    )


def _chosen_as(stage: Stage) -> Stage:
    return Stage.ORDERS if stage is Stage.OLDER_ORDERS else stage
