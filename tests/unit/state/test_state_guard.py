"""Who may run which event: as the owner, as a stranger, and with what an attacker would send."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from reflex.state import State, StateUpdate
from reflex_base.event import Event
from reflex_base.event.processor.base_state_processor import BaseStateEventProcessor
from reflex_base.registry import RegistrationContext

import brandmind.brandmind
from brandmind.state import acts
from brandmind.state.center import Center
from brandmind.state.doorway import Doorway
from brandmind.state.frame import Frame
from brandmind.state.guard import OnlyMarked, is_allowed, mark_of
from brandmind.state.settings import Settings
from brandmind.state.signed_in import SignedIn
from brandmind.state.waiting import Waiting
from brandmind.sync.progress import StoreProgress
from tests import stage_acts

ASSEMBLED = brandmind.brandmind.app


class Tab:
    """A browser tab without a browser: sends events, keeps what it is sent."""

    def __init__(self, processor: BaseStateEventProcessor, token: str = "tab") -> None:
        self.processor = processor
        self.token = token
        self.seen: dict[str, Any] = {}
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.sent: list[Any] = []
        self.cookie: str | None = stage_acts.COOKIE

    async def emit_update(self, *, update: StateUpdate, token: str) -> None:
        for name, values in (update.delta or {}).items():
            self.told.append((name, values))
            self.seen.setdefault(name, {}).update(values)
        self.sent.extend(update.events or ())

    async def event(self, name: str, address: str, **payload: Any) -> Any:
        headers = {"origin": "http://localhost:8000"}
        if self.cookie:
            headers["cookie"] = self.cookie
        router_data = {
            "pathname": address.split("?")[0],
            "asPath": address,
            "headers": headers,
            "token": self.token,
            "query": {},
        }
        event = Event(name=name, router_data=router_data, payload=payload)
        return await self.processor.enqueue(self.token, event)

    def story(self, state: type[State], name: str) -> list[Any]:
        """All that the tab was ever sent of a var, the oldest first."""
        here, named = state.get_full_name(), f"{name}_rx_state_"
        return [values[named] for at, values in self.told if at == here and named in values]

    def shown(self, state: type[State], name: str) -> Any:
        """What the tab was last sent of a var, None if it never was."""
        return self.seen.get(state.get_full_name(), {}).get(f"{name}_rx_state_")


def handler(state: type[State], name: str) -> str:
    return f"{state.get_full_name()}.{name}"


@pytest.fixture
def staged() -> Iterator[stage_acts.StageActs]:
    before = acts.get()
    made = stage_acts.StageActs()
    acts.use(made)
    yield made
    acts.use(before)


@pytest.fixture
async def tab(staged: stage_acts.StageActs) -> AsyncIterator[Tab]:
    guard = OnlyMarked()

    class Guarded:
        async def _preprocess(self, state: Any, event: Any) -> Any:
            return await guard.preprocess(ASSEMBLED, state, event)

    processor = BaseStateEventProcessor(
        middleware=Guarded(),  # type: ignore[arg-type]
        graceful_shutdown_timeout=0.01,
    )
    made = Tab(processor)
    processor.configure(event_namespace=made)  # type: ignore[arg-type]
    with ASSEMBLED.set_contexts():
        async with processor:
            yield made


async def until(said: Any) -> None:
    """Wait until a condition holds; the test's own time limit ends it otherwise."""
    while not said():
        await asyncio.sleep(0.005)


def test_every_handler_that_is_registered_carries_a_mark() -> None:
    registered = RegistrationContext.get().event_handlers
    ours = {
        name: at.handler.fn
        for name, at in registered.items()
        if (getattr(at.handler.fn, "__module__", "") or "").startswith("brandmind")
    }
    assert {handler(Center, "follow"), handler(Waiting, "follow"), handler(Frame, "sync_now")} <= (
        set(ours)
    )
    assert [name for name, fn in ours.items() if mark_of(fn) is None] == []


def test_setvar_is_refused_on_every_state() -> None:
    setters = [
        (name, at.handler.fn)
        for name, at in RegistrationContext.get().event_handlers.items()
        if name.endswith(".setvar")
    ]
    assert len(setters) > 5
    assert not any(is_allowed(name, fn) for name, fn in setters)


