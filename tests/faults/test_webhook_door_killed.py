"""The web process dies in the middle of a load: what it accepted is there, and counts once."""

from __future__ import annotations

import pytest

from bench import webhooks as load
from brandmind.services import deliveries
from brandmind.sync.stages import Stage
from tests.identity_world import open_world
from tests.integration.test_webhook_landing import Shop, equals_the_truth
from tests.records import an_order

pytestmark = pytest.mark.faults

SENT = 1_500


def _shop() -> Shop:
    """What the deliveries are about: an order each."""
    shop = Shop()
    shop.put(
        Stage.ORDERS,
        *(an_order(one, net_minor=1_000 + one, customer_id=None) for one in range(1, SENT + 1)),
    )
    return shop


async def _kept(url: str) -> set[str]:
    """The ids of the deliveries that lie in the inbox."""
    async with open_world(url) as world:
        return {row[0] for row in await world.sql("SELECT webhook_id FROM inbox")}


async def _worked_off(url: str, shop: Shop) -> list[int]:
    """Work off all that lies in the inbox; the orders that it asked the shop for."""
    shop.asked.clear()
    async with open_world(url) as world:
        while await deliveries.work(world.rt):
            pass
    return sorted(one for stage, ids in shop.asked if stage is Stage.ORDERS for one in ids)


@pytest.mark.parametrize(
    ("kind", "killed_after"),
    [
        ("sqlite_url", 150),
        ("sqlite_url", 850),
        pytest.param("postgres_database_url", 500, marks=pytest.mark.postgres),
    ],
)
async def test_what_was_accepted_before_a_kill_is_not_lost_and_nothing_is_applied_twice(
    kind: str, killed_after: int, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = request.getfixturevalue(kind)
    shop = _shop()
    monkeypatch.setattr(deliveries, "source_of", lambda _rt, _turn: shop)
    load.prepare(url)
    said = load.requests(SENT)
    order_of = {webhook_id: 1 + number for number, (webhook_id, _) in enumerate(said)}
    with load.door("ours", url) as (process, port):
        # Killed by what it did and not by the clock: in the midst of the load on any machine.
        first = await load.pour(port, said, after=(killed_after, process.kill))
    assert killed_after <= len(first.accepted) < len(said)
    kept = await _kept(url)
    assert set(first.accepted) <= kept
    # A worker is through with these when Shopify sends them again.
    assert await _worked_off(url, shop) == sorted(order_of[one] for one in kept)
    # Shopify sends again what was not accepted, and some of the others as well.
    answered = set(first.accepted)
    again = [one for n, one in enumerate(said) if one[0] not in answered or n % 5 == 0]
    with load.door("ours", url) as (_, port):
        second = await load.pour(port, again)
    assert second.refused == 0
    assert len(second.accepted) == len(again)
    # What was applied is not taken up again, and the rest is, once.
    others = sorted(order for one, order in order_of.items() if one not in kept)
    assert await _worked_off(url, shop) == others
    async with open_world(url) as world:
        await equals_the_truth(world, shop, "bench-id")
