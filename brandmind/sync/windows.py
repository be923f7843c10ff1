"""A span of creation cut into closed windows, each held against the shop's own count by itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from brandmind.sync.ports import Window

# A gap is read again window by window: so many records cost ten pages, and a shop of a hundred
# thousand orders has as many windows as one request counts.
RECORDS: Final = 2_500
MOST: Final = 40
_SECOND: Final = timedelta(seconds=1)


def cut(
    span: Window, *, total: int, oldest: datetime | None, records: int = RECORDS
) -> list[Window]:
    """The windows of a span that holds `total` records, oldest first; they share no second.

    `oldest` is where the windows begin if the span is open there; the first one stays open, so
    that what is even older is in it. A span without an end, or of one second, is one window.
    """
    end = span.created_before
    start = span.created_from or oldest
    number = min(MOST, -(-total // max(records, 1)))
    if end is None or start is None or number < 2 or end - start < number * _SECOND:
        return [span]
    step = (end - start) / number
    edges = [(start + step * n).replace(microsecond=0) for n in range(1, number)]
    begins = [span.created_from, *(edge + _SECOND for edge in edges)]
    return [Window(at, until) for at, until in zip(begins, [*edges, end], strict=True)]
