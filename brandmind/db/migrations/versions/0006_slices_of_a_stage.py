"""Slices of a stage."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from brandmind.db import types

revision = "0006"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sync_slice",
        sa.Column("run_id", types.Key(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("reading", sa.Integer(), nullable=False),
        sa.Column("created_from", types.UtcDateTime(), nullable=True),
        sa.Column("created_before", types.UtcDateTime(), nullable=True),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("counted", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("read_no", sa.BigInteger(), nullable=False),
        sa.Column("operation", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("objects", sa.BigInteger(), nullable=False),
        sa.Column("roots", sa.BigInteger(), nullable=False),
        sa.Column("operation_at", types.UtcDateTime(), nullable=True),
        sa.Column("asked_at", types.UtcDateTime(), nullable=True),
        sa.Column("moved_at", types.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["sync_run.run_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "stage", "number"),
    )


def downgrade() -> None:
    op.drop_table("sync_slice")
