"""The pacer waits before a request the bucket cannot hold, and never otherwise."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from brandmind.errors import ShopifyUnavailable, Throttled
from brandmind.sync.pacing import Bucket, LocalPacer, Ticket
from tests.unit.shopify.double import client_of, cost, failed, ok
from tests.unit.shopify.made import shop

NOBODY = Ticket(0.0, "nobody")


class Time:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.at = 100.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def pacer(time: Time) -> LocalPacer:
    return LocalPacer(now=time.now, sleep=time.sleep)


async def test_nobody_waits_before_the_shop_has_told_its_bucket(
    pacer: LocalPacer, time: Time
) -> None:
    await pacer.admit(5000)
    assert time.slept == []


async def test_a_request_waits_until_the_bucket_can_hold_it(pacer: LocalPacer, time: Time) -> None:
    await pacer.learn(NOBODY, Bucket(92, 2000, 100))
    await pacer.admit(592)
    assert time.slept == [5.0]


async def test_what_flowed_back_meanwhile_counts(pacer: LocalPacer, time: Time) -> None:
    await pacer.learn(NOBODY, Bucket(92, 2000, 100))
    time.at += 4
    await pacer.admit(592)
    assert time.slept == [1.0]


async def test_a_huge_bucket_means_no_wait(pacer: LocalPacer, time: Time) -> None:
    await pacer.learn(NOBODY, Bucket(1e9, 1e9, 1e9))
    for _ in range(100):
        await pacer.admit(900)
    assert time.slept == []


async def test_requests_under_way_hold_their_share(pacer: LocalPacer, time: Time) -> None:
    await pacer.learn(NOBODY, Bucket(1000, 2000, 100))
    await pacer.admit(600)
    await pacer.admit(600)
    assert time.slept == [2.0]


async def test_an_answer_that_says_nothing_ends_its_reservation(
    pacer: LocalPacer, time: Time
) -> None:
    await pacer.learn(NOBODY, Bucket(1000, 2000, 100))
    ticket = await pacer.admit(600)
    await pacer.learn(ticket, None)
    await pacer.admit(600)
    assert time.slept == []


async def test_a_query_dearer_than_the_whole_bucket_is_asked_when_it_is_full(
    pacer: LocalPacer, time: Time
) -> None:
    await pacer.learn(NOBODY, Bucket(1900, 2000, 100))
    await pacer.admit(5000)
    assert time.slept == [1.0]


async def test_the_wait_under_way_can_be_seen() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        begun.set()
        await go_on.wait()
        time.at += seconds

    time = Time()
    pacer = LocalPacer(now=time.now, sleep=sleep)
    await pacer.learn(NOBODY, Bucket(0, 2000, 100))
    waiting = asyncio.create_task(pacer.admit(300))
    await begun.wait()
    assert pacer.waiting_s == 3.0
    go_on.set()
    await waiting
    assert pacer.waiting_s == 0.0


async def test_the_client_learns_the_cost_of_a_query_and_waits_for_the_next(
    pacer: LocalPacer, time: Time
) -> None:
    client = client_of(lambda _: ok(shop(), extensions=cost(500, 300)), pacer=pacer)
    await client.query("shop")
    assert time.slept == []
    await client.query("shop")
    assert time.slept == [2.0]


async def test_a_refusal_is_waited_out_where_it_is_short(pacer: LocalPacer, time: Time) -> None:
    error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
    answers = [failed(error, extensions=cost(500, 200)), ok(shop(), extensions=cost(500, 1500))]
    client = client_of(lambda _: answers.pop(0), pacer=pacer)
    await client.query("shop")
    assert time.slept == [3.0]


async def test_a_long_wait_gives_the_run_back(pacer: LocalPacer, time: Time) -> None:
    client = client_of(lambda _: httpx.Response(429, headers={"Retry-After": "60"}), pacer=pacer)
    with pytest.raises(Throttled):
        await client.query("shop")
    assert time.slept == []


async def test_a_shop_that_only_refuses_is_not_asked_for_ever(
    pacer: LocalPacer, time: Time
) -> None:
    client = client_of(lambda _: httpx.Response(429, headers={"Retry-After": "2"}), pacer=pacer)
    with pytest.raises(Throttled):
        await client.query("shop")
    assert time.slept == [2.0] * 5


async def test_a_failed_request_holds_nothing_back(pacer: LocalPacer, time: Time) -> None:
    answers = [ok(shop(), extensions=cost(1500, 2000)), httpx.Response(500), ok(shop())]
    client = client_of(lambda _: answers.pop(0), pacer=pacer)
    await client.query("shop")
    with pytest.raises(ShopifyUnavailable):
        await client.query("shop")
    await client.query("shop")
    assert time.slept == []


async def test_a_query_of_unknown_price_waits_for_a_dear_ones(
    pacer: LocalPacer, time: Time
) -> None:
    client = client_of(lambda _: ok(shop(), extensions=cost(10, 400)), pacer=pacer)
    await pacer.learn(NOBODY, Bucket(400, 2000, 100))
    await client.query("shop")
    assert time.slept == [1.0]
    await client.query("shop")
    assert time.slept == [1.0]


async def test_a_larger_page_than_any_before_is_not_taken_for_a_cheap_one(
    pacer: LocalPacer, time: Time
) -> None:
    asked = {"after": None, "query": None, "sortKey": "CREATED_AT", "reverse": True}
    page = {"orders": {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": []}}
    client = client_of(lambda _: ok(page, extensions=cost(400, 500)), pacer=pacer)
    await client.query("orders", asked | {"first": 240, "lines": 20})
    await client.query("orders", asked | {"first": 240, "lines": 54})
    assert time.slept == [3.0]


async def test_a_worker_alone_takes_its_share_of_what_is_restored(time: Time) -> None:
    pacer = LocalPacer(share=0.5, now=time.now, sleep=time.sleep)
    await pacer.learn(NOBODY, Bucket(100, 2000, 100))
    await pacer.admit(600)
    assert time.slept == [10.0]
