"""What opens beside a page: a product, the customers of a group; and lines drawn by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from brandmind.services.people import GroupPage, Member
from brandmind.services.products import GoodsDay, ProductDetail, ProductRow, VariantGoods
from brandmind.state import curves, sample_portrait, sample_tables
from brandmind.state.customers_view import customers, members
from brandmind.state.goods_view import products
from brandmind.state.portrait_views import ProductsView
from brandmind.state.ranges import Range
from brandmind.state.shell_view import bottom, more, nav

TODAY = date(2026, 11, 25)
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
AT = Range("28d", TODAY - timedelta(days=27), TODAY, None)
OWN = Range("custom", date(2026, 11, 1), date(2026, 11, 10), "year")
SAMPLE = sample_portrait.store_dna(TODAY)


def row(number: int, net: int, kind: Any = "A") -> ProductRow:
    return ProductRow(
        number, f"Product {number}", True, net, 1, 1, 0.1, 0.0, kind, 5, 9, None, 0.5, 40
    )


def page(*rows: ProductRow, detail: ProductDetail | None = None, at: Range = AT) -> ProductsView:
    found = replace(sample_tables.products(at, today=TODAY), rows=rows)
    return products(found, at=at, mode="real", kind="A", shop_param="a", detail=detail)


def test_a_long_table_comes_in_pages_and_every_address_keeps_its_page() -> None:
    found = replace(
        sample_tables.products(AT, today=TODAY),
        rows=[row(number, 9_000 - number) for number in range(1, 121)],
    )

    def turned(number: int) -> ProductsView:
        return products(found, at=AT, mode="real", number=number, shop_param="a")

    first, second, last = turned(1), turned(2), turned(3)
    assert [len(one.rows) for one in (first, second, last)] == [50, 50, 20]
    assert [one.tally for one in (first, last)] == [
        "1 to 50 of 120 products",
        "101 to 120 of 120 products",
    ]
    assert (first.before_href, last.after_href) == ("", "")
    assert first.after_href.endswith("&page=2")
    # The first page has no number of its own.
    assert second.before_href == "/products?shop=a&range=28d&compare=none"
    assert second.rows[0].href == "/products?shop=a&range=28d&compare=none&page=2&product=51"
    assert turned(99) == last
    assert turned(-4) == first


def test_a_line_begins_at_the_left_and_reaches_its_top() -> None:
    assert curves.path([0, 1, 4], top=4) == "M0.00 100.00L50.00 75.00L100.00 0.00"
    assert curves.path([2], top=4) == "M0.00 50.00"
    assert curves.path([], top=4) == curves.area([], top=4) == ""
    assert curves.path([-3, 9], top=4) == "M0.00 100.00L100.00 0.00"
    assert curves.path([0, 0], top=0) == "M0.00 100.00L100.00 100.00"
    assert curves.area([1], top=1).endswith("L100 100L0 100Z")


@pytest.mark.parametrize("count", [1, 79, 80, 81, 500])
def test_a_thinned_line_keeps_its_ends(count: int) -> None:
    values = [float(at) for at in range(count)]
    thin = curves.thinned(values, most=80)
    assert len(thin) == min(count, 80)
    assert (thin[0], thin[-1]) == (values[0], values[-1])
    assert thin == sorted(thin)


def test_few_products_bring_much_and_the_page_says_how_few() -> None:
    rows = [row(1, 8_000), row(2, 1_500, "B"), row(3, 400, "C"), row(4, 100, "C")]
    view = page(*rows, row(5, 0, "C"), row(6, -300, "C")).pareto
    # What brought nothing, or less, has no place on the line.
    assert view.said == "1 of 4 products brings 80% of net sales, 2 bring 95%."
    assert [(mark.text, mark.at) for mark in view.marks] == [("A", 25), ("B", 50)]
    assert view.path == "M0.00 100.00L25.00 20.00L50.00 5.00L75.00 1.00L100.00 0.00"
    assert [fact.value for fact in view.rows] == [
        "1 product, 80.0% of net sales",
        "1 product, 15.0% of net sales",
        "2 products, 5.0% of net sales",
    ]
    assert not page(row(1, 8_000)).pareto.there
    assert not page().pareto.there


def test_a_product_opens_with_what_it_brought_and_closes_to_the_same_page() -> None:
    variants = (
        VariantGoods("Default Title", None, 2_000, 2_500, 500, None),
        VariantGoods("Blue", "B-1", 3_000, 3_000, None, 7),
    )
    days = (GoodsDay(date(2026, 11, 1), 4_000, 2), GoodsDay(date(2026, 11, 2), 0, 0))
    detail = ProductDetail(1, "USD", variants, days, costs=True)
    view = page(row(1, 8_000), detail=detail, at=OWN)
    drawer = view.drawer
    assert (drawer.title, drawer.price) == ("Product 1", "$20.00 to $30.00")
    assert drawer.close_href == (
        "/products?shop=a&range=custom&compare=year&from=2026-11-01&to=2026-11-10&kind=A"
    )
    assert view.rows[0].href == f"{drawer.close_href}&product=1"
    assert [fact.name for fact in drawer.days] == ["1 Nov 2026"]
    one, blue = drawer.variants
    assert (one.title, one.before, one.cost, one.left, one.stock) == (
        "One size", "was $25.00", "$5.00", "75%", "–",
    )  # fmt: skip
    assert (blue.before, blue.cost, blue.left, blue.stock) == ("", "–", "–", "7")
    assert drawer.costs_note.endswith("Costs are known of 1 of 2 variants.")
    without = page(row(1, 8_000), detail=replace(detail, costs=False)).drawer
    assert (without.costs, without.costs_note) == (False, "")


def test_a_product_that_is_in_no_told_pair_is_not_said_to_be_bought_alone() -> None:
    detail = ProductDetail(1, "USD", (), (), costs=False)
    drawer = page(row(1, 8_000), detail=detail).drawer
    # Pairs are told from the best down: one that is not told may still be above chance.
    assert drawer.pairs == ()
    assert drawer.pairs_none == "No other product stands out among what is bought with it."


def test_the_best_pairs_of_an_open_product_are_told() -> None:
    pairs = tuple(
        {"product_id": 1, "title": "Product 1", "with_id": at, "with_title": f"Product {at}",
         "orders": 9, "lift": 30.0 - at}
        for at in range(2, 14)
    )  # fmt: skip
    found = replace(sample_tables.products(AT, today=TODAY), rows=[row(1, 8_000)], pairs=pairs)
    detail = ProductDetail(1, "USD", (), (), costs=False)
    drawer = products(found, at=AT, mode="real", kind="A", shop_param="a", detail=detail).drawer
    assert [pair.names for pair in drawer.pairs] == [f"Product {at}" for at in range(2, 10)]


def test_a_long_range_has_a_bar_for_a_few_days_and_a_quiet_one_has_none() -> None:
    days = tuple(GoodsDay(TODAY + timedelta(days=at), 100, 1) for at in range(365))
    detail = ProductDetail(1, "USD", (), days, costs=False)
    trend = page(row(1, 8_000), detail=detail).drawer.trend
    assert len(trend.bars) == 53
    assert trend.sentence == "A bar is 7 days; the highest is $7.00."
    quiet = replace(detail, days=tuple(one._replace(net_minor=0) for one in days))
    assert not page(row(1, 0), detail=quiet).drawer.trend.there


def test_a_product_that_is_none_says_so() -> None:
    detail = ProductDetail(99, "USD", (), (), costs=False)
    drawer = page(row(1, 8_000), detail=detail).drawer
    assert (drawer.there, drawer.title) == (True, "There is no such product here.")
    assert drawer.facts == ()


def test_pairs_name_the_other_product() -> None:
    detail = sample_tables.detail(AT, 3)
    found = sample_tables.products(AT, today=TODAY)
    with_socks = products(found, at=AT, mode="real", shop_param="a", detail=detail).drawer
    assert [pair.names for pair in with_socks.pairs] == ["Sample boot wax"]
    beanie = products(
        found, at=AT, mode="real", shop_param="a", detail=sample_tables.detail(AT, 1)
    ).drawer
    assert beanie.pairs == ()
    assert beanie.pairs_none


def test_customers_whom_shopify_hides_have_a_number() -> None:
    hidden = Member(
        10231, None, None, None, None, None, 2, 5_000, datetime(2025, 3, 1, 3, tzinfo=UTC)
    )
    known = Member(7, "Ann Lee", None, None, "Bath", "GB", 1, 900, NOW)
    found = GroupPage("CHAMPIONS", "Champions", "USD", TODAY, 120, 3, 3, (hidden, known))
    view = members(found, shop_param="a", store_id="s1", tz=ZoneInfo("America/New_York"), now=NOW)
    # In the shop's own zone it was the day before.
    assert [(one.name, one.place, one.last) for one in view.members] == [
        ("Customer 10231", "", "28 Feb 2025"),
        ("Ann Lee", "Bath, GB", "25 Nov"),
    ]
    assert view.tally == "101 to 102 of 120 customers"
    assert view.before_href == "/customers?shop=a&group=CHAMPIONS&page=2"
    assert view.after_href == ""
    assert view.csv_href == "/api/stores/s1/customers/champions.csv"
    assert not members(None, shop_param="a", tz=UTC, now=NOW).there


def test_an_empty_group_opens_nothing_and_the_open_one_is_marked() -> None:
    told = {**SAMPLE.tables, "rfm": {**SAMPLE.tables["rfm"]}}
    told["rfm"]["groups"] = [
        {**one, "customers": 0} if one["group"] == "NEW" else one for one in told["rfm"]["groups"]
    ]
    view = customers(replace(SAMPLE, tables=told), mode="real", shop_param="a", open_group="LOYAL")
    by_key = {one.key: one for one in view.groups}
    assert by_key["NEW"].href == ""
    assert by_key["LOYAL"].href == "/customers?shop=a&group=LOYAL"
    assert [one.key for one in view.groups if one.current] == ["LOYAL"]


def test_a_single_month_makes_no_line() -> None:
    told = {**SAMPLE.tables, "ltv": SAMPLE.tables["ltv"][:1]}
    assert not customers(replace(SAMPLE, tables=told), mode="real", shop_param="a").ltv.there
    assert customers(SAMPLE, mode="real", shop_param="a").ltv.said.startswith("A customer has")


@pytest.mark.parametrize("shop", ["harbor", "sample"])
def test_a_phone_has_every_page_in_its_bar_or_behind_more(shop: str) -> None:
    short = bottom(shop)
    assert [link.note for link in short] == ["Center", "DNA", "Customers", "Products"]
    every = {link.href for link in nav(shop)}
    assert every <= {link.href for link in (*short, *more(shop))}
