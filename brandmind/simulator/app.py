"""The ASGI application: API, consent and control routes over one world of shops."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from brandmind.simulator import screens
from brandmind.simulator.config import INDEX_SHOPS, SimulatorConfig
from brandmind.simulator.consent import Consent
from brandmind.simulator.control import Control, Wrong
from brandmind.simulator.endpoint import Endpoint
from brandmind.simulator.words import brand_name
from brandmind.simulator.world import World


def create_app(config: SimulatorConfig | None = None) -> Starlette:
    """A simulator of its own; `app.state.world` is its state, for tests that mount it."""
    world = World(config or SimulatorConfig())
    consent = Consent(world)

    async def wrong(request: Request, error: Exception) -> Response:
        return JSONResponse({"error": str(error)}, 400)

    async def index(request: Request) -> Response:
        return HTMLResponse(screens.index(INDEX_SHOPS))

    async def admin(request: Request) -> Response:
        shop = world.shop(request.path_params["shop"])
        if shop is None:
            return HTMLResponse(screens.problem("Not found", "There is no such shop."), 404)
        return HTMLResponse(
            screens.admin(shop=shop.name, brand=brand_name(shop.name), installed=shop.installed)
        )

    app = Starlette(
        routes=[
            Route("/", index),
            *Control(world).routes(),
            *world.shelf.routes(),
            Route(
                "/{shop}/admin/api/{version}/graphql.json",
                Endpoint(world).__call__,
                methods=["POST"],
            ),
            Route("/{shop}/admin/oauth/authorize", consent.authorize, methods=["GET", "POST"]),
            Route("/{shop}/admin/oauth/access_token", consent.access_token, methods=["POST"]),
            Route("/{shop}/admin", admin),
            Route("/{shop}/admin/{rest:path}", admin, methods=["GET"]),
        ],
        exception_handlers={Wrong: wrong},
    )
    app.state.world = world
    return app
