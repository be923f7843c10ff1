"""A delivery is read for whose id it names, and for nothing else."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from brandmind.shopify import webhooks
from brandmind.shopify.webhooks import Heads
from brandmind.sync.deliveries import Act
from brandmind.sync.stages import Stage

VECTORS = json.loads((Path(__file__).parent / "hmac-vectors.json").read_text(encoding="utf-8"))
BODIES = [one for one in VECTORS if "base64" in one]
SHOP = "harbor-and-pine.myshopify.com"
GOOD = [
    (b"host", b"brandmind.example.com"),
    (b"x-shopify-topic", b"orders/create"),
    (b"x-shopify-hmac-sha256", b"abc="),
    (b"x-shopify-shop-domain", SHOP.encode()),
    (b"x-shopify-api-version", b"2026-10"),
    (b"x-shopify-webhook-id", b"b54557e4-bdd9-4b37-8a5f-bf7d70bcd043"),
    (b"x-shopify-triggered-at", b"2023-03-29T18:00:27.877041743Z"),
]


def heads(topic: str) -> Heads:
    return Heads("abc=", topic, SHOP, "id-1", datetime(2026, 11, 1, tzinfo=UTC))


@pytest.mark.parametrize("vector", BODIES, ids=lambda vector: vector["name"])
def test_a_webhook_is_signed_over_its_raw_bytes(vector: dict[str, Any]) -> None:
    raw = vector["body"].encode()
    assert webhooks.verify(raw, vector["base64"], ["newer", vector["secret"]])
    assert webhooks.verify(raw, vector["base64"], [vector["secret"], "older"])
    assert not webhooks.verify(raw + b" ", vector["base64"], [vector["secret"]])
    assert not webhooks.verify(raw, vector["base64"], ["newer"])
    assert not webhooks.verify(raw, vector["base64"], [])


def test_every_byte_of_a_body_is_signed() -> None:
    vector = BODIES[0]
    raw = bytearray(vector["body"].encode())
    for at in range(len(raw)):
        changed = bytes(raw[:at]) + bytes([raw[at] ^ 1]) + bytes(raw[at + 1 :])
        assert not webhooks.verify(changed, vector["base64"], [vector["secret"]])


def test_a_body_written_again_does_not_verify() -> None:
    vector = next(one for one in BODIES if "unicode" in one["name"])
    again = json.dumps(json.loads(vector["body"])).encode()
    assert not webhooks.verify(again, vector["base64"], [vector["secret"]])


def test_an_empty_body_header_or_secret_is_never_signed() -> None:
    assert not webhooks.verify(b"", "abc", ["secret"])
    assert not webhooks.verify(b"{}", "", ["secret"])
    assert not webhooks.verify(b"{}", None, ["secret"])
    assert not webhooks.verify(b"{}", "g8Nc0DRCnMEQxWJpWYHl0VVCuqoiXJMYdgVQy5PFVB8=", [""])


def test_whole_headers_are_read() -> None:
    found = webhooks.read_heads(GOOD)
    assert found is not None
    assert (found.topic, found.domain) == ("orders/create", SHOP)
    assert found.webhook_id == "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043"
    assert found.triggered_at == datetime(2023, 3, 29, 18, 0, 27, 877041, tzinfo=UTC)


@pytest.mark.parametrize(
    "name",
    [
        b"x-shopify-topic",
        b"x-shopify-hmac-sha256",
        b"x-shopify-shop-domain",
        b"x-shopify-webhook-id",
    ],
)
def test_a_header_that_is_missing_doubled_or_misshapen_makes_no_delivery(name: bytes) -> None:
    without = [(key, value) for key, value in GOOD if key != name]
    value = dict(GOOD)[name]
    assert webhooks.read_heads(without) is None
    assert webhooks.read_heads([*without, (name, b"")]) is None
    assert webhooks.read_heads([*GOOD, (name, value)]) is None
    assert webhooks.read_heads([*without, (name, value + b"\xff")]) is None
    if name != b"x-shopify-hmac-sha256":
        assert webhooks.read_heads([*without, (name, b"../../etc " + value)]) is None


def test_a_moment_that_cannot_be_read_is_no_moment() -> None:
    name = b"x-shopify-triggered-at"
    for value in (b"yesterday", b"2026-11-01T00:00:00", b"9" * 60, b"0001-01-01T00:00:00+23:59"):
        changed = [(key, value if key == name else old) for key, old in GOOD]
        found = webhooks.read_heads(changed)
        assert found is not None
        assert found.triggered_at is None


@pytest.mark.parametrize(
    ("topic", "told", "act", "stage", "shopify_id", "others"),
    [
        ("orders/create", {"id": 7, "email": "a@b.c"}, Act.REFETCH, Stage.ORDERS, 7, ()),
        ("orders/updated", {"id": 7}, Act.REFETCH, Stage.ORDERS, 7, ()),
        ("orders/delete", {"id": 7}, Act.CONFIRM_GONE, Stage.ORDERS, 7, ()),
        ("refunds/create", {"id": 9, "order_id": 7}, Act.REFETCH, Stage.ORDERS, 7, ()),
        ("products/update", {"id": 3}, Act.REFETCH, Stage.PRODUCTS, 3, ()),
        ("products/delete", {"id": 3}, Act.CONFIRM_GONE, Stage.PRODUCTS, 3, ()),
        ("customers/update", {"id": 5}, Act.REFETCH, Stage.CUSTOMERS, 5, ()),
        (
            "customers/merge",
            {
                "admin_graphql_api_customer_kept_id": "gid://shopify/Customer/5",
                "admin_graphql_api_customer_deleted_id": "gid://shopify/Customer/6",
            },
            Act.MERGE,
            Stage.CUSTOMERS,
            5,
            (6,),
        ),
        ("app/uninstalled", {"id": 1, "myshopify_domain": None}, Act.UNINSTALL, None, None, ()),
        ("app/scopes_update", {"current": []}, Act.SCOPES, None, None, ()),
        (
            "bulk_operations/finish",
            {"admin_graphql_api_id": "gid://shopify/BulkOperation/72"},
            Act.BULK,
            None,
            72,
            (),
        ),
        (
            "customers/redact",
            {"shop_domain": SHOP, "customer": {"id": 5}, "orders_to_redact": [8, 7]},
            Act.REDACT_CUSTOMER,
            Stage.CUSTOMERS,
            5,
            (7, 8),
        ),
        (
            "customers/data_request",
            {
                "shop_domain": SHOP,
                "customer": {"id": 5},
                "orders_requested": [7],
                "data_request": {"id": 1},
            },
            Act.DATA_REQUEST,
            Stage.CUSTOMERS,
            5,
            (7,),
        ),
        ("shop/redact", {"shop_domain": SHOP, "shop_id": 1}, Act.REDACT_SHOP, None, None, ()),
    ],
)
def test_a_delivery_is_reduced_to_its_ids(
    topic: str,
    told: dict[str, Any],
    act: Act,
    stage: Stage | None,
    shopify_id: int | None,
    others: tuple[int, ...],
) -> None:
    found = webhooks.reduced(heads(topic), json.dumps(told).encode())
    assert found is not None
    assert (found.act, found.stage, found.shopify_id, found.others) == (
        act,
        stage,
        shopify_id,
        others,
    )
    assert "a@b.c" not in repr(found)


def test_a_data_request_is_known_by_its_own_id_and_that_of_its_customer() -> None:
    def known_by(**told: Any) -> str:
        raw = json.dumps({"shop_domain": SHOP, "customer": {"id": 5}} | told).encode()
        found = webhooks.reduced(heads("customers/data_request"), raw)
        assert found is not None
        assert found.act is Act.DATA_REQUEST
        return found.webhook_id

    plain = heads("customers/data_request").webhook_id
    named = {
        known_by(data_request={"id": 1}),
        known_by(data_request={"id": 2}),
        known_by(data_request={"id": 1}, customer={"id": 6}),
    }
    assert len(named) == 3
    assert known_by(data_request={"id": 1}, orders_requested=[7]) in named
    # No header can name a delivery like that, and so keep a request from being heard.
    for name in named:
        key = b"x-shopify-webhook-id"
        pairs = [(one, name.encode() if one == key else value) for one, value in GOOD]
        assert webhooks.read_heads(pairs) is None
    for odd in ({}, {"id": "x"}, {"id": None}, None, 7, [1]):
        assert known_by(data_request=odd) == plain


def test_a_privacy_body_counts_only_for_its_own_shop_and_topic() -> None:
    redact = {"shop_domain": SHOP, "customer": {"id": 5}, "orders_to_redact": [7]}
    request = {"shop_domain": SHOP, "customer": {"id": 5}, "data_request": {"id": 1}}
    shop = {"shop_domain": SHOP, "shop_id": 1}
    for topic, told in (
        ("customers/redact", redact | {"shop_domain": "other.myshopify.com"}),
        ("customers/redact", {"customer": {"id": 5}}),
        ("customers/redact", request),
        ("customers/data_request", redact),
        ("shop/redact", redact),
        ("shop/redact", request),
        ("customers/redact", shop),
        # An order's body, signed by Shopify, sent again under another topic.
        ("shop/redact", {"id": 7, "customer": {"id": 5}}),
        ("customers/redact", {"id": 7, "customer": {"id": 5}}),
    ):
        assert webhooks.reduced(heads(topic), json.dumps(told).encode()) is None, (topic, told)


@pytest.mark.parametrize(
    "raw",
    [
        b"not json",
        b"[]",
        b"null",
        b"{}",
        b'{"id": null}',
        b'{"id": true}',
        b'{"id": 0}',
        b'{"id": -7}',
        b'{"id": 1.5}',
        b'{"id": 9223372036854775808}',
        b'{"id": {"id": 7}}',
        b'{"id": "seven"}',
        b"[" * 5_000,
    ],
)
def test_a_body_that_names_no_id_is_unreadable(raw: bytes) -> None:
    found = webhooks.reduced(heads("orders/create"), raw)
    assert found is not None
    assert found.act is Act.UNREADABLE
    assert found.shopify_id is None


def test_a_topic_that_means_nothing_to_us_says_nothing() -> None:
    assert webhooks.reduced(heads("themes/publish"), b'{"id": 7}') is None


def test_what_we_subscribe_to_is_what_we_understand() -> None:
    for one in webhooks.WANTED:
        assert webhooks.spoken(one.topic) in webhooks._ACTS, one.topic


def test_only_topics_are_wanted_that_the_scopes_allow() -> None:
    few = {one.topic for one in webhooks.wanted({"write_products"})}
    assert {"PRODUCTS_CREATE", "APP_UNINSTALLED", "BULK_OPERATIONS_FINISH"} <= few
    assert not few & {"ORDERS_CREATE", "REFUNDS_CREATE", "CUSTOMERS_MERGE"}
    every = {"read_products", "read_orders", "read_customers", "read_customer_merge"}
    assert webhooks.wanted(every) == webhooks.WANTED
