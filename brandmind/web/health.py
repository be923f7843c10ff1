"""Whether this process lives, and whether it can serve."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from brandmind import runtime
from brandmind.services import readiness
from brandmind.web import asking

_NO_STORE = {"Cache-Control": "no-store"}


async def _lives(_request: Request) -> Response:
    return JSONResponse({"status": "ok"}, headers=_NO_STORE)


async def _ready(_request: Request) -> Response:
    try:
        rt = runtime.get()
    except RuntimeError:
        return asking.problem(503, "not_ready", "Still starting.", missing=["runtime"])
    missing = await readiness.missing(rt)
    if missing:
        words = f"Not answering: {', '.join(missing)}."
        return asking.problem(503, "not_ready", words, missing=missing)
    return JSONResponse({"status": "ready"}, headers=_NO_STORE)


def routes() -> list[BaseRoute]:
    """The routes a supervisor looks at."""
    return [
        Route("/healthz", _lives, methods=["GET"]),
        Route("/readyz", _ready, methods=["GET"]),
    ]
