"""The command center: each part real, held, sample or closed by its own stage."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import UTC, date, timedelta
from typing import Any

import pytest

from brandmind.services.dashboard import CommandCenter
from brandmind.state import sample
from brandmind.state.center_view import axis, command_center, spark_path
from brandmind.state.ranges import Range, chosen
from brandmind.state.sight import Sight
from brandmind.state.views import CommandCenterView, KpiView
from brandmind.sync.progress import StoreProgress
from brandmind.sync.selection import CUSTOMERS_OFF
from brandmind.sync.stages import RunStatus, Stage, StageState
from tests import stage_acts as made

TODAY = date(2026, 11, 22)


def figures(name: str = "ready", **params: str) -> tuple[Range, CommandCenter]:
    at = chosen(params, today=TODAY)
    found = asyncio.run(
        made.StageActs().command_center(
            f"id-{name}", date_from=at.date_from, date_to=at.date_to, compare=at.compare
        )
    )
    return at, found


def drawn(
    at: Range,
    found: CommandCenter,
    progress: StoreProgress | None,
    *,
    sampled: CommandCenter | None = None,
    sight: Sight | None = None,
) -> CommandCenterView:
    return command_center(
        found,
        progress,
        sampled or found,
        at=at,
        shop="Harbor & Pine",
        shop_param="harbor.myshopify.com",
        sight=sight or Sight(),
        left_s=None,
        now=made.now(),
        tz=UTC,
    )


def page(
    progress: StoreProgress | None,
    *,
    name: str = "ready",
    sight: Sight | None = None,
    stored_from: date | None = date(2020, 1, 1),
    **params: str,
) -> CommandCenterView:
    at, found = figures(name, **params)
    sampled = sample.command_center(
        today=TODAY, date_from=at.date_from, date_to=at.date_to, compare=at.compare
    )
    found = dataclasses.replace(found, stored_from=stored_from)
    return drawn(at, found, progress, sampled=sampled, sight=sight)


def modes(view: CommandCenterView) -> dict[str, str]:
    return {kpi.key: kpi.mode for kpi in view.kpis}


def kpi(view: CommandCenterView, key: str) -> KpiView:
    return next(at for at in view.kpis if at.key == key)


def test_a_whole_store_shows_real_figures_everywhere() -> None:
    view = page(made.ready())
    assert set(modes(view).values()) == {"real"}
    assert (view.chart.mode, view.products_mode, view.orders_mode) == ("real",) * 3
    assert not view.banner.text


def test_a_recent_order_is_shown_in_the_currency_it_was_kept_in() -> None:
    at, found = figures()
    order = dataclasses.replace(
        found.recent_orders[0], net_minor=3_000, total_minor=3_300, currency="JPY"
    )
    kept = dataclasses.replace(
        found, stored_from=date(2020, 1, 1), recent_orders=(order, *found.recent_orders[1:])
    )
    view = drawn(at, kept, made.ready(), sampled=found)
    assert (view.orders[0].net, view.orders[0].total) == ("¥3,000", "¥3,300")
    assert view.orders[1].net.startswith("$")


def test_before_orders_are_read_their_cards_are_labelled_sample() -> None:
    view = page(made.waiting_queue(), stored_from=None)
    assert modes(view) == dict.fromkeys(modes(view), "sample")
    assert kpi(view, "net").note == "after orders"
    assert kpi(view, "new").note == "after customers"
    assert view.orders[0].name.startswith("#S-")


def test_a_sample_card_says_no_more_than_has_room_beside_what_it_waits_for() -> None:
    waiting = kpi(page(made.waiting_queue(), stored_from=None), "new")
    assert waiting.value
    assert (waiting.rest, waiting.detail, waiting.note) == ("", "", "after customers")
    assert kpi(page(None), "new").detail


def test_while_orders_come_a_card_is_real_only_if_the_stored_days_cover_its_range() -> None:
    at, _ = figures()
    covered = page(made.running(), stored_from=at.date_from)
    assert kpi(covered, "net").mode == "real"
    short = page(made.running(), stored_from=at.date_from + timedelta(days=1))
    assert (kpi(short, "net").mode, kpi(short, "net").note) == ("hold", "4,210 of 12,000 read")
    assert short.chart.mode == "hold"
    assert not short.chart.points


def test_rows_so_far_are_shown_with_still_loading() -> None:
    view = page(made.running())
    assert (view.orders_mode, view.orders_note) == ("real", "still loading")


def test_sample_and_real_never_share_a_card() -> None:
    view = page(made.running())
    assert modes(view)["new"] == "sample"
    real = kpi(page(made.ready()), "net").value
    assert kpi(view, "net").value == real
    assert all(not row.title.startswith("Sample") for row in view.products)


def test_customers_that_stopped_leave_the_orders_standing() -> None:
    view = page(made.failed())
    assert (kpi(view, "new").mode, kpi(view, "new").note) == (
        "failed",
        "Could not read customers.",
    )
    assert kpi(view, "net").mode == "real"


def test_orders_that_stopped_keep_the_last_good_value_and_say_it_is_not_updated() -> None:
    progress = made.running()
    stages = list(progress.stages)
    stages[2] = dataclasses.replace(stages[2], state=StageState.FAILED)
    progress = dataclasses.replace(progress, stages=tuple(stages))
    assert kpi(page(progress), "net").note == "not updated"
    none = kpi(page(progress, stored_from=None), "net")
    assert (none.mode, none.note) == ("failed", "Could not read orders.")


def test_a_store_once_read_keeps_its_figures_while_it_is_read_again() -> None:
    again = dataclasses.replace(made.running(), first=False, last_synced_at=made.now())
    assert set(modes(page(again, stored_from=date(2020, 1, 1))).values()) == {"real"}


def test_a_person_without_the_permission_sees_neither_figures_nor_rows() -> None:
    view = page(made.ready(), sight=Sight(orders=False, customers=False))
    assert set(modes(view).values()) == {"closed"}
    assert kpi(view, "net").note == "Your Shopify account may not see orders."
    assert kpi(view, "new").note == "Your Shopify account may not see customers."
    assert view.chart.mode == "closed"
    assert not view.chart.points
    assert view.orders_mode == "closed"


def test_what_a_person_may_not_see_is_not_sent_either() -> None:
    view = page(made.ready(), sight=Sight(orders=False, products=False, customers=False))
    assert view.orders == ()
    assert view.products == ()
    assert all(not at.value for at in view.kpis)


def test_the_sample_shop_says_so_on_every_card() -> None:
    view = page(None, name="ready")
    assert view.banner.text == "You are looking at a sample shop."
    assert view.banner.label == "Connect your own"
    assert set(modes(view).values()) == {"sample"}
    assert view.chart.mode == view.orders_mode == view.products_mode == "sample"


def test_few_orders_are_said_to_be_few() -> None:
    assert kpi(page(made.ready(), name="few"), "orders").note == "4 orders so far"


def test_a_range_without_orders_has_words_instead_of_an_empty_chart() -> None:
    view = page(made.ready(), name="empty")
    assert view.chart.empty == "No orders in these days."
    assert kpi(view, "aov").value == "–"
    assert kpi(view, "orders").change == ""


def test_a_change_is_told_in_words_with_what_it_is_measured_against() -> None:
    net = kpi(page(made.ready()), "net")
    assert net.change.split()[0] in ("up", "down")
    assert net.rest == "on the 28 days before"
    year = kpi(page(made.ready(), compare="year"), "net")
    assert year.rest == "on the same days last year"
    assert kpi(page(made.ready(), compare="none"), "net").change == ""


def test_rates_change_in_points_and_a_rising_refund_rate_is_bad_news() -> None:
    at, found = figures()
    worse = dataclasses.replace(found.kpis, refund_rate=0.08)
    assert found.compared is not None
    better = dataclasses.replace(found.compared, refund_rate=0.03)
    found = dataclasses.replace(found, kpis=worse, compared=better)
    view = command_center(
        found, made.ready(), found, at=at, shop="H", shop_param="h", sight=Sight(),
        left_s=None, now=made.now(), tz=UTC,
    )  # fmt: skip
    refunds = kpi(view, "refunds")
    assert (refunds.change, refunds.tone) == ("up 5.0 points", "down")
    assert " to " in refunds.detail


def test_currencies_that_are_not_added_up_are_named() -> None:
    at, found = figures()
    found = dataclasses.replace(found, other_currencies=("CAD", "EUR"))
    view = command_center(
        found, made.ready(), found, at=at, shop="H", shop_param="h", sight=Sight(),
        left_s=None, now=made.now(), tz=UTC,
    )  # fmt: skip
    assert view.currencies == "Orders in CAD and EUR are not added up here."
    view = command_center(
        found, made.ready(), found, at=at, shop="H", shop_param="h", sight=Sight(orders=False),
        left_s=None, now=made.now(), tz=UTC,
    )  # fmt: skip
    assert view.currencies == ""


def test_the_chart_knows_both_lines_and_their_words() -> None:
    chart = page(made.ready()).chart
    assert len(chart.points) == 28
    assert chart.compared == "the 28 days before"
    first = chart.points[0]
    assert first["net_text"].startswith("$")
    assert first["before_day"]
    assert chart.ticks[0] == 0
    assert chart.tick_words[str(int(chart.ticks[1]))].startswith("$")


@pytest.mark.parametrize(
    ("low", "high", "ticks", "ends"),
    [
        (0, 0, [0, 1], (0, 1)),
        (0, 397000, [0, 100000, 200000, 300000, 400000], (0, 400000)),
        (0, 470000, [0, 100000, 200000, 300000, 400000, 500000], (0, 500000)),
        (0, 5, [0, 1, 2, 3, 4, 5], (0, 5)),
        (-50, 90, [-50, 0, 50, 100], (-50, 100)),
        # Where a step below would be all but empty, the axis ends where the figures do.
        (-9000, 397000, [0, 100000, 200000, 300000, 400000], (-9000, 400000)),
        (-90000, 397000, [-100000, 0, 100000, 200000, 300000, 400000], (-100000, 400000)),
        (-50, 0, [-50, -40, -30, -20, -10, 0], (-50, 0)),
    ],
)
def test_an_axis_has_round_steps_with_zero_on_it(
    low: int, high: int, ticks: list[int], ends: tuple[int, int]
) -> None:
    assert axis(low, high) == (ticks, ends)


def test_every_figure_has_its_own_line() -> None:
    at, found = figures()
    lines = {one.key: one.spark for one in page(made.ready()).kpis}
    assert all(lines.values())
    assert len(set(lines.values())) == len(lines)
    few = [
        dataclasses.replace(day, new_customers=number, returning_customer_rate=rate)
        for number, rate, day in zip((0, 2, 1), (None, 0.5, 0.25), found.days, strict=False)
    ]
    found = dataclasses.replace(found, days=tuple(few), refund_rates=(0.0, None, 0.1))
    view = command_center(
        found, made.ready(), found, at=at, shop="H", shop_param="h", sight=Sight(),
        left_s=None, now=made.now(), tz=UTC,
    )  # fmt: skip
    assert kpi(view, "new").spark == "M0.0 24.0L60.0 2.0L120.0 13.0"
    # Days without a rate have no point.
    assert kpi(view, "returning").spark == "M0.0 2.0L120.0 24.0"
    assert kpi(view, "refunds").spark == "M0.0 24.0L120.0 2.0"


def test_a_sparkline_needs_two_days_and_has_at_most_forty_points() -> None:
    assert spark_path([5]) == ""
    assert spark_path([1, 1]).startswith("M0.0")
    assert spark_path(list(range(365))).count("L") < 40


@pytest.mark.parametrize(
    ("params", "label", "days"),
    [
        ({}, "Last 28 days", 28),
        ({"range": "today"}, "Today", 1),
        ({"range": "12m"}, "Last 12 months", 365),
        ({"range": "nonsense"}, "Last 28 days", 28),
        (
            {"range": "custom", "from": "2026-11-01", "to": "2026-11-10"},
            "1 Nov to 10 Nov 2026",
            10,
        ),
        ({"range": "custom", "from": "2026-11-10", "to": "2026-11-01"}, "Last 28 days", 28),
        ({"range": "custom", "from": "1026-11-10", "to": "2026-11-01"}, "Last 28 days", 28),
        ({"range": "custom", "from": "x", "to": "y"}, "Last 28 days", 28),
    ],
)
def test_the_address_chooses_the_days_and_nonsense_chooses_the_default(
    params: dict[str, str], label: str, days: int
) -> None:
    at = chosen(params, today=TODAY)
    assert (at.label, at.days) == (label, days)
    assert at.date_to <= TODAY


def test_links_keep_the_comparison_and_the_shop() -> None:
    view = page(made.ready(), compare="year")
    assert [link.label for link in view.ranges if link.current] == ["Last 28 days"]
    assert view.ranges[0].href == (
        "/command-center?shop=harbor.myshopify.com&range=today&compare=year"
    )
    assert [link.label for link in view.compares if link.current] == ["Vs last year"]


def test_a_stage_left_out_of_a_run_does_not_hide_its_figures() -> None:
    progress = made.ready()
    without = dataclasses.replace(
        progress, stages=tuple(at for at in progress.stages if at.stage is not Stage.ORDERS)
    )
    assert kpi(page(without), "net").mode == "real"


def refused(*names: Stage) -> StoreProgress:
    """A whole sync of which Shopify refused these parts."""
    progress = made.ready()
    note = "Shopify refuses this part of the data."
    stages = tuple(
        dataclasses.replace(at, state=StageState.RESTRICTED, note=note) if at.stage in names else at
        for at in progress.stages
    )
    return dataclasses.replace(progress, stages=stages)


def center(
    progress: StoreProgress, *, customers: int, stored_from: date | None = date(2020, 1, 1)
) -> CommandCenterView:
    at, found = figures()
    kpis = dataclasses.replace(found.kpis, customers=customers, new_customers=customers)
    rows = found.recent_orders if stored_from else ()
    stored = dataclasses.replace(found, kpis=kpis, stored_from=stored_from, recent_orders=rows)
    return drawn(at, stored, progress, sampled=found)


def test_customers_whom_shopify_hides_are_unknown_and_not_none() -> None:
    for hidden in (Stage.CUSTOMERS, Stage.ORDERS):
        view = center(refused(hidden), customers=0)
        assert {kpi(view, key).mode for key in ("new", "returning")} == {"closed"}
        assert kpi(view, "new").note == "Shopify refuses this part of the data."
        assert kpi(view, "net").mode == "real"
    # Names alone are hidden: who is new is known all the same.
    assert kpi(center(refused(Stage.CUSTOMERS), customers=40), "new").mode == "real"
    assert kpi(center(made.ready(), customers=0), "new").mode == "real"


def untold(progress: StoreProgress) -> CommandCenterView:
    """A page whose orders stand, of whose customers nobody can tell who is new."""
    at, found = figures()
    kpis = dataclasses.replace(
        found.kpis, new_customers=None, repeat_customers=None, returning_customer_rate=None
    )
    stored = dataclasses.replace(found, kpis=kpis, compared=kpis, stored_from=date(2020, 1, 1))
    return drawn(at, stored, progress, sampled=found)


def unread(state: StageState, **more: Any) -> StoreProgress:
    """A later run whose stage of the customers stands as given."""
    progress = made.ready(**more)
    stages = tuple(
        dataclasses.replace(at, state=state, done=0) if at.stage is Stage.CUSTOMERS else at
        for at in progress.stages
    )
    return dataclasses.replace(progress, stages=stages)


@pytest.mark.parametrize(
    ("progress", "mode", "note"),
    [
        (unread(StageState.FAILED), "failed", "Could not read customers."),
        (
            unread(StageState.QUEUED, run_status=RunStatus.FAILED),
            "failed",
            "Could not read customers.",
        ),
        (unread(StageState.SKIPPED), "closed", "Customers are not read yet."),
        (
            unread(StageState.RESTRICTED),
            "closed",
            "Your Shopify account may not see customers.",
        ),
        (unread(StageState.RUNNING), "hold", "0 of 5,400 read"),
        (made.ready(stages=()), "closed", "Customers are not read yet."),
        (
            unread(StageState.SKIPPED, reads_customers=False, customers_read_at=made.now()),
            "closed",
            CUSTOMERS_OFF,
        ),
    ],
)
def test_who_is_new_is_unknown_and_not_none_while_customers_are_unread(
    progress: StoreProgress, mode: str, note: str
) -> None:
    view = untold(progress)
    for key in ("new", "returning"):
        assert (kpi(view, key).mode, kpi(view, key).note, kpi(view, key).value) == (mode, note, "")
    assert kpi(view, "net").mode == "real"


def test_days_before_of_which_nobody_can_tell_who_was_new_are_held_against_nothing() -> None:
    at, found = figures(compare="previous")
    assert found.compared is not None
    before = dataclasses.replace(found.compared, new_customers=None)
    stored = dataclasses.replace(found, compared=before, stored_from=date(2020, 1, 1))
    new = kpi(drawn(at, stored, made.ready()), "new")
    assert (new.mode, new.change, new.rest) == ("real", "", "")
    assert new.value.replace(",", "").isdigit()


def test_orders_that_shopify_refuses_are_unknown_and_not_none() -> None:
    view = center(refused(Stage.ORDERS), customers=0, stored_from=None)
    assert set(modes(view).values()) == {"closed"}
    assert (view.orders_mode, view.chart.mode) == ("closed", "closed")
