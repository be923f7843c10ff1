"""Every event a browser can send, sent by people who may not: nothing comes back or changes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from reflex_base.registry import RegistrationContext

from brandmind.db import erasure, privacy_acts
from brandmind.services import stores
from brandmind.state import guard
from brandmind.state.admin import Admin
from brandmind.state.beside import Beside
from brandmind.state.center import Center
from brandmind.state.frame import Frame
from brandmind.state.household import Household
from brandmind.state.onboarding import Onboarding
from brandmind.state.portrait import Portrait
from brandmind.state.searching import Search
from brandmind.state.settings import Settings
from brandmind.state.signed_in import SignedIn
from brandmind.state.tables import Customers, Orders, Products
from brandmind.state.todo import Todo
from brandmind.state.waiting import Waiting
from tests.identity_world import HARBOR, LEMON, open_world
from tests.integration.stranger_world import (
    ALICE,
    ALICES_ADDRESSES,
    DNA,
    NET,
    ORDER_NAME,
    PRODUCT,
    SHOP_NAME,
    Neighbourhood,
)


@pytest.fixture
async def around(sqlite_url: str) -> AsyncIterator[Neighbourhood]:
    async with open_world(sqlite_url) as world:
        made = Neighbourhood(world)
        await made.settle()
        yield made
        await made.leave()


# What each page shows its owner and nobody else; the amount in full, as tables have it.
MONEY = "$7,313.00"
# What is ready now in the waiting room: the one from orders, the other from products.
BEST_DAY = "Best day: "
PRICES = "1 product, all at $25.00."
SHOWN = {
    Portrait: {DNA},
    Products: {PRODUCT},
    Orders: {MONEY},
    Waiting: {BEST_DAY, PRICES},
}
NOT_HIS = "Your Shopify account may not see orders."


def handlers() -> dict[str, Any]:
    """All that is registered, by its full name."""
    return {name: at.handler for name, at in RegistrationContext.get().event_handlers.items()}


def named(state: Any, name: str) -> str:
    return f"{state.get_full_name()}.{name}"


def payloads(handler: Any, store_id: str) -> Iterator[dict[str, Any]]:
    """What an attacker would try: the right names with wrong things, and names of his own."""
    takes = [name for name in handler._parameters if name != "self"]
    yield {}
    for value in (store_id, HARBOR, None, -1, [store_id], {"store_id": store_id}):
        if takes:
            yield dict.fromkeys(takes, value)
    yield {"store_id": store_id}
    yield {"access": {"store": {"store_id": store_id}}, "self": {}, "shop": HARBOR}


async def walk(
    around: Neighbourhood, who: str, names: dict[str, Any], *, enough: frozenset[str] = frozenset()
) -> dict[str, set[str]]:
    """Sends everything as that person; what was learnt or changed, by the event that did it."""
    found: dict[str, set[str]] = {}
    before = await around.everything_of_alice()
    async with around.tab(who) as tab:
        for name, handler in names.items():
            for address in ALICES_ADDRESSES:
                for payload in payloads(handler, around.store_id):
                    await tab.event(name, address, payload, enough=enough)
                    # An echo of what the event itself brought along is no news.
                    news = {secret for secret in around.secrets() if secret not in repr(payload)}
                    if learnt := tab.learnt(news):
                        found.setdefault(name, set()).update(learnt)
                    # Not before the event: a page that loads goes on talking after its own.
                    tab.sent.clear()
            if await around.everything_of_alice() != before:
                found.setdefault(name, set()).add("a change")
                before = await around.everything_of_alice()
    return found


@pytest.mark.parametrize("who", ["charlie", "nobody"])
async def test_no_event_tells_a_stranger_anything_or_changes_a_thing(
    around: Neighbourhood, who: str
) -> None:
    every = handlers()
    assert {named(Center, "follow"), named(Frame, "sync_now"), named(Frame, "cancel")} <= set(every)
    assert await walk(around, who, every) == {}
    assert around.world.bell.rung == [
        row[0] for row in await around.world.sql("SELECT run_id FROM sync_run ORDER BY due_at")
    ]


async def test_the_walk_notices_a_guard_that_lets_everybody_in(
    around: Neighbourhood, monkeypatch: pytest.MonkeyPatch
) -> None:
    alices = around.cookie_of("alice")
    ask = guard._request_of

    async def as_alice(state: Any) -> tuple[str, str | None, dict[str, str]]:
        token, _, params = await ask(state)
        return token, alices, params

    monkeypatch.setattr(guard, "_request_of", as_alice)
    looks, acts = named(Center, "follow"), named(Frame, "sync_now")
    monkeypatch.setattr(f"{__name__}.ALICES_ADDRESSES", (f"/command-center?shop={HARBOR}",))
    monkeypatch.setattr(f"{__name__}.payloads", lambda *_: [{}])
    enough = frozenset({SHOP_NAME, NET, PRODUCT, ORDER_NAME})
    found = await walk(around, "charlie", {looks: handlers()[looks]}, enough=enough)
    assert enough <= found[looks]
    found = await walk(around, "charlie", {acts: handlers()[acts]})
    assert "a change" in found[acts]


@pytest.mark.parametrize(
    ("state", "page"),
    [
        (Center, "/command-center"),
        (Waiting, "/syncing"),
        (Settings, "/settings"),
        (Onboarding, "/onboarding"),
        (Portrait, "/dna"),
        (Customers, "/customers"),
        (Products, "/products"),
        (Orders, "/orders"),
    ],
)
async def test_the_owner_and_a_teammate_see_the_store_each_as_far_as_they_may(
    around: Neighbourhood, state: Any, page: str
) -> None:
    seen = {}
    for who in ("alice", "bob"):
        async with around.tab(who) as tab:
            enough = {SHOP_NAME, *(SHOWN.get(state, set()) if who == "alice" else set())}
            await tab.event(named(state, "follow"), f"{page}?shop={HARBOR}", {}, enough=enough)
            seen[who] = tab.learnt({*around.secrets(), MONEY, BEST_DAY, PRICES, NOT_HIS})
    assert SHOP_NAME in seen["alice"] & seen["bob"]
    if state is Center:
        assert {NET, PRODUCT, ORDER_NAME} <= seen["alice"]
        # His Shopify account may not see orders, so nothing made of them is sent to him.
        assert not {NET, ORDER_NAME, DNA} & seen["bob"]
    if state is Waiting:
        assert {BEST_DAY, PRICES} <= seen["alice"]
        assert NOT_HIS not in seen["alice"]
        # Products he may see; of orders he is told that he may not.
        assert {PRICES, NOT_HIS} <= seen["bob"]
        assert BEST_DAY not in seen["bob"]
    if state in (Portrait, Customers, Products, Orders):
        assert SHOWN.get(state, set()) <= seen["alice"]
        assert not {NET, MONEY, PRODUCT, ORDER_NAME, DNA} & seen["bob"]


async def test_how_much_is_stored_is_told_to_each_as_far_as_they_may_see_it(
    around: Neighbourhood,
) -> None:
    told = {f"FactView(name='{name}'" for name in ("Products", "Orders", "Customers")}
    address, seen = f"/settings?shop={HARBOR}&tab=data", {}
    for who in ("alice", "bob"):
        async with around.tab(who) as tab:
            enough = {"Portraits of Store DNA" if who == "alice" else "archive.zip"}
            await tab.event(named(Settings, "follow"), address, {}, enough=enough)
            seen[who] = tab.learnt({*told, "Orders from ", "Portraits of Store DNA"})
    assert seen["alice"] == {*told, "Orders from ", "Portraits of Store DNA"}
    assert seen["bob"] == {"FactView(name='Products'"}


# Everything that changes a store, sent as its owner would; and what stays open after an uninstall.
CHANGES: list[tuple[Any, str, dict[str, Any]]] = [
    (Todo, "done", {"key": "second_order"}),
    (Todo, "later", {"key": "second_order"}),
    (Todo, "take_back", {"key": "second_order"}),
    (Onboarding, "choose_orders", {"value": "60d"}),
    (Onboarding, "choose_customers", {"on": False}),
    (Onboarding, "choose_week", {"value": "6"}),
    (Onboarding, "choose_costs", {"value": "yes"}),
    (Onboarding, "choose_reader", {"user_id": "BOB", "on": True}),
    (Onboarding, "go_on", {}),
    (Onboarding, "skip", {}),
    (Settings, "choose_orders", {"value": "60d"}),
    (Settings, "choose_customers", {"on": False}),
    (Household, "tell", {"user_id": "BOB", "on": True}),
    (Household, "block", {"user_id": "BOB"}),
    (Household, "let_in", {"user_id": "BOB"}),
    (Frame, "sync_now", {}),
    (Frame, "retry", {}),
    (Frame, "start_over", {}),
    (Frame, "full_resync", {}),
    (Frame, "cancel", {}),
    (Frame, "pause", {}),
    (Frame, "resume", {}),
]
STILL_OPEN = {
    *((Household, "erase"), (Search, "look")),
    *((SignedIn, name) for name in ("sign_out", "sign_out_elsewhere")),
}
# They go by the right to administer, whatever store the address names.
OF_OPERATORS = {(Admin, name) for name in ("act", "retry_failed", "replay_all")}
LEFT = f"BrandMind is not installed in {SHOP_NAME} any more."


async def left_store(around: Neighbourhood) -> str:
    """Uninstalls Alice's store after she has put a suggestion off; the id of Bob."""
    ((bob,),) = await around.world.sql("SELECT user_id FROM app_user WHERE name = 'Bob Teammate'")
    async with around.tab("alice") as tab:
        await tab.event(named(Todo, "later"), f"/dna?shop={HARBOR}", {"key": "second_order"})
    assert await around.world.sql("SELECT key FROM action_mark")
    await stores.uninstall(around.world.rt, around.store_id)
    return bob


