"""Requests as nobody's browser would make them, one after another out of a seed."""

from __future__ import annotations

import asyncio
import random
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, quote_from_bytes

from starlette.types import ASGIApp, Message

from brandmind.services.webhooks import MOST_BYTES
from tests.identity_world import APP_SECRET, HARBOR, LEMON, PUBLIC, signed

_METHODS = ("GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "BREW", "get", "")
_ODD_PATHS = (
    "/", "//", "//evil.example", "/.", "/../../etc/passwd", "/api", "/api/", "/api/stores//sync",
    "/auth", "/auth/callback/", "/webhooks", "/_event", "/_upload", "/metrics", "/%2e%2e/%00",
    "/assets/../../x", "/http://evil.example/", "/\\evil.example", "/api/stores/%ff%fe/status",
)  # fmt: skip
_NAMES = (
    "shop", "hmac", "timestamp", "state", "code", "host", "token", "from", "to", "reconnect",
    "error", "bm_host", "next", "redirect", "return_to", "store_id", "session_id", "limit", "",
)  # fmt: skip
_HEADERS = (
    "origin", "referer", "host", "content-type", "content-length", "transfer-encoding", "accept",
    "user-agent", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded",
    "x-real-ip", "x-http-method-override", "authorization", "cookie", "range", "if-none-match",
    "x-shopify-topic", "x-shopify-hmac-sha256", "x-shopify-shop-domain", "x-shopify-webhook-id",
    "x-shopify-triggered-at", "sec-fetch-site", "accept-language", "expect", "upgrade", "x-a",
)  # fmt: skip


@dataclass
class Asked:
    """One request; `parts` is its body, None in it a client that goes away there."""

    method: str
    path: str
    query: bytes
    headers: list[tuple[bytes, bytes]]
    parts: list[bytes | None] = field(default_factory=list)
    address: str = "127.0.0.1"
    # The route it was made for, "" for none.
    route: str = ""

    @property
    def gave_up(self) -> bool:
        return None in self.parts

    def short(self) -> str:
        """What to show of it when it broke something."""
        sizes = [None if part is None else len(part) for part in self.parts]
        return (
            f"{self.method!r} {self.path[:200]!r} ?{self.query[:300]!r} "
            f"{[(n, v[:80]) for n, v in self.headers]} body {sizes}"
        )


@dataclass
class Answer:
    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    def header(self, name: str) -> str:
        return next((v.decode("latin-1") for n, v in self.headers if n == name.encode()), "")


class Fuzz:
    """An endless supply of requests to these routes; the same for the same seed."""

    def __init__(
        self,
        seed: int,
        routes: Sequence[tuple[str, str]],
        *,
        cookies: Sequence[str],
        ids: Sequence[str],
    ) -> None:
        self._dice = random.Random(seed)
        self._routes = list(routes)
        self._cookies = list(cookies)
        self._ids = list(ids)

    def __iter__(self) -> Iterator[Asked]:
        while True:
            yield self._one()

    def _one(self) -> Asked:
        dice = self._dice
        route, method, path = "", dice.choice(_METHODS), dice.choice(_ODD_PATHS)
        if dice.random() < 0.9:
            method, route = dice.choice(self._routes)
            path = self._filled(route)
            if dice.random() < 0.1:
                method = dice.choice(_METHODS)
        return Asked(
            method=method,
            path=path,
            query=self._query(route),
            headers=self._headers(),
            parts=self._body() if method not in ("GET", "HEAD") or dice.random() < 0.05 else [],
            # Each from another address, so that the sluice of sign-ins lets most of them in.
            address=f"10.{dice.randrange(256)}.{dice.randrange(256)}.{dice.randrange(256)}",
            route=route,
        )

    def _filled(self, route: str) -> str:
        parts = []
        for part in route.split("/"):
            if not part.startswith("{"):
                parts.append(part)
            elif self._dice.random() < 0.6:
                parts.append(self._dice.choice(self._ids))
            else:
                # A server hands on what it could decode.
                text = self._text().encode("utf-8", "replace").decode()
                parts.append(text.replace("/", "%2F"))
        return "/".join(parts)

    def _query(self, route: str) -> bytes:
        dice, kind = self._dice, self._dice.random()
        if kind < 0.15:
            return b""
        if kind < 0.25:
            return dice.randbytes(dice.randrange(200))
        if kind < 0.35 and route in ("/", "/auth/callback"):
            # Signed as Shopify would, with odd things in it.
            told = {n: self._text() for n in dice.sample(_NAMES, 4) if n not in ("", "hmac")}
            told |= {"shop": dice.choice((HARBOR, self._text())), "timestamp": self._text()}
            told = {name: value.encode("utf-8", "replace").decode() for name, value in told.items()}
            return signed(told, secret=APP_SECRET).encode()
        pairs = []
        for _ in range(dice.choice((1, 1, 2, 3, 5, 200))):
            name, value = dice.choice(_NAMES), self._text()
            pairs.append(f"{quote(name)}={value if dice.random() < 0.2 else _quoted(value)}")
        return "&".join(pairs).encode("utf-8", "surrogatepass")

    def _headers(self) -> list[tuple[bytes, bytes]]:
        dice = self._dice
        found: list[tuple[bytes, bytes]] = [(b"host", b"localhost:8000")]
        if dice.random() < 0.7:
            found.append((b"origin", PUBLIC.encode()))
        if self._cookies and dice.random() < 0.8:
            found.append((b"cookie", dice.choice(self._cookies).encode()))
        for _ in range(dice.choice((0, 0, 1, 2, 4))):
            name = dice.choice(_HEADERS).encode()
            value = dice.randbytes(dice.randrange(60)) if dice.random() < 0.3 else b""
            value = value or self._text().encode("utf-8", "surrogatepass")
            found += [(name, value)] * dice.choice((1, 1, 1, 2))
        if dice.random() < 0.02:
            found += [(b"x-many", b"1")] * 200
        dice.shuffle(found)
        return found

    def _body(self) -> list[bytes | None]:
        dice = self._dice
        kind = dice.random()
        if kind < 0.2:
            return []
        if kind < 0.25:
            return [b"x" * 65_536] * (MOST_BYTES // 65_536 + 2)
        if kind < 0.35:
            return [dice.randbytes(20), None]
        if kind < 0.6:
            return [f"{dice.choice(_NAMES)}={_quoted(self._text())}".encode()]
        if kind < 0.8:
            return [b'{"id":7,"a":' + b"[" * dice.randrange(400) + b"]}"]
        return [dice.randbytes(dice.randrange(300)) for _ in range(dice.randrange(4))]

    def _text(self) -> str:
        dice = self._dice
        return dice.choice(
            (
                HARBOR, LEMON, "sample", "", "0", "-1", "1e999", "2026-11-01", "0001-01-01",
                "9999-12-31", "2026-02-30", "null", "true", "../../etc/passwd", "\x00", "a\x00b",
                "\r\nSet-Cookie: a=b", "%00", "%", "%zz", "%E0%A4%A", "'; DROP TABLE store;--",
                "<script>alert(1)</script>", "{{7*7}}", "${jndi:ldap://x}", "https://evil.example",
                "//evil.example", "javascript:alert(1)", "\u202egnp.exe", "\ud800", "é" * 50,
                "x" * dice.choice((100, 3_000, 70_000)), "1" * 400, "٣", "a.myshopify.com.evil",
                "https://harbor-and-pine.myshopify.com@evil.example/", "[", "(" * 60,
                "".join(dice.choices(string.printable, k=12)), quote_from_bytes(dice.randbytes(6)),
                *self._ids,
            )
        )  # fmt: skip


def _quoted(value: str) -> str:
    return quote(value, errors="surrogatepass")


async def ask(app: ASGIApp, asked: Asked) -> Answer:
    """Hands a request to an application as a server would, odd bytes and all."""
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": asked.method,
        "scheme": "http",
        "path": asked.path,
        "raw_path": asked.path.encode("utf-8", "surrogatepass"),
        "query_string": asked.query,
        "root_path": "",
        "headers": asked.headers,
        "client": (asked.address, 4000),
        "server": ("localhost", 8000),
    }
    parts, answer = list(asked.parts), Answer()
    gone = whole = False

    async def receive() -> Message:
        nonlocal gone, whole
        if whole:
            # The client waits for its answer; a stream of one listens here for its leaving.
            await asyncio.Event().wait()
        part = parts.pop(0) if parts else b""
        gone = gone or part is None
        if gone:
            return {"type": "http.disconnect"}
        whole = not parts
        return {"type": "http.request", "body": part, "more_body": bool(parts)}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = list(message.get("headers", []))
        else:
            answer.body += message.get("body", b"")

    await app(scope, receive, send)
    return answer
