"""The settings: what was read, when, how long it took and whether it is proven."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from brandmind.state.settings_view import manual_sentence, settings
from brandmind.state.views import SettingsView
from brandmind.sync.progress import StoreProgress
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
