"""The sales of a product by day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from brandmind.db import types

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "product_sales",
        sa.Column("store_id", types.Key(), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("line_id", sa.BigInteger(), nullable=True),
        sa.Column("sold_minor", sa.BigInteger(), nullable=False),
        sa.Column("returned_minor", sa.BigInteger(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "day", "currency", "product_id", "title"),
        sqlite_with_rowid=False,
    )
    # The next recount fills the table.
    op.execute(
        "INSERT INTO dirty_day (store_id, day) SELECT DISTINCT store_id, day FROM daily_sales "
        "WHERE true ON CONFLICT DO NOTHING"
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES "
            "('product_sales', 'product_sales', '800000 200000 200 200 1 1')"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DELETE FROM sqlite_stat1 WHERE tbl = 'product_sales'")
    op.drop_table("product_sales")
