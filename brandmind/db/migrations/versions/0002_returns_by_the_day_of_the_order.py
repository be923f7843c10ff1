"""Returns are also summed by the day of their order."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "daily_sales",
        sa.Column("returned_minor", sa.BigInteger(), nullable=False, server_default="0"),
    )
    # The next recount fills the column.
    op.execute(
        "INSERT INTO dirty_day (store_id, day) SELECT DISTINCT store_id, day FROM daily_sales "
        "WHERE true ON CONFLICT DO NOTHING"
    )
    op.drop_index("shop_order_customer", table_name="shop_order")
    op.create_index(
        "shop_order_customer", "shop_order", ["store_id", "customer_id", "day", "test"]
    )
    op.drop_index("shop_order_day", table_name="shop_order")
    op.create_index("shop_order_day", "shop_order", ["store_id", "day", "test", "customer_id"])


def downgrade() -> None:
    op.drop_index("shop_order_day", table_name="shop_order")
    op.create_index("shop_order_day", "shop_order", ["store_id", "day"])
    op.drop_index("shop_order_customer", table_name="shop_order")
    op.create_index("shop_order_customer", "shop_order", ["store_id", "customer_id", "day"])
    with op.batch_alter_table("daily_sales") as batch_op:
        batch_op.drop_column("returned_minor")
