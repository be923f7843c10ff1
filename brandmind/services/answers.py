"""The set-up of a store: three questions beside its first sync, each answer kept at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brandmind.db import answers as rows
from brandmind.db.answers import STEPS, WEEK_STARTS, Answers, Reader
from brandmind.errors import NotAllowed
from brandmind.services.sessions import StoreRef

if TYPE_CHECKING:
    from brandmind.runtime import Runtime

__all__ = ["STEPS", "WEEK_STARTS", "Answers", "Reader", "answer", "answers", "tell"]


async def answers(rt: Runtime, store_id: str) -> Answers:
    """What was answered so far. Raises NotFound."""
    return await rt.db.read(rows.answers, store_id)


async def answer(
    rt: Runtime,
    store_id: str,
    *,
    step: int | None = None,
    week_start: int | None = None,
    uses_costs: bool | None = None,
) -> None:
    """Keep what is given; `step` is how many of the questions are behind.

    Raises NotFound, InvalidInput.
    """
    await rt.db.write(
        rows.answer, store_id, step=step, week_start=week_start, uses_costs=uses_costs
    )


async def tell(rt: Runtime, store: StoreRef, *, user_id: str, told: bool) -> None:
    """Whether a member gets the letter that the store is ready.

    The owner decides for all, a member for themselves. Raises NotAllowed, NotFound.
    """
    if store.role != "owner" and user_id != store.user_id:
        raise NotAllowed("Only the owner of the account decides who else gets a mail.")
    await rt.db.write(rows.tell, store.store_id, user_id=user_id, told=told)
