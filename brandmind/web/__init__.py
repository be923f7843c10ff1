"""Routes that are not pages: signing in, the API, health; and the headers around everything.

`rx.App(api_transformer=web.transformers())` puts them before Reflex and its pages.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from brandmind.web import admin, api, archive, health, sheets, signing, webhooks
from brandmind.web.bounds import Bounds
from brandmind.web.headers import SecurityHeaders
from brandmind.web.troubles import Troubles


def routes() -> list[BaseRoute]:
    """Every route of ours, in the order in which they are tried."""
    return [
        *webhooks.routes(),
        *signing.routes(),
        *api.routes(),
        *admin.routes(),
        *sheets.routes(),
        *archive.routes(),
        *health.routes(),
    ]


def transformers() -> list[Starlette | Callable[[ASGIApp], ASGIApp]]:
    """What Reflex puts around its own application: our routes first, the headers around all.

    Errors are caught within the headers: their answers get those too. Around them all is what
    turns away the overlong.
    """
    return [Starlette(routes=routes()), Troubles, SecurityHeaders, Bounds]
