"""Proofs by closed window, and what a shop does not show."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from brandmind.db import types

revision = "0007"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "proof",
        sa.Column("store_id", types.Key(), nullable=False),
        sa.Column("resource", sa.String(), nullable=False),
        sa.Column("created_before", types.UtcDateTime(), nullable=False),
        sa.Column("created_from", types.UtcDateTime(), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("run_id", types.Key(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("counted", sa.BigInteger(), nullable=False),
        sa.Column("exact", sa.Boolean(), nullable=False),
        sa.Column("stored", sa.BigInteger(), nullable=False),
        sa.Column("buried", sa.BigInteger(), nullable=False),
        sa.Column("again_run", types.Key(), nullable=True),
        sa.Column("proven_at", types.UtcDateTime(), nullable=True),
        sa.Column("compared_at", types.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("store_id", "resource", "created_before"),
    )
    op.create_table(
        "restriction",
        sa.Column("store_id", types.Key(), nullable=False),
        sa.Column("resource", sa.String(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("fields", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("seen_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "resource"),
    )
    with op.batch_alter_table("sync_run", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("checks", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
    with op.batch_alter_table("sync_stage", schema=None) as batch_op:
        batch_op.add_column(sa.Column("again_from", types.UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("again_before", types.UtcDateTime(), nullable=True))
    with op.batch_alter_table("store", schema=None) as batch_op:
        batch_op.add_column(sa.Column("checked_at", types.UtcDateTime(), nullable=True))
        batch_op.add_column(
            sa.Column("days_timezone", sa.String(), server_default="", nullable=False)
        )
    # A record that could not be read is kept under what it is, whichever stage met it.
    op.execute(
        "DELETE FROM reject WHERE resource = 'history' AND EXISTS (SELECT 1 FROM reject other "
        "WHERE other.store_id = reject.store_id AND other.resource = 'orders' "
        "AND other.gid = reject.gid)"
    )
    op.execute("UPDATE reject SET resource = 'orders' WHERE resource = 'history'")


def downgrade() -> None:
    with op.batch_alter_table("store", schema=None) as batch_op:
        batch_op.drop_column("days_timezone")
        batch_op.drop_column("checked_at")
    with op.batch_alter_table("sync_stage", schema=None) as batch_op:
        batch_op.drop_column("again_before")
        batch_op.drop_column("again_from")
    with op.batch_alter_table("sync_run", schema=None) as batch_op:
        batch_op.drop_column("checks")
    op.drop_table("restriction")
    op.drop_table("proof")
