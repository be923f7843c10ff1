"""What a shop says by itself: a delivery names what happened to whom, never what it is like now."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from brandmind.sync.stages import Stage


class Act(StrEnum):
    """What a delivery asks for. UNREADABLE: signed by Shopify, and still not understood."""

    REFETCH = "refetch"
    CONFIRM_GONE = "confirm gone"
    MERGE = "merge"
    UNINSTALL = "uninstall"
    SCOPES = "scopes"
    BULK = "bulk"
    DATA_REQUEST = "data request"
    REDACT_CUSTOMER = "redact customer"
    REDACT_SHOP = "redact shop"
    UNREADABLE = "unreadable"


# What the next sync finds out by itself; the others are said once and by nobody else.
READ_AGAIN = frozenset({Act.REFETCH, Act.CONFIRM_GONE, Act.MERGE, Act.BULK})
# What is done though the store is paused or gone: the law and the merchant do not wait.
ALWAYS = frozenset({Act.UNINSTALL, Act.DATA_REQUEST, Act.REDACT_CUSTOMER, Act.REDACT_SHOP})


class Delivery(NamedTuple):
    """One delivery without its body: ids, and of privacy requests what their act needs.

    `webhook_id` is what it is known by: Shopify's id of it, or the one of the data request in it.
    `stage` is the paged stage that reads the record, "" where there is none. `others` are further
    ids: the orders of a privacy request, the customer that a merge took away.
    """

    domain: str
    webhook_id: str
    topic: str
    act: Act
    stage: Stage | None = None
    shopify_id: int | None = None
    others: tuple[int, ...] = ()
    triggered_at: datetime | None = None
