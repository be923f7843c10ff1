"""Every page in every state of a store, in a real browser: what it shows and how it behaves."""

from __future__ import annotations

import os
import re

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.opening import (
    HOME,
    NARROW,
    WIDE,
    Opening,
    shop,
)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

PICTURES = HOME / "test-results" / "look"
# The other two add pictures and time, and seldom a finding: LOOK=all takes them too.
LOOKS = [(WIDE, "light"), (NARROW, "dark")]
if os.environ.get("LOOK") == "all":
    LOOKS += [(WIDE, "dark"), (NARROW, "light")]


# Name, address, what it must say before it is looked at, signed in.
PAGES = (
    ("landing", "/", "See what your store is made of.", False),
    ("connect", "/connect", "What we ask for, and why", False),
    ("connect-error", "/connect?error=denied", "You chose not to install.", True),
    ("connect-link", "/connect?error=link", "This sign-in link is not valid or too old.", True),
    ("pending", f"/syncing?{shop('pending')}", "Harbor & Pine is connected.", True),
    ("running", f"/syncing?{shop('running')}", "4,210 of 12,000", True),
    ("throttled", f"/syncing?{shop('throttled')}", "Shopify asked us to slow down.", True),
    ("failed", f"/syncing?{shop('failed')}", "Customers stopped at 3,100 of 5,400.", True),
    ("auth", f"/syncing?{shop('auth')}", "Shopify access was withdrawn or expired.", True),
    ("done", f"/syncing?{shop('done')}", "Your numbers are ready.", True),
    ("gap", f"/syncing?{shop('gap')}", "12 short of Shopify's count.", True),
    ("setup-read", f"/onboarding?{shop('early')}", "What should we read?", True),
    ("setup-habits", f"/onboarding?{shop('running')}&step=2", "How do you count?", True),
    ("setup-told", f"/onboarding?{shop('ready')}&step=3", "Who hears when it is ready?", True),
    ("settings-paused", f"/settings?{shop('paused')}", "This store is paused.", True),
    ("center", f"/command-center?{shop('ready')}", "Fisherman Beanie", True),
    ("center-12m", f"/command-center?{shop('ready')}&range=12m&compare=year", "Beanie", True),
    ("center-early", f"/command-center?{shop('early')}&look=1", "after customers", True),
    ("center-running", f"/command-center?{shop('running')}&look=1", "still loading", True),
    ("center-failed", f"/command-center?{shop('failed')}", "Could not read customers.", True),
    ("center-stale", f"/command-center?{shop('stale')}", "Numbers are from", True),
    ("center-closed", f"/command-center?{shop('closed')}", "may not see orders.", True),
    ("center-empty", f"/command-center?{shop('empty')}", "No orders in these days.", True),
    ("center-untold", f"/command-center?{shop('untold')}", "Customers are not read yet.", True),
    ("dna-untold", f"/dna?{shop('untold')}", "too little yet to tell what stands out", True),
    ("dna", f"/dna?{shop('ready')}", "relationship-built", True),
    ("dna-compared", f"/dna?{shop('marked')}&with=1", "Compared with", True),
    ("dna-none", f"/dna?{shop('early')}", "is read after the customers", True),
    ("dna-closed", f"/dna?{shop('closed')}", "may not see the orders", True),
    ("dna-sample", "/dna?shop=sample", "You are looking at a sample shop.", False),
    ("customers", f"/customers?{shop('ready')}", "Champions", True),
    ("cohorts", f"/customers?{shop('ready')}&tab=cohorts", "First order", True),
    ("value", "/customers?shop=sample&tab=value", "The best tenth", False),
    ("products", f"/products?{shop('ready')}", "Price ladder", True),
    ("products-open", f"/products?{shop('ready')}&product=1", "Bought together with", True),
    ("customers-open", f"/customers?{shop('ready')}&group=CHAMPIONS", "who spent most", True),
    ("orders", f"/orders?{shop('ready')}", "Why does this differ from Shopify?", True),
    ("orders-closed", f"/orders?{shop('closed')}", "may not see orders.", True),
    ("sample", "/command-center?shop=sample", "You are looking at a sample shop.", False),
    ("settings", f"/settings?{shop('ready')}", "Counts match Shopify", True),
    ("settings-chosen", f"/settings?{shop('chosen')}", "Customers are not read.", True),
    ("settings-stopped", f"/settings?{shop('stopped')}", "Stopped by Alice Harbor", True),
    ("settings-gone", f"/settings?{shop('gone')}", "This store has left.", True),
    ("stopped", f"/syncing?{shop('stopped')}", "Go on reading", True),
    ("center-paused", f"/command-center?{shop('paused')}", "Paused by Olga on", True),
    ("center-gone", f"/command-center?{shop('gone')}", "Its data will be deleted on", True),
    ("settings-stores", f"/settings?{shop('ready')}&tab=stores", "Sign in to open Other", True),
    ("settings-devices", f"/settings?{shop('ready')}&tab=devices", "Firefox on Windows", True),
    ("settings-about", f"/settings?{shop('ready')}&tab=about", "What the words mean", True),
    ("signed-out", f"/command-center?{shop('ready')}", "Sign in to open ready.my", False),
    ("locked", f"/syncing?{shop('other')}", "Sign in to open Other Store.", True),
    ("missing", f"/settings?{shop('nobodys')}", "There is no such store here.", True),
)


