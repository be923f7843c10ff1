"""A transaction that ended only because its moment was wrong is begun anew."""

from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlmodel import Session

from brandmind.db.session import Database

GONE = sa.text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid")


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[Database]:
    db = Database(postgres_url, pool_size=2)
    yield db
    db.close()


def _stands_idle(session: Session, watcher: Database) -> int:
    """Ends only when the server has ended the session's transaction; its process number."""
    pid = session.scalar(sa.text("SELECT pg_backend_pid()"))
    session.execute(sa.text("SET idle_in_transaction_session_timeout = 1"))
    with watcher.engine.connect() as other:
        while other.scalar(GONE, {"pid": pid}):
            other.rollback()
    return int(pid or 0)


@pytest.mark.postgres
@pytest.mark.parametrize("way", ["read_now", "write_now"])
def test_a_transaction_that_stood_idle_too_long_is_begun_anew(postgres: Database, way: str) -> None:
    pids: list[int] = []

    def act(session: Session) -> int:
        if not pids:
            pids.append(_stands_idle(session, postgres))
        return int(session.scalar(sa.text("SELECT pg_backend_pid()")) or 0)

    assert getattr(postgres, way)(act) not in pids
    assert len(pids) == 1


@pytest.mark.postgres
@pytest.mark.parametrize("way", ["read_now", "write_now"])
@pytest.mark.parametrize(("state", "tries"), [("40001", 4), ("40P01", 4), ("23505", 1)])
def test_what_never_gets_better_is_raised_and_what_might_is_tried_four_times(
    postgres: Database, way: str, state: str, tries: int
) -> None:
    tried: list[str] = []

    def act(session: Session) -> None:
        tried.append(state)
        session.execute(sa.text(f"DO $$ BEGIN RAISE SQLSTATE '{state}'; END $$"))

    with pytest.raises(DBAPIError):
        getattr(postgres, way)(act)
    assert len(tried) == tries


def _cut(session: Session) -> None:
    """The line to the server breaks and nobody says why."""
    fileno = session.connection().connection.driver_connection.fileno()  # type: ignore[union-attr]
    with socket.socket(fileno=os.dup(fileno)) as line:
        line.shutdown(socket.SHUT_RDWR)


@pytest.mark.postgres
@pytest.mark.parametrize("way", ["read_now", "write_now"])
def test_a_line_that_broke_before_the_commit_is_asked_again(postgres: Database, way: str) -> None:
    tried: list[int] = []

    def act(session: Session) -> int:
        tried.append(1)
        if len(tried) == 1:
            _cut(session)
        return int(session.scalar(sa.text("SELECT 7")) or 0)

    assert getattr(postgres, way)(act) == 7
    assert len(tried) == 2


@pytest.mark.postgres
def test_a_line_that_broke_at_the_commit_raises(postgres: Database) -> None:
    tried: list[int] = []

    def act(session: Session) -> None:
        tried.append(1)
        session.execute(sa.text("SELECT 7"))
        _cut(session)

    with pytest.raises(DBAPIError):
        postgres.write_now(act)
    assert len(tried) == 1


@pytest.mark.parametrize("way", ["read_now", "write_now"])
def test_a_locked_file_is_asked_again(tmp_path: Path, way: str) -> None:
    db = Database(f"sqlite:///{tmp_path / 'a.db'}")
    tried: list[int] = []

    def act(session: Session) -> int:
        tried.append(1)
        if len(tried) < 3:
            raise OperationalError("", {}, sqlite3.OperationalError("database is locked"))
        return int(session.scalar(sa.text("SELECT 7")) or 0)

    assert getattr(db, way)(act) == 7
    assert len(tried) == 3
    db.close()
