"""A real web process and visitors with ever new tabs: what it holds of them is counted."""

from __future__ import annotations

import asyncio
import re
import urllib.request
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from brandmind.launch.valkey import EmbeddedValkey
from brandmind.state.center import Center
from brandmind.state.tabs import MOST_LEFT_BEHIND
from brandmind.web.sockets import MOST_OF_AN_ADDRESS
from tests.identity_world import HARBOR
from tests.integration.raw_socket import NAMESPACE, RawSocket, raw_socket
from tests.integration.stranger_world import NET
from tests.integration.web_house import WebHouse, web_house

pytestmark = pytest.mark.timeout(300)

TOKEN = "for-the-eyes-of-operators-7"
FOLLOW = f"{Center.get_full_name()}.follow"
TURN = f"{Center.get_full_name()}.turn_table"
CENTER = f"/command-center?shop={HARBOR}"
TURNED = '"as_table_rx_state_":true'


@pytest.fixture(scope="module")
def house(
    tmp_path_factory: pytest.TempPathFactory, _migrated_sqlite: Path, _valkey: EmbeddedValkey
) -> Iterator[WebHouse]:
    if not _valkey.is_ready():
        _valkey.start()
    folder = tmp_path_factory.mktemp("tabs")
    with web_house(
        folder, _migrated_sqlite, redis_url=_valkey.url, BRANDMIND_METRICS_TOKEN=TOKEN
    ) as made:
        yield made


def numbers(house: WebHouse) -> dict[str, float]:
    request = urllib.request.Request(f"http://127.0.0.1:{house.port}/metrics")
    request.add_header("Authorization", f"Bearer {TOKEN}")
    with urllib.request.urlopen(request, timeout=30) as answer:
        said = answer.read().decode()
    return {name: float(number) for name, number in re.findall(r"^([a-z].*) (\S+)$", said, re.M)}


async def held(house: WebHouse, of: str) -> int:
    told = await asyncio.to_thread(numbers, house)
    return int(told[f'brandmind_tabs{{of="{of}"}}'])


async def comes_to(house: WebHouse, of: str, most: int) -> None:
    """Waits until no more than so many are held; a tab goes a moment after its socket."""
    async with asyncio.timeout(60):
        while await held(house, of) > most:
            await asyncio.sleep(0.05)


async def hydrated(house: WebHouse, token: str, *, cookie: str | None = None) -> None:
    async with raw_socket(house.port, token=token, cookie=cookie, origins=[house.origin]) as tab:
        await tab.joins()
        await tab.rest(CENTER)


async def opened_by_alice(house: WebHouse, tab: RawSocket) -> None:
    await tab.joins()
    await tab.event(FOLLOW, CENTER, {})
    await tab.until(lambda: NET in "".join(tab.frames))


async def test_strangers_with_ever_new_tokens_leave_nothing_and_harm_no_open_page(
    house: WebHouse,
) -> None:
    before = await held(house, "stranger")
    async with raw_socket(
        house.port, token="alices", cookie=house.cookies["alice"], origins=[house.origin]
    ) as tab:
        await opened_by_alice(house, tab)
        assert await held(house, "signed_in") == 1
        most = 0
        for group in range(20):
            tokens = [f"new-{group}-{number}" for number in range(20)]
            await asyncio.gather(*(hydrated(house, token) for token in tokens))
            most = max(most, await held(house, "stranger"))
        assert most <= before + 40, "as many as have sockets, and those on their way out"
        await comes_to(house, "stranger", before)
        # Her page is where it was, and what she has turned stays turned.
        assert await held(house, "signed_in") == 1
        await tab.event(TURN, CENTER, {})
        await tab.until(lambda: TURNED in "".join(tab.frames))
    async with raw_socket(
        house.port, token="alices", cookie=house.cookies["alice"], origins=[house.origin]
    ) as again:
        await again.joins()
        await again.rest(CENTER)
        assert TURNED in "".join(again.frames)


async def test_a_stranger_who_is_there_has_a_tab(house: WebHouse) -> None:
    before = await held(house, "stranger")
    async with raw_socket(house.port, token="looks", origins=[house.origin]) as tab:
        await tab.joins()
        await tab.rest(CENTER)
        assert await held(house, "stranger") == before + 1
    await comes_to(house, "stranger", before)


async def test_one_socket_that_joins_again_and_again_holds_one_tab(house: WebHouse) -> None:
    before = await held(house, "stranger")
    async with raw_socket(house.port, token="comes-and-goes", origins=[house.origin]) as socket:
        for _ in range(300):
            await socket.send(f"40{NAMESPACE},", f"41{NAMESPACE},")
        await socket.joins()
        await socket.rest(CENTER)
        await comes_to(house, "stranger", before + 1)


async def test_of_a_session_the_latest_tabs_are_kept(house: WebHouse) -> None:
    bob = house.cookies["bob"]
    before = await held(house, "signed_in")
    for number in range(MOST_LEFT_BEHIND + 15):
        async with raw_socket(
            house.port, token=f"bobs-{number}", cookie=bob, origins=[house.origin]
        ) as tab:
            await tab.joins()
            await tab.event(FOLLOW, CENTER, {})
            await tab.until(lambda tab=tab: '"gate":"open"' in "".join(tab.frames))  # type: ignore[misc]
    await comes_to(house, "signed_in", before + MOST_LEFT_BEHIND)


async def test_an_address_has_so_many_sockets_at_once_and_the_signed_in_have_theirs(
    house: WebHouse,
) -> None:
    async with AsyncExitStack() as stack:

        async def one_more(number: int, cookie: str | None = None) -> RawSocket:
            return await stack.enter_async_context(
                raw_socket(
                    house.port, token=f"many-{number}", cookie=cookie, origins=[house.origin]
                )
            )

        refused: list[int] = []
        for number in range(MOST_OF_AN_ADDRESS + 10):
            try:
                await one_more(number)
            except InvalidStatus as error:
                refused.append(error.response.status_code)
        assert len(refused) >= 10
        assert set(refused) == {403}
        alices = await one_more(999, house.cookies["alice"])
        await opened_by_alice(house, alices)
        told = await asyncio.to_thread(numbers, house)
        assert told['brandmind_sockets_refused_total{reason="too_many"}'] == len(refused)
    # And there is room again once they have gone.
    async with asyncio.timeout(60):
        while True:
            try:
                await hydrated(house, "after-them")
                return
            except InvalidStatus:
                await asyncio.sleep(0.05)


async def test_a_flood_of_events_waits_in_the_network_and_not_in_memory(house: WebHouse) -> None:
    async with raw_socket(house.port, token="floods", origins=[house.origin]) as flood:
        await flood.joins()
        await flood.rest(CENTER)
        told = {"pathname": "/", "asPath": "/?" + "x" * 8_000, "query": {}}
        event = {"name": TURN, "router_data": told, "payload": {}}
        before = house.resident_kb()
        for _ in range(3_000):
            await flood.emit("event", event)
        # Somebody else does not wait for all that.
        await hydrated(house, "in-between")
        assert house.resident_kb() - before < 12_000
