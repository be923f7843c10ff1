"""Who may run an event: every handler carries a mark, and whoever has none is refused."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import reflex as rx
from reflex_base.event import SUPERSEDES_MARKER

from brandmind.errors import NotFound
from brandmind.logs import FROM_OUTSIDE, bind
from brandmind.state import acts, tabs
from brandmind.state.sample import PARAM as SAMPLE

log = logging.getLogger(__name__)

Handler = Callable[..., Any]

BROKEN: Final = (
    "Something on our side went wrong, so this page may be out of date. The sync goes on without "
    "it. Reload the page to try again."
)
LEFT: Final = (
    "BrandMind is not installed in {shop} any more. What is stored can be looked at and exported, "
    "not changed."
)
_MARK: Final = "__brandmind_mark__"
# Reflex's own events: hydration, page load and the report of an error in the browser.
_INTERNAL: Final = frozenset(
    {
        "hydrate",
        "hydrate_and_load",
        "set_is_hydrated",
        "on_load_internal",
        "handle_frontend_exception",
        "update_vars_internal",
    }
)


@dataclass(frozen=True)
class Access:
    """What a guarded handler is given: who looks at which store, looked up just now.

    `store` None with `sample` true is the sample shop, which needs no session; `store` None
    otherwise is a person who has no store yet or none by that name (`why` says which).
    """

    viewer: acts.Viewer | None
    store: acts.StoreRef | None
    shop_param: str
    sample: bool = False
    why: str = ""


def public(handler: Handler) -> Handler:
    """Mark a handler that anybody may run: it must not touch anything private."""
    setattr(handler, _MARK, "public")
    return handler


def guarded(
    *, sample: bool = False, page: bool = False, admin: bool = False, left: bool = False
) -> Callable[[Handler], Handler]:
    """Mark a handler that runs only for a session that has passed the store in the address.

    The handler takes an `Access` after self, which no client can send. `page` lets a page's own
    loading through without one, so that it can say what is missing, and of one tab's loadings of a
    page only the latest goes on; `sample` lets the sample shop through. `admin` asks for an
    administrator instead, whatever store the address names.

    A store that was uninstalled is changed by nobody: whatever is neither a page nor an
    administrator's is refused there, with a sentence. `left` is for what stays open all the same:
    looking, signing out, and deleting the data.
    """

    def mark(handler: Handler) -> Handler:
        signature = inspect.signature(handler)
        me, access, *rest = signature.parameters.values()
        shown = signature.replace(parameters=[me, *rest])

        async def admitted(self: Any, /, **payload: Any) -> Any:
            shown.bind(self, **payload)
            found = await admit(self, sample=sample)
            if admin:
                inside = found.viewer is not None and found.viewer.admin
            else:
                inside = found.store is not None or found.sample
            if not page and not inside:
                return None
            if found.store is not None and not (found.store.installed or page or admin or left):
                await _refuse(self, found.store)
                return None
            try:
                with bind(store=found.store.store_id if found.store else ""):
                    return await handler(self, found, **payload)
            except Exception:
                # A page that waits for ever says less than one that admits it.
                await _admit_failure(self)
                raise

        admitted.__name__ = handler.__name__
        admitted.__qualname__ = handler.__qualname__
        admitted.__module__ = handler.__module__
        admitted.__doc__ = handler.__doc__
        admitted.__annotations__ = {
            name: kind for name, kind in handler.__annotations__.items() if name != access.name
        }
        admitted.__signature__ = shown  # type: ignore[attr-defined]
        setattr(admitted, _MARK, "guarded")
        if page:
            # It follows a store for as long as the tab is open: who asks twice still has one.
            setattr(admitted, SUPERSEDES_MARKER, True)
        return admitted

    return mark


async def _refuse(state: Any, store: acts.StoreRef) -> None:
    """Say that the store has left, and turn back a switch that the page has turned already."""
    from brandmind.state.frame import Frame

    async with state:
        frame = await state.get_state(Frame)
        frame.notice, frame.notice_tone = LEFT.format(shop=store.name), "amber"
        shown: Any = getattr(state, "page", None)
        if hasattr(shown, "turned_back"):
            state.page = replace(shown, turned_back=shown.turned_back + 1)


async def _admit_failure(state: Any) -> None:
    from brandmind.state.frame import Frame

    async with state:
        frame = await state.get_state(Frame)
        frame.notice, frame.notice_tone = BROKEN, "red"


async def admit(state: Any, *, sample: bool = False) -> Access:
    """Look up the session of the state's socket and the store its address names."""
    token, cookie, params = await _request_of(state)
    wanted = (params.get("shop") or "").strip().lower()
    if wanted == SAMPLE and sample:
        return Access(None, None, SAMPLE, sample=True)
    viewer = await acts.get().who(cookie)
    tabs.seen(token, viewer.session_id if viewer else "")
    if viewer is None:
        return Access(None, None, wanted, why="signed_out")
    locked = next((at for at in viewer.locked if at.domain == wanted), None)
    if locked is not None:
        return Access(viewer, None, locked.domain, why="locked")
    try:
        store = await acts.get().authorise(viewer, wanted or None)
    except NotFound:
        return Access(viewer, None, wanted, why="missing" if wanted else "none")
    return Access(viewer, store, store.domain)


