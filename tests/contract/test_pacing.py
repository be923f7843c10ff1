"""Every pacer keeps the same promises: the one of a process, and the one all workers share.

Buckets here fill either so slowly that a wait can be read off, or so fast that it is over at once:
nothing depends on how quick this machine is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from redis.asyncio import Redis

from brandmind.bus.limits import SHARE, Patience, SharedPacers
from brandmind.launch.valkey import EmbeddedValkey, packed_binary
from brandmind.sync.pacing import Bucket, LocalPacers, Pacer, Pacers, Ticket

# A point a second: what is missing is the wait in seconds, and no test takes a minute.
SLOW = 1.0
FAST = 1e6
A_MINUTE = 60.0
NEVER = Ticket(0.0, "never admitted")


async def tell(pacer: Pacer, available: float, *, restore: float = SLOW) -> None:
    """An answer says what the bucket holds."""
    await pacer.learn(NEVER, Bucket(available, 2000.0, restore))


@asynccontextmanager
async def waiting(pacer: Pacer, cost: float) -> AsyncIterator[float]:
    """A request that has to wait; how long, in seconds."""
    task = asyncio.create_task(pacer.admit(cost))
    try:
        while pacer.waiting_s == 0 and not task.done():
            await asyncio.sleep(0.001)
        assert not task.done(), "it did not wait"
        yield pacer.waiting_s
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def wait_of(pacer: Pacer, cost: float) -> float:
    """How long a request would have to wait; it gives up then."""
    async with waiting(pacer, cost) as seconds:
        return seconds


async def goes(pacer: Pacer, cost: float) -> Ticket:
    """A request that is let through."""
    async with asyncio.timeout(A_MINUTE):
        return await pacer.admit(cost)


def about(seconds: float) -> object:
    return pytest.approx(seconds, abs=A_MINUTE / 2)


@pytest.fixture
async def redis(valkey_url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(valkey_url)
    yield client
    await client.aclose()


@pytest.fixture
def workers(redis: Redis) -> list[SharedPacers]:
    """Two workers that share the budgets."""
    return [SharedPacers(redis), SharedPacers(redis)]


@pytest.fixture(params=["local", "shared", "redis-server"])
async def pacers(request: pytest.FixtureRequest) -> AsyncIterator[Pacers]:
    if request.param == "local":
        yield LocalPacers()
        return
    name = "valkey_url" if request.param == "shared" else "redis_server_url"
    client = Redis.from_url(request.getfixturevalue(name))
    yield SharedPacers(client)
    await client.aclose()


@pytest.fixture
def pacer(pacers: Pacers) -> Pacer:
    return pacers.of("store")


async def test_nobody_waits_before_the_shop_has_told_its_bucket(pacer: Pacer) -> None:
    await goes(pacer, 5000)
    assert pacer.waiting_s == 0
    assert pacer.bucket is None


async def test_a_request_waits_for_what_the_bucket_lacks(pacer: Pacer) -> None:
    await tell(pacer, 92)
    assert await wait_of(pacer, 592) == about(500)
    assert pacer.waiting_s == 0


async def test_what_flows_back_lets_it_go(pacer: Pacer) -> None:
    await tell(pacer, 0, restore=FAST)
    await goes(pacer, 592)


async def test_a_huge_bucket_means_no_wait(pacer: Pacer) -> None:
    await pacer.learn(NEVER, Bucket(1e9, 1e9, 1e9))
    for _ in range(100):
        await goes(pacer, 900)


async def test_requests_under_way_hold_their_points(pacer: Pacer) -> None:
    await tell(pacer, 1000)
    await goes(pacer, 600)
    assert await wait_of(pacer, 600) == about(200)


async def test_an_answer_that_says_nothing_ends_its_reservation(pacer: Pacer) -> None:
    await tell(pacer, 1000)
    ticket = await goes(pacer, 600)
    await pacer.learn(ticket, None)
    await goes(pacer, 600)


async def test_an_answer_tells_the_bucket_anew(pacer: Pacer) -> None:
    await tell(pacer, 1000)
    ticket = await goes(pacer, 600)
    await pacer.learn(ticket, Bucket(700, 2000, SLOW))
    await goes(pacer, 600)
    assert await wait_of(pacer, 400) == about(300)


async def test_a_query_dearer_than_the_whole_bucket_is_asked_when_it_is_full(
    pacer: Pacer,
) -> None:
    await tell(pacer, 1900)
    assert await wait_of(pacer, 5000) == about(100)


async def test_who_gives_up_waiting_holds_nothing_back(pacer: Pacer) -> None:
    await tell(pacer, 500)
    await wait_of(pacer, 1900)
    await goes(pacer, 400)


async def test_a_cheap_query_does_not_overtake_a_dear_one(pacer: Pacer) -> None:
    await tell(pacer, 500)
    async with waiting(pacer, 1900):
        cheap = asyncio.create_task(pacer.admit(10))
        done, _ = await asyncio.wait({cheap}, timeout=0.1)
        assert not done
        cheap.cancel()


async def test_a_hold_is_everybodys_wait(pacer: Pacer) -> None:
    await tell(pacer, 2000)
    holding = asyncio.create_task(pacer.hold(500))
    while pacer.waiting_s == 0:
        await asyncio.sleep(0.001)
    assert pacer.waiting_s == about(500)
    other = asyncio.create_task(pacer.admit(10))
    done, _ = await asyncio.wait({other}, timeout=0.1)
    assert not done
    for task in (other, holding):
        task.cancel()


async def test_a_hold_ends(pacer: Pacer) -> None:
    await tell(pacer, 2000)
    async with asyncio.timeout(A_MINUTE):
        await pacer.hold(0.05)
    await goes(pacer, 600)


async def test_each_store_has_a_bucket_of_its_own(pacers: Pacers) -> None:
    await tell(pacers.of("one"), 0)
    await goes(pacers.of("another"), 600)
    assert await wait_of(pacers.of("one"), 600) == about(600)


async def test_what_a_query_costs_is_known_in_every_store(pacers: Pacers) -> None:
    pacers.of("one").prices.learn("orders", (240, 20), 592)
    prices = pacers.of("another").prices
    assert prices.expected("orders", (240, 20)) == 592
    assert prices.expected("orders", (240, 54)) == 1000
    prices.learn("products", (25,), 164)
    assert prices.expected("products", (240,)) == 328
    assert prices.expected("customers", (250,)) == 500


# What only workers that share a budget can show.


async def test_what_one_worker_reserves_the_other_cannot_spend(
    workers: list[SharedPacers],
) -> None:
    one, other = (worker.of("store") for worker in workers)
    await tell(one, 1000)
    ticket = await goes(one, 600)
    assert await wait_of(other, 600) == about(200)
    await one.learn(ticket, Bucket(1000, 2000, SLOW))
    await goes(other, 600)


async def test_between_workers_too_the_first_to_come_goes_first(
    workers: list[SharedPacers],
) -> None:
    one, other = (worker.of("store") for worker in workers)
    await tell(one, 500)
    async with waiting(one, 1000):
        assert await wait_of(other, 100) == about(600)
    # The first gave up: its place is given to the next.
    await goes(other, 100)


async def test_a_hold_told_to_one_worker_is_kept_by_the_other(
    workers: list[SharedPacers],
) -> None:
    one, other = (worker.of("store") for worker in workers)
    await tell(one, 2000)
    holding = asyncio.create_task(one.hold(500))
    while one.waiting_s == 0:
        await asyncio.sleep(0.001)
    assert await wait_of(other, 10) == about(500)
    holding.cancel()


async def test_a_dead_workers_reservation_expires(redis: Redis) -> None:
    patience = Patience(step_s=0.02, lease_s=0.05)
    dead, other = (SharedPacers(redis, patience=patience).of("store") for _ in range(2))
    await tell(dead, 1000)
    await goes(dead, 600)
    await goes(other, 600)


async def test_what_a_dead_worker_had_reserved_is_taken_away_at_once(redis: Redis) -> None:
    dead, alive, heir = (
        SharedPacers(redis, owner=f"boot|pid:[1]|{number}|1|{number * 8}") for number in "123"
    )
    await tell(heir.of("store"), 1000)
    await goes(alive.of("store"), 300)
    await goes(dead.of("store"), 600)
    assert await wait_of(heir.of("store"), 600) == about(500)
    await heir.forget("another", "boot|pid:[1]|1|1|11111111")
    assert await wait_of(heir.of("store"), 600) == about(500)
    await heir.forget("store", "boot|pid:[1]|1|1|11111111")
    # What the living one reserved stays.
    assert await wait_of(heir.of("store"), 900) == about(200)
    await goes(heir.of("store"), 600)


async def test_a_dead_waiter_loses_its_place(redis: Redis) -> None:
    patience = Patience(step_s=0.02, grace_s=0.02)
    asleep = asyncio.Event()

    async def sleep_for_ever(_seconds: float) -> None:
        asleep.set()
        await asyncio.Event().wait()

    dead = SharedPacers(redis, patience=patience, sleep=sleep_for_ever).of("store")
    other = SharedPacers(redis, patience=patience).of("store")
    await tell(dead, 500)
    task = asyncio.create_task(dead.admit(1900))
    await asleep.wait()
    await goes(other, 400)
    task.cancel()


async def test_an_emptied_redis_is_taught_again(workers: list[SharedPacers], redis: Redis) -> None:
    one, other = (worker.of("store") for worker in workers)
    await tell(one, 0)
    await redis.flushall()
    # Who heard the last answer remembers it; who never heard one learns from the first to ask.
    assert await wait_of(one, 600) == about(600)
    assert await wait_of(other, 600) == about(600)


# While Redis is away.


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(tmp_path, binary=packed_binary()) as server:
        yield server


async def test_without_redis_each_worker_goes_on_with_its_share_and_comes_back_by_itself(
    mortal: EmbeddedValkey,
) -> None:
    at = [1000.0]
    client = Redis.from_url(mortal.url, socket_connect_timeout=1.0)
    try:
        pacer = SharedPacers(client, now=lambda: at[0]).of("store")
        await tell(pacer, 500)
        mortal.kill()
        await goes(pacer, 300)
        assert await wait_of(pacer, 300) == about(100 / SHARE)
        mortal.start()
        at[0] += 10
        other = SharedPacers(client).of("store")
        await tell(other, 0)
        assert await wait_of(pacer, 600) == about(600)
    finally:
        await client.aclose()
