"""What came back of an order, and the currency of a day's orders, are found in indexes alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0013"
branch_labels = None
depends_on = None

# As 0003 has it: SQLite forgets an index's shape with the index.
_SHAPES = (
    ("order_sale", "order_sale_returned", "100000 25000 1 1 1 1"),
    ("shop_order", "shop_order_day", "800000 200000 200 200 1 1 1"),
)


def upgrade() -> None:
    op.create_index(
        "order_sale_returned",
        "order_sale",
        ["store_id", "order_id", "counted", "returns_minor"],
        sqlite_where=sa.text("returns_minor <> 0"),
        postgresql_where=sa.text("returns_minor <> 0"),
    )
    op.drop_index("shop_order_day", table_name="shop_order")
    op.create_index(
        "shop_order_day", "shop_order", ["store_id", "day", "test", "customer_id", "currency"]
    )
    if op.get_bind().dialect.name != "sqlite":
        return
    for table, index, shape in _SHAPES:
        op.execute(
            sa.text("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (:t, :i, :s)").bindparams(
                t=table, i=index, s=shape
            )
        )


def downgrade() -> None:
    op.drop_index("shop_order_day", table_name="shop_order")
    op.create_index("shop_order_day", "shop_order", ["store_id", "day", "test", "customer_id"])
    op.drop_index("order_sale_returned", table_name="order_sale")
