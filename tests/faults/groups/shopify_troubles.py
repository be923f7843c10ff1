"""Group 12: Shopify refuses, breaks off, forgets, repeats itself and changes while it is read."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, Final

import httpx
import sqlalchemy as sa

from brandmind.commerce.shop import normalise_shop_domain
from brandmind.db import stores
from brandmind.db.tables import STAGE
from brandmind.services import syncs, tokens
from brandmind.services.connect import scope_list
from brandmind.shopify.oauth import OfflineGrant
from brandmind.sync.stages import StageState
from tests.faults.ground import Shop
from tests.faults.groups.deaths import BY_EXPORT, seen_to_the_end, stands_at_the_gate
from tests.faults.lane import Arena, Kind, Lane
from tests.faults.outcome import Outcome, judge
from tests.faults.reader import Reader

Fault = dict[str, Any]

_CHURN: Final = {"create": 0.2, "update": 0.4, "edit": 0.2, "delete": 0.1, "merge": 0.05}

STORM: tuple[Fault, ...] = (
    {"kind": "http429", "seconds": 0.2},
    {"kind": "throttled"},
    {"kind": "http5xx"},
    {"kind": "reset"},
    {"kind": "page-twice"},
)
EXPORTS: tuple[Fault, ...] = (
    *({"kind": "bulk-failed", "mode": mode} for mode in ("INTERNAL_SERVER_ERROR", "TIMEOUT")),
    {"kind": "bulk-cancelled"},
    *({"kind": "bulk-stuck", "mode": mode} for mode in ("CREATED", "RUNNING")),
    {"kind": "bulk-expired"},
    {"kind": "bulk-gone"},
    {"kind": "bulk-cut"},
    *({"kind": "bulk-truncated", "mode": mode} for mode in ("mid-line", "missing-lines")),
)
_CLIENT = {"BRANDMIND_SHOPIFY_CLIENT_ID": "brandmind-local"}
_CLIENT |= {"BRANDMIND_SHOPIFY_CLIENT_SECRET": "brandmind-local-secret"}


async def storm(lane: Lane, kind: Kind, rng: Random, outcome: Outcome, *, times: int) -> None:
    """Answers that are refused, broken, cut off or doubled, anywhere in a sync."""
    async with lane.arena(kind) as arena:
        await arena.starts()
        await _troubled(lane, arena, rng, outcome, STORM, times=times)


async def exports(lane: Lane, kind: Kind, rng: Random, outcome: Outcome, *, times: int) -> None:
    """Exports that fail, are cancelled, never start, expire, or come broken."""
    async with lane.arena(kind) as arena:
        arena.told = BY_EXPORT
        await arena.starts()
        await _troubled(lane, arena, rng, outcome, EXPORTS, times=times)


async def _troubled(
    lane: Lane, arena: Arena, rng: Random, outcome: Outcome, faults: Sequence[Fault], *, times: int
) -> None:
    """Sync stores with one fault of each kind at a time, until so many have struck."""
    kinds = [*faults]
    while outcome.faults < times:
        shop = lane.shop(orders=rng.randint(250, 500))
        shop.hold_after(rng.randint(3, 6))
        store_id = await arena.connect(shop)
        reader = Reader(arena.rt, store_id)
        struck = outcome.faults
        while outcome.faults < times and await stands_at_the_gate(arena, shop, store_id):
            if not kinds:
                kinds = rng.sample(faults, len(faults))
            shop.control("faults", **kinds[0], count=1)
            shop.go_on()
            shop.hold_after(rng.randint(6, 12))
            await stands_at_the_gate(arena, shop, store_id)
            if _left(shop) == 0:
                outcome.faults += 1
                kinds.pop(0)
            shop.control("faults", method="DELETE")
        shop.go_on()
        await arena.completed(store_id, within_s=120.0)
        await seen_to_the_end(reader, outcome)
        await hold_stages(outcome, arena, store_id)
        await judge(outcome, arena, shop, store_id, peace=await lane.peace(shop))
        if outcome.faults == struck:
            outcome.wrong.append(f"nothing was struck by {kinds[0]}")
            return


def _left(shop: Shop) -> int:
    (found,) = shop.control("faults", method="GET").values()
    return sum(int(one["count"]) for one in found)


async def hold_stages(outcome: Outcome, arena: Arena, store_id: str) -> None:
    """No stage is called done that is short of its total."""
    for row in await arena.db.read(_stages, store_id):
        short = row.state == StageState.DONE.value and row.total is not None
        if short and row.done < row.total and row.updated_from is None:
            outcome.wrong.append(f"{row.stage} is done with {row.done} of {row.total}")


def _stages(session: Any, store_id: str) -> Sequence[Any]:
    from brandmind.db.tables import RUN

    query = sa.select(STAGE).join(RUN, RUN.c.run_id == STAGE.c.run_id)
    return session.execute(query.where(RUN.c.store_id == store_id)).all()


# Tokens


async def dying_tokens(
    lane: Lane, kind: Kind, rng: Random, outcome: Outcome, *, times: int
) -> None:
    """A token dies in mid-sync and is renewed; sometimes the answer to that is lost."""
    async with lane.arena(kind) as arena:
        arena.told = _CLIENT
        await arena.starts()
        while outcome.faults < times:
            shop = lane.shop(orders=rng.randint(150, 300))
            store_id = await _connect_as_an_app(arena, shop, hold_after=rng.randint(3, 6))
            reader = Reader(arena.rt, store_id)
            while outcome.faults < times and await stands_at_the_gate(arena, shop, store_id):
                shop.control("faults", kind="token-expiry", count=1)
                if rng.random() < 0.5:
                    shop.control("faults", kind="lost-refresh", count=1)
                    outcome.faults += 1
                outcome.faults += 1
                shop.go_on()
                shop.hold_after(rng.randint(10, 16))
            shop.go_on()
            await arena.completed(store_id, within_s=90.0)
            await seen_to_the_end(reader, outcome)
            await judge(outcome, arena, shop, store_id, peace=await lane.peace(shop))


async def _connect_as_an_app(arena: Arena, shop: Shop, *, hold_after: int) -> str:
    """Connected by a grant that expires and is renewed, as the callback of an install does."""
    answer = httpx.post(
        f"{shop.address}/{shop.domain}/admin/oauth/access_token",
        data={
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "client_id": _CLIENT["BRANDMIND_SHOPIFY_CLIENT_ID"],
            "client_secret": _CLIENT["BRANDMIND_SHOPIFY_CLIENT_SECRET"],
            "subject_token": shop.token(),
            "expiring": "1",
        },
        timeout=30,
    )
    told = answer.raise_for_status().json()
    grant = OfflineGrant(
        access_token=told["access_token"],
        scopes=frozenset(told["scope"].split(",")),
        expires_in_s=told["expires_in"],
        refresh_token=told["refresh_token"],
        refresh_expires_in_s=told["refresh_token_expires_in"],
    )
    rt = arena.rt
    shop.hold_after(hold_after)
    done = await rt.db.write(
        stores.connect,
        normalise_shop_domain(shop.domain),
        scopes=scope_list(grant.scopes),
        seal=lambda store_id: tokens.seal(rt, grant, store_id=store_id),
    )
    assert done.run_id is not None
    await rt.jobs.ring(done.run_id)
    return str(done.store_id)


# A shop that does not stand still


async def restless(lane: Lane, kind: Kind, rng: Random, outcome: Outcome, *, times: int) -> None:
    """Rows are created, changed, merged and deleted while they are read, by pages and then by
    exports; lists lag behind them by some seconds until the last sync."""
    for told in ({}, BY_EXPORT):
        enough = outcome.faults + (times + 1) // 2
        async with lane.arena(kind) as arena:
            arena.told = told
            await arena.starts()
            while outcome.faults < enough:
                await _one_restless_shop(lane, arena, rng, outcome)


async def _one_restless_shop(lane: Lane, arena: Arena, rng: Random, outcome: Outcome) -> None:
    shop = lane.shop(orders=rng.randint(100, 200))
    shop.control("faults", kind="listing-lag", seconds=rng.choice((0.5, 2, 4)))
    shop.control("churn", seed=rng.randint(1, 10**6), **_CHURN)
    store_id = await arena.connect(shop)
    await arena.settled(store_id)
    outcome.faults += _changes(shop)
    shop.control("churn", method="DELETE")
    shop.control("faults", method="DELETE")
    await syncs.request(arena.rt, store_id, by="somebody", limited=False)
    await arena.settled(store_id)
    await judge(outcome, arena, shop, store_id, peace=await lane.peace(shop, fresh=True))


def _changes(shop: Shop) -> int:
    done: dict[str, list[str]] = shop.control("churn", method="GET")["done"]
    return sum(len(ids) for ids in done.values())