async def _request_of(state: Any) -> tuple[str, str | None, dict[str, str]]:
    # A background event holds a proxy that may be read only inside its own lock; for any other
    # event this is nothing.
    async with state:
        router = state.router
        token = str(router.session.client_token)
        return token, router.headers.cookie, dict(router.url.query_parameters)


def mark_of(handler: Handler) -> str | None:
    """The mark of a handler's function: "public", "guarded" or None."""
    return getattr(handler, _MARK, None)


def is_allowed(name: str, handler: Handler) -> bool:
    """Whether an event of that handler may run at all."""
    short = name.rsplit(".", 1)[-1]
    if short == "setvar":
        return False
    module = getattr(handler, "__module__", "") or ""
    if module.split(".", 1)[0] in ("reflex", "reflex_base"):
        return short in _INTERNAL
    return mark_of(handler) is not None


class OnlyMarked(rx.Middleware):
    """Refuses every event whose handler is not marked, and empties a tab whose person changed."""

    async def preprocess(self, app: rx.App, state: Any, event: Any) -> Any:
        from reflex.state import StateUpdate
        from reflex_base.registry import RegistrationContext

        registered = RegistrationContext.get().event_handlers.get(event.name)
        if registered is None or not is_allowed(event.name, registered.handler.fn):
            return StateUpdate()
        if not _fits(registered.handler.fn, event.payload):
            # Refused here: further on, each would leave a traceback.
            log.warning("%s came with other arguments than its own", event.name, extra=FROM_OUTSIDE)
            return StateUpdate()
        if event.name.rsplit(".", 1)[-1] in ("hydrate", "hydrate_and_load"):
            await self._empty_if_changed(state)
        return None

    async def _empty_if_changed(self, state: Any) -> None:
        """All that a tab holds is sent at hydration, before any handler: look first."""
        root = state._get_root_state()
        owners = [at for at in _tree(root) if getattr(at, "_seen_by", "")]
        if not owners:
            return
        try:
            viewer = await acts.get().who(root.router.headers.cookie)
        except Exception as error:
            # Who looks cannot be told now, so nothing is shown to whoever it is.
            log.warning("a session could not be looked up: %s", type(error).__name__)
            viewer = None
        if viewer is None or any(at._seen_by != viewer.session_id for at in owners):
            root.reset()


def _fits(handler: Handler, payload: Any) -> bool:
    """Whether an event brings the arguments of its handler, by their names."""
    if not isinstance(payload, dict):
        return False
    try:
        inspect.signature(handler).bind(None, **payload)
    except TypeError:
        return False
    return True


def _tree(state: Any) -> list[Any]:
    return [state, *(found for sub in state.substates.values() for found in _tree(sub))]
