"""What goes wrong, as a person lives it: in words on the screen, and with nothing lost."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, urlencode, urlsplit
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, expect

from brandmind.settings import DEMO_CLIENT_SECRET
from tests.e2e.house import House, Shop, until
from tests.e2e.visitor import Tab, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.timeout(240)]

SIZES = {"orders": 900, "products": 100, "customers": 300}
# Far enough that the person is signed in and orders are being read.
IN_MID_SYNC = 10
NOT_ANSWERING = "Shopify is not answering right now. We keep trying; nothing is lost."
WITHDRAWN = "Shopify access was withdrawn or expired. Reconnect to go on."
BAD_LINK = "This sign-in link is not valid or too old. Start again from your store's address."


def assert_nothing_is_lost(shop: Shop) -> None:
    """As many of everything as the simulator's own books have."""
    counts = shop.truth()["counts"]
    assert shop.kept() == {name: counts[name] for name in shop.kept()}


@dataclass
class Outage:
    """A shop in mid-sync that answers 503 for a minute, and the page that watches it."""

    shop: Shop
    visitor: Visitor
    tab: Tab
    ends_at: float


def held_in_mid_sync(visitor: Visitor, shop: Shop) -> None:
    """Until the shop's next answer is held and a page has landed: not all that was asked so far
    were pages, and the last one may still be landing."""
    shop.held()
    while visitor.status(shop)["percent"] == 0:
        shop.step()
        shop.held()


@pytest.fixture(scope="module")
def outage(house: House, browser: Browser) -> Iterator[Outage]:
    """Begun once: the other stories are told while its minute passes."""
    shop = house.shop("otto-optics", **SIZES)
    visitor = Visitor(house, browser)
    shop.hold(after=IN_MID_SYNC)
    tab = visitor.connects(shop)
    expect(tab.page.locator("ol.stages > li").first).to_be_visible()
    held_in_mid_sync(visitor, shop)
    ends_at = time.time() + 60
    shop.fail("http5xx", until=ends_at)
    shop.let_go()
    yield Outage(shop, visitor, tab, ends_at)
    visitor.leave()


def test_a_shop_that_answers_errors_is_waited_for_in_words(outage: Outage) -> None:
    outage.tab.says(NOT_ANSWERING)
    said = outage.visitor.status(outage.shop)
    assert (said["status"], said["waiting"]) == ("IN_PROGRESS", "unavailable")
    assert 0 < said["percent"] < 100
    assert time.time() < outage.ends_at
    outage.visitor.looks(outage.tab, "not-answering")


def test_access_withdrawn_in_mid_sync_is_said_and_reconnecting_goes_on(
    house: House, visitor: Visitor
) -> None:
    shop = house.shop("rita-rugs", **SIZES)
    shop.hold(after=IN_MID_SYNC)
    tab = visitor.connects(shop)
    expect(tab.page.locator("ol.stages > li").first).to_be_visible()
    held_in_mid_sync(visitor, shop)
    shop.fail("revoked-token", count=1)
    shop.let_go()
    first, _, rest = WITHDRAWN.partition(". ")
    tab.is_headed(f"{first}.")
    tab.says(re.compile(re.escape(rest)))
    stopped = visitor.status(shop)
    assert (stopped["status"], stopped["error_kind"]) == ("FAILED", "auth")
    assert 0 < stopped["percent"] < 100
    visitor.looks(tab, "withdrawn")
    center = visitor.opens(f"/command-center?shop={shop.domain}&look=1")
    center.says(WITHDRAWN)
    visitor.looks(center, "withdrawn-center")
    center.page.close()

    shop.hold(after=2)
    tab.page.get_by_role("link", name="Reconnect").click()
    tab.page.get_by_role("button", name="Install app").click()
    tab.page.wait_for_url(re.compile(r"/syncing/?\?"))
    expect(tab.page.locator("ol.stages > li").first).to_be_visible()
    # It goes on from where it stood.
    assert visitor.status(shop)["percent"] >= stopped["percent"]
    shop.let_go()
    tab.is_headed("Your numbers are ready.")
    until(shop.is_whole, what="all orders")
    assert visitor.status(shop)["status"] == "COMPLETED"
    assert_nothing_is_lost(shop)


