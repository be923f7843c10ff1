"""The whole house, started as a person starts it: one command, real processes, real ports."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import websockets

from brandmind.launch import frontend
from brandmind.launch.ports import free_port
from brandmind.settings import DEMO_CLIENT_SECRET
from tests import shop_words

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at processes in /proc"),
]


class House:
    """`brandmind demo` in a data folder of its own, with its console."""

    def __init__(self, data: Path, *, port: int) -> None:
        self.data = data
        self.url = ""
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "brandmind", "demo", "--port", str(port)],
            cwd=frontend.HOME,
            env=environment(data),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def wait_for(self, words: str) -> re.Match[str]:
        """The first line of the console, from now on, that holds the pattern."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if found := re.search(words, line):
                return found
        pytest.fail(f"never said {words!r}; said:\n" + "\n".join(self.lines))

    def children(self) -> dict[int, str]:
        pid = self.process.pid
        pids = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return {
            int(child): Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ")
            for child in pids
        }


def environment(data: Path) -> dict[str, str]:
    return os.environ | {"BRANDMIND_DATA_DIR": str(data), "PYTHONUNBUFFERED": "1"}


def brandmind(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "brandmind", *arguments],
        cwd=frontend.HOME,
        env=environment(data),
        capture_output=True,
        text=True,
    )


def get(url: str) -> tuple[int, str]:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.status, answer.read().decode()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    frontend.ensure_built()
    taken = free_port()
    with socket.create_server(("127.0.0.1", taken)):
        started = House(tmp_path_factory.mktemp("house"), port=taken)
        try:
            started.url = started.wait_for(r"BrandMind is ready: +(http\S+)")[1]
            started.wait_for("Ctrl-C stops everything")
            yield started
        finally:
            started.process.kill()
            started.process.wait()
            if started.process.stdout:
                started.process.stdout.close()


def test_a_taken_port_gives_the_next_and_the_console_says_so(house: House) -> None:
    said = next(line for line in house.lines if "is taken; the web uses" in line)
    assert house.url == f"http://localhost:{said.rstrip('.').split()[-1]}"


def test_the_page_and_our_routes_answer_on_one_port(house: House) -> None:
    status, page = get(house.url)
    assert status == 200
    assert "<!DOCTYPE html>" in page
    assert get(f"{house.url}/ping")[0] == 200


def test_shopify_finds_the_door_of_the_webhooks_in_front_of_the_pages(house: House) -> None:
    raw = shop_words.body({"id": 7})
    address = f"{house.url}{shop_words.PATH}"
    for secret, status in ((DEMO_CLIENT_SECRET, 200), ("another", 401)):
        headers = shop_words.headers(raw, "orders/create", secret=secret)
        answer = httpx.post(address, content=raw, headers=headers, trust_env=False)
        assert (answer.status_code, answer.content) == (status, b"")
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_no_address_of_the_build_is_left_in_the_pages(house: House) -> None:
    chunk = next((frontend.web_dir() / "build" / "client" / "assets").glob("reflex-env-*.js"))
    text = get(f"{house.url}/assets/{chunk.name}")[1]
    assert "localhost" not in text
    assert "location.origin" in text


def test_the_local_shopify_answers_where_the_console_says(house: House) -> None:
    said = next(line for line in house.lines if "A local Shopify" in line)
    assert get(said.split()[-1])[0] == 200


def test_all_that_is_needed_runs_and_nothing_more(house: House) -> None:
    every = sorted(house.children().values())
    assert len(every) == 5
    for part in ("brandmind.simulator", "brandmind web", "-m worker", "valkey.sock"):
        assert any(part in command for command in every), every


def test_the_doctor_finds_the_running_house_well(house: House) -> None:
    seen = brandmind(house.data, "doctor")
    assert seen.returncode == 0, seen.stdout + seen.stderr
    assert "MISSING" not in seen.stdout


def test_a_second_launch_on_the_same_data_is_refused(house: House) -> None:
    second = brandmind(house.data, "demo", "--port", str(free_port()))
    assert second.returncode == 1
    assert "BrandMind already runs on" in second.stderr
    assert "Traceback" not in second.stderr


def test_secrets_on_disk_are_for_us_alone(house: House) -> None:
    for name in ("encryption.key", "running.env"):
        assert stat.S_IMODE((house.data / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(house.data.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("-m worker", "worker-[12]"),
        ("brandmind web", "web"),
        ("brandmind.simulator", "simulator"),
        ("valkey.sock", "valkey"),
    ],
)
def test_a_part_that_is_killed_comes_back(house: House, part: str, name: str) -> None:
    victim = next(pid for pid, command in house.children().items() if part in command)
    os.kill(victim, signal.SIGKILL)
    house.wait_for(rf"{name} was killed \(signal 9\); starting it again")
    house.wait_for(f"{name} is back")
    now = {pid: command for pid, command in house.children().items() if part in command}
    assert now
    assert victim not in now


async def test_ctrl_c_ends_everything_though_a_tab_is_open(house: House) -> None:
    children = house.children()
    address = house.url.replace("http", "ws", 1) + "/_event/?EIO=4&transport=websocket"
    async with websockets.connect(address, origin=house.url) as tab:
        await tab.recv()
        house.process.send_signal(signal.SIGINT)
        await asyncio.wait_for(tab.wait_closed(), 30)
    assert await asyncio.to_thread(house.process.wait, 30) == 0
    for pid, command in children.items():
        assert not Path(f"/proc/{pid}").exists(), command
    assert not (house.data / "running.env").exists()
