"""How fast rows come in and when they will all be there."""

from __future__ import annotations

import math

SMOOTH_S = 30.0
SHOW_AFTER_S = 10.0
SHOW_AFTER_STEPS = 2
RECOMPUTE_S = 5.0
STALLED_S = 15.0


class Pace:
    """The smoothed rate of a count that only rises (EWMA with a time constant of 30 s).

    Times are seconds of any one clock, never going back.
    """

    def __init__(self) -> None:
        self._first_at: float | None = None
        self._last_at = 0.0
        self._last_done = 0
        self._rose_at = 0.0
        self._steps = 0
        self._rate = 0.0
        self._weight = 0.0
        self._said: tuple[float, float] | None = None

    def saw(self, done: int, *, at_s: float) -> None:
        """Tell the count at a moment; also when it has not changed, so that the rate can fall."""
        if self._first_at is None:
            self._first_at, self._last_at, self._last_done, self._rose_at = at_s, at_s, done, at_s
            return
        passed = at_s - self._last_at
        if passed <= 0:
            return
        keep = math.exp(-passed / SMOOTH_S)
        self._rate = self._rate * keep + (1 - keep) * max(0, done - self._last_done) / passed
        # Without this weight the first half minute would be pulled towards zero.
        self._weight = self._weight * keep + (1 - keep)
        if done > self._last_done:
            self._steps += 1
            self._rose_at = at_s
        self._last_at, self._last_done = at_s, max(done, self._last_done)

    @property
    def rate(self) -> float | None:
        """Rows a second, None until two pages and ten seconds have been seen."""
        if self._first_at is None or self._steps < SHOW_AFTER_STEPS:
            return None
        if self._last_at - self._first_at < SHOW_AFTER_S or self._weight <= 0:
            return None
        return self._rate / self._weight

    def left_s(self, remaining: int) -> float | None:
        """Seconds until `remaining` rows are read, None while nobody can tell.

        The answer changes at most every five seconds; between, it only counts down.
        """
        rate = self.rate
        if rate is None or rate < 0.01 or self.stalled:
            return None
        if self._said is None or self._last_at - self._said[0] >= RECOMPUTE_S:
            self._said = (self._last_at, remaining / rate)
        said_at, seconds = self._said
        return max(0.0, seconds - (self._last_at - said_at))

    @property
    def stalled(self) -> bool:
        """Whether not one row came for fifteen seconds."""
        return self._first_at is not None and self._last_at - self._rose_at >= STALLED_S
