"""The web process dies in the middle of a load: what it answered with 200 is there, once."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from bench import webhooks as load

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("seed", range(3))
async def test_nothing_accepted_is_lost_when_the_web_process_is_killed(
    tmp_path: Path, seed: int
) -> None:
    database = tmp_path / "brandmind.db"
    load.prepare(database)
    said = load.requests(3_000)
    with load.door("ours", database) as (process, port):
        pouring = asyncio.create_task(load.pour(port, said))
        # Killed by what it did and not by the clock: in the midst of the load on any machine.
        while len(load.kept(database)) < 300 + 400 * seed:
            assert not pouring.done()
            await asyncio.sleep(0.005)
        process.kill()
        first = await pouring
    assert 0 < len(first.accepted) < len(said)
    assert set(first.accepted) <= load.kept(database)
    # Shopify sends again what was not accepted, and some of the others as well.
    answered = set(first.accepted)
    again = [one for n, one in enumerate(said) if one[0] not in answered or n % 5 == 0]
    with load.door("ours", database) as (_, port):
        second = await load.pour(port, again)
    assert second.refused == 0
    assert len(second.accepted) == len(again)
    with sqlite3.connect(database) as connection:
        count, different = connection.execute(
            "SELECT COUNT(*), COUNT(DISTINCT webhook_id) FROM inbox"
        ).fetchone()
    connection.close()
    assert count == different == len(said)
