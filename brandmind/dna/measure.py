"""Small exact tools: ranks, percentiles, intervals. Sums are exact, so no order of rows matters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from operator import mul
from typing import Final

# Two-sided 95 %.
Z: Final = 1.959963984540054

Interval = tuple[float, float]


def half_up(value: float | Fraction, digits: int = 1) -> float:
    """The value at so many decimals, halves upwards, as 0.05 to 0.1."""
    scale = 10**digits
    # Through the shortest decimal that names the float: 2.675 is rounded as it is written.
    exact = value if isinstance(value, Fraction) else Fraction(repr(value))
    return float(Fraction(math.floor(exact * scale + Fraction(1, 2)), scale))


def nearest_rank(ordered: Sequence[int], percent: int) -> int:
    """The nearest-rank percentile of ascending values. Raises IndexError of none."""
    place = -(-percent * len(ordered) // 100)
    return ordered[max(1, place) - 1]


def clamp(value: float, low: float = 0.0, high: float = 100.0) -> float:
    """The value, but no less than `low` and no more than `high`."""
    return min(high, max(low, value))


def along(points: Sequence[tuple[float, float]], x: float) -> float:
    """The height at `x` of the line through the points (ascending in x), level beyond its ends."""
    if x <= points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in pairwise(points):
        if x <= x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return points[-1][1]


def wilson(part: int, whole: int) -> Interval:
    """Wilson's 95 % interval of a share of people or orders; (0, 1) of nobody."""
    if whole <= 0:
        return 0.0, 1.0
    share = part / whole
    square = Z * Z / whole
    middle = (share + square / 2) / (1 + square)
    reach = Z * math.sqrt(share * (1 - share) / whole + square / (4 * whole)) / (1 + square)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def median_interval(ordered: Sequence[int]) -> tuple[int, int]:
    """The order statistics that hold the median 95 times of 100 (normal approximation)."""
    count = len(ordered)
    reach = Z * math.sqrt(count) / 2
    low = max(0, math.floor(count / 2 - reach) - 1)
    high = min(count - 1, math.ceil(count / 2 + reach))
    return ordered[low], ordered[high]


@dataclass(slots=True)
class Ratio:
    """A share of money, part / whole summed over clusters, with its linearised 95 % interval.

    The clusters are what is drawn independently: orders or people, never the money itself.
    """

    count: int = 0
    part: int = 0
    whole: int = 0
    part_part: int = 0
    part_whole: int = 0
    whole_whole: int = 0

    def add(self, part: int, whole: int) -> None:
        """One cluster more."""
        self.count += 1
        self.part += part
        self.whole += whole
        self.part_part += part * part
        self.part_whole += part * whole
        self.whole_whole += whole * whole

    @classmethod
    def of(cls, parts: Sequence[int], wholes: Sequence[int]) -> Ratio:
        """Of many clusters at once: their parts and, in the same order, their wholes."""
        return cls(
            len(wholes),
            sum(parts),
            sum(wholes),
            sum(map(mul, parts, parts)),
            sum(map(mul, parts, wholes)),
            sum(map(mul, wholes, wholes)),
        )

    @property
    def value(self) -> float:
        """The share; 0 of nothing."""
        return self.part / self.whole if self.whole else 0.0

    def interval(self) -> Interval:
        """Where the share lies 95 times of 100, as far as these clusters can tell."""
        if self.count < 2 or not self.whole:
            return self.value, self.value
        # sum((y - r x)^2) / X^2 in whole numbers: no digits are lost before the root.
        spread = (
            self.part_part * self.whole**2
            - 2 * self.part * self.whole * self.part_whole
            + self.part**2 * self.whole_whole
        )
        variance = Fraction(spread * self.count, self.whole**4 * (self.count - 1))
        reach = Z * math.sqrt(max(0.0, float(variance)))
        return self.value - reach, self.value + reach


def spread_of(influences: Iterable[float], count: int) -> float:
    """Half of the 95 % interval from each cluster's influence on the figure."""
    if count < 2:
        return 0.0
    return Z * math.sqrt(math.fsum(z * z for z in influences) * count / (count - 1))


def binomial_tail(at_least: int, tries: int, chance: float) -> float:
    """The chance of so many hits or more in independent tries."""
    if at_least <= 0:
        return 1.0
    if at_least > tries or chance <= 0:
        return 0.0
    if chance >= 1:
        return 1.0
    return min(
        1.0,
        math.fsum(
            math.exp(
                _log_choose(tries, k) + k * math.log(chance) + (tries - k) * math.log1p(-chance)
            )
            for k in range(at_least, tries + 1)
        ),
    )


def fisher_tail(both: int, left: int, right: int, total: int) -> float:
    """Fisher's exact test, one-sided: the chance that two things which have nothing to do with
    each other, found in `left` and `right` of `total`, meet in `both` or more.
    """
    scale = _log_choose(total, right)
    return min(
        1.0,
        math.fsum(
            math.exp(_log_choose(left, k) + _log_choose(total - left, right - k) - scale)
            for k in range(max(both, left + right - total), min(left, right) + 1)
        ),
    )


def _log_choose(whole: int, part: int) -> float:
    return math.lgamma(whole + 1) - math.lgamma(part + 1) - math.lgamma(whole - part + 1)
