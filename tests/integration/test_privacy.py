"""What the law asks for is done, stays done whatever comes later, and can be proven."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from brandmind.db import burials, grouped, inbox, privacy, privacy_acts, rollups
from brandmind.db.tables import (
    CUSTOMER,
    CUSTOMER_GROUP,
    LINE,
    ORDER,
    OUTBOX,
    PRIVACY_ACT,
    REJECT,
    TOMBSTONE,
)
from brandmind.errors import ShopifyUnavailable, ShopUnavailable, Throttled, TokenRevoked
from brandmind.services import deliveries, outbox, scheduling, stores
from brandmind.services.webhooks import Receiver
from brandmind.sync.stages import Stage
from tests import shop_words
from tests.factories import make_customer, make_order, make_store
from tests.identity_world import HARBOR, LEMON, Somebody, World, open_world
from tests.integration.test_webhook_landing import Shop
from tests.records import NOON, a_customer, an_order

CANARY = "canary"
ALICE = Somebody(1, "Alice Harbor", owner=True)
BOB = Somebody(2, "Bob Harbor", scopes="read_products,read_orders")


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with open_world(database_url) as opened:
        yield opened


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    made = Shop()
    monkeypatch.setattr(deliveries, "source_of", lambda _rt, _turn: made)
    return made


async def _store(world: World) -> str:
    store_id: str = await world.rt.db.write(make_store, "harbor-and-pine", timezone="UTC")
    return store_id


async def _fill(world: World, store_id: str) -> None:
    """Customer 5 with the orders 7 and 8, customer 6 with order 9; customer 5's are canaries."""
    db = world.rt.db
    for one in (5, 6):
        await db.write(make_customer, store_id, one, number_of_orders=1)
    for order, customer in ((7, 5), (8, 5), (9, 6)):
        await db.write(make_order, store_id, order, NOON, customer_id=customer)
    await world.sql(
        f"UPDATE customer SET display_name = '{CANARY}', first_name = '{CANARY}', "
        f"email = '{CANARY}@example.com', city = '{CANARY}' WHERE shopify_id = 5"
    )
    await world.sql(
        f"UPDATE shop_order SET city = '{CANARY}', tags_json = '[\"{CANARY}\"]' "
        "WHERE customer_id = 5"
    )
    await db.write(
        lambda s: s.execute(
            sa.insert(REJECT).values(
                store_id=store_id,
                resource="customers",
                gid="gid://shopify/Customer/5",
                reason="email: not a text",
                run_id="",
                seen_at=NOON,
            )
        )
    )
    while await db.write(rollups.recount_dirty, store_id):
        pass


async def _say(world: World, topic: str, told: Any, *, shop: str = HARBOR) -> int:
    raw = shop_words.body(told)
    headers = shop_words.headers(raw, topic, shop=shop)
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return int(await Receiver(world.rt).receive(pairs, raw))


REDACT = {
    "shop_id": 954889,
    "shop_domain": HARBOR,
    "customer": {"id": 5, "email": f"{CANARY}@example.com", "phone": "555-625-1199"},
    "orders_to_redact": [7, 70],
}
REQUEST = {
    "shop_id": 954889,
    "shop_domain": HARBOR,
    "orders_requested": [7],
    "customer": {"id": 5, "email": f"{CANARY}@example.com", "phone": "555-625-1199"},
    "data_request": {"id": 9999},
}


async def _rows(world: World, table: sa.Table) -> list[Any]:
    return await world.rt.db.read(
        lambda s: s.execute(sa.select(table).order_by(*table.primary_key.columns)).all()
    )


async def _everything(world: World) -> str:
    """Every row of every table, as text."""
    from brandmind.db.models import METADATA

    found = [await _rows(world, table) for table in METADATA.sorted_tables]
    return "\n".join(repr(tuple(row)) for rows in found for row in rows)


