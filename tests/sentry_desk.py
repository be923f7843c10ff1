"""A Sentry that only listens: takes in envelopes over HTTP and keeps them as they came."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Desk:
    """What was sent to it, whole and unpacked."""

    def __init__(self, port: int) -> None:
        self.dsn = f"http://publickey@127.0.0.1:{port}/1"
        self.address = f"http://127.0.0.1:{port}/api/1/envelope/"
        self.envelopes: list[bytes] = []
        self._news = threading.Condition()

    def take(self, path: str, body: bytes) -> None:
        assert path == "/api/1/envelope/", path
        with self._news:
            self.envelopes.append(body)
            self._news.notify_all()

    @property
    def events(self) -> list[dict[str, Any]]:
        """The errors among what was sent."""
        return [event for body in list(self.envelopes) for event in _events(body)]

    def until(
        self, holds: Callable[[dict[str, Any]], bool], *, within_s: float = 240
    ) -> dict[str, Any]:
        """The first event of that kind, waited for."""
        ends_at = time.monotonic() + within_s
        with self._news:
            while True:
                for event in self.events:
                    if holds(event):
                        return event
                left_s = ends_at - time.monotonic()
                assert left_s > 0, f"no such event among {len(self.events)}: {self.events}"
                self._news.wait(left_s)


def _events(body: bytes) -> Iterator[dict[str, Any]]:
    # An envelope: its header, then pairs of a line that says what follows, and that.
    _, *lines = body.split(b"\n")
    for head, payload in zip(lines[::2], lines[1::2], strict=False):
        if head and json.loads(head).get("type") == "event":
            yield json.loads(payload)


@contextmanager
def sentry_desk() -> Iterator[Desk]:
    """A desk on a free port of this machine, as long as the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            desk.take(self.path, body)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        desk = Desk(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield desk
        finally:
            server.shutdown()
            thread.join()
