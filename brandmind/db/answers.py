"""What a merchant answered when the store was set up, and who hears that it is ready."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.db import runs
from brandmind.db.models import METADATA
from brandmind.db.tables import STORE
from brandmind.errors import InvalidInput, NotFound

_MEMBERSHIP: Final = METADATA.tables["membership"]
_USER: Final = METADATA.tables["app_user"]

STEPS: Final = 3
# Monday, Saturday, Sunday: the days with which weeks begin somewhere.
WEEK_STARTS: Final = (0, 5, 6)


class Reader(NamedTuple):
    """A member, whether they hear that the store is ready, and whether an address is known."""

    user_id: str
    name: str
    role: str
    told: bool
    reachable: bool


class Answers(NamedTuple):
    """`step`: how many of the questions are behind; `week_start`: Monday 0.

    `sixty_days`: Shopify shows this app the last 60 days of orders alone.
    """

    step: int
    week_start: int
    uses_costs: bool | None
    sixty_days: bool
    readers: tuple[Reader, ...]


def answers(session: Session, store_id: str) -> Answers:
    """What was answered so far, blocked members left out. Raises NotFound."""
    store = session.execute(
        sa.select(STORE.c.setup_step, STORE.c.week_start, STORE.c.uses_costs, STORE.c.scopes).where(
            STORE.c.store_id == store_id
        )
    ).first()
    if store is None:
        raise NotFound
    return Answers(
        step=store.setup_step,
        week_start=store.week_start,
        uses_costs=store.uses_costs,
        sixty_days=bool(store.scopes) and not runs.reads_history(store.scopes),
        readers=tuple(
            Reader(row.user_id, row.name, row.role, _is_told(row), bool(row.email))
            for row in _members(session, store_id)
        ),
    )


def answer(
    session: Session,
    store_id: str,
    *,
    step: int | None = None,
    week_start: int | None = None,
    uses_costs: bool | None = None,
) -> None:
    """Keep what is given; a step that is behind stays behind. Raises NotFound, InvalidInput."""
    store = runs.lock_store(session, store_id)
    values: dict[str, Any] = {}
    if step is not None:
        values["setup_step"] = max(store.setup_step, min(STEPS, step))
    if week_start is not None:
        if week_start not in WEEK_STARTS:
            raise InvalidInput("A week begins on Monday, Saturday or Sunday.", field="week_start")
        values["week_start"] = week_start
    if uses_costs is not None:
        values["uses_costs"] = uses_costs
    if values:
        session.execute(sa.update(STORE).where(STORE.c.store_id == store_id).values(**values))


def tell(session: Session, store_id: str, *, user_id: str, told: bool) -> None:
    """Whether a member hears that the store is ready. Raises NotFound for no member."""
    found = session.execute(
        sa.update(_MEMBERSHIP)
        .where(
            _MEMBERSHIP.c.store_id == store_id,
            _MEMBERSHIP.c.user_id == user_id,
            _MEMBERSHIP.c.blocked_at.is_(None),
        )
        .values(told_ready=told)
        .returning(_MEMBERSHIP.c.user_id)
    ).first()
    if found is None:
        raise NotFound("There is no such person in this store.")


def addresses(session: Session, store_id: str) -> list[tuple[str, str]] | None:
    """Name and e-mail of those who hear that the store is ready, as far as they are known.

    None where there are people and none of them wants to.
    """
    members = _members(session, store_id)
    told = [row for row in members if _is_told(row)]
    if members and not told:
        return None
    return [(row.name, row.email) for row in told if row.email]


def _members(session: Session, store_id: str) -> list[Any]:
    return list(
        session.execute(
            sa.select(
                _USER.c.user_id,
                _USER.c.name,
                _USER.c.email,
                _MEMBERSHIP.c.role,
                _MEMBERSHIP.c.told_ready,
            )
            .join(_USER, _USER.c.user_id == _MEMBERSHIP.c.user_id)
            .where(_MEMBERSHIP.c.store_id == store_id, _MEMBERSHIP.c.blocked_at.is_(None))
            .order_by(_MEMBERSHIP.c.role.desc(), _USER.c.name, _USER.c.user_id)
        )
    )


def _is_told(row: Any) -> bool:
    return row.role == "owner" if row.told_ready is None else bool(row.told_ready)