def test_every_event_either_only_looks_or_is_known_to_change_a_store() -> None:
    looks = {"follow", "arrive", "turn_table", "close_notice", "setvar"}
    ours = {
        name
        for name, handler in handlers().items()
        if handler.fn.__module__.startswith("brandmind.") and name.rsplit(".", 1)[-1] not in looks
    }
    known = {(state, name) for state, name, _ in CHANGES} | STILL_OPEN | OF_OPERATORS
    assert ours == {named(state, name) for state, name in known}


async def test_a_store_that_was_uninstalled_is_to_look_at_and_changed_by_nobody(
    around: Neighbourhood,
) -> None:
    bob = await left_store(around)
    # What only then can be taken back.
    first = {
        "let_in": f"UPDATE membership SET blocked_at = created_at WHERE user_id = '{bob}'",
        "resume": "UPDATE store SET paused_at = last_synced_at, paused_by = 'Alice'",
    }
    for state, name, payload in CHANGES:
        if name in first:
            await around.world.sql(first[name])
        sent = {at: bob if value == "BOB" else value for at, value in payload.items()}
        before = await around.everything_of_alice()
        async with around.tab("alice") as tab:
            await tab.event(named(state, name), f"/settings?shop={HARBOR}", sent)
            assert tab.learnt({LEFT}) == {LEFT}, name
            # A switch that was turned in the browser is drawn anew as it stands.
            if state in (Settings, Onboarding):
                assert tab.learnt({"turned_back="}), name
        assert await around.everything_of_alice() == before, name


