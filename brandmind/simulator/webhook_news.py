"""Which change is news for whom: changes of the brand become topics and bodies."""

from __future__ import annotations

import uuid
from typing import Any

from brandmind.simulator.brand import Brand
from brandmind.simulator.nodes import Node, parse_gid
from brandmind.simulator.webhook_bodies import Bodies
from brandmind.simulator.webhook_post import Post

_LISTS = {"Order": "orders", "Product": "products", "Customer": "customers"}
_UPDATES = {"Order": "updated", "Product": "update", "Customer": "update"}


class News:
    """Collects what happened, and tells it once the brand shows it."""

    def __init__(self, brand: Brand, post: Post) -> None:
        self._brand = brand
        self._post = post
        self._bodies = Bodies(brand.config.timezone)
        self._waiting: list[tuple[str, str, dict[str, Any]]] = []

    def tell(self, what: str, text: str, **facts: Any) -> None:
        """`what` is create, update, delete, refund, cancel or merge; `text` the global id."""
        if self._post.subscriptions.held:
            self._waiting.append((what, text, facts))

    def flush(self) -> None:
        """Everything collected is sent; bodies are of this moment."""
        waiting, self._waiting = self._waiting, []
        for what, text, facts in waiting:
            self._one(what, text, facts)

    def _one(self, what: str, text: str, facts: dict[str, Any]) -> None:
        parsed = parse_gid(text)
        if parsed is None or parsed[0] not in _LISTS:
            return
        kind, number = parsed
        event = str(uuid.uuid4())
        if what == "delete":
            body: dict[str, Any] = {"id": number}
            if kind == "Customer":
                body |= {"tax_exemptions": [], "admin_graphql_api_id": text}
            self._post.send(f"{_LISTS[kind]}/delete", body, event_id=event)
            return
        if what == "merge":
            body = {
                "admin_graphql_api_id_customer_kept": text,
                "admin_graphql_api_id_customer_deleted": facts["gone"],
                "admin_graphql_api_id_job": None,
                "status": "completed",
                "errors": [],
            }
            self._post.send("customers/merge", body, event_id=event)
            return
        node = self._brand.find(text)
        if node is not None:
            self._changed(what, kind, node, event)

    def _changed(self, what: str, kind: str, node: Node, event: str) -> None:
        send = self._post.send
        if what in ("refund", "cancel") and self._wants("refunds/create"):
            for refund in node["refunds"]:
                send("refunds/create", self._bodies.refund(refund, node), event_id=event)
        verbs = ["create"] if what == "create" else [_UPDATES[kind]]
        if what == "cancel":
            verbs.insert(0, "cancelled")
        for verb in verbs:
            topic = f"{_LISTS[kind]}/{verb}"
            if self._wants(topic):
                write = getattr(self._bodies, kind.lower())
                send(topic, write(node), event_id=event)

    def _wants(self, topic: str) -> bool:
        return bool(self._post.subscriptions.of(topic))
