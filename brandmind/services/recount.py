"""The operator's proof that the sums which pages read are those of the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from brandmind.db import rollups, stores

if TYPE_CHECKING:
    from brandmind.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Recounted:
    """What a full count of one store found.

    `figures` were compared; `waiting` days are marked for a recount already and left out;
    `wrong` says in words what is stored otherwise than it was counted.
    """

    domain: str
    figures: int
    waiting: int
    wrong: tuple[str, ...]


async def every_store(rt: Runtime) -> list[Recounted]:
    """Every store's stored sums against a full count of its rows; nothing is changed."""
    found = []
    for store in await rt.db.read(stores.every_store):
        done = await rt.db.read(rollups.proof, store.store_id)
        found.append(
            Recounted(
                domain=store.domain,
                figures=done.figures,
                waiting=done.waiting,
                wrong=tuple(
                    f"{one.day} {one.currency}: {one.figure} is stored as {one.stored:,}, "
                    f"counted as {one.counted:,}"
                    for one in done.differences
                ),
            )
        )
    return found
