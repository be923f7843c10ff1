"""A websocket client that is no browser: it speaks engine.io by hand and says what it likes."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

NAMESPACE = "/_event"
HYDRATE = "reflex___state____state.hydrate"
# Whole states come in one frame.
_LARGEST = 16_000_000


class RawSocket:
    """One connection and all that came over it."""

    def __init__(self, wire: ClientConnection) -> None:
        self._wire = wire
        self.frames: list[str] = []
        self.closed = False
        self._came = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for frame in self._wire:
                if frame == "2":
                    await self._wire.send("3")
                    continue
                self.frames.append(frame if isinstance(frame, str) else repr(frame))
                self._came.set()
        self.closed = True
        self._came.set()

    async def send(self, *frames: str | bytes) -> None:
        """Frames as they are; what comes after the server has hung up is lost."""
        with contextlib.suppress(ConnectionClosed):
            for frame in frames:
                await self._wire.send(frame)

    async def joins(self, auth: Any = None) -> None:
        """Enters Reflex's namespace, and waits to be let in."""
        await self.send(f"40{NAMESPACE}," + ("" if auth is None else json.dumps(auth)))
        await self.until(lambda: any(f.startswith(f"40{NAMESPACE},") for f in self.frames))

    async def event(self, name: str, address: str, payload: Any, **more: Any) -> None:
        """An event of that name, as a page at that address would send it."""
        told = {"pathname": address.partition("?")[0], "asPath": address, "query": {}}
        body = {"name": name, "router_data": told, "payload": payload, **more}
        await self.emit("event", body)

    async def emit(self, *what: Any) -> None:
        """A socket.io message of any name."""
        await self.send(f"42{NAMESPACE}," + json.dumps(what))

    async def rest(self, address: str = "/") -> None:
        """Until all that was sent so far has been worked on, background events aside.

        Events of a tab are worked on in turn, and a hydration always answers: with all the tab
        holds, so that what an event has left there is seen as well.
        """
        before = self._hydrations()
        await self.event(HYDRATE, address, {})
        await self.until(lambda: self._hydrations() > before)

    def _hydrations(self) -> int:
        return sum("is_hydrated" in frame and '"delta"' in frame for frame in self.frames)

    async def until(self, said: Callable[[], bool], *, within_s: float = 60) -> None:
        """Waits until something holds; fails after a minute, or once the server has hung up."""
        async with asyncio.timeout(within_s):
            while not said():
                assert not self.closed, "the server has hung up"
                self._came.clear()
                await self._came.wait()

    def heard(self, secrets: Iterable[str]) -> set[str]:
        """Which of these things came over the wire."""
        all_of_it = "\n".join(self.frames)
        return {at for at in secrets if at in all_of_it}


@asynccontextmanager
async def raw_socket(
    port: int,
    *,
    token: str | None,
    cookie: str | None = None,
    origins: Iterable[str] = (),
    more: Iterable[tuple[str, str]] = (),
) -> AsyncIterator[RawSocket]:
    """A connection that has not joined yet. Raises InvalidStatus where the door stays shut."""
    headers = [("Origin", origin) for origin in origins]
    headers += [("Cookie", cookie)] if cookie else []
    address = f"ws://127.0.0.1:{port}{NAMESPACE}/?EIO=4&transport=websocket"
    async with connect(
        address + (f"&token={token}" if token is not None else ""),
        additional_headers=[*headers, *more],
        max_size=_LARGEST,
        proxy=None,
        user_agent_header="raw",
    ) as wire:
        made = RawSocket(wire)
        try:
            yield made
        finally:
            made._reader.cancel()
            await asyncio.gather(made._reader, return_exceptions=True)
