"""What deliveries do to the tables: the shop's own answer lands, whatever a delivery said."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from brandmind.commerce.records import OrderRecord, Record
from brandmind.commerce.shop import ShopFacts, zone
from brandmind.db import facts, inbox, portraits, refetched, rollups, runs, snapshot, upserts
from brandmind.db.models import METADATA
from brandmind.db.tables import INBOX, LIVE, ORDER, STAGE, STORE, TOMBSTONE
from brandmind.errors import AccessRefused, ShopifyUnavailable, TokenRevoked
from brandmind.services import deliveries, dna, report
from brandmind.services.deliveries import Keeper
from brandmind.shopify.source import Found
from brandmind.sync.deliveries import Act, Delivery
from brandmind.sync.stages import Stage
from tests import shop_words
from tests.factories import make_customer, make_order, make_product, make_store, utc
from tests.identity_world import HARBOR, World, open_world
from tests.memory_shop import MemoryShop
from tests.records import NOON, a_customer, a_product, an_order

STORE_ID = "harbor-and-pine-id"


@dataclass
class Shop:
    """The shop's truth, by id; answers questions and remembers them."""

    records: dict[Stage, dict[int, Record]] = field(
        default_factory=lambda: {Stage.ORDERS: {}, Stage.PRODUCTS: {}, Stage.CUSTOMERS: {}}
    )
    asked: list[tuple[Stage, tuple[int, ...]]] = field(default_factory=list)
    poison: set[int] = field(default_factory=set)
    error: Exception | None = None
    facts: ShopFacts = field(default_factory=lambda: MemoryShop().facts)

    def put(self, stage: Stage, *records: Record) -> None:
        for record in records:
            self.records[stage][record.shopify_id] = record

    async def by_ids(self, stage: Stage, ids: list[int]) -> Found:
        self.asked.append((stage, tuple(ids)))
        if self.error is not None:
            raise self.error
        if self.poison & set(ids):
            raise ZeroDivisionError("a bug of ours")
        known = self.records[stage]
        return Found(
            tuple(known[one] for one in ids if one in known),
            tuple(one for one in ids if one not in known),
            (),
            (),
        )

    async def shop(self) -> ShopFacts:
        if self.error is not None:
            raise self.error
        return self.facts


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with open_world(database_url) as opened:
        scopes = "read_all_orders,read_customers,read_orders,read_products"
        await opened.rt.db.write(make_store, "harbor-and-pine", timezone="UTC", scopes=scopes)
        yield opened


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    made = Shop()
    monkeypatch.setattr(deliveries, "source_of", lambda _rt, _turn: made)
    return made


_NUMBER = iter(range(1, 10**9))


def delivery(topic: str, shopify_id: int | None, **more: Any) -> Delivery:
    stage = {"orders": Stage.ORDERS, "refunds": Stage.ORDERS, "products": Stage.PRODUCTS,
             "customers": Stage.CUSTOMERS}.get(topic.split("/")[0])  # fmt: skip
    act = Act.CONFIRM_GONE if topic.endswith("/delete") else Act.REFETCH
    made = Delivery(HARBOR, f"w-{next(_NUMBER)}", topic, act, stage, shopify_id)
    return made._replace(**more)


async def _take(world: World, *said: Delivery) -> None:
    assert all(await world.rt.db.write(inbox.take, said))


async def _later(world: World) -> None:
    """As if what was put off were due now."""
    await world.rt.db.write(lambda s: s.execute(sa.update(INBOX).values(due_at=utc("2020-01-01"))))


async def _rows(world: World, table: sa.Table, *columns: Any) -> list[Any]:
    return await world.rt.db.read(lambda s: s.execute(sa.select(*(columns or (table,)))).all())


async def _waiting(world: World) -> list[tuple[str, str]]:
    """What waits, the buyers of orders that changed apart."""
    return [
        (row.topic, row.note)
        for row in await _rows(world, INBOX)
        if row.done_at is None and row.aside_at is None
        if not row.webhook_id.startswith("buyers:")
    ]


