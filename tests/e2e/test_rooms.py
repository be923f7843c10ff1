"""The rooms beside the figures, in a real browser: legible, at home, and used by keys alone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests import stage_acts
from tests.e2e.opening import NARROW, WIDE, Opening, shop

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SIZES = [(WIDE, "light"), (NARROW, "dark")]


def as_operator(page: Page, address: str, path: str) -> None:
    """The page once more, for whoever looks after the installation."""
    name, value = stage_acts.OPERATOR_COOKIE.split("=")
    page.context.add_cookies([{"name": name, "value": value, "url": address}])
    page.goto(address + path)


PAGES = (
    ("admin", "/admin", "boots-and-braces.myshopify.com", True),
    ("admin-store", "/admin?store=boots-and-braces.myshopify.com", "What happened", True),
    ("admin-stranger", "/admin", "There is no page here.", False),
    ("members", f"/settings?{shop('ready')}&tab=members", "Remove access", False),
    ("data", f"/settings?{shop('ready')}&tab=data", "43,600", False),
    ("data-closed", f"/settings?{shop('closed')}&tab=data", "are left out", False),
    ("notices", f"/settings?{shop('ready')}&tab=notices", "Bob Teammate", False),
    ("compare", f"/compare?{shop('ready')}", "points apart", False),
    (
        "compare-untold",
        f"/compare?{shop('untold')}&and=ready.myshopify.com",
        "not known",
        False,
    ),
)


@pytest.mark.parametrize(("size", "theme"), SIZES, ids=["1280-light", "375-dark"])
@pytest.mark.parametrize(("name", "path", "says", "operator"), PAGES, ids=[at[0] for at in PAGES])
def test_a_room_is_legible_fits_and_stays_at_home(
    opening: Opening,
    name: str,
    path: str,
    says: str,
    operator: bool,
    size: tuple[int, int],
    theme: str,
) -> None:
    seen = opening("/?stay=1" if operator else path, size=size, theme=theme)
    page = seen.page
    if operator:
        as_operator(page, opening.address, path)
    expect(page.get_by_text(says, exact=False).locator("visible=true").first).to_be_visible()
    page.evaluate("document.fonts.ready")
    assert seen.complaints == []
    assert seen.abroad == []
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
    assert page.evaluate("__checks.faint()") == []
    assert page.evaluate("__checks.nameless()") == []
    assert page.evaluate("__checks.small()") == []
    assert page.locator("h1").count() == 1
    assert page.evaluate("__checks.shift") < 0.1


def test_a_search_is_opened_used_and_closed_by_keys(opening: Opening) -> None:
    page = opening(f"/command-center?{shop('ready')}").page
    expect(page.get_by_text("Fisherman Beanie")).to_be_visible()
    page.keyboard.press("/")
    field = page.get_by_role("combobox", name="Search this store")
    expect(field).to_be_focused()
    chosen = page.locator("#search [aria-selected=true]")
    expect(chosen).to_have_text(re.compile("Command center"))
    page.keyboard.type("fish")
    hits = page.locator("#search [data-hit]")
    expect(hits).to_have_count(3)
    expect(chosen).to_have_text(re.compile("Fisherman Beanie"))
    page.keyboard.press("ArrowDown")
    expect(chosen).to_have_text(re.compile("Marta Fisher"))
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(chosen).to_have_text(re.compile("Ben Fishman"))
    expect(field).to_have_attribute("aria-activedescendant", "hit-2")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/products\?shop=ready.*product=1"))
    expect(page.locator("dialog#search[open]")).to_have_count(0)
    # The page it led to is there, and no longer the one that was left.
    expect(page.locator("[data-drawer]")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Products")
    # What was found is forgotten with the dialog, and Esc closes it.
    page.keyboard.press("/")
    expect(field).to_have_value("")
    expect(hits.first).to_have_text(re.compile("Command center"))
    page.keyboard.press("Escape")
    expect(page.locator("dialog#search[open]")).to_have_count(0)


def test_enter_goes_where_the_letters_lead_even_if_it_comes_before_the_answer(
    opening: Opening,
) -> None:
    page = opening(f"/command-center?{shop('ready')}").page
    expect(page.get_by_text("Fisherman Beanie")).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_role("combobox")).to_be_focused()
    page.keyboard.type("#1001")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/orders\?.*from=2026-11-20&to=2026-11-20"))


def test_a_search_that_finds_nothing_or_fails_says_so(opening: Opening) -> None:
    page = opening(f"/command-center?{shop('closed')}", size=NARROW).page
    page.get_by_role("button", name="Search").click()
    field = page.get_by_role("combobox")
    field.fill("zebra")
    said = page.locator("#search [role=status]")
    expect(said).to_contain_text("Nothing is called “zebra”.")
    expect(said).to_contain_text("may not see orders or customers")
    field.fill("broken")
    expect(said).to_have_text("Could not look just now. Try again.")
    page.get_by_role("button", name="Close").last.click()
    expect(page.locator("dialog#search[open]")).to_have_count(0)


def test_deleting_asks_for_the_address_of_the_store(opening: Opening) -> None:
    page = opening(f"/settings?{shop('ready')}&tab=data").page
    page.get_by_text("Delete everything of this store").click()
    page.get_by_label("to delete it").fill("something else")
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("Type ready.myshopify.com to delete its data.")).to_be_visible()
    page.get_by_label("to delete it").fill("ready.myshopify.com")
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("are being deleted").first).to_be_visible()


def test_an_act_of_the_operator_answers_on_the_page(opening: Opening) -> None:
    page = opening("/?stay=1").page
    as_operator(page, opening.address, "/admin")
    page.get_by_text("Retry 1 failed store").first.click()
    page.get_by_role("button", name="Retry 1 failed store").click()
    expect(page.get_by_text("1 store put back in the queue.")).to_be_visible()
    page.get_by_role("link", name="lemon-works.myshopify.com").first.click()
    page.get_by_role("button", name="Replay 2 deliveries").click()
    expect(page.get_by_text("2 deliveries put back.")).to_be_visible()


def test_a_search_asked_for_while_a_page_is_being_left_opens_on_the_next(
    opening: Opening,
) -> None:
    page = opening(f"/command-center?{shop('ready')}").page
    expect(page.get_by_text("Fisherman Beanie")).to_be_visible()
    # In one breath, before the page can change: the dialog opens in what is about to go.
    page.evaluate(
        """() => {
            document.querySelector('.rail nav a[href^="/settings"]').click();
            document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "/", bubbles: true}));
            const field = document.querySelector("[data-search-field]");
            field.value = "fish";
            field.dispatchEvent(new Event("input", {bubbles: true}));
        }"""
    )
    expect(page.get_by_role("heading", name="Settings", include_hidden=True)).to_have_count(1)
    field = page.get_by_role("combobox", name="Search this store")
    expect(field).to_be_focused()
    expect(field).to_have_value("fish")
    expect(page.locator("#search [data-hit]")).to_have_count(3)
    page.keyboard.press("Escape")
    expect(page.locator("dialog#search[open]")).to_have_count(0)


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["1280", "375"])
def test_a_group_that_opens_below_the_screen_is_brought_to_whoever_opened_it(
    opening: Opening, size: tuple[int, int]
) -> None:
    page = opening(f"/customers?{shop('ready')}", size=size).page
    champions = page.locator('[data-opens="CHAMPIONS"]')
    champions.click()
    title = page.get_by_role("heading", name="Champions")
    expect(title).to_be_focused()
    expect(title).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(title).to_have_count(0)
    expect(champions).to_be_focused()


@pytest.mark.parametrize("name", ["settings", "products"])
def test_every_tab_is_in_sight_on_a_phone(opening: Opening, name: str) -> None:
    page = opening(f"/{name}?{shop('ready')}", size=NARROW).page
    expect(page.locator(".tab").last).to_be_visible()
    for tab in page.locator(".tab").all():
        expect(tab).to_be_in_viewport(ratio=1)


def test_the_words_at_the_ends_of_a_scale_touch_nothing_on_a_phone(opening: Opening) -> None:
    page = opening(f"/dna?{shop('ready')}", size=NARROW).page
    expect(page.locator("details.strand").first).to_be_visible()
    touching = page.evaluate(
        """() => [...document.querySelectorAll(".strand > summary")].filter((one) => {
            const [left, right] = one.querySelectorAll(".poles > span");
            const [a, b] = [left, right].map((at) => at.getBoundingClientRect());
            const score = one.querySelector(".strand-score").getBoundingClientRect();
            return a.right > b.left || a.height > 24 || b.height > 24 || b.top < score.bottom;
        }).map((one) => one.textContent)"""
    )
    assert touching == []
