"""Which sockets may open: those of our own pages, and so many at once from one visitor."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Final

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from brandmind import runtime
from brandmind.logs import FROM_OUTSIDE
from brandmind.services import gauges
from brandmind.web import asking
from brandmind.web.sluice import address_of

log = logging.getLogger(__name__)

# Each tab has one; behind one address there may be an office.
MOST_OF_A_SESSION: Final = 60
MOST_OF_AN_ADDRESS: Final = 100
# Of those who are not signed in, all together: the signed in are never turned away for them.
MOST_OF_STRANGERS: Final = 1_000

_STRANGERS: Final = "strangers"
_POLICY, _TRY_AGAIN = 1008, 1013


class Sockets:
    """Turns away a handshake without an origin, and one too many of a session or an address.

    What an open socket costs (the tab's state, its queue, what is under way) is bounded by their
    number. Whose origin is a wrong one is for Reflex to say; that there is one and no other, here:
    browsers always name it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        origins = [value for name, value in scope["headers"] if name == b"origin"]
        if len(origins) != 1 or not origins[0]:
            gauges.tally.count("sockets", "origin")
            await _turn_away(receive, send, _POLICY)
            return
        bounds = await _bounds_of(scope)
        full = next((name for name, most in bounds.items() if self._open[name] >= most), None)
        if full is not None:
            log.warning("a socket too many was turned away", extra=FROM_OUTSIDE)
            gauges.tally.count("sockets", "too_many")
            await _turn_away(receive, send, _TRY_AGAIN)
            return
        self._open.update(bounds.keys())
        try:
            await self._app(scope, receive, send)
        finally:
            self._open.subtract(bounds.keys())
            for name in bounds:
                if not self._open[name]:
                    del self._open[name]


async def _bounds_of(scope: Scope) -> dict[str, int]:
    """What a socket counts for, and how many of each there may be."""
    try:
        rt = runtime.get()
        viewer = await asking.viewer_of(rt, HTTPConnection(scope))
    except Exception as error:
        # The database is away: nobody can be told from a stranger.
        log.warning("a session could not be looked up: %s", type(error).__name__,
                    extra=FROM_OUTSIDE)  # fmt: skip
        viewer = None
    if viewer is not None:
        return {f"session {viewer.session_id}": MOST_OF_A_SESSION}
    try:
        hops = runtime.get().settings.trusted_proxy_hops
    except RuntimeError:
        hops = 0
    address = address_of(scope, hops=hops)
    return {f"address {address}": MOST_OF_AN_ADDRESS, _STRANGERS: MOST_OF_STRANGERS}


async def _turn_away(receive: Receive, send: Send, code: int) -> None:
    await receive()
    await send({"type": "websocket.close", "code": code})