def test_whoever_chooses_not_to_install_leaves_nothing_behind(
    house: House, visitor: Visitor
) -> None:
    # By their keys and not their number: what others of this house left may be tidied meanwhile.
    keys = {
        "store": "store_id",
        "app_user": "user_id",
        "membership": "store_id || user_id",
        "session": "session_id",
        "token": "store_id",
        "sync_run": "run_id",
        "oauth_flow": "state_hash",
    }

    def left() -> set[tuple[str, str]]:
        return {
            (table, key)
            for table, column in keys.items()
            for (key,) in house.rows(f"SELECT {column} FROM {table}")
        }

    before = left()
    shop = house.shop("nora-nuts", **SIZES)
    tab = visitor.opens()
    visitor.asks_to_connect(tab, shop)
    assert left() - before  # the sign-in that is under way
    tab.page.get_by_role("button", name="Cancel").click()
    tab.says("You chose not to install. Nothing was saved.")
    assert not left() - before
    assert visitor.context.request.get(house.url + "/connect").status == 200
    visitor.looks(tab, "denied")


def signed(parameters: dict[str, str]) -> str:
    """The query as somebody who knows the app's secret would sign it."""
    kept = {name: value for name, value in parameters.items() if name != "hmac"}
    message = "&".join(f"{name}={kept[name]}" for name in sorted(kept))
    digest = hmac.new(DEMO_CLIENT_SECRET.encode(), message.encode(), hashlib.sha256).hexdigest()
    return urlencode({**kept, "hmac": digest})


def genuine_callback(house: House, visitor: Visitor, shop: Shop) -> dict[str, str]:
    """Consents, and keeps the address to which Shopify sends the browser back unopened."""
    asking = visitor.context.request
    left = asking.get(f"{house.url}/auth/connect?shop={shop.domain}", max_redirects=0)
    assert left.status == 302
    answer = asking.post(left.headers["location"], form={"decision": "install"}, max_redirects=0)
    assert answer.status == 302, answer.text()
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


FORGERIES = {
    "another signature": lambda query: urlencode({**query, "hmac": "0" * 64}),
    "no signature": lambda query: urlencode({**query, "hmac": ""}),
    "changed after signing": lambda query: urlencode({**query, "shop": "mine.myshopify.com"}),
    "another state": lambda query: signed({**query, "state": "0" * 43}),
    "an old timestamp": lambda query: signed({**query, "timestamp": str(int(time.time()) - 120)}),
    "an evil domain": lambda query: signed({**query, "shop": "x.myshopify.com.evil.com"}),
    "another shop": lambda query: signed({**query, "shop": "mine.myshopify.com"}),
}


# The last one spends the state, so each forgery has a shop and a sign-in of its own.
@pytest.mark.parametrize("how", FORGERIES)
def test_a_forged_callback_opens_nothing(house: House, visitor: Visitor, how: str) -> None:
    shop = house.shop(f"forged-{how.replace(' ', '-')}", orders=3, products=3, customers=3)
    query = genuine_callback(house, visitor, shop)
    tab = visitor.opens()
    answer = tab.page.goto(f"{house.url}/auth/callback?{FORGERIES[how](query)}")
    assert answer is not None
    assert answer.status == 400
    tab.says(BAD_LINK)
    for domain in (shop.domain, "mine.myshopify.com", "x.myshopify.com.evil.com"):
        assert house.rows("SELECT 1 FROM store WHERE domain = ?", domain) == []
    assert not any(at["name"] == "bm_session" for at in visitor.context.cookies())


def test_a_genuine_callback_opens_once_and_in_its_own_browser(
    house: House, visitor: Visitor, stranger: Visitor
) -> None:
    shop = house.shop("genuine-gems", orders=30, products=10, customers=10)
    query = urlencode(genuine_callback(house, visitor, shop))
    theirs = stranger.opens(f"/auth/callback?{query}")
    theirs.says(BAD_LINK)
    assert house.rows("SELECT 1 FROM store WHERE domain = ?", shop.domain) == []

    again = urlencode(genuine_callback(house, visitor, shop))
    tab = visitor.opens(f"/auth/callback?{again}")
    tab.page.wait_for_url(re.compile(r"/syncing/?\?"))
    stores = house.rows("SELECT count(*) FROM store")
    second = visitor.opens(f"/auth/callback?{again}")
    second.says(BAD_LINK)
    visitor.looks(second, "bad-link")
    assert house.rows("SELECT count(*) FROM store") == stores
    until(shop.is_whole, what="the sync")


