"""How this program logs: one line an event, with its store and run, without secrets or people."""

from __future__ import annotations

import logging
import sys
import threading
from types import TracebackType
from typing import Final, TextIO

from brandmind.logs.binding import bind, bound_to
from brandmind.logs.lines import JsonLines, Lines, json_line
from brandmind.logs.outside import FROM_OUTSIDE, Sluice, echoes, is_from_outside
from brandmind.logs.redaction import one_line, redact
from brandmind.logs.traces import trace_of, words_of

__all__ = [
    "FROM_OUTSIDE",
    "Sluice",
    "as_json",
    "bind",
    "bound_to",
    "catch_the_rest",
    "echoes",
    "is_from_outside",
    "json_line",
    "leave",
    "line_handler",
    "listen",
    "one_line",
    "redact",
    "set_up",
    "trace_of",
    "words_of",
]

# These bring handlers of their own, which write whatever they are given.
_WITH_HANDLERS: Final = ("socketio.server", "engineio.server", "_granian", "granian.access")
# These name every address at INFO, with the code and state of a sign-in in the query.
_CHATTY: Final = ("httpx", "httpcore", "urllib3")
_last_words: Final = logging.getLogger("brandmind.uncaught")
_listeners: list[logging.Handler] = []
_is_json = False


def line_handler(stream: TextIO | None = None, *, as_json: bool = False) -> logging.Handler:
    """A handler that writes redacted lines, for people or as JSON."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.addFilter(Sluice())
    handler.setFormatter(JsonLines() if as_json else Lines())
    return handler


def set_up(*, level: str = "INFO", as_json: bool = False, stream: TextIO | None = None) -> None:
    """Send everything this process logs through one redacting handler; may be called again."""
    global _is_json
    _is_json = as_json
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
    for handler in (line_handler(stream, as_json=as_json), *_listeners):
        root.addHandler(handler)
    root.setLevel(level)
    for name in _WITH_HANDLERS:
        logger = logging.getLogger(name)
        # With a level of their own they add no handler later.
        logger.setLevel(logging.ERROR)
        logger.handlers.clear()
        logger.propagate = True
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


def listen(handler: logging.Handler) -> None:
    """Let a handler hear everything too, even after another `set_up`."""
    _listeners.append(handler)
    logging.getLogger().addHandler(handler)


def leave(handler: logging.Handler) -> None:
    """The handler hears no more."""
    if handler in _listeners:
        _listeners.remove(handler)
    logging.getLogger().removeHandler(handler)


def as_json() -> bool:
    """Whether this process logs as JSON: what it starts should too."""
    return _is_json


def catch_the_rest() -> None:
    """What nobody caught, and what Python warns of, is a line like any other.

    For the main function of a process: it changes what the interpreter does at the end.
    """
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    logging.captureWarnings(capture=True)


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    _last_words.critical("ended by %s", kind.__name__, exc_info=(kind, error, trace))


def _uncaught_in_thread(at: threading.ExceptHookArgs) -> None:
    if at.exc_value is not None and not isinstance(at.exc_value, SystemExit):
        _last_words.error(
            "a thread ended by %s",
            at.exc_type.__name__,
            exc_info=(at.exc_type, at.exc_value, at.exc_traceback),
        )
