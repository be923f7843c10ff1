"""Webhooks: subscriptions, what is sent when, signed how, and tried how often."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import httpx
import pytest

from brandmind.simulator.config import CLIENT_SECRET
from brandmind.simulator.live import happen
from brandmind.simulator.subscriptions import spoken
from brandmind.simulator.webhook_post import FIRST_RETRY_S, RETRIES, Post
from tests.unit.simulator.shopper import AS_OF, SHOP, Shopper, opened
from tests.unit.simulator.test_simulator_bulk import ended, started

CREATE = """
mutation Create($topic: WebhookSubscriptionTopic!, $sub: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $sub) {
    webhookSubscription { id topic uri format includeFields name apiVersion { handle } }
    userErrors { field message }
  }
}
"""
UPDATE = """
mutation Update($id: ID!, $sub: WebhookSubscriptionInput!) {
  webhookSubscriptionUpdate(id: $id, webhookSubscription: $sub) {
    webhookSubscription { id uri includeFields } userErrors { field message }
  }
}
"""
DELETE = """
mutation Delete($id: ID!) {
  webhookSubscriptionDelete(id: $id) {
    deletedWebhookSubscriptionId userErrors { field message }
  }
}
"""
LIST = """
query List($first: Int!, $after: String, $topics: [WebhookSubscriptionTopic!]) {
  webhookSubscriptions(first: $first, after: $after, topics: $topics) {
    nodes { id topic uri includeFields } pageInfo { hasNextPage endCursor }
  }
}
"""
URI = "http://127.0.0.1:3000/webhooks/shopify"
PRIVACY_URI = "http://localhost:3000/privacy"


class Inbox:
    """An app's endpoint: keeps what comes and answers what it is told to."""

    def __init__(self) -> None:
        self.got: list[httpx.Request] = []
        self.answers: list[int] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.got.append(request)
        return httpx.Response(self.answers.pop(0) if self.answers else 200)

    def bodies(self, topic: str) -> list[dict[str, Any]]:
        return [
            json.loads(one.content) for one in self.got if one.headers["x-shopify-topic"] == topic
        ]

    @property
    def topics(self) -> list[str]:
        return [one.headers["x-shopify-topic"] for one in self.got]


def the_post(shopper: Shopper) -> Post:
    shop = shopper.world.shop(SHOP)
    assert shop is not None
    return shop.post


@asynccontextmanager
async def listening(*topics: str, **changes: Any) -> AsyncIterator[tuple[Shopper, Inbox]]:
    async with opened(**changes) as shopper:
        inbox = Inbox()
        post = the_post(shopper)
        post.transport = httpx.MockTransport(inbox)
        post.scale = 0.0
        for topic in topics:
            made = await subscribed(shopper, topic)
            assert made["userErrors"] == []
        yield shopper, inbox


async def subscribed(shopper: Shopper, topic: str, **settings: Any) -> dict[str, Any]:
    data = await shopper.data(CREATE, topic=topic, sub={"uri": URI} | settings)
    found: dict[str, Any] = data["webhookSubscriptionCreate"]
    return found


async def delivered(shopper: Shopper) -> None:
    """Returns when nothing is on its way any more."""
    async with asyncio.timeout(20):
        while the_post(shopper).waiting:
            await asyncio.sleep(0.001)


def an_order(shopper: Shopper) -> str:
    shop = shopper.world.shop(SHOP)
    assert shop is not None
    brand = shop.brand
    row = next(
        i for i in brand.order_ids() if not brand.book.fate[i] and brand.book.customer[i] >= 0
    )
    return brand.order_gid(row)


