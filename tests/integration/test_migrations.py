"""The migrations make exactly the tables that the code declares."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from brandmind.db import migrate
from brandmind.db.models import METADATA


def test_a_migrated_database_equals_the_declared_tables(database_url: str) -> None:
    engine = sa.create_engine(database_url)
    with engine.connect() as connection:
        found = compare_metadata(
            MigrationContext.configure(connection, opts={"compare_type": True}), METADATA
        )
    engine.dispose()
    assert found == []


def test_upgrading_twice_changes_nothing(database_url: str) -> None:
    migrate.upgrade(database_url)
    assert migrate.is_current(database_url)


def test_portraits_that_were_kept_before_have_their_scores_beside_them(database_url: str) -> None:
    earlier = migrate.config(database_url)
    command.downgrade(earlier, "0016")
    command.downgrade(earlier, "-1")
    told = {"strands": [{"key": "loyalty", "score": 70.5}, {"key": "reach", "score": None}]}
    engine = sa.create_engine(database_url)
    made_at = 0 if engine.dialect.name == "sqlite" else datetime(2026, 11, 20, tzinfo=UTC)
    with engine.begin() as connection:
        for number, portrait in enumerate((told, {}), 1):
            connection.execute(
                sa.text(
                    "INSERT INTO dna_run (store_id, number, as_of, dna_version, run_id, made_at, "
                    "strands, labels_json, portrait_json, tables_json) VALUES "
                    "('s', :number, '2026-11-20', 1, 'r', :made_at, 1, '{}', :portrait, '{}')"
                ),
                {"number": number, "made_at": made_at, "portrait": json.dumps(portrait)},
            )
    migrate.upgrade(database_url)
    with engine.connect() as connection:
        found = connection.execute(
            sa.text("SELECT scores_json, labels_json FROM dna_run ORDER BY number")
        ).all()
    engine.dispose()
    assert [json.loads(row.scores_json) for row in found] == [{"loyalty": 70.5, "reach": None}, {}]
    assert {row.labels_json for row in found} == {"{}"}
