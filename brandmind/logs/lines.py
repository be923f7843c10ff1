"""A record as a line: for people, or as JSON for machines; both redacted."""

from __future__ import annotations

import json
import logging
import os
import time
from typing import Any

from brandmind.logs import outside
from brandmind.logs.binding import bound_to
from brandmind.logs.redaction import one_line
from brandmind.logs.traces import trace_of


class Lines(logging.Formatter):
    """Moment, level, logger, store, run, message; below it the trace of an error."""

    def format(self, record: logging.LogRecord) -> str:
        bound = "".join(f" {name}={value}" for name, value in bound_to(_error_of(record)).items())
        head = (
            f"{_moment(record.created)} {record.levelname} {record.name}{bound} {_message(record)}"
        )
        trace = _trace(record)
        return f"{head}\n{trace}" if trace else head


class JsonLines(logging.Formatter):
    """One JSON object a line: at, level, logger, pid, store, run, message, trace."""

    def format(self, record: logging.LogRecord) -> str:
        trace = _trace(record)
        return json_line(
            record.levelname,
            record.name,
            _message(record),
            at_s=record.created,
            pid=os.getpid(),
            **bound_to(_error_of(record)),
            **({"trace": trace} if trace else {}),
        )


def json_line(level: str, logger: str, message: str, *, at_s: float, **more: Any) -> str:
    """A line as JSON, of the shape of all others; `message` is redacted already."""
    told = {"at": _moment(at_s), "level": level.lower(), "logger": logger}
    return json.dumps({**told, **more, "message": message}, ensure_ascii=False)


def _moment(at_s: float) -> str:
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at_s))
    return f"{whole}.{int(at_s * 1000) % 1000:03d}Z"


def _message(record: logging.LogRecord) -> str:
    said = outside.told(record)
    if said is None:
        try:
            said = record.getMessage()
        except (TypeError, ValueError):
            said = str(record.msg)
        if record.name == "asyncio":
            # What follows is a task with the error's words in it.
            said = said.partition("\n")[0]
        elif said.startswith("Traceback (most recent call last)"):
            # A text by now, whose last line has the words; the server logs the error itself too.
            said = said.rstrip().rpartition("\n")[2].partition(":")[0]
    if left_out := getattr(record, "left_out", 0):
        said += f" ({left_out:,} more like it were not logged)"
    return one_line(said)


def _error_of(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if record.exc_info else None


def _trace(record: logging.LogRecord) -> str:
    error = _error_of(record)
    return trace_of(error) if error is not None and outside.told(record) is None else ""
