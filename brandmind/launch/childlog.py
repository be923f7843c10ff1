"""What a child says: all of it in a file, its warnings on the console, no token in either."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

_LONGEST_FILE = 10_000_000
_LONGEST_LINE = 4_000
_WORTH_SAYING = re.compile(r"\b(WARNING|ERROR|CRITICAL|Traceback|[A-Z]\w*Error:)")
_SECRETS = (
    re.compile(r"()\bshp(?:at|ca|pa|ss|ua|rt)_\w+"),
    re.compile(r"(\bBearer )\S+"),
    re.compile(r"(://)[^\s/@]*:[^\s/@]+(?=@)"),
    re.compile(r"((?i:access_token|refresh_token|client_secret|cookie)[\"'=: ]+)[^\s\"',;&]+"),
)


class ChildLog:
    """The log file of one child, kept over its restarts and begun anew at 10 MB."""

    def __init__(self, name: str, folder: Path, *, say: Callable[[str], None] | None) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.name = name
        self.path = folder / f"{name}.log"
        self._say = say
        self._last = ""

    def last_words(self) -> str:
        """The last line it wrote, and where the rest is."""
        return f"Its last words: {self._last!r} ({self.path})" if self._last else str(self.path)

    async def follow(self, stream: asyncio.StreamReader | None) -> None:
        """Write until the child closes its end."""
        if stream is None:
            return
        rest = b""
        with self._opened() as file:
            while chunk := await stream.read(65536):
                *lines, rest = (rest + chunk).split(b"\n")
                if len(rest) > _LONGEST_LINE:
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
        line = redacted(raw.decode(errors="replace").rstrip("\r"))
        if line.strip():
            self._last = line.strip()[:300]
        if self._say and _WORTH_SAYING.search(line):
            self._say(f"[{self.name}] {line.strip()[:300]}")
        return line + "\n"


def redacted(line: str) -> str:
    """The line without anything that looks like a token or a password."""
    for secret in _SECRETS:
        line = secret.sub(r"\1…", line)
    return line
