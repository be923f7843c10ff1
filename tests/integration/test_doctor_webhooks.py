"""What the self-check says of the webhooks of the stores that are connected."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from brandmind.db.session import Database
from brandmind.db.tables import LIVE, STORE
from brandmind.launch.doctor import Check, examine
from tests.factories import INSTALLED, make_store

NOTE = "Shopify refused them."


@pytest.fixture
def db(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setenv("BRANDMIND_DATABASE_URL", database_url)
    monkeypatch.setenv("BRANDMIND_DATA_DIR", str(tmp_path))
    return Database(database_url)


def _lacks(session: Session, name: str, topics: str, note: str) -> None:
    store_id = make_store(session, name)
    session.flush()
    session.execute(sa.delete(LIVE).where(LIVE.c.store_id == store_id))
    session.execute(sa.insert(LIVE).values(store_id=store_id, missing=topics, note=note))


def _found() -> Check:
    (check,) = [one for one in examine() if one.name == "webhooks"]
    return check


def test_the_doctor_names_a_store_that_lacks_webhooks_which_and_why(db: Database) -> None:
    db.write_now(_lacks, "alice", "", "")
    assert _found() == Check("webhooks", ok=True, said="every store that is connected has its own")
    db.write_now(_lacks, "lemon-works", "orders/create,customers/merge", NOTE)
    lemon = "lemon-works.myshopify.com lacks orders/create, customers/merge"
    assert _found() == Check("webhooks", ok=False, said=f"{lemon}. {NOTE}")
    db.write_now(_lacks, "zebra", "orders/create", "")
    db.write_now(_lacks, "yellow", "orders/create", "")
    assert _found().said == f"{lemon} (and 2 more stores). {NOTE}"
    # One that has left needs none.
    gone = sa.update(STORE).where(STORE.c.store_id == "lemon-works-id")
    db.write_now(lambda session: session.execute(gone.values(uninstalled_at=INSTALLED)))
    last = "yellow.myshopify.com lacks orders/create (and 1 more store)."
    assert _found() == Check("webhooks", ok=False, said=last)
    db.close()
