"""Which scripts stand inline in the built pages: those, and no others, may run there."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Final

_SCRIPT: Final = re.compile(rb"<script\b([^>]*)>(.*?)</script\s*>", re.DOTALL | re.IGNORECASE)
_FROM_A_FILE: Final = re.compile(rb"""(?:^|\s)src\s*=""", re.IGNORECASE)


class InlineScripts:
    """The hashes of the scripts in the pages under a folder, as a content policy names them.

    Read when they are first asked for, and again once the pages have been built anew.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made_ns = -1
        self._hashes: tuple[str, ...] = ()

    def hashes(self) -> tuple[str, ...]:
        """`'sha256-…'` for each script, sorted; none where nothing has been built."""
        try:
            made_ns = (self._folder / "index.html").stat().st_mtime_ns
        except OSError:
            return ()
        if made_ns != self._made_ns:
            pages = [page.read_bytes() for page in sorted(self._folder.rglob("*.html"))]
            self._hashes = tuple(sorted({one for page in pages for one in hashes_in(page)}))
            self._made_ns = made_ns
        return self._hashes


def hashes_in(page: bytes) -> list[str]:
    """The hashes of the inline scripts of one page, in its order (CSP Level 3, 2.3.1)."""
    return [
        f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'"
        for attributes, text in _SCRIPT.findall(page)
        if not _FROM_A_FILE.search(attributes)
    ]
