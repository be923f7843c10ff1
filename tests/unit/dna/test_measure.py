import math
from fractions import Fraction

import pytest

from brandmind.dna.measure import (
    Ratio,
    along,
    binomial_tail,
    fisher_tail,
    half_up,
    median_interval,
    nearest_rank,
    wilson,
)


@pytest.mark.parametrize(
    ("value", "digits", "rounded"),
    [
        (0.05, 1, 0.1),
        (2.25, 1, 2.3),
        (2.675, 2, 2.68),
        (34.95, 1, 35.0),
        (34.949999, 1, 34.9),
        (-0.05, 1, 0.0),
        (Fraction(1, 3), 3, 0.333),
        (2.5, 0, 3.0),
    ],
)
def test_halves_are_rounded_upwards_as_they_are_written(value, digits, rounded):
    assert half_up(value, digits) == rounded


@pytest.mark.parametrize(
    ("percent", "found"), [(0, 1), (10, 1), (25, 3), (50, 5), (51, 6), (90, 9), (100, 10)]
)
def test_a_percentile_is_a_value_that_is_there(percent, found):
    assert nearest_rank(range(1, 11), percent) == found


@pytest.mark.parametrize(("x", "y"), [(-1, 10), (0, 10), (1, 15), (2, 20), (3, 10), (4, 0), (9, 0)])
def test_between_two_points_it_is_straight_and_beyond_them_level(x, y):
    assert along(((0, 10), (2, 20), (4, 0)), x) == y


def test_wilson_is_as_in_the_textbook():
    low, high = wilson(10, 100)
    assert low == pytest.approx(0.05523, abs=5e-6)
    assert high == pytest.approx(0.17437, abs=5e-6)
    assert wilson(0, 10)[0] == 0
    assert wilson(10, 10)[1] == pytest.approx(1)
    assert wilson(0, 0) == (0, 1)


def test_a_share_of_money_is_as_sure_as_its_clusters():
    ratio = Ratio()
    for part, whole in ((1, 2), (1, 2), (3, 4)):
        ratio.add(part, whole)
    # r = 5/8; residuals -1/4, -1/4, 1/2; variance 3/8 / 64 * 3/2 = 0.09375^2.
    assert ratio.value == 0.625
    low, high = ratio.interval()
    assert high - ratio.value == pytest.approx(1.959964 * 0.09375, abs=1e-6)
    assert ratio.value - low == pytest.approx(high - ratio.value)


def test_a_share_of_one_order_has_no_width():
    ratio = Ratio()
    ratio.add(1, 4)
    assert ratio.interval() == (0.25, 0.25)
    assert Ratio().interval() == (0.0, 0.0)


def test_huge_amounts_lose_no_digit():
    ratio = Ratio()
    for _ in range(3):
        ratio.add(10**15 + 1, 2 * 10**15 + 2)
    assert ratio.interval() == (0.5, 0.5)


def test_fisher_is_the_lady_tasting_tea():
    assert fisher_tail(4, 4, 4, 8) == pytest.approx(1 / 70)
    assert fisher_tail(3, 4, 4, 8) == pytest.approx(17 / 70)
    assert fisher_tail(0, 4, 4, 8) == pytest.approx(1)


def test_a_binomial_tail_is_counted():
    assert binomial_tail(8, 10, 0.5) == pytest.approx(56 / 1024)
    assert binomial_tail(0, 10, 0.5) == 1
    assert binomial_tail(11, 10, 0.5) == 0
    assert binomial_tail(1, 10, 0.0) == 0
    assert binomial_tail(3, 10, 1.0) == 1


def test_the_interval_of_a_median_is_made_of_values_that_are_there():
    low, high = median_interval(range(1, 101))
    # 50 -+ 9.8 of a hundred ranks, outwards.
    assert (low, high) == (40, 61)
    assert math.isclose(low + high, 101)
    assert median_interval([7]) == (7, 7)
