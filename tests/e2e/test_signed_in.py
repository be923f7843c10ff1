"""A lost laptop: seen in the settings of another browser, signed out there, closed at once."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import expect

from tests.e2e.house import House
from tests.e2e.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.timeout(240)]


def test_a_browser_signed_out_elsewhere_closes_its_open_page(
    house: House, visitor: Visitor, stranger: Visitor
) -> None:
    shop = house.shop("lost-laptop", orders=120, products=20, customers=40)
    visitor.owns(shop)
    # The same person once more, with another browser.
    laptop = stranger.opens(f"/auth/connect?shop={shop.domain}")
    laptop.page.wait_for_url(re.compile(r"shop=lost-laptop"))
    laptop.page.goto(f"{house.url}/settings?shop={shop.domain}")
    laptop.says("Counts match Shopify")

    here = visitor.opens(f"/settings?shop={shop.domain}&tab=devices")
    here.says("Where you are signed in")
    rows = here.page.locator(".rows > li")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("This browser")
    expect(rows.nth(1)).to_contain_text(re.compile(r"Chrome on \w+"))
    visitor.looks(here, "devices")
    began = time.monotonic()
    rows.nth(1).get_by_role("button", name=re.compile("Sign out of Chrome")).click()
    laptop.is_headed(f"Sign in to open {shop.domain}.", within_s=15)
    print(f"closed {time.monotonic() - began:.2f} s after the click")
    assert "Counts match Shopify" not in laptop.page.content()
    here.says(re.compile(r"Signed out: Chrome on \w+\. Its open pages are closed\."))
    expect(rows).to_have_count(1)
    laptop.page.reload()
    laptop.is_headed(f"Sign in to open {shop.domain}.")
    assert stranger.context.request.get(f"{house.url}/api/sessions").status == 401
    assert visitor.context.request.get(f"{house.url}/api/sessions").status == 200

    # Its own row leaves by a page load, which takes the cookie along.
    rows.first.get_by_role("button", name="Sign out", exact=True).click()
    here.page.wait_for_url(f"{house.url}/")
    assert [at for at in visitor.context.cookies() if at["name"] == "bm_session"] == []
