"""The database of this process: where transactions begin, and the only place they commit.

The SQL functions of this package are plain functions of a session: they run in a thread, so no
HTTP call can ever happen inside a transaction, and none blocks the event loop.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import partial
from typing import Any, Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlmodel import Session

from brandmind.errors import SettingsError, StorageFull

P = ParamSpec("P")
T = TypeVar("T")

_TRIES = 4
# Serialisation failure, deadlock, a transaction that stood idle too long (PostgreSQL's SQLSTATEs).
_RETRYABLE_STATES = frozenset({"40001", "40P01", "25P03"})
_BUSY_TIMEOUT_MS = 15_000
# Pages of the write-ahead log before they go into the file: by then the leaves that every landed
# page touches again have been written over in the log alone. 16 MB of it.
_CHECKPOINT_PAGES = 4_000
# A process frozen inside a transaction keeps its row locks, and with them every other worker from
# the store; nothing of ours is idle there for longer than the Python between two statements.
_IDLE_TIMEOUT_MS = 3_000


class Database:
    """A pool of connections and the two ways to use them: `read` and `write`.

    `name` is what PostgreSQL's connections are called there (`application_name`).
    """

    def __init__(self, url: str, *, pool_size: int = 8, name: str = "brandmind") -> None:
        try:
            parsed = sa.make_url(url)
        except sa.exc.ArgumentError as error:
            raise SettingsError("BRANDMIND_DATABASE_URL is not a database address.") from error
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        # The connection last used is the next: SQLite keeps pages of the file for each of its own,
        # and taken in turn every one of them would fill up with the same.
        options: dict[str, Any] = {
            "hide_parameters": True,
            "pool_size": pool_size,
            "pool_use_lifo": True,
        }
        if self.is_sqlite:
            options["connect_args"] = {"check_same_thread": False, "timeout": 15}
        else:
            options["pool_pre_ping"] = True
            options["connect_args"] = {"application_name": name}
        self.engine = sa.create_engine(parsed, **options)
        if self.is_sqlite:
            # One connection for all that is written here: what it has read of the file stays true
            # until another process writes, and each connection keeps such a cache of its own.
            self._writing_engine = sa.create_engine(parsed, **(options | {"pool_size": 1}))
            for engine, cache_kb in ((self.engine, 1_000), (self._writing_engine, 6_000)):
                sa.event.listen(engine, "connect", partial(_prepare_sqlite, cache_kb=cache_kb))
            sa.event.listen(self.engine, "begin", _begin_reading)
            sa.event.listen(self._writing_engine, "begin", _begin_writing)
        else:
            self._writing_engine = self.engine
            sa.event.listen(self.engine, "connect", _prepare_postgres)
        # SQLite has one writer; waiting here in turn beats waiting in its busy loop by chance.
        self._one_writer: Any = threading.Lock() if self.is_sqlite else nullcontext()
        self._threads = ThreadPoolExecutor(pool_size, thread_name_prefix="sql")

    async def read(
        self, act: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The result of a function that only reads, run in a thread.

        What ends the transaction and would not end the next one repeats the whole function.
        """
        return await self._run(self.read_now, act, *args, **kwargs)

    async def write(
        self, act: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The result of a function that writes, committed; run in a thread.

        A deadlock, a serialisation failure or a lost connection repeats the whole function, so it
        must do nothing but SQL. A connection lost at the commit itself raises: whether what it
        wrote is there, nobody knows.
        """
        return await self._run(self.write_now, act, *args, **kwargs)

    async def _run(self, run: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(run, *args, **kwargs))

    def read_now(
        self, act: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """`read` on the calling thread."""

        def once() -> T:
            with Session(self.engine, expire_on_commit=False) as session:
                return act(session, *args, **kwargs)

        return _repeated(once)

    def write_now(
        self, act: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """`write` on the calling thread."""

        def once() -> T:
            with (
                self._one_writer,
                Session(self._writing_engine, expire_on_commit=False) as session,
                session.begin(),
            ):
                return act(session, *args, **kwargs)

        return _repeated(once)

    def close(self) -> None:
        """Give back every connection."""
        self._threads.shutdown(wait=True)
        self.engine.dispose()
        self._writing_engine.dispose()


def db_now(session: Session) -> datetime:
    """The database's clock: the same for all workers, whatever their own clocks say."""
    if _is_sqlite(session):
        # One machine by nature. Not `clock.utc_now`, which a test may move.
        return datetime.now(UTC)
    found: datetime = session.connection().scalar(sa.text("SELECT clock_timestamp()"))
    return found.astimezone(UTC)


def lowered(session: Session, text: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """A text in lower case, whatever its letters."""
    if _is_sqlite(session):
        return sa.func.unicode_lower(text, type_=sa.String)
    return sa.func.lower(text)


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def _repeated(once: Callable[[], T]) -> T:
    """The result of a transaction, begun anew where only its moment was wrong.

    Raises StorageFull, and any other error of the database as it is.
    """
    for tried in range(1, _TRIES + 1):
        try:
            return once()
        except DBAPIError as error:
            if _is_full(error):
                raise StorageFull from error
            if tried == _TRIES or not _worth_repeating(error):
                raise
            time.sleep(random.uniform(0.01, 0.05) * tried)  # noqa: S311
    raise AssertionError("unreachable")


def _is_full(error: DBAPIError) -> bool:
    """Whether the disk has no room: SQLITE_FULL (13), PostgreSQL's disk_full."""
    if getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        return True
    return getattr(error.orig, "sqlstate", None) == "53100"


def _worth_repeating(error: DBAPIError) -> bool:
    if isinstance(error, OperationalError) and "database is locked" in str(error.orig):
        return True
    # The server that ends an idle transaction says so and closes; where the closing is seen first,
    # the SQLSTATE is lost. Whoever has a statement was not yet at the commit.
    if error.connection_invalidated and error.statement is not None:
        return True
    return getattr(error.orig, "sqlstate", None) in _RETRYABLE_STATES


def _prepare_sqlite(connection: Any, _record: Any, *, cache_kb: int) -> None:
    connection.isolation_level = None
    connection.create_function("unicode_lower", 1, _lower, deterministic=True)
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        f"busy_timeout={_BUSY_TIMEOUT_MS}",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        f"cache_size=-{cache_kb}",
        f"wal_autocheckpoint={_CHECKPOINT_PAGES}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _lower(text: str | None) -> str | None:
    return text.lower() if text is not None else None


def _prepare_postgres(connection: Any, _record: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET idle_in_transaction_session_timeout = {_IDLE_TIMEOUT_MS}")
    # A setting made in a transaction that is rolled back is gone with it.
    connection.commit()


def _begin_reading(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _begin_writing(connection: sa.Connection) -> None:
    # A deferred transaction that turns to writing can fail half-way with "locked".
    connection.exec_driver_sql("BEGIN IMMEDIATE")
