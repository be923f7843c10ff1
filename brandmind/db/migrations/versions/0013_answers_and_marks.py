"""What a merchant answered when the store was set up, and what became of what was suggested."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from brandmind.db import types

revision = "0013"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("store", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("setup_step", sa.Integer(), server_default="0", nullable=False)
        )
        batch_op.add_column(
            sa.Column("week_start", sa.Integer(), server_default="0", nullable=False)
        )
        batch_op.add_column(sa.Column("uses_costs", sa.Boolean(), nullable=True))
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.add_column(sa.Column("told_ready", sa.Boolean(), nullable=True))
    op.create_table(
        "action_mark",
        sa.Column("store_id", types.Key(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("until", sa.String(length=10), nullable=False),
        sa.Column("marked_at", types.UtcDateTime(), nullable=False),
        sa.Column("marked_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("store_id", "key", "about"),
    )


def downgrade() -> None:
    op.drop_table("action_mark")
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.drop_column("told_ready")
    with op.batch_alter_table("store", schema=None) as batch_op:
        for name in ("uses_costs", "week_start", "setup_step"):
            batch_op.drop_column(name)
