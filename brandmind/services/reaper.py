"""Finds what no living worker looks after: dead owners, unheard bells, untold changes."""

from __future__ import annotations

from brandmind.clock import monotonic_s
from brandmind.db import reaping
from brandmind.owner import is_gone, session_name
from brandmind.runtime import Runtime
from brandmind.services.announcing import announce


class Reaper:
    """Finds runs whose owners are dead, runs nobody heard of, and changes nobody told.

    It trusts no clock but its own monotonic one: a run is dead once its beat stood still for
    `lease_s` of it, or once its owner's process on this very host is gone.
    """

    def __init__(self, rt: Runtime, *, lease_s: float = 4.0) -> None:
        self._rt = rt
        self._lease_s = lease_s
        self._seen: dict[str, tuple[int, int, float]] = {}
        self._untold: dict[str, tuple[int, float]] = {}

    async def look(self) -> list[str]:
        """One look round; the ids of runs that should be claimed now."""
        began_s = monotonic_s()
        pulses = await self._rt.db.read(reaping.pulses)
        due: list[str] = []
        if monotonic_s() - began_s < 1.0:
            # Whose own reading had to wait so long judges nobody: the database was slow for all.
            for pulse in pulses:
                seen = self._seen.get(pulse.run_id)
                if seen is None or seen[:2] != (pulse.fence, pulse.beat):
                    seen = (pulse.fence, pulse.beat, began_s)
                    self._seen[pulse.run_id] = seen
                gone = pulse.owner != self._rt.owner and is_gone(pulse.owner)
                if not gone and began_s - seen[2] < self._lease_s:
                    continue
                why = "its process is gone" if gone else "its beat stood still"
                if pulse.owner != self._rt.owner:
                    # What it left open holds locks that the lines below would wait for.
                    await self._rt.db.read(reaping.end_sessions, session_name(pulse.owner))
                if await self._rt.db.write(reaping.take_over, pulse, why=why):
                    due.append(pulse.run_id)
                    await self._rt.pacers.forget(pulse.store_id, pulse.owner)
        live = {pulse.run_id for pulse in pulses}
        self._seen = {run_id: at for run_id, at in self._seen.items() if run_id in live}
        due += await self._rt.db.read(reaping.unheard, for_s=2.0)
        if await self._rt.db.read(reaping.any_retry_due):
            due += await self._rt.db.write(reaping.retry_failed)
        await self._tell(began_s)
        return due

    async def _tell(self, now_s: float) -> None:
        untold = {run: (store, seq) for run, store, seq in await self._rt.db.read(reaping.untold)}
        self._untold = {
            run_id: self._untold[run_id]
            if self._untold.get(run_id, (None,))[0] == seq
            else (seq, now_s)
            for run_id, (_store, seq) in untold.items()
        }
        for run_id, (_seq, since_s) in self._untold.items():
            # A run at work tells of itself; one that stays silent has lost its owner.
            if now_s - since_s >= 1.0 and not await announce(self._rt, run_id, untold[run_id][0]):
                # A Redis that hangs costs a second each time, and the dead must not wait for that.
                return
