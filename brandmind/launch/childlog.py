"""What a child says: all of it in a file, its warnings on the console, no token in either."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from brandmind import logs

_LONGEST_FILE = 10_000_000
_LONGEST_LINE = 4_000
# A line of our own: a trace stands within it.
_LONGEST_JSON = 32_000
_WORTH_SAYING = re.compile(r"\b(WARNING|ERROR|CRITICAL|Traceback|[A-Z]\w*Error:)")
_WORTH_SAYING_JSON = frozenset({"warning", "error", "critical"})


class ChildLog:
    """The log file of one child, kept over its restarts and begun anew at 10 MB.

    Where the children log as JSON, what comes from elsewhere (a crash, another program) is made
    a line of JSON too: whoever collects them never meets anything else.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        *,
        say: Callable[[str], None] | None,
        as_json: bool = False,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.name = name
        self.path = folder / f"{name}.log"
        self._say = say
        self._as_json = as_json
        self._last = ""

    def last_words(self) -> str:
        """The last line it wrote, and where the rest is."""
        return f"Its last words: {self._last!r} ({self.path})" if self._last else str(self.path)

    async def follow(self, stream: asyncio.StreamReader | None) -> None:
        """Write until the child closes its end."""
        if stream is None:
            return
        longest = _LONGEST_JSON if self._as_json else _LONGEST_LINE
        rest = b""
        with self._opened() as file:
            while chunk := await stream.read(65536):
                *lines, rest = (rest + chunk).split(b"\n")
                if len(rest) > longest:
                    lines, rest = [*lines, rest], b""
                text = [self._note(line) for line in lines]
                file.write("".join(text))
                file.flush()
                if file.tell() > _LONGEST_FILE:
                    file.seek(0)
                    file.truncate()
            if rest:
                file.write(self._note(rest))

    def _opened(self) -> TextIO:
        if self.path.exists() and self.path.stat().st_size > _LONGEST_FILE / 2:
            self.path.replace(self.path.with_suffix(".log.1"))
        return self.path.open("a", encoding="utf-8")

    def _note(self, raw: bytes) -> str:
        line = raw.decode(errors="replace").rstrip("\r")
        if self._as_json:
            return self._note_json(line)
        line = logs.redact(line)
        if line.strip():
            self._last = line.strip()[:300]
        if self._say and _WORTH_SAYING.search(line):
            self._say(f"[{self.name}] {line.strip()[:300]}")
        return line + "\n"

    def _note_json(self, line: str) -> str:
        told = _own(line)
        if told is None:
            if not line.strip():
                return ""
            level = "WARNING" if _WORTH_SAYING.search(line) else "INFO"
            told = json.loads(
                logs.json_line(level, self.name, logs.one_line(line), at_s=time.time())
            )
        told = {"process": self.name, **told}
        self._last = str(told["message"])[:300]
        whole = json.dumps(told, ensure_ascii=False)
        if self._say and told["level"] in _WORTH_SAYING_JSON:
            self._say(whole)
        return whole + "\n"


def _own(line: str) -> dict[str, Any] | None:
    """The line as what one of us wrote; None if something else did."""
    if not line.startswith("{"):
        return None
    try:
        found = json.loads(line)
    except ValueError:
        return None
    if not isinstance(found, dict) or not {"level", "message"} <= found.keys():
        return None
    return {
        name: logs.redact(value) if isinstance(value, str) and name != "trace" else value
        for name, value in found.items()
    }
