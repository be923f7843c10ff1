"""Whoever knocks too often waits; where somebody is signed in is seen and ended by them alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from brandmind.web import signing, sluice
from brandmind.web.sluice import Sluice, address_of
from tests.identity_world import HARBOR, LEMON, PUBLIC, Somebody, World, open_world


@pytest.fixture
async def world(sqlite_url: str) -> AsyncIterator[World]:
    async with open_world(sqlite_url) as opened:
        yield opened


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1_000.0]
    monkeypatch.setattr(sluice, "monotonic_s", lambda: now[0])
    return now


def test_so_many_a_minute_and_again_a_minute_later(clock: list[float]) -> None:
    door = Sluice(3)
    assert [door.wait_s("a") for _ in range(5)] == [0, 0, 0, 21, 21]
    assert door.wait_s("b") == 0
    clock[0] += 20
    assert [door.wait_s("a") for _ in range(2)] == [0, 21]
    clock[0] += 3_600
    assert [door.wait_s("a") for _ in range(4)] == [0, 0, 0, 21]


def test_what_is_remembered_is_bounded(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sluice, "_MOST_ADDRESSES", 10)
    door = Sluice(1)
    for number in range(100):
        door.wait_s(str(number))
    assert len(door._seen) == 10


@pytest.mark.parametrize(
    ("hops", "forwarded", "address"),
    [
        (0, "6.6.6.6", "10.0.0.9"),
        (1, "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        (2, "6.6.6.6, 1.2.3.4, 10.0.0.1", "1.2.3.4"),
        (2, "1.2.3.4", "1.2.3.4"),
        (1, "", "10.0.0.9"),
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (1, "no address at all" + "x" * 100, ("no address at all" + "x" * 100)[:64]),
    ],
)
def test_only_our_own_proxies_are_believed(hops: int, forwarded: str, address: str) -> None:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    scope: dict[str, Any] = {"type": "http", "client": ("10.0.0.9", 1), "headers": headers}
    assert address_of(scope, hops=hops) == address


async def test_sign_ins_are_slowed_down_by_address(
    world: World, monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    monkeypatch.setattr(signing, "TRIES_A_MINUTE", 5)
    monkeypatch.setattr(signing, "_kept", [])

    def browser(address: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=world.app, client=(address, 1))
        return httpx.AsyncClient(transport=transport, base_url=world.rt.settings.public_url)

    async with browser("1.1.1.1") as mallory, browser("2.2.2.2") as alice:
        seen = [
            (await mallory.get("/auth/connect", params={"shop": HARBOR})).status_code
            for _ in range(8)
        ]
        assert seen == [302] * 5 + [429] * 3
        assert len(await world.sql("SELECT * FROM oauth_flow")) == 5
        refused = await mallory.get("/auth/callback?code=1")
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) > 0
        assert (await alice.get("/auth/connect", params={"shop": HARBOR})).status_code == 302
        clock[0] += 60
        assert (await mallory.get("/auth/connect", params={"shop": HARBOR})).status_code == 302


async def test_people_see_where_they_are_signed_in_and_end_what_they_choose(world: World) -> None:
    alice, charlie = Somebody(1, "Alice Harbor", owner=True), Somebody(3, "Charlie", owner=True)
    ours = {"origin": PUBLIC}
    async with (
        world.browser() as desk, world.browser() as phone, world.browser() as tablet,
        world.browser() as other,
    ):  # fmt: skip
        await world.connect(desk, alice)
        await world.sign_in(phone, alice)
        await world.sign_in(tablet, alice)
        await world.connect(other, charlie, LEMON)
        seen = (await desk.get("/api/sessions")).json()["sessions"]
        assert len(seen) == 3
        assert [one["this"] for one in seen].count(True) == 1
        its = next(
            one["session_id"] for one in (await phone.get("/api/sessions")).json()["sessions"]
            if one["this"]
        )  # fmt: skip
        end = f"/api/sessions/{its}/end"
        # A stranger has no such session, and no page elsewhere may ask for it.
        assert (await other.post(end, headers=ours)).status_code == 404
        assert (await desk.post(end)).status_code == 403
        assert (await phone.get("/api/sessions")).status_code == 200
        assert (await desk.post(end, headers=ours)).status_code == 204
        assert (await phone.get("/api/sessions")).status_code == 401
        assert its in world.bell.ended
        told = await desk.post("/api/sessions/end-others", headers=ours)
        assert told.json() == {"ended": 1}
        assert (await tablet.get("/api/sessions")).status_code == 401
        assert (await desk.get("/api/sessions")).status_code == 200
        assert (await other.get("/api/sessions")).status_code == 200
