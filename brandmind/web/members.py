"""The door of a store's routes: only somebody who may open the store comes in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps

from starlette.requests import Request
from starlette.responses import Response

from brandmind import runtime
from brandmind.errors import InvalidInput, NotFound
from brandmind.logs import bind
from brandmind.services import stores
from brandmind.services.sessions import StoreRef
from brandmind.web import asking

Handler = Callable[[Request], Awaitable[Response]]


def for_members(handler: Callable[[Request, StoreRef], Awaitable[Response]]) -> Handler:
    """Only for somebody who may open the store in the path; for others there is none."""

    @wraps(handler)
    async def asked(request: Request) -> Response:
        rt = runtime.get()
        if request.method == "POST" and not asking.is_our_own(rt, request):
            return asking.problem(403, "wrong_origin", "This request did not come from our pages.")
        viewer = await asking.viewer_of(rt, request)
        if viewer is None:
            return asking.problem(401, "signed_out", "Sign in first.")
        try:
            store = stores.authorise_id(viewer, request.path_params["store_id"])
            with bind(store=store.store_id):
                return await handler(request, store)
        except NotFound as error:
            return asking.problem(404, "not_found", error.message)
        except InvalidInput as error:
            return asking.problem(400, "invalid_input", error.message, field=error.field)

    return asked
