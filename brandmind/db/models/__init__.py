"""The tables. Importing this package registers all of them in `METADATA`."""

from __future__ import annotations

from sqlmodel import SQLModel

from brandmind.db.models.commerce import (
    CustomerRow,
    DailySalesRow,
    DirtyDayRow,
    LineRow,
    OrderRow,
    ProductRow,
    ProductSalesRow,
    RefundRow,
    SaleRow,
    VariantRow,
)
from brandmind.db.models.dna import ActionMarkRow, CustomerGroupRow, DnaRunRow, StockDayRow
from brandmind.db.models.identity import (
    MembershipRow,
    OauthFlowRow,
    SessionRow,
    SessionStoreRow,
    SignInLinkRow,
    UserRow,
)
from brandmind.db.models.inbox import InboxRow, LiveRow, PrivacyActRow
from brandmind.db.models.runs import (
    ProofRow,
    RejectRow,
    RestrictionRow,
    SyncEventRow,
    SyncRequestRow,
    SyncRunRow,
    SyncSliceRow,
    SyncStageRow,
)
from brandmind.db.models.stores import OutboxRow, StoreRow, TokenRow, TombstoneRow
from brandmind.db.models.workers import WorkerRow

METADATA = SQLModel.metadata

__all__ = [
    "METADATA",
    "ActionMarkRow",
    "CustomerGroupRow",
    "CustomerRow",
    "DailySalesRow",
    "DirtyDayRow",
    "DnaRunRow",
    "InboxRow",
    "LineRow",
    "LiveRow",
    "MembershipRow",
    "OauthFlowRow",
    "OrderRow",
    "OutboxRow",
    "PrivacyActRow",
    "ProductRow",
    "ProductSalesRow",
    "ProofRow",
    "RefundRow",
    "RejectRow",
    "RestrictionRow",
    "SaleRow",
    "SessionRow",
    "SessionStoreRow",
    "SignInLinkRow",
    "StockDayRow",
    "StoreRow",
    "SyncEventRow",
    "SyncRequestRow",
    "SyncRunRow",
    "SyncSliceRow",
    "SyncStageRow",
    "TokenRow",
    "TombstoneRow",
    "UserRow",
    "VariantRow",
    "WorkerRow",
]
