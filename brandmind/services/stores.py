"""Which store a request may touch: every handler and route asks here before it acts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from brandmind.commerce.shop import normalise_shop_domain
from brandmind.db import choices, erasure, pauses, users
from brandmind.db import sessions as session_rows
from brandmind.db import stores as rows
from brandmind.errors import InvalidInput, NotFound
from brandmind.services import exports, syncs
from brandmind.services.announcing import announce
from brandmind.services.sessions import StoreRef, Viewer
from brandmind.sync.selection import Selection

if TYPE_CHECKING:
    from brandmind.runtime import Runtime


async def authorise(rt: Runtime, viewer: Viewer | None, domain: str | None) -> StoreRef:
    """The store of that domain, if this viewer may open it; None asks for the one last used.

    Raises NotFound for a stranger exactly as for a store that does not exist.
    """
    if viewer is None or not viewer.stores:
        raise NotFound
    if domain is None:
        last = (store for store in viewer.stores if store.store_id == viewer.last_store_id)
        return next(last, viewer.stores[0])
    try:
        wanted = normalise_shop_domain(domain)
    except InvalidInput:
        raise NotFound from None
    found = next((store for store in viewer.stores if store.domain == wanted), None)
    if found is None:
        raise NotFound
    if found.store_id != viewer.last_store_id:
        await rt.db.write(session_rows.remember_store, found.store_id, session_id=viewer.session_id)
    return found


def authorise_id(viewer: Viewer | None, store_id: str) -> StoreRef:
    """The store of that id, if this viewer may open it. Raises NotFound as `authorise` does."""
    stores = viewer.stores if viewer is not None else ()
    found = next((store for store in stores if store.store_id == store_id), None)
    if found is None:
        raise NotFound
    return found


async def choose(rt: Runtime, store_id: str, selection: Selection, *, by: str | None) -> bool:
    """Change what is read; whether something is to be read for it now.

    What is turned off stays stored. Raises NotFound, NotAllowed for a store that has left.
    """
    wanted = await rt.db.write(choices.choose, store_id, selection, by=by)
    for run_id in wanted:
        await rt.jobs.ring(run_id)
        await announce(rt, run_id, store_id)
    return bool(wanted)


async def pause(rt: Runtime, store_id: str, *, by: str) -> None:
    """Let a store rest until it is resumed: what runs yields at its next page, nothing is lost.

    Raises NotFound.
    """
    newest = await rt.db.write(pauses.pause, store_id, by=by)
    if newest is not None:
        await announce(rt, newest, store_id)


async def resume(rt: Runtime, store_id: str) -> None:
    """Let a paused store go on where it was. Raises NotFound."""
    newest, due = await rt.db.write(pauses.resume, store_id)
    for run_id in due:
        await rt.jobs.ring(run_id)
    if newest is not None:
        await announce(rt, newest, store_id)


async def uninstall(
    rt: Runtime,
    store_id: str,
    *,
    by: str = "Shopify",
    epoch: int | None = None,
    generation: int | None = None,
) -> erasure.Uninstalled | None:
    """Cut a store off that has left: its runs end, its tokens go, its data follow in 48 hours.

    After this commit nobody writes one more row of it. Its people may look and export until the
    erasure, which a reconnection calls off. None if it had left already, or where `epoch` or
    `generation` is given and the store has been connected anew since. Raises NotFound.
    """
    if by != "Shopify":
        # A shop that has left by itself has ended them, and its token with them.
        await syncs.end_live_exports(rt, store_id)
    done = await rt.db.write(erasure.uninstall, store_id, by=by, epoch=epoch, generation=generation)
    if done is None:
        return None
    await exports.tidy(rt)
    for run_id in done.ended:
        await announce(rt, run_id, store_id)
    for session_id in done.sessions:
        # Nobody is signed out: open pages only have to look again.
        await rt.signals.session_ended(session_id)
    return done


async def by_domain(rt: Runtime, shop: str) -> rows.Store:
    """The store an operator names. Raises InvalidInput, NotFound."""
    domain = normalise_shop_domain(shop)
    store = await rt.db.read(rows.find_by_domain, domain)
    if store is None:
        raise NotFound(f"{domain} is not connected. `brandmind stores list` shows what is.")
    return store


async def every_store(rt: Runtime) -> list[Any]:
    """All stores, for the operator: domain, name, last_synced_at, paused_at, uninstalled_at."""
    return await rt.db.read(rows.every_store)


async def set_admin(rt: Runtime, who: str, *, admin: bool) -> str:
    """The right to administer given or taken by the operator's hand; the person's name.

    Raises NotFound, or InvalidInput where several people have that name.
    """
    return await rt.db.write(users.set_admin, who, admin=admin)
