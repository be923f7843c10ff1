"""A worker says that it is there, for whoever looks after the installation."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from brandmind.db import presence

if TYPE_CHECKING:
    from brandmind.runtime import Runtime

log = logging.getLogger(__name__)

EVERY_S: Final = 5.0
# Two words missed: something holds it up.
SILENT_S: Final = 15.0
_LEAVING_S: Final = 0.5


async def keep(rt: Runtime, *, slots: int) -> None:
    """Say it for ever, and take it back when cancelled."""
    try:
        while True:
            try:
                await rt.db.write(presence.note, rt.owner, slots=slots)
            except Exception as error:
                # The database may be away; only what is shown of this worker hangs on it.
                log.warning("the worker could not say it is there: %s", type(error).__name__)
            await asyncio.sleep(EVERY_S)
    finally:
        try:
            async with asyncio.timeout(_LEAVING_S):
                await asyncio.shield(rt.db.write(presence.leave, rt.owner))
        except Exception as error:
            log.warning("the worker left without a word: %s", type(error).__name__)
