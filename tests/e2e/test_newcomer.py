"""The newcomer's way through the whole product, in a real browser, and coming back to it."""

from __future__ import annotations

import os
import re
import signal
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from brandmind.state import wording
from tests.e2e.house import House, Shop, until
from tests.e2e.opening import CHECKS, NARROW, WIDE
from tests.e2e.visitor import Tab, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.timeout(240)]

# Many pages of customers: the next page is asked for before the last one has landed, so that not
# every step is seen apart.
SIZES = {"orders": 1200, "products": 150, "customers": 2500}
# Two sign-in legs and the sync's own look at the shop, its counts and its first page.
UNTIL_THE_FIRST_PAGE = 6


def range_of(shop: Shop, days: int = 28, *, ahead_s: float = 0) -> dict[str, str]:
    """The last days of the shop, as the command center counts them by a clock that is so far ahead:
    at some hours it has another day there already."""
    now = datetime.now(ZoneInfo(shop.truth()["timezone"])) + timedelta(seconds=ahead_s)
    today = now.date()
    return {"from": (today - timedelta(days=days - 1)).isoformat(), "to": today.isoformat()}


def figures_shown(page: Page) -> dict[str, str]:
    """The big figure of each card that is real, by its title."""
    found: dict[str, str] = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll(".kpi.real")].map(
            card => [card.getAttribute("aria-label"),
                     card.querySelector(".kpi-value")?.textContent]))"""
    )
    return found


def figures_true(truth: dict[str, object]) -> dict[str, str]:
    """What the cards must say, from the simulator's own books."""
    net, aov, orders, new, rate = (
        truth[name]
        for name in (
            "net_minor",
            "aov_minor",
            "orders",
            "new_customers",
            "returning_customer_rate",
        )
    )
    assert isinstance(net, int)
    assert isinstance(aov, int)
    assert isinstance(orders, int)
    assert isinstance(new, int)
    assert isinstance(rate, float)
    return {
        "Net sales": wording.headline_money(net, "USD"),
        "Orders": wording.number(orders),
        "Average order value": wording.money(aov, "USD"),
        "New customers": wording.number(new),
        "Returning customer rate": wording.percent(rate),
    }


def assert_shows_the_truth(page: Page, shop: Shop, *, ahead_s: float = 0) -> None:
    """Every figure with a counterpart in the books, and the best product."""
    truth = shop.truth(**range_of(shop, ahead_s=ahead_s))
    expect(page.locator(".kpi.real")).to_have_count(6)
    shown = figures_shown(page)
    assert shown.pop("Refund rate").endswith("%")
    assert shown == figures_true(truth)
    best = truth["top_products"][0]
    row = page.get_by_role("table", name="Top products").locator("tbody tr").first
    expect(row.get_by_role("rowheader")).to_have_text(best["title"])
    expect(row.get_by_role("cell").first).to_have_text(
        wording.headline_money(best["net_minor"], "USD")
    )


def test_a_newcomer_sees_the_store_being_read_and_then_its_true_numbers(
    house: House, visitor: Visitor
) -> None:
    shop = house.shop("alice-wool", **SIZES)
    shop.hold(after=UNTIL_THE_FIRST_PAGE)
    tab = visitor.connects(shop)
    expect(tab.page.locator("ol.stages > li").first).to_be_visible()
    shop.held()
    assert any("/syncing" in at for at in tab.asked)
    before, frames_before = len(tab.asked), len(tab.frames)
    while not shop.is_whole():
        seen = tab.percents
        shop.step()
        if tab.headline.inner_text() == "Your numbers are ready.":
            shop.let_go()
            until(shop.is_whole, what="all orders")
        else:
            until(
                lambda seen=seen: (
                    shop.control("gate")["waiting"]
                    or tab.percents != seen
                    or tab.headline.inner_text() == "Your numbers are ready."
                ),
                what="the next step",
            )
    tab.is_headed("Your numbers are ready.")
    bar = tab.page.get_by_role("progressbar", name="The whole sync")
    expect(bar).to_have_attribute("aria-valuenow", "100")
    visitor.looks(tab, "waiting-room-done")

    percents = tab.percents
    assert percents == sorted(percents), "progress fell"
    assert len(percents) >= 6, percents
    assert percents[0] < 30
    assert percents[-1] == 100
    # It came by messages, and by nothing else.
    told = [frame for frame in tab.frames[frames_before:] if '"percent' in frame]
    assert len(told) >= len(percents) - 2, (len(told), percents)
    assert tab.asked[before:] == []

    assert visitor.status(shop)["status"] == "COMPLETED"
    assert shop.kept() == {name: shop.truth()["counts"][name] for name in shop.kept()}
    tab.page.get_by_role("link", name="Open the command center").click()
    tab.page.wait_for_url(re.compile(r"/command-center/?\?"))
    assert_shows_the_truth(tab.page, shop)
    assert tab.complaints == []
    visitor.looks(tab, "command-center")


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["1280", "375"])
def test_nothing_moves_on_the_command_center_while_a_first_sync_comes_to_its_end(
    house: House, visitor: Visitor, size: tuple[int, int]
) -> None:
    shop = house.shop(f"ivy-ink-{size[0]}", **SIZES)
    shop.hold(after=UNTIL_THE_FIRST_PAGE)
    tab = visitor.connects(shop)
    shop.held()
    page = tab.page
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.add_init_script(path=CHECKS)
    page.goto(f"{house.url}/command-center?shop={shop.domain}&look=1")
    expect(page.locator(".kpi.sample")).to_have_count(6)
    expect(page.locator(".recharts-area").first).to_be_attached()
    page.evaluate("document.fonts.ready.then(() => new Promise(requestAnimationFrame))")
    before = page.evaluate("__checks.shift")
    while not shop.is_whole():
        shown = page.locator(".pill").inner_text()
        shop.step()
        if shop.control("gate")["waiting"]:
            continue
        until(
            lambda shown=shown: (
                shop.control("gate")["waiting"]
                or shop.is_whole()
                or page.locator(".pill").inner_text() != shown
            ),
            what="the next step",
        )
    shop.let_go()
    tab.says("Your numbers are ready.")
    expect(page.locator(".kpi.real")).to_have_count(6)
    expect(page.locator(".assay .band").first).to_be_attached()
    expect(page.locator(".heat")).to_be_attached()
    assert page.evaluate("__checks.shift") - before < 0.02