async def test_a_store_that_was_uninstalled_is_still_searched_and_deleted_at_once(
    around: Neighbourhood,
) -> None:
    await left_store(around)
    async with around.tab("alice") as tab:
        await tab.event(named(Search, "look"), f"/orders?shop={HARBOR}", {"text": "beanie"})
        assert tab.learnt({PRODUCT}) == {PRODUCT}
        address = f"/settings?shop={HARBOR}&tab=data"
        await tab.event(named(Household, "erase"), address, {"form_data": {"shop": HARBOR}})
        assert not tab.learnt({LEFT})
    assert await around.world.rt.db.read(erasure.due) is not None


async def test_a_teammate_may_ask_for_a_sync(around: Neighbourhood) -> None:
    async with around.tab("bob") as tab:
        await tab.event(named(Frame, "sync_now"), f"/settings?shop={HARBOR}", {})
    asked = await around.world.sql(
        "SELECT count(*) FROM sync_request WHERE store_id = :store", store=around.store_id
    )
    assert asked[0][0] == 1


async def test_a_teammate_may_choose_what_is_read_and_a_stranger_may_not(
    around: Neighbourhood,
) -> None:
    async def send(who: str, name: str, payload: dict[str, Any]) -> tuple[Any, ...]:
        async with around.tab(who) as tab:
            await tab.event(named(Settings, name), f"/settings?shop={HARBOR}", payload)
        (row,) = await around.world.sql(
            "SELECT orders_since, reads_customers FROM store WHERE store_id = :store",
            store=around.store_id,
        )
        return row[0], bool(row[1])

    assert await send("charlie", "choose_orders", {"value": "60d"}) == ("all", True)
    assert await send("nobody", "choose_customers", {"on": False}) == ("all", True)
    assert await send("bob", "choose_orders", {"value": "for ever"}) == ("all", True)
    assert await send("bob", "choose_orders", {"value": "60d"}) == ("60d", True)
    assert await send("alice", "choose_customers", {"on": "no"}) == ("60d", True)
    assert await send("alice", "choose_customers", {"on": False}) == ("60d", False)