async def test_an_order_that_a_delivery_names_is_fetched_and_counted(
    world: World, shop: Shop
) -> None:
    shop.put(Stage.ORDERS, an_order(7, at=NOON, net_minor=5_000))
    before = await world.rt.db.read(snapshot.progress, STORE_ID)
    await _take(world, delivery("orders/create", 7))
    assert await deliveries.work(world.rt) == 1
    assert [row.shopify_id for row in await _rows(world, ORDER)] == [7]
    (day,) = await _rows(world, METADATA.tables["daily_sales"])
    assert (day.day, day.orders, day.net_minor) == ("2026-11-01", 1, 5_000)
    after = await world.rt.db.read(snapshot.progress, STORE_ID)
    assert after.seq > before.seq
    assert after.changed_at is not None
    assert await _waiting(world) == []


async def test_deliveries_of_one_record_ask_for_it_once(world: World, shop: Shop) -> None:
    shop.put(Stage.ORDERS, *(an_order(one, at=NOON) for one in (7, 8)))
    topics = ("orders/create", "orders/updated", "orders/updated", "refunds/create")
    await _take(world, *(delivery(topic, one) for one in (7, 8) for topic in topics))
    await deliveries.work(world.rt)
    assert shop.asked == [(Stage.ORDERS, (7, 8))]


async def test_a_late_or_doubled_delivery_changes_nothing(world: World, shop: Shop) -> None:
    shop.put(Stage.ORDERS, an_order(7, at=NOON, net_minor=9_000, updated_at=NOON))
    await _take(world, delivery("orders/updated", 7))
    await deliveries.work(world.rt)
    before = await _rows(world, ORDER)
    seq = await world.rt.db.read(inbox.seq_of, STORE_ID)
    # The shop's copy that answers is an older one.
    shop.put(Stage.ORDERS, an_order(7, at=NOON, net_minor=1, updated_at=NOON - timedelta(days=1)))
    await _take(world, delivery("orders/create", 7), delivery("orders/updated", 7))
    await deliveries.work(world.rt)
    assert await _rows(world, ORDER) == before
    assert await world.rt.db.read(inbox.seq_of, STORE_ID) == seq


# An uninstall is confirmed by other questions, which test_privacy asks.
_EVERY_TOPIC = (
    "orders/create orders/updated orders/delete products/create products/update products/delete "
    "customers/create customers/update customers/delete customers/merge refunds/create "
    "bulk_operations/finish app/scopes_update customers/data_request customers/redact shop/redact "
    "themes/publish"
).split()


