"""`/metrics`: the numbers of this installation as Prometheus reads them, for who has the token.

The format is written here: three kinds of lines, and a library for it would bring a registry of
the process and collectors of its own.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from brandmind import runtime
from brandmind.services import gauges
from brandmind.services.gauges import Gauge
from brandmind.web import asking

PATH: Final = "/metrics"
_PREFIX: Final = "brandmind_"
_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_NO_STORE: Final = {"Cache-Control": "no-store"}

_watched: dict[str, Callable[[], Mapping[str, int]]] = {}


def watch_tabs(counted: Callable[[], Mapping[str, int]]) -> None:
    """Tell how many tabs this process holds, by whose they are."""
    _watched["tabs"] = counted


def exposed(found: Iterable[Gauge]) -> str:
    """The text exposition of Prometheus, version 0.0.4."""
    lines = []
    for one in found:
        name = _PREFIX + one.name
        lines += [f"# HELP {name} {one.meaning}", f"# TYPE {name} {one.kind}"]
        for value, number in one.values.items():
            labels = f'{{{one.label}="{value}"}}' if one.label else ""
            lines.append(f"{name}{labels} {float(number):.15g}")
    return "\n".join(lines) + "\n"


async def _metrics(request: Request) -> Response:
    try:
        rt = runtime.get()
    except RuntimeError:
        return asking.problem(503, "not_ready", "Still starting.")
    token = rt.settings.metrics_token.get_secret_value()
    if not token:
        # Off: there is no such page.
        return asking.problem(404, "not_found", "There is no such page.")
    if not _knows(request, token):
        words = "Give the token: Authorization: Bearer …"
        return asking.problem(401, "unknown", words, headers={"WWW-Authenticate": "Bearer"})
    found = await gauges.read(rt)
    for name, counted in _watched.items():
        meaning = "Open and lately open pages that this web process holds."
        found.append(Gauge(name, "gauge", meaning, counted(), "of"))
    return Response(exposed(found), media_type=_TYPE, headers=_NO_STORE)


def _knows(request: Request, token: str) -> bool:
    said = request.headers.getlist("authorization")
    if len(said) != 1:
        return False
    scheme, _, given = said[0].partition(" ")
    same = hmac.compare_digest(given.strip().encode("latin-1"), token.encode())
    return same and scheme.lower() == "bearer"


class Counts:
    """Around everything that answers HTTP: one more of its class of status."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                gauges.tally.count("http", f"{message['status'] // 100}xx")
            await send(message)

        await self._app(scope, receive, counting)


def routes() -> list[BaseRoute]:
    """The one route of it."""
    return [Route(PATH, _metrics, methods=["GET"])]
