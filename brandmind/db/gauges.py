"""How the whole installation stands, in numbers alone: no store is named, nobody is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.db.presence import KEPT
from brandmind.db.session import db_now
from brandmind.db.tables import INBOX, OUTBOX, RUN, STORE, WORKER
from brandmind.sync.stages import RunStatus

STALE_AFTER: Final = timedelta(hours=26)
_DAY: Final = timedelta(hours=24)
_ENDED: Final = (RunStatus.DONE, RunStatus.FAILED, RunStatus.CANCELLED)


@dataclass(frozen=True, slots=True)
class Standing:
    """`runs`: queued (due), waiting (due later) and running; `ended`: by outcome in the last 24
    hours. Ages in seconds, 0 where nothing waits. `stale`: not read for 26 hours. `workers` are
    those heard of within the hour, `worker_silent_s` how long the one heard of last is silent,
    None: there is none."""

    runs: Mapping[str, int]
    ended: Mapping[str, int]
    oldest_due_s: float
    inbox_waiting: int
    inbox_aside: int
    inbox_oldest_s: float
    letters_waiting: int
    stores: Mapping[str, int]
    workers: int
    worker_silent_s: float | None


def standing(session: Session) -> Standing:
    """How it all stands by the database's clock."""
    now = db_now(session)
    queued = RUN.c.status == RunStatus.QUEUED.value
    count = sa.func.count()
    runs = session.execute(
        sa.select(
            count.filter(queued, RUN.c.due_at <= now).label("queued"),
            count.filter(queued, RUN.c.due_at > now).label("waiting"),
            count.filter(RUN.c.status == RunStatus.RUNNING.value).label("running"),
            sa.func.min(RUN.c.due_at).filter(queued, RUN.c.due_at <= now).label("oldest"),
        ).where(RUN.c.status.in_([RunStatus.QUEUED.value, RunStatus.RUNNING.value]))
    ).one()
    ended = {
        row.status: row.ended
        for row in session.execute(
            sa.select(RUN.c.status, count.label("ended"))
            .where(RUN.c.status.in_([one.value for one in _ENDED]), RUN.c.finished_at >= now - _DAY)
            .group_by(RUN.c.status)
        )
    }
    waits = INBOX.c.aside_at.is_(None)
    inbox = session.execute(
        sa.select(
            count.filter(waits).label("waiting"),
            count.filter(~waits).label("aside"),
            sa.func.min(INBOX.c.received_at).filter(waits).label("oldest"),
        )
        # Store by store there is an index for it.
        .select_from(STORE.join(INBOX, INBOX.c.store_id == STORE.c.store_id))
        .where(INBOX.c.done_at.is_(None))
    ).one()
    here = STORE.c.uninstalled_at.is_(None)
    stores = session.execute(
        sa.select(
            count.filter(here).label("connected"),
            count.filter(here, STORE.c.paused_at.is_not(None)).label("paused"),
            count.filter(here, STORE.c.last_synced_at < now - STALE_AFTER).label("stale"),
            count.filter(~here).label("left"),
        ).select_from(STORE)
    ).one()
    workers = session.execute(
        sa.select(count.label("there"), sa.func.max(WORKER.c.seen_at).label("seen_at")).where(
            WORKER.c.seen_at >= now - KEPT
        )
    ).one()
    letters = session.execute(
        sa.select(count).select_from(OUTBOX).where(OUTBOX.c.sent_at.is_(None))
    ).scalar_one()
    return Standing(
        runs={"queued": runs.queued, "waiting": runs.waiting, "running": runs.running},
        ended={one.value: ended.get(one.value, 0) for one in _ENDED},
        oldest_due_s=max(0.0, (now - runs.oldest).total_seconds()) if runs.oldest else 0.0,
        inbox_waiting=inbox.waiting,
        inbox_aside=inbox.aside,
        inbox_oldest_s=max(0.0, (now - inbox.oldest).total_seconds()) if inbox.oldest else 0.0,
        letters_waiting=letters,
        stores={
            "connected": stores.connected,
            "paused": stores.paused,
            "stale": stores.stale,
            "left": stores.left,
        },
        workers=workers.there,
        worker_silent_s=(
            max(0.0, (now - workers.seen_at).total_seconds()) if workers.seen_at else None
        ),
    )
