"""A disk that is full is waited for and said, however long it lasts."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from brandmind.db.session import Database
from brandmind.errors import StorageFull
from brandmind.sync import recovery


def test_a_full_disk_is_a_wait_and_never_a_failure() -> None:
    decision = recovery.decide(
        StorageFull(), attempt=50, failing_for_s=90_000.0, retries=30, jitter=0.5
    )
    assert decision.action == "wait"
    assert decision.delay_s is not None
    assert decision.delay_s < 5.0
    assert "disk is full" in decision.sentence


def test_a_database_without_room_is_named_for_what_it_is(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'small.db'}")
    try:
        db.write_now(lambda s: s.execute(sa.text("CREATE TABLE kept (words TEXT)")))

        def too_much(session: object) -> None:
            session.execute(sa.text("PRAGMA max_page_count = 4"))  # type: ignore[attr-defined]
            session.execute(  # type: ignore[attr-defined]
                sa.text("INSERT INTO kept VALUES (:words)"), {"words": "x" * 100_000}
            )

        with pytest.raises(StorageFull):
            db.write_now(too_much)
    finally:
        db.close()
