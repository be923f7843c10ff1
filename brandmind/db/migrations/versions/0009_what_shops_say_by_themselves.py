"""What shops say by themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from brandmind.db import types

revision = "0009"
down_revision = "0007"
branch_labels = None
depends_on = None

_WAITS = sa.text("done_at IS NULL AND aside_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "inbox",
        sa.Column("store_id", types.Key(), nullable=False),
        sa.Column("webhook_id", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("shopify_id", sa.BigInteger(), nullable=True),
        sa.Column("others", sa.String(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("triggered_at", types.UtcDateTime(), nullable=True),
        sa.Column("received_at", types.UtcDateTime(), nullable=False),
        sa.Column("due_at", types.UtcDateTime(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("done_at", types.UtcDateTime(), nullable=True),
        sa.Column("aside_at", types.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["store_id"], ["store.store_id"]),
        sa.PrimaryKeyConstraint("store_id", "webhook_id"),
    )
    op.create_index(
        "inbox_waiting",
        "inbox",
        ["store_id", "due_at"],
        sqlite_where=_WAITS,
        postgresql_where=_WAITS,
    )
    op.create_index("inbox_done", "inbox", ["store_id", "done_at"])
    op.create_table(
        "live",
        sa.Column("store_id", types.Key(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("turn", sa.BigInteger(), nullable=False),
        sa.Column("beat", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("told_seq", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", types.UtcDateTime(), nullable=True),
        sa.Column("checked_for", sa.String(), nullable=False),
        sa.Column("checked_at", types.UtcDateTime(), nullable=True),
        sa.Column("check_at", types.UtcDateTime(), nullable=True),
        sa.Column("missing", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["store.store_id"]),
        sa.PrimaryKeyConstraint("store_id"),
    )
    op.create_table(
        "privacy_act",
        sa.Column("act_id", types.Key(), nullable=False),
        sa.Column("shop_key", types.Key(), nullable=False),
        sa.Column("domain", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("ordered_at", types.UtcDateTime(), nullable=False),
        sa.Column("done_at", types.UtcDateTime(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("counts_json", sa.String(), nullable=False),
        sa.Column("export_json", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("act_id"),
        sa.UniqueConstraint("shop_key", "cause"),
    )


def downgrade() -> None:
    op.drop_table("privacy_act")
    op.drop_table("live")
    op.drop_index("inbox_done", table_name="inbox")
    op.drop_index("inbox_waiting", table_name="inbox")
    op.drop_table("inbox")