async def test_a_redacted_customer_is_gone_from_everywhere_and_the_money_stays(
    world: World, shop: Shop
) -> None:
    store_id = await _store(world)
    await _fill(world, store_id)
    before = await world.sql("SELECT day, net_minor, orders FROM daily_sales ORDER BY day")
    money = [(row.shopify_id, row.current_total_minor) for row in await _rows(world, ORDER)]
    lines = await _rows(world, LINE)
    assert CANARY in await _everything(world)
    assert await _say(world, "customers/redact", REDACT) == 200
    assert CANARY not in repr(await world.sql("SELECT * FROM inbox"))
    await deliveries.work(world.rt)
    assert CANARY not in await _everything(world)
    assert [row.shopify_id for row in await _rows(world, CUSTOMER)] == [6]
    orders = await _rows(world, ORDER)
    assert [(row.shopify_id, row.current_total_minor) for row in orders] == money
    assert [row.customer_id for row in orders] == [None, None, 6]
    assert await _rows(world, LINE) == lines
    assert await _rows(world, REJECT) == []
    after = await world.sql("SELECT day, net_minor, orders FROM daily_sales ORDER BY day")
    assert after == before
    (act,) = await _rows(world, PRIVACY_ACT)
    assert (act.kind, act.outcome, act.domain) == ("redact_customer", "done", HARBOR)
    assert act.done_at is not None
    assert json.loads(act.counts_json)["orders"] == 2


async def test_the_groups_that_a_portrait_has_kept_are_forgotten_with_a_redacted_customer(
    world: World, shop: Shop
) -> None:
    store_id = await _store(world)
    await _fill(world, store_id)
    other = await world.rt.db.write(make_store, "lemon-works", timezone="UTC")
    for store in (store_id, other):
        await world.rt.db.write(grouped.keep, store, 1, {"LOYAL": ["[[5,2,100,1]]"]})
    await _say(world, "customers/redact", REDACT)
    await deliveries.work(world.rt)
    assert [row.store_id for row in await _rows(world, CUSTOMER_GROUP)] == [other]


async def test_no_later_page_or_delivery_brings_a_redacted_customer_back(
    world: World, shop: Shop
) -> None:
    store_id = await _store(world)
    await _fill(world, store_id)
    await _say(world, "customers/redact", REDACT)
    await deliveries.work(world.rt)
    # The shop still shows the customer, and orders of hers that we had not read yet.
    shop.put(Stage.CUSTOMERS, a_customer(5)._replace(display_name=CANARY))
    shop.put(
        Stage.ORDERS,
        *(
            an_order(one, at=NOON, customer_id=5, updated_at=NOON.replace(hour=20))._replace(
                city=CANARY, tags_json=f'["{CANARY}"]'
            )
            for one in (7, 70, 71)
        ),
    )
    await _say(world, "customers/update", {"id": 5})
    for one in (7, 70, 71):
        await _say(world, "orders/updated", {"id": one})
    await deliveries.work(world.rt)
    await world.rt.db.write(make_customer, store_id, 5, number_of_orders=3)
    assert CANARY not in await _everything(world)
    assert [row.shopify_id for row in await _rows(world, CUSTOMER)] == [6]
    found = {row.shopify_id: row.customer_id for row in await _rows(world, ORDER)}
    assert found == {7: None, 8: None, 9: 6, 70: None, 71: None}
    assert await world.rt.db.write(burials.lift, store_id, "customers", [5]) == []


async def test_a_redaction_said_twice_is_one_act_with_one_proof(world: World, shop: Shop) -> None:
    store_id = await _store(world)
    await _fill(world, store_id)
    for _ in range(2):
        await _say(world, "customers/redact", REDACT)
        await deliveries.work(world.rt)
    acts = await _rows(world, PRIVACY_ACT)
    assert sorted(json.loads(act.counts_json)["customers"] for act in acts) == [0, 1]


async def test_a_redaction_needs_no_access_to_the_shop_and_no_rest_of_a_pause(
    world: World, shop: Shop
) -> None:
    store_id = await _store(world)
    await _fill(world, store_id)
    shop.error = RuntimeError("nobody may ask")
    await world.sql("UPDATE store SET paused_at = installed_at")
    await _say(world, "customers/redact", REDACT)
    await deliveries.work(world.rt)
    assert CANARY not in await _everything(world)


