"""Stands up the stage and opens its pages in a browser."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page

from tests import stage_acts

HOME = Path(__file__).parents[2]
CHECKS = Path(__file__).with_name("checks.js")
WIDE, NARROW = (1280, 900), (375, 812)


def shop(name: str) -> str:
    return f"shop={stage_acts.domain(name)}"


@contextlib.contextmanager
def stage(port: int, *, progress: str = "") -> Iterator[str]:
    """The built pages over staged acts; yields their address.

    With `progress` "later" the running store has been read further.
    """
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.stage", str(port)],
        cwd=HOME,
        env={**os.environ, "PYTHONPATH": str(HOME), "STAGE_PROGRESS": progress},
    )
    base = f"http://localhost:{port}"
    try:
        for _ in range(600):
            assert server.poll() is None, "the stage fell down"
            with contextlib.suppress(OSError), urllib.request.urlopen(base, timeout=2) as answer:
                if answer.status == 200:
                    break
            time.sleep(0.1)
        yield base
    finally:
        server.terminate()
        server.wait(10)


@dataclass
class Seen:
    """What a page did besides showing itself."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    abroad: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


class Opening:
    """Opens pages of the stage."""

    def __init__(self, browser: Browser, address: str) -> None:
        self._browser = browser
        self.address = address
        self._contexts: list[BrowserContext] = []

    def __call__(
        self,
        path: str,
        *,
        size: tuple[int, int] = WIDE,
        theme: str = "light",
        signed_in: bool = True,
        slowed: int = 1,
    ) -> Seen:
        """`slowed` is how many times slower the page's own work goes."""
        context = self._browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if theme == "dark" else "light",
            reduced_motion="reduce",
        )
        self._contexts.append(context)
        if signed_in:
            name, value = stage_acts.COOKIE.split("=")
            context.add_cookies([{"name": name, "value": value, "url": self.address}])
        page = context.new_page()
        seen = Seen(page)
        page.on(
            "console",
            lambda said: seen.complaints.append(said.text) if said.type == "error" else None,
        )
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))

        def requested(url: str) -> None:
            seen.requests.append(url)
            ours = (self.address, self.address.replace("http", "ws"), "data:", "blob:")
            if not url.startswith(ours):
                seen.abroad.append(url)

        page.on("request", lambda request: requested(request.url))
        if slowed > 1:
            tools = context.new_cdp_session(page)
            tools.send("Emulation.setCPUThrottlingRate", {"rate": slowed})
        page.add_init_script(path=CHECKS)
        page.goto(self.address + path)
        return seen

    def close(self) -> None:
        for context in self._contexts:
            context.close()
