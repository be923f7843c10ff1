"""Bytes that are hardly HTTP, at a real web process: answered or hung up on, never failed over."""

from __future__ import annotations

import select
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from brandmind.launch.valkey import EmbeddedValkey
from brandmind.web.bounds import LONGEST_HEADERS, LONGEST_PATH, LONGEST_QUERY
from tests.identity_world import HARBOR
from tests.integration.web_house import WebHouse, web_house

pytestmark = pytest.mark.timeout(300)

HOST = b"Host: localhost\r\n"
HUNG_UP = 0


@pytest.fixture(scope="module")
def house(
    tmp_path_factory: pytest.TempPathFactory, _migrated_sqlite: Path, _valkey: EmbeddedValkey
) -> Iterator[WebHouse]:
    if not _valkey.is_ready():
        _valkey.start()
    folder = tmp_path_factory.mktemp("odd")
    with web_house(folder, _migrated_sqlite, redis_url=_valkey.url) as made:
        yield made


def sent(house: WebHouse, raw: bytes, *, goes_away: bool = False) -> tuple[int, bytes]:
    """The status of the answer to these bytes, 0 where there is none; and all that came back.

    `goes_away`: a client that does not wait long, for what may never be a whole request.
    """
    came = b""
    with socket.create_connection(("127.0.0.1", house.port), timeout=60) as wire:
        with suppress(OSError):
            wire.sendall(raw)
            if goes_away and not select.select([wire], [], [], 0.2)[0]:
                wire.shutdown(socket.SHUT_WR)
        with suppress(ConnectionError):
            while len(came) < 65_536 and (more := wire.recv(65_536)):
                came += more
    status = int(came[9:12]) if came.startswith(b"HTTP/1.") else HUNG_UP
    return status, came


def get(path: bytes, *headers: bytes) -> bytes:
    lines = b"".join(header + b"\r\n" for header in headers)
    return b"GET " + path + b" HTTP/1.1\r\n" + HOST + lines + b"Connection: close\r\n\r\n"


def post(path: bytes, body: bytes, *headers: bytes) -> bytes:
    lines = b"".join(header + b"\r\n" for header in headers)
    head = b"POST " + path + b" HTTP/1.1\r\n" + HOST + b"Connection: close\r\n"
    return head + lines + b"\r\n" + body


