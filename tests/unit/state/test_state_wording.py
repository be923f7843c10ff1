"""Numbers, money and times in words."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from brandmind.state import wording

NOW = datetime(2026, 11, 22, 19, 2, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("minor", "currency", "said"),
    [
        (5610, "USD", "$56.10"),
        (-1250, "EUR", "−€12.50"),
        (21438000, "USD", "$214,380.00"),
        (1200, "JPY", "¥1,200"),
        (12345, "KWD", "KWD 12.345"),
        (0, "GBP", "£0.00"),
    ],
)
def test_money_has_the_decimals_of_its_currency(minor: int, currency: str, said: str) -> None:
    assert wording.money(minor, currency) == said


def test_a_big_figure_loses_its_cents_and_a_small_one_keeps_them() -> None:
    assert wording.headline_money(21438049, "USD") == "$214,380"
    assert wording.headline_money(5610, "USD") == "$56.10"
    assert wording.headline_money(99999, "USD") == "$999.99"


@pytest.mark.parametrize(
    ("minor", "said"),
    [(0, "$0"), (35000, "$350"), (400000, "$4k"), (125000000, "$1.2M"), (-250000, "−$2.5k")],
)
def test_an_axis_speaks_short(minor: int, said: str) -> None:
    assert wording.short_money(minor, "USD") == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (3, "under a minute"),
        (59, "under a minute"),
        (60, "about 1 min"),
        (118, "about 2 min"),
        (240, "about 4 min"),
        (13 * 60, "about 15 min"),
        (80 * 60, "about 1 h 20 min"),
        (7200, "about 2 h"),
    ],
)
def test_an_estimate_is_rounded_as_people_say_it(seconds: int, said: str) -> None:
    assert wording.time_left(seconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"), [(19, "0:19"), (72, "1:12"), (3725, "1:02:05"), (-3, "0:00")]
)
def test_elapsed_time_reads_like_a_clock(seconds: int, said: str) -> None:
    assert wording.elapsed(seconds) == said


@pytest.mark.parametrize(
    ("back", "said"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=3, seconds=10), "3 min ago"),
        (timedelta(hours=5), "5 h ago"),
        (timedelta(days=3), "3 days ago"),
    ],
)
def test_freshness_is_said_in_one_unit(back: timedelta, said: str) -> None:
    assert wording.ago(NOW - back, NOW) == said


def test_moments_are_told_in_the_shops_zone() -> None:
    assert wording.moment(NOW, NOW, NEW_YORK) == "14:02"
    assert wording.moment(NOW - timedelta(days=1), NOW, NEW_YORK) == "yesterday 14:02"
    assert wording.moment(NOW - timedelta(days=2), NOW, NEW_YORK) == "20 Nov 14:02"
    assert wording.moment(NOW - timedelta(days=365), NOW, NEW_YORK) == "22 Nov 2025 14:02"


def test_the_day_turns_at_the_shops_midnight_and_not_at_ours() -> None:
    late = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
    assert wording.moment(late, NOW, NEW_YORK) == "yesterday 22:00"
    assert wording.moment(late, NOW, UTC) == "03:00 UTC"


def test_a_hover_names_the_zone() -> None:
    assert wording.full_moment(NOW, NEW_YORK) == "22 Nov 2026, 14:02:00 America/New York"


def test_counts_know_one_from_many() -> None:
    assert wording.counted(1, "order") == "1 order"
    assert wording.counted(5, "try", "tries") == "5 tries"
    assert wording.at_least(10000, exact=False) == "10,000+"
    assert wording.day(date(2023, 3, 4), year=True) == "4 Mar 2023"


def test_words_are_joined_as_in_speech() -> None:
    assert wording.listed(["products"]) == "Products"
    assert wording.listed(["products", "orders"]) == "Products and orders"
    assert wording.listed(["products", "orders", "customers"]) == "Products, orders and customers"


def test_a_share_that_rounds_to_nothing_has_no_sign() -> None:
    assert wording.percent(0.4721) == "47.2%"
    assert wording.percent(-0.031) == "−3.1%"
    assert wording.percent(-0.00001) == "0.0%"
