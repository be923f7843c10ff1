"""SQLite knows the shape of a store before it has seen one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Rows of the table, then rows that share the index's first column, its first two, and so on.
# Without them SQLite takes the rows of one order for no fewer than the rows of a store, and reads
# a store's whole ledger to find the sales of one order. PostgreSQL keeps its own statistics.
_SHAPES = (
    ("product", "product", "20000 5000 1"),
    ("variant", "variant", "60000 15000 1"),
    ("variant", "variant_product", "60000 15000 3 1"),
    ("shop_order", "shop_order", "800000 200000 1"),
    ("shop_order", "shop_order_day", "800000 200000 200 200 1 1"),
    ("shop_order", "shop_order_customer", "800000 200000 3 1 1 1"),
    ("shop_order", "shop_order_created", "800000 200000 1 1"),
    ("order_line", "order_line", "2000000 500000 1"),
    ("order_line", "order_line_order", "2000000 500000 3 1"),
    ("order_sale", "order_sale", "2800000 700000 1"),
    ("order_sale", "order_sale_order", "2800000 700000 4 1"),
    ("order_sale", "order_sale_day", "2800000 700000 700 1"),
    ("order_refund", "order_refund", "80000 20000 1"),
    ("order_refund", "order_refund_order", "80000 20000 1 1"),
    ("customer", "customer", "400000 100000 1"),
    ("daily_sales", "daily_sales", "4000 1000 1 1"),
)


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    # Makes the table of statistics; what it says of tables still small would mislead.
    op.execute("ANALYZE")
    op.execute("DELETE FROM sqlite_stat1")
    for table, index, shape in _SHAPES:
        op.execute(
            sa.text("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (:t, :i, :s)").bindparams(
                t=table, i=index, s=shape
            )
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DELETE FROM sqlite_stat1")
