"""What a shop deleted is gone whole, stays gone, and comes back only if the shop shows it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from brandmind.commerce.shop import zone
from brandmind.db import burials, rollups, upserts
from brandmind.db.session import Database
from brandmind.db.tables import (
    CUSTOMER,
    DAILY_SALES,
    DIRTY_DAY,
    LINE,
    ORDER,
    PRODUCT,
    PRODUCT_SALES,
    SALE,
    TOMBSTONE,
    VARIANT,
)
from brandmind.sync.stages import Stage
from tests.factories import (
    Change,
    Item,
    make_customer,
    make_order,
    make_product,
    make_store,
    utc,
)


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    db = Database(database_url)
    yield db
    db.close()


def _count(session: Any, table: sa.Table) -> int:
    return int(session.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def _land(session: Any, store_id: str, record: Any) -> int:
    return upserts.land(
        session,
        store_id,
        stage=Stage.ORDERS,
        records=[record],
        read_no=99,
        first_read_no=1,
        tz=zone("UTC"),
    ).accepted


def test_a_buried_order_takes_its_lines_and_its_money_with_it(db: Database) -> None:
    def act(session: Any) -> None:
        store = make_store(session)
        make_order(
            session, store, 1, utc("2026-10-01 12:00"),
            changes=[Change(utc("2026-10-09 12:00"), -1_000, quantity=-1)],
        )  # fmt: skip
        make_order(session, store, 2, utc("2026-10-02 12:00"))
        rollups.recount_dirty(session, store)
        assert _count(session, DIRTY_DAY) == 0
        assert burials.bury(session, store, "orders", [1], "deleted") == 1
        # The day of the order and the day of its return.
        assert sorted(session.scalars(sa.select(DIRTY_DAY.c.day))) == ["2026-10-01", "2026-10-09"]
        rollups.recount_dirty(session, store)
        assert [_count(session, table) for table in (ORDER, LINE, SALE)] == [1, 1, 1]
        assert list(session.scalars(sa.select(DAILY_SALES.c.day))) == ["2026-10-02"]

    db.write_now(act)


def test_a_buried_product_and_customer_are_gone_with_what_is_theirs(db: Database) -> None:
    def act(session: Any) -> None:
        store = make_store(session)
        make_product(session, store, 7, prices_minor=(100, 200))
        make_customer(session, store, 8, number_of_orders=1)
        assert burials.bury(session, store, "products", [7], "deleted") == 1
        assert burials.bury(session, store, "customers", [8, 9], "redacted") == 1
        assert [_count(session, table) for table in (PRODUCT, VARIANT, CUSTOMER)] == [0, 0, 0]
        assert burials.buried(session, store, "customers") == {8, 9}

    db.write_now(act)


def test_lines_of_a_removed_product_go_by_their_title(db: Database) -> None:
    def act(session: Any) -> None:
        store = make_store(session)
        make_product(session, store, 1)
        make_order(session, store, 5, utc("2026-10-01 12:00"), [Item(900, title="Beanie")])
        rollups.recount_dirty(session, store)
        burials.bury(session, store, "products", [1], "deleted")
        rollups.recount_dirty(session, store)
        assert session.execute(sa.select(LINE.c.product_id, LINE.c.variant_id)).all() == [
            (None, None)
        ]
        sold = session.execute(
            sa.select(PRODUCT_SALES.c.product_id, PRODUCT_SALES.c.title, PRODUCT_SALES.c.sold_minor)
        ).all()
        assert sold == [(0, "Beanie", 900)]

    db.write_now(act)


def test_a_late_page_does_not_bring_back_what_is_buried(db: Database) -> None:
    def act(session: Any) -> None:
        store = make_store(session)
        order = make_order(session, store, 1, utc("2026-10-01 12:00"))
        burials.bury(session, store, "orders", [1], "deleted")
        late = order._replace(updated_at=order.updated_at + timedelta(days=1))
        assert _land(session, store, late) == 0
        assert burials.lift(session, store, "orders", [1, 2]) == [1]
        assert _land(session, store, late) == 1

    db.write_now(act)


def test_a_redaction_is_never_lifted_nor_forgotten(db: Database) -> None:
    def act(session: Any) -> None:
        store = make_store(session)
        burials.bury(session, store, "customers", [1, 2], "deleted")
        burials.bury(session, store, "customers", [1], "redacted")
        burials.bury(session, store, "customers", [1], "deleted")
        assert burials.lift(session, store, "customers", [1, 2]) == [2]
        assert burials.buried(session, store, "customers", reason="redacted") == {1}

    db.write_now(act)


def test_burying_touches_no_other_store(db: Database) -> None:
    def act(session: Any) -> None:
        alice, bob = make_store(session, "alice"), make_store(session, "bob")
        for store in (alice, bob):
            make_order(session, store, 1, utc("2026-10-01 12:00"))
        burials.bury(session, alice, "orders", [1], "deleted")
        left = session.execute(sa.select(ORDER.c.store_id)).scalars().all()
        assert left == [bob]
        assert session.execute(sa.select(TOMBSTONE.c.store_id)).scalars().all() == [alice]
        assert burials.lift(session, bob, "orders", [1]) == []

    db.write_now(act)