async def test_a_teammate_may_pause_and_answer_and_a_stranger_may_not(
    around: Neighbourhood,
) -> None:
    async def send(who: str, state: Any, name: str, **payload: Any) -> tuple[Any, ...]:
        async with around.tab(who) as tab:
            await tab.event(named(state, name), f"/onboarding?shop={HARBOR}&step=2", payload)
        (row,) = await around.world.sql(
            "SELECT paused_at, week_start, uses_costs, setup_step FROM store "
            "WHERE store_id = :store",
            store=around.store_id,
        )
        return row[0] is not None, row[1], row[2], row[3]

    nothing = (False, 0, None, 0)
    for who in ("charlie", "nobody"):
        assert await send(who, Frame, "pause") == nothing
        assert await send(who, Onboarding, "choose_week", value="6") == nothing
        assert await send(who, Onboarding, "choose_costs", value="yes") == nothing
        assert await send(who, Onboarding, "skip") == nothing
    assert (await send("bob", Frame, "pause"))[0]
    assert (await send("charlie", Frame, "resume"))[0]
    assert not (await send("bob", Frame, "resume"))[0]
    assert (await send("bob", Onboarding, "choose_week", value="2"))[1] == 0
    assert (await send("bob", Onboarding, "choose_week", value="6"))[1] == 6
    assert (await send("alice", Onboarding, "choose_costs", value="maybe"))[2] is None
    assert (await send("alice", Onboarding, "choose_costs", value="no"))[2] == 0
    assert (await send("alice", Onboarding, "go_on"))[3] == 2
    assert (await send("alice", Onboarding, "skip"))[3] == 3


async def test_who_may_see_what_is_suggested_may_put_it_away_and_nobody_else(
    around: Neighbourhood,
) -> None:
    async def send(who: str, name: str, key: Any = "second_order") -> list[tuple[Any, ...]]:
        async with around.tab(who) as tab:
            await tab.event(named(Todo, name), f"/dna?shop={HARBOR}", {"key": key})
        rows = await around.world.sql(
            "SELECT key, state FROM action_mark WHERE store_id = :store", store=around.store_id
        )
        return [tuple(row) for row in rows]

    # Bob's Shopify account may not see what the portrait is read from.
    for who in ("charlie", "nobody", "bob"):
        assert await send(who, "done") == []
    assert await send("alice", "done", ["second_order"]) == []
    assert await send("alice", "done", "nothing of the kind") == []
    assert await send("alice", "later") == [("second_order", "later")]
    for who in ("charlie", "nobody", "bob"):
        assert await send(who, "take_back") == [("second_order", "later")]
    assert await send("alice", "done") == [("second_order", "done")]
    assert await send("alice", "take_back") == []


