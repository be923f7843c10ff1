"""A shop's subscriptions become what we want, and what is not ours is left alone."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from brandmind.errors import ShopifyUnavailable
from brandmind.shopify import subscribing
from brandmind.shopify.webhooks import WANTED, Wanted
from tests.unit.shopify.double import Shop, client_of

HERE = "https://brandmind.example.com/webhooks/shopify"
FEW = (Wanted("ORDERS_CREATE", "read_orders", ("id",)), Wanted("APP_UNINSTALLED", ""))


class Subscriptions(Shop):
    """A shop that keeps subscriptions."""

    def __init__(self, *nodes: dict[str, Any], refuses: str = "") -> None:
        self.nodes = [{"includeFields": []} | node for node in nodes]
        self.refuses = refuses
        super().__init__(
            Webhooks=self._list,
            WebhookCreate=self._create,
            WebhookUpdate=self._update,
            WebhookDelete=self._delete,
        )

    def _list(self, asked: dict[str, Any]) -> Any:
        start = int(asked["after"] or 0)
        some = self.nodes[start : start + 2]
        page = {"hasNextPage": start + 2 < len(self.nodes), "endCursor": str(start + 2)}
        return {"webhookSubscriptions": {"pageInfo": page, "nodes": some}}

    def _create(self, asked: dict[str, Any]) -> Any:
        if asked["topic"] == self.refuses:
            errors = [{"field": ["topic"], "message": "You cannot have this one."}]
            return {"webhookSubscriptionCreate": {"userErrors": errors}}
        made = {"id": f"new-{len(self.nodes)}", "topic": asked["topic"], **asked["settings"]}
        self.nodes.append(made)
        return {"webhookSubscriptionCreate": {"webhookSubscription": made, "userErrors": []}}

    def _update(self, asked: dict[str, Any]) -> Any:
        for node in self.nodes:
            if node["id"] == asked["id"]:
                node.update(asked["settings"])
        return {"webhookSubscriptionUpdate": {"webhookSubscription": {}, "userErrors": []}}

    def _delete(self, asked: dict[str, Any]) -> Any:
        self.nodes = [node for node in self.nodes if node["id"] != asked["id"]]
        return {"webhookSubscriptionDelete": {"userErrors": []}}

    def topics(self) -> list[tuple[str, str]]:
        return sorted((node["topic"], node["uri"]) for node in self.nodes)


async def test_what_is_missing_is_made_and_a_second_look_changes_nothing() -> None:
    shop = Subscriptions()
    client = client_of(shop)
    assert await subscribing.mend(client, WANTED, uri=HERE) == {}
    assert shop.topics() == sorted((one.topic, HERE) for one in WANTED)
    fields = {node["topic"]: node["includeFields"] for node in shop.nodes}
    assert fields["ORDERS_CREATE"] == ["id"]
    assert fields["REFUNDS_CREATE"] == ["id", "order_id"]
    made = shop.times("WebhookCreate")
    assert await subscribing.mend(client, WANTED, uri=HERE) == {}
    assert shop.times("WebhookCreate") == made == len(WANTED)
    assert shop.times("WebhookUpdate") == shop.times("WebhookDelete") == 0


async def test_an_old_address_is_moved_and_a_double_removed() -> None:
    old = "https://old.example.com/webhooks/shopify"
    shop = Subscriptions(
        {"id": "1", "topic": "ORDERS_CREATE", "uri": old},
        {"id": "2", "topic": "APP_UNINSTALLED", "uri": old},
        {"id": "3", "topic": "APP_UNINSTALLED", "uri": HERE},
    )
    assert await subscribing.mend(client_of(shop), FEW, uri=HERE) == {}
    assert shop.topics() == [("APP_UNINSTALLED", HERE), ("ORDERS_CREATE", HERE)]


async def test_more_fields_than_wanted_are_taken_back() -> None:
    shop = Subscriptions(
        {"id": "1", "topic": "ORDERS_CREATE", "uri": HERE},
        {"id": "2", "topic": "APP_UNINSTALLED", "uri": HERE},
    )
    assert await subscribing.mend(client_of(shop), FEW, uri=HERE) == {}
    assert shop.nodes[0]["includeFields"] == ["id"]
    assert shop.times("WebhookUpdate") == 1


async def test_other_subscriptions_of_the_app_are_left_alone() -> None:
    other = ("THEMES_PUBLISH", "https://elsewhere.example.com/hooks")
    shop = Subscriptions({"id": "1", "topic": other[0], "uri": other[1]})
    await subscribing.mend(client_of(shop), FEW, uri=HERE)
    assert other in shop.topics()


async def test_a_topic_no_longer_wanted_goes() -> None:
    shop = Subscriptions({"id": "1", "topic": "ORDERS_PAID", "uri": HERE})
    await subscribing.mend(client_of(shop), FEW, uri=HERE)
    assert "ORDERS_PAID" not in dict(shop.topics())


async def test_what_was_made_in_an_attempt_whose_answer_was_lost_is_not_called_missing() -> None:
    class Lost(Subscriptions):
        def _create(self, asked: dict[str, Any]) -> Any:
            super()._create(asked)
            errors = [{"message": "Address for this topic has already been taken"}]
            return {"webhookSubscriptionCreate": {"userErrors": errors}}

    shop = Lost()
    assert await subscribing.mend(client_of(shop), FEW, uri=HERE) == {}
    assert len(shop.nodes) == len(FEW)


async def test_what_the_shop_refuses_is_named_with_its_reason_and_the_rest_is_made() -> None:
    shop = Subscriptions(refuses="ORDERS_CREATE")
    missing = await subscribing.mend(client_of(shop), FEW, uri=HERE)
    assert missing == {"ORDERS_CREATE": "You cannot have this one."}
    assert shop.topics() == [("APP_UNINSTALLED", HERE)]


async def test_a_shop_that_is_away_is_no_missing_subscription() -> None:
    shop = Subscriptions()
    shop.operations["Webhooks"] = lambda _: httpx.Response(503)
    with pytest.raises(ShopifyUnavailable):
        await subscribing.mend(client_of(shop), FEW, uri=HERE)
