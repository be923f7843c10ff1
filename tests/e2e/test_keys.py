"""What the keyboard does on the private pages, and where the focus goes."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from brandmind.launch import ports
from tests.e2e.opening import Opening, shop, stage

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture
def center(opening: Opening) -> Iterator[Page]:
    seen = opening(f"/command-center?{shop('ready')}")
    expect(seen.page.locator(".kpi-value").first).to_be_visible()
    yield seen.page
    assert seen.complaints == []


def test_two_keys_go_to_a_page_whose_beginning_gets_the_focus(center: Page) -> None:
    center.keyboard.press("g")
    center.keyboard.press("s")
    expect(center).to_have_url(re.compile("/settings"))
    expect(center.locator("main")).to_be_focused()
    expect(center.get_by_role("heading", level=1)).to_have_text("Settings")
    center.keyboard.press("g")
    center.keyboard.press("c")
    expect(center).to_have_url(re.compile("/command-center"))
    expect(center.locator("main")).to_be_focused()


@pytest.mark.parametrize(
    ("letter", "path"),
    [("d", "/dna"), ("u", "/customers"), ("p", "/products"), ("o", "/orders"), ("w", "/syncing")],
)
def test_each_page_has_its_letter(center: Page, letter: str, path: str) -> None:
    center.keyboard.press("g")
    center.keyboard.press(letter)
    expect(center).to_have_url(re.compile(re.escape(path)))


def test_a_change_within_a_page_leaves_the_focus_alone(center: Page) -> None:
    sync = center.get_by_role("button", name="Sync now")
    sync.focus()
    center.keyboard.press("[")
    expect(center.locator("summary.choice")).to_contain_text("Last 7 days")
    expect(sync).to_be_focused()


def test_brackets_choose_a_shorter_and_a_longer_period(center: Page) -> None:
    choice = center.locator("summary.choice")
    center.keyboard.press("]")
    expect(choice).to_contain_text("Last 90 days")
    center.keyboard.press("[")
    expect(choice).to_contain_text("Last 28 days")
    assert "range=28d" in center.url


def test_the_list_of_keys_opens_and_closes(center: Page) -> None:
    center.keyboard.press("?")
    keys = center.get_by_role("dialog", name="Keys")
    expect(keys).to_be_visible()
    expect(keys).to_contain_text("A longer period")
    # What a key means does not happen behind a dialog.
    center.keyboard.press("]")
    center.keyboard.press("Escape")
    expect(keys).not_to_be_visible()
    expect(center.locator("summary.choice")).to_contain_text("Last 28 days")
    center.get_by_role("button", name="Keys").click()
    expect(keys).to_be_visible()
    keys.get_by_role("button", name="Close").click()
    expect(keys).not_to_be_visible()


def test_a_sync_by_key_is_asked_about_once(opening: Opening) -> None:
    page = opening(f"/command-center?{shop('stale')}").page
    expect(page.locator(".kpi-value").first).to_be_visible()
    answer = page.get_by_text("Three syncs in the last hour.")
    question = page.get_by_role("dialog", name="Sync now?")
    page.keyboard.press("r")
    question.get_by_role("button", name="Not now").click()
    expect(question).not_to_be_visible()
    expect(answer).to_have_count(0)
    page.keyboard.press("r")
    page.keyboard.press("Enter")
    expect(answer).to_be_visible()
    expect(question).not_to_be_visible()
    page.keyboard.press("Escape")
    expect(answer).to_have_count(0)


def test_keys_are_letters_while_somebody_types(center: Page) -> None:
    center.locator("summary.choice").click()
    center.get_by_label("From").focus()
    for key in ("g", "s", "?", "r", "]"):
        center.keyboard.press(key)
    expect(center.locator("dialog[open]")).to_have_count(0)
    assert "/command-center" in center.url
    center.keyboard.press("Escape")
    expect(center.locator("summary.choice")).to_be_focused()


def test_a_key_with_a_modifier_belongs_to_the_browser(center: Page) -> None:
    center.keyboard.press("Alt+r")
    center.keyboard.press("Control+]")
    expect(center.locator("dialog[open]")).to_have_count(0)
    expect(center.locator("summary.choice")).to_contain_text("Last 28 days")


def test_words_tell_that_the_connection_is_lost_until_it_is_back(browser: Browser) -> None:
    lost = "Connection lost. Reconnecting; the sync goes on without this page."
    port = ports.free_port()
    with stage(port) as address:
        made = Opening(browser, address)
        page = made(f"/syncing?{shop('running')}").page
        expect(page.get_by_text("4,210 of 12,000", exact=True)).to_be_visible()
        page.evaluate("window.stillHere = true")
        said = page.get_by_text(lost)
        expect(said).to_have_count(0)
    expect(said).to_be_visible(timeout=60_000)
    with stage(port, progress="later"):
        expect(said).to_have_count(0, timeout=60_000)
        # What has changed in the meantime is shown without a reload.
        expect(page.get_by_text("6,160 of 12,000", exact=True)).to_be_visible(timeout=60_000)
        assert page.evaluate("window.stillHere")
        made.close()