def test_a_second_sync_at_once_is_shown_the_first(house: House, visitor: Visitor) -> None:
    shop = house.shop("tess-tea", **SIZES)
    visitor.owns(shop).page.close()
    tab = visitor.opens(f"/command-center?shop={shop.domain}")
    shop.hold()
    button = tab.page.get_by_role("button", name="Sync now")
    expect(button).to_be_enabled()
    # A hasty double click, both before the page can take the button away.
    button.evaluate("button => { button.click(); button.click(); }")
    tab.says("A sync is already running. Here it is.")
    expect(tab.page.get_by_text("Your first sync starts now.")).to_have_count(0)
    visitor.looks(tab, "already-running")
    answer = visitor.asks_for_a_sync(shop)
    assert (answer.status, answer.json()["error"]) == (409, "sync_running")
    running = visitor.status(shop)["run_id"]
    assert answer.json()["run_id"] == running
    assert len(house.rows("SELECT 1 FROM sync_request WHERE store_id = ?", shop.store_id)) == 1
    shop.let_go()
    until(shop.is_whole, what="the one sync")
    assert_nothing_is_lost(shop)


def test_a_sync_paused_in_its_midst_waits_and_goes_on_where_it_was(
    house: House, visitor: Visitor
) -> None:
    shop = house.shop("paula-pots", **SIZES)
    shop.hold(after=IN_MID_SYNC)
    tab = visitor.connects(shop)
    held_in_mid_sync(visitor, shop)
    settings = visitor.opens(f"/settings?shop={shop.domain}")
    settings.page.get_by_role("button", name="Pause", exact=True).click()
    tab.says("Nothing is read meanwhile, and nothing is lost.")
    visitor.looks(tab, "paused")
    # The answer under way lands, and after it the run lets go of the store.
    shop.let_go()
    running = "SELECT 1 FROM sync_run WHERE store_id = ? AND status = 'running'"
    until(lambda: not house.rows(running, shop.store_id), what="the run that lets go")
    shop.hold()
    kept = shop.kept()
    answer = visitor.asks_for_a_sync(shop)
    assert (answer.status, answer.json()["error"]) == (409, "store_paused")
    assert shop.kept() == kept != shop.truth()["counts"]
    tab.page.get_by_role("button", name="Go on", exact=True).click()
    shop.held()
    shop.let_go()
    tab.is_headed("Your numbers are ready.")
    until(shop.is_whole, what="all orders")
    assert_nothing_is_lost(shop)
    assert tab.percents == sorted(tab.percents)
    assert [*tab.complaints, *settings.complaints] == []


def test_the_fourth_sync_in_an_hour_is_told_when_to_come_again(
    house: House, visitor: Visitor
) -> None:
    shop = house.shop("vera-vases", **SIZES)
    visitor.owns(shop).page.close()
    for _ in range(3):
        assert visitor.asks_for_a_sync(shop).status == 202
        until(shop.is_whole, what="a sync that was asked for")
    refused = visitor.asks_for_a_sync(shop)
    assert (refused.status, refused.json()["error"]) == (429, "too_many_syncs")
    assert 3000 < int(refused.headers["retry-after"]) <= 3600
    next_at = datetime.fromisoformat(refused.json()["next_at"])
    tab = visitor.opens(f"/command-center?shop={shop.domain}")
    button = tab.page.get_by_role("button", name="Sync now")
    expect(button).to_be_enabled()
    button.click()
    clock = f"{next_at.astimezone(ZoneInfo('America/New_York')):%H:%M}"
    tab.says(f"Three syncs in the last hour. The next is possible at {clock}.")
    visitor.looks(tab, "fourth-sync")
    assert len(house.rows("SELECT 1 FROM sync_request WHERE store_id = ?", shop.store_id)) == 3


def test_after_a_minute_of_errors_the_sync_ends_whole(outage: Outage) -> None:
    outage.tab.is_headed("Your numbers are ready.", within_s=130)
    assert time.time() > outage.ends_at
    until(outage.shop.is_whole, what="all orders")
    assert outage.visitor.status(outage.shop)["status"] == "COMPLETED"
    assert_nothing_is_lost(outage.shop)
    percents = outage.tab.percents
    assert percents == sorted(percents)
    assert outage.tab.complaints == []
