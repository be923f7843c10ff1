"""The ASGI application: API, consent and control routes over one world of shops."""

from __future__ import annotations

from html import escape

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from brandmind.simulator.config import INDEX_SHOPS, SimulatorConfig
from brandmind.simulator.control import Control, Wrong
from brandmind.simulator.endpoint import Endpoint
from brandmind.simulator.world import World


def create_app(config: SimulatorConfig | None = None) -> Starlette:
    """A simulator of its own; `app.state.world` is its state, for tests that mount it."""
    world = World(config or SimulatorConfig())

    async def wrong(request: Request, error: Exception) -> Response:
        return JSONResponse({"error": str(error)}, 400)

    async def index(request: Request) -> Response:
        links = "".join(f'<li><a href="/{name}/admin">{name}</a></li>' for name in INDEX_SHOPS)
        return HTMLResponse(
            "<!doctype html><title>Local Shopify</title><h1>Local Shopify</h1>"
            f"<p>Any shop name works. Some to try:</p><ul>{links}</ul>"
        )

    async def admin(request: Request) -> Response:
        shop = world.shop(request.path_params["shop"])
        if shop is None:
            return HTMLResponse("<h1>No such shop</h1>", 404)
        name = escape(shop.brand.name)
        return HTMLResponse(
            f"<!doctype html><title>{name}</title><h1>{name}</h1>"
            f"<p>{escape(shop.name)} is a shop of the local Shopify.</p>"
        )

    app = Starlette(
        routes=[
            Route("/", index),
            *Control(world).routes(),
            Route(
                "/{shop}/admin/api/{version}/graphql.json",
                Endpoint(world).__call__,
                methods=["POST"],
            ),
            Route("/{shop}/admin", admin),
        ],
        exception_handlers={Wrong: wrong},
    )
    app.state.world = world
    return app
