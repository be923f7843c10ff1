"""What comes round by itself. Not crons of the queue: those stop when Redis does.

A task of its own beside the reaper: a night's planning or an erasure must not keep the reaper
from seeing a death.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from brandmind.runtime import Runtime
from brandmind.services import scheduling

log = logging.getLogger(__name__)

_EVERY_S: Final = 1.0


async def keep_hours(rt: Runtime) -> None:
    """Look round for ever: whose turn it is, and whom to erase."""
    while True:
        try:
            await scheduling.sweep(rt)
            await scheduling.erase(rt)
        except Exception as error:
            # The database may be away; the next round may find it back.
            log.warning("the hours could not be kept: %s", type(error).__name__)
        await asyncio.sleep(_EVERY_S)
