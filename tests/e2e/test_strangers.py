"""Somebody else's store, in a real browser: every page shows the door and nothing behind it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from brandmind.brandmind import app
from tests.e2e.house import House, Shop, until
from tests.e2e.visitor import Tab, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.timeout(240)]

# What a page of the app says to somebody who may not open the store it is asked for.
DOORS = {
    "index": "See what your store is made of.",
    "connect": re.compile("Connect your store|Add another store"),
    "syncing": None,
    "onboarding": None,
    "command-center": None,
    "dna": None,
    "customers": None,
    "products": None,
    "orders": None,
    "settings": None,
    "compare": None,
    "admin": "There is no page here.",
    "404": "There is no page here.",
}
SIZES = {"orders": 120, "products": 20, "customers": 40}


@pytest.fixture(scope="module")
def alices(house: House, browser: Browser) -> Shop:
    """A store that is read whole, with its owner signed in somewhere else."""
    shop = house.shop("mallory-must-not", **SIZES)
    owner = Visitor(house, browser)
    owner.owns(shop)
    owner.leave()
    until(lambda: is_at_rest(house, shop), what=f"{shop.domain} at rest")
    return shop


def is_at_rest(house: House, shop: Shop) -> bool:
    """Whether nothing of its first sync is still to be told or planned."""
    untold = house.rows(
        "SELECT run_id FROM sync_run WHERE store_id = ? AND announced_seq < seq", shop.store_id
    )
    unplanned = house.rows(
        "SELECT store_id FROM store WHERE store_id = ? AND next_sync_at IS NULL", shop.store_id
    )
    return not untold and not unplanned


def secrets(house: House, shop: Shop) -> set[str]:
    """What only a member may be told; the address itself is known to everybody."""
    (name,) = house.rows("SELECT name FROM store WHERE store_id = ?", shop.store_id)[0]
    titles = house.rows("SELECT title FROM product WHERE store_id = ?", shop.store_id)
    runs = house.rows("SELECT run_id FROM sync_run WHERE store_id = ?", shop.store_id)
    return {shop.store_id, name, *(row[0] for row in (*titles, *runs))}


def everything_of(house: House, shop: Shop) -> list[object]:
    """What would change if somebody synced, retried or cancelled."""
    return [
        house.rows(f"SELECT * FROM {table} WHERE store_id = ?", shop.store_id)
        for table in ("store", "sync_run", "sync_request", "membership", "token")
    ]


def assert_a_closed_door(tab: Tab, page: str, *, says: str) -> None:
    """The page has come to rest, and says whose door it is and no more."""
    door = DOORS[page]
    expect(tab.headline).to_have_text(says if door is None else door, timeout=30_000)


@pytest.mark.parametrize("who", ["a signed-in stranger", "nobody"])
def test_every_page_keeps_a_strangers_eyes_out(
    house: House, visitor: Visitor, alices: Shop, who: str
) -> None:
    assert set(DOORS) == set(app._unevaluated_pages)
    secret, before = secrets(house, alices), everything_of(house, alices)
    assert len(secret) > 10
    own = ""
    if who == "nobody":
        says = f"Sign in to open {alices.domain}."
    else:
        says = "There is no such store here."
        theirs = house.shop("charlie-crafts", **SIZES)
        visitor.owns(theirs)
        own = theirs.store_id
    for page in DOORS:
        path = {"index": "/", "404": "/nowhere"}.get(page, f"/{page}")
        # A signed-in person is led from the start page to a store of his own.
        tab = visitor.opens(f"{path}?shop={alices.domain}&stay=1&look=1")
        assert_a_closed_door(tab, page, says=says)
        told = "\n".join([tab.page.content(), *tab.frames])
        assert not {text for text in secret if text in told}, page
        assert tab.complaints == []
        if page == "settings":
            visitor.looks(tab, "stranger" if own else "nobody")
        tab.page.close()
    if own:
        # The same listening does hear what is one's own.
        tab = visitor.opens("/settings?shop=charlie-crafts.myshopify.com")
        tab.says("Charlie Crafts")
        assert "Charlie Crafts" in "\n".join(tab.frames)
    for method, what in (("post", "sync"), ("get", "status")):
        answer = getattr(visitor.context.request, method)(
            f"{house.url}/api/stores/{alices.store_id}/{what}", headers={"Origin": house.url}
        )
        assert answer.status == (404 if own else 401)
    assert everything_of(house, alices) == before
