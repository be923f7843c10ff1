"""The set-up of a store: answers that stay, and a mail for those who want it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from brandmind.clock import utc_now
from brandmind.db import users
from brandmind.db.tables import OUTBOX
from brandmind.db.users import Person
from brandmind.errors import InvalidInput, NotAllowed, NotFound
from brandmind.runtime import Runtime, open_runtime
from brandmind.services import answers, outbox
from brandmind.services.sessions import StoreRef
from tests.factories import make_store
from tests.faults.ground import settings_for


@pytest.fixture
async def rt(database_url: str, tmp_path: Path) -> AsyncIterator[Runtime]:
    async with open_runtime(settings_for(tmp_path, database_url=database_url), jobs=False) as rt:
        yield rt


async def _store(rt: Runtime, name: str = "alice", **more: Any) -> StoreRef:
    store_id = await rt.db.write(make_store, name, **more)
    return StoreRef(store_id, f"{name}.myshopify.com", name, "owner")


async def _person(rt: Runtime, store: StoreRef, number: int, name: str, email: str | None) -> str:
    return await rt.db.write(
        users.admit,
        store.store_id,
        Person(1, number, name, email, number == 1, "read_orders"),
        now=utc_now(),
        first_is_admin=False,
    )


def _ready(session: Any, store_id: str) -> None:
    session.execute(
        sa.insert(OUTBOX).values(
            outbox_id="0" * 32,
            store_id=store_id,
            kind="store_ready",
            cause=f"store_ready:{store_id}:1",
            body_json='{"store": "Harbor", "counts": {}}',
            created_at=utc_now(),
            attempts=0,
        )
    )


async def test_an_answer_is_kept_and_a_step_behind_stays_behind(rt: Runtime) -> None:
    store, other = await _store(rt), await _store(rt, "bob")
    found = await answers.answers(rt, store.store_id)
    assert (found.step, found.week_start, found.uses_costs) == (0, 0, None)
    await answers.answer(rt, store.store_id, step=2, week_start=6)
    await answers.answer(rt, store.store_id, step=1, uses_costs=False)
    await answers.answer(rt, store.store_id)
    found = await answers.answers(rt, store.store_id)
    assert (found.step, found.week_start, found.uses_costs) == (2, 6, False)
    untouched = await answers.answers(rt, other.store_id)
    assert (untouched.step, untouched.week_start, untouched.uses_costs) == (0, 0, None)


async def test_no_week_begins_on_a_wednesday(rt: Runtime) -> None:
    store = await _store(rt)
    with pytest.raises(InvalidInput) as refused:
        await answers.answer(rt, store.store_id, week_start=2)
    assert refused.value.field == "week_start"
    with pytest.raises(NotFound):
        await answers.answer(rt, "nobodys", week_start=6)
    with pytest.raises(NotFound):
        await answers.answers(rt, "nobodys")


@pytest.mark.parametrize(
    ("scopes", "limited"), [("read_orders", True), ("read_all_orders,read_orders", False)]
)
async def test_a_shop_that_shows_sixty_days_says_so(
    rt: Runtime, scopes: str, limited: bool
) -> None:
    store = await _store(rt, scopes=scopes)
    assert (await answers.answers(rt, store.store_id)).sixty_days is limited


async def test_the_owner_is_told_unless_somebody_says_otherwise(rt: Runtime) -> None:
    store = await _store(rt)
    alice = await _person(rt, store, 1, "Alice", "alice@harbor.example")
    bob = await _person(rt, store, 2, "Bob", None)
    readers = (await answers.answers(rt, store.store_id)).readers
    assert [(one.user_id, one.told, one.reachable) for one in readers] == [
        (alice, True, True),
        (bob, False, False),
    ]
    await answers.tell(rt, store, user_id=alice, told=False)
    await answers.tell(rt, store, user_id=bob, told=True)
    readers = (await answers.answers(rt, store.store_id)).readers
    assert [one.told for one in readers] == [False, True]


async def test_a_member_decides_for_nobody_else(rt: Runtime) -> None:
    store, other = await _store(rt), await _store(rt, "bob")
    alice = await _person(rt, store, 1, "Alice", None)
    bob = await _person(rt, store, 2, "Bob", None)
    as_bob = StoreRef(store.store_id, store.domain, "alice", "member", user_id=bob)
    await answers.tell(rt, as_bob, user_id=bob, told=True)
    with pytest.raises(NotAllowed):
        await answers.tell(rt, as_bob, user_id=alice, told=False)
    # An owner elsewhere reaches nobody here.
    with pytest.raises(NotFound):
        await answers.tell(rt, other, user_id=alice, told=False)
    readers = (await answers.answers(rt, store.store_id)).readers
    assert [one.told for one in readers] == [True, True]


@pytest.mark.parametrize("wanted", [True, False])
async def test_the_letter_goes_to_those_who_want_it_and_else_to_nobody(
    rt: Runtime, wanted: bool
) -> None:
    store = await _store(rt)
    alice = await _person(rt, store, 1, 'Alice\r\nBcc: "eve"', "alice@harbor.example")
    bob = await _person(rt, store, 2, "Bob", "bob@harbor.example")
    await answers.tell(rt, store, user_id=bob, told=wanted)
    await answers.tell(rt, store, user_id=alice, told=wanted)
    await rt.db.write(users.set_blocked, store.store_id, user_id=bob, at=utc_now())
    await rt.db.write(_ready, store.store_id)
    assert await outbox.deliver(rt) == 1
    assert await outbox.deliver(rt) == 0
    written = list(rt.settings.outbox_dir.iterdir()) if rt.settings.outbox_dir.exists() else []
    assert len(written) == wanted
    for letter in written:
        lines = letter.read_text().splitlines()
        # Bob has lost his access since; what a name holds begins no line of its own.
        assert lines[:2] == [
            'To: "AliceBcc: eve" <alice@harbor.example>',
            "Subject: Harbor is ready",
        ]
