"""What a route could not cope with: noted with its store, and never shown."""

from __future__ import annotations

import logging
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from brandmind.logs import FROM_OUTSIDE
from brandmind.web import asking

log = logging.getLogger(__name__)


class Troubles:
    """Around everything that answers HTTP: an error is logged once and answered as 500.

    The route is named by its function: a path or a query may hold a one-time token.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answered = False

        async def noting(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception as error:
            route = _name(scope.get("endpoint"))
            # Any visitor may come again and again.
            log.error("%s failed: %s", route, type(error).__name__,
                      exc_info=error, extra=FROM_OUTSIDE)  # fmt: skip
            if not answered:
                words = "Something on our side went wrong. It was noted."
                await asking.problem(500, "failed", words)(scope, receive, send)


def _name(endpoint: Any) -> str:
    name = getattr(endpoint, "__qualname__", type(endpoint).__name__)
    return f"{getattr(endpoint, '__module__', '')}.{name}" if endpoint is not None else "a page"