@pytest.mark.parametrize(
    ("size", "theme"),
    LOOKS,
    ids=[f"{size[0]}-{theme}" for size, theme in LOOKS],
)
@pytest.mark.parametrize(("name", "path", "says", "signed_in"), PAGES, ids=[at[0] for at in PAGES])
def test_a_page_is_legible_fits_and_stays_at_home(
    opening: Opening,
    name: str,
    path: str,
    says: str,
    signed_in: bool,
    size: tuple[int, int],
    theme: str,
) -> None:
    seen = opening(path, size=size, theme=theme, signed_in=signed_in)
    page = seen.page
    expect(page.get_by_text(says, exact=False).locator("visible=true").first).to_be_visible()
    if "center" in name and "early" not in name and "closed" not in name and "empty" not in name:
        expect(page.locator(".recharts-area").first).to_be_attached()
    page.evaluate("document.fonts.ready")
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}-{size[0]}-{theme}.png", full_page=True)
    assert seen.complaints == []
    assert seen.abroad == []
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
    assert page.evaluate("__checks.faint()") == []
    assert page.evaluate("__checks.nameless()") == []
    assert page.evaluate("__checks.small()") == []
    assert page.locator("h1").count() == 1
    assert page.evaluate("__checks.shift") < 0.1


def test_a_sync_is_followed_to_its_end_without_one_more_request(opening: Opening) -> None:
    seen = opening(f"/syncing?{shop('live')}")
    page = seen.page
    expect(page.locator(".stages")).to_be_visible()
    before = len(seen.requests)
    expect(page.get_by_role("heading", level=1)).to_have_text("Your numbers are ready.")
    bar = page.get_by_role("progressbar", name="The whole sync")
    expect(bar).to_have_attribute("aria-valuenow", "100")
    assert [at for at in seen.requests[before:] if "/assets/" not in at] == []
    page.get_by_role("link", name="Open the command center").click()
    expect(page).to_have_url(re.compile("/command-center"))


def test_a_progressbar_says_its_value_in_words(opening: Opening) -> None:
    page = opening(f"/syncing?{shop('running')}").page
    bar = page.get_by_role("progressbar", name="Orders, last 6 months")
    expect(bar).to_have_attribute("aria-valuetext", "Orders, last 6 months, 4,210 of 12,000")
    expect(bar).to_have_attribute("aria-valuenow", "35")
    expect(page.locator("ol.stages > li")).to_have_count(6)
    expect(page.locator("[aria-live=polite]").filter(has_text="% read")).to_have_count(1)


def test_leaving_and_coming_back_shows_the_same_truth(opening: Opening) -> None:
    seen = opening(f"/syncing?{shop('failed')}")
    page = seen.page
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Customers stopped at 3,100 of 5,400.")
    page.goto(opening.address + "/connect")
    page.go_back()
    expect(heading).to_have_text("Customers stopped at 3,100 of 5,400.")
    page.reload()
    expect(heading).to_have_text("Customers stopped at 3,100 of 5,400.")
    expect(page.get_by_role("button", name="Retry customers")).to_be_visible()
    page.get_by_text("What happened").click()
    expect(page.get_by_text("7f3c1e90-6c1c-4f5e-9a57-0d2f8a1be2aa")).to_be_visible()


def test_elapsed_time_runs_in_the_browser_alone(opening: Opening) -> None:
    page = opening(f"/syncing?{shop('running')}").page
    time_shown = page.locator("[data-since]")
    expect(time_shown).to_be_visible()
    first = time_shown.inner_text()
    expect(time_shown).not_to_have_text(first)


