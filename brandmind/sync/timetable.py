"""When a store is looked at by itself: at its quiet hour, spread, and on days of any length."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

# With fewer orders nobody can tell which hour is quiet.
ENOUGH_ORDERS: Final = 100
NIGHT_HOUR: Final = 3
POLL_EVERY: Final = timedelta(minutes=15)


def quiet_hour(orders_by_hour: Mapping[int, int]) -> int:
    """The local hour (0-23) in the middle of the quietest three; 3 for a shop with few orders.

    `orders_by_hour`: orders placed in each local hour. Of equally quiet hours the one nearest to
    three in the night.
    """
    if sum(orders_by_hour.values()) < ENOUGH_ORDERS:
        return NIGHT_HOUR

    def busy(hour: int) -> tuple[int, int]:
        around = sum(orders_by_hour.get((hour + step) % 24, 0) for step in (-1, 0, 1))
        away = min((hour - NIGHT_HOUR) % 24, (NIGHT_HOUR - hour) % 24)
        return around, away

    return min(range(24), key=busy)


def minute_of(store_id: str) -> int:
    """A store's own minute of the hour, the same each night: stores do not all begin at once."""
    return int.from_bytes(hashlib.sha256(store_id.encode()).digest()[:4]) % 60


def next_night(store_id: str, *, hour: int, tz: ZoneInfo, after: datetime) -> datetime:
    """The first moment after `after` at the store's hour and minute, in UTC.

    Once on each local day: an hour that a day has twice is taken the first time, one that it
    lacks is taken an hour later.
    """
    at = time(hour, minute_of(store_id), second_of(store_id))
    day = after.astimezone(tz).date() - timedelta(days=1)
    while True:
        moment = datetime.combine(day, at, tz).astimezone(UTC)
        if moment > after:
            return moment
        day += timedelta(days=1)


def second_of(store_id: str) -> int:
    """A store's own second of the minute."""
    return int.from_bytes(hashlib.sha256(store_id.encode()).digest()[4:8]) % 60
