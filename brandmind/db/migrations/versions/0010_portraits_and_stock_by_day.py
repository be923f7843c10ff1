"""Portraits of a store, every one of them, and its stock by day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from brandmind.db import types

revision = "0010"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dna_run",
        sa.Column("store_id", types.Key(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("as_of", sa.String(length=10), nullable=False),
        sa.Column("dna_version", sa.Integer(), nullable=False),
        sa.Column("run_id", types.Key(), nullable=False),
        sa.Column("made_at", types.UtcDateTime(), nullable=False),
        sa.Column("strands", sa.Integer(), nullable=False),
        sa.Column("labels_json", sa.String(), nullable=False),
        sa.Column("portrait_json", sa.String(), nullable=False),
        sa.Column("tables_json", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "number"),
    )
    op.create_index("dna_run_day", "dna_run", ["store_id", "as_of", "number"])
    op.create_table(
        "stock_day",
        sa.Column("store_id", types.Key(), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("available", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "day", "product_id"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("stock_day")
    op.drop_index("dna_run_day", table_name="dna_run")
    op.drop_table("dna_run")
