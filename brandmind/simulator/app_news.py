"""What Shopify tells an app about itself: gone, other scopes, a finished export, privacy."""

from __future__ import annotations

import itertools
import time
from typing import Any

from brandmind.simulator.brand import Brand
from brandmind.simulator.moments import iso
from brandmind.simulator.nodes import Node, parse_gid
from brandmind.simulator.webhook_bodies import Bodies
from brandmind.simulator.webhook_post import Post

REDACT_AFTER_S = 48 * 3_600
PRIVACY = ("customers/data_request", "customers/redact", "shop/redact")
_requests = itertools.count(9_999)


class AppNews:
    """`privacy_uri` is the address of the privacy topics, which no subscription names."""

    def __init__(self, post: Post, privacy_uri: str | None) -> None:
        self._post = post
        self.privacy_uri = privacy_uri

    def uninstalled(self, brand: Brand) -> None:
        """`app/uninstalled` at once and `shop/redact` 48 hours later; subscriptions are gone."""
        body = Bodies(brand.config.timezone).shop(brand.shop_node())
        self._post.send("app/uninstalled", body)
        self._post.subscriptions.clear()
        if uri := self.address():
            self._post.later(REDACT_AFTER_S, uri, "shop/redact", _shop(brand))

    def scopes(self, brand: Brand, before: frozenset[str], after: frozenset[str]) -> None:
        """`app/scopes_update`."""
        body = {
            "id": brand.shopify_id + 99,
            "shop_id": brand.shop_node()["id"],
            "previous": sorted(before),
            "current": sorted(after),
            "updated_at": iso(int(time.time())),
        }
        self._post.send("app/scopes_update", body)

    def finished(self, operation: Node) -> None:
        """`bulk_operations/finish`: the words are in lower case here."""
        error = operation["errorCode"]
        body = {
            "admin_graphql_api_id": operation["id"],
            "completed_at": operation["completedAt"],
            "created_at": operation["createdAt"],
            "error_code": error and error.lower(),
            "status": operation["status"].lower(),
            "type": operation["type"].lower(),
        }
        self._post.send("bulk_operations/finish", body)

    def privacy(self, brand: Brand, topic: str, customer: str | None, orders: list[str]) -> str:
        """Sends a privacy topic; its delivery's id. LookupError where the customer is unknown."""
        uri = self.address()
        if uri is None:
            raise LookupError("the app has no address for privacy topics")
        body: dict[str, Any] = _shop(brand)
        if topic != "shop/redact":
            parsed = parse_gid(customer or "")
            if parsed is None or parsed[0] != "Customer":
                raise LookupError("customer is a gid://shopify/Customer/…")
            numbers = [found[1] for one in orders if (found := parse_gid(one))]
            body["customer"] = {"id": parsed[1]} | _contact(brand.find(customer or ""))
            if topic == "customers/data_request":
                body["orders_requested"] = numbers
                body["data_request"] = {"id": next(_requests)}
            else:
                body["orders_to_redact"] = numbers
        return self._post.send_to(uri, topic, body)

    def address(self) -> str | None:
        """Where privacy topics go: the app's own address, or where its webhooks went last."""
        return self.privacy_uri or self._post.subscriptions.last_uri


def _shop(brand: Brand) -> dict[str, Any]:
    return {"shop_id": brand.shopify_id, "shop_domain": brand.shop}


def _contact(node: Node | None) -> dict[str, Any]:
    if node is None:
        return {"email": None, "phone": None}
    email, phone = node["defaultEmailAddress"], node["defaultPhoneNumber"]
    return {"email": email and email["emailAddress"], "phone": phone and phone["phoneNumber"]}
