"""What is held of tabs: of strangers while they are there, of sessions the latest."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest
from reflex.istate.manager.token import BaseStateToken
from reflex.state import State
from reflex_base.registry import RegistrationContext

import brandmind.brandmind
from brandmind.state import tabs
from brandmind.state.tabs import MOST_LEFT_BEHIND, MOST_OF_STRANGERS, MOST_WAITING, TabStates

ASSEMBLED = brandmind.brandmind.app


class Held:
    """States and the sockets a test says there are."""

    def __init__(self) -> None:
        self.states = TabStates()
        self.open: set[str] = set()
        self.states.is_open = self.open.__contains__

    async def opens(self, token: str, session_id: str = "") -> None:
        self.open.add(token)
        await self.comes(token)
        self.states.seen(token, session_id)

    async def comes(self, token: str) -> None:
        """An event of the tab is worked on."""
        async with self.states.modify_state(BaseStateToken(ident=token, cls=State)):
            pass

    def closes(self, token: str) -> None:
        self.open.discard(token)
        self.states.let_go(token)

    @property
    def all(self) -> set[str]:
        return set(self.states.states)


@pytest.fixture
async def held() -> AsyncIterator[Held]:
    with ASSEMBLED.set_contexts():
        made = Held()
        yield made
        await made.states.close()


async def test_a_strangers_tab_goes_with_its_socket_and_a_members_stays(held: Held) -> None:
    await held.opens("stranger")
    await held.opens("member", "session")
    assert held.states.counted() == {"signed_in": 1, "stranger": 1}
    for token in ("stranger", "member"):
        held.closes(token)
    assert held.all == {"member"}
    assert held.states.counted() == {"signed_in": 1, "stranger": 0}


async def test_who_has_signed_out_is_a_stranger(held: Held) -> None:
    await held.opens("tab", "session")
    held.states.seen("tab", "")
    held.closes("tab")
    assert held.all == set()


async def test_of_a_session_the_tabs_used_last_are_kept_and_open_ones_all(held: Held) -> None:
    every = [f"tab-{number:02}" for number in range(MOST_LEFT_BEHIND + 5)]
    for token in (*every, "open"):
        await held.opens(token, "session")
    await held.opens("others", "another session")
    for token in (*every, "others"):
        held.closes(token)
    assert held.all == {*every[5:], "open", "others"}


async def test_a_tab_is_not_forgotten_in_the_midst_of_an_event(held: Held) -> None:
    held.open.add("busy")
    async with held.states.modify_state(BaseStateToken(ident="busy", cls=State)) as state:
        held.closes("busy")
        assert held.states.states["busy"] is state


async def test_what_an_event_made_again_after_its_tab_had_gone_is_swept_away(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    await held.opens("open")
    await held.opens("member", "session")
    held.closes("member")
    await held.comes("late")
    held.states._purge_expired_tokens()
    assert held.all == {"open", "member", "late"}, "it may be about to come back"
    later = time.time() + 60
    monkeypatch.setattr(time, "time", lambda: later)
    assert held.states._purge_expired_tokens() is not None
    assert held.all == {"open", "member"}


async def test_there_are_never_more_than_so_many_of_strangers(held: Held) -> None:
    await held.opens("member", "session")
    for number in range(MOST_OF_STRANGERS + 50):
        await held.comes(f"made-up-{number}")
    assert held.states.counted() == {"signed_in": 1, "stranger": MOST_OF_STRANGERS}
    assert "member" in held.all
    assert f"made-up-{MOST_OF_STRANGERS + 49}" in held.all
    assert "made-up-0" not in held.all
    assert len(held.states._states_locks) == len(held.all)


def test_the_app_holds_its_tabs_within_these_bounds() -> None:
    assert isinstance(ASSEMBLED.state_manager, TabStates)
    assert isinstance(ASSEMBLED.event_namespace, tabs._Door)
    assert ASSEMBLED.sio is not None
    assert ASSEMBLED.sio.namespace_handlers["/_event"] is ASSEMBLED.event_namespace
    assert MOST_WAITING < 1_000


def test_of_one_tab_only_the_latest_of_each_handler_works_in_the_background() -> None:
    background = {
        name: at.handler.supersedes
        for name, at in RegistrationContext.get().event_handlers.items()
        if at.handler.is_background
    }
    assert len(background) >= 7
    assert [name for name, supersedes in background.items() if not supersedes] == []
