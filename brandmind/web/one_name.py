"""Pages open by one name of this machine: cookies and sockets of another one are not ours."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from brandmind import runtime, servers
from brandmind.settings import Settings

# Whole and literal: a host that merely begins or ends like one of these is somebody else's.
_THIS_MACHINE: Final = re.compile(r"(localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::(\d{1,5}))?")
# Programs ask these, by whatever name they know; /auth leads on by itself where it must.
_NO_PAGES: Final = (
    "/api/",
    "/assets/",
    "/auth/",
    "/fonts/",
    "/webhooks/",
    "/_",
    "/healthz",
    "/metrics",
    "/ping",
    "/readyz",
)


class OneName:
    """Leads a page that was asked for by another name of this machine to the public address.

    `localhost` and `127.0.0.1` are two cookie jars: who signed in at one is a stranger at the
    other. It leads from loopback to loopback, by the same port; every other host is let through.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _asks_for_page(scope) and (home := _home()) and _is_another_name(scope, home):
            await _led_to(home, scope)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _home() -> str:
    """The public address if it is a name of this machine that nothing stands before, else ""."""
    try:
        settings = runtime.get().settings
    except RuntimeError:
        return ""
    return settings.public_url if _stays_here(settings) else ""


def _stays_here(settings: Settings) -> bool:
    # A proxy may hide the name that was typed: leading on from it could go in circles.
    if settings.production or settings.trusted_proxy_hops:
        return False
    return servers.is_loopback(urlsplit(settings.public_url).hostname or "")


def _asks_for_page(scope: Scope) -> bool:
    """Whether a browser shows the answer: a file of a page is asked for without "text/html"."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    path = scope["path"]
    if not path.startswith("/") or path.startswith(_NO_PAGES):
        return False
    return "text/html" in Headers(scope=scope).get("accept", "")


def _is_another_name(scope: Scope, home: str) -> bool:
    said = [host.lower() for host in Headers(scope=scope).getlist("host")]
    ours = urlsplit(home)
    if len(said) != 1 or said[0] == ours.netloc.lower():
        return False
    named = _THIS_MACHINE.fullmatch(said[0])
    return named is not None and (named[2] or "80") == str(ours.port or 80)


def _led_to(home: str, scope: Scope) -> RedirectResponse:
    query = scope.get("query_string", b"").decode("latin-1")
    # Behind the public address, so a path like //evil.example leads nowhere else.
    path = quote(scope["path"]) + (f"?{query}" if query else "")
    # Which of two names is the public one may be another at the next launch.
    return RedirectResponse(f"{home}{path}", 307, {"Cache-Control": "no-store"})
