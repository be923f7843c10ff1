"""The portrait of a great store, or one with a prediction, made in a process of its own.

The facts of a million orders take some hundred megabytes and a core for a minute. Beside a
worker they would slow the syncs of everybody else, and the memory would stay with it for good.
The same is true of numpy and scipy, which what customers may still bring is fitted with.
The request comes on standard input, the portrait goes to standard output, both as JSON; an
address with a password is thus in nobody's list of processes.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Mapping
from datetime import date
from typing import Any, BinaryIO, Final

import orjson

from brandmind import logs
from brandmind.db import facts
from brandmind.db.portraits import Portrait
from brandmind.db.session import Database
from brandmind.errors import PortraitFailed

# The vectors of a fit are too short to share out; the threads for it would cost memory each.
_ONE_THREAD: Final = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


async def draw(
    database_url: str, store_id: str, *, as_of: date, run_id: str, before: Mapping[str, str]
) -> Portrait:
    """The portrait, made elsewhere. Raises PortraitFailed; a cancelled one ends its process."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | _ONE_THREAD,
    )
    if child.stdin is None or child.stdout is None:
        raise AssertionError("both ends were asked for")
    asked = {
        "database_url": database_url,
        "store_id": store_id,
        "as_of": as_of.isoformat(),
        "run_id": run_id,
        "before": dict(before),
        "logs_json": logs.as_json(),
    }
    try:
        # Left open: to the child, its end is the end of the worker.
        child.stdin.write(orjson.dumps(asked) + b"\n")
        await child.stdin.drain()
        told = await child.stdout.read()
        if await child.wait() != 0:
            raise PortraitFailed
    except (BrokenPipeError, ConnectionResetError) as error:
        raise PortraitFailed from error
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    return _portrait(orjson.loads(told))


def _portrait(told: dict[str, Any]) -> Portrait:
    return Portrait(**{**told, "as_of": date.fromisoformat(told["as_of"])})


def main() -> None:
    """Answer one request."""
    from brandmind.services.dna import made

    asked = orjson.loads(sys.stdin.buffer.readline())
    logs.set_up(as_json=asked["logs_json"])
    logs.catch_the_rest()
    threading.Thread(target=_end_with, args=(sys.stdin.buffer,), daemon=True).start()
    db = Database(asked["database_url"], pool_size=1)
    loaded = db.read_now(
        facts.load,
        asked["store_id"],
        as_of=date.fromisoformat(asked["as_of"]),
        run_id=asked["run_id"],
    )
    drawn = made(loaded, asked["before"], predicting=True)
    sys.stdout.buffer.write(orjson.dumps(drawn._asdict()))
    sys.stdout.buffer.flush()
    # The thread still waits for the worker; nothing else is left to be tidied.
    os._exit(0)


def _end_with(worker: BinaryIO) -> None:
    worker.read()
    os._exit(1)


if __name__ == "__main__":
    main()
