"""Every portrait that was ever made of a store, and the daily record of its stock."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from brandmind.db.types import Key, UtcDateTime

_KEYED: dict[str, Any] = {"sqlite_with_rowid": False}


class DnaRunRow(SQLModel, table=True):
    """A portrait as it was made; `number` counts a store's portraits.

    `as_of` is the shop-local day before which everything counts; the last one of a day is that
    day's own, whose labels the next day begins with. `portrait_json` is `dna.profile.to_json`,
    `tables_json` what the pages of customers and products show of the same facts; `scores_json`
    repeats the strands' scores (null: not read) for whoever compares many portraits.
    """

    __tablename__ = "dna_run"
    __table_args__ = (sa.Index("dna_run_day", "store_id", "as_of", "number"),)

    store_id: str = Field(primary_key=True, sa_type=Key)
    number: int = Field(primary_key=True)
    as_of: str = Field(sa_type=sa.String(10))
    dna_version: int
    run_id: str = Field(sa_type=Key)
    made_at: datetime = Field(sa_type=UtcDateTime)
    strands: int
    labels_json: str
    scores_json: str = Field(default="{}", sa_column_kwargs={"server_default": "{}"})
    portrait_json: str
    tables_json: str


class CustomerGroupRow(SQLModel, table=True):
    """Some hundred customers of a group of the portrait of that number, those who spent most first.

    `place` is the first one's among all of the group, from 0; `members_json` a list of
    [customer id, orders, net sales in minor units, last order as Unix milliseconds]. Kept of the
    newest portrait alone, and not after a redaction.
    """

    __tablename__ = "customer_group"

    store_id: str = Field(primary_key=True, sa_type=Key)
    number: int = Field(primary_key=True)
    group_key: str = Field(primary_key=True, sa_type=sa.String(20))
    place: int = Field(primary_key=True)
    members_json: str


class ActionMarkRow(SQLModel, table=True):
    """What became of something that was suggested: done, or put off until a shop-local day.

    `about` is the title where the same rule may name other goods next time, else "".
    """

    __tablename__ = "action_mark"

    store_id: str = Field(primary_key=True, sa_type=Key)
    key: str = Field(primary_key=True)
    about: str = Field(primary_key=True)
    state: str
    until: str = Field(sa_type=sa.String(10))
    marked_at: datetime = Field(sa_type=UtcDateTime)
    marked_by: str | None = None


class StockDayRow(SQLModel, table=True):
    """What of a product could be sold on a shop-local day, as a sync of that day found it."""

    __tablename__ = "stock_day"
    __table_args__ = (_KEYED,)

    store_id: str = Field(primary_key=True, sa_type=Key)
    day: str = Field(primary_key=True, sa_type=sa.String(10))
    product_id: int = Field(primary_key=True, sa_type=sa.BigInteger)
    available: int
