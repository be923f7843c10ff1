"""A client of the simulator for its own tests: mounts it without a port."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from starlette.applications import Starlette

from brandmind.simulator.app import create_app
from brandmind.simulator.config import ShopConfig, SimulatorConfig
from brandmind.simulator.world import World

SHOP = "harbor-and-pine.myshopify.com"
AS_OF = int(datetime(2026, 11, 20, 15, 0, tzinfo=UTC).timestamp())


def config(**changes: Any) -> ShopConfig:
    """A small shop with a fixed clock."""
    sizes: dict[str, Any] = {"orders": 400, "products": 60, "customers": 150, "as_of": AS_OF}
    return ShopConfig(**(sizes | changes))


@dataclass
class Shopper:
    """Speaks to one shop of a mounted simulator."""

    http: httpx.AsyncClient
    world: World
    token: str = ""

    async def control(self, path: str, body: Any = None, *, method: str = "POST") -> Any:
        """A control call; answers its JSON."""
        answer = await self.http.request(method, f"/__control/{SHOP}/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def mint(self, **settings: Any) -> str:
        """A token, which later calls carry."""
        self.token = (await self.control("token", settings))["access_token"]
        return self.token

    async def post(self, query: str, **variables: Any) -> httpx.Response:
        """A GraphQL call as it comes back."""
        return await self.http.post(
            f"/{SHOP}/admin/api/2026-10/graphql.json",
            json={"query": query, "variables": variables},
            headers={"X-Shopify-Access-Token": self.token},
        )

    async def ask(self, query: str, **variables: Any) -> Any:
        """The body of a GraphQL call that was answered with 200."""
        answer = await self.post(query, **variables)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def data(self, query: str, **variables: Any) -> Any:
        """The data of a GraphQL call without errors."""
        answer = await self.ask(query, **variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]


@asynccontextmanager
async def opened(**changes: Any) -> AsyncIterator[Shopper]:
    """A simulator of its own with a token for everything and no rate limit."""
    settings = {"unlimited": True} | changes
    app: Starlette = create_app(SimulatorConfig(shop=config(**settings)))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://sim") as http:
        shopper = Shopper(http, app.state.world)
        await shopper.mint()
        yield shopper
