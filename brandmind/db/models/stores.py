"""Connected stores, their tokens, and what is kept about what is gone or to be told."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from brandmind.db.types import Key, UtcDateTime


class StoreRow(SQLModel, table=True):
    """A connected store.

    `epoch` is raised by uninstall, reconnection and erasure: whoever began earlier writes
    nothing more. `read_no` numbers the requests to the shop. `recent_from` is where the recent
    orders of the first sync begin; `history_done` says the older ones are whole.
    `synced_until` is the shop's own clock at the start of the last whole sync. `checked_at` is when
    every closed window was last held against the shop. `days_timezone` is the zone in which the
    days of the stored rows are reckoned.

    `orders_since` and `reads_customers` are the merchant's choice (`sync.selection`).
    `history_from`: orders are whole from there on, None: from the very first; it means something
    only with `history_done`. `customers_unread`: customers are not followed at present, so that
    they have to be read whole once they are chosen again.
    `next_sync_at` is the next time the scheduler looks, `nightly_at` the next reading that also
    compares what is stored. `setup_step` is how many of the three questions of the set-up are
    behind; `week_start` the first day of a week, Monday 0; `uses_costs` whether costs of goods are
    kept at the shop, None: nobody has said. `erase_at` and `erase_epoch` order the erasure of a
    store that left.
    """

    __tablename__ = "store"

    store_id: str = Field(primary_key=True, sa_type=Key)
    domain: str = Field(unique=True)
    shop_id: int | None = Field(default=None, sa_type=sa.BigInteger)
    name: str
    currency: str | None = None
    timezone: str = "UTC"
    country_code: str | None = None
    plan: str = ""
    taxes_included: bool = False
    scopes: str = ""
    shop_created_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    epoch: int = 0
    read_no: int = Field(default=0, sa_type=sa.BigInteger)
    recent_from: datetime | None = Field(default=None, sa_type=UtcDateTime)
    history_done: bool = False
    synced_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_synced_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    checked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    days_timezone: str = Field(default="", sa_column_kwargs={"server_default": ""})
    next_sync_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    nightly_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    orders_since: str = Field(default="all", sa_column_kwargs={"server_default": "all"})
    reads_customers: bool = Field(default=True, sa_column_kwargs={"server_default": sa.true()})
    customers_unread: bool = Field(default=False, sa_column_kwargs={"server_default": sa.false()})
    customers_read_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    history_from: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ready_told_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    paused_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    paused_by: str | None = None
    setup_step: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    week_start: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    uses_costs: bool | None = None
    installed_at: datetime = Field(sa_type=UtcDateTime)
    uninstalled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    erase_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    erase_epoch: int | None = None


class TokenRow(SQLModel, table=True):
    """A store's offline grant, sealed with AES-256-GCM. `generation` counts its renewals.

    `grant_kind`: oauth (refreshes itself), token (an Admin token given by hand, never expires)
    or client_credentials (renewed with the sealed id and secret kept as `refresh_sealed`).
    `lease_no` and `lease_at` hold the one refresher a store may have.
    """

    __tablename__ = "token"

    store_id: str = Field(
        sa_column=sa.Column(Key, sa.ForeignKey("store.store_id"), primary_key=True)
    )
    grant_kind: str = "oauth"
    access_sealed: str
    refresh_sealed: str | None = None
    access_expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    refresh_expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    generation: int = 1
    lease_no: int = 0
    lease_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class TombstoneRow(SQLModel, table=True):
    """A record that must not come back by a late page. `reason`: deleted or redacted."""

    __tablename__ = "tombstone"

    store_id: str = Field(primary_key=True, sa_type=Key)
    resource: str = Field(primary_key=True)
    shopify_id: int = Field(primary_key=True, sa_type=sa.BigInteger)
    reason: str
    seen_at: datetime = Field(sa_type=UtcDateTime)


class OutboxRow(SQLModel, table=True):
    """A message to be sent, written in the transaction that caused it."""

    __tablename__ = "outbox"

    outbox_id: str = Field(primary_key=True, sa_type=Key)
    store_id: str = Field(sa_type=Key, index=True)
    kind: str
    # One message of a kind for each cause, however often its transaction is repeated.
    cause: str = Field(unique=True)
    body_json: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    attempts: int = 0
