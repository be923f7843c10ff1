"""What a search offers, in which order, and what it says where there is nothing."""

from __future__ import annotations

import pytest

from brandmind.services.searching import CustomerHit, Found, OrderHit, ProductHit, clean
from brandmind.state.search_view import MOST, search

SHOP = "harbor.myshopify.com"


def labels(found: Found, *, sees: bool = True, admin: bool = False) -> list[tuple[str, str]]:
    view = search(found, shop_param=SHOP, sees_people=sees, admin=admin)
    return [(hit.kind, hit.label) for hit in view.hits]


def test_an_order_comes_first_then_pages_products_and_people() -> None:
    found = Found(
        "co",
        orders=(OrderHit("#1001", "2026-11-20", 7_313, "USD"),),
        products=(ProductHit(1, "Cotton socks", "ACTIVE"),),
        customers=(CustomerHit(9, "Cora Pine", 2, 5_610, "USD"),),
    )
    assert labels(found) == [
        ("Order", "#1001"),
        ("Page", "Command center"),
        ("Page", "Cohorts"),
        ("Page", "Compare two stores"),
        ("Product", "Cotton socks"),
        ("Customer", "Cora Pine"),
    ]
    order, *_ = search(found, shop_param=SHOP, sees_people=True).hits
    assert order.note == "2026-11-20 · $73.13"
    assert order.href == f"/orders?shop={SHOP}&range=custom&from=2026-11-20&to=2026-11-20"


def test_what_begins_with_the_letters_comes_before_what_has_a_word_that_does() -> None:
    assert labels(Found("d"))[0] == ("Page", "Data")
    assert ("Page", "Store DNA") in labels(Found("d"))


def test_groups_are_offered_to_those_who_may_see_them() -> None:
    assert ("Group", "Champions") in labels(Found("champ"))
    assert labels(Found("champ"), sees=False) == []


def test_the_admin_page_is_offered_to_administrators_alone() -> None:
    assert labels(Found("adm")) == []
    assert labels(Found("adm"), admin=True) == [("Page", "Admin")]


def test_nothing_found_is_said_with_what_was_asked_and_what_was_closed() -> None:
    view = search(Found("zzz", closed=("orders", "customers")), shop_param=SHOP, sees_people=False)
    assert view.hits == ()
    assert view.said == (
        "Nothing is called “zzz”. Your Shopify account may not see orders or customers."
    )
    assert search(Found(""), shop_param=SHOP, sees_people=True).said == ""


def test_a_list_stays_short_and_each_of_it_has_a_key_of_its_own() -> None:
    many = tuple(ProductHit(at, f"Sock {at}", "ACTIVE") for at in range(40))
    hits = search(Found("so", products=many), shop_param=SHOP, sees_people=True).hits
    assert len(hits) == MOST
    assert len({hit.key for hit in hits}) == MOST


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("  wool \n socks ", "wool socks"),
        ("a\0b", "a b"),
        ("x" * 300, "x" * 80),
        ("\t", ""),
        ("a\ud800b", "ab"),
    ],
)
def test_what_was_typed_is_made_one_short_line(typed: str, meant: str) -> None:
    assert clean(typed) == meant
