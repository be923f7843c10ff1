"""Connected stores: joined, joined again, looked up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from brandmind.clock import new_store_id
from brandmind.db import grants, runs
from brandmind.db.grants import SealedGrant
from brandmind.db.session import db_now
from brandmind.db.tables import STORE
from brandmind.sync.stages import Kind, RunStatus


@dataclass(frozen=True, slots=True)
class Store:
    """A store as those who sign in to it need it. `scopes`: what the shop granted to us."""

    store_id: str
    domain: str
    name: str
    shop_id: int | None
    scopes: frozenset[str]
    epoch: int
    uninstalled_at: datetime | None
    needs_reconnect: bool

    @property
    def installed(self) -> bool:
        return self.uninstalled_at is None


@dataclass(frozen=True, slots=True)
class Connection:
    """What connecting did. `run_id`: the run that it queued, to be rung after the commit."""

    store_id: str
    epoch: int
    first: bool
    run_id: str | None


def find(session: Session, store_id: str) -> Store | None:
    """The store of that id."""
    return _store(session, STORE.c.store_id == store_id)


def find_by_domain(session: Session, domain: str) -> Store | None:
    """The store of that canonical domain."""
    return _store(session, STORE.c.domain == domain)


def every_store(session: Session) -> list[Any]:
    """All stores by domain, with their names, moments and the kind of their grant."""
    token = grants.TOKEN
    return list(
        session.execute(
            sa.select(
                STORE.c.store_id,
                STORE.c.domain,
                STORE.c.name,
                STORE.c.last_synced_at,
                STORE.c.paused_at,
                STORE.c.paused_by,
                STORE.c.uninstalled_at,
                STORE.c.erase_at,
                token.c.grant_kind,
            )
            .outerjoin(token, token.c.store_id == STORE.c.store_id)
            .order_by(STORE.c.domain)
        )
    )


def connect(
    session: Session,
    domain: str,
    *,
    scopes: str,
    seal: Callable[[str], SealedGrant],
    shop_id: int | None = None,
    reason: str = "connected",
) -> Connection:
    """Keep a grant; on a new or returning store also queue its first sync, all or nothing.

    `seal` gives the grant sealed for the store id that it is handed. A healthy store only gets
    its new tokens, no new epoch and no new first sync; runs that had failed for want of access
    go on from where they stopped.
    """
    now = db_now(session)
    is_new = _insert_if_missing(session, domain, now=now)
    store_id = session.execute(sa.select(STORE.c.store_id).where(STORE.c.domain == domain)).scalar()
    assert store_id is not None
    row = runs.lock_store(session, store_id)
    returns = row.uninstalled_at is not None
    epoch = row.epoch
    values: dict[str, Any] = {"scopes": scopes}
    if returns:
        # Whoever began before the uninstall writes nothing more.
        runs.cancel(session, store_id, by="reconnected")
        epoch += 1
        values |= {
            "epoch": epoch,
            "installed_at": now,
            "uninstalled_at": None,
            "history_done": False,
            "recent_from": None,
            "synced_until": None,
            "history_from": None,
            "customers_unread": False,
            "customers_read_at": None,
            "next_sync_at": None,
            "nightly_at": None,
            "erase_at": None,
            "erase_epoch": None,
            "ready_told_at": None,
        }
    session.execute(sa.update(STORE).where(STORE.c.store_id == store_id).values(**values))
    run_id: str | None
    if is_new or returns:
        run_id = runs.insert_first_run(session, store_id, epoch=epoch, reason=reason)
    else:
        run_id = _take_up_again(session, store_id, epoch=epoch)
    grants.put(session, store_id, seal(store_id))
    if shop_id is not None:
        learn_shop_id(session, store_id, shop_id=shop_id)
    return Connection(store_id=store_id, epoch=epoch, first=is_new or returns, run_id=run_id)


def learn_shop_id(session: Session, store_id: str, *, shop_id: int) -> None:
    """Keep the shop's own number, which never changes once it is known."""
    session.execute(
        sa.update(STORE)
        .where(STORE.c.store_id == store_id, STORE.c.shop_id.is_(None))
        .values(shop_id=shop_id)
    )


def name_from_domain(domain: str) -> str:
    """A name to show until the shop has told its own: harbor-and-pine becomes Harbor and Pine."""
    words = domain.removesuffix(".myshopify.com").split("-")
    return " ".join(
        word if word in {"and", "of", "the"} and at else word.capitalize()
        for at, word in enumerate(words)
        if word
    )


def _take_up_again(session: Session, store_id: str, *, epoch: int) -> str | None:
    taken: str | None = None
    for kinds in ((Kind.HISTORICAL.value,), runs.FRONT):
        run = runs.newest_run(session, store_id, kinds)
        if (
            run is not None
            and run.status == RunStatus.FAILED.value
            and run.error_kind == "auth"
            and run.epoch == epoch
        ):
            runs.requeue_ended(session, run.run_id, name="reconnected")
            taken = str(run.run_id)
    return taken


def _insert_if_missing(session: Session, domain: str, *, now: datetime) -> bool:
    insert: Any = sqlite.insert
    if session.get_bind().dialect.name == "postgresql":
        insert = postgresql.insert
    made = session.execute(
        insert(STORE)
        .values(
            store_id=new_store_id(),
            domain=domain,
            name=name_from_domain(domain),
            installed_at=now,
            **_UNREAD,
        )
        .on_conflict_do_nothing(index_elements=["domain"])
        .returning(STORE.c.store_id)
    ).first()
    return made is not None


# Core inserts know no defaults of the mapped class.
_UNREAD: Final = {
    "timezone": "UTC",
    "plan": "",
    "taxes_included": False,
    "scopes": "",
    "epoch": 1,
    "read_no": 0,
    "history_done": False,
    "orders_since": "all",
    "reads_customers": True,
    "customers_unread": False,
}


def _store(session: Session, where: sa.ColumnElement[bool]) -> Store | None:
    row = session.execute(sa.select(STORE).where(where)).first()
    if row is None:
        return None
    grant = grants.find(session, row.store_id)
    return Store(
        store_id=row.store_id,
        domain=row.domain,
        name=row.name,
        shop_id=row.shop_id,
        scopes=frozenset(part for part in row.scopes.split(",") if part),
        epoch=row.epoch,
        uninstalled_at=row.uninstalled_at,
        needs_reconnect=grant is None or grant.is_dead,
    )
