"""A shop's webhook subscriptions, with the refusals that Shopify has for them."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from brandmind.simulator.config import LATEST_VERSION
from brandmind.simulator.moments import iso
from brandmind.simulator.nodes import Node, gid
from brandmind.simulator.paging import Page, page_of

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_FIRST_ID = 1_967_000_000_000
_OWNERS = {
    "ORDERS": "read_orders",
    "REFUNDS": "read_orders",
    "PRODUCTS": "read_products",
    "CUSTOMERS": "read_customers",
}
_TWO_WORDS = ("SCOPES_UPDATE", "PURCHASING_SUMMARY")
_numbers = itertools.count(_FIRST_ID)


def spoken(topic: str) -> str:
    """A topic of the schema as deliveries name it: ORDERS_CREATE is orders/create."""
    for verb in _TWO_WORDS:
        if topic.endswith(verb):
            return f"{topic.removesuffix('_' + verb)}/{verb}".lower()
    noun, _, verb = topic.rpartition("_")
    return f"{noun}/{verb}".lower()


def scope_for(topic: str) -> str | None:
    """The scope that a topic of the schema takes."""
    if topic == "CUSTOMERS_MERGE":
        return "read_customer_merge"
    return _OWNERS.get(topic.partition("_")[0])


@dataclass(slots=True)
class Subscription:
    """One topic that goes to one address."""

    topic: str
    uri: str
    include: list[str]
    name: str | None
    filter: str | None
    made_at: float
    changed_at: float
    number: int = field(default_factory=_numbers.__next__)
    failed: int = 0

    @property
    def gid(self) -> str:
        """Its global id."""
        return gid("WebhookSubscription", self.number)

    def node(self) -> Node:
        """As the API shows it."""
        return {
            "__typename": "WebhookSubscription",
            "id": self.gid,
            "legacyResourceId": str(self.number),
            "topic": self.topic,
            "uri": self.uri,
            "format": "JSON",
            "includeFields": self.include,
            "metafieldNamespaces": [],
            "name": self.name,
            "filter": self.filter,
            "createdAt": iso(int(self.made_at)),
            "updatedAt": iso(int(self.changed_at)),
            "apiVersion": {
                "displayName": LATEST_VERSION,
                "handle": LATEST_VERSION,
                "supported": True,
            },
        }


class Subscriptions:
    """Those of one shop."""

    def __init__(self) -> None:
        self.held: dict[str, Subscription] = {}
        self.last_uri: str | None = None

    def of(self, topic: str) -> list[Subscription]:
        """Who wants that topic (as deliveries name it)."""
        return [one for one in self.held.values() if spoken(one.topic) == topic]

    def create(
        self, topic: str, asked: dict[str, Any], scopes: frozenset[str], *, protected: bool
    ) -> Node:
        """The payload of webhookSubscriptionCreate; `protected`: the app is not approved."""
        uri = asked.get("uri") or ""
        error = _address_error(uri) or self._taken(topic, uri, None)
        scope = scope_for(topic)
        if error is None and scope is not None and scope not in scopes:
            error = _error(
                "topic",
                "You do not have permission to create or update webhooks with "
                f"{spoken(topic)} topic",
            )
        if error is None and protected and scope in ("read_orders", "read_customers"):
            error = _error(
                "topic",
                "This app is not approved to subscribe to webhook topics containing protected "
                "customer data.",
            )
        if error is not None:
            return {"webhookSubscription": None, "userErrors": [error]}
        now = time.time()
        made = Subscription(
            topic,
            uri,
            list(asked.get("includeFields") or ()),
            asked.get("name"),
            asked.get("filter"),
            now,
            now,
        )
        self.held[made.gid] = made
        self.last_uri = uri
        return {"webhookSubscription": made.node(), "userErrors": []}

    def update(self, text: str, asked: dict[str, Any]) -> Node:
        """The payload of webhookSubscriptionUpdate."""
        found = self.held.get(text)
        if found is None:
            return {"webhookSubscription": None, "userErrors": [_missing()]}
        uri = asked.get("uri", found.uri) or ""
        if error := _address_error(uri) or self._taken(found.topic, uri, found):
            return {"webhookSubscription": None, "userErrors": [error]}
        found.uri = self.last_uri = uri
        if "includeFields" in asked:
            found.include = list(asked["includeFields"] or ())
        found.name = asked.get("name", found.name)
        found.filter = asked.get("filter", found.filter)
        found.changed_at = time.time()
        return {"webhookSubscription": found.node(), "userErrors": []}

    def delete(self, text: str) -> Node:
        """The payload of webhookSubscriptionDelete."""
        if self.held.pop(text, None) is None:
            return {"deletedWebhookSubscriptionId": None, "userErrors": [_missing()]}
        return {"deletedWebhookSubscriptionId": text, "userErrors": []}

    def find(self, text: str) -> Node | None:
        """A subscription by its global id."""
        found = self.held.get(text)
        return None if found is None else found.node()

    def page(self, arguments: dict[str, Any]) -> Page:
        """A page of them, by the time they were made or by id."""
        topics, uri = arguments.get("topics"), arguments.get("uri")
        chosen = [
            one
            for one in self.held.values()
            if (topics is None or one.topic in topics) and (uri is None or one.uri == uri)
        ]
        by_id = arguments.get("sortKey") == "ID"
        pairs = [
            ((str(one.number) if by_id else int(one.made_at * 1000), one.number), one)
            for one in chosen
        ]
        pairs.sort(key=lambda pair: pair[0])
        rows = [one.node() for _, one in pairs]
        return page_of(rows, [key for key, _ in pairs], arguments)

    def clear(self) -> None:
        """An uninstall: all go; where they went is remembered for what comes later."""
        self.held.clear()

    def _taken(self, topic: str, uri: str, own: Subscription | None) -> dict[str, Any] | None:
        for one in self.held.values():
            if one is not own and (one.topic, one.uri) == (topic, uri):
                return _error("callbackUrl", "Address for this topic has already been taken")
        return None


def _address_error(uri: str) -> dict[str, Any] | None:
    parts = urlsplit(uri)
    if parts.hostname in LOOPBACK and parts.scheme in ("http", "https"):
        # The one kindness of a local Shopify: Shopify itself posts to no such address.
        return None
    if not uri:
        return _error("callbackUrl", "Address can't be blank")
    if parts.scheme != "https":
        return _error("callbackUrl", f"Address protocol {parts.scheme}:// is not supported")
    host = parts.hostname or ""
    if host.endswith((".shopify.com", ".myshopify.com", ".local", ".internal")) or "." not in host:
        return _error("callbackUrl", "Address cannot be a Shopify or an internal domain")
    return None


def _error(field_name: str, message: str) -> dict[str, Any]:
    inside = ["topic"] if field_name == "topic" else ["webhookSubscription", field_name]
    return {"field": inside, "message": message}


def _missing() -> dict[str, Any]:
    return {"field": ["id"], "message": "Webhook subscription does not exist"}
