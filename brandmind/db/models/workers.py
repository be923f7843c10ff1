"""The worker processes, as they say of themselves that they are there."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from brandmind.db.types import UtcDateTime


class WorkerRow(SQLModel, table=True):
    """A worker that is there or was a short while ago. No lease: what runs has its own.

    `owner` is the name its runs bear, `slots` how many of them it works on at once. Both moments
    are the database's.
    """

    __tablename__ = "worker"

    owner: str = Field(primary_key=True)
    slots: int
    started_at: datetime = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime)
