"""How Alembic reaches our tables."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from sqlmodel.sql.sqltypes import AutoString

from brandmind.db import types
from brandmind.db.models import METADATA


def _render(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Our own types by their name, SQLModel's text type as plain SQLAlchemy."""
    if kind == "type" and isinstance(item, types.UtcDateTime | types.Key):
        return f"types.{type(item).__name__}()"
    if kind == "type" and isinstance(item, AutoString):
        return "sa.String()"
    return False


url: str = context.config.attributes["url"]
engine = sa.create_engine(url, hide_parameters=True)
try:
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=METADATA,
            # SQLite cannot alter a table in place.
            render_as_batch=True,
            compare_type=True,
            render_item=_render,
        )
        with context.begin_transaction():
            context.run_migrations()
finally:
    engine.dispose()
