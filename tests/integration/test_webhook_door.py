"""The door of the webhooks: what is let in is committed, and nothing else is."""

from __future__ import annotations

import asyncio
import gc
import json
import random
import resource
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brandmind.db import inbox
from brandmind.services import webhooks
from brandmind.services.webhooks import MOST_BYTES
from brandmind.sync.deliveries import Act, Delivery
from brandmind.sync.stages import Stage
from tests import shop_words
from tests.factories import make_store
from tests.identity_world import APP_SECRET, HARBOR, World, open_world

ORDER = {"id": 7, "email": "canary@example.com", "customer": {"first_name": "Canary"}}
OLD_SECRET = "the-secret-before-0123"


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with open_world(
        database_url, shopify_client_secret=f"{APP_SECRET},{OLD_SECRET}"
    ) as opened:
        await opened.rt.db.write(make_store, "harbor-and-pine")
        yield opened


async def _send(world: World, raw: bytes, headers: Any, *, method: str = "POST") -> httpx.Response:
    async with world.browser() as http:
        return await http.request(method, shop_words.PATH, content=raw, headers=headers)


async def _kept(world: World) -> list[tuple[Any, ...]]:
    rows = await world.sql("SELECT webhook_id, topic, act, shopify_id FROM inbox")
    return sorted(tuple(row) for row in rows)


async def test_a_signed_delivery_is_kept_as_ids_alone(world: World) -> None:
    raw = shop_words.body(ORDER)
    answer = await _send(world, raw, shop_words.headers(raw, "orders/create", webhook_id="w-1"))
    assert answer.status_code == 200
    assert answer.content == b""
    assert await _kept(world) == [("w-1", "orders/create", "refetch", 7)]
    everything = repr(await world.sql("SELECT * FROM inbox"))
    assert "anary" not in everything


async def test_the_old_secret_signs_while_a_rotation_lasts_and_a_third_never(world: World) -> None:
    raw = shop_words.body(ORDER)
    for secret, status in ((APP_SECRET, 200), (OLD_SECRET, 200), ("another", 401), ("x", 401)):
        headers = shop_words.headers(raw, "orders/create", secret=secret)
        assert (await _send(world, raw, headers)).status_code == status
    assert len(await _kept(world)) == 2


