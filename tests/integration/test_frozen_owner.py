"""A process that is frozen inside a transaction does not keep a store from everybody else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from brandmind.db import reaping, runs
from brandmind.db.session import Database
from brandmind.db.tables import DIRTY_DAY, STORE
from tests.factories import make_store

STORE_ID = "alice-id"

pytestmark = pytest.mark.postgres


@pytest.fixture
def databases(postgres_database_url: str) -> Iterator[tuple[Database, Database]]:
    """The same database as two processes see it, with one store."""
    ours, theirs = Database(postgres_database_url), Database(postgres_database_url)
    ours.write_now(make_store)
    yield ours, theirs
    ours.close()
    theirs.close()


def _rename(session: Any, name: str) -> None:
    runs.lock_store(session, STORE_ID)
    session.execute(STORE.update().where(STORE.c.store_id == STORE_ID).values(name=name))


def test_the_store_is_free_again_and_the_frozen_one_begins_its_transaction_anew(
    databases: tuple[Database, Database],
) -> None:
    ours, theirs = databases
    frozen, thaw = threading.Event(), threading.Event()
    begun: list[str] = []

    def freezes(session: Any) -> None:
        store = runs.lock_store(session, STORE_ID)
        begun.append(store.name)
        if len(begun) == 1:
            frozen.set()
            assert thaw.wait(60)
        _rename(session, "Late")

    late = threading.Thread(target=theirs.write_now, args=(freezes,))
    late.start()
    assert frozen.wait(60)
    # Returns only because the frozen transaction is ended by the database.
    ours.write_now(_rename, "Meanwhile")
    thaw.set()
    late.join(60)
    assert not late.is_alive()
    # What it wrote, it wrote having seen what happened meanwhile.
    assert begun[1:] == ["Meanwhile"]
    assert ours.read_now(lambda s: runs.lock_store(s, STORE_ID).name) == "Late"


def test_one_that_stands_still_between_a_statements_rows_is_ended_by_its_name(
    postgres_database_url: str,
) -> None:
    ours = Database(postgres_database_url)
    theirs = Database(postgres_database_url, name="brandmind late")
    ours.write_now(make_store)
    frozen, thaw = threading.Event(), threading.Event()
    ended: list[BaseException] = []

    def rows() -> Iterator[tuple[str, str]]:
        # More than the driver gathers before it sends.
        for number in range(5_000):
            yield STORE_ID, f"2026-{number}"
        frozen.set()
        assert thaw.wait(60)
        yield STORE_ID, "2027-1"

    def freezes(session: Any) -> None:
        runs.lock_store(session, STORE_ID)
        cursor = session.connection().connection.cursor()
        cursor.executemany("INSERT INTO dirty_day (store_id, day) VALUES (%s, %s)", rows())

    def writes() -> None:
        try:
            theirs.write_now(freezes)
        except Exception as error:
            ended.append(error)

    late = threading.Thread(target=writes)
    late.start()
    assert frozen.wait(60)
    assert ours.read_now(reaping.end_sessions, "brandmind late") == 1
    ours.write_now(_rename, "Meanwhile")
    thaw.set()
    late.join(60)
    assert not late.is_alive()
    assert len(ended) == 1, "what it wrote is not there, and it knows"
    assert ours.read_now(lambda s: s.scalar(sa.select(sa.func.count()).select_from(DIRTY_DAY))) == 0
    ours.close()
    theirs.close()


def test_who_ends_sessions_keeps_its_own(postgres_database_url: str) -> None:
    ours = Database(postgres_database_url, name="brandmind ours")
    assert ours.read_now(reaping.end_sessions, "brandmind ours") == 0
    assert ours.read_now(reaping.end_sessions, "brandmind nobody") == 0
    ours.close()
