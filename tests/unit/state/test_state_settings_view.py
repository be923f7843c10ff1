"""The settings: what was read, when, how long it took and whether it is proven."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from brandmind.state.settings_view import chosen, manual_sentence, resync_sentence, settings
from brandmind.state.views import SettingsView
from brandmind.sync.progress import StoreProgress
from brandmind.sync.selection import OrdersSince, Selection
from tests import stage_acts as made

TZ = ZoneInfo("America/New_York")


def page(
    progress: StoreProgress, *, left: int = 3, next_at: datetime | None = None
) -> SettingsView:
    return settings(
        progress,
        shop_param="harbor.myshopify.com",
        manual_left=left,
        manual_next_at=next_at,
        stores=(),
        locked=(),
        now=made.now(),
        tz=TZ,
    )


def test_each_part_tells_count_duration_and_proof() -> None:
    view = page(made.ready())
    orders = next(at for at in view.parts if at.label == "Orders, last 6 months")
    assert (orders.state, orders.count, orders.took, orders.proof) == (
        "Read",
        "12,000 orders",
        "1 min",
        "Counts match Shopify",
    )
    assert view.headline == "Everything is read."
    assert view.lead.startswith("Synced 3 min ago, ")
    assert view.can_sync


def test_a_gap_is_not_called_a_match() -> None:
    view = page(made.gap())
    orders = next(at for at in view.parts if at.label == "Orders, last 6 months")
    assert (orders.state, orders.proof) == ("Incomplete", "12 short of Shopify's count")
    assert view.headline == "Something is still missing."


def test_a_used_up_hour_says_when_the_next_sync_is_possible() -> None:
    at = datetime(2026, 11, 22, 15, 20, tzinfo=TZ)
    assert manual_sentence(0, at, tz=TZ) == (
        "Three syncs in the last hour. The next is possible at 15:20."
    )
    assert manual_sentence(2, None, tz=TZ) == "2 syncs by hand left this hour."
    assert not page(made.ready(), left=0, next_at=at).can_sync


def test_a_running_sync_offers_its_progress_and_no_second_one() -> None:
    view = page(made.running())
    assert (view.syncing, view.can_sync) == (True, False)
    assert view.progress_href == "/syncing?shop=harbor.myshopify.com"
    orders = next(at for at in view.parts if at.label == "Orders, last 6 months")
    assert (orders.state, orders.count) == ("Reading", "4,210 of 12,000")


def test_a_failure_offers_its_retry_and_lost_access_only_to_reconnect() -> None:
    assert page(made.failed()).retry_label == "Retry customers"
    lost = page(made.failed("auth"))
    assert (lost.retry_label, bool(lost.reconnect_href)) == ("", True)


def test_stale_numbers_are_dated_in_the_headline() -> None:
    assert page(made.ready(timedelta(hours=30))).headline.startswith("Numbers are from ")


def test_the_schedule_is_that_of_the_night_in_the_shops_own_zone() -> None:
    at = datetime(2026, 11, 26, 8, 40, tzinfo=UTC)
    night = page(dataclasses.replace(made.ready(), nightly_at=at)).schedule
    assert night == "Every night at about 03:40."
    by_day = dataclasses.replace(made.ready(), nightly_at=at + timedelta(hours=9))
    assert page(by_day).schedule.startswith("Every day at about 12:40")
    by_hand = dataclasses.replace(made.ready(), nightly_at=at, polled=True)
    assert page(by_hand).schedule.startswith("Every 15 minutes for what changed. Every night at")
    assert "once the first sync" in page(made.ready()).schedule


def test_a_full_resync_says_what_it_costs_and_what_it_leaves_alone() -> None:
    assert resync_sentence(712.0) == (
        "Re-reads everything, about 12 min. Current numbers stay until it is done."
    )
    assert resync_sentence(None) == "Re-reads everything. Current numbers stay until it is done."


def test_what_is_not_read_is_said_plainly() -> None:
    off = dataclasses.replace(made.ready(), reads_customers=False)
    assert page(off).customers_note.startswith("Customers are not read.")
    kept = dataclasses.replace(off, customers_read_at=made.now() - timedelta(days=9))
    assert page(kept).customers_note.endswith("stay stored.")
    assert page(made.ready()).customers_note == ""


def test_a_change_of_mind_is_answered_in_one_sentence() -> None:
    every, none = Selection(), Selection(customers=False)
    assert chosen(every, none, reads=False) == (
        "Customers are not read any more. Those that are stored stay."
    )
    assert chosen(none, every, reads=True) == "Customers are read now, in the background."
    less = Selection(OrdersSince.SIXTY_DAYS)
    assert chosen(less, every, reads=True) == "Older orders are read now, in the background."
    assert chosen(every, less, reads=False).endswith("what is stored stays.")
    assert chosen(every, every, reads=False) == ""


def test_what_stopped_can_go_on_or_start_over() -> None:
    for name in ("failed", "stopped"):
        view = page(made.STATES[name]())
        assert view.retry_label
        assert view.can_start_over
    assert not page(made.STATES["auth"]()).can_start_over
    assert page(made.running()).syncing


def test_a_store_that_left_can_only_come_back() -> None:
    view = page(made.STATES["gone"]())
    assert view.headline == "This store has left."
    assert view.reconnect_href
    assert [view.can_sync, view.can_choose, view.syncing, view.retry_label] == [
        False,
        False,
        False,
        "",
    ]
