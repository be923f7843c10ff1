"""Each query about stores and people shows and changes nothing of a store it was not asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from brandmind.clock import utc_now
from brandmind.db import grants, pruning, sessions, stores, users
from brandmind.errors import InvalidInput, NotAllowed, NotFound
from brandmind.services import members
from brandmind.services import sessions as signed_in
from brandmind.services import stores as store_acts
from brandmind.services.deliveries import Keeper
from brandmind.services.sessions import StoreRef, Viewer
from tests.identity_world import HARBOR, LEMON, Somebody, World, open_world

ALICE = Somebody(1, "Alice Harbor", owner=True)
BOB = Somebody(2, "Bob Harbor")
CHARLIE = Somebody(3, "Charlie Lemon", owner=True)


class Scene:
    def __init__(self, world: World) -> None:
        self.world = world
        self.harbor = ""
        self.lemon = ""
        self.opened_at = utc_now()
        self.viewers: dict[str, Viewer] = {}

    async def set(self) -> None:
        for person, shop in ((ALICE, HARBOR), (BOB, HARBOR), (CHARLIE, LEMON)):
            async with self.world.browser() as browser:
                if person is BOB:
                    await self.world.sign_in(browser, person, shop)
                else:
                    await self.world.connect(browser, person, shop)
                header = f"bm_session={browser.cookies['bm_session']}"
            viewer = await signed_in.who(self.world.rt, header)
            assert viewer is not None
            self.viewers[person.name.split()[0]] = viewer
        self.harbor = await self.world.store_id(HARBOR)
        self.lemon = await self.world.store_id(LEMON)

    def store(self, name: str) -> StoreRef:
        return self.viewers[name].stores[0]

    async def of_lemon(self) -> list[list[object]]:
        """All that is kept of Charlie's store."""
        return [
            [
                tuple(row)
                for row in await self.world.sql(
                    f"SELECT * FROM {table} WHERE store_id = :s", s=self.lemon
                )
            ]
            for table in ("store", "token", "membership", "session_store")
        ]


@pytest.fixture
async def scene(database_url: str) -> AsyncIterator[Scene]:
    async with open_world(database_url) as world:
        made = Scene(world)
        await made.set()
        yield made


async def test_reading_one_store_shows_nothing_of_another(scene: Scene) -> None:
    db = scene.world.rt.db
    names = [row.name for row in await db.read(users.members, scene.harbor)]
    assert names == ["Alice Harbor", "Bob Harbor"]
    charlie = scene.viewers["Charlie"].user_id
    assert not await db.read(users.may_enter, scene.harbor, charlie)
    assert await db.read(users.may_enter, scene.lemon, charlie)
    assert await db.read(sessions.holding, scene.harbor, user_id=charlie) == []
    mine = await db.read(grants.find, scene.harbor)
    theirs = await db.read(grants.find, scene.lemon)
    assert mine is not None
    assert theirs is not None
    assert mine.grant.access_sealed != theirs.grant.access_sealed
    assert await db.read(stores.find, "0000000000") is None
    assert await db.read(grants.find, "0000000000") is None


async def test_writing_one_store_changes_nothing_of_another(scene: Scene) -> None:
    db, now = scene.world.rt.db, utc_now()
    before = await scene.of_lemon()
    await db.write(stores.learn_shop_id, scene.harbor, shop_id=1)
    await db.write(users.add_by_hand, scene.harbor, name="Dora", now=now)
    bob = scene.viewers["Bob"].user_id
    await db.write(users.set_blocked, scene.harbor, user_id=bob, at=now)
    mine = await db.read(grants.find, scene.harbor)
    assert mine is not None
    await db.write(grants.put, scene.harbor, mine.grant)
    lease_no = await db.write(grants.take_lease, scene.harbor, generation=2, lease_no=1)
    assert lease_no is not None
    await db.write(grants.renew, scene.harbor, mine.grant, generation=2, lease_no=lease_no)
    await db.write(grants.bury, scene.harbor, generation=3)
    assert await scene.of_lemon() == before


async def test_only_the_owner_blocks_and_only_members_of_that_store(scene: Scene) -> None:
    rt = scene.world.rt
    alice, bob, charlie = (scene.viewers[name].user_id for name in ("Alice", "Bob", "Charlie"))
    with pytest.raises(NotAllowed):
        await members.block(rt, scene.store("Bob"), user_id=alice)
    with pytest.raises(NotAllowed):
        await members.block(rt, scene.store("Alice"), user_id=alice)
    with pytest.raises(NotFound):
        await members.block(rt, scene.store("Alice"), user_id=charlie)
    await members.block(rt, scene.store("Alice"), user_id=bob)
    assert scene.world.bell.ended == [scene.viewers["Bob"].session_id]
    listed = await members.listed(rt, scene.store("Alice"))
    assert [(row.name, row.blocked_at is not None) for row in listed] == [
        ("Alice Harbor", False),
        ("Bob Harbor", True),
    ]
    await members.let_in(rt, scene.store("Alice"), user_id=bob)
    assert await rt.db.read(users.may_enter, scene.harbor, bob)


