"""Answers that break off: a whole body is promised and the connection dropped on the way."""

from __future__ import annotations

from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class CutResponse(Response):
    """Promises a whole body, sends a part of it and drops the connection."""

    share = 0.5

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises after a part of the body."""
        body = bytes(self.body)
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        part = body[: int(len(body) * self.share)]
        await send({"type": "http.response.body", "body": part, "more_body": True})
        raise ConnectionResetError("the connection is cut on purpose")


class LostResponse(CutResponse):
    """Everything was done, and the caller hears nothing of it."""

    share = 0.0