async def test_subscriptions_are_made_listed_changed_and_deleted() -> None:
    async with opened() as shopper:
        first = await subscribed(shopper, "ORDERS_CREATE", includeFields=["id"], name="mine")
        second = await subscribed(shopper, "PRODUCTS_UPDATE")
        page = (await shopper.data(LIST, first=1))["webhookSubscriptions"]
        rest = await shopper.data(LIST, first=9, after=page["pageInfo"]["endCursor"])
        chosen = await shopper.data(LIST, first=9, topics=["PRODUCTS_UPDATE"])
        one = first["webhookSubscription"]
        moved = await shopper.data(UPDATE, id=one["id"], sub={"uri": URI + "/2"})
        gone = await shopper.data(DELETE, id=one["id"])
        again = await shopper.data(DELETE, id=one["id"])
        left = (await shopper.data(LIST, first=9))["webhookSubscriptions"]["nodes"]
    assert one["apiVersion"]["handle"] == "2026-10"
    assert (one["format"], one["includeFields"], one["name"]) == ("JSON", ["id"], "mine")
    assert [node["id"] for node in page["nodes"]] == [one["id"]]
    assert page["pageInfo"]["hasNextPage"]
    other = second["webhookSubscription"]["id"]
    for found in (rest, chosen):
        assert [node["id"] for node in found["webhookSubscriptions"]["nodes"]] == [other]
    assert moved["webhookSubscriptionUpdate"]["webhookSubscription"]["uri"] == URI + "/2"
    assert gone["webhookSubscriptionDelete"]["deletedWebhookSubscriptionId"] == one["id"]
    assert again["webhookSubscriptionDelete"]["userErrors"] == [
        {"field": ["id"], "message": "Webhook subscription does not exist"}
    ]
    assert [node["id"] for node in left] == [other]


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("http://example.com/hook", "Address protocol http:// is not supported"),
        ("https://some.myshopify.com/h", "Address cannot be a Shopify or an internal domain"),
        ("https://intranet/h", "Address cannot be a Shopify or an internal domain"),
        ("", "Address can't be blank"),
    ],
)
async def test_addresses_that_shopify_refuses_are_refused(uri: str, message: str) -> None:
    async with opened() as shopper:
        refused = await subscribed(shopper, "ORDERS_CREATE", uri=uri)
        kept = (await subscribed(shopper, "ORDERS_CREATE"))["webhookSubscription"]["id"]
        moved = await shopper.data(UPDATE, id=kept, sub={"uri": uri})
    error = {"field": ["webhookSubscription", "callbackUrl"], "message": message}
    assert refused == {"webhookSubscription": None, "userErrors": [error]}
    assert moved["webhookSubscriptionUpdate"]["userErrors"] == [error]


async def test_a_topic_goes_to_an_address_once_and_needs_its_scope() -> None:
    async with opened() as shopper:
        await subscribed(shopper, "ORDERS_CREATE")
        twice = await subscribed(shopper, "ORDERS_CREATE")
        merge = await subscribed(shopper, "CUSTOMERS_MERGE")
        await shopper.mint(scopes=["read_products"])
        orders = await subscribed(shopper, "ORDERS_UPDATED")
        await shopper.control("config", {"protected_data": False})
        await shopper.mint()
        protected = await subscribed(shopper, "CUSTOMERS_CREATE")
        products = await subscribed(shopper, "PRODUCTS_CREATE")
    assert "already been taken" in twice["userErrors"][0]["message"]
    assert "customers/merge topic" in merge["userErrors"][0]["message"]
    assert "orders/updated topic" in orders["userErrors"][0]["message"]
    assert "protected customer data" in protected["userErrors"][0]["message"]
    assert products["userErrors"] == []


def test_topics_are_spoken_as_deliveries_name_them() -> None:
    names = {
        "ORDERS_CREATE": "orders/create",
        "BULK_OPERATIONS_FINISH": "bulk_operations/finish",
        "APP_SCOPES_UPDATE": "app/scopes_update",
        "APP_UNINSTALLED": "app/uninstalled",
    }
    assert {topic: spoken(topic) for topic in names} == names


