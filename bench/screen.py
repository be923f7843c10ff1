"""How soon a person sees it: from consent to the first number, from a message to the page."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import orjson
import redis

from brandmind.bus.stream import STREAM
from brandmind.db import snapshot
from brandmind.db.session import Database
from brandmind.launch import frontend, ports
from brandmind.settings import Settings
from brandmind.sync.progress import StoreProgress, to_plain
from brandmind.sync.stages import Stage

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.e2e.house import House, Shop
    from tests.e2e.visitor import Visitor

CONSENT_AIM_S: Final = 5.0
PUBLISH_AIM_MS: Final = 150.0
_SIZES: Final = {"orders": 2_000, "products": 120, "customers": 900}
# Both sign-in legs, the shop's facts, its three counts and the first page: then it is held.
_UNTIL_THE_FIRST_PAGE: Final = 6
# A screen takes four messages a second; one that comes sooner waits for its turn.
_APART_S: Final = 0.45
_TOTAL: Final = 100_000

# Notes when what is looked for first stands in the page; clocks of one machine are one clock.
_NOTES = """
window.__seen = {};
const note = what => { window.__seen[what] ??= Date.now(); };
new MutationObserver(() => {
  for (const line of document.querySelectorAll(".stage-detail")) {
    // What was read; "120 to read" is only what the shop told.
    const count = line.textContent.match(/^([1-9][\\d,]*)(?! (to read|more))\\b/);
    if (count) { note("count"); note(count[1]); }
  }
  if (document.querySelector(".card.mini.rise")) note("figure");
}).observe(document, { subtree: true, childList: true, characterData: true });
"""


@dataclass(frozen=True, slots=True)
class Screen:
    """Seconds from the consent click to the first count and the first chart; milliseconds from
    each published message to its number in the page."""

    count_s: list[float]
    figure_s: list[float]
    publish_ms: list[float]

    @property
    def publish_p95_ms(self) -> float:
        """The time that 95 of 100 messages keep."""
        return sorted(self.publish_ms)[max(0, -(-len(self.publish_ms) * 95 // 100) - 1)]


class NoBrowser(Exception):
    """There is no browser here, or no Playwright to drive it."""


def look(*, visits: int = 5, messages: int = 100) -> Screen:
    """Start the whole product and watch it in a browser. Raises NoBrowser."""
    frontend.ensure_built()
    from tests.e2e.house import House

    with (
        _browser() as browser,
        tempfile.TemporaryDirectory(prefix="brandmind-bench-") as data,
    ):
        house = House(Path(data), port=ports.free_port())
        try:
            visited = [_consent(house, browser, number) for number in range(visits)]
            published = _publish(house, browser, messages)
        finally:
            house.close()
    return Screen([v[0] for v in visited], [v[1] for v in visited], published)


@contextmanager
def _browser() -> Iterator[Browser]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise NoBrowser("Playwright is not installed") from error
    names = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
    path = os.environ.get("BRANDMIND_CHROMIUM") or next(filter(None, map(shutil.which, names)), "")
    if not path:
        raise NoBrowser("no Chromium or Chrome was found")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield opened
        opened.close()


def _consent(house: House, browser: Browser, number: int) -> tuple[float, float]:
    visitor = _visitor(house, browser)
    try:
        shop = house.shop(f"bench-visit-{'abcdefgh'[number]}", **_SIZES)
        # The simulator makes a shop's orders when they are first asked for: not our time.
        shop.truth()
        tab = visitor.opens()
        visitor.asks_to_connect(tab, shop)
        button = tab.page.get_by_role("button", name="Install app")
        clicked_ms = time.time() * 1000
        button.click(no_wait_after=True)
        tab.page.wait_for_url("**/syncing**", wait_until="commit")
        seen = _seen(tab.page, "figure")
        _until_whole(shop)
        return (seen["count"] - clicked_ms) / 1000, (seen["figure"] - clicked_ms) / 1000
    finally:
        visitor.leave()


def _publish(house: House, browser: Browser, messages: int) -> list[float]:
    visitor = _visitor(house, browser)
    shop = house.shop("bench-messages", **_SIZES)
    shop.hold(after=_UNTIL_THE_FIRST_PAGE)
    try:
        tab = visitor.connects(shop)
        shop.held()
        # Nothing moves any more but what is published here.
        settings = Settings.load(data_dir=house.data)
        db = Database(settings.database_url)
        told = redis.Redis.from_url(settings.redis_url)
        try:
            now = db.read_now(snapshot.progress, shop.store_id)
            sent_ms: dict[str, float] = {}
            for number in range(1, messages + 1):
                done = 1_000 + number
                body = orjson.dumps(to_plain(_at(now, number=number, done=done)))
                message: dict[Any, Any] = {"kind": "progress", "key": shop.store_id, "body": body}
                sent_ms[f"{done:,}"] = time.time() * 1000
                told.xadd(STREAM, message)
                # Through the browser: a sleeping thread would not run its page's events.
                tab.page.wait_for_timeout(_APART_S * 1000)
            seen = _seen(tab.page, f"{1_000 + messages:,}")
        finally:
            told.close()
            db.close()
        return [seen[count] - at for count, at in sent_ms.items() if count in seen]
    finally:
        shop.let_go()
        visitor.leave()


def _at(now: StoreProgress, *, number: int, done: int) -> StoreProgress:
    running = next(at for at in now.stages if at.total is not None and at.stage is Stage.PRODUCTS)
    stages = tuple(
        replace(at, done=done, total=_TOTAL) if at is running else at for at in now.stages
    )
    # Far ahead of what the worker itself may say meanwhile.
    return replace(now, seq=now.seq + 1_000 + number, stages=stages)


def _visitor(house: House, browser: Browser) -> Visitor:
    from tests.e2e.visitor import Visitor

    made = Visitor(house, browser)
    made.context.add_init_script(_NOTES)
    return made


def _seen(page: Page, what: str) -> dict[str, float]:
    page.wait_for_function("what => window.__seen[what]", arg=what, timeout=60_000)
    found: dict[str, float] = page.evaluate("window.__seen")
    return found


def _until_whole(shop: Shop) -> None:
    from tests.e2e.house import until

    # The next visit is not to wait for this one's older orders.
    until(shop.is_whole, what=f"{shop.domain} read whole", within_s=180)


def lines(screen: Screen) -> list[str]:
    """What was seen, as lines, with its aims."""
    count_s, p95_ms = median(screen.count_s), screen.publish_p95_ms
    return [
        f"In a browser: {len(screen.count_s)} visits to a shop of {_SIZES['orders']:,} orders, "
        f"{len(screen.publish_ms)} messages to one tab",
        f"  consent click to the first real number  {count_s:>6.1f} s   "
        f"(aim {CONSENT_AIM_S:.0f} s: {'met' if count_s <= CONSENT_AIM_S else 'not met'})",
        f"  consent click to the first own chart    {median(screen.figure_s):>6.1f} s",
        f"  message published to the page, median   {median(screen.publish_ms):>6.0f} ms",
        f"  message published to the page, p95      {p95_ms:>6.0f} ms  "
        f"(aim {PUBLISH_AIM_MS:.0f} ms: {'met' if p95_ms <= PUBLISH_AIM_MS else 'not met'})",
    ]
