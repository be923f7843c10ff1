"""A client whose shop is a function from request to answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import orjson

from brandmind.shopify.client import ShopifyClient
from brandmind.shopify.tokens import StaticToken, TokenProvider
from brandmind.sync.pacing import Pacer

DOMAIN = "harbor-and-pine.myshopify.com"
DATE = "Mon, 23 Nov 2026 12:00:00 GMT"

Respond = Callable[[httpx.Request], httpx.Response]


def client_of(
    respond: Respond, *, token: TokenProvider | None = None, pacer: Pacer | None = None
) -> ShopifyClient:
    """A client of harbor-and-pine that asks `respond`."""
    return ShopifyClient(
        httpx.AsyncClient(transport=httpx.MockTransport(respond)),
        origin="https://{shop}",
        domain=DOMAIN,
        token=token or StaticToken("shpat_secret"),
        pacer=pacer,
    )


def ok(data: Any, **more: Any) -> httpx.Response:
    """An answer of status 200."""
    return httpx.Response(
        200,
        content=orjson.dumps({"data": data} | more),
        headers={"Date": DATE, "X-Request-Id": "req-1"},
    )


def failed(*errors: Any, data: Any = None, **more: Any) -> httpx.Response:
    """An answer of status 200 with errors."""
    return ok(data, errors=list(errors), **more)


def cost(
    requested: float, available: float, *, maximum: float = 2000, restore: float = 100
) -> dict[str, Any]:
    """The extensions with the cost of a query."""
    return {
        "cost": {
            "requestedQueryCost": requested,
            "actualQueryCost": requested,
            "throttleStatus": {
                "maximumAvailable": maximum,
                "currentlyAvailable": available,
                "restoreRate": restore,
            },
        }
    }


def asked(request: httpx.Request) -> dict[str, Any]:
    """The decoded body of a request."""
    body: dict[str, Any] = orjson.loads(request.content)
    return body


class Shop:
    """Answers each operation from a table of functions of its variables, and keeps the log."""

    def __init__(self, **operations: Callable[[dict[str, Any]], Any]) -> None:
        self.operations = operations
        self.log: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = asked(request)
        name, variables = body["operationName"], body["variables"]
        self.log.append((name, variables))
        answer = self.operations[name](variables)
        return answer if isinstance(answer, httpx.Response) else ok(answer)

    def times(self, name: str) -> int:
        """How often an operation was asked."""
        return sum(operation == name for operation, _ in self.log)
