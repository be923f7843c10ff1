"""The waiting room of every state of a sync."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from brandmind.services.dashboard import ReadyNow
from brandmind.state.sight import Sight
from brandmind.state.views import MiniChartView, StageView, WaitingRoomView
from brandmind.state.waiting import charts_due
from brandmind.state.waiting_view import LEAVE, Watch, orders_so_far, price_ladder, waiting_room
from brandmind.sync.progress import StoreProgress
from brandmind.sync.stages import Stage, StageState, StoreStatus
from tests import stage_acts as made

TZ = ZoneInfo("America/New_York")


def ready_now(name: str = "running") -> ReadyNow:
    return asyncio.run(made.StageActs().ready_now(f"id-{name}"))


def room(
    progress: StoreProgress,
    *,
    watch: Watch | None = None,
    ready: ReadyNow | None = None,
    sight: Sight | None = None,
) -> WaitingRoomView:
    watch = watch or Watch()
    watch.saw(progress, at_s=1000.0)
    return shown(progress, watch, ready=ready, sight=sight)


def shown(
    progress: StoreProgress,
    watch: Watch,
    *,
    ready: ReadyNow | None = None,
    sight: Sight | None = None,
) -> WaitingRoomView:
    """The room of somebody who has seen what `watch` has."""
    return waiting_room(
        progress,
        ready,
        watch,
        shop="Harbor & Pine",
        shop_param="harbor.myshopify.com",
        now=made.now(),
        tz=TZ,
        sight=sight or Sight(),
    )


def stage(view: WaitingRoomView, key: str) -> StageView:
    return next(at for at in view.stages if at.key == key)


def test_the_stages_stand_in_their_order_with_older_orders_last() -> None:
    assert [at.label for at in room(made.running()).stages] == [
        "Connect",
        "Products",
        "Orders, last 6 months",
        "Customers",
        "Store DNA",
        "Older orders",
    ]


def test_each_stage_says_where_it_stands_in_words() -> None:
    view = room(made.running(), ready=ready_now())
    assert [(at.word, at.detail) for at in view.stages] == [
        ("Done", "Harbor & Pine, read only"),
        ("Done", "312 products, 1,204 variants"),
        ("Reading", "4,210 of 12,000"),
        ("Waiting", "5,400 to read"),
        ("Waiting", "Reads after customers"),
        ("Waiting", "31,600 more, in the background"),
    ]
    assert stage(view, "shop").elapsed == "0:02"
    assert stage(view, "orders").said == "Orders, last 6 months, 4,210 of 12,000"
    assert stage(view, "orders").percent == 35
    assert view.tally == "4,523 of 17,713 records"


def test_time_left_stands_in_the_headline_once_it_is_known() -> None:
    watch = Watch()
    for second in range(31):
        watch.saw(made.running(orders=1000 + 110 * second), at_s=float(second))
    progress = made.running(orders=1000 + 110 * 30)
    view = shown(progress, watch)
    assert view.headline == "About 2 min left."
    assert view.lead == LEAVE
    assert stage(view, "orders").detail == "4,300 of 12,000 · 110 a second"


def test_before_that_the_headline_says_what_is_being_read() -> None:
    assert room(made.running()).headline == "Reading your orders."
    assert room(made.waiting_queue()).headline == "Harbor & Pine is connected."


def test_a_total_the_shop_only_bounds_from_below_is_printed_with_a_plus() -> None:
    progress = made.running(orders=12_400)
    stages = list(progress.stages)
    stages[2] = dataclasses.replace(
        stages[2], state=StageState.RUNNING, done=12_400, total=10_000, exact=False
    )
    progress = dataclasses.replace(progress, stages=tuple(stages))
    view = room(progress)
    assert stage(view, "orders").detail == "12,400 of 10,000+"
    assert stage(view, "orders").percent == 0


def test_a_stage_that_stopped_says_when_and_after_how_many_tries() -> None:
    view = room(made.failed())
    at = stage(view, "customers")
    assert at.icon == "failed"
    assert at.detail.startswith("3,100 of 5,400. Stopped ")
    assert at.detail.endswith(", after 5 tries.")
    assert view.headline == "Customers stopped at 3,100 of 5,400."
    assert view.lead.startswith(
        "Shopify did not answer after 5 tries. Nothing was lost; we continue from customer 3,101."
    )
    assert view.tally == "Products and orders are ready to use"
    assert view.act_label == "Retry customers"
    assert [at.word for at in view.stages[:3]] == ["Done", "Done", "Done"]


def test_what_happened_tells_the_request_id_and_the_tries() -> None:
    facts = {fact.name: fact.value for fact in room(made.failed()).what_happened}
    assert facts["Tries"] == "5"
    assert facts["Shopify's request id"] == "7f3c1e90-6c1c-4f5e-9a57-0d2f8a1be2aa"
    assert facts["Where"] == "Customers"
    assert "Next try" in facts


def test_withdrawn_access_offers_to_reconnect_and_no_retry() -> None:
    view = room(made.failed("auth"))
    assert view.headline == "Shopify access was withdrawn or expired."
    assert (view.ending, view.act_label) == ("reconnect", "Reconnect")
    assert "/auth/connect?shop=harbor.myshopify.com" in view.act_href


def test_a_finished_sync_says_so_and_leads_on() -> None:
    view = room(made.STATES["done"]())
    assert view.headline == "Your numbers are ready."
    assert view.percent == 100
    assert view.act_href == "/command-center?shop=harbor.myshopify.com"
    assert not view.busy
    assert stage(view, "history").detail == "12,400 of 31,600, in the background"


def test_a_gap_is_told_and_not_hidden_behind_ready() -> None:
    view = room(made.gap())
    assert view.lead == "Orders are 12 short of Shopify's count. We look again tonight."
    assert stage(view, "orders").detail == "11,988 of 12,000. 12 short of Shopify's count."
    assert stage(view, "orders").word == "Incomplete"


def test_being_slowed_down_is_explained_and_so_is_silence() -> None:
    slowed = "Shopify asked us to slow down. Continuing by itself."
    assert room(made.running(waiting="throttled")).note == slowed
    watch = Watch()
    progress = made.running()
    watch.saw(progress, at_s=0)
    watch.saw(progress, at_s=16)
    view = shown(progress, watch)
    assert view.note == slowed
    # While it is asked once more, the words stay: nothing has come of it yet.
    again = made.running(attempt=2, error_kind="transient")
    assert room(again).note == room(made.running(waiting="unavailable")).note
    assert room(made.running(attempt=0)).note == ""
    assert room(made.running(waiting="unavailable")).note == (
        "Shopify is not answering right now. We keep trying; nothing is lost."
    )


def test_waiting_for_an_export_is_said_with_its_size() -> None:
    told = "Shopify is preparing an export of 12,400 orders. Continuing by itself."
    assert room(made.running(waiting="bulk", error=told)).note == told
    assert room(made.running(waiting="bulk")).note == (
        "Shopify is preparing an export. Continuing by itself."
    )


def test_a_screen_reader_hears_stages_quarters_and_the_end_but_not_every_row() -> None:
    watch = Watch()
    heard = []
    for orders in (1000, 2000, 3000, 4500, 5000, 12000):
        progress = made.running(orders=orders)
        heard.append(room(progress, watch=watch).said)
    heard.append(room(made.failed(), watch=watch).said)
    assert len(dict.fromkeys(heard)) == 4


def test_a_new_run_begins_with_a_pace_of_its_own() -> None:
    watch = Watch()
    for second in range(31):
        watch.saw(made.running(orders=100 * second), at_s=float(second))
    assert watch.left_s(made.running(orders=3000)) is not None
    fresh = dataclasses.replace(made.running(orders=0), run_id="r2")
    watch.saw(fresh, at_s=40)
    assert watch.left_s(fresh) is None


def test_who_reads_knows_the_time_left_better_than_the_pace_of_its_first_rush() -> None:
    watch = Watch()
    for second in range(31):
        watch.saw(made.running(orders=1000 + 110 * second), at_s=float(second))
    told = dataclasses.replace(made.running(orders=4300, waiting="throttled"), left_s=600.0)
    watch.saw(told, at_s=31)
    assert watch.left_s(told) == 600
    view = shown(told, watch)
    assert view.headline == "About 10 min left."
    assert view.note == "Shopify asked us to slow down. Continuing by itself."
    # The same word again is older, not new.
    watch.saw(told, at_s=36)
    assert watch.left_s(told) == 595
    newer = dataclasses.replace(told, left_s=580.0)
    watch.saw(newer, at_s=37)
    assert watch.left_s(newer) == 580
    silent = dataclasses.replace(told, left_s=None)
    watch.saw(silent, at_s=38)
    assert watch.left_s(silent) != 579


def test_cancelled_and_paused_say_that_what_was_read_is_kept() -> None:
    cancelled = room(made.running(status=StoreStatus.CANCELLED))
    assert (cancelled.headline, cancelled.act_label) == ("Reading was stopped.", "Go on reading")
    at = datetime(2025, 11, 22, 19, 2, tzinfo=UTC)
    paused = room(made.running(status=StoreStatus.PAUSED, paused_by="Ada", paused_at=at))
    assert paused.lead.startswith("Paused by Ada on 22 Nov 2025, 14:02")
    assert paused.lead.endswith("Nothing is read meanwhile, and nothing is lost.")
    # Nothing runs, and no clock: the stage waits with what it has.
    assert {stage.icon for stage in paused.stages} <= {"done", "queued"}
    (halted,) = (stage for stage in paused.stages if stage.word == "Paused")
    assert (halted.since, halted.elapsed) == ("", "")
    assert halted.bar
    stopped = room(made.STATES["stopped"]())
    assert stopped.lead.startswith("Stopped by Alice Harbor, ")
    assert stopped.lead.endswith("What was read is kept.")


def test_the_price_ladder_says_range_and_middle_half() -> None:
    view = price_ladder(ready_now())
    assert view.sentence == (
        "312 products, from $9 to $240. Most of your range sits between $28 and $64."
    )
    assert max(bar.height for bar in view.bars) == 100
    assert view.ticks[0] == "$9"
    assert not price_ladder(ready_now("pending")).there


def test_orders_so_far_mark_the_best_day_and_keep_bars_wide_enough() -> None:
    view = orders_so_far(ready_now())
    assert view.sentence == (
        "First order of the last six months: 24 May. Best day: 31 Oct, 112 orders."
    )
    assert len(view.bars) <= 61
    assert sum(bar.best for bar in view.bars) == 1
    assert not orders_so_far(ready_now("early")).there


def test_the_best_day_stands_in_the_highest_bar_even_if_that_has_fewer_days() -> None:
    day = date(2026, 8, 19)
    days = tuple((day + timedelta(days=at), 9 if at == 98 else 6) for at in range(99))
    told = dataclasses.replace(ready_now(), days=days, best_day=days[-1])
    *others, last = orders_so_far(told).bars
    assert (last.best, last.height) == (True, 100)
    assert max(bar.height for bar in others) == 67
    assert others[0].title == "19 Aug to 20 Aug: 12 orders, 6 on the busiest day"
    assert last.title == "25 Nov: 9 orders"


def test_nothing_is_called_the_first_order_while_older_ones_are_still_to_come() -> None:
    view = orders_so_far(ready_now(), whole=False)
    assert view.sentence == "Read back to 24 May so far. Best day: 31 Oct, 112 orders."


def test_sales_figures_wait_behind_the_stage_before_them() -> None:
    progress = made.running()
    without = dataclasses.replace(
        progress, stages=tuple(at for at in progress.stages if at.stage is not Stage.CUSTOMERS)
    )
    assert stage(room(without), "figures").detail == "Reads after orders"


def test_who_may_not_see_orders_is_told_so_and_gets_nothing_made_of_them() -> None:
    view = room(made.running(), ready=ready_now(), sight=Sight(orders=False))
    assert view.prices.there
    assert view.orders == MiniChartView(closed="Your Shopify account may not see orders.")
    assert view.segments_after == "Your Shopify account may not see orders."


def test_who_may_not_see_products_is_sent_no_price_and_no_count_of_variants() -> None:
    view = room(made.running(), ready=ready_now(), sight=Sight(products=False))
    assert view.orders.there
    assert view.prices == MiniChartView(closed="Your Shopify account may not see products.")
    assert stage(view, "products").detail == "312 products"


def test_who_may_not_see_customers_waits_for_no_groups_of_them() -> None:
    view = room(made.running(), ready=ready_now(), sight=Sight(customers=False))
    assert view.prices.there
    assert view.orders.there
    assert view.segments_after == "Your Shopify account may not see customers."


def test_a_store_that_was_read_before_has_its_charts_at_once_and_no_sample() -> None:
    assert charts_due((), None, since_s=0)
    assert not charts_due((), (), since_s=60)
    begun, further, read = (
        ((Stage.ORDERS, state, done),)
        for state, done in (
            (StageState.RUNNING, 10),
            (StageState.RUNNING, 20),
            (StageState.DONE, 20),
        )
    )
    assert charts_due(begun, (), since_s=0)
    assert not charts_due(further, begun, since_s=0)
    assert charts_due(further, begun, since_s=60)
    assert charts_due(read, further, since_s=0)
    assert room(made.running()).segments_after == "Fills in after customers."
    again = dataclasses.replace(made.running(), first=False)
    assert room(again).segments_after == ""


def test_customers_that_are_refused_leave_no_sample_that_never_fills_in() -> None:
    progress = made.ready()
    stages = tuple(
        dataclasses.replace(at, state=StageState.RESTRICTED) if at.stage is Stage.CUSTOMERS else at
        for at in progress.stages
    )
    view = room(dataclasses.replace(progress, stages=stages))
    assert view.segments_after == ""
    assert view.lead == "What Shopify shows BrandMind was held against its own counts."