def test_a_tab_closed_right_after_consent_loses_nothing(house: House, visitor: Visitor) -> None:
    shop = house.shop("bea-books", **SIZES)
    tab = visitor.opens()
    visitor.asks_to_connect(tab, shop)
    arrived = re.compile(r"/syncing/?\?")
    # Consent is given and the session's cookie is on its way; the page itself never loads.
    with tab.page.expect_request(arrived):
        tab.page.get_by_role("button", name="Install app").click(no_wait_after=True)
    tab.page.close()
    until(shop.is_whole, what="the sync that nobody watches")
    house.move_clock(3600)
    try:
        visitor.sees_a_clock_ahead(3600)
        later = visitor.opens(f"/command-center?shop={shop.domain}")
        assert_shows_the_truth(later.page, shop, ahead_s=3600)
        later.says("Synced 1 h ago")
        # The page's own clock says the same, and goes on saying it.
        pill = later.page.locator("[data-synced]")
        expect(pill).to_have_text("Synced 1 h ago")
        assert "/command-center" in later.page.url
        assert visitor.status(shop)["status"] == "COMPLETED"
    finally:
        house.move_clock(0)


def test_leaving_and_coming_back_shows_the_same_truth(house: House, visitor: Visitor) -> None:
    shop = house.shop("cleo-candles", **SIZES)
    shop.hold(after=UNTIL_THE_FIRST_PAGE + 4)
    tab = visitor.connects(shop)
    shop.held()

    def told() -> str:
        return str(visitor.status(shop)["percent"])

    # The shop's webhooks are subscribed to beside the sync, and their requests count too.
    while told() == "0":
        shop.step()
        shop.held()
    expect(tab.page.locator("ol.stages > li").first).to_be_visible()
    visitor.looks(tab, "waiting-room-half")

    tab.page.reload()
    second = visitor.opens(f"/syncing?shop={shop.domain}")

    def shown(at: Tab) -> tuple[str | None, list[str]]:
        bar = at.page.get_by_role("progressbar", name="The whole sync")
        return bar.get_attribute("aria-valuenow"), at.page.locator(
            ".stage-detail"
        ).all_inner_texts()

    # The page before the one that is held may still be landing; then nothing moves any more.
    until(lambda: shown(tab) == shown(second) and shown(tab)[0] == told(), what="one truth")
    assert 0 < int(told()) < 100
    tab.page.close()
    shop.let_go()
    second.is_headed("Your numbers are ready.")
    until(shop.is_whole, what="all orders")
    house.move_clock(5 * 3600)
    try:
        visitor.sees_a_clock_ahead(5 * 3600)
        third = visitor.opens(f"/syncing?shop={shop.domain}")
        third.is_headed("Your numbers are ready.")
        third.says("Synced 5 h ago")
        center = visitor.opens(f"/command-center?shop={shop.domain}")
        assert_shows_the_truth(center.page, shop, ahead_s=5 * 3600)
    finally:
        house.move_clock(0)


@pytest.mark.faults
def test_a_page_watches_on_though_the_workers_are_killed(house: House, visitor: Visitor) -> None:
    shop = house.shop("dora-dolls", **SIZES)
    shop.hold(after=UNTIL_THE_FIRST_PAGE + 3)
    tab = visitor.connects(shop)
    expect(tab.page.locator("ol.stages > li").first).to_be_visible()
    shop.held()
    tab.page.evaluate("window.__never_reloaded = true")
    killed = house.children("-m worker")
    assert killed
    for worker in killed:
        os.kill(worker, signal.SIGKILL)
    shop.let_go()
    tab.is_headed("Your numbers are ready.")
    assert tab.page.evaluate("window.__never_reloaded") is True
    assert not set(house.children("-m worker")) & set(killed)
    percents = tab.percents
    assert percents == sorted(percents)
    assert percents[-1] == 100
    until(shop.is_whole, what="all orders")
    assert shop.kept() == {name: shop.truth()["counts"][name] for name in shop.kept()}
