"""When orders happen: thirty months that grow, breathe with the week and peak before year's end."""

from __future__ import annotations

from array import array
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from random import Random

from brandmind.simulator.moments import day_start, local_day

HISTORY_DAYS = 913
_MONTHS = (0.80, 0.78, 0.88, 0.92, 1.0, 0.95, 0.85, 0.90, 0.98, 1.08, 1.55, 1.75)
_WEEKDAYS = (1.02, 0.98, 0.97, 1.0, 1.05, 0.95, 1.08)
_HOURS = (2, 1, 1, 1, 1, 2, 4, 8, 12, 16, 19, 21, 23, 21, 20, 20, 21, 23, 26, 31, 34, 29, 18, 8)
_HOUR_STEPS = list(accumulate(_HOURS))


def day_weight(day: date, position: float, rng: Random) -> float:
    """How much a day sells against an even one; `position` runs from 0 (oldest) to 1."""
    growth = 0.55 + 0.9 * position
    weight = growth * _MONTHS[day.month - 1] * _WEEKDAYS[day.weekday()]
    if day.month == 11 and 22 <= day.day <= 30:
        weight *= 1.9
    if day.month == 12 and day.day > 24:
        weight *= 0.45
    return weight * (0.85 + 0.3 * rng.random())


def order_moments(count: int, *, as_of: int, zone: str, rng: Random) -> array[int]:
    """`count` ascending epoch seconds that end at `as_of` at the latest."""
    last = local_day(as_of, zone)
    days = [last - timedelta(days=back) for back in range(HISTORY_DAYS - 1, -1, -1)]
    today = (as_of - day_start(last, zone)) / 86_400
    weights = [
        day_weight(day, index / (HISTORY_DAYS - 1), rng) * (today if day == last else 1.0)
        for index, day in enumerate(days)
    ]
    whole = sum(weights)
    moments: array[int] = array("q")
    owed = 0.0
    for day, weight in zip(days, weights, strict=True):
        owed += weight / whole * count
        number = round(owed) - len(moments)
        if number <= 0:
            continue
        start = day_start(day, zone)
        if day == last:
            drawn = [start + int(rng.random() * max(1, as_of - start)) for _ in range(number)]
        else:
            hours = rng.choices(range(24), cum_weights=_HOUR_STEPS, k=number)
            drawn = [start + hour * 3_600 + int(rng.random() * 3_600) for hour in hours]
        moments.extend(sorted(drawn))
    while len(moments) < count:
        moments.append(as_of)
    return moments


def is_peak(at: int) -> bool:
    """The weeks in which discounts are everywhere."""
    moment = datetime.fromtimestamp(at, UTC)
    return moment.month == 11 and moment.day >= 15
