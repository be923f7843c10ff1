"""Who is in each group of the newest portrait, so that opening one reads a few of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from brandmind.db import types

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "customer_group",
        sa.Column("store_id", types.Key(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("group_key", sa.String(length=20), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("members_json", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "number", "group_key", "place"),
    )


def downgrade() -> None:
    op.drop_table("customer_group")
