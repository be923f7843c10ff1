"""All of a store as one file, for a member of it, sent while it is made."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from brandmind import runtime
from brandmind.errors import NotAllowed
from brandmind.services import stored
from brandmind.services.sessions import StoreRef
from brandmind.web import asking
from brandmind.web.members import for_members


@for_members
async def _archive(_request: Request, store: StoreRef) -> Response:
    try:
        made = stored.archive(runtime.get(), store)
    except NotAllowed as error:
        return asking.problem(429, "under_way", error.message, headers={"Retry-After": "60"})
    name = store.domain.removesuffix(".myshopify.com")
    return StreamingResponse(
        made,
        media_type="application/zip",
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="{name}.zip"',
        },
    )


def routes() -> list[BaseRoute]:
    """The route of the archive."""
    return [Route("/api/stores/{store_id}/archive.zip", _archive, methods=["GET"])]
