"""Two stores beside each other: what is held against each other, and what is not."""

from __future__ import annotations

import copy
import dataclasses
from datetime import date, timedelta
from typing import Any

import pytest

from brandmind.state import sample, sample_portrait
from brandmind.state.beside_view import BesideView, Side, beside
from brandmind.state.ranges import Range

TODAY = date(2026, 11, 25)
AT = Range("28d", TODAY - timedelta(days=27), TODAY, None)
FIGURES = sample.command_center(
    today=TODAY, date_from=AT.date_from, date_to=AT.date_to, compare=None
)
DNA = sample_portrait.store_dna(TODAY)


def side(name: str, **more: Any) -> Side:
    values: dict[str, Any] = {"figures": FIGURES, "dna": DNA}
    return Side(name, f"{name.lower()}.myshopify.com", **{**values, **more})


def page(first: Side, second: Side | None) -> BesideView:
    return beside(first, second, at=AT, others=(("b.myshopify.com", "B"),))


def figures(**kpis: Any) -> Any:
    return dataclasses.replace(FIGURES, kpis=dataclasses.replace(FIGURES.kpis, **kpis))


def told(**changed: float | None) -> Any:
    """The sample's portrait with other scores, by the key of the strand."""
    portrait = copy.deepcopy(DNA.portrait)
    for one in portrait["strands"]:
        if one["key"] in changed:
            score = changed[one["key"]]
            one["score"] = score
            if score is not None:
                one["ci_low"], one["ci_high"] = score - 4, score + 4
    return dataclasses.replace(DNA, portrait=portrait)


@pytest.mark.parametrize(
    ("left", "right", "apart"),
    [
        (100, 142, "42% more"),
        (100, 70, "30% less"),
        (100, 100, "the same"),
        (1000, 1001, "about the same"),
        (10, 35, "3.5 times as much"),
        (0, 35, ""),
        (35, 0, "none"),
    ],
)
def test_the_second_store_is_said_to_have_more_or_less(left: int, right: int, apart: str) -> None:
    view = page(side("A", figures=figures(orders=left)), side("B", figures=figures(orders=right)))
    orders = next(row for row in view.figures if row.name == "Orders")
    assert (orders.left, orders.right, orders.apart) == (f"{left:,}", f"{right:,}", apart)


def test_rates_are_apart_in_points() -> None:
    view = page(
        side("A", figures=figures(refund_rate=0.05)), side("B", figures=figures(refund_rate=0.019))
    )
    refunds = next(row for row in view.figures if row.name == "Refund rate")
    assert (refunds.left, refunds.right, refunds.apart) == ("5.0%", "1.9%", "3.1 points less")


def test_amounts_in_two_currencies_are_shown_and_not_held_against_each_other() -> None:
    view = page(side("A"), side("B", figures=dataclasses.replace(FIGURES, currency="EUR")))
    net = next(row for row in view.figures if row.name == "Net sales")
    assert net.left.startswith("$")
    assert net.right.startswith("€")
    assert net.apart == ""
    assert next(row for row in view.figures if row.name == "Orders").apart == "the same"
    assert view.figures_note.startswith("Amounts stay in each store's own currency")


def test_a_store_whose_figures_are_closed_shows_none_of_them() -> None:
    closed = side("B", figures=None, dna=None, sees_figures=False, sees_dna=False)
    view = page(side("A"), closed)
    assert {row.right for row in view.figures} == {"–"}
    assert {row.apart for row in view.figures} == {""}
    assert view.figures_note == "Your Shopify account may not see what they are made of at B."
    assert view.strands == ()
    assert view.strands_note == view.figures_note


def test_who_is_new_is_unknown_and_not_none_where_customers_are_unread() -> None:
    untold = figures(new_customers=None, returning_customer_rate=None, repeat_customers=None)
    rows = {row.name: row for row in page(side("A", figures=untold), side("B")).figures}
    for name in ("New customers", "Returning customer rate"):
        assert (rows[name].left, rows[name].apart) == ("not known", "")
        assert rows[name].right not in ("–", "not known")


def test_a_rate_of_days_without_a_customer_is_a_dash_and_not_unknown() -> None:
    nobody = figures(customers=0, new_customers=0, returning_customer_rate=None, repeat_customers=0)
    rows = {row.name: row for row in page(side("A", figures=nobody), side("B")).figures}
    assert (rows["New customers"].left, rows["Returning customer rate"].left) == ("0", "–")


def test_strands_are_apart_surely_only_where_what_is_likely_does_not_touch() -> None:
    view = page(
        side("A", dna=told(price=20, hero=50, discount=50)),
        side("B", dna=told(price=60, hero=53, discount=None)),
    )
    pairs = {one.name: one for one in view.strands}
    assert len(view.strands) == 12
    price = pairs["Price position"]
    assert (price.left, price.right, price.apart) == (20, 60, "40 points apart, surely")
    assert price.said.startswith("Price position: A: ")
    assert "close together" in {one.apart for one in view.strands}


def test_a_strand_that_one_store_has_not_is_not_measured() -> None:
    key = DNA.portrait["strands"][3]["key"]
    view = page(side("A"), side("B", dna=told(**{key: None})))
    pair = view.strands[3]
    assert (pair.right, pair.right_said, pair.apart) == (-1, "not read", "")


def test_a_portrait_that_is_not_read_yet_is_named() -> None:
    view = page(side("A"), side("B", dna=None))
    assert view.strands_note == "The Store DNA of B is not read yet."
    other = dataclasses.replace(DNA, portrait={**DNA.portrait, "dna_version": 99})
    assert "different versions" in page(side("A"), side("B", dna=other)).strands_note


def test_without_a_second_store_the_page_says_how_to_get_one() -> None:
    alone = beside(side("A"), None, at=AT, others=())
    assert not alone.second
    assert alone.lead == "It takes two stores that this browser is signed in to."
    two = page(side("A"), None)
    assert two.lead == "Choose the store that A stands beside."
    assert two.others[0].href == "/compare?shop=a.myshopify.com&and=b.myshopify.com&range=28d"


def test_the_days_keep_both_stores() -> None:
    links = page(side("A"), side("B")).presets
    assert all("shop=a.myshopify.com" in one.href for one in links)
    assert all("and=b.myshopify.com" in one.href for one in links)
    assert [one.label for one in links if one.current] == ["Last 28 days"]