def test_a_theme_once_chosen_is_kept(opening: Opening) -> None:
    page = opening("/", signed_in=False).page
    page.get_by_role("button", name="Light or dark").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(15, 21, 19)"


def test_a_wrong_address_is_told_beside_the_field_and_goes_nowhere(opening: Opening) -> None:
    page = opening("/", signed_in=False).page
    field_ = page.get_by_label("Your store")
    field_.fill("https://example.com/shop")
    page.get_by_role("button", name="Connect Shopify").click()
    expect(page.get_by_role("alert")).to_have_text(
        "That does not look like a Shopify address. It ends with .myshopify.com."
    )
    expect(field_).to_be_focused()
    expect(field_).to_have_attribute("aria-invalid", "true")


@pytest.mark.parametrize(
    "pasted",
    [
        "harbor",
        "Harbor.myshopify.com",
        "https://harbor.myshopify.com/admin/orders",
        "admin.shopify.com/store/harbor/products",
    ],
)
def test_a_pasted_address_is_understood(opening: Opening, pasted: str) -> None:
    page = opening("/", signed_in=False).page
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=200, body="here")

    page.route("**/auth/connect?**", answer)
    page.get_by_label("Your store").fill(pasted)
    page.get_by_role("button", name="Connect Shopify").click()
    page.wait_for_url("**/auth/connect?**")
    assert asked == [f"{opening.address}/auth/connect?shop=harbor.myshopify.com"]


def test_the_chart_is_also_a_table(opening: Opening) -> None:
    page = opening(f"/command-center?{shop('ready')}").page
    page.get_by_role("button", name="View as table").click()
    table = page.get_by_role("table", name="Net sales by day")
    expect(table.locator("tbody tr")).to_have_count(28)
    expect(table.locator("tfoot")).to_contain_text("$")
    page.get_by_role("button", name="View as chart").click()
    expect(table).to_have_count(0)


def test_a_range_stands_in_the_address_and_can_be_gone_back_from(opening: Opening) -> None:
    page = opening(f"/command-center?{shop('ready')}").page
    choice = page.locator("summary.choice")
    expect(choice).to_contain_text("Last 28 days")
    choice.click()
    page.get_by_role("link", name="Last 7 days").click()
    expect(choice).to_contain_text("Last 7 days")
    assert "range=7d" in page.url
    expect(page.locator(".menu.range-menu")).not_to_be_visible()
    page.go_back()
    expect(choice).to_contain_text("Last 28 days")


@pytest.mark.parametrize("where", ["command-center", "products", "orders"])
def test_own_days_are_chosen_with_a_form(opening: Opening, where: str) -> None:
    page = opening(f"/{where}?{shop('ready')}").page
    expect(page.locator("summary.choice")).to_contain_text("Last 28 days")
    page.locator("summary.choice").click()
    page.get_by_label("From", exact=True).fill("2026-11-01")
    page.get_by_label("To", exact=True).fill("2026-11-10")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("summary.choice")).to_contain_text("1 Nov to 10 Nov 2026")


def test_the_questions_follow_each_other_and_lead_to_the_numbers(opening: Opening) -> None:
    page = opening(f"/syncing?{shop('running')}").page
    page.get_by_role("link", name="3 short questions about your store").click()
    headline = page.get_by_role("heading", level=1)
    expect(headline).to_have_text("What should we read?")
    page.get_by_role("radio", name="The last 12 months").click()
    expect(page.get_by_role("radio", name="The last 12 months")).to_be_checked()
    expect(page.get_by_text("Kept. It holds for everything")).to_be_visible()
    page.get_by_role("button", name="Continue").click()
    expect(headline).to_have_text("How do you count?")
    page.get_by_role("radio", name="Sunday").click()
    expect(page.get_by_role("radio", name="Sunday")).to_be_checked()
    expect(page.get_by_role("radio", name="Monday")).not_to_be_checked()
    page.go_back()
    expect(headline).to_have_text("What should we read?")
    page.go_forward()
    page.get_by_role("button", name="Continue").click()
    expect(headline).to_have_text("Who hears when it is ready?")
    page.get_by_role("checkbox", name="Bob Teammate").click()
    expect(page.get_by_role("checkbox", name="Bob Teammate")).to_be_checked()
    page.get_by_role("button", name="Done").click()
    expect(page).to_have_url(re.compile("/syncing"))


