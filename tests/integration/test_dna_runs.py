"""The portrait as a part of a sync: made, kept under the run's own right, the same on any road."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, timedelta
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from brandmind.clock import utc_now
from brandmind.db import facts, portraits, runs, upserts
from brandmind.db.ledger import SqlLedger
from brandmind.db.session import Database
from brandmind.db.tables import DNA_RUN, STAGE, STORE
from brandmind.errors import Fenced, PortraitFailed
from brandmind.services import dna, portrait_process
from brandmind.sync.engine import Engine, Outcome
from brandmind.sync.stages import Stage, StageState
from tests.memory_shop import SHOP_NOW, MemoryShop
from tests.records import a_customer, an_order

STORE_ID = "a11ce00000"


class Deaf:
    """An announcer that tells nobody."""

    def changed(self) -> None:
        return None


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await database.write(_insert_store, STORE_ID)
    yield database
    database.close()


def _insert_store(session: Any, store_id: str) -> None:
    session.execute(
        sa.insert(STORE).values(
            store_id=store_id,
            domain=f"{store_id}.myshopify.com",
            name="Harbor & Pine",
            timezone="UTC",
            plan="",
            taxes_included=False,
            scopes="read_orders,read_all_orders",
            epoch=1,
            read_no=0,
            history_done=False,
            installed_at=utc_now(),
        )
    )


async def _slice(db: Database, shop: MemoryShop) -> bool:
    claim = await db.write(runs.claim_next, owner="one", oldest_first=False)
    if claim is None:
        return False
    ledger = SqlLedger(db, claim)
    shop.take_read_no = ledger.take_read_no
    rt: Any = SimpleNamespace(db=db, settings=SimpleNamespace(database_url=""))
    engine = Engine(
        source=shop, ledger=ledger, announcer=Deaf(), portray=lambda: dna.portray(rt, ledger)
    )
    if await engine.run() is Outcome.DONE:
        await db.write(runs.finish, claim)
    else:
        await db.write(runs.set_down, claim, name="yielded")
    return True


async def _sync(db: Database, shop: MemoryShop, store_id: str = STORE_ID) -> None:
    await db.write(lambda session: runs.insert_first_run(session, store_id, epoch=1))
    while await _slice(db, shop):
        pass


async def test_a_sync_ends_with_a_portrait_of_everything_it_read(db: Database) -> None:
    await _sync(db, MemoryShop(orders=400, page=50))
    found = await dna.store_dna(SimpleNamespace(db=db), STORE_ID)  # type: ignore[arg-type]
    assert found is not None
    # The shop's clock in its own zone: the day under way does not count.
    assert found.as_of == (SHOP_NOW - timedelta(hours=5)).date()
    # An order a day, the newest of the day before yesterday: 364 in the 365 days.
    strands = {strand["key"]: strand for strand in found.portrait["strands"]}
    assert strands["discount"]["score"] == 0
    assert strands["basket"]["n"] == 364
    assert found.tables["cohorts"][0]["size"] == 1
    assert sum(map(sum, found.tables["hours"])) == 364


async def test_however_a_sync_is_cut_into_pages_the_portrait_is_the_same(db: Database) -> None:
    told = []
    for number, page in enumerate((50, 7)):
        store_id = f"b0b{number}000000"
        await db.write(_insert_store, store_id)
        shop = MemoryShop(orders=300, page=page)
        await _sync(db, shop, store_id)
        newest = await db.read(portraits.latest, store_id)
        assert newest is not None
        told.append((newest.portrait, newest.tables, newest.as_of))
    assert told[0] == told[1]


async def test_the_portrait_at_the_end_of_the_older_orders_knows_that_they_are_whole(
    db: Database,
) -> None:
    await _sync(db, MemoryShop(orders=800, page=100))
    newest = await db.read(portraits.latest, STORE_ID)
    assert newest is not None
    # Nothing has changed since: a portrait made now says the very same.
    loaded = await db.read(facts.load, STORE_ID, as_of=newest.as_of)
    assert loaded.facts.whole
    again = dna.made(loaded, {})
    assert orjson.loads(again.portrait_json) == newest.portrait
    assert orjson.loads(again.tables_json) == newest.tables


async def test_recent_orders_have_a_portrait_before_the_older_ones_are_read(db: Database) -> None:
    await _sync(db, MemoryShop(orders=400, page=50))
    rows = await db.read(lambda session: session.execute(sa.select(DNA_RUN)).all())
    # One of the front run, one of the background reading, on the same day.
    assert [row.number for row in rows] == [1, 2]
    assert len({row.as_of for row in rows}) == 1
    assert len(await db.read(portraits.history, STORE_ID)) == 1


async def test_whoever_lost_the_run_keeps_no_portrait(db: Database) -> None:
    await db.write(lambda session: runs.insert_first_run(session, STORE_ID, epoch=1))
    claim = await db.write(runs.claim_next, owner="one", oldest_first=False)
    assert claim is not None
    await db.write(
        lambda session: session.execute(
            sa.update(STORE).where(STORE.c.store_id == STORE_ID).values(epoch=2)
        )
    )
    rt: Any = SimpleNamespace(db=db, settings=SimpleNamespace(database_url=""))
    with pytest.raises(Fenced):
        await dna.portray(rt, SqlLedger(db, claim))
    assert await db.read(portraits.latest, STORE_ID) is None


async def test_what_a_run_could_read_in_part_only_is_said(db: Database) -> None:
    shop = MemoryShop()
    await db.write(lambda session: runs.insert_first_run(session, STORE_ID, epoch=1))
    while await _slice(db, shop):
        pass
    run_id = await db.read(lambda session: session.scalar(sa.select(DNA_RUN.c.run_id)))
    assert run_id is not None
    await db.write(
        lambda session: session.execute(
            sa.update(STAGE)
            .where(STAGE.c.run_id == run_id, STAGE.c.stage.in_([Stage.ORDERS, Stage.HISTORY]))
            .values(state=StageState.GAP.value)
        )
    )
    as_of = await db.read(facts.as_of, STORE_ID, run_id=run_id)
    found = await db.read(facts.load, STORE_ID, as_of=as_of, run_id=run_id)
    assert found.facts.partly == {"orders"}


async def test_a_great_store_is_portrayed_in_a_process_of_its_own_and_just_the_same(
    db: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _sync(db, MemoryShop(orders=400, page=50))
    told = await db.read(portraits.latest, STORE_ID)
    assert told is not None
    run_id = await db.read(
        lambda session: session.scalar(
            sa.select(DNA_RUN.c.run_id).order_by(DNA_RUN.c.number.desc())
        )
    )
    drawn = await portrait_process.draw(
        database_url, STORE_ID, as_of=told.as_of, run_id=str(run_id), before={}
    )
    loaded = await db.read(facts.load, STORE_ID, as_of=told.as_of, run_id=str(run_id))
    assert drawn == dna.made(loaded, {})

    asked = []

    async def elsewhere(*_: Any, **told: Any) -> portraits.Portrait:
        asked.append(told)
        return drawn

    monkeypatch.setattr(dna, "GREAT_ORDERS", 400)
    monkeypatch.setattr(portrait_process, "draw", elsewhere)
    await _sync(db, MemoryShop(orders=400, page=50))
    assert asked


def _bought(session: Any, store_id: str, orders: list[tuple[int, int, Any]]) -> None:
    """Orders of customers at moments, landed as a sync lands them: (id, customer, at)."""
    records = [an_order(gid, at=at, customer_id=customer) for gid, customer, at in orders]
    people = [a_customer(gid)._replace(number_of_orders=9) for gid in {one[1] for one in orders}]
    for stage, found in ((Stage.ORDERS, records), (Stage.CUSTOMERS, people)):
        upserts.land(
            session, store_id, stage=stage, records=found, read_no=1, first_read_no=1, tz=UTC
        )
    session.execute(sa.update(STORE).values(currency="USD", history_done=True))


async def test_where_it_can_be_foretold_the_portrait_is_made_elsewhere_and_tells_it(
    db: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice, orders = random.Random(4), []
    for customer in range(1, 561):
        ago, rate = dice.uniform(20, 600), dice.gammavariate(0.8, 1 / 84)
        leaves, left = dice.betavariate(0.6, 2.5), 0.0
        while ago > 1 and dice.random() >= left:
            orders.append((len(orders) + 1, customer, SHOP_NOW - timedelta(days=ago)))
            left = leaves if len(orders) > 1 and orders[-2][1] == customer else 0.0
            ago -= dice.expovariate(rate)
    await db.write(_bought, STORE_ID, orders)
    customers, repeaters = await db.read(facts.buyers, STORE_ID)
    assert customers == 560
    assert 100 < repeaters < 560
    assert await db.read(facts.buyers, "nobody") == (0, 0)

    await db.write(lambda session: runs.insert_first_run(session, STORE_ID, epoch=1))
    claim = await db.write(runs.claim_next, owner="one", oldest_first=False)
    assert claim is not None
    rt: Any = SimpleNamespace(db=db, settings=SimpleNamespace(database_url=database_url))
    await db.write(lambda session: session.execute(sa.update(STORE).values(synced_until=SHOP_NOW)))
    await dna.portray(rt, SqlLedger(db, claim))
    newest = await db.read(portraits.latest, STORE_ID)
    assert newest is not None
    told = newest.tables["predicted"]
    days = Counter(customer for customer, _ in {(one, at.date()) for _, one, at in orders})
    again = sum(count > 1 for count in days.values())
    assert (told["reason"], told["customers"], told["repeaters"]) == (None, customers, again)
    assert told["purchases"]["r"] > 0
    assert told["expected_orders"] > 10
    # Here, where nothing was to be loaded, it ends at the gate.
    loaded = await db.read(facts.load, STORE_ID, as_of=newest.as_of, run_id=claim.run_id)
    here = orjson.loads(dna.made(loaded, {}).tables_json)["predicted"]
    assert (here["reason"], here["customers"]) == ("not_installed", customers)

    # Without the extra nothing is started elsewhere.
    async def never(*_: Any, **__: Any) -> portraits.Portrait:
        raise AssertionError("asked for")

    monkeypatch.setattr(portrait_process, "draw", never)
    monkeypatch.setattr(dna.predict, "find_spec", lambda name: None)
    await dna.portray(rt, SqlLedger(db, claim))
    newest = await db.read(portraits.latest, STORE_ID)
    assert newest is not None
    assert newest.tables["predicted"]["reason"] == "not_installed"


async def test_a_portrait_that_cannot_be_made_elsewhere_is_an_error_of_the_run(
    database_url: str,
) -> None:
    with pytest.raises(PortraitFailed):
        await portrait_process.draw(
            database_url, "nobody", as_of=SHOP_NOW.date(), run_id="none", before={}
        )
