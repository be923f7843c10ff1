"""What the web process holds of the open tabs, and how much of it there can be.

Reflex keeps a state for each client token it ever sees, for an hour after its last word, and
anybody may make tokens up. Here a tab that nobody has signed in on is forgotten with its socket,
and all the others are counted.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable
from typing import Any, Final

import reflex as rx
from reflex.app import EventNamespace
from reflex.istate.manager import StateManager, get_state_manager
from reflex.istate.manager.memory import StateManagerMemory
from reflex.istate.manager.token import StateToken
from reflex.utils.token_manager import LocalTokenManager

# Tabs without a person: a socket each, plus what events that came last have made again.
MOST_OF_STRANGERS: Final = 2_000
# A session's tabs without a socket: a laptop that sleeps comes back to them.
MOST_LEFT_BEHIND: Final = 20
# Events of one tab that wait for their turn; beyond them its socket is not read any further.
MOST_WAITING: Final = 64

_GRACE_S: Final = 15.0
_SWEEP_S: Final = 5.0
_LOOK_AGAIN_S: Final = 0.02


@dataclasses.dataclass
class TabStates(StateManagerMemory):
    """Reflex's states in memory, with an end for those that are nobody's.

    `is_open` tells whether a token has a socket. `_owners` holds the session each signed-in tab
    was last seen under; whoever is not in it holds nothing that a fresh state would not.
    """

    is_open: Callable[[str], bool] = lambda _token: False
    _owners: dict[str, str] = dataclasses.field(default_factory=dict, init=False)

    def counted(self) -> dict[str, int]:
        """How many tabs there are: of the signed in and of strangers."""
        return {
            "signed_in": len(self._owners),
            "stranger": max(0, len(self.states) - len(self._owners)),
        }

    def seen(self, token: str, session_id: str) -> None:
        """A guard has looked who is behind a tab; "" for nobody."""
        if not session_id:
            self._owners.pop(token, None)
        elif token in self.states:
            self._owners[token] = session_id

    def let_go(self, token: str) -> None:
        """A tab's socket has gone: a stranger's is forgotten, of a session's the latest stay."""
        session_id = self._owners.get(token)
        if session_id is None:
            self._forget(token)
            return
        left = [at for at, of in self._owners.items() if of == session_id and not self.is_open(at)]
        left.sort(key=self._touched_s)
        for old in left[:-MOST_LEFT_BEHIND]:
            self._forget(old)

    def _get_or_create_state(self, token: StateToken[Any]) -> Any:
        if token.cache_key not in self.states:
            strangers = len(self.states) - len(self._owners)
            if strangers >= MOST_OF_STRANGERS:
                self._forget_the_oldest_stranger()
        return super()._get_or_create_state(token)

    def _forget_the_oldest_stranger(self) -> None:
        free = (key for key in self.states if key not in self._owners and not self._is_busy(key))
        oldest = min(free, key=self._touched_s, default=None)
        if oldest is not None:
            self._forget(oldest)

    def _forget(self, key: str) -> None:
        known = self._token_expires_at.get(key)
        # What is at work is forgotten by the sweep, when it is done.
        if known is not None and not self._is_busy(key):
            self._purge_token(known[1])

    def _purge_token(self, token: StateToken[Any]) -> None:
        self._owners.pop(token.cache_key, None)
        super()._purge_token(token)

    def _purge_expired_tokens(self) -> float | None:
        """Also what was made once more for a tab that is gone. Told is when to look again."""
        now_s = time.time()
        for key in [at for at in self.states if at not in self._owners and not self.is_open(at)]:
            if now_s - self._touched_s(key) >= _GRACE_S:
                self._forget(key)
        upcoming_s = super()._purge_expired_tokens()
        return None if upcoming_s is None else min(upcoming_s, now_s + _SWEEP_S)

    def _touched_s(self, key: str) -> float:
        known = self._token_expires_at.get(key)
        return known[0] - self.token_expiration if known is not None else 0.0

    def _is_busy(self, key: str) -> bool:
        lock = self._states_locks.get(key)
        return lock is not None and lock.locked()


class _Tokens(LocalTokenManager):
    """Which socket belongs to which tab; tells when one has gone."""

    def __init__(self, states: TabStates) -> None:
        super().__init__()
        self._states = states

    async def disconnect_token(self, token: str, sid: str) -> None:
        await super().disconnect_token(token, sid)
        self._states.let_go(token)


class _Door(EventNamespace):
    """Takes no more events of a tab than can wait for their turn: the rest waits in the network."""

    async def on_event(self, sid: str, data: Any) -> None:
        while self._waiting(sid) >= MOST_WAITING and sid in self.sid_to_token:  # noqa: ASYNC110
            # Reflex tells nobody when an event is done.
            await asyncio.sleep(_LOOK_AGAIN_S)
        await super().on_event(sid, data)

    def _waiting(self, sid: str) -> int:
        processor = self.app._event_processor
        if processor is None:
            return 0
        return len(processor._token_queues.get(self.sid_to_token.get(sid, ""), ()))


def bind(app: rx.App) -> TabStates:
    """Put these bounds into an app, in place of what Reflex has made for it.

    The tabs always live in this process, wherever REFLEX_REDIS_URL leads: whoever comes back to
    another process gets a fresh page.
    """
    if app.sio is None or app.event_namespace is None:
        raise RuntimeError("Reflex has made no socket for this app.")
    states = TabStates()
    door = _Door(app.event_namespace.namespace, app)
    door._token_manager = _Tokens(states)
    states.is_open = door._token_manager.token_to_socket.__contains__
    app._event_namespace = door
    app._state_manager = states
    app.sio.register_namespace(door)
    return states


def seen(token: str, session_id: str) -> None:
    """Note who was found behind the tab with this token, "" for nobody."""
    try:
        states: StateManager = get_state_manager()
    except LookupError:
        # A handler that runs without an app, in a test.
        return
    if isinstance(states, TabStates):
        states.seen(token, session_id)
