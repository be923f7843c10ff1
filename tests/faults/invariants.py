"""What the story of a run must never show, whatever was killed while it was written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from brandmind.sync.stages import PAGED

END: Final = "$"
_PAGED: Final = {stage.value for stage in PAGED}
# After these the run is at nobody's hands until it is claimed again.
_PUT_DOWN: Final = {"yielded", "waiting", "will try again", "worker stopped", "taken over"}
_ENDED: Final = {"done", "failed", "cancelled", "obsolete", "uninstalled", "no longer wanted"}
_BROUGHT_BACK: Final = {"retried", "tried again", "taken up again", "reconnected"}


@dataclass(frozen=True, slots=True)
class Happened:
    """One row of `sync_event`."""

    run_id: str
    store_id: str
    name: str
    fence: int
    stage: str = ""
    cursor: str = ""
    next_cursor: str = ""
    count: int = 0
    detail: str = ""


def broken(story: Iterable[Happened]) -> list[str]:
    """What is wrong with the stories of all runs, given in the order of their commits.

    At most one fence commits per (run, stage, cursor); fences rise with every claim and nobody
    writes with another's; each page begins where the one before it ended; a stage is closed only
    after its last page; a store is never at two hands at once.
    """
    found: list[str] = []
    runs: dict[str, _Run] = {}
    at_work: dict[str, str] = {}
    for event in story:
        run = runs.setdefault(event.run_id, _Run(event.run_id))
        found += run.hears(event)
        other = at_work.get(event.store_id)
        if event.name == "claimed":
            if other not in (None, event.run_id):
                found.append(f"{event.run_id}: claimed while {other} of its store was at work")
            at_work[event.store_id] = event.run_id
        elif event.name in _PUT_DOWN | _ENDED and other == event.run_id:
            del at_work[event.store_id]
    return found


class _Run:
    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._fence = 0
        self._claimed = False
        self._ended = False
        self._stage = ""
        self._cursor = ""
        self._landed: dict[tuple[str, int, str], int] = {}
        self._reading = 1

    def hears(self, event: Happened) -> list[str]:
        wrong = [f"{self._run_id}: {what}" for what in self._judge(event)]
        self._note(event)
        return wrong

    def _judge(self, event: Happened) -> Iterable[str]:
        if self._ended and event.name not in _BROUGHT_BACK:
            yield f"{event.name} after its end"
        if event.fence < self._fence:
            yield f"{event.name} with fence {event.fence} after fence {self._fence}"
        if event.name == "claimed":
            if self._claimed:
                yield "claimed twice"
            if event.fence <= self._fence and self._fence:
                yield f"claimed with fence {event.fence}, which did not rise"
        elif event.name in ("page", "began", "resumed", "read again") or self._closes(event):
            if not self._claimed:
                yield f"{event.name} by nobody who holds it"
            elif event.fence != self._fence:
                yield f"{event.name} with fence {event.fence} under fence {self._fence}"
        if event.name == "page":
            yield from self._judge_page(event)
        if self._closes(event) and event.name != "stage restricted":
            last = self._cursor if event.stage == self._stage else ""
            if event.stage in _PAGED and last != END:
                yield f"{event.stage} closed at {last or 'its beginning'}, before its last page"

    def _judge_page(self, event: Happened) -> Iterable[str]:
        where = (event.stage, self._reading, event.cursor)
        if where in self._landed:
            yield f"{event.stage} after {event.cursor or 'the beginning'} landed twice"
            return
        before = self._cursor if event.stage == self._stage else ""
        if event.cursor != before:
            yield f"{event.stage} goes on after {event.cursor}, the page before ended at {before}"

    @staticmethod
    def _closes(event: Happened) -> bool:
        return event.name.startswith("stage ")

    def _note(self, event: Happened) -> None:
        self._fence = max(self._fence, event.fence)
        if event.name == "claimed":
            self._claimed = True
        elif event.name in _PUT_DOWN | _ENDED:
            self._claimed = False
        if event.name in _ENDED:
            self._ended = True
        elif event.name in _BROUGHT_BACK:
            self._ended = False
        if event.name == "read again":
            self._reading += 1
            self._cursor = ""
        elif event.name == "page":
            self._landed[(event.stage, self._reading, event.cursor)] = event.fence
            self._stage, self._cursor = event.stage, event.next_cursor
        elif self._closes(event):
            self._reading = 1
