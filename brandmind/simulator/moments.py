"""Time as the shop and its API write it: epoch seconds inside, ISO texts outside."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAY_S = 86_400


def iso(at: int) -> str:
    """`2026-11-23T21:00:00Z`."""
    day, second = divmod(at, DAY_S)
    minute, second = divmod(second, 60)
    return f"{_date(day)}T{minute // 60:02d}:{minute % 60:02d}:{second:02d}Z"


@lru_cache(maxsize=4096)
def _date(day: int) -> str:
    return datetime.fromtimestamp(day * DAY_S, UTC).date().isoformat()


def iso_or_none(at: int) -> str | None:
    """The text, or None for the zero that stands for "never"."""
    return iso(at) if at else None


def local_day(at: int, zone: str) -> date:
    """The calendar day of a moment in the shop's zone."""
    return datetime.fromtimestamp(at, ZoneInfo(zone)).date()


@lru_cache(maxsize=8192)
def day_start(day: date, zone: str) -> int:
    """Epoch seconds of midnight in the zone, daylight saving heeded."""
    return int(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp())


def next_day(day: date) -> date:
    """The day after."""
    return day + timedelta(days=1)


class DayFinder:
    """Local days for many moments at once: one zone look-up per day, not per moment."""

    def __init__(self, zone: str) -> None:
        self._zone = zone
        self._from = 0
        self._until = 0
        self._day = date(1970, 1, 1)

    def day(self, at: int) -> date:
        """The calendar day; fast while the moments come in order."""
        if not self._from <= at < self._until:
            self._day = local_day(at, self._zone)
            self._from = day_start(self._day, self._zone)
            self._until = day_start(next_day(self._day), self._zone)
        return self._day
