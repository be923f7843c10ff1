"""A person with a browser: what they do, and what their pages asked for and were told."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import APIResponse, Browser, Locator, Page, Request, WebSocket, expect

from tests.e2e.house import House, Shop, until

PICTURES = Path(__file__).parents[2] / "test-results" / "stories"
WIDE, NARROW = (1280, 900), (375, 812)
# Whatever a page shows of its progress, in the order in which it showed it.
_DIARY = """
window.__percents = [];
new MutationObserver(() => {
  const bar = document.querySelector("[role=progressbar][aria-label='The whole sync']");
  const now = bar && Number(bar.getAttribute("aria-valuenow"));
  const all = window.__percents;
  if (bar && all[all.length - 1] !== now) all.push(now);
}).observe(document, {
  subtree: true, childList: true, attributes: true, attributeFilter: ["aria-valuenow"],
});
"""
_STATIC = re.compile(r"^/(assets|fonts)/|\.(js|css|woff2|svg|ico|png)$")


@dataclass
class Tab:
    """One page, with its diary."""

    page: Page
    requests: list[Request] = field(default_factory=list)
    frames: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", lambda request: self.requests.append(request))
        self.page.on("websocket", self._listen)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: self.frames.append(str(frame)))

    @property
    def headline(self) -> Locator:
        return self.page.get_by_role("heading", level=1)

    @property
    def percents(self) -> list[int]:
        """Every percentage the whole sync's bar has shown on this page."""
        return list(self.page.evaluate("window.__percents"))

    @property
    def asked(self) -> list[str]:
        """What the page asked for over HTTP, static files aside."""
        return [
            at.url
            for at in self.requests
            if at.url.startswith("http") and not _STATIC.search(urlsplit(at.url).path)
        ]

    def says(self, words: str | re.Pattern[str], *, within_s: float = 60) -> None:
        """Waits until the words can be seen."""
        seen = self.page.get_by_text(words).locator("visible=true").first
        expect(seen).to_be_visible(timeout=within_s * 1000)

    def is_headed(self, words: str | re.Pattern[str], *, within_s: float = 60) -> None:
        """Waits until the page's headline is this."""
        expect(self.headline).to_have_text(words, timeout=within_s * 1000)


class Visitor:
    """One browser profile."""

    def __init__(self, house: House, browser: Browser) -> None:
        self._house = house
        self.context = browser.new_context(
            viewport={"width": WIDE[0], "height": WIDE[1]}, reduced_motion="reduce"
        )
        self.context.set_default_timeout(30_000)
        self.context.add_init_script(_DIARY)

    def opens(self, path: str = "") -> Tab:
        """A new tab; with a path, on that page."""
        tab = Tab(self.context.new_page())
        if path:
            tab.page.goto(self._house.url + path)
        return tab

    def asks_to_connect(self, tab: Tab, shop: Shop) -> None:
        """From the landing page to the shop's question."""
        tab.page.goto(self._house.url + "/?stay=1")
        tab.page.get_by_label("Your store").fill(shop.domain)
        tab.page.get_by_role("button", name="Connect Shopify").click()
        expect(tab.page.get_by_role("button", name="Install app")).to_be_visible()

    def connects(self, shop: Shop) -> Tab:
        """The newcomer's way as far as the waiting room."""
        tab = self.opens()
        self.asks_to_connect(tab, shop)
        tab.page.get_by_role("button", name="Install app").click()
        tab.page.wait_for_url(re.compile(r"/syncing/?\?"), wait_until="commit")
        return tab

    def owns(self, shop: Shop) -> Tab:
        """A store that has been read whole."""
        tab = self.connects(shop)
        until(shop.is_whole, what=f"{shop.domain} read whole")
        return tab

    def sees_a_clock_ahead(self, seconds: int) -> None:
        """Moves the clock of the pages opened from now on."""
        self.context.add_init_script(
            f"const now = Date.now.bind(Date); Date.now = () => now() + {seconds * 1000};"
        )

    def status(self, shop: Shop) -> dict[str, Any]:
        """What the API says of a store."""
        answer = self.context.request.get(f"{self._house.url}/api/stores/{shop.store_id}/status")
        assert answer.status == 200, answer.text()
        found: dict[str, Any] = answer.json()
        return found

    def asks_for_a_sync(self, shop: Shop) -> APIResponse:
        """Over the API, as a page of ours would."""
        return self.context.request.post(
            f"{self._house.url}/api/stores/{shop.store_id}/sync",
            headers={"Origin": self._house.url},
        )

    def looks(self, tab: Tab, what: str) -> None:
        """Keeps a picture, wide and narrow, for people to look at."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        for width, height in (NARROW, WIDE):
            tab.page.set_viewport_size({"width": width, "height": height})
            tab.page.screenshot(path=PICTURES / f"{what}-{width}.png", full_page=True)

    def leave(self) -> None:
        """Closes the browser profile."""
        self.context.close()
