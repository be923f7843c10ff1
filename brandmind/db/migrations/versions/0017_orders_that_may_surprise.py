"""Gift cards sold and orders that may surprise in a total are found without reading the others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0015"
branch_labels = None
depends_on = None

# As 0003 has it: the shape an index is expected to have.
_SHAPES = (
    ("order_sale", "order_sale_card", "2000 500 4"),
    ("shop_order", "shop_order_odd", "8000 2000 4"),
)
_UNSETTLED = "cancelled_at IS NOT NULL OR financial_status = 'PENDING'"


def upgrade() -> None:
    op.create_index(
        "order_sale_card",
        "order_sale",
        ["store_id", "day"],
        sqlite_where=sa.text("kind = 'GIFT_CARD'"),
        postgresql_where=sa.text("kind = 'GIFT_CARD'"),
    )
    op.create_index(
        "shop_order_odd",
        "shop_order",
        ["store_id", "day"],
        sqlite_where=sa.text(f"test = 1 OR {_UNSETTLED}"),
        postgresql_where=sa.text(f"test OR {_UNSETTLED}"),
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
    op.drop_index("shop_order_odd", table_name="shop_order")
    op.drop_index("order_sale_card", table_name="order_sale")
