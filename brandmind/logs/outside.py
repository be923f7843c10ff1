"""Lines that a stranger can provoke: short, without a word of his, and not as often as he likes.

Any client of the socket can make Reflex log what it sent, with a traceback, as often as it can
send. Those lines are told here in words of ours.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from brandmind.logs.binding import bound_to
from brandmind.logs.traces import innermost

# `log.warning(…, extra=FROM_OUTSIDE)`: anybody can make us say this.
FROM_OUTSIDE: Final = {"from_outside": True}

# Whose words are those of whoever sent them.
_ECHO: Final = (
    "reflex.app",
    "reflex.istate",
    "reflex.state",
    "reflex_base.event",
    "socketio",
    "engineio",
)
# Whose words are their own, said once for each request or message.
_EACH_TIME: Final = ("_granian", "granian", "asyncio", "reflex", "reflex_base")
# How Reflex 0.10 begins, and what it means; whatever is not listed is told by its place alone.
_MEANING: Final = (
    ("Error processing event queue entry", "an event that does not exist was refused"),
    ("Error transforming event payload", "an event came with an argument of the wrong kind"),
    ("Received event from session", "an event came over a socket that gave no token"),
    ("Received event data as a string", "an event came as a text"),
    ("Attempting to send delta", "a tab was closed before its news came"),
    ("Frontend state schema", "a page of another version was told to reload"),
    ("Frontend version", "a page of another version connected"),
    ("No token provided", "a socket came without a token"),
    ("[Reflex Frontend Exception]", "a browser reported an error in a page"),
    ("message async handler error", "a message that nobody can read was refused"),
    ("connect async handler error", "a connection was refused"),
    ("Received more than", "browsers reported too many errors"),
)
_OURS: Final = ("brandmind", "worker")
_AT_ONCE: Final = 10
_THEN_EVERY_S: Final = 30.0
_MOST_PLACES: Final = 500


def echoes(record: logging.LogRecord) -> bool:
    """Whether the record's words may be those that a stranger sent."""
    return _is_of(record.name, _ECHO)


def told(record: logging.LogRecord) -> str | None:
    """What happened, in words of ours, if the record may echo what a stranger sent; else None."""
    if not echoes(record):
        return None
    said = str(record.msg)
    words = next((ours for theirs, ours in _MEANING if said.startswith(theirs)), "")
    kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
    return f"{words or f'see {record.module}.py:{record.lineno}'}{f' ({kind})' if kind else ''}"


def is_from_outside(record: logging.LogRecord) -> bool:
    """Whether somebody who has no session can cause it, again and again."""
    return getattr(record, "from_outside", False) or _is_of(record.name, (*_ECHO, *_EACH_TIME))


def _is_of(name: str, parts: tuple[str, ...]) -> bool:
    return any(name == part or name.startswith(f"{part}.") for part in parts)


def _warns_of_ours(record: logging.LogRecord) -> bool:
    return record.levelno == logging.WARNING and _is_of(record.name, _OURS)


class Sluice(logging.Filter):
    """Of a kind of line lets ten through at once, then one in 30 s, and counts the rest.

    A kind is the line of code that logs, or where the error was raised that it logs. Held back
    are lines that a stranger can provoke, and warnings of ours: a shop or a server that is away is
    complained of at every try. Of those a kind is also the store they are about, so that one
    store's trouble does not hide another's. `every_line` holds all others back too.
    """

    def __init__(
        self,
        now_s: Callable[[], float] = time.monotonic,
        *,
        at_once: int = _AT_ONCE,
        then_every_s: float = _THEN_EVERY_S,
        every_line: bool = False,
    ) -> None:
        super().__init__()
        self._now_s = now_s
        self._at_once = float(at_once)
        self._then_every_s = then_every_s
        self._every_line = every_line
        self._places: OrderedDict[str, tuple[float, float, int]] = OrderedDict()
        self._alone = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        left_out = self.passes(record)
        record.left_out = left_out
        return left_out is not None

    def passes(self, record: logging.LogRecord) -> int | None:
        """How many like it were held back since the last that passed; None: this one is too."""
        outside = is_from_outside(record)
        if not (outside or self._every_line or _warns_of_ours(record)):
            return 0
        error = record.exc_info[1] if record.exc_info else None
        where = f"{record.pathname}:{record.lineno} {innermost(error) if error else ''}"
        if not outside:
            where += bound_to(error).get("store", "")
        with self._alone:
            now_s = self._now_s()
            left, at_s, dropped = self._places.pop(where, (self._at_once, now_s, 0))
            left = min(self._at_once, left + (now_s - at_s) / self._then_every_s)
            passes = left >= 1
            self._places[where] = (left - 1, now_s, 0) if passes else (left, now_s, dropped + 1)
            if len(self._places) > _MOST_PLACES:
                self._places.popitem(last=False)
        return dropped if passes else None