def test_a_choice_turns_at_once_and_back_where_it_was_not_kept(opening: Opening) -> None:
    page = opening(f"/settings?{shop('stale')}").page
    all_of_them = page.get_by_role("radio", name="All of them")
    twelve_months = page.get_by_role("radio", name="The last 12 months")
    customers = page.get_by_role("checkbox", name="Customers")
    expect(all_of_them).to_be_checked()
    twelve_months.click()
    expect(page.get_by_text("There is no room to keep it. Try again in a moment.")).to_be_visible()
    expect(all_of_them).to_be_checked()
    # From here on nothing is said to the server: what is chosen stands all the same.
    page.evaluate("WebSocket.prototype.send = () => {}")
    twelve_months.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("radio", name="The last 60 days")).to_be_checked()
    twelve_months.click()
    expect(twelve_months).to_be_checked()
    expect(all_of_them).not_to_be_checked()
    customers.click()
    expect(customers).not_to_be_checked()
    page.locator("label").filter(has_text="Customers").click()
    expect(customers).to_be_checked()


def test_a_product_opens_beside_the_table_and_gives_the_focus_back(opening: Opening) -> None:
    page = opening(f"/products?{shop('ready')}&range=90d").page
    link = page.get_by_role("link", name="Sample crew, slate")
    link.focus()
    page.keyboard.press("Enter")
    drawer = page.get_by_role("dialog", name="Sample crew, slate")
    expect(drawer).to_be_visible()
    expect(drawer).to_be_focused()
    expect(drawer.get_by_role("table", name="Variants")).to_contain_text("Cost")
    assert "product=2" in page.url
    assert "range=90d" in page.url
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    expect(link).to_be_focused()
    assert "product=" not in page.url


def test_what_is_suggested_is_done_put_off_and_taken_back(opening: Opening) -> None:
    page = opening(f"/command-center?{shop('marked')}").page
    todo = page.locator("section").filter(has=page.get_by_role("heading", name="Do next")).last
    expect(todo.locator(".action")).to_have_count(3)
    todo.get_by_role("button", name="Done: Reorder Sample beanie").click()
    expect(todo.get_by_text("1 put away")).to_be_visible()
    expect(todo.get_by_role("button", name="Done: Reorder Sample beanie")).to_have_count(0)
    todo.get_by_role("button", name="Later: Bundle Sample socks").click()
    expect(todo.get_by_text("2 put away")).to_be_visible()
    # Another page, and a page that is loaded anew, know of it.
    page.goto(opening.address + f"/dna?{shop('marked')}")
    todo.get_by_text("2 put away").click()
    expect(todo.get_by_text("Done. Back on")).to_be_visible()
    for left in (1, 0):
        todo.get_by_role("button", name="Take back").first.click()
        expect(todo.get_by_role("button", name="Take back")).to_have_count(left)
    expect(todo.get_by_role("button", name="Done: Reorder Sample beanie")).to_be_visible()