def test_only_looking_is_public() -> None:
    public = {
        name.rsplit(".", 1)[-1]
        for name, at in RegistrationContext.get().event_handlers.items()
        if mark_of(at.handler.fn) == "public"
    }
    assert public == {"turn_table", "close_notice"}


def test_a_client_cannot_hand_in_the_access_itself() -> None:
    for state, name in ((Center, "follow"), (Frame, "sync_now"), (Doorway, "arrive")):
        registered = RegistrationContext.get().event_handlers[handler(state, name)]
        assert list(registered.handler._parameters) == ["self"]


async def test_the_owner_sees_the_store_of_the_address(tab: Tab) -> None:
    await tab.event(handler(Center, "follow"), "/command-center?shop=ready.myshopify.com")
    await until(lambda: tab.shown(Center, "center") and tab.shown(Center, "center").there)
    assert tab.shown(Frame, "shell").gate == "open"
    assert tab.shown(Center, "center").kpis[0].value.startswith("$")


async def test_nobody_without_a_session_sees_a_store(tab: Tab) -> None:
    tab.cookie = None
    for state, view in ((Center, "center"), (Waiting, "room"), (Settings, "page")):
        await tab.event(handler(state, "follow"), "/x?shop=ready.myshopify.com")
        await until(lambda: tab.shown(Frame, "shell") and tab.shown(Frame, "shell").gate != "wait")
        shown = tab.shown(state, view)
        assert shown is None or not shown.there
    shell = tab.shown(Frame, "shell")
    assert shell.gate == "signed_out"
    assert shell.gate_title == "Sign in to open ready.myshopify.com."
    assert shell.gate_href == "/auth/connect?shop=ready.myshopify.com"
    assert (shell.shop, shell.who, shell.stores) == ("", "", ())


async def test_a_stranger_to_a_store_learns_nothing_but_that_it_is_not_here(tab: Tab) -> None:
    await tab.event(handler(Center, "follow"), "/command-center?shop=strange.myshopify.com")
    await until(lambda: tab.shown(Frame, "shell") and tab.shown(Frame, "shell").gate != "wait")
    assert tab.shown(Frame, "shell").gate_title == "There is no such store here."
    assert tab.shown(Center, "center") is None or not tab.shown(Center, "center").there


async def test_a_store_this_browser_has_not_passed_asks_for_its_own_sign_in(tab: Tab) -> None:
    await tab.event(handler(Waiting, "follow"), "/syncing?shop=other.myshopify.com")
    await until(lambda: tab.shown(Frame, "shell") and tab.shown(Frame, "shell").gate != "wait")
    assert tab.shown(Frame, "shell").gate_title == "Sign in to open Other Store."


async def test_the_sample_shop_needs_no_session_and_asks_nobody(
    tab: Tab, staged: stage_acts.StageActs
) -> None:
    tab.cookie = None

    async def never(*_args: Any, **_kwargs: Any) -> Any:
        raise AssertionError("the sample shop is nobody's")

    staged.who = staged.command_center = staged.progress = never  # type: ignore[method-assign]
    await tab.event(handler(Center, "follow"), "/command-center?shop=sample")
    await until(lambda: tab.shown(Center, "center") and tab.shown(Center, "center").there)
    assert tab.shown(Frame, "shell").shop == "Sample Shop"
    assert all(kpi.mode == "sample" for kpi in tab.shown(Center, "center").kpis)


async def test_the_sample_shop_is_no_way_into_a_sync(
    tab: Tab, staged: stage_acts.StageActs
) -> None:
    tab.cookie = None
    for name in ("sync_now", "retry", "cancel"):
        await (await tab.event(handler(Frame, name), "/command-center?shop=sample"))
    tab.cookie = stage_acts.COOKIE
    await (await tab.event(handler(Frame, "sync_now"), "/x?shop=strange.myshopify.com"))
    assert staged.asked == []
    await (await tab.event(handler(Frame, "sync_now"), "/x?shop=ready.myshopify.com"))
    assert staged.asked == [("request", "id-ready")]


