"""A door for deliveries as a process of its own: BrandMind's, or the barest one that is correct.

`python -m bench.door ours|bare DATABASE`; the address is its first line. The database is a file, or
for ours the URL of one. The bare one verifies the signature and inserts one row, committed before
it answers, straight from the event loop.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hmac
import sqlite3
import tempfile
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from brandmind import runtime, web
from brandmind.launch import ports, webserver
from brandmind.settings import Settings

SECRET = "bench-secret-0123456789"
PATH = "/webhooks/shopify"


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(prog="python -m bench.door", description=__doc__)
    parser.add_argument("kind", choices=("ours", "bare"))
    parser.add_argument("database")
    chosen = parser.parse_args()
    asyncio.run(_bare(Path(chosen.database)) if chosen.kind == "bare" else _ours(chosen.database))


async def _ours(database: str) -> None:
    is_url = "://" in database
    settings = Settings.load(
        database_url=database if is_url else f"sqlite:///{database}",
        data_dir=tempfile.gettempdir() if is_url else Path(database).parent,
        shopify_client_id="bench",
        shopify_client_secret=f"{SECRET},the-one-before",
        encryption_keys=[("k1", b"0123456789abcdef0123456789abcdef")],
    )
    app: ASGIApp = Starlette(routes=[])
    for transformer in web.transformers():
        if isinstance(transformer, Starlette):
            app = transformer
        else:
            app = transformer(app)
    async with runtime.open_runtime(settings, jobs=False) as rt:
        runtime.set_current(rt)
        await _serve(app)


async def _bare(database: Path) -> None:
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("CREATE TABLE delivery (id TEXT PRIMARY KEY, topic TEXT, body BLOB)")

    async def take(request: Request) -> Response:
        raw = await request.body()
        given = request.headers.get("x-shopify-hmac-sha256", "").encode()
        right = base64.b64encode(hmac.digest(SECRET.encode(), raw, "sha256"))
        if not hmac.compare_digest(given, right):
            return Response(status_code=401)
        row = (request.headers["x-shopify-webhook-id"], request.headers["x-shopify-topic"], raw)
        connection.execute("INSERT OR IGNORE INTO delivery VALUES (?, ?, ?)", row)
        return Response(status_code=200)

    await _serve(Starlette(routes=[Route(PATH, take, methods=["POST"])]))


async def _serve(app: ASGIApp) -> None:
    port = ports.free_port()
    print(f"http://127.0.0.1:{port}", flush=True)
    await webserver.serve(app, host="127.0.0.1", port=port)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
