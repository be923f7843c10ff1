"""The one door from the screens to the services; tests put another behind it."""

from __future__ import annotations

from collections.abc import AsyncIterable
from contextlib import AbstractAsyncContextManager
from datetime import date, datetime
from typing import Any, Protocol

from brandmind.services.answers import Answers
from brandmind.services.dashboard import CommandCenter, Compare, ReadyNow
from brandmind.services.dna import Past, StoreDna
from brandmind.services.members import Member
from brandmind.services.operating import Act, House, StoreStory
from brandmind.services.orders import Reconciliation
from brandmind.services.people import GroupPage
from brandmind.services.products import ProductDetail, ProductsPage
from brandmind.services.searching import Found
from brandmind.services.sessions import SignedIn, StoreRef, Viewer
from brandmind.services.stored import Stored
from brandmind.services.todo import Mark, State
from brandmind.sync.progress import StoreProgress
from brandmind.sync.selection import Selection
from brandmind.sync.stages import Kind


class Acts(Protocol):
    """What the screens ask for."""

    async def who(self, cookie_header: str | None) -> Viewer | None:
        """The person of a Cookie header, None without a valid session."""
        ...

    async def authorise(self, viewer: Viewer, domain: str | None) -> StoreRef:
        """The store of that domain, None: the last one used. Raises NotFound."""
        ...

    async def progress(self, store_id: str) -> StoreProgress: ...

    async def ready_now(self, store_id: str) -> ReadyNow: ...

    async def command_center(
        self, store_id: str, *, date_from: date, date_to: date, compare: Compare | None
    ) -> CommandCenter: ...

    async def store_dna(self, store_id: str, *, against: int | None = None) -> StoreDna | None: ...

    async def past(self, store_id: str) -> Past: ...

    async def marks(self, store_id: str) -> tuple[Mark, ...]: ...

    async def mark(self, store_id: str, *, key: str, state: State, by: str) -> None:
        """Put a suggestion away. Raises NotFound for one that is not suggested."""
        ...

    async def take_back(self, store_id: str, *, key: str) -> None: ...

    async def reconciliation(
        self, store_id: str, *, date_from: date, date_to: date
    ) -> Reconciliation: ...

    async def products(self, store_id: str, *, date_from: date, date_to: date) -> ProductsPage: ...

    async def product(
        self, store_id: str, product_id: int, *, date_from: date, date_to: date
    ) -> ProductDetail: ...

    async def group(self, store_id: str, *, group: str, page: int) -> GroupPage | None:
        """A page of a group of customers, None while there are no groups."""
        ...

    async def request(self, store_id: str, *, by: str, full: bool = False) -> str:
        """`full` reads everything again. Raises SyncAlreadyRunning, TooManySyncs, StorePaused."""
        ...

    async def retry(self, store_id: str, *, by: str, from_start: bool = False) -> str: ...

    async def choose(self, store_id: str, selection: Selection, *, by: str) -> bool:
        """What is read from now on; whether something is to be read for it now."""
        ...

    async def pause(self, store_id: str, *, by: str) -> None: ...

    async def resume(self, store_id: str) -> None: ...

    async def answers(self, store_id: str) -> Answers:
        """What was answered when the store was set up."""
        ...

    async def answer(
        self,
        store_id: str,
        *,
        step: int | None = None,
        week_start: int | None = None,
        uses_costs: bool | None = None,
    ) -> None: ...

    async def tell(self, store: StoreRef, *, user_id: str, told: bool) -> None:
        """Whether a member gets the letter that the store is ready. Raises NotAllowed, NotFound."""
        ...

    async def full_sync_s(self, store_id: str) -> float | None:
        """How long reading everything took when it was last done, in seconds."""
        ...

    async def cancel(self, store_id: str, *, by: str) -> None: ...

    async def manual_left(self, store_id: str) -> tuple[int, datetime | None]: ...

    async def signed_in(self, viewer: Viewer) -> list[SignedIn]:
        """Where this person is signed in, the one used last first."""
        ...

    async def sign_out(self, viewer: Viewer, session_id: str) -> None:
        """End one of this person's sessions. Raises NotFound for anybody else's."""
        ...

    async def sign_out_elsewhere(self, viewer: Viewer) -> int:
        """End all sessions of this person but this one; how many there were."""
        ...

    async def search(self, store: StoreRef, text: str) -> Found:
        """What bears the text in a store, of what this person may see there."""
        ...

    def origin(self) -> str:
        """The public address of this installation."""
        ...

    async def members(self, store: StoreRef) -> list[Member]:
        """The people of a store, the owner first."""
        ...

    async def block(self, store: StoreRef, *, user_id: str) -> None:
        """Take a member's access away. Raises NotAllowed, NotFound."""
        ...

    async def let_in(self, store: StoreRef, *, user_id: str) -> None:
        """Give it back. Raises NotAllowed, NotFound."""
        ...

    async def stored(self, store_id: str) -> Stored:
        """What is stored of a store."""
        ...

    async def privacy(self, store_id: str) -> list[dict[str, Any]]:
        """What customers of a store asked for by law, the newest first."""
        ...

    async def erase(self, store: StoreRef, *, typed: str) -> None:
        """Delete all of a store. Raises NotAllowed, InvalidInput for another address than its."""
        ...

    async def installation(self, viewer: Viewer) -> House:
        """What an operator sees. Raises NotAllowed for whoever is no administrator."""
        ...

    async def store_story(self, viewer: Viewer, domain: str) -> StoreStory | None:
        """One store as its operator sees it, None if there is none. Raises NotAllowed."""
        ...

    async def operate(self, viewer: Viewer, *, domain: str, what: Act) -> int:
        """An operator's act on one store. Raises NotAllowed, NotFound, and as the act does."""
        ...

    async def retry_failed(self, viewer: Viewer) -> tuple[int, int]:
        """Let failed stores go on: how many did, how many refused. Raises NotAllowed."""
        ...

    async def replay_all(self, viewer: Viewer) -> int:
        """Put back what lies aside of all stores; how many. Raises NotAllowed."""
        ...

    def watch(
        self, store_id: str, *, session_id: str
    ) -> AbstractAsyncContextManager[AsyncIterable[StoreProgress]]:
        """The changes of a store, only the newest kept; ends when the session is revoked."""
        ...