async def test_a_store_id_from_the_browser_is_refused(
    tab: Tab, staged: stage_acts.StageActs, caplog: pytest.LogCaptureFixture
) -> None:
    address = "/x?shop=ready.myshopify.com"
    await (await tab.event(handler(Frame, "sync_now"), address, store_id="id-other"))
    assert staged.asked == []
    # One line without what was sent, and no traceback: anybody may send thousands.
    (said,) = [one for one in caplog.records if one.name == "brandmind.state.guard"]
    assert "sync_now came with other arguments" in said.getMessage()
    assert "id-other" not in said.getMessage()
    assert said.exc_info is None
    await (await tab.event(handler(Frame, "sync_now"), address))
    assert staged.asked == [("request", "id-ready")]


@pytest.mark.parametrize("payload", [[], "text", 7, None])
async def test_arguments_that_are_no_names_with_values_are_refused(
    tab: Tab, staged: stage_acts.StageActs, payload: Any
) -> None:
    event = Event(name=handler(Frame, "sync_now"), payload=payload)
    root = SimpleNamespace(_get_root_state=lambda: None)
    refused = await OnlyMarked().preprocess(ASSEMBLED, root, event)
    assert isinstance(refused, StateUpdate)
    assert staged.asked == []


async def test_setvar_from_the_wire_changes_nothing(tab: Tab) -> None:
    await (
        await tab.event(
            handler(Frame, "setvar"), "/x?shop=ready.myshopify.com", var_name="notice", value="hm"
        )
    )
    assert tab.shown(Frame, "notice") in (None, "")


async def test_too_many_syncs_are_answered_with_a_plain_sentence(tab: Tab) -> None:
    await (await tab.event(handler(Frame, "sync_now"), "/x?shop=stale.myshopify.com"))
    assert tab.shown(Frame, "notice").startswith(
        "Three syncs in the last hour. The next is possible at "
    )


async def test_a_tab_that_changed_hands_is_empty_before_its_first_sight(tab: Tab) -> None:
    await tab.event(handler(Center, "follow"), "/command-center?shop=ready.myshopify.com")
    await until(lambda: tab.shown(Center, "center") and tab.shown(Center, "center").there)
    tab.seen.clear()
    tab.cookie = None
    hydrate = f"{State.get_full_name()}.hydrate"
    await (await tab.event(hydrate, "/command-center?shop=ready.myshopify.com"))
    await until(lambda: tab.shown(Center, "center") is not None)
    assert not tab.shown(Center, "center").there
    assert tab.shown(Frame, "shell").shop == ""


async def test_a_tab_of_the_same_person_keeps_what_it_showed(tab: Tab) -> None:
    await tab.event(handler(Center, "follow"), "/command-center?shop=ready.myshopify.com")
    await until(lambda: tab.shown(Center, "center") and tab.shown(Center, "center").there)
    tab.seen.clear()
    hydrate = f"{State.get_full_name()}.hydrate"
    await (await tab.event(hydrate, "/command-center?shop=ready.myshopify.com"))
    await until(lambda: tab.shown(Center, "center") is not None)
    assert tab.shown(Center, "center").there


async def test_a_new_store_is_led_to_its_waiting_room_unless_it_asks_to_look(tab: Tab) -> None:
    await (await tab.event(handler(Center, "follow"), "/command-center?shop=early.myshopify.com"))
    await until(lambda: tab.sent)
    assert tab.sent[0].payload["path"] == "/syncing?shop=early.myshopify.com"
    await tab.event(handler(Center, "follow"), "/command-center?shop=early.myshopify.com&look=1")
    await until(lambda: tab.shown(Center, "center") and tab.shown(Center, "center").there)
    assert tab.shown(Center, "center").kpis[0].mode == "hold"


async def test_a_revoked_session_ends_an_open_watch(tab: Tab, staged: stage_acts.StageActs) -> None:
    ended = asyncio.Event()

    @asynccontextmanager
    async def watch(store_id: str, *, session_id: str) -> AsyncIterator[Any]:
        async def changes() -> AsyncIterator[StoreProgress]:
            await ended.wait()
            for nothing in ():
                yield nothing

        yield changes()

    staged.watch = watch  # type: ignore[method-assign, assignment]
    await tab.event(handler(Waiting, "follow"), "/syncing?shop=running.myshopify.com")
    await until(lambda: tab.shown(Waiting, "room") and tab.shown(Waiting, "room").there)

    async def nobody(_cookie: str | None) -> None:
        return None

    staged.who = nobody  # type: ignore[method-assign, assignment]
    ended.set()
    await until(lambda: tab.shown(Frame, "shell").gate == "signed_out")
    assert not tab.shown(Waiting, "room").there


