"""A real web process and a socket that sends nonsense: few lines, none with a word of it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from reflex_base.registry import RegistrationContext

import brandmind.brandmind
from brandmind.launch import frontend
from brandmind.launch.keys import new_key
from brandmind.state.frame import Frame
from brandmind.state.settings import Settings as SettingsPage
from tests.faults.ground import until

pytestmark = [pytest.mark.timeout(300)]

ASSEMBLED = brandmind.brandmind.app
CANARIES = {
    "cookie": "c00kiecanary",
    "name": "Zebulon Quimby",
    "mail": "zebulon@quimby.example",
    "phone": "+49 151 7654 3210",
    "token": "shpat_canary0123456789",
}
MANY = 150


class Socket:
    """A client of Reflex' socket, without a browser and without manners."""

    def __init__(self, line: websockets.ClientConnection) -> None:
        self._line = line

    async def event(self, name: Any, payload: Any, **more: Any) -> None:
        await self.say("event", {"name": name, "payload": payload, "router_data": {}, **more})

    async def say(self, kind: str, *what: Any) -> None:
        await self._line.send(f"42/_event,{json.dumps([kind, *what])}")

    async def is_heard(self) -> None:
        """Waits until all that was sent is taken in: the answer comes in its turn."""
        await self.say("ping")
        while "pong" not in str(await asyncio.wait_for(self._line.recv(), 60)):
            pass


@asynccontextmanager
async def socket(url: str) -> AsyncIterator[Socket]:
    address = f"{url.replace('http', 'ws', 1)}/_event/?EIO=4&transport=websocket&token=t-1"
    cookie = {"Cookie": f"bm_session={CANARIES['cookie']}"}
    async with websockets.connect(address, origin=url, additional_headers=cookie) as line:
        await line.recv()
        await line.send("40/_event,")
        assert str(await line.recv()).startswith("40/_event,")
        yield Socket(line)


async def test_a_flood_of_nonsense_leaves_few_short_lines_without_a_word_of_it(
    sqlite_url: str, valkey_url: str, free_port: int, tmp_path: Path
) -> None:
    frontend.ensure_built()
    url = f"http://localhost:{free_port}"
    told = {
        "BRANDMIND_DATABASE_URL": sqlite_url,
        "BRANDMIND_REDIS_URL": valkey_url,
        "BRANDMIND_DATA_DIR": str(tmp_path),
        "BRANDMIND_PORT": str(free_port),
        "BRANDMIND_ENCRYPTION_KEYS": new_key(),
        "BRANDMIND_LOG_FORMAT": "json",
    }
    log = tmp_path / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "brandmind", "web"],
            cwd=frontend.HOME,
            env=os.environ | told,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        async with httpx.AsyncClient(trust_env=False) as http:

            async def is_up() -> bool:
                assert process.poll() is None, log.read_text()
                try:
                    return (await http.get(f"{url}/ping")).status_code == 200
                except httpx.TransportError:
                    return False

            await until(is_up, within_s=120)
        await _flood(url)
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(process.wait, 60)
    said = log.read_text()
    lines = [json.loads(line) for line in said.splitlines()]
    assert {name for name, canary in CANARIES.items() if canary in said} == set()
    assert "sync_now came with other arguments" in said
    assert "an event that does not exist was refused" in said
    assert "a message that nobody can read was refused" in said
    assert "a browser reported an error" in said
    # Eight hundred pieces of nonsense: ten lines of a kind pass.
    assert len(lines) < 100
    assert max(len(line["message"]) for line in lines) < 300
    assert not [line for line in lines if "trace" in line and "reflex" in line["logger"]]


async def _flood(url: str) -> None:
    named = {
        handler.rsplit(".", 1)[-1]: handler for handler in RegistrationContext.get().event_handlers
    }
    canaries = list(CANARIES.values())
    sync_now = f"{Frame.get_full_name()}.sync_now"
    choose = f"{SettingsPage.get_full_name()}.choose_customers"
    assert {sync_now, choose} <= set(named.values())
    async with socket(url) as line:
        for number in range(MANY):
            await line.event(f"{CANARIES['name']}.{number}", {"value": canaries})
            await line.event(sync_now, {"who": canaries, CANARIES["name"]: number})
            await line.event(choose, {"on": canaries})
            await line.event(sync_now, canaries)
            await line.say("client_error", {"error_type": "x", "message": " ".join(canaries)})
        await line.is_heard()
    for nonsense in (
        ["event", " ".join(canaries)],
        ["event", canaries],
        ["event", {"name": canaries}],
        [CANARIES["name"], canaries],
        ["event"],
    ):
        for _ in range(10):
            async with socket(url) as line:
                await line.say(*nonsense)
