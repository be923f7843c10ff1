"""What a launcher says to whoever started it."""

from __future__ import annotations

import time

from brandmind import logs


def say(line: str) -> None:
    """A line on the console, at once; as JSON where that is asked for."""
    # What a child has said comes as JSON already.
    if logs.as_json() and not line.startswith("{"):
        if not line.strip():
            return
        words = logs.one_line(line)
        line = logs.json_line("INFO", "brandmind.launch", words, at_s=time.time())
    print(line, flush=True)
