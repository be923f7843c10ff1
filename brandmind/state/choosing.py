"""The choice of what is read, as the settings and the set-up both offer it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from brandmind.errors import BrandMindError
from brandmind.state import acts
from brandmind.state.frame import Frame, person
from brandmind.state.guard import Access
from brandmind.state.settings_view import chosen
from brandmind.sync.selection import Selection


async def choose(state: Any, access: Access, **changed: Any) -> Selection | None:
    """Keep a change of the choice and say what it brings; the choice then, None if it was not kept.

    For guarded handlers alone.
    """
    store, viewer = access.store, access.viewer
    if store is None or viewer is None:
        return None
    progress = await acts.get().progress(store.store_id)
    before = Selection(progress.orders_since, progress.reads_customers)
    wanted = replace(before, **changed)
    frame = await state.get_state(Frame)
    try:
        reads = await acts.get().choose(store.store_id, wanted, by=person(store, viewer))
    except BrandMindError as error:
        frame.notice, frame.notice_tone = error.message, "red"
        return None
    frame.notice, frame.notice_tone = chosen(before, wanted, reads=reads), "info"
    return wanted
