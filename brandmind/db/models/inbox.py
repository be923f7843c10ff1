"""What shops said by themselves, what that did to their stores, and what the law asked for."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from brandmind.db.types import Key, UtcDateTime

_WAITS = sa.text("done_at IS NULL AND aside_at IS NULL")


class InboxRow(SQLModel, table=True):
    """One delivery, known by Shopify's id of it, a data request by the request's own: accepted once
    this row is committed.

    No part of its body is kept but ids (`shopify_id`, `others` as a comma list). `epoch` is the
    store's when it came. `tries` counts the tries that failed by our own fault or the record's;
    after the last of them the row lies aside until somebody replays it.
    """

    __tablename__ = "inbox"
    __table_args__ = (
        sa.Index(
            "inbox_waiting", "store_id", "due_at",
            sqlite_where=_WAITS, postgresql_where=_WAITS,
        ),
        sa.Index("inbox_done", "store_id", "done_at"),
    )  # fmt: skip

    store_id: str = Field(
        sa_column=sa.Column(Key, sa.ForeignKey("store.store_id"), primary_key=True)
    )
    webhook_id: str = Field(primary_key=True)
    topic: str
    act: str
    stage: str = ""
    shopify_id: int | None = Field(default=None, sa_type=sa.BigInteger)
    others: str = ""
    epoch: int
    triggered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    received_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime = Field(sa_type=UtcDateTime)
    tries: int = 0
    note: str = ""
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    aside_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class LiveRow(SQLModel, table=True):
    """How a store is kept fresh by deliveries, and whose turn it is to work on them.

    `turn` rises with every change of hands, `beat` while its owner lives; owner "" is nobody.
    `seq` rises with every change that deliveries brought, `told_seq` with what watchers were told.
    `checked_for` is what the subscriptions were last compared with, `missing` the topics that
    could not be subscribed to, as a comma list.
    """

    __tablename__ = "live"

    store_id: str = Field(
        sa_column=sa.Column(Key, sa.ForeignKey("store.store_id"), primary_key=True)
    )
    owner: str = ""
    turn: int = Field(default=0, sa_type=sa.BigInteger)
    beat: int = Field(default=0, sa_type=sa.BigInteger)
    seq: int = Field(default=0, sa_type=sa.BigInteger)
    told_seq: int = Field(default=0, sa_type=sa.BigInteger)
    changed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    checked_for: str = ""
    checked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    check_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    missing: str = ""
    note: str = ""


class PrivacyActRow(SQLModel, table=True):
    """A privacy request and what was done about it: the proof, which outlives the store's data.

    `kind`: data_request, redact_customer or redact_store. `counts_json` says how many rows of
    what were given out or removed; `export_json` holds what a data request found, for 30 days.
    """

    __tablename__ = "privacy_act"
    __table_args__ = (sa.UniqueConstraint("shop_key", "cause"),)

    act_id: str = Field(primary_key=True, sa_type=Key)
    # The store's id under another name: what has a store_id is erased with its store.
    shop_key: str = Field(sa_type=Key)
    domain: str
    kind: str
    # What ordered it: a data request's own id, a delivery's id, or our own timer for an epoch.
    cause: str
    customer_id: int | None = Field(default=None, sa_type=sa.BigInteger)
    ordered_at: datetime = Field(sa_type=UtcDateTime)
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    outcome: str = ""
    counts_json: str = "{}"
    export_json: str | None = None
