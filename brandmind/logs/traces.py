"""Where an error came from, without the words of those that may quote a person."""

from __future__ import annotations

import traceback
from typing import Final

from brandmind.errors import BrandMindError
from brandmind.logs.redaction import one_line, redact

_DEEPEST: Final = 5
_MOST_FRAMES: Final = 30
_LONGEST_WORDS: Final = 300
# A database that is away or locked says only that.
_HARMLESS: Final = frozenset({("sqlite3", "OperationalError"), ("psycopg", "OperationalError")})


def trace_of(error: BaseException) -> str:
    """The lines an error came through, innermost last, its kind, and what caused it."""
    found: list[str] = []
    _note(error, found)
    return "\nbecause of\n".join(found)


def words_of(error: BaseException) -> str:
    """What an error says, redacted; empty where it may quote a merchant's rows."""
    may_speak = isinstance(error, BrandMindError | OSError) or any(
        (kind.__module__.partition(".")[0], kind.__name__) in _HARMLESS
        for kind in type(error).__mro__
    )
    return one_line(str(error)[:_LONGEST_WORDS]) if may_speak else ""


def innermost(error: BaseException) -> str:
    """The file and line where it was raised."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return f"{at.tb_frame.f_code.co_filename}:{at.tb_lineno}" if at is not None else ""


def _note(error: BaseException, found: list[str]) -> None:
    at: BaseException | None = error
    while at is not None and len(found) < _DEEPEST:
        words = words_of(at)
        name = type(at).__name__ + (f": {words}" if words else "")
        # The last frames: a recursion without end has thousands.
        frames = "".join(traceback.format_tb(at.__traceback__, -_MOST_FRAMES))
        found.append("\n".join(redact(line) for line in (frames + name).split("\n")))
        if isinstance(at, BaseExceptionGroup):
            for one in at.exceptions:
                _note(one, found)
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
