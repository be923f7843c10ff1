"""What the law asked for and what was done: shown to the merchant, proven to whoever asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from brandmind.db import privacy_acts
from brandmind.errors import NotFound

if TYPE_CHECKING:
    from brandmind.runtime import Runtime


async def acts(rt: Runtime, store_id: str) -> list[dict[str, Any]]:
    """The privacy acts of a store, newest first, as JSON-ready data."""
    return [
        {
            "act_id": row.act_id,
            "kind": row.kind,
            "customer_id": row.customer_id,
            "ordered_at": row.ordered_at.isoformat(),
            "done_at": row.done_at.isoformat() if row.done_at else None,
            "outcome": row.outcome or None,
            "counts": orjson.loads(row.counts_json),
            "has_export": row.has_export,
        }
        for row in await rt.db.read(privacy_acts.acts, store_id)
    ]


async def export(rt: Runtime, store_id: str, act_id: str) -> bytes:
    """What a data request found, as JSON. Raises NotFound, also once its 30 days are over."""
    found = await rt.db.read(privacy_acts.export_of, store_id, act_id)
    if found is None:
        raise NotFound("There is no such export, or not any more.")
    return found.encode()


async def every_act(rt: Runtime) -> list[Any]:
    """All privacy acts, for the operator; they outlive the stores they are about."""
    return await rt.db.read(privacy_acts.every_act)
