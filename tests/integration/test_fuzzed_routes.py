"""Every HTTP route under thousands of odd requests: no failure, no secret, no growth.

FUZZ_SEED repeats a run, FUZZ_REQUESTS makes it longer.
"""

from __future__ import annotations

import gc
import os
import random
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from brandmind import web
from tests.identity_world import PUBLIC, open_world
from tests.integration.fuzzed import Answer, Asked, Fuzz, ask
from tests.integration.stranger_world import Neighbourhood

pytestmark = pytest.mark.timeout(300)

SEED = int(os.environ.get("FUZZ_SEED", "0")) or 20_261_125
REQUESTS = int(os.environ.get("FUZZ_REQUESTS", "0")) or 3_000
# The largest that a stranger can be answered with is a small page.
LONGEST_ANSWER = 16_384
LONGEST_HEADERS = 8_192
# A page of the allocator's arenas may come and go; a kilobyte kept of each request is twice this.
GROWTH_KB = 6_144
# A client that goes away in the midst of a delivery, or whom Shopify did not answer.
BY_DESIGN = {"/webhooks/shopify": {503}, "/readyz": {503}}


@pytest.fixture
async def around(database_url: str) -> AsyncIterator[Neighbourhood]:
    async with open_world(database_url) as world:
        made = Neighbourhood(world)
        await made.settle()
        yield made
        await made.leave()


def doors() -> list[tuple[str, str]]:
    """Method and path of every route of ours; a new one is under fire at once."""
    found = []
    for route in web.routes():
        assert isinstance(route, Route)
        found += [(method, route.path) for method in sorted(route.methods or ())]
    return found


def requests(
    around: Neighbourhood, *, seed: int, cookies: Iterable[str | None], ids: Iterable[str] = ()
) -> Fuzz:
    odd = ["bm_session=" + "A" * 43, "bm_session=é", "bm_session", "=;=;=", "x" * 5_000]
    odd += ["bm_session=" + "x" * 5_000, 'bm_session="\\"', "bm_flow=a.b; bm_session=" + "B" * 43]
    return Fuzz(
        seed,
        doors(),
        cookies=[*[one for one in cookies if one] * 8, *odd],
        ids=[around.store_id, "0000000000", *ids],
    )


async def answered(app: ASGIApp, asked: Asked, *, seed: int) -> Answer:
    """The answer; fails with the request if there is none, or one that none may be."""
    try:
        answer = await ask(app, asked)
    except Exception as error:
        raise AssertionError(f"FUZZ_SEED={seed}: {error!r} from {asked.short()}") from error
    where = f"FUZZ_SEED={seed}: {answer.status} to {asked.short()}"
    assert 200 <= answer.status < 500 or answer.status in BY_DESIGN.get(asked.route, ()), where
    assert sum(len(n) + len(v) for n, v in answer.headers) <= LONGEST_HEADERS, where
    for name, value in answer.headers:
        assert not set(b"\r\n\x00") & set(name + value), where
    return answer


def assert_stays_here(answer: Answer, where: str) -> None:
    """A redirect leads to our own address or to a shop's, whatever was asked."""
    location = answer.header("location")
    ours = (f"{PUBLIC}/", "http://shopify.test/")
    assert not location or location.startswith(ours), f"{where}: {location[:200]}"


def resident_kb() -> int:
    gc.collect()
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


async def test_no_odd_request_fails_or_tells_or_changes_anything(around: Neighbourhood) -> None:
    print(f"FUZZ_SEED={SEED}")
    before = await around.everything_of_alice()
    charlie = around.cookie_of("charlie") or ""
    fuzz = requests(around, seed=SEED, cookies=[charlie])
    seen: dict[str, set[int]] = {}
    for _, asked in zip(range(REQUESTS), fuzz, strict=False):
        if asked.route == "/auth/logout":
            # He stays signed in: somebody with a session of his own is the better attacker.
            asked.headers = [(n, v) for n, v in asked.headers if v != charlie.encode()]
        answer = await answered(around.world.app, asked, seed=SEED)
        where = f"FUZZ_SEED={SEED}: {answer.status} to {asked.short()}"
        assert len(answer.body) <= LONGEST_ANSWER, where
        assert_stays_here(answer, where)
        told = answer.body.decode("utf-8", "replace") + repr(answer.headers)
        assert not {at for at in around.secrets() - {around.store_id} if at in told}, where
        seen.setdefault(asked.route, set()).add(answer.status)
    assert await around.everything_of_alice() == before
    # Every route was reached, and the requests were not all turned away at the first door.
    assert set(seen) >= {path for _, path in doors()}
    assert {200, 302, 400, 401, 404, 405, 414, 431} <= set().union(*seen.values())


async def test_no_odd_request_of_a_member_fails(around: Neighbourhood) -> None:
    print(f"FUZZ_SEED={SEED}")
    act = await around.world.sql("SELECT run_id FROM sync_run")
    fuzz = requests(
        around,
        seed=SEED,
        cookies=[around.cookie_of("alice")],
        ids=[around.store_id] * 6 + [act[0][0]],
    )
    reached = 0
    for _, asked in zip(range(REQUESTS // 2), fuzz, strict=False):
        if asked.route in ("/auth/logout", "/api/sessions/{session_id}/end"):
            continue
        answer = await answered(around.world.app, asked, seed=SEED)
        reached += answer.status == 200 and asked.route.startswith("/api/stores/")
    assert reached > 20


async def growth_kb(app: ASGIApp, fuzz: Fuzz, *, count: int) -> int:
    """By how much memory grew in the second half, after the first has filled what is kept."""
    half = 0
    for number, asked in zip(range(count), fuzz, strict=False):
        if number == count // 2:
            half = resident_kb()
        await ask(app, asked)
    return resident_kb() - half


@pytest.mark.parametrize("leaks", [False, True], ids=["as it is", "with a leak"])
async def test_memory_does_not_grow_with_what_is_asked(sqlite_url: str, leaks: bool) -> None:
    kept: list[bytes] = []

    async with open_world(sqlite_url) as world:
        made = Neighbourhood(world)
        await made.settle()
        app = world.app

        async def leaking(scope: Scope, receive: Receive, send: Send) -> None:
            kept.append(random.randbytes(8_192))
            await app(scope, receive, send)

        fuzz = requests(made, seed=SEED, cookies=[made.cookie_of("charlie")])
        grown = await growth_kb(leaking if leaks else app, fuzz, count=REQUESTS)
        print(f"FUZZ_SEED={SEED}: grew by {grown} KB over the second {REQUESTS // 2} requests")
        await made.leave()
    # The same reading that passes tells eight kilobytes kept of each.
    assert (grown > GROWTH_KB) is leaks
