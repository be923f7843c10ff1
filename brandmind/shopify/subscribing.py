"""A shop's webhook subscriptions: compared with what we want, and mended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from brandmind.errors import AccessRefused, BadAnswer, QueryRefused
from brandmind.shopify.client import ShopifyClient
from brandmind.shopify.webhooks import PATH, Wanted

_PAGE: Final = 100


async def mend(client: ShopifyClient, wanted: Sequence[Wanted], *, uri: str) -> dict[str, str]:
    """Have each wanted topic delivered to `uri` once; what could not be had, with the reason.

    Only subscriptions to our own path are touched, wherever they lead. Raises the errors of a
    shop that does not answer.
    """
    ours: dict[str, list[dict[str, Any]]] = {}
    for node in await _every(client):
        if str(node["uri"]).endswith(PATH):
            ours.setdefault(node["topic"], []).append(node)
    missing: dict[str, str] = {}
    for one in wanted:
        why = await _have(client, one, ours.get(one.topic, []), uri=uri)
        if why:
            missing[one.topic] = why
    for topic, nodes in ours.items():
        keeps = 1 if any(one.topic == topic for one in wanted) else 0
        # The best one comes first; a second one would deliver everything twice.
        for node in sorted(nodes, key=lambda node: node["uri"] != uri)[keeps:]:
            await client.query("webhook_delete", {"id": node["id"]})
    return await _still_missing(client, wanted, missing, uri=uri) if missing else {}


async def _still_missing(
    client: ShopifyClient, wanted: Sequence[Wanted], missing: dict[str, str], *, uri: str
) -> dict[str, str]:
    # Somebody else may have made it meanwhile, or an attempt of ours whose answer was lost: the
    # shop then refuses a second one, and nothing is missing.
    had = {
        node["topic"]: sorted(node.get("includeFields") or ())
        for node in await _every(client)
        if node["uri"] == uri
    }
    fields = {one.topic: sorted(one.fields) for one in wanted}
    return {topic: why for topic, why in missing.items() if had.get(topic) != fields.get(topic, [])}


async def _every(client: ShopifyClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        answer = await client.query("webhooks", {"first": _PAGE, "after": after})
        connection = answer.data.get("webhookSubscriptions")
        if not isinstance(connection, dict):
            raise BadAnswer("The answer holds no webhooks.", request_id=answer.request_id)
        found += connection["nodes"]
        page = connection["pageInfo"]
        if not page["hasNextPage"] or page["endCursor"] == after:
            return found
        after = page["endCursor"]


async def _have(
    client: ShopifyClient, one: Wanted, nodes: Sequence[dict[str, Any]], *, uri: str
) -> str:
    """Why this topic cannot be had; "" if it is there."""
    settings = {"uri": uri, "format": "JSON", "includeFields": list(one.fields)}
    there = next((node for node in nodes if node["uri"] == uri), None)
    try:
        if there is None and nodes:
            asked = {"id": nodes[0]["id"], "settings": settings}
            answer = await client.query("webhook_update", asked)
            told = answer.data.get("webhookSubscriptionUpdate")
            nodes[0]["uri"] = uri
        elif there is None:
            answer = await client.query(
                "webhook_create", {"topic": one.topic, "settings": settings}
            )
            told = answer.data.get("webhookSubscriptionCreate")
        elif sorted(there.get("includeFields") or ()) != sorted(one.fields):
            asked = {"id": there["id"], "settings": settings}
            answer = await client.query("webhook_update", asked)
            told = answer.data.get("webhookSubscriptionUpdate")
        else:
            return ""
    except (AccessRefused, QueryRefused) as error:
        return error.message
    if not told:
        return "Shopify gave no answer."
    return " ".join(str(each.get("message")) for each in told.get("userErrors") or ())
