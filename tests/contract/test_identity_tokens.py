"""A store's tokens are renewed early, by one process at a time, and never lost on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from brandmind.db import grants
from brandmind.db.cipher import Cipher
from brandmind.db.session import Database
from brandmind.errors import InvalidInput, SettingsError, ShopifyUnavailable, TokenRevoked
from brandmind.runtime import Runtime
from brandmind.services import by_hand, tokens
from brandmind.services.tokens import StoreToken
from tests.identity_world import HARBOR, Somebody, World, open_world

ALICE = Somebody(1, owner=True)


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with open_world(database_url) as made, made.browser() as alice:
        await made.connect(alice, ALICE)
        made.shopify.asked.clear()
        yield made


async def _expire(world: World, *, in_s: int = -1) -> None:
    moment = (
        f"(strftime('%s','now') + {in_s}) * 1000"
        if world.rt.db.is_sqlite
        else f"now() + interval '{in_s} seconds'"
    )
    await world.sql(f"UPDATE token SET access_expires_at = {moment}")


async def _token(world: World) -> StoreToken:
    return StoreToken(world.rt, await world.store_id())


async def _generation(world: World) -> int:
    return int((await world.sql("SELECT generation FROM token"))[0][0])


def _as_another_process(rt: Runtime) -> Runtime:
    return Runtime(
        settings=rt.settings,
        db=Database(rt.settings.database_url),
        http=rt.http,
        cipher=rt.cipher,
        jobs=rt.jobs,
        signals=rt.signals,
        hub=rt.hub,
    )


async def test_a_token_with_time_left_is_used_without_asking(world: World) -> None:
    token = await _token(world)
    assert await token.access_token() == "shpat_access1"
    assert await token.access_token() == "shpat_access1"
    assert world.shopify.asked == []


async def test_under_five_minutes_it_is_renewed_and_both_tokens_are_replaced(world: World) -> None:
    await _expire(world, in_s=240)
    assert await (await _token(world)).access_token() == "shpat_access2"
    assert [form["refresh_token"] for form in world.shopify.asked] == ["shprt_refresh1"]
    await _expire(world)
    assert await (await _token(world)).access_token() == "shpat_access3"
    assert world.shopify.asked[-1]["refresh_token"] == "shprt_refresh2"
    assert await _generation(world) == 3
    assert not await world.sql("SELECT 1 FROM token WHERE lease_at IS NOT NULL")


async def test_two_processes_renew_once(world: World) -> None:
    await _expire(world)
    asked = asyncio.Event()
    released = asyncio.Event()

    async def slow(request: httpx.Request) -> httpx.Response:
        asked.set()
        await released.wait()
        return await world.shopify(request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(slow)) as http:
        world.rt.http = http
        other = _as_another_process(world.rt)
        store_id = await world.store_id()
        first = asyncio.create_task(StoreToken(world.rt, store_id).access_token())
        await asked.wait()
        waiting = [
            asyncio.create_task(StoreToken(rt, store_id).access_token())
            for rt in (other, world.rt, other)
        ]
        # While these reads go through the same threads, each waiter has read the lease too.
        for _ in range(20):
            await asyncio.gather(
                world.rt.db.read(grants.find, store_id), other.db.read(grants.find, store_id)
            )
        assert not any(task.done() for task in waiting)
        released.set()
        found = await asyncio.gather(first, *waiting)
        other.db.close()
    assert found == ["shpat_access2"] * 4
    assert len(world.shopify.asked) == 1


async def test_a_lost_answer_is_asked_for_again_with_the_token_that_is_kept(world: World) -> None:
    await _expire(world)
    token = await _token(world)
    world.shopify.answers.append(httpx.ReadTimeout("lost"))
    with pytest.raises(ShopifyUnavailable):
        await token.access_token()
    assert await _generation(world) == 1
    assert await token.access_token() == "shpat_access2"
    assert [form["refresh_token"] for form in world.shopify.asked] == ["shprt_refresh1"]


async def test_while_shopify_is_away_a_token_that_still_lives_is_used(world: World) -> None:
    await _expire(world, in_s=120)
    world.shopify.answers.append(httpx.Response(502, text="bad gateway"))
    token = await _token(world)
    assert await token.access_token() == "shpat_access1"
    assert await token.access_token() == "shpat_access2"


async def test_a_refusal_for_good_is_told_and_remembered(world: World) -> None:
    await _expire(world)
    world.shopify.refused = True
    token = await _token(world)
    with pytest.raises(TokenRevoked):
        await token.access_token()
    asked = len(world.shopify.asked)
    with pytest.raises(TokenRevoked):
        await token.access_token()
    with pytest.raises(TokenRevoked):
        await token.refreshed("shpat_access1")
    assert len(world.shopify.asked) == asked
    # The next log-in asks for a new grant instead of a person alone.
    async with world.browser() as alice:
        assert "grant_options[]" not in await world.leave(alice, HARBOR)


async def test_a_refused_token_is_renewed_once_for_all_who_held_it(world: World) -> None:
    tokens_held = [await _token(world) for _ in range(3)]
    held = [await token.access_token() for token in tokens_held]
    renewed = await asyncio.gather(
        *(token.refreshed(stale) for token, stale in zip(tokens_held, held, strict=True))
    )
    assert renewed == ["shpat_access2"] * 3
    assert len(world.shopify.asked) == 1


async def test_a_grant_that_arrives_during_a_renewal_wins(world: World) -> None:
    await _expire(world)
    store_id = await world.store_id()

    async def reconnected(request: httpx.Request) -> httpx.Response:
        # The merchant connects again: Shopify kills the refresh token that is on its way.
        await world.rt.db.write(_put_new, world.rt.cipher, store_id)
        return httpx.Response(401, json={"error": "invalid_request"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(reconnected)) as http:
        world.rt.http = http
        assert await StoreToken(world.rt, store_id).access_token() == "shpat_reconnected"
    assert await StoreToken(world.rt, store_id).access_token() == "shpat_reconnected"


def _put_new(session: object, cipher: Cipher, store_id: str) -> None:
    sealed = cipher.seal("shpat_reconnected", store_id=store_id, purpose=tokens.ACCESS)
    grants.put(session, store_id, grants.SealedGrant(kind="oauth", access_sealed=sealed))  # type: ignore[arg-type]


async def test_a_lease_that_stands_still_for_fifteen_seconds_is_taken_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _expire(world)
    store_id = await world.store_id()
    kept = await world.rt.db.read(grants.find, store_id)
    assert kept is not None
    dead = await world.rt.db.write(
        grants.take_lease, store_id, generation=kept.generation, lease_no=kept.lease_no
    )
    assert dead is not None
    clock = _Clock()
    monkeypatch.setattr(tokens, "monotonic_s", clock)
    monkeypatch.setattr(tokens.asyncio, "sleep", clock.sleep(tokens.asyncio.sleep))
    assert await StoreToken(world.rt, store_id).access_token() == "shpat_access2"
    assert tokens.LEASE_S <= clock.now < tokens.LEASE_S + 1
    # He was not dead but slow: his answer is not written over the newer one.
    late = grants.SealedGrant(kind="oauth", access_sealed="k1.late")
    assert not await world.rt.db.write(
        grants.renew, store_id, late, generation=kept.generation, lease_no=dead
    )


class _Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, real: Callable[[float], Awaitable[None]]) -> Callable[[float], Awaitable[None]]:
        async def slept(seconds: float) -> None:
            self.now += seconds
            await real(0)

        return slept


async def test_credentials_of_an_own_app_renew_themselves(sqlite_url: str) -> None:
    async with open_world(sqlite_url) as world:
        await by_hand.with_client_credentials(
            world.rt, HARBOR, client_id="mine", client_secret="mine-too"
        )
        token = await _token(world)
        assert await token.access_token() == "shpat_access1"
        await _expire(world)
        assert await token.access_token() == "shpat_access1"  # what it remembers still lasts
        assert await (await _token(world)).access_token() == "shpat_access2"
        assert [form["client_secret"] for form in world.shopify.asked] == ["mine-too"] * 2
        assert world.database_file is not None
        parts = world.database_file.parent.glob(f"{world.database_file.name}*")
        assert not any(b"mine-too" in part.read_bytes() for part in parts)


async def test_a_token_given_by_hand_is_tried_first_and_never_renewed(sqlite_url: str) -> None:
    async with open_world(sqlite_url) as world:
        done = await by_hand.with_token(world.rt, "harbor-and-pine", "shpat_by_hand")
        assert done.first
        assert world.bell.rung == [done.run_id]
        token = await _token(world)
        assert await token.access_token() == "shpat_by_hand"
        with pytest.raises(TokenRevoked):
            await token.refreshed("shpat_by_hand")
        assert world.shopify.asked == []


async def test_a_token_that_does_not_open_the_shop_connects_nothing(sqlite_url: str) -> None:
    async with open_world(sqlite_url) as world:
        world.shopify.answers.append(httpx.Response(401, json={"errors": "Unauthorized"}))
        with pytest.raises(InvalidInput):
            await by_hand.with_token(world.rt, HARBOR, "shpat_wrong")
        assert not await world.sql("SELECT 1 FROM store")


async def test_a_rotation_seals_every_token_under_the_newest_key(world: World) -> None:
    key = ("k1", b"0123456789abcdef0123456789abcdef")
    world.rt.cipher = Cipher([("k2", b"fedcba9876543210fedcba9876543210"), key])
    assert await tokens.rotate(world.rt) == 1
    assert await tokens.rotate(world.rt) == 0
    assert [row[0][:3] for row in await world.sql("SELECT refresh_sealed FROM token")] == ["k2."]
    world.rt.cipher = Cipher([("k2", b"fedcba9876543210fedcba9876543210")])
    assert await (await _token(world)).access_token() == "shpat_access1"


async def test_a_rotation_takes_what_was_renewed_meanwhile_in_its_next_round(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = ("k1", b"0123456789abcdef0123456789abcdef"), ("k2", b"f" * 16 + b"0" * 16)
    world.rt.cipher = Cipher([new, old])
    reseal, renewals = grants.reseal, [1]

    def renewed_first(session: Any, store_id: str, **more: Any) -> bool:
        # Somebody who does not know the new key yet renews the token in between.
        if renewals:
            renewals.pop()
            access = Cipher([old]).seal("shpat_renewed", store_id=store_id, purpose="access")
            told = {"a": access, "s": store_id}
            session.execute(
                sa.text(
                    "UPDATE token SET access_sealed = :a, generation = generation + 1 "
                    "WHERE store_id = :s"
                ),
                told,
            )
        return reseal(session, store_id, **more)

    monkeypatch.setattr(grants, "reseal", renewed_first)
    assert await tokens.rotate(world.rt) == 1
    world.rt.cipher = Cipher([new])
    assert await (await _token(world)).access_token() == "shpat_renewed"
    # Where that never ends, nobody is told that the old key may go.
    world.rt.cipher = Cipher([("k3", b"3" * 16 + b"0" * 16), new, old])
    renewals.extend([1] * 100)
    with pytest.raises(SettingsError, match="still sealed under an older key"):
        await tokens.rotate(world.rt)