async def test_who_is_told_is_for_the_owner_to_say_and_a_member_for_themselves(
    around: Neighbourhood,
) -> None:
    people = dict(
        await around.world.sql(
            "SELECT u.name, u.user_id FROM app_user u JOIN membership m ON m.user_id = u.user_id "
            "WHERE m.store_id = :store",
            store=around.store_id,
        )
    )
    alice, bob = people["Alice Harbor"], people["Bob Teammate"]

    async def send(who: str, user_id: Any, on: Any) -> dict[str, Any]:
        async with around.tab(who) as tab:
            await tab.event(
                named(Onboarding, "choose_reader"),
                f"/onboarding?shop={HARBOR}",
                {"user_id": user_id, "on": on},
            )
        rows = await around.world.sql(
            "SELECT user_id, told_ready FROM membership WHERE store_id = :store",
            store=around.store_id,
        )
        return dict(rows)

    nobody_said = {alice: None, bob: None}
    assert await send("charlie", alice, False) == nobody_said
    assert await send("nobody", alice, False) == nobody_said
    assert await send("bob", alice, False) == nobody_said
    assert await send("alice", bob, "yes") == nobody_said
    assert await send("bob", bob, True) == {alice: None, bob: 1}
    assert await send("alice", bob, False) == {alice: None, bob: 0}


async def test_a_teammate_may_read_everything_again_or_start_over(around: Neighbourhood) -> None:
    async def newest(name: str) -> tuple[Any, ...]:
        async with around.tab("bob") as tab:
            await tab.event(named(Frame, name), f"/settings?shop={HARBOR}", {})
        rows = await around.world.sql(
            "SELECT kind, reason, status FROM sync_run WHERE store_id = :store "
            "ORDER BY requested_at DESC, status DESC",
            store=around.store_id,
        )
        return tuple(rows[0])

    assert await newest("full_resync") == ("full", "manual", "queued")
    await around.world.sql("UPDATE sync_run SET status = 'failed' WHERE status = 'queued'")
    assert await newest("start_over") == ("full", "started over", "queued")


async def test_a_stranger_cannot_write_what_another_tab_holds(around: Neighbourhood) -> None:
    async with around.tab("charlie") as tab:
        for state in (Frame, Center, Waiting, Settings):
            tab.sent.clear()
            await tab.event(
                named(state, "setvar"),
                f"/settings?shop={HARBOR}",
                {"var_name": "_seen_by", "value": "planted"},
            )
            assert "planted" not in "".join(tab.sent)


async def test_only_ones_own_browsers_are_seen_and_signed_out(around: Neighbourhood) -> None:
    async def ids(who: str) -> list[str]:
        answer = await getattr(around, who).get("/api/sessions")
        return [at["session_id"] for at in answer.json().get("sessions", [])]

    async def is_open(session_id: str) -> bool:
        sql = "SELECT revoked_at FROM session WHERE session_id = :id"
        ((revoked_at,),) = await around.world.sql(sql, id=session_id)
        return revoked_at is None

    async with around.world.browser() as phone:
        await around.world.sign_in(phone, ALICE)
        alices, (bobs,) = await ids("alice"), await ids("bob")
        address = f"/settings?shop={HARBOR}&tab=devices"
        sign_out, elsewhere = (named(SignedIn, at) for at in ("sign_out", "sign_out_elsewhere"))
        for who in ("charlie", "nobody", "bob"):
            async with around.tab(who) as tab:
                for session_id in alices:
                    await tab.event(sign_out, address, {"session_id": session_id})
                await tab.event(elsewhere, address, {})
                assert not tab.learnt({"In use now"}) or who == "bob"
                assert not tab.learnt(set(alices))
        assert [await is_open(at) for at in (*alices, bobs)] == [True, True, True]
        async with around.tab("alice") as tab:
            await tab.event(named(Settings, "follow"), address, {}, enough=alices)
            assert tab.learnt({*alices, bobs}) == set(alices)
            await tab.event(sign_out, address, {"session_id": bobs})
            assert await is_open(bobs)
            await tab.event(elsewhere, address, {})
        assert sorted([await is_open(at) for at in alices]) == [False, True]
        assert await is_open(bobs)
        assert (await phone.get("/api/sessions")).status_code == 401
        assert (await around.alice.get("/api/sessions")).status_code == 200