def test_a_portrait_is_compared_with_a_day_and_put_on_paper_and_into_a_picture(
    opening: Opening,
) -> None:
    seen = opening(f"/dna?{shop('ready')}")
    page = seen.page
    page.locator(".ways-out summary").click()
    page.locator(".ways-out .menu-link").last.click()
    expect(page).to_have_url(re.compile("with=1"))
    with page.expect_download() as download:
        page.get_by_role("button", name="PNG").click()
    PICTURES.mkdir(parents=True, exist_ok=True)
    download.value.save_as(PICTURES / "dna-picture.png")
    assert (PICTURES / "dna-picture.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    # The browser says so before and after it prints; the strands are open on the paper alone.
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details.strand:not([open])").count() == 0
    page.emulate_media(media="print")
    expect(page.locator(".rail")).not_to_be_visible()
    expect(page.get_by_role("button", name="PNG")).not_to_be_visible()
    page.screenshot(path=PICTURES / "dna-paper.png", full_page=True)
    page.emulate_media(media="screen")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("details.strand[open]").count() == 0
    assert seen.complaints == []


def test_a_group_opens_its_customers_a_page_at_a_time(opening: Opening) -> None:
    page = opening(f"/customers?{shop('ready')}").page
    page.get_by_role("link", name="Champions").click()
    table = page.get_by_role("table", name="Customers of this group")
    expect(table.locator("tbody tr")).to_have_count(50)
    expect(page.get_by_role("link", name="CSV")).to_have_attribute(
        "href", "/api/stores/id-ready/customers/champions.csv"
    )
    page.get_by_role("link", name="After").click()
    expect(page.get_by_text("51 to 100 of 216 customers")).to_be_visible()
    page.get_by_role("button", name="View as table").click()
    expect(page.get_by_role("table", name="Groups of customers")).to_be_visible()
    page.get_by_role("link", name="Close").click()
    expect(table).to_have_count(0)


def test_a_phone_shows_four_pages_and_the_others_behind_more(opening: Opening) -> None:
    page = opening(f"/orders?{shop('ready')}", size=NARROW).page
    bar = page.locator("nav.bottom")
    expect(bar.get_by_role("link")).to_have_count(4)
    assert bar.evaluate("bar => bar.scrollWidth <= bar.clientWidth")
    bar.get_by_text("More").click()
    expect(bar.get_by_role("link")).to_have_count(7)
    bar.get_by_role("link", name="Settings").click()
    expect(page).to_have_url(re.compile("/settings"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Settings")
    expect(bar.get_by_role("link")).to_have_count(4)


def test_sync_now_beyond_the_limit_is_answered_in_words(opening: Opening) -> None:
    page = opening(f"/command-center?{shop('stale')}").page
    page.get_by_role("button", name="Sync now").first.click()
    answer = page.get_by_text("Three syncs in the last hour. The next is possible at")
    expect(answer).to_be_visible()
    page.get_by_role("button", name="Close").click()
    expect(answer).to_have_count(0)


def test_the_first_stop_of_the_keyboard_skips_to_the_page(opening: Opening) -> None:
    page = opening(f"/command-center?{shop('ready')}").page
    expect(page.locator(".kpi-value").first).to_be_visible()
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the page")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()


def test_what_a_figure_means_opens_and_closes_with_the_keyboard(opening: Opening) -> None:
    page = opening(f"/command-center?{shop('ready')}").page
    expect(page.locator(".kpi-value").first).to_be_visible()
    sign = page.locator("summary").filter(has_text="What Refund rate means")
    sign.focus()
    page.keyboard.press("Enter")
    meaning = page.get_by_text("younger orders may still come back")
    expect(meaning).to_be_visible()
    page.keyboard.press("Escape")
    expect(meaning).not_to_be_visible()


def test_an_unknown_address_has_a_page_in_the_look(opening: Opening) -> None:
    page = opening("/nowhere").page
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no page here.")
    expect(page.get_by_role("link", name="Your command center")).to_be_visible()


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["1280", "375"])
@pytest.mark.parametrize(
    ("path", "arrived", "signed_in"),
    [
        ("/", ".gel", False),
        (f"/syncing?{shop('running')}", ".stages", True),
        (f"/syncing?{shop('failed')}", ".stages", True),
        (f"/command-center?{shop('ready')}", ".kpi-value", True),
        (f"/command-center?{shop('early')}&look=1", ".kpi-value", True),
        (f"/command-center?{shop('stale')}", ".kpi-value", True),
        (f"/settings?{shop('ready')}", ".with-icon", True),
    ],
)
def test_nothing_jumps_where_the_machine_is_slow(
    opening: Opening, path: str, arrived: str, signed_in: bool, size: tuple[int, int]
) -> None:
    page = opening(path, size=size, signed_in=signed_in, slowed=6).page
    expect(page.locator(arrived).first).to_be_visible(timeout=60_000)
    if "command-center" in path and "early" not in path:
        expect(page.locator(".recharts-area").first).to_be_attached(timeout=60_000)
    page.evaluate("document.fonts.ready.then(() => new Promise(requestAnimationFrame))")
    assert page.evaluate("__checks.shift") < 0.1


def test_a_script_that_somebody_put_into_a_page_does_not_run(opening: Opening) -> None:
    seen = opening(f"/command-center?{shop('ready')}")
    page = seen.page
    expect(page.locator(".recharts-area").first).to_be_attached()
    assert seen.complaints == []
    page.evaluate(
        """() => {
          window.__refused = [];
          document.addEventListener("securitypolicyviolation", (at) =>
            window.__refused.push(at.effectiveDirective));
          const script = document.createElement("script");
          script.textContent = "window.__planted = 1";
          document.body.append(script);
          const image = document.createElement("img");
          image.setAttribute("onerror", "window.__planted = 2");
          image.src = "/no-such-picture.png";
          document.body.append(image);
          const elsewhere = document.createElement("script");
          elsewhere.src = "http://127.0.0.1:9/planted.js";
          document.body.append(elsewhere);
        }"""
    )
    page.wait_for_function("window.__refused.length >= 3")
    assert sorted(set(page.evaluate("window.__refused"))) == ["script-src-attr", "script-src-elem"]
    assert page.evaluate("window.__planted") is None
