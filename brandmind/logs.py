"""How this program logs: one line an event, with its store and run, without secrets or people."""

from __future__ import annotations

import logging
import re
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, TextIO

_GONE: Final = "[redacted]"

# Each pattern keeps its first group, which says what was there.
_SECRETS: Final = (
    # Reflex logs an unknown event whole, with its headers as a dict or as lines.
    re.compile(
        r"""(?i)(["']?\b(?:set-)?cookie["']?\s*[:=]\s*)"""
        r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\r\n]+)"""
    ),
    re.compile(
        r"""(?i)(["']?\b(?:authorization|x-shopify-access-token|x-shopify-hmac-sha256)["']?"""
        r"""\s*[:=]\s*)("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\r\n,}]+)"""
    ),
    re.compile(r"(?i)(\b(?:__Host-)?bm_(?:session|flow)=)([^\s;,\"']+)"),
    re.compile(
        r"(?i)([?&\s\"'](?:code|state|hmac|token|access_token|refresh_token|client_secret)"
        r"[\"']?\s*[=:]\s*[\"']?)([A-Za-z0-9._~+/-]{6,}=*)"
    ),
    re.compile(r"(\bBearer\s+)(\S+)"),
    re.compile(r"(\bshp[a-z]{2}_)([A-Za-z0-9_-]+)"),
    # PostgreSQL quotes the whole row that it refuses.
    re.compile(r"(?s)(\bDETAIL:\s*)(.+?)(?=\n\s*\n|\n\[SQL:|\n(?:HINT|CONTEXT):|\Z)"),
    re.compile(r"(\w[a-z0-9+]*://[^\s:/@]*:)([^\s/@]+)(?=@)"),
)
_EMAIL: Final = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")

_store: ContextVar[str] = ContextVar("store", default="")
_run: ContextVar[str] = ContextVar("run", default="")


def redact(text: str) -> str:
    """The text without cookies, authorizations, tokens, passwords in addresses and e-mails."""
    for pattern in _SECRETS:
        text = pattern.sub(lambda found: found.group(1) + _GONE, text)
    return _EMAIL.sub(_GONE, text)


def trace_of(error: BaseException) -> str:
    """Where an error came from, innermost line last, without its words: they may quote a person."""
    found: list[str] = []
    at: BaseException | None = error
    while at is not None and len(found) < 5:
        found.append("".join(traceback.format_tb(at.__traceback__)) + type(at).__name__)
        at = at.__cause__
    return "\nbecause of\n".join(found)


@contextmanager
def bind(*, store: str = "", run: str = "") -> Iterator[None]:
    """Within the block, each line logged by this task names the store and the run."""
    kept_store = _store.set(store or _store.get())
    kept_run = _run.set(run or _run.get())
    try:
        yield
    finally:
        _store.reset(kept_store)
        _run.reset(kept_run)


class Redaction(logging.Filter):
    """Renders a record's message and traceback once, redacted, before any handler writes it."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            message = str(record.msg)
        record.msg = redact(message)
        record.args = None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        record.bound = "".join(
            f" {name}={value}"
            for name, value in (("store", _store.get()), ("run", _run.get()))
            if value
        )
        return True


class _LineFormatter(logging.Formatter):
    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"


def line_handler(stream: TextIO | None = None) -> logging.Handler:
    """A handler that writes redacted lines: moment, level, logger, store, run, message."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.addFilter(Redaction())
    handler.setFormatter(_LineFormatter("%(asctime)s %(levelname)s %(name)s%(bound)s %(message)s"))
    return handler


def set_up(*, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send everything this process logs through one redacting handler."""
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
    root.addHandler(line_handler(stream))
    root.setLevel(level)
    # httpx names every address at INFO, with the code and state of a sign-in in the query.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("httpcore").setLevel(logging.WARNING)
