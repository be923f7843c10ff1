"""Websocket clients that are no browsers, at a real web process: over every handler there is."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from reflex_base.registry import RegistrationContext
from websockets.exceptions import InvalidStatus

import brandmind.brandmind
from brandmind.launch.valkey import EmbeddedValkey
from brandmind.state.center import Center
from brandmind.state.frame import Frame
from brandmind.state.settings import Settings
from brandmind.state.signed_in import SignedIn
from tests.identity_world import HARBOR
from tests.integration.raw_socket import raw_socket
from tests.integration.stranger_world import ALICES_ADDRESSES, NET, SHOP_NAME
from tests.integration.web_house import WebHouse, web_house

pytestmark = pytest.mark.timeout(300)

APP = brandmind.brandmind.app
ADDRESSES = (ALICES_ADDRESSES[3], ALICES_ADDRESSES[4])
CENTER = f"/command-center?shop={HARBOR}"
# What a page says to whoever may not open the store it is asked for.
DOORS = ('"gate":"signed_out"', '"gate":"missing"')
# In test-process and server alike; `setvar` and Reflex's own among them.
HANDLERS = {name: at.handler for name, at in RegistrationContext.get().event_handlers.items()}


@pytest.fixture(scope="module")
def migrated(_migrated_sqlite: Path) -> Path:
    return _migrated_sqlite


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, migrated: Path, _valkey: EmbeddedValkey
) -> Iterator[WebHouse]:
    if not _valkey.is_ready():
        _valkey.start()
    folder = tmp_path_factory.mktemp("served")
    with web_house(folder, migrated, redis_url=_valkey.url) as house:
        yield house


@pytest.fixture
def house(served: WebHouse) -> Iterator[WebHouse]:
    """The process; whatever a test did to it, nothing has changed and no cookie was logged."""
    before = served.everything()
    yield served
    assert served.process.poll() is None, served.said()[-4000:]
    assert served.everything() == before
    assert cookies_in_log(served) == []


def cookies_in_log(house: WebHouse) -> list[str]:
    said = house.said()
    values = {who: cookie.partition("=")[2] for who, cookie in house.cookies.items() if cookie}
    return [who for who, value in values.items() if value in said]


def named(state: Any, name: str) -> str:
    return f"{state.get_full_name()}.{name}"


def hostile_payloads(handler: Any, house: WebHouse) -> Iterator[Any]:
    """The right names with wrong things, and names of its own."""
    takes = [name for name in handler._parameters if name != "self"]
    notice = f"{Frame.get_full_name()}.notice_rx_state_"
    for value in (
        house.store_id,
        None,
        -1,
        1e308,
        "x" * 10_000,
        [house.store_id],
        {"store_id": house.store_id},
        {notice: "planted", f"{Frame.get_full_name()}._seen_by": "planted"},
    ):
        if takes:
            yield dict.fromkeys(takes, value)
    yield {"var_name": "notice", "value": "planted"}
    yield {"store_id": house.store_id}
    yield {"access": {"store": {"store_id": house.store_id}}, "self": {}, "shop": HARBOR}
    # No payload at all.
    yield from (None, [], "x", 7)


async def try_handler(house: WebHouse, name: str, cookie: str | None, *, hostile: bool) -> set[str]:
    """Sends one handler all there is to send; which secrets came back."""
    handler = HANDLERS.get(name)
    token = f"tab-{abs(hash((name, cookie, hostile)))}"
    async with raw_socket(house.port, token=token, cookie=cookie, origins=[house.origin]) as socket:
        await socket.joins()
        for address in ADDRESSES:
            await socket.event(name, address, {})
            if hostile and handler is not None:
                for payload in hostile_payloads(handler, house):
                    await socket.event(name, address, payload)
        await socket.rest(ADDRESSES[0])
        if handler is not None and handler.is_background:
            # Of those before, each may have ended the one before it.
            await socket.event(name, ADDRESSES[0], {})
            await socket.until(lambda: bool(socket.heard(DOORS)))
        assert "planted" not in "".join(socket.frames)
        # What was sent along is no news.
        return socket.heard(house.secrets - ({house.store_id} if hostile else set()))


async def walk(
    house: WebHouse, names: list[str], cookie: str | None, *, hostile: bool
) -> dict[str, set[str]]:
    """Every handler on a connection of its own; what was learnt or changed, by handler."""
    found: dict[str, set[str]] = {}
    for at in range(0, len(names), 8):
        some = names[at : at + 8]
        learnt = await asyncio.gather(
            *(try_handler(house, name, cookie, hostile=hostile) for name in some)
        )
        found |= {name: heard for name, heard in zip(some, learnt, strict=True) if heard}
    return found


async def test_the_owner_hears_it_all_on_the_same_wire(house: WebHouse) -> None:
    async with raw_socket(
        house.port, token="alices", cookie=house.cookies["alice"], origins=[house.origin]
    ) as socket:
        await socket.joins()
        await socket.event(named(Center, "follow"), CENTER, {})
        await socket.until(lambda: socket.heard({SHOP_NAME, NET}) == {SHOP_NAME, NET})
        # Not even to its own browser: scripts must not read it.
        await socket.rest(CENTER)
        assert house.cookies["alice"] is not None
        assert not socket.heard({house.cookies["alice"].partition("=")[2]})


@pytest.mark.parametrize("who", ["charlie", "nobody", "a made-up session"])
@pytest.mark.parametrize("hostile", [False, True], ids=["plain", "hostile"])
async def test_no_handler_tells_or_changes_anything_for_a_stranger(
    house: WebHouse, who: str, hostile: bool
) -> None:
    every = sorted(HANDLERS)
    assert {named(Center, "follow"), named(Frame, "sync_now"), named(SignedIn, "sign_out")} <= set(
        every
    )
    cookie = house.cookies.get(who, "bm_session=" + "A" * 43)
    before = house.everything()
    assert await walk(house, every, cookie, hostile=hostile) == {}
    assert house.everything() == before


def test_the_walk_notices_a_handler_that_was_left_open(
    tmp_path: Path, migrated: Path, valkey_url: str
) -> None:
    at = "reflex___state____state.tests___integration___left_open____left_open"
    with web_house(tmp_path, migrated, redis_url=valkey_url, LEFT_OPEN="1") as house:
        before = house.everything()
        assert asyncio.run(walk(house, [f"{at}.unmarked"], None, hostile=False)) == {}
        assert house.everything() == before
        found = asyncio.run(walk(house, [f"{at}.tell"], None, hostile=False))
        assert found == {f"{at}.tell": {SHOP_NAME}}
        assert house.everything() != before


def origins(port: int) -> dict[str, list[str]]:
    return {
        "another host": ["https://evil.example"],
        "no origin a page has": ["null"],
        "ours with more behind": [f"http://localhost:{port}.evil.example"],
        "ours as a user name": [f"http://localhost:{port}@evil.example"],
        "another port": [f"http://localhost:{port + 1}"],
        "another scheme": [f"https://localhost:{port}"],
        "two": ["https://evil.example", f"http://localhost:{port}"],
        # No browser leaves it out.
        "none": [],
        "an empty one": [""],
    }


@pytest.mark.parametrize("which", sorted(origins(1)))
async def test_a_page_of_another_origin_gets_no_socket_even_with_the_owners_cookie(
    house: WebHouse, which: str
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with raw_socket(
            house.port,
            token="forged",
            cookie=house.cookies["alice"],
            origins=origins(house.port)[which],
        ) as socket:
            await socket.joins()
    assert refused.value.response.status_code == 403
    # And may read no answer of a route.
    for path in ("/api/sessions", f"/api/stores/{house.store_id}/status"):
        request = urllib.request.Request(f"http://127.0.0.1:{house.port}{path}")
        for origin in origins(house.port)[which][:1]:
            request.add_header("Origin", origin)
        request.add_header("Cookie", house.cookies["alice"] or "")
        with await asyncio.to_thread(urllib.request.urlopen, request, timeout=30) as answer:
            allowed = answer.headers.get("access-control-allow-origin")
        assert allowed is None


@pytest.mark.parametrize("by", ["router_data", "connect", "header twice", "other names"])
async def test_nobody_becomes_alice_by_saying_so(house: WebHouse, by: str) -> None:
    alices = house.cookies["alice"] or ""
    value = alices.partition("=")[2]
    forged = {
        "pathname": "/command-center",
        "asPath": CENTER,
        "query": {},
        "headers": {"cookie": alices},
        "token": "alices-tab",
        "ip": "127.0.0.1",
    }
    event = {"name": named(Center, "follow"), "router_data": forged, "payload": {}}
    more: list[tuple[str, str]] = []
    if by == "header twice":
        # Of two cookies of a name the first counts, wherever the second comes from.
        more = [
            ("Cookie", "theme=dark"),
            ("X-Cookie", alices),
            ("Authorization", f"Bearer {value}"),
        ]
    if by == "other names":
        more = [("Cookie", f"__Host-bm_session={value}; bm_flow={value}; session={value}")]
    async with raw_socket(
        house.port,
        token=f"charlies-{by.replace(' ', '-')}",
        cookie=house.cookies["charlie"],
        origins=[house.origin],
        more=more,
    ) as socket:
        await socket.joins({"event": event} if by == "connect" else None)
        await socket.emit("event", event)
        await socket.emit("event", {**event, "token": "alices-tab", "cookie": alices})
        await socket.until(lambda: bool(socket.heard(DOORS)))
        await socket.rest(CENTER)
        assert not socket.heard(house.secrets)


async def test_another_tabs_token_opens_nothing_of_that_tab(house: WebHouse) -> None:
    alice, charlie = house.cookies["alice"], house.cookies["charlie"]

    async def steals(token: str) -> None:
        for cookie in (charlie, None):
            async with raw_socket(
                house.port, token=token, cookie=cookie, origins=[house.origin]
            ) as thief:
                await thief.joins()
                await thief.event(named(Center, "turn_table"), CENTER, {})
                await thief.event(named(Frame, "close_notice"), CENTER, {})
                await thief.rest(CENTER)
                await thief.event(named(Center, "follow"), CENTER, {})
                await thief.until(lambda: bool(thief.heard(DOORS)))
                assert not thief.heard(house.secrets)

    async with raw_socket(
        house.port, token="open-tab", cookie=alice, origins=[house.origin]
    ) as tab:
        await tab.joins()
        await tab.event(named(Center, "follow"), CENTER, {})
        await tab.until(lambda: NET in "".join(tab.frames))
        await steals("open-tab")
    # And once she has closed it, while the server still keeps what it held.
    await steals("open-tab")


ODD: tuple[tuple[str | bytes, ...], ...] = (
    ('42/_event,["event"]',),
    ('42/_event,["event",null]', '42/_event,["event",[1,2]]', '42/_event,["event",7]'),
    ('42/_event,["event","not json"]', '42/_event,["event","{}"]'),
    ('42/_event,["event",{"name":"no.such.event","payload":{},"router_data":{}}]',),
    ('42/_event,["event",{"name":7}]', '42/_event,["event",{"name":"x.setvar","payload":{}}]'),
    ('42/_event,["event",{"name":"","router_data":[],"payload":{}}]',),
    ('42/_event,["event",{"name":"a.b","router_data":"x","payload":{}}]',),
    ('42/_event,["event",{"name":"' + "a." * 3000 + 'b","payload":{}}]',),
    ('42/_event,["client_error",{"message":"boo"}]', '42/_event,["client_error"]'),
    ('42/_event,["client_error",{"error_type":{"a":[]},"message":["b"]}]',),
    ('42/_event,["no_such_message",{}]', '42/_event,["__class__"]', '42/_event,["on_connect"]'),
    ('42/_event,["_build_static_router_data","x",{}]', '42/_event,["ping"]'),
    ('42/admin,["event",{}]', "40/admin,", '42["event",{}]'),
    ("42/_event,not json at all", "42/_event,", "4", "49", "", "\x00"),
    ('451-/_event,["event",{"_placeholder":true,"num":0}]', b"\x04binary"),
    (b"\xff\xfe\x00", "9", "5", "6", "bnot-base64!"),
    ('42/_event,["event",' + "[" * 50_000 + "]" * 50_000 + "]",),
    ("42/_event," + json.dumps(["event", {"name": "x" * 1_500_000}]),),
)


@pytest.mark.parametrize("number", range(len(ODD)))
async def test_odd_frames_hurt_nobody_but_their_sender(house: WebHouse, number: int) -> None:
    async with (
        raw_socket(house.port, token=f"odd-{number}", origins=[house.origin]) as odd,
        raw_socket(
            house.port, token=f"calm-{number}", cookie=house.cookies["bob"], origins=[house.origin]
        ) as calm,
    ):
        await odd.joins()
        await calm.joins()
        await odd.send(*ODD[number])
        await calm.event(named(Settings, "follow"), ADDRESSES[1], {})
        await calm.until(lambda: SHOP_NAME in "".join(calm.frames))
        # Either it goes on like any other, or it was hung up on.
        hydrated = asyncio.create_task(odd.rest())
        await asyncio.wait({hydrated}, timeout=20)
        assert odd.closed or (hydrated.done() and hydrated.exception() is None)
        hydrated.cancel()
        await asyncio.gather(hydrated, return_exceptions=True)
        assert not odd.heard(house.secrets)


async def test_a_connection_without_a_token_or_with_an_odd_one_hears_nothing(
    house: WebHouse,
) -> None:
    for token in (None, "", "a" * 4000, "../../etc/passwd", "%2500", "token_manager_", "*"):
        async with raw_socket(house.port, token=token, origins=[house.origin]) as socket:
            await socket.joins()
            await socket.event(named(Center, "follow"), CENTER, {})
            await socket.emit("ping")
            await socket.until(lambda: "pong" in "".join(socket.frames))
            assert not socket.heard(house.secrets)


async def test_a_token_no_address_can_hold_is_turned_away(house: WebHouse) -> None:
    for token in ("%00", "a%00b", "a" * 5_000):
        with pytest.raises(InvalidStatus) as refused:
            async with raw_socket(house.port, token=token, origins=[house.origin]):
                raise AssertionError("the door has opened")
        assert refused.value.response.status_code == 403


async def test_what_a_stranger_provokes_is_logged_without_a_word_of_it(house: WebHouse) -> None:
    async with raw_socket(
        house.port, token="curious", cookie=house.cookies["charlie"], origins=[house.origin]
    ) as socket:
        await socket.joins()
        await socket.event("no.such.event.planted_here", CENTER, {})
        await socket.rest()
    # The line itself may be one too many of its kind by now; one of them is there.
    said = house.said()
    assert "reflex" in said
    assert "planted_here" not in said


@pytest.mark.parametrize("path", ["/_upload", "/_upload/x", "/_all_routes", "/_event", "/ping/x"])
async def test_doors_of_reflex_that_nobody_needs_lead_nowhere(house: WebHouse, path: str) -> None:
    boundary = "xyz"
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="../a.html"\r\n'
        f"Content-Type: text/html\r\n\r\n<script>planted</script>\r\n--{boundary}--\r\n"
    ).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{house.port}{path}", data=body)
    request.add_header("Content-Type", f"multipart/form-data; boundary={boundary}")
    request.add_header("Cookie", house.cookies["alice"] or "")
    request.add_header("Reflex-Client-Token", "open-tab")
    request.add_header("Reflex-Event-Handler", named(Frame, "sync_now"))
    with pytest.raises(urllib.error.HTTPError) as refused:
        await asyncio.to_thread(urllib.request.urlopen, request, timeout=30)
    assert refused.value.code in (307, 400, 404, 405)
    refused.value.close()
    left = [at for at in house.database.parent.rglob("*") if at.is_file() and at.suffix == ".html"]
    assert left == []
