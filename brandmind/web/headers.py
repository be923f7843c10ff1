"""The headers that keep a browser from doing harm, on every answer of this process."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlsplit, urlunsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from brandmind import runtime
from brandmind.settings import Settings
from brandmind.web.inline import InlineScripts

_ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Full addresses carry states and one-time tokens: nobody else is told them.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_HSTS: Final = "max-age=31536000; includeSubDomains"
# A supervisor asks these from inside, past the proxy.
_ASKED_WITHIN: Final = frozenset({"/healthz", "/readyz", "/metrics"})
_FILES: Final = ("/assets/", "/fonts/")
_POLICY: Final = "Content-Security-Policy"
_SCRIPTS: Final = "script-src 'self'"
_FOR_EVER: Final = "public, max-age=31536000, immutable"


class SecurityHeaders:
    """Adds the headers to each HTTP answer that does not bring its own; websockets pass by."""

    def __init__(self, app: ASGIApp, inline: InlineScripts | None = None) -> None:
        self._app = app
        self._inline = inline
        self._added: dict[str, str] | None = None
        # Set where http must become https: only a proxy can tell how the browser came.
        self._sealed_url = ""
        self._hops = 0
        self._public_url = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        added = self._headers()
        if self._sealed_url and _came_unsealed(scope, hops=self._hops):
            await self._to_https(scope, receive, send)
            return
        forever = scope["path"].startswith(_FILES)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if self._inline and _is_page(message["status"], headers):
                    told = _with_scripts(added, self._inline.hashes())
                else:
                    told = added
                for name, value in told.items():
                    headers.setdefault(name, value)
                if forever and message["status"] == 200:
                    headers["Cache-Control"] = _FOR_EVER
                if "location" in headers and self._public_url:
                    headers["Location"] = _at_home(headers["Location"], scope, self._public_url)
            await send(message)

        await self._app(scope, receive, with_headers)

    def _headers(self) -> dict[str, str]:
        if self._added is None:
            try:
                settings = runtime.get().settings
            except RuntimeError:
                return _ALWAYS
            self._added = headers_for(settings)
            self._public_url = settings.public_url
            if settings.is_https and settings.trusted_proxy_hops:
                self._sealed_url = settings.public_url
                self._hops = settings.trusted_proxy_hops
        return self._added

    async def _to_https(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = scope.get("query_string", b"").decode("latin-1")
        path = quote(scope["path"]) + (f"?{query}" if query else "")
        # Behind the public address, so a path like //evil.example leads nowhere else.
        await RedirectResponse(f"{self._sealed_url}{path}", 308)(scope, receive, send)


def _is_page(status: int, headers: MutableHeaders) -> bool:
    """Whether scripts run by this policy. "Not modified" has no type, and its policy takes the
    place of the one that the browser has kept with the page."""
    return status == 304 or headers.get("content-type", "").startswith("text/html")


def _at_home(location: str, scope: Scope, public_url: str) -> str:
    """The public address in place of whatever name the request gave this server.

    Starlette adds or drops a slash by a redirect to the Host header's own word, over the scheme
    that was spoken to us: behind a proxy that seals that would lead back to plain http.
    """
    parts = urlsplit(location)
    said = {Headers(scope=scope).get("host", "").lower(), _listens_at(scope)}
    if not parts.netloc or parts.netloc.lower() not in said:
        return location
    return public_url + urlunsplit(("", "", quote(parts.path, safe="/%:@"), parts.query, ""))


def _listens_at(scope: Scope) -> str:
    host, port = scope.get("server") or ("", None)
    return f"{host}:{port}" if port else str(host)


def _came_unsealed(scope: Scope, *, hops: int) -> bool:
    """Whether the outermost proxy that is trusted says that the browser spoke plain http."""
    if scope["path"] in _ASKED_WITHIN:
        return False
    said = Headers(scope=scope).get("x-forwarded-proto", "")
    schemes = [part.strip().lower() for part in said.split(",") if part.strip()]
    return bool(schemes) and schemes[-min(hops, len(schemes))] == "http"


def headers_for(settings: Settings) -> dict[str, str]:
    """The headers of an installation; HSTS only where the public address is https."""
    headers = {**_ALWAYS, _POLICY: policy(settings)}
    if settings.is_https:
        headers["Strict-Transport-Security"] = _HSTS
    return headers


def _with_scripts(headers: dict[str, str], hashes: tuple[str, ...]) -> dict[str, str]:
    if not hashes or _POLICY not in headers:
        return headers
    allowed = " ".join((_SCRIPTS, *hashes))
    return {**headers, _POLICY: headers[_POLICY].replace(_SCRIPTS, allowed, 1)}


def policy(settings: Settings) -> str:
    """The content policy: nothing from other hosts, no script but from files, framed by nobody.

    Of an answer that is a page the scripts that were built into it are added, by their hashes.
    Styles stay allowed inline: the pages are full of style attributes, each with values of its
    own, and what a style can do is to look wrong. A form may lead to Shopify, by redirects, and to
    our own public address.
    """
    ours = urlsplit(settings.public_url)
    socket = f"{'wss' if settings.is_https else 'ws'}://{ours.netloc}"
    # Each redirect of a form is held against this: from a page at another name of this machine
    # "Connect Shopify" first leads to the public address, and browsers stop it without a word.
    forms = "'self' https:"
    for led_to in (ours, urlsplit(settings.shopify_origin)):
        if led_to.scheme == "http":
            forms += f" http://{led_to.netloc}"
    return "; ".join(
        (
            "default-src 'self'",
            _SCRIPTS,
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            f"connect-src 'self' {socket}",
            f"form-action {forms}",
            "base-uri 'self'",
            "object-src 'none'",
            "frame-ancestors 'none'",
        )
    )
