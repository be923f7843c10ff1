"""When a store is looked at by itself: once a night, spread, whatever the clocks of its zone do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from brandmind.sync.timetable import minute_of, next_night, quiet_hour

NEW_YORK = ZoneInfo("America/New_York")
LONG_AGO = datetime(2026, 3, 1, tzinfo=UTC)


def _nights(
    store_id: str, *, hour: int, tz: ZoneInfo, after: datetime, many: int
) -> list[datetime]:
    found = []
    for _ in range(many):
        after = next_night(store_id, hour=hour, tz=tz, after=after)
        found.append(after)
    return found


def test_a_shop_with_few_orders_is_read_at_three() -> None:
    assert quiet_hour({}) == 3
    assert quiet_hour({15: 99}) == 3


def test_the_quiet_hour_is_the_middle_of_the_quietest_three() -> None:
    busy = dict.fromkeys(range(24), 50) | {4: 1, 5: 0, 6: 1}
    assert quiet_hour(busy) == 5


def test_a_shop_that_sells_at_night_is_read_by_day() -> None:
    nocturnal = dict.fromkeys((20, 21, 22, 23, 0, 1, 2, 3, 4, 5, 6), 40) | {7: 9, 19: 9}
    assert 8 < quiet_hour(nocturnal) < 18


def test_of_equally_quiet_hours_the_one_nearest_to_three_is_taken() -> None:
    assert quiet_hour(dict.fromkeys(range(9, 21), 30)) == 3


@pytest.mark.parametrize(
    ("tz", "year"),
    [(NEW_YORK, 2026), (ZoneInfo("Europe/Berlin"), 2026), (ZoneInfo("Australia/Lord_Howe"), 2026)],
)
@pytest.mark.parametrize("hour", [0, 1, 2, 3, 23])
def test_every_local_day_of_a_year_has_one_turn(tz: ZoneInfo, year: int, hour: int) -> None:
    begin = datetime(year, 1, 1, 12, tzinfo=tz).astimezone(UTC)
    nights = _nights("a11ce00000", hour=hour, tz=tz, after=begin, many=365)
    days = [night.astimezone(tz).date() for night in nights]
    assert days == [days[0] + timedelta(days=n) for n in range(365)]
    gaps = {b - a for a, b in pairwise(nights)}
    assert gaps <= {
        timedelta(hours=22),
        timedelta(hours=23),
        timedelta(hours=23, minutes=30),
        timedelta(hours=24),
        timedelta(hours=24, minutes=30),
        timedelta(hours=25),
        timedelta(hours=26),
    }


def test_an_hour_that_a_day_lacks_is_taken_an_hour_later() -> None:
    # On 8 March 2026 New York has no 2 o'clock.
    before = datetime(2026, 3, 7, 12, tzinfo=UTC)
    nights = _nights("a11ce00000", hour=2, tz=NEW_YORK, after=before, many=2)
    assert [night.astimezone(NEW_YORK).hour for night in nights] == [3, 2]


def test_the_hour_and_minute_stay_the_same_through_the_change() -> None:
    nights = _nights("b0b0000000", hour=4, tz=NEW_YORK, after=LONG_AGO, many=300)
    assert {(n.astimezone(NEW_YORK).hour, n.astimezone(NEW_YORK).minute) for n in nights} == {
        (4, minute_of("b0b0000000"))
    }


def test_a_thousand_stores_are_spread_over_the_hour() -> None:
    moments = [next_night(f"{n:010x}", hour=3, tz=NEW_YORK, after=LONG_AGO) for n in range(1000)]
    in_a_minute = [0] * 60
    for at in moments:
        in_a_minute[at.minute] += 1
    assert max(in_a_minute) < 40
    assert min(in_a_minute) > 3
    assert len(set(moments)) > 800
