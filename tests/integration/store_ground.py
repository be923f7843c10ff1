"""A store and its runs in SQL, without a shop: for tests of what may be asked and what follows."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from brandmind.clock import utc_now
from brandmind.db import runs
from brandmind.db.session import Database
from brandmind.db.tables import RUN, STAGE, STORE, TOKEN
from brandmind.sync.stages import StageState

STORE_ID = "a11ce00000"


def insert_store(session: Any, store_id: str = STORE_ID, **values: Any) -> str:
    """A connected store with a grant of its own app."""
    session.execute(
        sa.insert(STORE).values(
            **{
                "store_id": store_id,
                "domain": f"{store_id}.myshopify.com",
                "name": "Harbor & Pine",
                "timezone": "America/New_York",
                "plan": "",
                "taxes_included": False,
                "scopes": "read_orders,read_all_orders",
                "epoch": 1,
                "read_no": 0,
                "history_done": False,
                "installed_at": utc_now(),
                **values,
            }
        )
    )
    session.execute(
        sa.insert(TOKEN).values(
            store_id=store_id, access_sealed="x", generation=1, lease_no=0, grant_kind="oauth"
        )
    )
    return store_id


def set_store(session: Any, store_id: str = STORE_ID, **values: Any) -> None:
    session.execute(sa.update(STORE).where(STORE.c.store_id == store_id).values(**values))


def store_row(session: Any, store_id: str = STORE_ID) -> Any:
    return session.execute(sa.select(STORE).where(STORE.c.store_id == store_id)).one()


def run_rows(session: Any, store_id: str = STORE_ID) -> list[Any]:
    """The store's runs, oldest first."""
    return list(
        session.execute(
            sa.select(RUN).where(RUN.c.store_id == store_id).order_by(RUN.c.requested_at)
        )
    )


def stage_rows(session: Any, run_id: str) -> dict[str, Any]:
    found = session.execute(sa.select(STAGE).where(STAGE.c.run_id == run_id))
    return {row.stage: row for row in found}


def set_run(session: Any, run_id: str, **values: Any) -> None:
    session.execute(sa.update(RUN).where(RUN.c.run_id == run_id).values(**values))


def close_stages(session: Any, run_id: str) -> None:
    """Every stage that is not left out, read."""
    session.execute(
        sa.update(STAGE)
        .where(STAGE.c.run_id == run_id, STAGE.c.state != StageState.SKIPPED.value)
        .values(state=StageState.DONE.value)
    )


async def claim(db: Database, **values: Any) -> runs.Claim | None:
    return await db.write(runs.claim_next, owner="one", oldest_first=False, **values)
