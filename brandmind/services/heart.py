"""The heartbeat of a claimed run: a thread, so that a busy event loop does not look dead."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from types import TracebackType
from typing import Any, Final, Self

from brandmind.db import reaping
from brandmind.db.runs import Claim
from brandmind.db.session import Database

log = logging.getLogger(__name__)

BEAT_S: Final = 0.8
# A loop that has not turned for so long is no sign of life.
_STUCK_S: Final = 30.0


class Heart:
    """Beats while entered; cancels the task at work if the run is no longer its own."""

    def __init__(self, db: Database, claim: Claim) -> None:
        self._db = db
        self._claim = claim
        self._stop = threading.Event()
        self._ticked_s = time.monotonic()
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[Any] | None = asyncio.current_task()
        self._thread = threading.Thread(target=self._beat, name="heart", daemon=True)
        self.lost = False

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        # Not joined: it may stand in a write, and the loop must not wait for it.
        self._stop.set()

    def _beat(self) -> None:
        while not self._stop.wait(BEAT_S):
            if time.monotonic() - self._ticked_s > _STUCK_S:
                return
            try:
                mine = self._db.write_now(reaping.beat, self._claim.run_id, self._claim.fence)
            except Exception as error:
                # The database may be away; the lease decides how long that may last.
                log.warning("a heartbeat could not be written: %s", type(error).__name__)
                continue
            if self._stop.is_set():
                return
            try:
                self._loop.call_soon_threadsafe(self._tick if mine else self._lose)
            except RuntimeError:
                # The loop is closed: the process ends.
                return
            if not mine:
                return

    def _tick(self) -> None:
        self._ticked_s = time.monotonic()

    def _lose(self) -> None:
        if not self._stop.is_set() and self._task is not None:
            self.lost = True
            self._task.cancel()
