"""Rates and estimates from counts at given times."""

from __future__ import annotations

import pytest

from brandmind.state.pace import Pace


def steady(pace: Pace, *, rate: int, seconds: int, start_s: int = 0, start: int = 0) -> int:
    done = start
    for at_s in range(start_s, start_s + seconds + 1):
        done = start + rate * (at_s - start_s)
        pace.saw(done, at_s=float(at_s))
    return done


def test_nothing_is_said_before_ten_seconds() -> None:
    pace = Pace()
    steady(pace, rate=100, seconds=9)
    assert pace.rate is None
    assert pace.left_s(1000) is None


def test_nothing_is_said_before_two_pages() -> None:
    pace = Pace()
    pace.saw(0, at_s=0)
    pace.saw(250, at_s=6)
    pace.saw(250, at_s=12)
    assert pace.rate is None


def test_a_steady_reading_has_its_rate_at_once_and_not_a_fraction_of_it() -> None:
    pace = Pace()
    steady(pace, rate=240, seconds=11)
    assert pace.rate == pytest.approx(240)
    assert pace.left_s(2400) == pytest.approx(10)


def test_the_rate_follows_a_change_within_half_a_minute() -> None:
    pace = Pace()
    done = steady(pace, rate=100, seconds=60)
    steady(pace, rate=20, seconds=30, start_s=60, start=done)
    assert pace.rate is not None
    assert 40 < pace.rate < 60


def test_the_estimate_changes_at_most_every_five_seconds_and_counts_down_between() -> None:
    pace = Pace()
    done = steady(pace, rate=100, seconds=20)
    first = pace.left_s(10_000)
    pace.saw(done + 5000, at_s=22)
    second = pace.left_s(5_000)
    assert first == pytest.approx(100)
    assert second == pytest.approx(98)
    pace.saw(done + 5100, at_s=26)
    third = pace.left_s(4_900)
    assert third is not None
    assert third < 60


def test_fifteen_seconds_without_a_row_is_a_stall_and_has_no_estimate() -> None:
    pace = Pace()
    done = steady(pace, rate=100, seconds=20)
    pace.saw(done, at_s=34)
    assert not pace.stalled
    pace.saw(done, at_s=35)
    assert pace.stalled
    assert pace.left_s(1000) is None
    pace.saw(done + 10, at_s=36)
    assert not pace.stalled


def test_a_count_that_falls_is_not_a_negative_rate() -> None:
    pace = Pace()
    steady(pace, rate=100, seconds=20)
    pace.saw(3, at_s=21)
    assert pace.rate is not None
    assert pace.rate >= 0
