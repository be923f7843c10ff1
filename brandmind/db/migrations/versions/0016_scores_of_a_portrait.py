"""The scores of a portrait beside it, so that a line of ninety does not read ninety portraits."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("dna_run", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("scores_json", sa.String(), server_default="{}", nullable=False)
        )
    run = sa.table(
        "dna_run",
        sa.column("store_id"),
        sa.column("number"),
        sa.column("portrait_json"),
        sa.column("scores_json"),
    )
    connection = op.get_bind()
    key = sa.select(run.c.store_id, run.c.number)
    # One at a time: a store may have hundreds of portraits, and there may be many stores.
    for store_id, number in connection.execute(key).all():
        here = sa.and_(run.c.store_id == store_id, run.c.number == number)
        portrait = connection.scalar(sa.select(run.c.portrait_json).where(here))
        strands = json.loads(portrait or "{}").get("strands", ())
        scores = {strand["key"]: strand["score"] for strand in strands}
        connection.execute(
            sa.update(run).where(here).values(scores_json=json.dumps(scores, sort_keys=True))
        )


def downgrade() -> None:
    with op.batch_alter_table("dna_run", schema=None) as batch_op:
        batch_op.drop_column("scores_json")
