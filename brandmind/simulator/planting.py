"""Truths planted in a made-up shop, so that whoever reads it can be asked whether they found them.

Everything else stays as it is in any made-up shop: returns, cancelled and test orders, guests,
postage and taxes. The history is fifteen months, in which nothing grows.
"""

from __future__ import annotations

from array import array
from datetime import timedelta
from heapq import heappop, heappush
from itertools import accumulate
from random import Random
from typing import Any, NamedTuple

from brandmind.simulator.moments import DAY_S, day_start, local_day

HISTORY_DAYS = 455
PEAK_MONTHS = (11, 12)
PERCENT_OFF = 10


class Plant(NamedTuple):
    """What is planted, each as a chance: a new customer comes back once within 90 days (`repeat`),
    an order is of the hero (`hero`, of those without the pair), has a tenth off (`discount`), or
    holds the pair and nothing else (`pair`). A day of the peak months sells `peak` times as much.
    """

    repeat: float = 0.3
    peak: float = 2.0
    hero: float = 0.4
    discount: float = 0.25
    pair: float = 0.2

    @classmethod
    def of(cls, told: Any) -> Plant:
        """Of a dict or a sequence, as JSON has it. Raises ValueError."""
        try:
            found = cls(**told) if isinstance(told, dict) else cls(*told)
            chances = (found.repeat, found.hero, found.discount, found.pair)
            wrong = not all(0 <= chance <= 1 for chance in chances) or found.peak <= 0
        except TypeError as error:
            raise ValueError(f"a plant has {', '.join(cls._fields)}") from error
        if wrong:
            raise ValueError("what is planted are chances from 0 to 1, and a peak above 0")
        return found


def planted_moments(plant: Plant, count: int, *, as_of: int, zone: str, rng: Random) -> array[int]:
    """`count` ascending epoch seconds before the day of `as_of`, drawn one by one."""
    end = local_day(as_of, zone)
    days = [end - timedelta(days=back) for back in range(HISTORY_DAYS, 0, -1)]
    steps = list(accumulate(plant.peak if day.month in PEAK_MONTHS else 1.0 for day in days))
    drawn = rng.choices(days, cum_weights=steps, k=count)
    starts = {day: day_start(day, zone) for day in days}
    return array("q", sorted(starts[day] + int(rng.random() * (DAY_S - 3_600)) for day in drawn))


def planted_customers(
    plant: Plant, moments: array[int], tests: bytearray, *, guest: int, rng: Random
) -> tuple[array[int], int]:
    """The customer of each order, and how many there are.

    Whoever will come back takes the first order placed one to sixty days later; in a shop with
    orders every day nobody has to wait for it for long.
    """
    found = array("l", [guest]) * len(moments)
    due: list[tuple[int, int]] = []
    seen = 0
    for index, at in enumerate(moments):
        if tests[index]:
            continue
        if due and due[0][0] <= at:
            found[index] = heappop(due)[1]
        elif rng.random() >= 0.07:
            found[index] = seen
            if rng.random() < plant.repeat:
                heappush(due, (at + int((1 + 59 * rng.random()) * DAY_S), seen))
            seen += 1
    return found, seen
