"""The rate budget of a shop, kept in Redis and shared by all workers.

Each request reserves its cost before it is sent and waits in one line until the shop's bucket can
hold it and all before it. Every answer tells the bucket anew, so nothing here must last: a Redis
that was emptied is taught again by the next answer, and while it is away each worker goes on with
a bucket of its own that fills half as fast. Times are Redis' own.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from redis.asyncio import Redis
from redis.exceptions import RedisError

from brandmind.clock import monotonic_s, new_id
from brandmind.owner import session_name
from brandmind.sync.pacing import LATELY_S, Bucket, LocalPacer, Prices, Sleep, Ticket

log = logging.getLogger(__name__)

_KEY: Final = "brandmind:budget:"
_SCRIPT: Final = Path(__file__).with_name("budget.lua")
# Redis trouble must not hold a request up; nor is each of them to find out anew.
_LIMIT_S: Final = 0.5
_AWAY_S: Final = 1.0
# Of the restored points, for each worker while they cannot see each other.
SHARE: Final = 0.5


class Patience(NamedTuple):
    """How long is waited for whom.

    Who waits asks again after `step_s`, to hear of a hold or of points given back; who does not
    within `grace_s` more is dead and loses the place in the line. A request's reservation ends
    with its answer or after `lease_s`: by then the shop itself has taken the cost.
    """

    step_s: float = 1.0
    grace_s: float = 3.0
    lease_s: float = 10.0


class SharedPacers:
    """Implements `sync.pacing.Pacers` over one Redis."""

    def __init__(
        self,
        redis: Redis,
        *,
        owner: str = "",
        patience: Patience = Patience(),  # noqa: B008 - it cannot change
        now: Callable[[], float] = monotonic_s,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._budget = redis.register_script(_SCRIPT.read_text(encoding="utf-8"))
        self._owner = owner
        self.patience = patience
        self._now = now
        self._sleep = sleep
        self._prices = Prices()
        self._away_until: float | None = None
        self._pacers: dict[str, SharedPacer] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    def of(self, store_id: str) -> SharedPacer:
        found = self._pacers.get(store_id)
        if found is None:
            local = LocalPacer(prices=self._prices, share=SHARE, now=self._now, sleep=self._sleep)
            found = SharedPacer(self, store_id, local, now=self._now, sleep=self._sleep)
            self._pacers[store_id] = found
        return found

    async def reserve(
        self, store_id: str, number: str, cost: float, believed: Bucket | None
    ) -> float | None:
        """Seconds until the reservation may be used, asked anew after at most `step_s` of them;
        0 if at once, None if Redis is away."""
        waits = tuple(map(_ms, self.patience))
        return await self._ask("reserve", store_id, number, repr(cost), *_plain(believed), *waits)

    async def learn(self, store_id: str, number: str, told: Bucket | None) -> None:
        """End a reservation and note what the shop said."""
        await self._ask("learn", store_id, number, *_plain(told))

    async def hold(self, store_id: str, wait_s: float) -> float | None:
        """Make everybody wait; seconds it takes, None if Redis is away."""
        return await self._ask("hold", store_id, "", _ms(wait_s))

    def new_number(self) -> str:
        """A number for a reservation; whose it is can be told from it."""
        return f"{session_name(self._owner)}:{new_id()}"

    async def forget(self, store_id: str, owner: str) -> None:
        """Take away what a dead owner has reserved of a store's points.

        Its request may have cost them: the next answer says what is left. To wait for the end of
        each dead one's lease would keep the store from going on.
        """
        await self._ask("forget", store_id, f"{session_name(owner)}:")

    def leave(self, store_id: str, number: str) -> None:
        """Give up a place in the line, soon: whoever was cancelled cannot wait for it."""
        task = asyncio.create_task(self.learn(store_id, number, None), name="leave the line")
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _ask(self, act: str, store_id: str, *values: str | int) -> float | None:
        away_until = self._away_until
        if away_until is not None and self._now() < away_until:
            return None
        try:
            async with asyncio.timeout(_LIMIT_S):
                found: int = await self._budget(keys=[_KEY + store_id], args=(act, *values))
        except (RedisError, OSError, TimeoutError) as error:
            if away_until is None:
                log.warning("Redis is away (%s): rate budgets are shared out", type(error).__name__)
            self._away_until = self._now() + _AWAY_S
            return None
        self._away_until = None
        return found / 1000


class SharedPacer:
    """Implements `sync.pacing.Pacer` for one store."""

    def __init__(
        self,
        shared: SharedPacers,
        store_id: str,
        local: LocalPacer,
        *,
        now: Callable[[], float],
        sleep: Sleep,
    ) -> None:
        self._shared = shared
        self._store_id = store_id
        # Hears every answer too, so that it knows the bucket when Redis goes.
        self._local = local
        self._now = now
        self._sleep = sleep
        self._turn = asyncio.Lock()
        self._until = 0.0
        self._waited_at = -math.inf

    @property
    def prices(self) -> Prices:
        return self._local.prices

    @property
    def bucket(self) -> Bucket | None:
        return self._local.bucket

    @property
    def waiting_s(self) -> float:
        return max(0.0, self._until - self._now(), self._local.waiting_s)

    @property
    def limits(self) -> bool:
        lately = self._now() - self._waited_at < LATELY_S
        return self._until > 0 or lately or self._local.limits

    async def admit(self, cost: float) -> Ticket:
        # One of a process at a time; between processes the line in Redis keeps the order.
        async with self._turn:
            number = self._shared.new_number()
            try:
                while True:
                    wait_s = await self._shared.reserve(
                        self._store_id, number, cost, self._local.bucket
                    )
                    if wait_s is None:
                        return await self._local.admit(cost)
                    if wait_s <= 0:
                        return self._local.take(cost, number)
                    await self._pause(wait_s)
            except asyncio.CancelledError:
                self._shared.leave(self._store_id, number)
                raise

    async def hold(self, wait_s: float) -> None:
        async with self._turn:
            left_s = await self._shared.hold(self._store_id, wait_s)
            if left_s is None:
                await self._local.hold(wait_s)
                return
            ends_s = self._now() + left_s
            while (left_s := ends_s - self._now()) > 0:
                await self._pause(left_s)

    async def learn(self, ticket: Ticket, told: Bucket | None) -> None:
        self._local.heard(ticket, told)
        await self._shared.learn(self._store_id, ticket.number, told)

    async def _pause(self, wait_s: float) -> None:
        self._until = self._now() + wait_s
        try:
            await self._sleep(min(wait_s, self._shared.patience.step_s))
        finally:
            self._until = 0.0
            self._waited_at = self._now()


def _plain(bucket: Bucket | None) -> tuple[str, str, str]:
    if bucket is None:
        return "", "", ""
    return repr(bucket.available), repr(bucket.maximum), repr(bucket.restore_per_s)


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))