async def test_a_delivery_is_signed_over_its_raw_bytes_with_all_headers() -> None:
    async with listening("ORDERS_CREATE") as (shopper, inbox):
        await shopper.control("orders", {"count": 1, "at": AS_OF})
        await delivered(shopper)
    (request,) = inbox.got
    digest = hmac.new(CLIENT_SECRET.encode(), request.content, hashlib.sha256).digest()
    assert request.headers["x-shopify-hmac-sha256"] == base64.b64encode(digest).decode()
    assert request.headers["x-shopify-topic"] == "orders/create"
    assert request.headers["x-shopify-shop-domain"] == SHOP
    assert request.headers["x-shopify-api-version"] == "2026-10"
    assert request.headers["x-shopify-triggered-at"].endswith("Z")
    assert request.headers["x-shopify-webhook-id"] != request.headers["x-shopify-event-id"]
    assert b"gid:\\/\\/shopify\\/Order\\/" in request.content
    assert json.dumps(json.loads(request.content)).encode() != request.content


async def test_an_order_is_told_in_the_rest_shape() -> None:
    async with listening("ORDERS_UPDATED") as (shopper, inbox):
        order = an_order(shopper)
        await shopper.control("touch", {"ids": [order], "at": AS_OF})
        await delivered(shopper)
    (body,) = inbox.bodies("orders/updated")
    assert (body["id"], body["admin_graphql_api_id"]) == (int(order.rpartition("/")[2]), order)
    assert body["updated_at"] == "2026-11-20T10:00:00-05:00"
    assert isinstance(body["total_price"], str)
    assert body["total_price_set"]["shop_money"]["amount"] == body["total_price"]
    assert isinstance(body["tags"], str)
    assert all(isinstance(line["id"], int) for line in body["line_items"])
    assert not {"tags", "total_spent", "orders_count", "email_marketing_consent"} & set(
        body["customer"]
    )


async def test_the_order_of_a_guest_has_no_customer_at_all() -> None:
    async with listening("ORDERS_UPDATED") as (shopper, inbox):
        brand = shopper.world.shop(SHOP).brand  # type: ignore[union-attr]
        guest = next(i for i in brand.order_ids() if brand.book.customer[i] < 0)
        await shopper.control("touch", {"ids": [brand.order_gid(guest)]})
        await delivered(shopper)
    (body,) = inbox.bodies("orders/updated")
    assert "customer" not in body


@pytest.mark.parametrize(
    ("how", "topics"),
    [
        ("add", ["orders/updated"]),
        ("return", ["refunds/create", "orders/updated"]),
        ("cancel", ["refunds/create", "orders/cancelled", "orders/updated"]),
    ],
)
async def test_one_act_is_one_event_in_several_topics(how: str, topics: list[str]) -> None:
    wanted = ("ORDERS_UPDATED", "ORDERS_CANCELLED", "REFUNDS_CREATE")
    async with listening(*wanted) as (shopper, inbox):
        order = an_order(shopper)
        await shopper.control("edit", {"ids": [order], "how": how, "at": AS_OF})
        await delivered(shopper)
    assert inbox.topics == topics
    assert len({one.headers["x-shopify-event-id"] for one in inbox.got}) == 1
    assert len({one.headers["x-shopify-webhook-id"] for one in inbox.got}) == len(topics)
    for body in inbox.bodies("refunds/create"):
        assert body["order_id"] == int(order.rpartition("/")[2])
        assert body["transactions"][0]["kind"] == "refund"


async def test_products_customers_deletions_and_merges_are_told() -> None:
    topics = (
        "PRODUCTS_CREATE",
        "PRODUCTS_UPDATE",
        "PRODUCTS_DELETE",
        "CUSTOMERS_CREATE",
        "CUSTOMERS_UPDATE",
        "CUSTOMERS_DELETE",
        "CUSTOMERS_MERGE",
        "ORDERS_DELETE",
    )
    async with listening() as (shopper, inbox):
        await shopper.mint(
            scopes=["read_products", "read_orders", "read_customers", "read_customer_merge"]
        )
        for topic in topics:
            assert (await subscribed(shopper, topic))["userErrors"] == []
        product, customer = (await shopper.control("create", {"products": 1, "customers": 1}))[
            "ids"
        ]
        await shopper.control("touch", {"ids": [product]})
        order = an_order(shopper)
        await shopper.control("delete", {"ids": [product, order]})
        keep = "gid://shopify/Customer/7200000000000"
        await shopper.control("merge", {"keep": keep, "gone": customer})
        await delivered(shopper)
    assert sorted(inbox.topics) == [
        "customers/create",
        "customers/delete",
        "customers/merge",
        "customers/update",
        "orders/delete",
        "products/create",
        "products/delete",
        "products/update",
    ]
    (made,) = inbox.bodies("products/create")
    assert made["admin_graphql_api_id"] == product
    assert {one["product_id"] for one in made["variants"]} == {made["id"]}
    assert inbox.bodies("products/delete") == [{"id": made["id"]}]
    assert inbox.bodies("orders/delete") == [{"id": int(order.rpartition("/")[2])}]
    (gone,) = inbox.bodies("customers/delete")
    assert gone["admin_graphql_api_id"] == customer
    (merged,) = inbox.bodies("customers/merge")
    assert merged["admin_graphql_api_id_customer_kept"] == keep
    assert merged["admin_graphql_api_id_customer_deleted"] == customer


