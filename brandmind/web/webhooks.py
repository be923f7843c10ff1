"""Where Shopify delivers: raw bytes in, one status out, as fast as a commit."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from brandmind import runtime
from brandmind.logs import FROM_OUTSIDE
from brandmind.services import gauges
from brandmind.services.webhooks import MOST_BYTES, PATH, Answer, Receiver

log = logging.getLogger(__name__)

# Shopify gives up after five seconds; nobody else has to be waited for.
_WHOLE_BODY_S: Final = 10.0
# Bodies whose signature is not known yet lie in memory: so many bytes of all together.
_MOST_TOGETHER: Final = 32 * MOST_BYTES
_EMPTY_HEADERS: Final = [
    (b"content-length", b"0"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
]


class _Door:
    """The route as a plain ASGI application: nothing stands between the bytes and the signature."""

    def __init__(self) -> None:
        self._receiver: Receiver | None = None
        self._together = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await self._answer(scope, receive)
        except Exception as error:
            # Not kept is not accepted: Shopify comes again. So may any visitor.
            log.error("a delivery failed: %s", type(error).__name__,
                      exc_info=error, extra=FROM_OUTSIDE)  # fmt: skip
            answer = Answer.NOT_KEPT
        gauges.tally.count("webhooks", answer.name.lower())
        await send(
            {"type": "http.response.start", "status": int(answer), "headers": _EMPTY_HEADERS}
        )
        await send({"type": "http.response.body", "body": b""})

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        headers = scope["headers"]
        said = next((value for name, value in headers if name == b"content-length"), b"")
        if said.isdigit() and int(said[:20]) > MOST_BYTES:
            return Answer.TOO_LARGE
        try:
            receiver = self._of(runtime.get())
        except RuntimeError:
            return Answer.NOT_KEPT
        raw = bytearray()
        try:
            async with asyncio.timeout(_WHOLE_BODY_S):
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        return Answer.NOT_KEPT
                    part = message.get("body", b"")
                    if len(raw) + len(part) > MOST_BYTES:
                        return Answer.TOO_LARGE
                    if self._together + len(part) > _MOST_TOGETHER:
                        return Answer.NOT_KEPT
                    raw += part
                    self._together += len(part)
                    if not message.get("more_body", False):
                        break
        except TimeoutError:
            return Answer.NOT_KEPT
        finally:
            self._together -= len(raw)
        return await receiver.receive(headers, bytes(raw))

    def _of(self, rt: runtime.Runtime) -> Receiver:
        if self._receiver is None or self._receiver.rt is not rt:
            self._receiver = Receiver(rt)
        return self._receiver


class Straight:
    """Around all that serves people: deliveries go straight to the door.

    Sessions, policies for browsers and pages for errors are nothing to Shopify, and each layer
    would cost of every delivery. What is no POST meets the route like any other request.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._door = _Door()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == PATH and scope["method"] == "POST":
            await self._door(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def routes() -> list[BaseRoute]:
    """The one door for all topics."""
    return [Route(PATH, _Door(), methods=["POST"])]
