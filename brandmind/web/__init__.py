"""Routes that are not pages: signing in, the API, health; and the headers around everything.

`rx.App(api_transformer=web.transformers())` puts them before Reflex and its pages.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from brandmind.web import admin, api, archive, health, metrics, sheets, signing, webhooks
from brandmind.web.bounds import Bounds
from brandmind.web.headers import SecurityHeaders
from brandmind.web.inline import InlineScripts
from brandmind.web.one_name import OneName
from brandmind.web.sockets import Sockets
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
        *metrics.routes(),
    ]


def transformers(pages: Path | None = None) -> list[Starlette | Callable[[ASGIApp], ASGIApp]]:
    """What Reflex puts around its own application: our routes first, the headers around all.

    `pages` is the folder of the built pages, whose inline scripts may run.

    Errors are caught within the headers: their answers get those too, as does the redirect of a
    page that was asked for by another name. Around them is what turns away sockets too many, around
    that the door for deliveries, then what turns away the overlong, and around all what counts the
    answers.
    """
    inline = InlineScripts(pages) if pages else None
    headers = partial(SecurityHeaders, inline=inline)
    return [
        Starlette(routes=routes()),
        Troubles,
        OneName,
        headers,
        Sockets,
        webhooks.Straight,
        Bounds,
        metrics.Counts,
    ]
