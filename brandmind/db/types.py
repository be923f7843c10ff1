"""Column types that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def to_ms(at: datetime) -> int:
    """Milliseconds since 1970 of an aware moment. Raises TypeError for a naive one."""
    return (at - _EPOCH) // _MS


def from_ms(ms: int) -> datetime:
    """The aware UTC moment of milliseconds since 1970."""
    return _EPOCH + ms * _MS


def _null(_none: None) -> None:
    return None


# The fast path binds records to sqlite3 without SQLAlchemy's types in between; this makes a
# datetime mean the same there as in `UtcDateTime`.
sqlite3.register_adapter(datetime, to_ms)
# What has no adapter is asked in vain for one at every single value, and takes twice as long.
sqlite3.register_adapter(bool, int)
sqlite3.register_adapter(type(None), _null)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC moment: timestamptz on PostgreSQL, integer milliseconds on SQLite.

    SQLite has no time type; its text form costs three times the space and needs parsing.
    """

    impl = sa.BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(sa.TIMESTAMP(timezone=True))
        return dialect.type_descriptor(sa.BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError("a moment without a time zone must not be stored")
        return value if dialect.name == "postgresql" else to_ms(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        return from_ms(int(value))


class Key(TypeDecorator[str]):
    """One of our own ids: 32 hexadecimal digits."""

    impl = sa.String(32)
    cache_ok = True
