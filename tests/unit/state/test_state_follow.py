"""A store's changes at the speed of an eye."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from brandmind.errors import BrandMindError
from brandmind.state.follow import paced
from brandmind.sync.progress import StoreProgress
from tests import stage_acts


class Newest:
    """Keeps only the newest change, as the hub does."""

    def __init__(self) -> None:
        self._there = asyncio.Event()
        self._newest: StoreProgress | None = None
        self.over = False

    def tell(self, orders: int) -> None:
        self._newest = stage_acts.running(orders=orders)
        self._there.set()

    def end(self) -> None:
        self.over = True
        self._there.set()

    async def __aiter__(self) -> AsyncIterator[StoreProgress]:
        while True:
            await self._there.wait()
            self._there.clear()
            if self.over:
                raise BrandMindError("You have been signed out.")
            assert self._newest is not None
            yield self._newest


async def test_the_first_change_comes_at_once_and_what_came_meanwhile_is_left_out() -> None:
    changes = Newest()
    following = paced(changes, least_s=0.02, tick_s=60)
    changes.tell(100)
    first = await anext(following)
    assert first is not None
    for orders in (200, 300, 400):
        changes.tell(orders)
    second = await anext(following)
    assert (first.seq, second.seq if second else None) == (100, 400)
    await following.aclose()


async def test_silence_is_told_too_so_that_the_page_can_say_why() -> None:
    following = paced(Newest(), least_s=0, tick_s=0.01)
    assert await anext(following) is None
    await following.aclose()


async def test_a_change_after_silence_is_not_lost() -> None:
    changes = Newest()
    following = paced(changes, least_s=0, tick_s=0.01)
    assert await anext(following) is None
    changes.tell(500)
    change = await anext(following)
    while change is None:
        change = await anext(following)
    assert change.seq == 500
    await following.aclose()


async def test_the_end_of_a_session_ends_the_following() -> None:
    changes = Newest()
    following = paced(changes, least_s=0, tick_s=60)
    changes.tell(1)
    await anext(following)
    changes.end()
    assert [change async for change in following] == []
