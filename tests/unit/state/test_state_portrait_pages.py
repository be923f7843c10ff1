"""The pages of the portrait, customers, products and orders, from figures to words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from brandmind.pages.customers import _REPEAT, _value
from brandmind.services.dna import Past, Point, StoreDna
from brandmind.services.orders import DaySums
from brandmind.services.products import ProductRow
from brandmind.services.todo import Mark
from brandmind.state import sample_portrait, sample_tables
from brandmind.state.customers_view import customers
from brandmind.state.definitions import GLOSSARY
from brandmind.state.goods_view import products
from brandmind.state.orders_view import orders
from brandmind.state.portrait_view import CLOSED, mode_of, portrait
from brandmind.state.portrait_views import PortraitView
from brandmind.state.ranges import Range
from brandmind.sync.stages import Stage, StageState
from tests import stage_acts

TODAY = date(2026, 11, 25)
AT = Range("28d", TODAY - timedelta(days=27), TODAY, None)
SAMPLE = sample_portrait.store_dna(TODAY)


def with_figures(state: StageState) -> Any:
    made = stage_acts.running()
    stages = [replace(at, state=state) if at.stage is Stage.FIGURES else at for at in made.stages]
    return replace(made, stages=tuple(stages))


@pytest.mark.parametrize(
    ("state", "kept", "mode", "note"),
    [
        (StageState.QUEUED, False, "none", "Your Store DNA is read after the customers."),
        (StageState.RUNNING, False, "hold", "Reading your DNA."),
        (StageState.RUNNING, True, "real", ""),
        (StageState.FAILED, False, "failed", "Could not read your Store DNA."),
        (StageState.FAILED, True, "real", "not updated"),
        (StageState.DONE, True, "real", ""),
    ],
)
def test_the_portrait_stands_as_its_stage_does(
    state: StageState, kept: bool, mode: str, note: str
) -> None:
    assert mode_of(with_figures(state), kept=kept, sees=True) == (mode, note)


def test_who_may_not_see_orders_sees_no_portrait() -> None:
    assert mode_of(with_figures(StageState.DONE), kept=True, sees=False) == ("closed", CLOSED)
    page = portrait(SAMPLE, mode="closed", note=CLOSED)
    assert (page.lanes, page.helices, page.signature, page.pulse) == ((), (), "", ())


def test_bands_and_lines_stand_where_the_scores_are() -> None:
    page = portrait(SAMPLE, mode="sample", shop_param="sample")
    lane = page.lanes[0]
    # 68, likely 63 to 73, 62 ninety days ago; the gel is measured from its top.
    assert (lane.band_top, lane.glow_top, lane.glow_height, lane.ghost_top) == (32, 27, 10, 38)
    strand = page.helices[0].strands[0]
    assert (strand.at, strand.low, strand.width, strand.ghost) == (68, 63, 10, 62)
    assert strand.compared == "Up 6 points on the run of 27 Aug."
    assert [helix.name for helix in page.helices] == ["Brand", "Customers", "Selling", "Operations"]
    assert page.eyebrow == "Store DNA, 12 months to 25 Nov 2026 · formula v2 · high confidence"
    assert page.json_href == ""


def test_an_unread_strand_has_an_empty_lane_and_says_what_it_needs() -> None:
    told = {**SAMPLE.portrait}
    needs = "Needs 12 full months. You have 7. Expected by April 2027."
    told["strands"] = [
        {**one, "score": None, "label": None, "needs": needs}
        if one["key"] == "seasonality"
        else one
        for one in told["strands"]
    ]
    page = portrait(replace(SAMPLE, portrait=told, before=None, before_day=None), mode="real")
    assert [lane.key for lane in page.lanes if not lane.there] == ["seasonality"]
    assert [(fact.name, fact.value) for fact in page.missing] == [("Seasonality", needs)]
    assert all(strand.key != "seasonality" for helix in page.helices for strand in helix.strands)
    assert "no portrait of 90 days ago" in page.foot


def test_the_days_of_the_reconciliation_come_newest_first_with_their_whole() -> None:
    found = sample_tables.reconciliation(AT, today=TODAY)
    day = DaySums(gross_minor=1_000, returns_minor=-4_500, net_minor=-3_500, orders=1)
    found = replace(found, days={**found.days, TODAY: day})
    page = orders(found, at=AT, mode="real", shop_param="a", store_id="s1")
    assert (page.rows[0].day, page.rows[0].net, page.rows[0].negative) == (
        "25 Nov",
        "−$35.00",
        True,
    )
    assert len(page.rows) == 28
    assert page.whole.day == "All days"
    assert page.facts[0].value == "3, $168.30"
    assert page.csv_href == "/api/stores/s1/orders.csv?from=2026-10-29&to=2026-11-25"


def test_products_say_why_a_cover_is_not_known() -> None:
    found = sample_tables.products(AT, today=TODAY)
    bare = ProductRow(7, "Scarf", True, 0, 0, 0, None, None, "C", 5, None, "history", None, None)
    page = products(replace(found, rows=(*found.rows, bare)), at=AT, mode="real", shop_param="a")
    assert page.rows[0].cover == "11 days"
    assert page.rows[0].cover_low
    assert page.rows[0].cover_known
    assert page.rows[-1].cover == "needs 28 days of stock history"
    assert not page.rows[-1].cover_known
    assert page.tally == "6 products"
    only_c = products(
        replace(found, rows=(*found.rows, bare)), at=AT, mode="real", kind="C", shop_param="a"
    )
    assert [row.title for row in only_c.rows] == ["Scarf"]
    assert [link.label for link in only_c.kinds if link.current] == ["C, the rest"]


def test_cohorts_are_shares_of_those_who_began_and_mark_the_month_under_way() -> None:
    page = customers(SAMPLE, mode="real", tab="cohorts", shop_param="a", store_id="s1")
    newest, oldest = page.cohorts[0], page.cohorts[-1]
    assert newest.month == "Nov 2026"
    assert (newest.cells[0].text, newest.cells[0].partial) == ("100%", True)
    assert newest.cells[1].text == ""
    assert oldest.month == "Nov 2025"
    assert [cell.partial for cell in oldest.cells] == [False] * 12 + [True]
    money = customers(SAMPLE, mode="real", tab="cohorts", measure="value", shop_param="a")
    assert money.cohorts[-1].cells[0].text.startswith("$")


def test_a_young_store_says_why_it_has_no_groups() -> None:
    told = {**SAMPLE.tables, "rfm": {"groups": [], "customers": 12, "reason": "few"}}
    page = customers(replace(SAMPLE, tables=told), mode="real", shop_param="a")
    assert page.groups == ()
    assert page.groups_none == "Groups need 50 customers with an order."
    assert customers(None, mode="none", note="later", tab="nonsense").tab == "segments"


def test_every_card_of_the_customers_has_a_file_of_its_own() -> None:
    page = customers(SAMPLE, mode="real", tab="value", shop_param="a", store_id="s1")
    assert [page.csv_href, page.deciles_csv_href, page.ltv_csv_href] == [
        "/api/stores/s1/customers.csv",
        "/api/stores/s1/deciles.csv",
        "/api/stores/s1/ltv.csv",
    ]
    sampled = customers(SAMPLE, mode="sample", shop_param="sample")
    assert (sampled.csv_href, sampled.deciles_csv_href, sampled.ltv_csv_href) == ("", "", "")


def test_the_link_of_each_card_of_the_value_tab_leads_to_that_cards_file() -> None:
    cards = {
        title: str(_value().children[place].render())
        for place, title in enumerate(("Tenths by value", "What a customer has brought"))
    }
    for title, name in (
        ("Tenths by value", "deciles_csv_href"),
        ("What a customer has brought", "ltv_csv_href"),
    ):
        assert title in cards[title]
        assert f'?.["{name}"]' in cards[title]
        assert '?.["csv_href"]' not in cards[title]


def test_each_repeat_rate_is_told_by_a_name_of_its_own() -> None:
    page = customers(SAMPLE, mode="real", shop_param="a")
    assert [(fact.name, fact.value) for fact in page.rates] == [
        ("Returning customer rate", "53.0% (1,266 of 2,388)"),
        ("Repeat purchase rate", "37.8% (903 of 2,388)"),
        ("Back within 90 days", "31.0% (740 of 2,388)"),
    ]


def test_a_rate_of_nobody_is_not_told() -> None:
    nobody = {"customers": 0, "repeat_customers": 0, "customers_with_two": 0}
    told = {**SAMPLE.tables, "year_rates": nobody}
    page = customers(replace(SAMPLE, tables=told), mode="real", shop_param="a")
    assert [fact.name for fact in page.rates] == ["Back within 90 days"]


def test_a_rate_that_nobody_can_tell_is_unknown_and_not_none() -> None:
    untold = {"repeat_customers": None, "returning_customer_rate": None}
    told = {**SAMPLE.tables, "year_rates": {**SAMPLE.tables["year_rates"], **untold}}
    page = customers(replace(SAMPLE, tables=told), mode="real", shop_param="a")
    assert [(fact.name, fact.value) for fact in page.rates][:2] == [
        ("Returning customer rate", "Unknown: older orders and some customers are not read"),
        ("Repeat purchase rate", "37.8% (903 of 2,388)"),
    ]


def test_a_portrait_from_before_it_counted_the_year_tells_no_rate_of_it() -> None:
    told = {name: value for name, value in SAMPLE.tables.items() if name != "year_rates"}
    page = customers(replace(SAMPLE, tables=told), mode="real", shop_param="a")
    assert [fact.name for fact in page.rates] == ["Back within 90 days"]


def test_the_glossary_explains_every_repeat_rate_that_a_page_names() -> None:
    explained = dict(GLOSSARY)
    page = customers(SAMPLE, mode="real")
    for fact in page.rates:
        assert explained[fact.name]
        assert fact.name in _REPEAT


@pytest.mark.parametrize(
    ("agreement", "said"),
    [
        (
            {"compared": 1_200, "same": 1_008},
            "84.0% of the customers whom Shopify has put into a group are in the same one here "
            "(1,008 of 1,200). Shopify publishes no exact lines between its groups, and may have "
            "drawn them on another day.",
        ),
        (None, ""),
    ],
)
def test_groups_say_how_they_agree_with_shopifys(
    agreement: dict[str, int] | None, said: str
) -> None:
    told = {**SAMPLE.tables, "rfm": {**SAMPLE.tables["rfm"], "agreement": agreement}}
    page = customers(replace(SAMPLE, tables=told), mode="real", shop_param="a")
    assert page.agreement == said


def test_a_portrait_from_before_groups_were_compared_says_nothing_of_it() -> None:
    told = {key: value for key, value in SAMPLE.tables["rfm"].items() if key != "agreement"}
    page = customers(
        replace(SAMPLE, tables={**SAMPLE.tables, "rfm": told}), mode="real", shop_param="a"
    )
    assert page.agreement == ""


def test_the_week_is_the_mean_of_each_hour_and_names_the_busiest() -> None:
    hours = [[0] * 24 for _ in range(7)]
    # 53 Mondays with 53 orders at nine, 52 Tuesdays with 104 at ten: one, and two on average.
    hours[0][9], hours[1][10] = 53, 104
    told = {**SAMPLE.tables, "hours": hours, "weekdays": [53, 52, 52, 52, 52, 52, 52]}
    page = portrait(replace(SAMPLE, tables=told), mode="real", shop_param="a")
    assert page.busiest == "Busiest: Tuesday 10:00 to 11:00, the shop's own time."
    assert (page.week[0].hours[9].shade, page.week[1].hours[10].shade) == (50, 100)
    assert page.week[0].hours[9].title == "Monday 9:00 to 10:00, 1.0 orders on average"
    few = [[0] * 24 for _ in range(7)]
    few[0][9] = 2
    small = portrait(replace(SAMPLE, tables={**told, "hours": few}), mode="real", shop_param="a")
    assert [small.week[0].hours[at].mean for at in (8, 9)] == ["0.00", "0.04"]
    nothing = {**told, "hours": [[0] * 24 for _ in range(7)]}
    assert portrait(replace(SAMPLE, tables=nothing), mode="real").week == ()


def with_marks(*marks: Mark, real: bool = True) -> PortraitView:
    return portrait(SAMPLE, mode="real" if real else "sample", shop_param="a", marks=marks)


def test_what_is_put_away_makes_room_and_says_when_it_comes_back() -> None:
    page = with_marks()
    assert [one.key for one in page.do_next] == ["second_order", "hero_stock", "bundle"]
    assert page.put_away == ()
    assert (
        page.do_next[0].why == "31 of every 100 new customers order again within 90 days (740 "
        "of 2,388; likely 29 to 33)."
    )
    done = Mark("second_order", "", "done", date(2027, 2, 23), stage_acts.now())
    hero = Mark("hero_stock", "Reorder Sample beanie", "later", date(2026, 12, 9), stage_acts.now())
    page = with_marks(done, hero)
    assert [one.key for one in page.do_next] == ["bundle"]
    assert [(one.key, one.put_away) for one in page.put_away] == [
        ("second_order", "Done. Back on 23 Feb if it still holds."),
        ("hero_stock", "Later. Back on 9 Dec."),
    ]
    loyalty = next(one for one in page.table if one.key == "loyalty")
    assert loyalty.actions[0].put_away


def test_nothing_to_do_says_whether_anything_could_be_told() -> None:
    def stripped(**without: Any) -> StoreDna:
        strands = [{**one, "actions": [], **without} for one in SAMPLE.portrait["strands"]]
        return replace(SAMPLE, portrait={**SAMPLE.portrait, "strands": strands})

    page = portrait(stripped(), mode="real")
    assert (page.do_next, page.next_none) == ((), "Nothing stands out right now.")
    page = portrait(stripped(score=None, needs="Needs 50 orders. You have 3."), mode="real")
    assert (page.do_next, page.table) == ((), ())
    assert page.next_none == "There is too little yet to tell what stands out."
    away = [
        Mark(one.key, one.title, "done", date(2027, 2, 23), stage_acts.now())
        for one in with_marks().do_next
    ]
    away += [mark._replace(about="") for mark in away]
    page = with_marks(*away)
    assert (page.do_next, page.next_none) == ((), "Nothing else stands out right now.")


def test_what_was_done_for_one_product_is_not_done_for_another() -> None:
    another = Mark("hero_stock", "Reorder another", "done", date(2027, 2, 23), stage_acts.now())
    assert "hero_stock" in [one.key for one in with_marks(another).do_next]


def test_nothing_of_the_sample_shop_can_be_put_away() -> None:
    assert {one.can_mark for one in with_marks(real=False).do_next} == {False}
    assert {one.can_mark for one in with_marks().do_next} == {True}


def test_earlier_days_can_be_compared_with_and_their_scores_make_a_line() -> None:
    past = sample_portrait.past(TODAY)
    page = portrait(SAMPLE, mode="real", shop_param="a", past=past)
    assert page.compares[0].href == "/dna?shop=a&with=6"
    assert [day.label for day in page.compares if day.current] == ["27 Aug 2026"]
    price = page.helices[0].strands[0]
    assert price.line.startswith("M0.00 38.00L")
    assert price.line.endswith("L100.00 32.00")
    assert price.line_said == "7 portraits since 27 Aug 2026, between 62 and 68."
    assert (price.then, page.compared_with) == ("62", "Compared with 27 Aug 2026")
    alone = portrait(replace(SAMPLE, before=None, before_day=None), mode="real", shop_param="a")
    assert (alone.compares, alone.compared_with) == ((), "")
    assert (alone.helices[0].strands[0].line, alone.helices[0].strands[0].then) == ("", "–")


def test_years_of_portraits_make_a_menu_that_can_be_read() -> None:
    points = tuple(Point(900 - at, TODAY - timedelta(days=at), 1, 12) for at in range(800))
    page = portrait(SAMPLE, mode="real", shop_param="a", past=Past(points, {}))
    assert 12 <= len(page.compares) <= 24


def test_another_formula_is_named_beside_its_portrait() -> None:
    assert SAMPLE.before is not None
    old = replace(SAMPLE, before={**SAMPLE.before, "dna_version": 0})
    assert "formula v0" in portrait(old, mode="real", shop_param="a").foot
    assert "formula" not in portrait(SAMPLE, mode="real", shop_param="a").foot


def test_a_week_begins_where_the_merchant_says() -> None:
    sunday = portrait(SAMPLE, mode="real", shop_param="a", week_start=6)
    assert [row.name for row in sunday.week] == ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    monday = portrait(SAMPLE, mode="real", shop_param="a")
    assert monday.week[0].name == "Mon"
    assert monday.busiest == sunday.busiest


def test_what_customers_may_bring_is_told_with_its_parameters_and_its_check() -> None:
    view = customers(SAMPLE, mode="real", tab="value", shop_param="a").predicted
    assert view.there
    assert [(fact.name, fact.value) for fact in view.facts] == [
        ("Orders in the next 12 months", "about 1,240 from 2,388 customers"),
        ("What they may bring", "about $71,820"),
        ("Worth today, at 10% a year", "about $68,400"),
        ("Still customers", "about 548 of the 903 who came back before"),
    ]
    assert view.note == (
        "Fitted 90 days ago, it would have expected 301 orders of the customers of then; 322 came."
    )
    assert view.how[0].value.startswith("r 0.41, alpha 9.2 weeks, a 0.62, b 2.1")
    assert (view.tenths[0].name, view.tenths[0].share, view.tenths[0].width) == (
        "The best tenth", "41.0%", 100,
    )  # fmt: skip


def test_a_prediction_that_was_far_off_says_so_and_amounts_may_be_missing() -> None:
    told = {
        **SAMPLE.tables["predicted"],
        "checked": {"days": 90, "customers": 900, "expected_orders": 120.4, "orders": 301},
        "money": None, "money_reason": "linked", "money_needs": "They go together.",
        "value_minor": None, "expected_minor": None, "correlation": 0.44,
    }  # fmt: skip
    told["tenths"] = [{**part, "value_minor": None} for part in told["tenths"]]
    page = customers(replace(SAMPLE, tables={**SAMPLE.tables, "predicted": told}), mode="real")
    view = page.predicted
    assert [fact.name for fact in view.facts] == ["Orders in the next 12 months", "Still customers"]
    assert view.note.startswith("They go together. Fitted 90 days ago")
    assert "far off" in view.note
    assert view.tenths[0].sales == "–"
    assert [fact.name for fact in view.how] == [
        "How often (BG/NBD)", "Often against much", "Read from",
    ]  # fmt: skip


def test_without_a_prediction_the_card_says_what_it_needs() -> None:
    few = {**SAMPLE.tables["predicted"], "reason": "few", "needs": "This needs 500 customers."}
    page = customers(replace(SAMPLE, tables={**SAMPLE.tables, "predicted": few}), mode="real")
    assert (page.predicted.there, page.predicted.needs) == (False, "This needs 500 customers.")
    old = {name: value for name, value in SAMPLE.tables.items() if name != "predicted"}
    page = customers(replace(SAMPLE, tables=old), mode="real")
    assert page.predicted.needs == "This is told with the next portrait."