async def test_the_installation_is_for_its_administrators_and_shows_them_no_merchants_data(
    around: Neighbourhood,
) -> None:
    address = f"/admin?store={HARBOR}"
    acted = {"domain": HARBOR, "what": "pause"}

    async def seen_by(who: str, *, enough: set[str]) -> set[str]:
        async with around.tab(who) as tab:
            await tab.event(named(Admin, "act"), address, acted)
            await tab.event(named(Admin, "follow"), address, {}, enough=enough)
            return tab.learnt({"Ground", "SQLite", "There is no page here.", *around.secrets()})

    async def paused_by() -> str | None:
        ((by,),) = await around.world.sql(
            "SELECT paused_by FROM store WHERE store_id = :store", store=around.store_id
        )
        return by

    for who in ("alice", "bob", "charlie", "nobody"):
        told = await seen_by(who, enough={"There is no page here."})
        assert told == {"There is no page here."}
    assert await paused_by() is None
    # Not of this store, and no member of it: it is the right alone that counts.
    await around.world.sql("UPDATE app_user SET admin = true WHERE name = 'Charlie Lemon'")
    assert await seen_by("charlie", enough={"SQLite"}) == {"SQLite"}
    assert await paused_by() == "the operator"
    # Taken away, it ends for the next event.
    await around.world.sql("UPDATE app_user SET admin = false")
    await around.world.sql("UPDATE store SET paused_at = NULL, paused_by = NULL")
    assert "SQLite" not in await seen_by("charlie", enough={"There is no page here."})
    assert await paused_by() is None


async def test_people_are_removed_and_let_in_by_the_owner_alone(around: Neighbourhood) -> None:
    people = dict(await around.world.sql("SELECT name, user_id FROM app_user"))
    address = f"/settings?shop={HARBOR}&tab=members"

    async def blocked_after(who: str, name: str, user_id: Any) -> bool:
        async with around.tab(who) as tab:
            await tab.event(named(Household, name), address, {"user_id": user_id})
        ((at,),) = await around.world.sql(
            "SELECT m.blocked_at FROM membership m JOIN app_user u ON u.user_id = m.user_id "
            "WHERE u.name = 'Bob Teammate'"
        )
        return at is not None

    bob = people["Bob Teammate"]
    for who in ("charlie", "nobody", "bob"):
        assert not await blocked_after(who, "block", bob)
    for wrong in (None, [bob], people["Alice Harbor"], people["Charlie Lemon"]):
        assert not await blocked_after("alice", "block", wrong)
    assert await blocked_after("alice", "block", bob)
    for who in ("charlie", "nobody", "bob"):
        assert await blocked_after(who, "let_in", bob)
    assert not await blocked_after("alice", "let_in", bob)


async def test_the_people_of_a_store_are_named_to_its_own_alone(around: Neighbourhood) -> None:
    address = f"/settings?shop={HARBOR}&tab=members"
    for who, sees in (("alice", True), ("bob", True), ("charlie", False), ("nobody", False)):
        async with around.tab(who) as tab:
            enough = {"Bob Teammate"} if sees else {"gate_title"}
            await tab.event(named(Settings, "follow"), address, {}, enough=enough)
            assert ("Bob Teammate" in tab.learnt({"Bob Teammate"})) is sees