async def test_a_block_survives_uninstall_and_reinstall(scene: Scene) -> None:
    world = scene.world
    await members.block(world.rt, scene.store("Alice"), user_id=scene.viewers["Bob"].user_id)
    now = "1700000000000" if world.rt.db.is_sqlite else "'2023-11-14T00:00:00Z'"
    await world.sql(f"UPDATE store SET uninstalled_at = {now} WHERE domain = :d", d=HARBOR)
    async with world.browser() as alice, world.browser() as bob:
        await world.connect(alice, ALICE)
        assert (await world.sign_in(bob, BOB)).status_code == 403


async def _kept(scene: Scene) -> set[str]:
    """Whose sessions are still stored; none without the stores it has passed."""
    rows = dict(await scene.world.sql("SELECT session_id, user_id FROM session"))
    passed = await scene.world.sql("SELECT session_id FROM session_store")
    assert {row[0] for row in passed} == set(rows)
    names = {viewer.user_id: name for name, viewer in scene.viewers.items()}
    return {names[user_id] for user_id in rows.values()}


async def test_a_session_that_is_over_is_deleted_and_one_that_holds_is_not(scene: Scene) -> None:
    db, now = scene.world.rt.db, utc_now()
    await db.write(sessions.end, scene.viewers["Bob"].session_id, now=now)
    fresh = now + sessions.IDLE - timedelta(minutes=1)
    await db.write(sessions.touch, scene.viewers["Alice"].session_id, now=fresh)
    assert await db.write(pruning.prune_sessions, now=now) == 1
    assert await _kept(scene) == {"Alice", "Charlie"}
    # Charlie has not been back for 14 days.
    assert await db.write(pruning.prune_sessions, now=now + sessions.IDLE) == 1
    assert await _kept(scene) == {"Alice"}
    await db.write(sessions.touch, scene.viewers["Alice"].session_id, now=now + timedelta(days=29))
    late = scene.opened_at + sessions.LONGEST
    assert await db.write(pruning.prune_sessions, now=late - timedelta(seconds=1)) == 0
    assert await db.write(pruning.prune_sessions, now=late + timedelta(minutes=1)) == 1
    assert await _kept(scene) == set()


async def test_sessions_that_are_over_go_a_few_at_a_time(scene: Scene) -> None:
    db, late = scene.world.rt.db, utc_now() + sessions.LONGEST
    assert await db.write(pruning.prune_sessions, now=late, at_once=2) == 2
    assert await db.write(pruning.prune_sessions, now=late, at_once=2) == 1
    assert await db.write(pruning.prune_sessions, now=late, at_once=2) == 0


async def test_the_keeper_deletes_what_is_over_and_leaves_who_is_signed_in(scene: Scene) -> None:
    rt = scene.world.rt
    await signed_in.revoke(rt, scene.viewers["Bob"].session_id)
    await Keeper(rt).look()
    assert await _kept(scene) == {"Alice", "Charlie"}


async def test_the_operator_names_an_administrator_without_guessing(scene: Scene) -> None:
    rt = scene.world.rt
    assert await store_acts.set_admin(rt, "Bob Harbor", admin=True) == "Bob Harbor"
    with pytest.raises(NotFound):
        await store_acts.set_admin(rt, "Nobody", admin=True)
    async with scene.world.browser() as other:
        await scene.world.sign_in(other, Somebody(4, "Bob Harbor"))
    with pytest.raises(InvalidInput):
        await store_acts.set_admin(rt, "Bob Harbor", admin=True)
    bob = scene.viewers["Bob"].user_id
    assert await store_acts.set_admin(rt, bob, admin=True) == "Bob Harbor"
    rows = await scene.world.sql("SELECT user_id FROM app_user WHERE admin")
    assert [row[0] for row in rows] == [bob]
    assert await store_acts.set_admin(rt, bob, admin=False) == "Bob Harbor"
    assert not await scene.world.sql("SELECT user_id FROM app_user WHERE admin")


async def test_two_hands_that_connect_one_store_make_one_store(database_url: str) -> None:
    async with open_world(database_url) as world, world.browser() as a, world.browser() as b:
        answers = await asyncio.gather(world.install(a), world.install(b))
        assert [answer.status_code for answer in answers] == [302, 302]
        assert len(await world.sql("SELECT 1 FROM store")) == 1
        assert len(await world.sql("SELECT 1 FROM sync_run")) == 1
        assert [row[0] for row in await world.sql("SELECT generation FROM token")] == [2]
