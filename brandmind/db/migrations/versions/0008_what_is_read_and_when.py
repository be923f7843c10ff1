"""What is read of a store, when it is looked at again, and when it is erased."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from brandmind.db import types

revision = "0008"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("store", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("orders_since", sa.String(), server_default="all", nullable=False)
        )
        batch_op.add_column(
            sa.Column("reads_customers", sa.Boolean(), server_default=sa.true(), nullable=False)
        )
        batch_op.add_column(
            sa.Column("customers_unread", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch_op.add_column(sa.Column("customers_read_at", types.UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("history_from", types.UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("nightly_at", types.UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("erase_at", types.UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("erase_epoch", sa.Integer(), nullable=True))
    with op.batch_alter_table("sync_run", schema=None) as batch_op:
        batch_op.add_column(sa.Column("again_reason", sa.String(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("again_priority", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("ended_by", sa.String(), nullable=True))
        batch_op.add_column(
            sa.Column("metadata_json", sa.String(), server_default="{}", nullable=False)
        )


def downgrade() -> None:
    with op.batch_alter_table("sync_run", schema=None) as batch_op:
        for name in ("metadata_json", "ended_by", "again_priority", "again_reason"):
            batch_op.drop_column(name)
    with op.batch_alter_table("store", schema=None) as batch_op:
        for name in (
            "erase_epoch",
            "erase_at",
            "nightly_at",
            "history_from",
            "customers_read_at",
            "customers_unread",
            "reads_customers",
            "orders_since",
        ):
            batch_op.drop_column(name)
