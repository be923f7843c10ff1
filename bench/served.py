"""A shop's answers, rendered once and then served from memory: a server that is not the limit.

The first sync that runs against it asks the local Shopify behind it; every answer is kept by the
bytes of its question. The shop's clock stands still, so every later sync asks the same questions.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final

import httpx
import orjson

from brandmind.simulator.app import create_app
from brandmind.simulator.config import ShopConfig, SimulatorConfig

AS_OF: Final = datetime(2026, 11, 1, tzinfo=UTC)
SHOP: Final = "harbor-and-pine.myshopify.com"
_SCOPES: Final = ["read_products", "read_orders", "read_all_orders", "read_customers"]
# Enough for a million orders' pages; a runaway client must not fill the machine.
_MOST_BYTES: Final = 4 << 30


class Answers:
    """Questions and their answers, whole HTTP responses ready to be sent."""

    def __init__(self, *, orders: int, customers: int, products: int) -> None:
        shop = ShopConfig(
            orders=orders,
            customers=customers,
            products=products,
            as_of=int(AS_OF.timestamp()),
            unlimited=True,
        )
        self._shopify = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=create_app(SimulatorConfig(shop=shop))),
            base_url="http://shopify",
            timeout=None,
        )
        self._token = ""
        self._size = 0
        self.kept: dict[bytes, bytes] = {}
        self.asked = 0
        self.rendered = 0

    async def open(self) -> None:
        """Get a token of the shop."""
        made = await self._shopify.post(f"/__control/{SHOP}/token", json={"scopes": _SCOPES})
        self._token = made.raise_for_status().json()["access_token"]

    async def render(self, target: str, question: bytes) -> bytes:
        """The answer to a question nobody has asked before, kept from now on."""
        answer = await self._shopify.post(
            target, content=question, headers={"X-Shopify-Access-Token": self._token}
        )
        response = _response(answer.content, status=answer.status_code)
        if answer.status_code == 200:
            self._size += len(response)
            if self._size > _MOST_BYTES:
                raise MemoryError("more answers than this server keeps")
            self.kept[question] = response
            self.rendered += 1
        return response

    def told(self) -> bytes:
        """What was asked so far: the questions of the first time in their order, and counts."""
        return orjson.dumps(
            {
                "asked": self.asked,
                "rendered": self.rendered,
                "bytes": self._size,
                "questions": [question.decode() for question in self.kept],
            }
        )


def _response(body: bytes, *, status: int = 200) -> bytes:
    head = (
        f"HTTP/1.1 {status} {'OK' if status == 200 else 'Refused'}\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"Date: {format_datetime(AS_OF, usegmt=True)}\r\n"
        "X-Shopify-API-Version: 2026-10\r\n"
        "\r\n"
    )
    return head.encode() + body


class Connection(asyncio.Protocol):
    """Just enough HTTP/1.1: one question after the other on a connection that stays open."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._come = bytearray()
        self._transport: asyncio.Transport | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._come += data
        end = self._come.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._come[:end])
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        whole = end + 4 + length
        if len(self._come) < whole:
            return
        question = bytes(self._come[end + 4 : whole])
        del self._come[:whole]
        self._answer(head.split(b" ", 2)[1].decode(), question)

    def _answer(self, target: str, question: bytes) -> None:
        if not question:
            self._send(_response(self._answers.told()))
            return
        self._answers.asked += 1
        known = self._answers.kept.get(question)
        if known is not None:
            self._send(known)
            return
        task = asyncio.create_task(self._render(target, question))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _render(self, target: str, question: bytes) -> None:
        self._send(await self._answers.render(target, question))

    def _send(self, response: bytes) -> None:
        if self._transport is not None:
            self._transport.write(response)


async def serve(answers: Answers) -> None:
    """Serve on a free loopback port, said on the first line, until SIGTERM."""
    await answers.open()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(answers), "127.0.0.1", 0)
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await stopped.wait()
    server.close()


def main() -> None:
    """Run the server with a shop of the sizes given."""
    parser = argparse.ArgumentParser(prog="python -m bench.served", description=__doc__)
    parser.add_argument("--orders", type=int, default=20_000)
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--products", type=int, default=2_000)
    sizes = parser.parse_args()
    asyncio.run(
        serve(Answers(orders=sizes.orders, customers=sizes.customers, products=sizes.products))
    )


if __name__ == "__main__":
    main()