async def test_a_store_is_deleted_by_its_owner_alone(around: Neighbourhood) -> None:
    address = f"/settings?shop={HARBOR}&tab=data"

    async def gone_after(who: str, form: Any) -> bool:
        async with around.tab(who) as tab:
            await tab.event(named(Household, "erase"), address, {"form_data": form})
        ((at,),) = await around.world.sql(
            "SELECT uninstalled_at FROM store WHERE store_id = :store", store=around.store_id
        )
        return at is not None

    for who in ("charlie", "nobody", "bob"):
        assert not await gone_after(who, {"shop": HARBOR})
    for wrong in ({}, HARBOR, None, {"shop": None}, {"shop": "harbor"}, {"shop": [HARBOR]}):
        assert not await gone_after("alice", wrong)
    assert await gone_after("alice", {"shop": HARBOR})


async def test_what_a_customer_asked_for_is_shown_to_the_owner_alone(
    around: Neighbourhood,
) -> None:
    address = f"/settings?shop={HARBOR}&tab=data"

    def ask(session: Any) -> str:
        order = privacy_acts.order
        act_id = order(session, around.store_id, kind="data_request", cause="w", customer_id=5)
        privacy_acts.conclude(session, act_id, outcome="done", counts={}, export_json="{}")
        return act_id

    act_id = await around.world.rt.db.write(ask)
    link = f"/api/stores/{around.store_id}/privacy/{act_id}"
    for who, enough in (
        ("alice", link),
        ("bob", "archive.zip"),
        ("charlie", "gate_title"),
        ("nobody", "gate_title"),
    ):
        async with around.tab(who) as tab:
            await tab.event(named(Settings, "follow"), address, {}, enough={enough})
            assert tab.learnt({link, act_id}) == ({link, act_id} if who == "alice" else set())
    assert (await around.alice.get(link)).status_code == 200
    for browser in (around.bob, around.charlie, around.nobody):
        assert (await browser.get(link)).status_code in (401, 404)


async def test_a_search_finds_only_what_is_ones_own_to_see(around: Neighbourhood) -> None:
    async def finds(who: str, text: Any, *, at: str = HARBOR) -> set[str]:
        async with around.tab(who) as tab:
            await tab.event(named(Search, "look"), f"/command-center?shop={at}", {"text": text})
            return tab.learnt({PRODUCT, ORDER_NAME, "Quetzal"})

    assert await finds("alice", "beanie") == {PRODUCT, "Quetzal"}
    # Products he may see; and what he asked for himself is told back to nobody else.
    assert await finds("bob", "secret") == {PRODUCT, "Quetzal"}
    for who in ("charlie", "nobody"):
        for text in ("beanie", "secret", "1", None, ["beanie"], {"text": "beanie"}):
            assert await finds(who, text) == set()
    assert await finds("charlie", "beanie", at=LEMON) == set()
    assert await finds("nobody", "beanie", at="sample") == set()


async def test_a_second_store_stands_beside_the_first_only_where_both_are_open(
    around: Neighbourhood,
) -> None:
    async def told(who: str, address: str, *, enough: set[str]) -> set[str]:
        async with around.tab(who) as tab:
            await tab.event(named(Beside, "follow"), address, {}, enough=enough)
            return tab.learnt({*around.secrets(), "It takes two stores"})

    theirs = f"/compare?shop={LEMON}&and={HARBOR}"
    alone = {"It takes two stores"}
    # Naming it in the address opens nothing.
    assert await told("charlie", theirs, enough=alone) == alone
    assert await told("nobody", theirs, enough={"signed_out"}) == set()
    # The same browser signs in to both: now they stand beside each other.
    await around.world.sign_in(around.charlie, ALICE, HARBOR)
    seen = await told("charlie", theirs, enough={SHOP_NAME, NET})
    assert {SHOP_NAME, NET} <= seen
    assert not alone & seen
    # And no more once that has ended.
    people = dict(await around.world.sql("SELECT name, user_id FROM app_user"))
    await around.world.sql(
        "DELETE FROM session_store WHERE user_id = :user AND session_id IN "
        "(SELECT session_id FROM session_store GROUP BY session_id HAVING count(*) > 1)",
        user=people[ALICE.name],
    )
    assert NET not in await told("charlie", theirs, enough=alone)
