"""What is suggested and put away: kept for the store, for a while, and for nobody else's."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from brandmind.clock import utc_now
from brandmind.db import marks as rows
from brandmind.db import portraits
from brandmind.db.portraits import Portrait
from brandmind.db.tables import DNA_RUN
from brandmind.errors import NotFound
from brandmind.runtime import Runtime, open_runtime
from brandmind.services import dna, todo
from brandmind.state import sample_portrait, sample_tables
from tests.factories import make_store
from tests.faults.ground import settings_for

TODAY = utc_now().date()


@pytest.fixture
async def rt(database_url: str, tmp_path: Path) -> AsyncIterator[Runtime]:
    async with open_runtime(settings_for(tmp_path, database_url=database_url), jobs=False) as rt:
        yield rt


async def _portray(rt: Runtime, store_id: str, *, day: date = TODAY, **changed: Any) -> int:
    told = json.loads(json.dumps(sample_portrait.store_dna(day).portrait)) | changed
    made = Portrait(day, 1, 12, {}, json.dumps(told), json.dumps(sample_tables.tables(day)))
    return await rt.db.write(portraits.keep, store_id, made, run_id="run")


async def _away(rt: Runtime, store_id: str) -> list[tuple[str, str, str]]:
    return [(one.key, one.about, one.state) for one in await todo.marks(rt, store_id)]


async def test_what_is_put_away_stays_so_for_this_store_and_can_be_taken_back(
    rt: Runtime,
) -> None:
    store_id = await rt.db.write(make_store, "alice", timezone="UTC")
    other = await rt.db.write(make_store, "bob", timezone="UTC")
    for one in (store_id, other):
        await _portray(rt, one)
    await todo.mark(rt, store_id, key="second_order", state="later", by="u1")
    await todo.mark(rt, store_id, key="hero_stock", state="done", by="u1")
    # What names goods is marked with their names: of others it is another thing to do.
    assert sorted(await _away(rt, store_id)) == [
        ("hero_stock", "Reorder Sample beanie", "done"),
        ("second_order", "", "later"),
    ]
    until = {one.key: one.until for one in await todo.marks(rt, store_id)}
    assert until["second_order"] - until["hero_stock"] == timedelta(days=14 - 90)
    assert await _away(rt, other) == []
    # The last word counts.
    await todo.mark(rt, store_id, key="second_order", state="done", by="u2")
    assert ("second_order", "", "done") in await _away(rt, store_id)
    await todo.take_back(rt, other, key="second_order")
    assert len(await _away(rt, store_id)) == 2
    await todo.take_back(rt, store_id, key="second_order")
    await todo.take_back(rt, store_id, key="second_order")
    assert await _away(rt, store_id) == [("hero_stock", "Reorder Sample beanie", "done")]


async def test_only_what_is_suggested_can_be_put_away(rt: Runtime) -> None:
    store_id = await rt.db.write(make_store, "alice")
    with pytest.raises(NotFound):
        await todo.mark(rt, store_id, key="second_order", state="done", by="u1")
    await _portray(rt, store_id)
    for key in ("price_gap", "", "second_order' OR '1'='1"):
        with pytest.raises(NotFound):
            await todo.mark(rt, store_id, key=key, state="done", by="u1")
    with pytest.raises(NotFound):
        await todo.mark(rt, "nobodys", key="second_order", state="done", by="u1")
    assert await _away(rt, store_id) == []


async def test_what_was_put_off_comes_back_on_its_day(rt: Runtime) -> None:
    store_id = await rt.db.write(make_store, "alice", timezone="UTC")
    await _portray(rt, store_id)
    await todo.mark(rt, store_id, key="bundle", state="later", by="u1")
    (mark,) = await todo.marks(rt, store_id)
    eve = mark.until - timedelta(days=1)
    assert len(await rt.db.read(rows.marks, store_id, today=eve)) == 1
    assert await rt.db.read(rows.marks, store_id, today=mark.until) == []


async def test_a_portrait_is_put_beside_the_one_that_is_asked_for(rt: Runtime) -> None:
    store_id = await rt.db.write(make_store, "alice")
    other = await rt.db.write(make_store, "bob")
    days = [TODAY - timedelta(days=back) for back in (100, 10, 1, 0)]
    for number, day in enumerate(days):
        await _portray(rt, store_id, day=day, signature=f"number {number + 1}")
    await _portray(rt, other)

    async def beside(against: int | None) -> tuple[int | None, date | None]:
        found = await dna.store_dna(rt, store_id, against=against)
        assert found is not None
        return found.before_number, found.before_day

    assert await beside(None) == (1, days[0])
    assert await beside(2) == (2, days[1])
    # Itself, one that does not exist and one of the future are no earlier ones.
    for none in (4, 5, 0, -1, 10**8):
        assert await beside(none) == (1, days[0])
    theirs = await dna.store_dna(rt, other, against=1)
    assert theirs is not None
    assert theirs.before is None


async def test_a_line_has_the_last_portrait_of_each_day_oldest_first(rt: Runtime) -> None:
    store_id = await rt.db.write(make_store, "alice")
    strands = sample_portrait.store_dna(TODAY).portrait["strands"]
    for back, score in ((3, 40.0), (1, 50.0), (1, 60.0), (0, None)):
        told = [dict(strands[0], score=score), *strands[1:]]
        await _portray(rt, store_id, day=TODAY - timedelta(days=back), strands=told)
    past = await dna.past(rt, store_id)
    assert past.scores[strands[0]["key"]] == [
        (TODAY - timedelta(days=3), 40.0),
        (TODAY - timedelta(days=1), 60.0),
    ]
    assert len(past.scores[strands[1]["key"]]) == 3
    assert [point.number for point in past.points] == [4, 3, 1]
    assert (await dna.past(rt, "nobodys")).points == ()


async def test_a_line_and_an_earlier_portrait_are_read_without_reading_portraits(
    rt: Runtime,
) -> None:
    store_id = await rt.db.write(make_store, "alice")
    for back in range(100, -1, -1):
        await _portray(rt, store_id, day=TODAY - timedelta(days=back), signature=f"{back} ago")
    # Whatever reads more of an older portrait than its scores falls over this.
    await rt.db.write(
        lambda session: session.execute(
            sa.update(DNA_RUN)
            .where(DNA_RUN.c.as_of < TODAY.isoformat())
            .values(portrait_json="?", tables_json="?")
        )
    )
    found = await dna.store_dna(rt, store_id)
    assert found is not None
    assert (found.portrait["signature"], found.before_number) == ("0 ago", 11)
    assert found.before is not None
    assert found.before["dna_version"] == 1
    then = {one["key"]: one["score"] for one in found.before["strands"]}
    assert then == {one["key"]: one["score"] for one in found.portrait["strands"]}
    past = await dna.past(rt, store_id)
    assert {key: len(line) for key, line in past.scores.items()} == dict.fromkeys(then, 90)
    assert len(past.points) == 101