async def test_only_the_fields_that_were_asked_for_travel() -> None:
    async with listening() as (shopper, inbox):
        await subscribed(shopper, "ORDERS_CREATE", includeFields=["id", "order_id"])
        await shopper.control("orders", {"count": 1})
        await delivered(shopper)
    assert [list(body) for body in inbox.bodies("orders/create")] == [["id"]]


async def test_a_delivery_is_tried_again_with_the_same_id_and_bytes() -> None:
    async with listening("ORDERS_CREATE") as (shopper, inbox):
        inbox.answers = [500, 302, 404]
        await shopper.control("orders", {"count": 1})
        await delivered(shopper)
        log = (await shopper.control("webhooks", None, method="GET"))["deliveries"]
    assert len(inbox.got) == 4
    assert len({one.headers["x-shopify-webhook-id"] for one in inbox.got}) == 1
    assert len({one.content for one in inbox.got}) == 1
    assert [(one["attempt"], one["result"]) for one in log] == [
        (1, 500),
        (2, 302),
        (3, 404),
        (4, 200),
    ]


async def test_after_eight_retries_the_subscription_is_gone() -> None:
    async with listening("ORDERS_CREATE", "PRODUCTS_CREATE") as (shopper, inbox):
        inbox.answers = [503] * 99
        await shopper.control("orders", {"count": 1})
        await delivered(shopper)
        left = (await shopper.data(LIST, first=9))["webhookSubscriptions"]["nodes"]
    assert len(inbox.got) == RETRIES + 1
    assert [one["topic"] for one in left] == ["PRODUCTS_CREATE"]


def test_the_retries_take_four_hours_together() -> None:
    assert sum(FIRST_RETRY_S * 2**step for step in range(RETRIES)) == pytest.approx(4 * 3600)


async def test_deliveries_are_lost_doubled_and_shuffled_on_purpose() -> None:
    async with listening("ORDERS_CREATE") as (shopper, inbox):
        await shopper.control("faults", {"kind": "webhook-lost", "count": 2})
        await shopper.control("faults", {"kind": "webhook-twice", "count": 1})
        await shopper.control("orders", {"count": 4})
        await delivered(shopper)
        several = list(inbox.got)
        inbox.got.clear()
        await shopper.control("faults", {"kind": "webhook-shuffled", "seconds": 0.05})
        made = (await shopper.control("orders", {"count": 12}))["ids"]
        await delivered(shopper)
    ids = [one.headers["x-shopify-webhook-id"] for one in several]
    assert (len(ids), len(set(ids))) == (3, 2)
    arrived = [body["admin_graphql_api_id"] for body in inbox.bodies("orders/create")]
    assert sorted(arrived) == sorted(made)
    assert arrived != made


async def test_nothing_is_posted_to_another_machine() -> None:
    async with listening() as (shopper, inbox):
        await subscribed(shopper, "ORDERS_CREATE", uri="https://app.example.com/hook")
        await shopper.control("orders", {"count": 1})
        await delivered(shopper)
        log = (await shopper.control("webhooks", None, method="GET"))["deliveries"]
    assert inbox.got == []
    assert [one["result"] for one in log] == ["not loopback"]


