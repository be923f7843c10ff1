"""What to do next, and what a merchant has done about it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from brandmind.clock import utc_now
from brandmind.commerce.shop import zone
from brandmind.db import figures
from brandmind.db import marks as rows
from brandmind.db.marks import STATES, Mark, State
from brandmind.errors import NotFound
from brandmind.services import dna

if TYPE_CHECKING:
    from brandmind.runtime import Runtime

__all__ = ["STATES", "Mark", "State", "about", "mark", "marks", "take_back"]

# What was done shows in a strand of 90 days at the earliest; before that it would only nag.
KEPT_DAYS: Final[Mapping[State, int]] = {"done": 90, "later": 14}
# These name goods: of another product it is another thing to do.
_OF_GOODS: Final = frozenset({"hero_stock", "bundle", "returned_product"})


def about(action: Mapping[str, Any]) -> str:
    """What tells two suggestions of one rule apart: the title where it names goods, else ""."""
    return str(action["title"]) if action["key"] in _OF_GOODS else ""


async def marks(rt: Runtime, store_id: str) -> tuple[Mark, ...]:
    """What is put away today, by the shop's own day. Raises NotFound."""
    return tuple(await rt.db.read(rows.marks, store_id, today=await _today(rt, store_id)))


async def mark(rt: Runtime, store_id: str, *, key: str, state: State, by: str) -> None:
    """Put a suggestion of the newest portrait away: done for 90 days, later for 14.

    Raises NotFound for one that is not suggested.
    """
    action = await _suggested(rt, store_id, key)
    until = await _today(rt, store_id) + timedelta(days=KEPT_DAYS[state])
    await rt.db.write(
        rows.put, store_id, key=key, about=about(action), state=state, until=until, by=by
    )


async def take_back(rt: Runtime, store_id: str, *, key: str) -> None:
    """Let a suggestion of the newest portrait show again. Raises NotFound."""
    action = await _suggested(rt, store_id, key)
    await rt.db.write(rows.take_back, store_id, key=key, about=about(action))


async def _suggested(rt: Runtime, store_id: str, key: str) -> Mapping[str, Any]:
    newest = await dna.store_dna(rt, store_id)
    strands = newest.portrait["strands"] if newest else []
    for strand in strands:
        for action in strand["actions"]:
            if action["key"] == key:
                found: Mapping[str, Any] = action
                return found
    raise NotFound("This is not suggested any more.")


async def _today(rt: Runtime, store_id: str) -> date:
    facts = await rt.db.read(figures.facts, store_id)
    return utc_now().astimezone(zone(facts.timezone)).date()
