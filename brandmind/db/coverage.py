"""How far back a store's orders are stored without a gap, and whether its customers are."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.commerce.shop import zone
from brandmind.db.runs import reads_history
from brandmind.db.tables import ORDER, RUN, STAGE
from brandmind.sync.stages import Kind, Stage, StageState

# Without read_all_orders Shopify answers with the orders of the last 60 days (its documentation).
_SHORT_MEMORY: Final = timedelta(days=60)
_READ: Final = (StageState.DONE.value, StageState.GAP.value)


def stored_from(session: Session, store: Any) -> date | None:
    """The first shop-local day from which every day's orders are stored; None: none yet.

    `store` is the store's row. Recent orders are read newest first, so while they are read the
    oldest one stored tells how far the reading has come; its own day may lack earlier orders.
    """
    tz = zone(store.timezone)
    if store.history_done:
        begins = store.history_from
        if begins is None or (store.shop_created_at and store.shop_created_at >= begins):
            return _very_first(session, store)
        first: date = begins.astimezone(tz).date() + timedelta(days=1)
        return first
    stages = _order_stages(session, store)
    since = _read_since(store, stages)
    if since is None and stages:
        since = _reached(session, store, stages[-1])
    if since is None:
        return None
    # Orders before that moment of the day are missing.
    return since.astimezone(tz).date() + timedelta(days=1)


def customers_read(session: Session, store: Any) -> bool:
    """Whether this installation has read all customers once, by a run that may still go on.

    `store` is the store's row.
    """
    if store.customers_read_at is not None:
        return True
    read = (
        sa.select(STAGE.c.run_id)
        .join(RUN, RUN.c.run_id == STAGE.c.run_id)
        .where(
            RUN.c.store_id == store.store_id,
            RUN.c.epoch == store.epoch,
            STAGE.c.stage == Stage.CUSTOMERS.value,
            STAGE.c.state.in_(_READ),
        )
        .limit(1)
    )
    return session.scalar(read) is not None


def _very_first(session: Session, store: Any) -> date | None:
    days = []
    if store.shop_created_at is not None:
        days.append(store.shop_created_at.astimezone(zone(store.timezone)).date())
    # An imported order can be older than the shop.
    first = session.scalar(
        sa.select(sa.func.min(ORDER.c.day)).where(ORDER.c.store_id == store.store_id)
    )
    if first is not None:
        days.append(date.fromisoformat(first))
    return min(days, default=None)


def _order_stages(session: Session, store: Any) -> list[Any]:
    """The order stages of this installation's full runs, oldest first."""
    return list(
        session.execute(
            sa.select(
                STAGE.c.state,
                STAGE.c.done,
                STAGE.c.created_from,
                STAGE.c.created_before,
                RUN.c.first_read_no,
            )
            .join(RUN, RUN.c.run_id == STAGE.c.run_id)
            .where(
                RUN.c.store_id == store.store_id,
                RUN.c.epoch == store.epoch,
                RUN.c.kind == Kind.FULL.value,
                STAGE.c.stage == Stage.ORDERS.value,
            )
            .order_by(RUN.c.requested_at, RUN.c.run_id)
        )
    )


def _read_since(store: Any, stages: list[Any]) -> datetime | None:
    """Where the first whole reading began; everything later has been followed ever since."""
    whole = next((at for at in stages if at.state in _READ), None)
    since: datetime | None = None
    if whole is not None:
        since, until = whole.created_from, whole.created_before
    elif store.last_synced_at is not None:
        since, until = store.recent_from, store.last_synced_at
    if since is not None and until is not None and not reads_history(store.scopes):
        since = max(since, until - _SHORT_MEMORY)
    return since


def _reached(session: Session, store: Any, stage: Any) -> datetime | None:
    """The oldest order that the reading now under way has brought."""
    if not stage.done:
        return None
    query = (
        sa.select(ORDER.c.created_at)
        .where(ORDER.c.store_id == store.store_id, ORDER.c.read_no >= stage.first_read_no)
        .order_by(ORDER.c.created_at)
        .limit(1)
    )
    if stage.created_from is not None:
        query = query.where(ORDER.c.created_at >= stage.created_from)
    return session.scalar(query)