async def test_a_redaction_outlives_the_death_of_its_worker(
    world: World, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_id = await _store(world)
    await _fill(world, store_id)
    await _say(world, "customers/redact", REDACT)
    depersonalise = burials.depersonalise

    def dies(*_args: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(burials, "depersonalise", dies)
    turn = await world.rt.db.write(inbox.begin, store_id, owner="dies")
    assert turn is not None
    with pytest.raises(KeyboardInterrupt):
        world.rt.db.write_now(privacy.redact_customer, turn, cause="w", customer_id=5, orders=(7,))
    # All or nothing: a half would never be finished by anybody.
    assert [row.shopify_id for row in await _rows(world, CUSTOMER)] == [5, 6]
    assert await _rows(world, TOMBSTONE) == []
    monkeypatch.setattr(burials, "depersonalise", depersonalise)
    await world.rt.db.write(inbox.give_back, turn)
    await deliveries.work(world.rt)
    assert CANARY not in await _everything(world)


async def test_a_request_for_another_shops_customer_does_nothing(world: World, shop: Shop) -> None:
    store_id = await _store(world)
    await _fill(world, store_id)
    await world.rt.db.write(make_store, "lemon-works")
    assert await _say(world, "customers/redact", REDACT, shop=LEMON) == 200
    assert await _say(world, "shop/redact", {"shop_domain": HARBOR}, shop=LEMON) == 200
    await deliveries.work(world.rt)
    assert await _rows(world, PRIVACY_ACT) == []
    assert len(await _rows(world, CUSTOMER)) == 2


async def test_a_data_request_is_answered_with_all_that_is_held_and_the_merchant_is_told(
    world: World, shop: Shop, tmp_path: Path
) -> None:
    async with world.browser() as alice, world.browser() as bob, world.browser() as charlie:
        store_id = await world.connect(alice, ALICE)
        await world.sign_in(bob, BOB)
        await world.connect(charlie, Somebody(3, "Charlie"), LEMON)
        await world.sql("UPDATE store SET currency = 'USD'")
        await _fill(world, store_id)
        lemon = await world.store_id(LEMON)
        mine, others = {"LOYAL": ["[[6,1,9,1]]", "[[5,2,7,1]]"]}, {"NEW": ["[[5,1,9,1]]"]}
        await world.rt.db.write(grouped.keep, store_id, 1, mine)
        await world.rt.db.write(grouped.keep, lemon, 1, others)
        assert await _say(world, "customers/data_request", REQUEST) == 200
        await deliveries.work(world.rt)
        told = (await alice.get(f"/api/stores/{store_id}/privacy")).json()["acts"]
        (act,) = told
        assert (act["kind"], act["has_export"], act["counts"]) == (
            "data_request",
            True,
            {"customers": 1, "orders": 2},
        )
        path = f"/api/stores/{store_id}/privacy/{act['act_id']}"
        answer = await alice.get(path)
        assert answer.status_code == 200
        assert "attachment" in answer.headers["content-disposition"]
        found = answer.json()
        assert found["customer"]["email"] == f"{CANARY}@example.com"
        assert found["group"] == "LOYAL"
        assert [order["shopify_id"] for order in found["orders"]] == [7, 8]
        assert len(found["orders"][0]["lines"]) == 1
        # Nobody whom Shopify does not show customers, no stranger, nobody who made the id up.
        for browser in (bob, charlie):
            assert (await browser.get(path)).status_code == 404
            assert (await browser.get(f"/api/stores/{store_id}/privacy")).status_code == 404
        assert (await charlie.get(path.replace(store_id, lemon))).status_code == 404
        assert (await alice.get(path[:-4] + "0000")).status_code == 404

        world.rt.settings.data_dir = tmp_path
        await outbox.deliver(world.rt)
        (mail,) = (tmp_path / "outbox").iterdir()
        text = mail.read_text()
        assert path in text
        assert CANARY not in text
        # Once the customer is redacted, the copy is gone as well.
        await _say(world, "customers/redact", REDACT)
        await deliveries.work(world.rt)
        assert (await alice.get(path)).status_code == 404
        assert CANARY not in await _everything(world)


async def test_a_data_request_that_comes_again_under_another_id_is_answered_once(
    world: World, shop: Shop
) -> None:
    """The id of a delivery stands in a header, which nobody signs; the request's in the body."""
    store_id = await _store(world)
    await _fill(world, store_id)
    for _ in range(3):
        assert await _say(world, "customers/data_request", REQUEST) == 200
        await deliveries.work(world.rt)
    # Two days later nobody remembers the delivery.
    await world.sql("DELETE FROM inbox")
    assert await _say(world, "customers/data_request", REQUEST) == 200
    await deliveries.work(world.rt)
    (act,) = await _rows(world, PRIVACY_ACT)
    assert CANARY in act.export_json
    assert len(await _rows(world, OUTBOX)) == 1
    # Not so what another customer asks, what she asks again, and what bears no id.
    other = REQUEST | {"customer": {"id": 6}}
    unnamed = {key: told for key, told in REQUEST.items() if key != "data_request"}
    for told in (other, REQUEST | {"data_request": {"id": 10_000}}, unnamed, unnamed):
        assert await _say(world, "customers/data_request", told) == 200
        await deliveries.work(world.rt)
    assert len(await _rows(world, PRIVACY_ACT)) == len(await _rows(world, OUTBOX)) == 5


async def test_an_export_is_removed_after_thirty_days(
    world: World, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_id = await _store(world)
    await _fill(world, store_id)
    await _say(world, "customers/data_request", REQUEST)
    await deliveries.work(world.rt)
    assert await world.rt.db.write(privacy_acts.drop_old_exports) == 0
    monkeypatch.setattr(privacy_acts, "EXPORT_KEPT", -privacy_acts.EXPORT_KEPT)
    assert await world.rt.db.write(privacy_acts.drop_old_exports) == 1
    (act,) = await _rows(world, PRIVACY_ACT)
    assert act.export_json is None
    assert act.outcome == "done"


async def test_the_proof_of_one_store_is_not_shown_to_another(world: World, shop: Shop) -> None:
    store_id = await _store(world)
    await _fill(world, store_id)
    await _say(world, "customers/data_request", REQUEST)
    await deliveries.work(world.rt)
    (act,) = await world.rt.db.read(privacy_acts.acts, store_id)
    assert await world.rt.db.read(privacy_acts.acts, "lemon-works-id") == []
    assert await world.rt.db.read(privacy_acts.export_of, "lemon-works-id", act.act_id) is None
    await world.rt.db.write(privacy_acts.end_erasure, "lemon-works-id")
    assert await world.rt.db.read(privacy_acts.export_of, store_id, act.act_id) is not None
    assert len(await _rows(world, OUTBOX)) == 1


UNINSTALLED = {"id": 954889, "domain": "harbor.example.com", "myshopify_domain": None}


async def _connected(world: World) -> str:
    async with world.browser() as alice:
        store_id = await world.connect(alice, ALICE)
    await world.sql("UPDATE store SET currency = 'USD'")
    await _fill(world, store_id)
    return store_id


async def _due_again(world: World) -> None:
    await world.sql("UPDATE inbox SET due_at = received_at WHERE done_at IS NULL")


async def _left(world: World) -> bool:
    ((at,),) = await world.sql("SELECT uninstalled_at FROM store WHERE domain = :d", d=HARBOR)
    return at is not None


async def _told_at(world: World, topic: str, told: Any, at: str) -> None:
    raw = shop_words.body(told)
    headers = shop_words.headers(raw, topic, triggered_at=at)
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    assert int(await Receiver(world.rt).receive(pairs, raw)) == 200


SOON = "2099-01-01T00:00:00Z"


async def test_an_uninstall_is_believed_once_the_shop_refuses_our_access_for_good(
    world: World, shop: Shop
) -> None:
    store_id = await _connected(world)
    shop.error = TokenRevoked()
    # As the token's owner finds it: the renewal was refused, so the grant is dead.
    await world.sql("UPDATE token SET refresh_sealed = NULL")
    await _told_at(world, "app/uninstalled", UNINSTALLED, SOON)
    await deliveries.work(world.rt)
    assert await _left(world)
    assert await world.sql("SELECT * FROM token") == []
    ((epoch,),) = await world.sql("SELECT epoch FROM store")
    assert epoch == 2
    runs = await world.sql("SELECT status FROM sync_run")
    assert {row[0] for row in runs} == {"cancelled"}
    # Said again, and late deliveries of the installation that is over: nothing.
    await _told_at(world, "app/uninstalled", UNINSTALLED, SOON)
    await _say(world, "orders/create", {"id": 7})
    await deliveries.work(world.rt)
    assert await world.sql("SELECT epoch FROM store") == [(2,)]
    assert store_id


@pytest.mark.parametrize(
    "error",
    [None, ShopifyUnavailable(), ShopUnavailable("frozen"), Throttled(retry_after_s=1)],
    ids=["serves", "away", "frozen", "throttled"],
)
async def test_an_uninstall_that_the_shop_does_not_confirm_changes_nothing(
    world: World, shop: Shop, error: Exception | None
) -> None:
    await _connected(world)
    shop.error = error
    await _told_at(world, "app/uninstalled", UNINSTALLED, SOON)
    for _ in range(6):
        await deliveries.work(world.rt)
        await _due_again(world)
    assert not await _left(world)
    assert len(await world.sql("SELECT * FROM token")) == 1
    if error is None:
        assert await world.sql("SELECT * FROM inbox WHERE done_at IS NULL") == []
    else:
        # The shop will answer one day; until then nobody concludes anything.
        assert len(await world.sql("SELECT * FROM inbox WHERE done_at IS NULL")) == 1


async def test_a_token_that_only_ran_out_is_no_uninstall(world: World, shop: Shop) -> None:
    await _connected(world)
    shop.error = TokenRevoked()
    # Refused now, and renewable by what is kept: somebody else's renewal is under way.
    await _told_at(world, "app/uninstalled", UNINSTALLED, SOON)
    await deliveries.work(world.rt)
    assert not await _left(world)


async def test_an_uninstall_from_before_this_install_is_an_old_story(
    world: World, shop: Shop
) -> None:
    await _connected(world)
    shop.error = TokenRevoked()
    await world.sql("UPDATE token SET refresh_sealed = NULL")
    await _told_at(world, "app/uninstalled", UNINSTALLED, "2020-01-01T00:00:00Z")
    await _told_at(world, "app/uninstalled", UNINSTALLED, "no moment at all")
    await deliveries.work(world.rt)
    assert not await _left(world)
    assert await world.sql("SELECT * FROM inbox WHERE done_at IS NULL") == []


async def test_a_reconnection_in_the_midst_of_the_question_wins(
    world: World, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _connected(world)
    shop.error = TokenRevoked()
    await world.sql("UPDATE token SET refresh_sealed = NULL")
    uninstall = stores.uninstall

    async def late(rt: Any, store_id: str, **how: Any) -> Any:
        await world.sql("UPDATE token SET generation = generation + 1")
        return await uninstall(rt, store_id, **how)

    monkeypatch.setattr(stores, "uninstall", late)
    await _told_at(world, "app/uninstalled", UNINSTALLED, SOON)
    await deliveries.work(world.rt)
    assert not await _left(world)
    assert len(await world.sql("SELECT * FROM token")) == 1


async def test_a_shop_that_left_is_erased_when_the_law_says_and_the_proof_stays(
    world: World, shop: Shop
) -> None:
    store_id = await _connected(world)
    await _say(world, "customers/data_request", REQUEST)
    await deliveries.work(world.rt)
    shop.error = TokenRevoked()
    await world.sql("UPDATE token SET refresh_sealed = NULL")
    await _told_at(world, "app/uninstalled", UNINSTALLED, SOON)
    await deliveries.work(world.rt)
    assert await scheduling.erase(world.rt) is None
    assert await _say(world, "shop/redact", {"shop_id": 954889, "shop_domain": HARBOR}) == 200
    await deliveries.work(world.rt)
    assert await scheduling.erase(world.rt) == store_id
    everything = await _everything(world)
    assert CANARY not in everything
    assert "Alice" not in everything
    acts = {act.kind: act for act in await world.rt.db.read(privacy_acts.every_act)}
    assert acts["redact_store"].outcome == "done"
    assert json.loads(acts["redact_store"].counts_json) == {
        "orders": 3,
        "customers": 2,
        "products": 0,
    }
    assert acts["data_request"].done_at is not None
    assert await world.sql("SELECT * FROM inbox") == []
    # Whatever comes later is of a shop that nobody knows.
    assert await _say(world, "customers/redact", REDACT) == 200
    assert await world.sql("SELECT * FROM inbox") == []


async def test_our_own_timer_erases_what_nobody_asked_to_be_erased(
    world: World, shop: Shop
) -> None:
    store_id = await _connected(world)
    await stores.uninstall(world.rt, store_id)
    await world.sql("UPDATE store SET erase_at = uninstalled_at")
    assert await scheduling.erase(world.rt) == store_id
    (act,) = await world.rt.db.read(privacy_acts.every_act)
    assert (act.kind, act.outcome, act.domain) == ("redact_store", "done", HARBOR)


async def test_the_erasure_of_an_installed_store_is_recorded_and_dropped(
    world: World, shop: Shop
) -> None:
    store_id = await _connected(world)
    await _say(world, "shop/redact", {"shop_id": 954889, "shop_domain": HARBOR})
    await deliveries.work(world.rt)
    assert await scheduling.erase(world.rt) is None
    assert not await _left(world)
    (act,) = await world.rt.db.read(privacy_acts.acts, store_id)
    assert (act.kind, act.outcome) == ("redact_store", "dropped: the store is installed")


async def test_an_erasure_tells_of_an_uninstall_that_was_never_delivered(
    world: World, shop: Shop
) -> None:
    await _connected(world)
    shop.error = TokenRevoked()
    await world.sql("UPDATE token SET refresh_sealed = NULL")
    await _say(world, "shop/redact", {"shop_id": 954889, "shop_domain": HARBOR})
    await deliveries.work(world.rt)
    assert await _left(world)
    # Not at once: the merchant may come back within two days, as everywhere.
    assert await scheduling.erase(world.rt) is None
