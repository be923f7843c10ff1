"""What to do after an error: a pure function of the error's kind and the tries so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from brandmind.errors import (
    BrandMindError,
    BulkNotReady,
    ErrorKind,
    ShopifyUnavailable,
    ShopUnavailable,
    StorageFull,
    Throttled,
)

Action = Literal["wait", "retry", "fail"]

_BACKOFF_S = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
_MIN_TRIES = 5
_MIN_TRYING_S = 120.0
_LONGEST_WAIT_S = 15 * 60.0
_LOOK_FOR_ROOM_S = 2.0
# After the tries are used up: in 15 minutes, in an hour, then hourly for a day, without a click.
_LATER_S = (900.0, *(3600.0,) * 24)


@dataclass(frozen=True, slots=True)
class Decision:
    """wait: no failure, go on after `delay_s`. retry: the same with a try counted.
    fail: the run ends FAILED; `delay_s` is then when it is tried again by itself, or None.
    `waiting` is the reason its watchers are told meanwhile."""

    action: Action
    delay_s: float | None
    kind: ErrorKind
    sentence: str
    bulk: bool = False

    @property
    def waiting(self) -> str:
        if self.bulk:
            return "bulk"
        return "throttled" if self.kind == "throttled" else "unavailable"


def decide(
    error: Exception, *, attempt: int, failing_for_s: float, retries: int, jitter: float
) -> Decision:
    """The next step after an error.

    `attempt`: tries without progress including this one. `failing_for_s`: since the first of
    them. `retries`: how often this run was already tried again after FAILED. `jitter`: 0-1.
    """
    kind: ErrorKind = error.kind if isinstance(error, BrandMindError) else "ours"
    if isinstance(error, BulkNotReady):
        return Decision("wait", min(max(error.delay_s, 1.0), 10.0), kind, error.message, bulk=True)
    if isinstance(error, StorageFull):
        # However long that lasts, nothing is broken: it goes on once there is room.
        return Decision("wait", _LOOK_FOR_ROOM_S, kind, error.message)
    if isinstance(error, Throttled):
        return Decision(
            "wait",
            min(max(error.retry_after_s, 1.0), _LONGEST_WAIT_S),
            kind,
            "Shopify asked us to slow down. Continuing by itself.",
        )
    later = _LATER_S[retries] if retries < len(_LATER_S) else None
    if isinstance(error, ShopUnavailable):
        # Frozen or locked shops are opened again, without anybody connecting anew.
        return Decision("fail", later, kind, error.message)
    if kind == "auth":
        return Decision("fail", None, kind, "Shopify access was withdrawn or expired.")
    if kind == "transient" or kind == "ours":
        if attempt < _MIN_TRIES or failing_for_s < _MIN_TRYING_S:
            return Decision(
                "retry",
                _backoff(error, attempt=attempt, jitter=jitter),
                kind,
                "Shopify is not answering right now. We keep trying; nothing is lost."
                if kind == "transient"
                else "Something went wrong on our side. We try again; nothing is lost.",
            )
        return Decision(
            "fail",
            later,
            kind,
            f"Shopify did not answer after {attempt} tries."
            if kind == "transient"
            else f"Something went wrong on our side, {attempt} times.",
        )
    # Data that cannot be read at all, or access refused where there is nothing to go on with.
    return Decision("fail", None, kind, "Shopify's answer could not be read.")


def _backoff(error: Exception, *, attempt: int, jitter: float) -> float:
    asked = error.retry_after_s if isinstance(error, ShopifyUnavailable) else None
    base = _BACKOFF_S[min(attempt, len(_BACKOFF_S)) - 1]
    # Between half and the whole of the step, so that many stores do not knock together.
    return min(max(base * (0.5 + jitter / 2), asked or 0.0), _LONGEST_WAIT_S)
