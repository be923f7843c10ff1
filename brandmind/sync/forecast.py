"""When a reading that the shop's rate budget holds back will be over."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, NamedTuple

from brandmind.clock import monotonic_s
from brandmind.sync.pacing import Bucket
from brandmind.sync.progress import StoreProgress
from brandmind.sync.stages import PAGED, Stage, StageState

_OPEN: Final = (StageState.QUEUED, StageState.RUNNING)
# Others are seen over about as many points: seconds would not do, shops differ tenfold.
_SMOOTH: Final = 2_000.0


class Effort(NamedTuple):
    """What reading takes: points of the shop's budget, requests, and seconds they are under way."""

    points: float
    requests: float
    seconds: float


class PagePrice(NamedTuple):
    """What a full page of a stage takes, and how many records it holds. One that is not full is
    hardly cheaper: Shopify prices what could have come."""

    effort: Effort
    records: int


class Forecast:
    """The time left of one reading, from what its pages cost and what is left to it.

    Records read a second mislead: the first full bucket lets many through at once, and an order
    costs five times what a customer does.
    """

    def __init__(self, *, now: Callable[[], float] = monotonic_s) -> None:
        self._now = now
        self._seen: tuple[float, Effort] | None = None
        self._others = 0.0
        self._ours = 0.0

    def left_s(
        self,
        progress: StoreProgress,
        *,
        bucket: Bucket | None,
        spent: Effort,
        price: Callable[[Stage], PagePrice],
    ) -> float | None:
        """Seconds until the front stages are read.

        `bucket` is the shop's, None while it is not what holds the reading back; `spent` is what
        this reading has taken so far. None without a bucket or a count of theirs.
        """
        if bucket is None or bucket.restore_per_s <= 0:
            self._seen = None
            return None
        self._look(bucket, spent)
        # All who share the budget stand in one line: each request of ours lets as much of theirs
        # pass. What the bucket holds stays in it, to let a page in.
        theirs = max(0.0, self._others) / self._ours if self._ours else 0.0
        left_s = 0.0
        for at in progress.stages:
            if at.stage in PAGED and at.state in _OPEN:
                if at.total is None or not at.exact:
                    return None
                each, records = price(at.stage)
                pages = _pages(max(0, at.total - at.done), records, begun=at.done > 0)
                pages += _pages(at.behind, records, begun=False)
                points = pages * (each.points + each.requests * theirs)
                # Cheap pages may be held back by their round trips instead.
                left_s += max(points / bucket.restore_per_s, pages * each.seconds)
        return left_s

    def _look(self, bucket: Bucket, spent: Effort) -> None:
        """What flowed in and was not spent by us was spent by others."""
        now = self._now()
        if self._seen is None:
            self._seen, self._others, self._ours = (now, spent), 0.0, 0.0
        then, before = self._seen
        if spent.requests == before.requests:
            return
        came = (now - then) * bucket.restore_per_s
        keep = math.exp(-came / _SMOOTH)
        self._others = self._others * keep + came - (spent.points - before.points)
        self._ours = self._ours * keep + spent.requests - before.requests
        self._seen = (now, spent)


def _pages(missing: int, records: int, *, begun: bool) -> float:
    """A first page is small, so that its numbers come at once."""
    return math.ceil(missing / records) + (0.5 if missing and not begun else 0.0)