async def test_the_snapshot_is_read_only_after_the_watch_has_begun(
    tab: Tab, staged: stage_acts.StageActs
) -> None:
    order: list[str] = []
    real_watch, real_progress = staged.watch, staged.progress

    @asynccontextmanager
    async def watch(store_id: str, *, session_id: str) -> AsyncIterator[Any]:
        order.append("watch")
        async with real_watch(store_id, session_id=session_id) as changes:
            yield changes

    async def progress(store_id: str) -> StoreProgress:
        order.append("snapshot")
        return await real_progress(store_id)

    staged.watch, staged.progress = watch, progress  # type: ignore[method-assign, assignment]
    await tab.event(handler(Waiting, "follow"), "/syncing?shop=running.myshopify.com")
    await until(lambda: tab.shown(Waiting, "room") and tab.shown(Waiting, "room").there)
    assert order[:2] == ["watch", "snapshot"]


async def test_what_was_told_before_the_snapshot_takes_nothing_back(
    tab: Tab, staged: stage_acts.StageActs
) -> None:
    @asynccontextmanager
    async def watch(store_id: str, *, session_id: str) -> AsyncIterator[Any]:
        async def changes() -> AsyncIterator[StoreProgress]:
            for seq, percent in ((7, 12), (8, 15), (9, 44)):
                yield dataclasses.replace(stage_acts.running(), seq=seq, percent=percent)
            await asyncio.Event().wait()

        yield changes()

    async def progress(_store_id: str) -> StoreProgress:
        return dataclasses.replace(stage_acts.running(), seq=8, percent=15)

    staged.watch, staged.progress = watch, progress  # type: ignore[method-assign, assignment]
    await tab.event(handler(Waiting, "follow"), "/syncing?shop=running.myshopify.com")
    await until(lambda: tab.shown(Waiting, "room") and tab.shown(Waiting, "room").percent == 44)
    percents = [room.percent for room in tab.story(Waiting, "room") if room.there]
    assert sorted(set(percents)) == [15, 44]
    assert percents == sorted(percents)


async def test_changes_reach_the_tab_without_being_asked_for(tab: Tab) -> None:
    await tab.event(handler(Waiting, "follow"), "/syncing?shop=live.myshopify.com")
    await until(
        lambda: (
            tab.shown(Waiting, "room")
            and tab.shown(Waiting, "room").headline == "Your numbers are ready."
        )
    )
    assert tab.shown(Waiting, "room").percent == 100


async def test_a_page_that_cannot_be_filled_says_so_instead_of_waiting_for_ever(
    tab: Tab, staged: stage_acts.StageActs
) -> None:
    async def broken(_store_id: str) -> StoreProgress:
        raise RuntimeError("no such column")

    staged.progress = broken  # type: ignore[method-assign]
    future = await tab.event(handler(Waiting, "follow"), "/syncing?shop=running.myshopify.com")
    with pytest.raises(RuntimeError):
        await future
    assert tab.shown(Frame, "notice").startswith("Something on our side went wrong")


async def test_an_error_in_the_address_is_told_in_the_exact_words(tab: Tab) -> None:
    tab.cookie = None
    await (await tab.event(handler(Doorway, "arrive"), "/connect?error=denied"))
    assert tab.shown(Doorway, "view").error == "You chose not to install. Nothing was saved."
    await (await tab.event(handler(Doorway, "arrive"), "/connect?error=<script>"))
    assert tab.shown(Doorway, "view").error == (
        "This sign-in link is not valid or too old. Start again from your store's address."
    )


async def test_whoever_is_signed_in_is_led_from_the_start_page_to_the_store(tab: Tab) -> None:
    await (await tab.event(handler(Doorway, "arrive"), "/"))
    await until(lambda: tab.sent)
    assert tab.sent[0].payload["path"] == "/command-center?shop=ready.myshopify.com"


def test_a_handler_of_ours_without_a_mark_would_be_refused() -> None:
    async def forgotten(self: Any) -> None: ...

    forgotten.__module__ = "brandmind.state.somewhere"
    assert not is_allowed("x.forgotten", forgotten)


