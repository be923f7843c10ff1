"""Runs of the sync, their stages, what happened to them, and who asked."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from brandmind.db.types import Key, UtcDateTime

_LIVE = sa.text("status IN ('queued', 'running')")
_RUNNING = sa.text("status = 'running'")


class SyncRunRow(SQLModel, table=True):
    """One run: the truth about it, of which the queue is only the doorbell.

    `fence` rises with every change of hands; a write needs the fence it was claimed with.
    `beat` moves while its owner lives. `seq` rises with every committed change that a watcher
    may see, `announced_seq` with what was told. `attempt` counts tries without progress.
    `first_read_no` is the store's `read_no` when the run began. `again` asks for one more run
    after this one, for `again_reason` and with `again_priority`. `ended_by` is who cancelled it.
    `metadata_json` holds what it cost: requests, points, throttled, bytes, slices, counts.
    """

    __tablename__ = "sync_run"
    __table_args__ = (
        sa.Index(
            "sync_run_live", "store_id", "kind",
            unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE,
        ),
        sa.Index(
            "sync_run_running", "store_id",
            unique=True, sqlite_where=_RUNNING, postgresql_where=_RUNNING,
        ),
        sa.Index("sync_run_due", "status", "priority", "due_at"),
        sa.Index("sync_run_store", "store_id", "requested_at"),
    )  # fmt: skip

    run_id: str = Field(primary_key=True, sa_type=Key)
    store_id: str = Field(sa_column=sa.Column(Key, sa.ForeignKey("store.store_id"), nullable=False))
    kind: str
    reason: str
    priority: int
    status: str = "queued"
    epoch: int
    only: str = ""
    due_at: datetime = Field(sa_type=UtcDateTime)
    stage: str = ""
    cursor: str = ""
    percent: int = 0
    attempt: int = 0
    failing_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    waiting: str | None = None
    error: str | None = None
    error_kind: str | None = None
    request_ref: str | None = None
    retry_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    retries: int = 0
    fence: int = 0
    beat: int = Field(default=0, sa_type=sa.BigInteger)
    seq: int = Field(default=0, sa_type=sa.BigInteger)
    announced_seq: int = Field(default=0, sa_type=sa.BigInteger)
    owner: str = ""
    again: bool = False
    # Whether this incremental run holds every closed window against the shop, not only new ones.
    checks: bool = Field(default=False, sa_column_kwargs={"server_default": sa.false()})
    again_reason: str = Field(default="", sa_column_kwargs={"server_default": ""})
    again_priority: int | None = None
    ended_by: str | None = None
    metadata_json: str = Field(default="{}", sa_column_kwargs={"server_default": "{}"})
    first_read_no: int = Field(default=0, sa_type=sa.BigInteger)
    # The shop's own clock when the run began to read.
    shop_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    requested_at: datetime = Field(sa_type=UtcDateTime)
    requested_by: str | None = None
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SyncStageRow(SQLModel, table=True):
    """One stage of a run; `readings` counts on where a gap is read for again, then only the
    records created from `again_from` to `again_before`.

    `restricted` names the fields that came as null because the app may not see them.
    """

    __tablename__ = "sync_stage"

    run_id: str = Field(
        sa_column=sa.Column(
            Key, sa.ForeignKey("sync_run.run_id", ondelete="CASCADE"), primary_key=True
        )
    )
    stage: str = Field(primary_key=True)
    position: int
    state: str = "queued"
    done: int = Field(default=0, sa_type=sa.BigInteger)
    total: int | None = Field(default=None, sa_type=sa.BigInteger)
    exact: bool = True
    readings: int = 1
    attempts: int = 0
    created_from: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_before: datetime | None = Field(default=None, sa_type=UtcDateTime)
    updated_from: datetime | None = Field(default=None, sa_type=UtcDateTime)
    again_from: datetime | None = Field(default=None, sa_type=UtcDateTime)
    again_before: datetime | None = Field(default=None, sa_type=UtcDateTime)
    restricted: str = Field(default="", sa_column_kwargs={"server_default": ""})
    note: str | None = None
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SyncSliceRow(SQLModel, table=True):
    """One slice of a stage that is read in slices: its window, and the export it comes by.

    `operation` is the id of the export at Shopify, `read_no` the store's number when it was
    asked for; `moved_at` is when it was last seen to get on, by the database's clock.
    """

    __tablename__ = "sync_slice"

    run_id: str = Field(
        sa_column=sa.Column(
            Key, sa.ForeignKey("sync_run.run_id", ondelete="CASCADE"), primary_key=True
        )
    )
    stage: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    reading: int
    created_from: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_before: datetime | None = Field(default=None, sa_type=UtcDateTime)
    mode: str
    counted: int = Field(sa_type=sa.BigInteger)
    state: str = "planned"
    attempt: int = 0
    read_no: int = Field(default=0, sa_type=sa.BigInteger)
    operation: str | None = None
    status: str = ""
    objects: int = Field(default=0, sa_type=sa.BigInteger)
    roots: int = Field(default=0, sa_type=sa.BigInteger)
    # The shop's own clock when the export began: nothing in it is newer.
    operation_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    asked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    moved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SyncEventRow(SQLModel, table=True):
    """The append-only story of a run: the operator's timeline and what the fault tests check."""

    __tablename__ = "sync_event"
    __table_args__ = (sa.Index("sync_event_run", "run_id", "event_id"),)

    event_id: int | None = Field(
        default=None,
        sa_column=sa.Column(
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
    )
    run_id: str = Field(sa_type=Key)
    store_id: str = Field(sa_type=Key)
    at: datetime = Field(sa_type=UtcDateTime)
    name: str
    fence: int
    stage: str = ""
    cursor: str = ""
    next_cursor: str = ""
    count: int = 0
    detail: str = ""


class SyncRequestRow(SQLModel, table=True):
    """A sync somebody asked for by hand; the three an hour are counted here."""

    __tablename__ = "sync_request"
    __table_args__ = (sa.Index("sync_request_store", "store_id", "requested_at"),)

    request_id: str = Field(primary_key=True, sa_type=Key)
    store_id: str = Field(sa_type=Key)
    run_id: str = Field(sa_type=Key)
    # manual or retry: each has a limit of its own.
    kind: str = "manual"
    requested_by: str | None = None
    requested_at: datetime = Field(sa_type=UtcDateTime)


class RejectRow(SQLModel, table=True):
    """A record that could not be read, and why; no part of its body."""

    __tablename__ = "reject"

    store_id: str = Field(primary_key=True, sa_type=Key)
    resource: str = Field(primary_key=True)
    gid: str = Field(primary_key=True)
    reason: str
    run_id: str = Field(sa_type=Key)
    seen_at: datetime = Field(sa_type=UtcDateTime)


class ProofRow(SQLModel, table=True):
    """A closed window of creation, and the shop's count of it beside ours.

    `created_from` None: from the shop's first record. `stored` and `buried` are what is here and
    what of the removed ones the shop still has. `state`: open, whole, short or over. `again_run`
    is the run that read it again last, `compared_at` when its ids were compared last.
    """

    __tablename__ = "proof"

    store_id: str = Field(primary_key=True, sa_type=Key)
    resource: str = Field(primary_key=True)
    created_before: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    created_from: datetime | None = Field(default=None, sa_type=UtcDateTime)
    epoch: int
    run_id: str = Field(sa_type=Key)
    state: str = "open"
    counted: int = Field(default=0, sa_type=sa.BigInteger)
    exact: bool = True
    stored: int = Field(default=0, sa_type=sa.BigInteger)
    buried: int = Field(default=0, sa_type=sa.BigInteger)
    again_run: str | None = Field(default=None, sa_type=Key)
    proven_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    compared_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class RestrictionRow(SQLModel, table=True):
    """A part of a store that the shop does not show, until a reading finds it shown.

    `fields` names what came as null, comma separated; empty: the whole resource was refused.
    """

    __tablename__ = "restriction"

    store_id: str = Field(primary_key=True, sa_type=Key)
    resource: str = Field(primary_key=True)
    epoch: int
    fields: str = ""
    note: str
    seen_at: datetime = Field(sa_type=UtcDateTime)