LONG_QUERY = b"/auth/connect?shop=" + b"x" * LONGEST_QUERY
CHUNKED = b"Transfer-Encoding: chunked"
# What may come of each; HUNG_UP is an answer, too.
ODD: dict[str, tuple[bytes, set[int]]] = {
    "a path too long": (get(b"/" + b"x" * LONGEST_PATH), {414}),
    "a query too long": (get(LONG_QUERY), {414}),
    "a query that is far too long": (get(b"/?" + b"x" * 600_000), {HUNG_UP, 400, 414, 431}),
    "headers too long": (get(b"/healthz", b"X-A: " + b"x" * LONGEST_HEADERS), {431}),
    "headers far too long": (get(b"/healthz", b"X-A: " + b"x" * 600_000), {HUNG_UP, 400, 431}),
    "too many headers": (get(b"/healthz", *[b"X-A: b"] * 150), {HUNG_UP, 400, 431}),
    "bytes in the query": (get(b"/auth/callback?shop=\xf0\x28"), {400}),
    "bytes in the path": (get(b"/api/stores/\xff/status"), {400, 401, 404}),
    "percent bytes in the path": (get(b"/api/stores/%ff%fe%00/status"), {400, 401, 404}),
    "a null in the query": (get(b"/auth/callback?shop=a%00b"), {400}),
    "a null in the path": (get(b"/api/stores/a\x00b/status"), {HUNG_UP, 400}),
    "up and out of the files": (get(b"/assets/../../etc/passwd"), {404}),
    "up and out in percents": (get(b"/..%2f..%2fetc%2fpasswd"), {404}),
    "bytes in a cookie": (get(b"/api/sessions", b"Cookie: bm_session=\xff\xfe; \x80"), {401}),
    "two cookies": (get(b"/api/sessions", b"Cookie: a=b", b"Cookie: bm_session=x"), {401}),
    "no host": (b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n", {200, 400}),
    "two hosts": (get(b"/auth/connect?shop=x", b"Host: evil.example"), {302, 307, 400}),
    "an old tongue": (b"GET /healthz HTTP/1.0\r\n\r\n", {200}),
    "no tongue": (b"hello?\r\n\r\n", {HUNG_UP, 400}),
    "tls": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200, {HUNG_UP, 400}),
    "http/2 without being asked": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {HUNG_UP, 400}),
    "an unknown method": (get(b"/healthz").replace(b"GET", b"BREW", 1), {404, 405}),
    "a method of nothing": (get(b"/healthz").replace(b"GET", b"", 1), {HUNG_UP, 400}),
    "a proxy's request": (get(b"http://evil.example/healthz"), {200, 400, 404}),
    "a tunnel": (
        get(b"evil.example:443").replace(b"GET", b"CONNECT", 1), {HUNG_UP, 307, 400, 404, 405},
    ),
    "a length below nothing": (
        post(b"/auth/link", b"", b"Content-Length: -1"), {HUNG_UP, 400},
    ),
    "two lengths": (
        post(b"/auth/link", b"token=x", b"Content-Length: 7", b"Content-Length: 3"),
        {HUNG_UP, 400},
    ),
    "a length beyond all": (
        post(b"/webhooks/shopify", b"x", b"Content-Length: 99999999999999999999"),
        {HUNG_UP, 400, 413},
    ),
    "a body that stops": (
        post(b"/auth/link", b"token=x", b"Content-Length: 700"), {HUNG_UP, 400},
    ),
    "a length and chunks": (
        post(b"/webhooks/shopify", b"0\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n",
             b"Content-Length: 5", CHUNKED),
        {HUNG_UP, 400, 401},
    ),
    "chunks that are none": (post(b"/auth/link", b"zz\r\nx\r\n", CHUNKED), {HUNG_UP, 400}),
    "a chunk beyond all": (
        post(b"/webhooks/shopify", b"ffffffffffffffff\r\nx", CHUNKED), {HUNG_UP, 400, 503},
    ),
    "a line that is bent": (get(b"/healthz", b"X-A: b", b" folded"), {HUNG_UP, 200, 400}),
    "a header without a colon": (get(b"/healthz", b"nothing"), {HUNG_UP, 400}),
    "a header with a carriage": (get(b"/healthz", b"X-A: a\rb"), {HUNG_UP, 400}),
    # The server's own word for a handshake without its key; nothing of ours has heard of it.
    "a socket that is not asked for right": (
        get(b"/_event/?EIO=4&transport=websocket", b"Upgrade: websocket"), {400, 426, 500},
    ),
    "the other transport": (get(b"/_event/?EIO=4&transport=polling"), {400, 403}),
    "a socket with too much to say": (
        get(b"/_event/?EIO=4&transport=websocket&token=" + b"x" * LONGEST_QUERY,
            b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Version: 13",
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
        {403, 414},
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(ODD))
def test_odd_bytes_are_answered_or_hung_up_on(house: WebHouse, what: str) -> None:
    raw, may_come = ODD[what]
    before = len(house.said())
    status, came = sent(house, raw, goes_away=HUNG_UP in may_come)
    assert status in may_come, came[:400]
    assert len(came) < 16_384
    assert "Traceback" not in house.said()[before:]
    # And nobody else feels it.
    assert sent(house, get(b"/healthz"))[0] == 200


def test_the_process_holds_no_more_after_thousands_of_them(house: WebHouse) -> None:
    every = [raw for raw, may in ODD.values() if HUNG_UP not in may]
    kb = []
    for _ in range(3):
        for number in range(600):
            sent(house, every[number % len(every)])
        kb.append(house.resident_kb())
    print(f"resident after 600, 1,200, 1,800 requests: {kb} KB")
    # Eight kilobytes kept of each would be 4,800 in each third.
    assert kb[2] - kb[1] < 4_096


def test_every_answer_of_the_process_guards_the_browser_it_goes_to(house: WebHouse) -> None:
    for path in ("/ping", "/healthz", "/api/sessions", "/no/such/page", f"/?shop={HARBOR}&hmac=x"):
        status, came = sent(house, get(path.encode()))
        assert status in (200, 400, 401, 404, 429), path
        head = came.partition(b"\r\n\r\n")[0].decode("latin-1").lower()
        assert "content-security-policy: default-src 'self'" in head, path
        assert "frame-ancestors 'none'" in head
        assert "x-content-type-options: nosniff" in head
        assert "referrer-policy: same-origin" in head


@pytest.mark.parametrize("path", ["/_event", "/ping/", "/_event?next=//evil.example"])
def test_a_redirect_leads_to_the_public_address_whoever_was_asked_for(
    house: WebHouse, path: str
) -> None:
    address, _, query = path.partition("?")
    wanted = address.rstrip("/") if address.endswith("/") else f"{address}/"
    for host in (b"evil.example", b"127.0.0.1", b"evil.example:80", b"EVIL.example", b"a b", b""):
        raw = get(path.encode()).replace(HOST, b"Host: " + host + b"\r\n", 1)
        head = sent(house, raw)[1].partition(b"\r\n\r\n")[0].decode("latin-1")
        (location,) = [
            line[10:] for line in head.split("\r\n") if line.lower().startswith("location: ")
        ]
        assert location == f"{house.origin}{wanted}" + (f"?{query}" if query else "")


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_no_other_page_may_read_what_a_route_answers(house: WebHouse, method: str) -> None:
    for path in ("/api/sessions", f"/api/stores/{house.store_id}/sync", "/ping"):
        for origin in ("https://evil.example", "null", "http://localhost:1"):
            raw = get(
                path.encode(),
                f"Origin: {origin}".encode(),
                b"Access-Control-Request-Method: POST",
                f"Cookie: {house.cookies['alice']}".encode(),
            ).replace(b"GET", method.encode(), 1)
            head = sent(house, raw)[1].partition(b"\r\n\r\n")[0].lower()
            assert b"access-control-allow-origin" not in head


def test_the_owner_is_served_on_the_same_doors(house: WebHouse) -> None:
    address = f"{house.origin}/api/stores/{house.store_id}/status"
    request = urllib.request.Request(address, headers={"Cookie": house.cookies["alice"] or ""})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200
        assert HARBOR in answer.read().decode()