async def test_a_signed_body_sent_again_under_any_topic_or_shop_changes_nothing(
    world: World, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Headers are not signed: whoever has one delivery can send it with all others' names."""
    db = world.rt.db
    await db.write(make_store, "lemon-works", timezone="UTC", scopes="read_orders")
    lemon = Shop()
    monkeypatch.setattr(
        deliveries, "source_of", lambda _rt, turn: shop if turn.store_id == STORE_ID else lemon
    )
    shop.put(Stage.ORDERS, an_order(7, at=NOON))
    shop.put(Stage.PRODUCTS, a_product(7))
    shop.put(Stage.CUSTOMERS, a_customer(7))
    for topic in ("orders/create", "products/create", "customers/create"):
        await _take(world, delivery(topic, 7))
    await deliveries.work(world.rt)
    tables = [METADATA.tables[name] for name in ("shop_order", "product", "customer")]

    async def held() -> list[Any]:
        return [
            # Which of our questions was the last to bring a record may change.
            *[
                await _rows(world, table, *(at for at in table.c if at.name != "read_no"))
                for table in tables
            ],
            # That the other shop has none of these is noted there, since it said so.
            [row for row in await _rows(world, TOMBSTONE) if row.store_id == STORE_ID],
            await _rows(world, STORE, STORE.c.store_id, STORE.c.uninstalled_at, STORE.c.epoch),
        ]

    before = await held()
    assert [len(rows) for rows in before] == [1, 1, 1, 0, 2]
    raw = shop_words.body({"id": 7, "admin_graphql_api_id": "gid://shopify/Order/7"})
    async with world.browser() as http:
        for topic in _EVERY_TOPIC:
            for domain in (HARBOR, "lemon-works.myshopify.com", "nobody.myshopify.com"):
                headers = shop_words.headers(raw, topic, shop=domain)
                answer = await http.post(shop_words.PATH, content=raw, headers=headers)
                assert answer.status_code == 200, topic
    for _ in range(8):
        await deliveries.work(world.rt)
        await _later(world)
    assert await held() == before


async def test_a_deletion_is_confirmed_before_it_is_believed(world: World, shop: Shop) -> None:
    await world.rt.db.write(make_order, STORE_ID, 7, NOON)
    await world.rt.db.write(make_order, STORE_ID, 8, NOON)
    shop.put(Stage.ORDERS, an_order(8, at=NOON))
    await _take(world, delivery("orders/delete", 7), delivery("orders/delete", 8))
    await deliveries.work(world.rt)
    assert [row.shopify_id for row in await _rows(world, ORDER)] == [8]
    assert [row.shopify_id for row in await _rows(world, TOMBSTONE)] == [7]
    # The other one may be about to go: the shop's copies need a moment. It is asked again.
    assert [topic for topic, _ in await _waiting(world)] == ["orders/delete"]
    for _ in range(5):
        await _later(world)
        await deliveries.work(world.rt)
    assert await _waiting(world) == []
    assert [row.shopify_id for row in await _rows(world, ORDER)] == [8]


async def test_a_delivery_faster_than_the_shop_itself_buries_nothing(
    world: World, shop: Shop
) -> None:
    await _take(world, delivery("orders/create", 7))
    await deliveries.work(world.rt)
    assert await _rows(world, TOMBSTONE) == []
    shop.put(Stage.ORDERS, an_order(7, at=NOON))
    await _later(world)
    await deliveries.work(world.rt)
    assert [row.shopify_id for row in await _rows(world, ORDER)] == [7]
    assert await _waiting(world) == []


async def test_what_is_missing_for_long_is_gone_though_nobody_said_so(
    world: World, shop: Shop
) -> None:
    await world.rt.db.write(make_product, STORE_ID, 3)
    await _take(world, delivery("products/update", 3), delivery("products/update", 4))
    for _ in range(4):
        await deliveries.work(world.rt)
        await _later(world)
    assert await _rows(world, METADATA.tables["product"]) == []
    # Of what was never there no tombstone is made.
    assert [row.shopify_id for row in await _rows(world, TOMBSTONE)] == [3]
    assert await _waiting(world) == []


async def test_an_old_order_that_the_shop_no_longer_shows_is_not_taken_for_deleted(
    world: World, shop: Shop
) -> None:
    await world.sql("UPDATE store SET scopes = 'read_orders'")
    await world.rt.db.write(make_order, STORE_ID, 7, utc("2025-01-01"))
    await _take(world, delivery("orders/delete", 7))
    for _ in range(5):
        await deliveries.work(world.rt)
        await _later(world)
    assert [row.shopify_id for row in await _rows(world, ORDER)] == [7]
    assert await _waiting(world) == []


async def test_a_merge_moves_the_orders_and_removes_the_customer(world: World, shop: Shop) -> None:
    for one in (5, 6):
        await world.rt.db.write(make_customer, STORE_ID, one, number_of_orders=1)
    await world.rt.db.write(make_order, STORE_ID, 7, NOON, customer_id=6)
    shop.put(Stage.CUSTOMERS, a_customer(5)._replace(number_of_orders=2))
    later = NOON + timedelta(days=1)
    shop.put(Stage.ORDERS, an_order(7, at=NOON, customer_id=5, updated_at=later))
    merge = delivery("customers/merge", 5, act=Act.MERGE, others=(6,))
    await _take(world, merge)
    await deliveries.work(world.rt)
    customers = await _rows(world, METADATA.tables["customer"])
    assert [row.shopify_id for row in customers] == [5]
    assert [row.customer_id for row in await _rows(world, ORDER)] == [5]
    assert await _waiting(world) == []


async def test_a_poisoned_record_goes_aside_alone_and_comes_back_when_asked(
    world: World, shop: Shop
) -> None:
    shop.put(Stage.ORDERS, *(an_order(one, at=NOON) for one in range(1, 41)))
    shop.poison = {13}
    await _take(world, *(delivery("orders/create", one) for one in range(1, 41)))
    for _ in range(inbox.TRIES):
        await deliveries.work(world.rt)
        await _later(world)
    assert len(await _rows(world, ORDER)) == 39
    standing = await world.rt.db.read(inbox.standing, STORE_ID)
    assert (standing.waiting, standing.aside) == (0, 1)
    (lies,) = await world.rt.db.read(inbox.aside, STORE_ID)
    assert (lies.shopify_id, lies.note) == (13, "ZeroDivisionError")
    shop.poison = set()
    assert await world.rt.db.write(inbox.replay, STORE_ID) == 1
    await deliveries.work(world.rt)
    assert len(await _rows(world, ORDER)) == 40


async def test_a_shop_that_is_away_costs_no_tries(world: World, shop: Shop) -> None:
    shop.put(Stage.ORDERS, an_order(7, at=NOON))
    await _take(world, delivery("orders/create", 7))
    for error in (ShopifyUnavailable(), TokenRevoked()) * 6:
        shop.error = error
        await deliveries.work(world.rt)
        await _later(world)
    (row,) = await _rows(world, INBOX)
    assert (row.tries, row.done_at, row.aside_at) == (0, None, None)
    shop.error = None
    await deliveries.work(world.rt)
    assert len(await _rows(world, ORDER)) == 1


async def test_what_the_shop_does_not_show_is_let_be(world: World, shop: Shop) -> None:
    shop.error = AccessRefused()
    await _take(world, delivery("customers/update", 5), delivery("customers/update", 6))
    await deliveries.work(world.rt)
    assert await _waiting(world) == []


async def test_a_paused_store_accepts_and_waits(world: World, shop: Shop) -> None:
    shop.put(Stage.ORDERS, an_order(7, at=NOON))
    await world.sql("UPDATE store SET paused_at = installed_at")
    await _take(world, delivery("orders/create", 7))
    assert await deliveries.work(world.rt) == 0
    assert shop.asked == []
    await world.sql("UPDATE store SET paused_at = NULL")
    assert await deliveries.work(world.rt) == 1
    assert len(await _rows(world, ORDER)) == 1


async def test_nothing_is_written_for_an_installation_that_is_over(
    world: World, shop: Shop
) -> None:
    shop.put(Stage.ORDERS, an_order(7, at=NOON))
    await _take(world, delivery("orders/create", 7))
    await world.sql("UPDATE store SET epoch = epoch + 1")
    await deliveries.work(world.rt)
    assert shop.asked == []
    await _take(world, delivery("orders/updated", 7))

    async def leave(stage: Stage, ids: list[int]) -> Found:
        await world.sql("UPDATE store SET epoch = epoch + 1")
        return await Shop.by_ids(shop, stage, ids)

    shop.by_ids = leave  # type: ignore[method-assign]
    await deliveries.work(world.rt)
    assert await _rows(world, ORDER) == []


async def test_a_store_whose_worker_died_is_taken_up_by_another(world: World, shop: Shop) -> None:
    shop.put(Stage.ORDERS, an_order(7, at=NOON))
    await _take(world, delivery("orders/create", 7))
    dead = await world.rt.db.write(inbox.begin, STORE_ID, owner="another")
    assert dead is not None
    assert await deliveries.work(world.rt) == 0
    keeper = Keeper(world.rt, lease_s=0.0)
    await keeper.look()
    assert await deliveries.work(world.rt) == 1
    assert len(await _rows(world, ORDER)) == 1
    # Who seemed dead comes back with his answer: nothing is undone.
    await world.rt.db.write(inbox.give_back, dead)


async def test_a_change_nobody_was_told_of_is_told_by_the_next_look(
    world: World, shop: Shop
) -> None:
    shop.put(Stage.ORDERS, an_order(7, at=NOON))
    await _take(world, delivery("orders/create", 7))
    told: list[str] = []

    class Deaf:
        hears = False

        async def progress(self, progress: Any) -> bool:
            if self.hears:
                told.append(progress.store_id)
            return self.hears

        async def session_ended(self, _session_id: str) -> bool:
            return True

    world.rt.signals = deaf = Deaf()
    await deliveries.work(world.rt)
    assert told == []
    deaf.hears = True
    await Keeper(world.rt).look()
    assert told == [STORE_ID]
    await Keeper(world.rt).look()
    assert told == [STORE_ID]


async def test_a_reading_under_way_counts_what_a_delivery_brought_before_it(
    world: World, shop: Shop
) -> None:
    def first_run(session: Session) -> Any:
        runs.insert_first_run(session, STORE_ID, epoch=1)
        claim = runs.claim_next(session, owner="one", oldest_first=False)
        assert claim is not None
        session.execute(
            sa.update(STAGE)
            .where(STAGE.c.stage == "orders")
            .values(created_before=NOON, created_from=NOON - timedelta(days=183), state="running")
        )
        return claim

    await world.rt.db.write(first_run)
    inside, outside = an_order(7, at=NOON - timedelta(hours=1)), an_order(8, at=NOON)
    outside = outside._replace(created_at=NOON + timedelta(hours=1))
    shop.put(Stage.ORDERS, inside, outside)
    await _take(world, *(delivery("orders/updated", one) for one in (7, 8, 7)))
    await deliveries.work(world.rt)
    done = {row.stage: row.done for row in await _rows(world, STAGE)}
    assert done["orders"] == 1


async def test_the_buyer_of_a_new_order_is_fetched_again_as_well(world: World, shop: Shop) -> None:
    await world.rt.db.write(make_customer, STORE_ID, 5, number_of_orders=1)
    shop.put(Stage.ORDERS, *(an_order(one, at=NOON, customer_id=5) for one in (7, 8)))
    later = NOON + timedelta(hours=1)
    shop.put(Stage.CUSTOMERS, a_customer(5)._replace(number_of_orders=3, updated_at=later))
    await _take(world, delivery("orders/create", 7), delivery("orders/create", 8))
    await deliveries.work(world.rt)
    await _later(world)
    await deliveries.work(world.rt)
    assert shop.asked == [(Stage.ORDERS, (7, 8)), (Stage.CUSTOMERS, (5,))]
    (customer,) = await _rows(world, METADATA.tables["customer"])
    assert customer.number_of_orders == 3
    # An order that tells nothing new asks for nobody.
    await _take(world, delivery("orders/updated", 7))
    await deliveries.work(world.rt)
    await _later(world)
    assert await deliveries.work(world.rt) == 0


async def test_what_the_merchant_does_not_want_read_is_not_fetched(
    world: World, shop: Shop
) -> None:
    await world.sql("UPDATE store SET reads_customers = false, orders_since = '12m'")
    await world.rt.db.write(make_customer, STORE_ID, 6, number_of_orders=1)
    old = utc("2020-01-01")
    shop.put(Stage.ORDERS, an_order(7, at=old), an_order(8, at=utc("2098-01-01")))
    shop.put(Stage.CUSTOMERS, a_customer(5))
    await _take(
        world,
        *(delivery("orders/updated", one) for one in (7, 8)),
        delivery("customers/update", 5),
        # What is stored and gone at the shop goes here too.
        delivery("customers/delete", 6),
    )
    await deliveries.work(world.rt)
    assert [row.shopify_id for row in await _rows(world, ORDER)] == [8]
    assert shop.asked == [(Stage.ORDERS, (7, 8)), (Stage.CUSTOMERS, (6,))]
    assert await _rows(world, METADATA.tables["customer"]) == []
    assert [row.note for row in await _rows(world, INBOX) if row.shopify_id == 5] == [
        "customers are not read"
    ]


async def test_scopes_are_asked_of_the_shop_and_not_believed(world: World, shop: Shop) -> None:
    await _take(world, delivery("app/scopes_update", None, act=Act.SCOPES, stage=None))
    await deliveries.work(world.rt)
    (row,) = await _rows(world, STORE)
    assert row.scopes == ",".join(sorted(shop.facts.scopes))


async def test_a_finished_bulk_operation_wakes_the_run_that_waits_for_it(
    world: World, shop: Shop
) -> None:
    def waits(session: Session) -> str:
        run_id = runs.insert_first_run(session, STORE_ID, epoch=1)
        claim = runs.claim_next(session, owner="one", oldest_first=False)
        assert claim is not None
        runs.set_down(session, claim, name="waiting", delay_s=600, waiting="bulk")
        return run_id

    run_id = await world.rt.db.write(waits)
    done = delivery("bulk_operations/finish", 72, act=Act.BULK, stage=None)
    await _take(world, done)
    await deliveries.work(world.rt)
    assert world.bell.rung == [run_id]
    claim = await world.rt.db.write(runs.claim_next, owner="two", oldest_first=False)
    assert claim is not None


async def test_one_store_sees_nothing_of_another(world: World, shop: Shop) -> None:
    """Each query of the inbox, asked for a store, touches that store alone."""
    db = world.rt.db
    await db.write(make_store, "lemon-works")
    shop.put(Stage.ORDERS, an_order(7, at=NOON))
    lemon = delivery("orders/create", 7)._replace(domain="lemon-works.myshopify.com")
    await _take(world, lemon, delivery("orders/create", 7))
    await db.write(inbox.put_aside, "lemon-works-id", [lemon.webhook_id], note="x")

    async def of_lemon() -> list[Any]:
        rows = [r for r in await _rows(world, INBOX) if r.store_id == "lemon-works-id"]
        return rows + [r for r in await _rows(world, ORDER) if r.store_id == "lemon-works-id"]

    before = await of_lemon()
    assert await db.read(inbox.aside, STORE_ID) == []
    assert (await db.read(inbox.standing, STORE_ID)).aside == 0
    assert await db.write(inbox.replay, STORE_ID) == 0
    assert await db.write(inbox.settle, STORE_ID, [lemon.webhook_id]) == 0
    await db.write(inbox.put_off, STORE_ID, [lemon.webhook_id], delay_s=1, note="")
    await db.write(inbox.purge, STORE_ID)
    assert await db.read(inbox.next_due, store_id="lemon-works-id") is None
    assert {row.webhook_id for row in await db.read(inbox.due, STORE_ID, limit=9)} != {
        lemon.webhook_id
    }
    await deliveries.work(world.rt, store_id=STORE_ID)
    assert await of_lemon() == before


def _truth(session: Session, shop: Shop, store_id: str = STORE_ID) -> None:
    """Lands the shop's truth by the road of a sync."""
    for stage, records in shop.records.items():
        upserts.land(
            session,
            store_id,
            stage=stage,
            records=list(records.values()),
            read_no=1,
            first_read_no=1,
            tz=zone("UTC"),
        )
    while rollups.recount_dirty(session, store_id):
        pass


def _contents(session: Session) -> dict[str, list[Any]]:
    found = {}
    for name in ("product", "variant", "shop_order", "order_line", "order_sale", "order_refund",
                 "customer", "daily_sales", "product_sales"):  # fmt: skip
        table = METADATA.tables[name]
        columns = [column for column in table.columns if column.name != "read_no"]
        rows = session.execute(sa.select(*columns).order_by(*table.primary_key.columns))
        found[name] = [tuple(row) for row in rows]
    return found


async def _storm(world: World, shop: ChangingShop, *, deliveries_: int, seed: int) -> None:
    """A shop changes while its deliveries come shuffled, a fifth of them twice, a tenth late."""
    chance = random.Random(seed)
    now, late = [], []
    at = NOON
    made = 0
    while made < deliveries_:
        at += timedelta(seconds=chance.choice((0, 0, 1)))
        stage, noun = chance.choice(
            ((Stage.ORDERS, "orders"), (Stage.ORDERS, "orders"), (Stage.PRODUCTS, "products"),
             (Stage.CUSTOMERS, "customers"))
        )  # fmt: skip
        known = shop.records[stage]
        one = chance.randrange(1, max(20, deliveries_ // 8))
        if one in known and chance.random() < 0.12:
            del known[one]
            said = delivery(f"{noun}/delete", one)
        else:
            # An id that was deleted never comes back: Shopify gives new ones.
            if one in shop.gone[stage]:
                continue
            if stage is Stage.ORDERS:
                placed = NOON - timedelta(hours=one)
                record: Record = an_order(
                    one, at=placed, updated_at=at, net_minor=chance.randrange(100, 9_000)
                )
            elif stage is Stage.PRODUCTS:
                record = a_product(one, updated_at=at, title=f"T{chance.random()}")
            else:
                record = a_customer(one)._replace(
                    updated_at=at, number_of_orders=chance.randrange(9)
                )
            verb = ("updated" if noun == "orders" else "update") if one in known else "create"
            known[one] = record
            said = delivery(f"{noun}/{verb}", one)
        if said.act is Act.CONFIRM_GONE:
            shop.gone[stage].add(one)
        made += 1
        copies = [said] if chance.random() >= 0.2 else [said, said]
        (late if chance.random() < 0.1 else now).extend(copies)
        if len(now) >= 300:
            chance.shuffle(now)
            # The shop goes on changing while these are worked off.
            await _take(world, *now)
            await deliveries.work(world.rt)
            now = []
    chance.shuffle(now)
    chance.shuffle(late)
    await _take(world, *now)
    for start in range(0, len(late), 300):
        await _take(world, *late[start : start + 300])
    for _ in range(5):
        await deliveries.work(world.rt)
        await _later(world)


async def equals_the_truth(world: World, shop: Shop, store_id: str = STORE_ID) -> None:
    """Each row and sum that is stored is what a sync of the shop would have left."""
    found = await world.rt.db.read(_contents)

    def put_back(session: Session) -> dict[str, list[Any]]:
        for name in _contents(session):
            session.execute(sa.delete(METADATA.tables[name]))
        session.execute(sa.delete(TOMBSTONE))
        _truth(session, shop, store_id)
        return _contents(session)

    truth = await world.rt.db.write(put_back)
    assert {name: len(rows) for name, rows in found.items()} == {
        name: len(rows) for name, rows in truth.items()
    }
    assert found == truth


class ChangingShop(Shop):
    """Remembers what was deleted, so that no id is given twice."""

    def __init__(self) -> None:
        super().__init__()
        self.gone: dict[Stage, set[int]] = {stage: set() for stage in self.records}


@pytest.fixture
def changing(monkeypatch: pytest.MonkeyPatch) -> ChangingShop:
    made = ChangingShop()
    monkeypatch.setattr(deliveries, "source_of", lambda _rt, _turn: made)
    return made


async def test_deliveries_shuffled_doubled_and_late_end_in_the_truth(
    world: World, changing: ChangingShop
) -> None:
    await _storm(world, changing, deliveries_=600, seed=1)
    assert await _waiting(world) == []
    await equals_the_truth(world, changing)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "seed", [1, *(pytest.param(one, marks=pytest.mark.long) for one in (2, 3))]
)
async def test_ten_thousand_deliveries_shuffled_doubled_and_late_end_in_the_truth(
    world: World, changing: ChangingShop, seed: int
) -> None:
    await _storm(world, changing, deliveries_=10_000, seed=seed)
    assert await _waiting(world) == []
    await equals_the_truth(world, changing)


async def test_workers_side_by_side_share_the_stores_and_lose_nothing(
    world: World, shop: Shop
) -> None:
    shop.put(Stage.ORDERS, *(an_order(one, at=NOON) for one in range(1, 301)))
    await _take(world, *(delivery("orders/create", one) for one in range(1, 301)))
    await asyncio.gather(*(deliveries.work(world.rt) for _ in range(4)))
    while await deliveries.work(world.rt):
        pass
    assert len(await _rows(world, ORDER)) == 300
    assert await _waiting(world) == []
    assert all(row.owner == "" for row in await _rows(world, LIVE))


def test_the_waits_for_the_shops_own_copies_end_within_minutes() -> None:
    assert sum(refetched.LOOK_AGAIN_S) < 120
    assert len(refetched.LOOK_AGAIN_S) < inbox.TRIES


# What is told of the rows: the same bytes by either road


def _busy(count: int) -> list[OrderRecord]:
    dice = random.Random(11)
    found = []
    for gid in range(1, count + 1):
        at = NOON - timedelta(hours=dice.randrange(24 * 360))
        order = an_order(gid, at=at, customer_id=dice.randrange(1, 70), lines=dice.randrange(1, 4))
        back = order.sales[0]._replace(
            shopify_id=gid * 100 + 50, action="RETURN", placed=False, quantity=-1,
            happened_at=min(at + timedelta(days=9), NOON), gross_minor=0, returns_minor=-5_000,
            net_minor=-5_000, total_minor=-5_000,
        )  # fmt: skip
        sales = tuple(sale._replace(product_id=n + 1) for n, sale in enumerate(order.sales))
        found.append(
            order._replace(
                test=gid % 90 == 0,
                lines=tuple(
                    line._replace(product_id=n + 1, variant_id=10 * (n + 1))
                    for n, line in enumerate(order.lines)
                ),
                sales=(*sales, back) if gid % 9 == 0 else sales,
            )
        )
    return found


async def _told(world: World, store_id: str) -> tuple[str, str, str, str]:
    """The report, the portrait and who is in its groups as JSON, of one fixed day."""
    db, day = world.rt.db, NOON.date() + timedelta(days=1)
    made = dna.made(await db.read(facts.load, store_id, as_of=day), {})

    def keep(session: Session) -> None:
        runs.lock_store(session, store_id)
        portraits.keep(session, store_id, made, run_id="run")

    await db.write(keep)
    first = day - timedelta(days=200)
    told = await report.report(world.rt, store_id, date_from=first, date_to=day)
    # Whose report it is, is no figure.
    del told["store"]
    members = json.dumps(made.members, sort_keys=True)
    return json.dumps(told, sort_keys=True), made.portrait_json, made.tables_json, members


@pytest.mark.parametrize("seed", [1, 2])
async def test_what_came_by_webhook_says_the_same_as_what_a_sync_read(
    world: World, shop: Shop, seed: int
) -> None:
    db, dice = world.rt.db, random.Random(seed)
    shop.put(Stage.ORDERS, *_busy(240))
    shop.put(Stage.PRODUCTS, *(a_product(gid) for gid in range(1, 5)))
    shop.put(
        Stage.CUSTOMERS, *(a_customer(gid)._replace(number_of_orders=3) for gid in range(1, 70))
    )
    # One store is read by a sync, whole.
    other = await db.write(make_store, "lemon-works", timezone="UTC")
    await db.write(_truth, shop, other)
    # Of the other, a part was read, a part of that in an older state; all else is delivered.
    held = {stage: list(records.values()) for stage, records in shop.records.items()}
    orders = held[Stage.ORDERS]
    dice.shuffle(orders)
    old = [
        one._replace(updated_at=one.updated_at - timedelta(hours=1), sales=one.sales[:1])
        for one in orders[60:120]
    ]
    partly = Shop()
    partly.put(Stage.ORDERS, *orders[:60], *old)
    partly.put(Stage.PRODUCTS, *held[Stage.PRODUCTS][:2])
    await db.write(_truth, partly, STORE_ID)
    said = [
        *(delivery("orders/create", one.shopify_id) for one in orders[120:]),
        *(delivery("orders/updated", one.shopify_id) for one in orders[60:180]),
        *(delivery("products/update", one.shopify_id) for one in held[Stage.PRODUCTS]),
        *(delivery("customers/update", one.shopify_id) for one in held[Stage.CUSTOMERS]),
    ]
    dice.shuffle(said)
    await _take(world, *said)
    while await deliveries.work(world.rt):
        await _later(world)
    assert await _waiting(world) == []
    assert await _told(world, STORE_ID) == await _told(world, other)
