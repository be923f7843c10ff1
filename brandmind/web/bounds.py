"""What an address and headers may be at all: of a length, and an address of plain signs."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

# Nothing of ours needs more, and all of it costs memory. Shopify's callbacks have some 400 bytes.
LONGEST_PATH: Final = 2_048
LONGEST_QUERY: Final = 4_096
# Names and values of all headers together; of these Cookie is the longest by far.
LONGEST_HEADERS: Final = 32_768
MOST_HEADERS: Final = 100


class Bounds:
    """Turns away requests and handshakes whose address or headers are no good, unread."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = _wrong_with(scope) if scope["type"] in ("http", "websocket") else 0
        if not status:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            # What comes after a body nobody reads is no request.
            headers = {"Cache-Control": "no-store", "Connection": "close"}
            await Response(status_code=status, headers=headers)(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008})


def _wrong_with(scope: Scope) -> int:
    """414 for too long an address, 400 for bytes no address has, 431 for the headers, else 0."""
    path = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogateescape")
    query = scope.get("query_string", b"")
    if len(path) > LONGEST_PATH or len(query) > LONGEST_QUERY:
        return 414
    if not query.isascii():
        # RFC 3986: they come percent-encoded. Whoever reads them as text would stumble.
        return 400
    if "\0" in scope["path"] or b"%00" in query:
        # No name of ours has one, and PostgreSQL takes none in any text.
        return 400
    headers = scope["headers"]
    if len(headers) > MOST_HEADERS or sum(len(n) + len(v) for n, v in headers) > LONGEST_HEADERS:
        return 431
    return 0
