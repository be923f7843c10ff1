"""The figures of the admin page for other programs: for administrators, and for others no route."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from brandmind import runtime
from brandmind.services import operating
from brandmind.web import asking


async def _health(request: Request) -> Response:
    rt = runtime.get()
    viewer = await asking.viewer_of(rt, request)
    if viewer is None or not viewer.admin:
        return asking.problem(404, "not_found", "There is nothing here.")
    found = operating.plain(await operating.look(rt, viewer))
    return JSONResponse(
        found, status_code=200 if found["ok"] else 503, headers={"Cache-Control": "no-store"}
    )


def routes() -> list[BaseRoute]:
    """The routes of the operator."""
    return [Route("/api/admin/health", _health, methods=["GET"])]