def test_views_are_frozen_so_that_a_tab_cannot_be_changed_by_mistake() -> None:
    view = Frame.get_fields()["shell"].default_value()
    with pytest.raises(dataclasses.FrozenInstanceError):
        view.gate = "open"
    assert SimpleNamespace(**dataclasses.asdict(view)).gate == "wait"


async def test_the_list_of_browsers_is_filled_on_its_own_tab_alone(tab: Tab) -> None:
    await tab.event(handler(Settings, "follow"), "/settings?shop=ready.myshopify.com")
    await until(lambda: tab.shown(Settings, "page") and tab.shown(Settings, "page").there)
    assert not getattr(tab.shown(SignedIn, "view"), "there", False)
    await tab.event(handler(Settings, "follow"), "/settings?shop=ready.myshopify.com&tab=devices")
    await until(lambda: tab.shown(SignedIn, "view") and tab.shown(SignedIn, "view").there)
    shown = tab.shown(SignedIn, "view")
    assert [at.name for at in shown.browsers] == [
        "Chrome on Windows",
        "Safari on iPhone",
        "Firefox on Windows",
    ]
    assert [at.this for at in shown.browsers] == [True, False, False]


async def test_one_browser_is_signed_out_and_then_all_others(
    tab: Tab, staged: stage_acts.StageActs
) -> None:
    address = "/settings?shop=ready.myshopify.com&tab=devices"
    await tab.event(handler(Settings, "follow"), address)
    await until(lambda: tab.shown(SignedIn, "view") and tab.shown(SignedIn, "view").there)
    name = handler(SignedIn, "sign_out")
    await (await tab.event(name, address, session_id="session-2"))
    assert staged.ended == ["session-2"]
    assert tab.shown(Frame, "notice") == (
        "Signed out: Safari on iPhone. Its open pages are closed."
    )
    assert tab.shown(SignedIn, "view").elsewhere == "1 other browser"
    # Twice, as two tabs would.
    await (await tab.event(name, address, session_id="session-2"))
    assert tab.shown(Frame, "notice") == "That browser was signed out already."
    await (await tab.event(handler(SignedIn, "sign_out_elsewhere"), address))
    assert staged.ended == ["session-2", "session-3"]
    assert tab.shown(Frame, "notice") == ("Signed out of 1 browser. You are still signed in here.")
    assert [at.session_id for at in tab.shown(SignedIn, "view").browsers] == ["session-1"]


async def test_no_browser_is_signed_out_without_a_session_or_by_a_wrong_name(
    tab: Tab, staged: stage_acts.StageActs
) -> None:
    address = "/settings?shop=ready.myshopify.com&tab=devices"
    for wrong in (None, 7, ["session-2"], {"session_id": "session-2"}, "", "session-9"):
        await (await tab.event(handler(SignedIn, "sign_out"), address, session_id=wrong))
    for payload in ({}, {"session_id": "session-2", "store_id": "id-ready"}):
        await (await tab.event(handler(SignedIn, "sign_out"), address, **payload))
    tab.cookie = None
    await (await tab.event(handler(SignedIn, "sign_out"), address, session_id="session-2"))
    await (await tab.event(handler(SignedIn, "sign_out_elsewhere"), address))
    assert staged.ended == []


async def test_the_list_of_browsers_is_gone_once_the_session_has_ended(
    tab: Tab, staged: stage_acts.StageActs
) -> None:
    ended = asyncio.Event()

    @asynccontextmanager
    async def watch(store_id: str, *, session_id: str) -> AsyncIterator[Any]:
        async def changes() -> AsyncIterator[StoreProgress]:
            await ended.wait()
            for nothing in ():
                yield nothing

        yield changes()

    staged.watch = watch  # type: ignore[method-assign, assignment]
    address = "/settings?shop=ready.myshopify.com&tab=devices"
    await tab.event(handler(Settings, "follow"), address)
    await until(lambda: tab.shown(SignedIn, "view") and tab.shown(SignedIn, "view").there)

    async def nobody(_cookie: str | None) -> None:
        return None

    staged.who = nobody  # type: ignore[method-assign, assignment]
    ended.set()
    await until(lambda: tab.shown(Frame, "shell").gate == "signed_out")
    assert tab.shown(SignedIn, "view").browsers == ()
