"""The pill and the banner of every state of a store, word by word."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from brandmind.state import status_view
from brandmind.state.views import BannerView
from brandmind.sync.progress import StoreProgress
from brandmind.sync.stages import Stage, StageState, StoreStatus
from tests import stage_acts as made

TZ = ZoneInfo("America/New_York")


def said(progress: StoreProgress, *, left_s: float | None = None) -> BannerView:
    return status_view.banner(
        progress,
        shop="Harbor & Pine",
        shop_param="harbor.myshopify.com",
        left_s=left_s,
        now=made.now(),
        tz=TZ,
    )


def test_a_store_that_waits_for_its_first_turn_is_told_that_it_begins() -> None:
    banner = said(made.waiting_queue())
    assert banner.text == "Harbor & Pine is connected. Your first sync starts now."
    assert banner.label == "View progress"
    assert banner.href == "/syncing?shop=harbor.myshopify.com"


def test_what_a_first_sync_said_gives_way_to_that_it_is_ready_in_the_same_room() -> None:
    def after(now: BannerView, before: BannerView) -> BannerView:
        return status_view.room_kept(now, before=before, shop_param="harbor.myshopify.com")

    reading, whole = said(made.running()), said(made.ready())
    assert whole == BannerView()
    ready = after(whole, reading)
    assert ready == BannerView(
        tone="info",
        text="Your numbers are ready.",
        act="link",
        label="Your Store DNA",
        href="/dna?shop=harbor.myshopify.com",
    )
    # It stays while the page does, and what needs saying comes in its place.
    assert after(whole, ready) == ready
    assert after(said(made.gap()), ready) == said(made.gap())
    # A page that saw nothing being read is told nothing.
    assert after(whole, BannerView()) == BannerView()
    assert after(whole, said(made.gap())) == BannerView()


def test_a_later_sync_that_waits_for_its_turn_is_not_called_the_first() -> None:
    assert said(dataclasses.replace(made.waiting_queue(), first=False)) == BannerView()


def test_a_first_sync_says_count_total_and_time_left() -> None:
    assert said(made.running(), left_s=240).text == (
        "Reading orders: 4,210 of 12,000. About 4 min left. You can leave this page."
    )


def test_an_estimate_nobody_can_make_is_left_out() -> None:
    assert said(made.running()).text == (
        "Reading orders: 4,210 of 12,000. You can leave this page."
    )


def test_a_first_sync_that_stopped_says_first_what_is_ready() -> None:
    banner = said(made.failed())
    assert banner.text == ("Products and orders are ready. Customers stopped at 3,100 of 5,400.")
    assert (banner.act, banner.label, banner.more_label) == (
        "retry",
        "Retry customers",
        "Details",
    )


def test_a_later_sync_that_stopped_says_why_that_nothing_was_lost_and_from_where() -> None:
    progress = dataclasses.replace(
        made.running(orders=8556), status=StoreStatus.FAILED, first=False, attempt=5,
        error="Shopify did not answer.", error_kind="transient",
    )  # fmt: skip
    banner = said(progress)
    assert banner.text == (
        "Shopify did not answer after 5 tries. Nothing was lost; we continue from order 8,557."
    )
    assert (banner.act, banner.label) == ("retry", "Retry")


def test_a_failure_that_goes_on_by_itself_says_when() -> None:
    progress = dataclasses.replace(made.failed(), first=False)
    at = progress.next_try_at
    assert at is not None
    assert said(progress).text.endswith(f" We try again at {at.astimezone(TZ):%H:%M}.")


def test_withdrawn_access_asks_to_reconnect_and_nothing_else() -> None:
    banner = said(made.failed("auth"))
    assert banner.text == "Shopify access was withdrawn or expired. Reconnect to go on."
    assert (banner.label, banner.act) == ("Reconnect", "link")
    assert banner.href == "/auth/connect?shop=harbor.myshopify.com&reconnect=1"


def test_a_store_whose_numbers_are_fresh_says_nothing() -> None:
    assert said(made.ready()) == BannerView()


def test_numbers_older_than_26_hours_are_dated() -> None:
    banner = said(made.ready(timedelta(hours=30)))
    assert banner.text.startswith("Numbers are from ")
    assert banner.act == "sync"
    assert said(made.ready(timedelta(hours=25))) == BannerView()


def test_a_gap_is_said_with_its_size() -> None:
    assert said(made.gap()).text == (
        "Orders are 12 short of Shopify's count. We look again tonight."
    )


def test_an_unavailable_shopify_is_not_called_a_failure() -> None:
    assert said(made.running(waiting="unavailable")).text == (
        "Shopify is not answering right now. We keep trying; nothing is lost."
    )


def test_a_limited_account_is_told_which_part_it_may_not_see() -> None:
    ready = made.ready()
    stages = tuple(
        dataclasses.replace(at, state=StageState.RESTRICTED) if at.stage is Stage.ORDERS else at
        for at in ready.stages
    )
    progress = dataclasses.replace(
        ready, stages=stages, status=StoreStatus.PARTIAL, reason="restricted"
    )
    assert said(progress).text == "Your Shopify account may not see orders."


def test_the_pill_says_what_is_being_read_and_how_far() -> None:
    pill = status_view.pill(made.running(), now=made.now(), tz=TZ)
    assert (pill.tone, pill.text) == ("amber", "Reading orders, 35%")


def test_the_pill_of_a_fresh_store_can_tick_by_itself() -> None:
    progress = made.ready()
    pill = status_view.pill(progress, now=made.now(), tz=TZ)
    assert (pill.tone, pill.text) == ("green", "Synced 3 min ago")
    assert progress.last_synced_at is not None
    assert pill.at == progress.last_synced_at.isoformat()
    assert pill.title.endswith("America/New York")


def test_the_pill_of_a_stale_store_is_amber_and_dated() -> None:
    # At an hour of which a day and some hours ago was yesterday, whatever the hour is here.
    now = datetime(2025, 11, 22, 20, tzinfo=UTC)
    progress = dataclasses.replace(made.ready(), last_synced_at=now - timedelta(hours=30))
    pill = status_view.pill(progress, now=now, tz=TZ)
    assert pill.tone == "warn"
    assert pill.text == "Out of date: last synced yesterday 09:00"


def test_the_pill_of_a_failed_store_names_the_stage() -> None:
    assert status_view.pill(made.failed(), now=made.now(), tz=TZ).text == "Customers stopped"


def test_older_orders_are_counted_in_the_background() -> None:
    progress = made.STATES["done"]()
    assert status_view.history_line(progress) == (
        "Older orders: 12,400 of 31,600, in the background"
    )
    assert status_view.history_line(made.ready()) == ""
    assert status_view.history_line(made.running()) == ""


def test_an_uninstalled_store_is_told_what_becomes_of_its_data() -> None:
    banner = status_view.banner(
        made.ready(),
        shop="Harbor & Pine",
        shop_param="harbor.myshopify.com",
        left_s=None,
        now=made.now(),
        tz=TZ,
        installed=False,
    )
    assert banner.text == (
        "BrandMind was uninstalled from Harbor & Pine. Its data will be deleted about two days "
        "after that."
    )
    assert banner.label == "Reconnect"


def test_a_store_that_rests_says_who_laid_it_to_rest_and_when() -> None:
    at = datetime(2025, 11, 20, 19, 2, tzinfo=UTC)
    paused = dataclasses.replace(
        made.ready(status=StoreStatus.PAUSED), paused_by="Olga", paused_at=at
    )
    assert said(paused).text.startswith("Paused by Olga on 20 Nov 2025, 14:02")
    assert (said(paused).act, said(paused).label) == ("resume", "Go on")


def test_a_sync_that_was_stopped_says_by_whom_and_can_go_on() -> None:
    banner = said(made.STATES["stopped"]())
    assert banner.text.startswith("Stopped by Alice Harbor, ")
    assert (banner.act, banner.label) == ("retry", "Go on")


def test_a_store_that_left_says_until_when_it_can_come_back() -> None:
    left = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
    banner = said(
        dataclasses.replace(made.ready(), uninstalled_at=left, erase_at=left + timedelta(hours=48))
    )
    assert banner.text == (
        "BrandMind was uninstalled from Harbor & Pine on 20 Nov. "
        "Its data will be deleted on 22 Nov."
    )
    assert banner.href == "/auth/connect?shop=harbor.myshopify.com&reconnect=1"