class ServiceActs:
    """The real thing: the services, on the runtime of this process."""

    @property
    def _rt(self) -> Any:
        from brandmind import runtime

        return runtime.get()

    async def who(self, cookie_header: str | None) -> Viewer | None:
        from brandmind.services import sessions

        return await sessions.who(self._rt, cookie_header)

    async def authorise(self, viewer: Viewer, domain: str | None) -> StoreRef:
        from brandmind.services import stores

        return await stores.authorise(self._rt, viewer, domain)

    async def progress(self, store_id: str) -> StoreProgress:
        from brandmind.services import syncs

        return await syncs.progress(self._rt, store_id)

    async def ready_now(self, store_id: str) -> ReadyNow:
        from brandmind.services import dashboard

        return await dashboard.ready_now(self._rt, store_id)

    async def command_center(
        self, store_id: str, *, date_from: date, date_to: date, compare: Compare | None
    ) -> CommandCenter:
        from brandmind.services import dashboard

        return await dashboard.command_center(
            self._rt, store_id, date_from=date_from, date_to=date_to, compare=compare
        )

    async def store_dna(self, store_id: str, *, against: int | None = None) -> StoreDna | None:
        from brandmind.services import dna

        return await dna.store_dna(self._rt, store_id, against=against)

    async def past(self, store_id: str) -> Past:
        from brandmind.services import dna

        return await dna.past(self._rt, store_id)

    async def marks(self, store_id: str) -> tuple[Mark, ...]:
        from brandmind.services import todo

        return await todo.marks(self._rt, store_id)

    async def mark(self, store_id: str, *, key: str, state: State, by: str) -> None:
        from brandmind.services import todo

        await todo.mark(self._rt, store_id, key=key, state=state, by=by)

    async def take_back(self, store_id: str, *, key: str) -> None:
        from brandmind.services import todo

        await todo.take_back(self._rt, store_id, key=key)

    async def reconciliation(
        self, store_id: str, *, date_from: date, date_to: date
    ) -> Reconciliation:
        from brandmind.services import orders

        return await orders.reconciliation(self._rt, store_id, date_from=date_from, date_to=date_to)

    async def products(self, store_id: str, *, date_from: date, date_to: date) -> ProductsPage:
        from brandmind.services import products

        return await products.products(self._rt, store_id, date_from=date_from, date_to=date_to)

    async def product(
        self, store_id: str, product_id: int, *, date_from: date, date_to: date
    ) -> ProductDetail:
        from brandmind.services import products

        return await products.detail(
            self._rt, store_id, product_id, date_from=date_from, date_to=date_to
        )

    async def group(self, store_id: str, *, group: str, page: int) -> GroupPage | None:
        from brandmind.services import people

        return await people.group(self._rt, store_id, group=group, page=page)

    async def request(self, store_id: str, *, by: str, full: bool = False) -> str:
        from brandmind.services import syncs

        return await syncs.request(self._rt, store_id, by=by, kind=Kind.FULL if full else None)

    async def retry(self, store_id: str, *, by: str, from_start: bool = False) -> str:
        from brandmind.services import syncs

        return await syncs.retry(self._rt, store_id, by=by, from_start=from_start)

    async def choose(self, store_id: str, selection: Selection, *, by: str) -> bool:
        from brandmind.services import stores

        return await stores.choose(self._rt, store_id, selection, by=by)

    async def pause(self, store_id: str, *, by: str) -> None:
        from brandmind.services import stores

        await stores.pause(self._rt, store_id, by=by)

    async def resume(self, store_id: str) -> None:
        from brandmind.services import stores

        await stores.resume(self._rt, store_id)

    async def answers(self, store_id: str) -> Answers:
        from brandmind.services import answers

        return await answers.answers(self._rt, store_id)

    async def answer(
        self,
        store_id: str,
        *,
        step: int | None = None,
        week_start: int | None = None,
        uses_costs: bool | None = None,
    ) -> None:
        from brandmind.services import answers

        await answers.answer(
            self._rt, store_id, step=step, week_start=week_start, uses_costs=uses_costs
        )

    async def tell(self, store: StoreRef, *, user_id: str, told: bool) -> None:
        from brandmind.services import answers

        await answers.tell(self._rt, store, user_id=user_id, told=told)

    async def full_sync_s(self, store_id: str) -> float | None:
        from brandmind.services import syncs

        return await syncs.full_sync_s(self._rt, store_id)

    async def cancel(self, store_id: str, *, by: str) -> None:
        from brandmind.services import syncs

        await syncs.cancel(self._rt, store_id, by=by)

    async def manual_left(self, store_id: str) -> tuple[int, datetime | None]:
        from brandmind.services import syncs

        return await syncs.manual_left(self._rt, store_id)

    async def signed_in(self, viewer: Viewer) -> list[SignedIn]:
        from brandmind.services import sessions

        return await sessions.where(self._rt, viewer)

    async def sign_out(self, viewer: Viewer, session_id: str) -> None:
        from brandmind.services import sessions

        await sessions.revoke_one(self._rt, viewer, session_id)

    async def sign_out_elsewhere(self, viewer: Viewer) -> int:
        from brandmind.services import sessions

        return await sessions.revoke_all(self._rt, viewer, but_this=True)

    async def search(self, store: StoreRef, text: str) -> Found:
        from brandmind.services import searching

        return await searching.search(self._rt, store, text)

    def origin(self) -> str:
        origin: str = self._rt.settings.public_url
        return origin

    async def members(self, store: StoreRef) -> list[Member]:
        from brandmind.services import members

        return await members.listed(self._rt, store)

    async def block(self, store: StoreRef, *, user_id: str) -> None:
        from brandmind.services import members

        await members.block(self._rt, store, user_id=user_id)

    async def let_in(self, store: StoreRef, *, user_id: str) -> None:
        from brandmind.services import members

        await members.let_in(self._rt, store, user_id=user_id)

    async def stored(self, store_id: str) -> Stored:
        from brandmind.services import stored

        return await stored.stored(self._rt, store_id)

    async def privacy(self, store_id: str) -> list[dict[str, Any]]:
        from brandmind.services import privacy

        return await privacy.acts(self._rt, store_id)

    async def erase(self, store: StoreRef, *, typed: str) -> None:
        from brandmind.services import stored

        await stored.erase(self._rt, store, typed=typed)

    async def installation(self, viewer: Viewer) -> House:
        from brandmind.services import operating

        return await operating.look(self._rt, viewer)

    async def store_story(self, viewer: Viewer, domain: str) -> StoreStory | None:
        from brandmind.services import operating

        return await operating.story(self._rt, viewer, domain)

    async def operate(self, viewer: Viewer, *, domain: str, what: Act) -> int:
        from brandmind.services import operating

        return await operating.act(self._rt, viewer, domain, what)

    async def retry_failed(self, viewer: Viewer) -> tuple[int, int]:
        from brandmind.services import operating

        return await operating.retry_failed(self._rt, viewer)

    async def replay_all(self, viewer: Viewer) -> int:
        from brandmind.services import operating

        return await operating.replay_all(self._rt, viewer)

    def watch(
        self, store_id: str, *, session_id: str
    ) -> AbstractAsyncContextManager[AsyncIterable[StoreProgress]]:
        return self._rt.hub.watch(store_id, session_id=session_id)


__all__ = ["Acts", "ServiceActs", "SignedIn", "StoreRef", "Viewer", "get", "use"]

_acts: Acts = ServiceActs()


def get() -> Acts:
    """The acts in use."""
    return _acts


def use(other: Acts) -> None:
    """Put other acts behind the door: for tests."""
    global _acts
    _acts = other
