"""The queue's functions: a bell is heard, and the best due runs are worked on."""

from __future__ import annotations

from typing import Any

from brandmind.runtime import Runtime
from brandmind.services import syncs


async def run_sync(ctx: dict[str, Any], _run_id: str) -> None:
    """A bell carries no authority: whoever hears it claims the best due run, whichever it is."""
    rt: Runtime = ctx["rt"]
    await syncs.work(rt)
