"""Lists inside a record that are longer than their first page: read to their end.

Shopify gives the first few lines of an order with the order; stopping there would lose the rest
in silence. Each function takes the nodes of a page and returns them whole. A record that has
vanished meanwhile is left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

from brandmind.errors import BadAnswer, QueryTooCostly, ShopifyUnavailable
from brandmind.shopify.client import ShopifyClient
from brandmind.shopify.parse import Json

A = TypeVar("A")
B = TypeVar("B")

# By the cost model an order's whole lists are 174 points; one query may have 1,000.
ORDERS_AT_ONCE: Final = 5
REQUESTS_AT_ONCE: Final = 4


async def whole_orders(
    client: ShopifyClient, nodes: Sequence[Any], *, cut: list[str] | None = None
) -> list[Any]:
    """The orders with all their lines, sales and refund lines; `cut` as `cut_orders` says it."""
    if cut is None:
        cut = cut_orders(nodes)
    lists: dict[str, Json | None] = {}
    if cut:
        batches = [cut[at : at + ORDERS_AT_ONCE] for at in range(0, len(cut), ORDERS_AT_ONCE)]
        for found in await _all(batches, lambda batch: _order_lists(client, batch)):
            lists.update(found)
    whole = []
    for node in nodes:
        if isinstance(node, dict) and node.get("id") in lists:
            fresh = lists[node["id"]]
            if fresh is None:
                continue
            node = node | fresh
        whole.append(node)
    await whole_refunds(client, whole)
    return whole


async def whole_refunds(client: ShopifyClient, orders: Sequence[Any]) -> None:
    """Give the refunds of these orders all their lines."""
    for order in orders:
        if isinstance(order, dict):
            for refund in order.get("refunds") or ():
                if _more(refund.get("refundLineItems")):
                    await _whole_refund(client, refund)


def cut_orders(nodes: Sequence[Any]) -> list[str]:
    """The gids of the orders that have longer lists than they came with."""
    return [node["id"] for node in nodes if isinstance(node, dict) and _is_cut(node)]


async def whole_products(client: ShopifyClient, nodes: Sequence[Any]) -> list[Any]:
    """The products with all their variants."""
    cut = [node for node in nodes if isinstance(node, dict) and _more(node.get("variants"))]
    there = await _all(cut, lambda node: _whole_product(client, node))
    lost = {id(node) for node, found in zip(cut, there, strict=True) if not found}
    return [node for node in nodes if id(node) not in lost]


def _is_cut(node: Json) -> bool:
    agreements = node.get("agreements") or {}
    if _more(node.get("lineItems")) or _more(agreements):
        return True
    # A loop and not any(): this is asked of every order there is.
    for agreement in agreements.get("nodes") or ():  # noqa: SIM110
        if _more(agreement.get("sales")):
            return True
    return False


def _more(connection: Json | None) -> bool:
    return connection is not None and bool((connection.get("pageInfo") or {}).get("hasNextPage"))


def next_cursor(connection: Json, *, after: str | None) -> str | None:
    """Where the connection goes on, None at its end.

    ShopifyUnavailable if it would go on where it was asked to begin: an old page delivered once
    more, which the next try cures. BadAnswer if it does not say where it goes on at all.
    """
    info = connection.get("pageInfo") or {}
    if not info.get("hasNextPage"):
        return None
    cursor = info.get("endCursor")
    if not cursor:
        raise BadAnswer("A list says there is more, but not where.")
    if cursor == after:
        raise ShopifyUnavailable("Shopify answered with the same page again.")
    return str(cursor)


async def _order_lists(client: ShopifyClient, ids: list[str]) -> dict[str, Json | None]:
    """The whole lists of these orders; None for an order that is gone."""
    try:
        answer = await client.query("order_lists", {"ids": ids})
    except QueryTooCostly:
        if len(ids) == 1:
            return {ids[0]: await _walk_order(client, ids[0])}
        middle = len(ids) // 2
        first = await _order_lists(client, ids[:middle])
        return first | await _order_lists(client, ids[middle:])
    found: dict[str, Json | None] = {}
    for asked, node in zip(ids, answer.data["nodes"], strict=True):
        if not node:
            found[asked] = None
            continue
        if _more(node["lineItems"]):
            node["lineItems"] = await _walk_lines(client, asked, node["lineItems"])
        if _is_cut(node):
            node["agreements"] = await _walk_agreements(client, asked)
        found[asked] = node
    return found


async def _walk_order(client: ShopifyClient, order: str) -> Json | None:
    lines = await _walk_lines(client, order, None)
    if lines is None:
        return None
    return {"lineItems": lines, "agreements": await _walk_agreements(client, order)}


async def _walk_lines(client: ShopifyClient, order: str, begun: Json | None) -> Json | None:
    nodes = list(begun["nodes"]) if begun else []
    cursor = next_cursor(begun, after=None) if begun else None
    while True:
        answer = await client.query("order_lines", {"id": order, "after": cursor})
        found = answer.data.get("order")
        if not found:
            return None
        nodes.extend(found["lineItems"]["nodes"])
        cursor = next_cursor(found["lineItems"], after=cursor)
        if cursor is None:
            return {"nodes": nodes}


async def _walk_agreements(client: ShopifyClient, order: str) -> Json:
    """The ledger one agreement at a time, each with all its sales."""
    agreements: list[Json] = []
    at: str | None = None
    while True:
        sale: str | None = None
        sales: list[Json] = []
        while True:
            asked = {"id": order, "agreement": at, "sale": sale}
            found = (await client.query("order_agreements", asked)).data.get("order")
            if not found or not found["agreements"]["nodes"]:
                return {"nodes": agreements}
            connection = found["agreements"]
            agreement = connection["nodes"][0]
            sales.extend(agreement["sales"]["nodes"])
            sale = next_cursor(agreement["sales"], after=sale)
            if sale is None:
                break
        agreements.append(agreement | {"sales": {"nodes": sales}})
        at = next_cursor(connection, after=at)
        if at is None:
            return {"nodes": agreements}


async def _whole_refund(client: ShopifyClient, refund: Json) -> None:
    lines = refund["refundLineItems"]
    cursor = next_cursor(lines, after=None)
    nodes = list(lines["nodes"])
    while cursor is not None:
        answer = await client.query("refund_lines", {"id": refund["id"], "after": cursor})
        found = (answer.data.get("node") or {}).get("refundLineItems")
        if not found:
            break
        nodes.extend(found["nodes"])
        cursor = next_cursor(found, after=cursor)
    refund["refundLineItems"] = {"nodes": nodes}


async def _whole_product(client: ShopifyClient, product: Json) -> bool:
    """Whether the product is still there; if so it has all its variants now."""
    variants = product["variants"]
    cursor = next_cursor(variants, after=None)
    nodes = list(variants["nodes"])
    while cursor is not None:
        answer = await client.query("product_variants", {"id": product["id"], "after": cursor})
        found = answer.data.get("product")
        if not found:
            return False
        nodes.extend(found["variants"]["nodes"])
        cursor = next_cursor(found["variants"], after=cursor)
    product["variants"] = {"nodes": nodes}
    return True


async def _all(items: Sequence[A], work: Callable[[A], Awaitable[B]]) -> list[B]:
    """The results in order, a few at a time; the first error ends them all."""
    room = asyncio.Semaphore(REQUESTS_AT_ONCE)

    async def one(item: A) -> B:
        async with room:
            return await work(item)

    tasks = [asyncio.create_task(one(item)) for item in items]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
