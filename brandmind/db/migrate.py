"""Bring a database to the newest schema, by one process at a time."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

_FOLDER = Path(__file__).parent / "migrations"
_LOCK_NO = 5_120_926  # any number nobody else uses on this database


def config(url: str) -> Config:
    """Alembic's configuration for a database address."""
    made = Config()
    made.set_main_option("script_location", str(_FOLDER))
    made.attributes["url"] = url
    return made


def upgrade(url: str) -> None:
    """Run every migration that is missing; safe to call from several processes at once."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    with _alone(parsed):
        command.upgrade(config(url), "head")


def is_current(url: str) -> bool:
    """Whether the database has the newest schema."""
    head = ScriptDirectory.from_config(config(url)).get_current_head()
    engine = sa.create_engine(url, hide_parameters=True)
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision() == head
    finally:
        engine.dispose()


@contextmanager
def _alone(url: sa.URL) -> Iterator[None]:
    if url.get_backend_name() == "sqlite":
        with Path(f"{url.database}.migrating").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        return
    engine = sa.create_engine(url, hide_parameters=True)
    try:
        with engine.connect() as connection:
            connection.execute(sa.text("SELECT pg_advisory_lock(:no)"), {"no": _LOCK_NO})
            yield
            connection.execute(sa.text("SELECT pg_advisory_unlock(:no)"), {"no": _LOCK_NO})
    finally:
        engine.dispose()
