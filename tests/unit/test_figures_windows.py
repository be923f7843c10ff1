"""Which days are compared, which orders are old enough, and how averages are rounded."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest

from brandmind.db.figures import Span
from brandmind.services import dashboard


def test_the_days_before_are_as_many_and_end_where_the_days_begin() -> None:
    span = Span(date(2026, 3, 1), date(2026, 3, 28))
    assert dashboard.compared_span(span, "previous") == (date(2026, 2, 1), date(2026, 2, 28))


def test_the_year_before_has_the_same_weekdays() -> None:
    span = Span(date(2024, 2, 29), date(2024, 3, 6))
    before = dashboard.compared_span(span, "year")
    assert before == (date(2023, 3, 2), date(2023, 3, 8))
    assert before.first.weekday() == span.first.weekday()


@pytest.mark.parametrize(
    ("date_to", "length", "expected"),
    [
        # The last seven days have no order that old: the latest mature week stands in.
        (date(2026, 11, 20), 7, (date(2026, 10, 15), date(2026, 10, 21))),
        (date(2026, 10, 22), 1, (date(2026, 10, 21), date(2026, 10, 21))),
        # Days long past are their own window.
        (date(2026, 9, 30), 30, (date(2026, 9, 1), date(2026, 9, 30))),
    ],
)
def test_the_refund_window_is_the_latest_that_is_thirty_days_old(
    date_to: date, length: int, expected: tuple[date, date]
) -> None:
    found = dashboard.mature_span(date_to, length=length, today=date(2026, 11, 20))
    assert found == expected


@pytest.mark.parametrize(
    ("total", "count", "expected"), [(10, 4, 3), (9, 4, 2), (7, 7, 1), (0, 3, 0), (5, 0, None)]
)
def test_averages_are_rounded_half_up(total: int, count: int, expected: int | None) -> None:
    assert dashboard.average(total, count) == expected


def test_price_steps_hold_every_variant_once_and_leave_no_hole() -> None:
    prices = [(price, 2) for price in range(500, 9_000, 137)]
    bins = dashboard.price_steps(prices)
    assert sum(count for *_, count in bins) == 2 * len(prices)
    assert bins[0][0] == 500
    assert bins[-1][1] == prices[-1][0]
    assert all(upper + 1 == lower for (_, upper, _), (lower, _, _) in pairwise(bins))


def test_one_dear_thing_does_not_flatten_the_price_ladder() -> None:
    prices = [(price, 1) for price in range(1_000, 5_000, 40)] + [(500_000, 1)]
    bins = dashboard.price_steps(prices)
    assert bins[-1][1] == 500_000
    assert sum(1 for *_, count in bins if count) == len(bins)


def test_a_single_price_is_a_single_step() -> None:
    assert dashboard.price_steps([(2_500, 7)]) == ((2_500, 2_500, 7),)
    assert dashboard.price_steps([(0, 1)]) == ((0, 0, 1),)