async def test_an_uninstall_is_told_and_two_days_later_the_shop_is_to_be_erased() -> None:
    async with listening("APP_UNINSTALLED", "ORDERS_CREATE") as (shopper, inbox):
        await shopper.control("uninstall")
        await shopper.control("orders", {"count": 1})
        await delivered(shopper)
    assert inbox.topics == ["app/uninstalled", "shop/redact"]
    assert inbox.bodies("app/uninstalled")[0]["myshopify_domain"] is None
    assert inbox.bodies("shop/redact")[0]["shop_domain"] == SHOP


async def test_other_scopes_are_told_with_those_before() -> None:
    async with listening("APP_SCOPES_UPDATE") as (shopper, inbox):
        await shopper.control("scopes", {"remove": ["read_customers"]})
        await shopper.control("scopes", {"remove": ["read_customers"]})
        await delivered(shopper)
    (body,) = inbox.bodies("app/scopes_update")
    assert set(body["previous"]) - set(body["current"]) == {"read_customers"}


async def test_a_finished_export_is_told_in_lower_case() -> None:
    async with listening("BULK_OPERATIONS_FINISH") as (shopper, inbox):
        await shopper.control("faults", {"kind": "bulk-failed", "count": 1})
        for _ in range(2):
            text = "{ products { edges { node { id } } } }"
            operation = await ended(shopper, (await started(shopper, text))["id"])
        await delivered(shopper)
    failed, whole = inbox.bodies("bulk_operations/finish")
    assert (failed["status"], failed["error_code"]) == ("failed", "internal_server_error")
    assert whole == {
        "admin_graphql_api_id": operation["id"],
        "completed_at": operation["completedAt"],
        "created_at": whole["created_at"],
        "error_code": None,
        "status": "completed",
        "type": "query",
    }


@pytest.mark.needs_shared
async def test_privacy_topics_have_the_documented_fields(shared_data: Any) -> None:
    samples = json.loads((shared_data / "webhook-small-payloads.json").read_text("utf-8"))
    topics = ("customers/data_request", "customers/redact", "shop/redact")
    async with listening() as (shopper, inbox):
        await shopper.control("webhooks", {"privacy_uri": PRIVACY_URI})
        for topic in topics:
            await shopper.control(
                "privacy",
                {
                    "topic": topic,
                    "customer": "gid://shopify/Customer/7200000000000",
                    "orders": ["gid://shopify/Order/5900000000000"],
                },
            )
        await delivered(shopper)
    assert inbox.topics == list(topics)
    assert {str(one.url) for one in inbox.got} == {PRIVACY_URI}
    for topic in topics:
        (body,) = inbox.bodies(topic)
        assert body.keys() == samples[topic].keys()
        for name, value in body.items():
            assert isinstance(value, type(samples[topic][name]))
            if isinstance(value, dict):
                assert value.keys() == samples[topic][name].keys()


async def test_a_privacy_topic_without_an_address_or_a_customer_is_refused() -> None:
    async with opened() as shopper:
        for sent in (
            {"topic": "customers/forget"},
            {"topic": "shop/redact"},
        ):
            answer = await shopper.http.post(f"/__control/{SHOP}/privacy", json=sent)
            assert answer.status_code == 400
        await shopper.control("webhooks", {"privacy_uri": PRIVACY_URI})
        answer = await shopper.http.post(
            f"/__control/{SHOP}/privacy", json={"topic": "customers/redact"}
        )
    assert answer.json() == {"error": "customer is a gid://shopify/Customer/…."}


async def test_a_live_shop_gets_orders_with_their_webhooks() -> None:
    async with listening("ORDERS_CREATE", "ORDERS_UPDATED", "CUSTOMERS_CREATE") as (shopper, inbox):
        shop = shopper.world.shop(SHOP)
        assert shop is not None
        rng = Random(3)
        for minute in range(30):
            happen(shop, rng, AS_OF + minute * 60)
        await delivered(shopper)
        count = (await shopper.data("{ ordersCount { count } }"))["ordersCount"]["count"]
    assert count == 430
    assert inbox.topics.count("orders/create") == 30
    assert {"orders/updated", "customers/create"} <= set(inbox.topics)