async def test_a_delivery_that_comes_twice_is_kept_once(world: World) -> None:
    raw = shop_words.body(ORDER)
    headers = shop_words.headers(raw, "orders/create", webhook_id="w-1")
    answers = await asyncio.gather(*(_send(world, raw, headers) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(await _kept(world)) == 1


@pytest.mark.parametrize(
    "name",
    ["X-Shopify-Topic", "X-Shopify-Hmac-Sha256", "X-Shopify-Shop-Domain", "X-Shopify-Webhook-Id"],
)
async def test_a_header_that_is_wrong_missing_or_doubled_is_refused(
    world: World, name: str
) -> None:
    raw = shop_words.body(ORDER)
    good = shop_words.headers(raw, "orders/create")
    missing = {key: value for key, value in good.items() if key != name}
    doubled = [*good.items(), (name, good[name])]
    for headers in (missing, doubled, {**good, name: ""}, {**good, name: "§".encode()}):
        assert (await _send(world, raw, headers)).status_code == 401
    assert await _kept(world) == []


async def test_a_body_changed_by_one_byte_is_refused(world: World) -> None:
    raw = shop_words.body(ORDER)
    headers = shop_words.headers(raw, "orders/create")
    for changed in (raw + b" ", raw[:-1], raw.replace(b"7", b"8"), b""):
        assert (await _send(world, changed, headers)).status_code == 401
    assert await _kept(world) == []


async def test_a_shop_nobody_knows_is_answered_and_dropped(world: World) -> None:
    raw = shop_words.body(ORDER)
    headers = shop_words.headers(raw, "orders/create", shop="nobody.myshopify.com")
    assert (await _send(world, raw, headers)).status_code == 200
    assert await _kept(world) == []


async def test_of_a_shop_that_left_only_what_the_law_asks_is_kept(world: World) -> None:
    await world.sql("UPDATE store SET uninstalled_at = installed_at")
    order = shop_words.body(ORDER)
    redact = shop_words.body(
        {"shop_domain": HARBOR, "customer": {"id": 5}, "orders_to_redact": [7]}
    )
    for raw, topic in ((order, "orders/create"), (redact, "customers/redact")):
        headers = shop_words.headers(raw, topic, webhook_id=topic.replace("/", "-"))
        assert (await _send(world, raw, headers)).status_code == 200
    assert [row[1] for row in await _kept(world)] == ["customers/redact"]


async def test_a_body_beyond_the_limit_is_refused_before_it_is_read(world: World) -> None:
    raw = b"x" * (MOST_BYTES + 1)
    headers = shop_words.headers(raw, "orders/create")
    assert (await _send(world, raw, headers)).status_code == 413
    whole = b'{"id": 7, "note": "' + b"x" * (MOST_BYTES - 30) + b'"}'
    assert (
        await _send(world, whole, shop_words.headers(whole, "orders/create"))
    ).status_code == 200


async def test_no_more_than_the_limit_of_a_stream_is_ever_held(world: World) -> None:
    from brandmind.web import webhooks as door

    asked = 0

    async def receive() -> dict[str, Any]:
        nonlocal asked
        asked += 1
        return {"type": "http.request", "body": b"x" * 65_536, "more_body": True}

    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    (route,) = door.routes()
    scope = {"type": "http", "method": "POST", "path": shop_words.PATH, "headers": []}
    await route.endpoint(scope, receive, send)  # type: ignore[attr-defined]
    assert sent[0]["status"] == 413
    assert asked == MOST_BYTES // 65_536 + 1


async def test_what_could_not_be_stored_is_not_accepted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: Any) -> Any:
        raise OSError("disk full")

    monkeypatch.setattr(inbox, "take", full)
    raw = shop_words.body(ORDER)
    assert (await _send(world, raw, shop_words.headers(raw, "orders/create"))).status_code == 503
    monkeypatch.undo()
    assert (await _send(world, raw, shop_words.headers(raw, "orders/create"))).status_code == 200
    assert len(await _kept(world)) == 1


async def test_an_error_at_the_door_is_noted_and_shopify_asked_to_come_again(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    raw = shop_words.body(ORDER)
    headers = shop_words.headers(raw, "orders/create")

    def broken(*_args: Any) -> Any:
        raise KeyError("canary@example.com")

    monkeypatch.setattr("brandmind.shopify.webhooks.reduced", broken)
    answer = await _send(world, raw, headers)
    assert (answer.status_code, answer.content) == (503, b"")
    assert "a delivery failed: KeyError" in caplog.messages
    monkeypatch.undo()
    assert (await _send(world, raw, headers)).status_code == 200
    assert len(await _kept(world)) == 1


async def test_many_at_once_share_few_commits_and_each_is_answered_after_its_own(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    take, sizes = inbox.take, []

    def counted(session: Any, deliveries: Any, *rest: Any) -> Any:
        sizes.append(len(deliveries))
        return take(session, deliveries, *rest)

    monkeypatch.setattr(inbox, "take", counted)
    bodies = [shop_words.body({"id": number}) for number in range(1, 101)]
    answers = await asyncio.gather(
        *(_send(world, raw, shop_words.headers(raw, "orders/create")) for raw in bodies)
    )
    assert {answer.status_code for answer in answers} == {200}
    assert sum(sizes) == len(await _kept(world)) == 100
    assert len(sizes) < 100


async def test_only_a_post_is_a_delivery(world: World) -> None:
    raw = shop_words.body(ORDER)
    for method in ("GET", "PUT", "DELETE"):
        await _send(world, raw, shop_words.headers(raw, "orders/create"), method=method)
    assert await _kept(world) == []


async def test_a_flood_ends_in_one_reading_of_the_whole_store(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "MOST_WAITING", 10)
    for number in range(1, 16):
        raw = shop_words.body({"id": number})
        headers = shop_words.headers(raw, "orders/create")
        assert (await _send(world, raw, headers)).status_code == 200
    assert len(await _kept(world)) == 10
    (row,) = await world.sql("SELECT next_sync_at FROM store")
    assert row[0] is not None
    # What nobody says again still fits, up to a bound of its own.
    raw = b'{"id": 1}'
    for number in range(12):
        headers = shop_words.headers(raw, "app/uninstalled", webhook_id=f"u-{number}")
        status = (await _send(world, raw, headers)).status_code
        assert status == (200 if number < 10 else 503)
    assert len(await _kept(world)) == 20


async def test_what_was_settled_since_the_last_count_leaves_room_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "MOST_WAITING", 5)
    piles = inbox.Piles()

    async def keep(*numbers: int) -> list[bool]:
        said = [
            Delivery(HARBOR, f"w-{n}", "orders/create", Act.REFETCH, Stage.ORDERS, n)
            for n in numbers
        ]
        return await world.rt.db.write(inbox.take, said, piles)

    assert await keep(1, 2, 3) == [True] * 3
    await world.rt.db.write(inbox.settle, "harbor-and-pine-id", ["w-1", "w-2", "w-3"])
    # Remembered, not counted: the three are taken for waiting still.
    assert await keep(4) == [True]
    assert piles.waiting == {"harbor-and-pine-id": 4}
    # One commit may fill it to the limit, and the next looks what is true.
    assert await keep(5) == [True]
    assert await keep(6, 7, 8) == [True] * 3
    assert piles.waiting == {"harbor-and-pine-id": 5}
    assert len(await _kept(world)) == 8
    (row,) = await world.sql("SELECT next_sync_at FROM store")
    assert row[0] is None


async def test_unreadable_bodies_pile_up_to_a_bound(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "MOST_ASIDE", 3)
    for _ in range(6):
        raw = b'{"nothing": "known"}'
        headers = shop_words.headers(raw, "orders/create")
        assert (await _send(world, raw, headers)).status_code == 200
    standing = await webhooks.standing(world.rt, "harbor-and-pine-id")
    assert (standing.waiting, standing.aside) == (0, 3)


async def test_settled_deliveries_are_forgotten_in_time_and_beyond_a_bound(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 11):
        raw = shop_words.body({"id": number})
        headers = shop_words.headers(raw, "orders/create", webhook_id=f"w-{number:02}")
        await _send(world, raw, headers)
    write, store = world.rt.db.write, "harbor-and-pine-id"
    for number in range(1, 10):
        await write(inbox.settle, store, [f"w-{number:02}"])
    assert await write(inbox.purge, store) == 0
    monkeypatch.setattr(inbox, "MOST_DONE", 4)
    await write(inbox.purge, store)
    left = {row[0] for row in await _kept(world)}
    assert "w-10" in left
    assert len(left) <= 5
    await world.sql("UPDATE inbox SET done_at = received_at WHERE done_at IS NOT NULL")
    monkeypatch.setattr(inbox, "KEPT", -inbox.KEPT)
    await write(inbox.purge, store)
    assert {row[0] for row in await _kept(world)} == {"w-10"}


@pytest.fixture
async def quiet(sqlite_url: str) -> AsyncIterator[World]:
    async with open_world(sqlite_url) as opened:
        await opened.rt.db.write(make_store, "harbor-and-pine")
        yield opened


_KEYS = st.sampled_from(
    "id order_id customer shop_domain orders_to_redact orders_requested data_request "
    "admin_graphql_api_id admin_graphql_api_customer_kept_id "
    "admin_graphql_api_customer_deleted_id".split()
) | st.text(max_size=8)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=12,
)
_ALL_TOPICS = tuple(
    "orders/create orders/delete products/update customers/merge customers/redact shop/redact "
    "customers/data_request refunds/create bulk_operations/finish app/uninstalled "
    "app/scopes_update".split()
)
_TOPICS = st.sampled_from((*_ALL_TOPICS, "themes/publish"))


async def test_whatever_a_signed_body_holds_it_is_no_server_error(quiet: World) -> None:
    receiver = webhooks.Receiver(quiet.rt)
    found: list[int] = []
    cases: list[tuple[str, bytes]] = []

    @settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
    @given(topic=_TOPICS, told=_JSON.map(lambda v: json.dumps(v).encode()) | st.binary(max_size=60))
    def collect(topic: str, told: bytes) -> None:
        cases.append((topic, told))

    await asyncio.to_thread(collect)
    for topic, raw in cases:
        headers = [
            (name.lower().encode(), value.encode())
            for name, value in shop_words.headers(raw, topic).items()
        ]
        found.append(int(await receiver.receive(headers, raw)))
    assert len(found) >= 100
    assert set(found) <= {200, 401}
    assert all(status == 200 for status, (_, raw) in zip(found, cases, strict=True) if raw)


_MADE_UP = 100_000
# What an allocator may keep for itself; the bodies of all deliveries come to 80 MB.
_NOISE_BYTES = 12 << 20


def _resident() -> int:
    """Bytes of memory that this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


@pytest.mark.timeout(900)
async def test_a_hundred_thousand_made_up_deliveries_leave_no_error_and_no_memory(
    quiet: World,
) -> None:
    """Signed and unsigned, whole and broken; a mutated Shopify rather than hypothesis' shapes."""
    receiver = webhooks.Receiver(quiet.rt)
    chance = random.Random(7)
    topics = (*_ALL_TOPICS, "themes/publish", "orders", "", "x" * 300, "orders/create\x00")
    seeds = [
        shop_words.body(one)
        for one in (
            {"id": 7, "email": "a@b.c", "line_items": [{"id": 1}]},
            # Long, so that bodies that are kept somewhere are much to hold.
            {"id": 8, "note": "n" * 4_000},
            {"shop_domain": HARBOR, "customer": {"id": 5}, "orders_to_redact": [7]},
            {"admin_graphql_api_id": "gid://shopify/BulkOperation/1"},
            [[[]]],
        )
    ]
    found: dict[int, int] = {}
    sizes: list[int] = []
    resident: list[int] = []
    batch: list[Any] = []
    for number in range(_MADE_UP):
        raw = bytearray(chance.choice(seeds))
        for _ in range(chance.randrange(4)):
            at = chance.randrange(len(raw))
            raw[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        headers = shop_words.headers(bytes(raw), chance.choice(topics))
        if chance.random() < 0.2:
            headers[chance.choice(list(headers))] = chance.choice(("", "x" * 5_000, "\xff", "0"))
        pairs = [(k.lower().encode(), v.encode("latin-1", "replace")) for k, v in headers.items()]
        chance.shuffle(pairs)
        if chance.random() < 0.05:
            pairs.append(chance.choice(pairs))
        batch.append(receiver.receive(pairs, bytes(raw)))
        if len(batch) == 100:
            for answer in map(int, await asyncio.gather(*batch)):
                found[answer] = found.get(answer, 0) + 1
            batch.clear()
        if number % (_MADE_UP // 5) == _MADE_UP // 5 - 1:
            gc.collect()
            sizes.append(len(gc.get_objects()))
            resident.append(_resident())
    assert set(found) <= {200, 401, 503}, found
    assert found[200] > _MADE_UP // 5
    # What is asked for again beyond the bound is refused by design; objects do not pile up.
    assert sizes[-1] < sizes[0] * 1.1
    # And no bytes, which are nothing that a collector counts.
    assert resident[-1] < resident[0] + _NOISE_BYTES
    rows = await quiet.sql("SELECT count(*) FROM inbox")
    assert rows[0][0] <= 2 * inbox.MOST_WAITING + inbox.MOST_ASIDE
