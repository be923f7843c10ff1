"""Which store a request may touch: every handler and route asks here before it acts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from brandmind.commerce.shop import normalise_shop_domain
from brandmind.db import sessions as session_rows
from brandmind.db import stores as rows
from brandmind.db import users
from brandmind.errors import InvalidInput, NotFound
from brandmind.services.sessions import StoreRef, Viewer

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


async def every_store(rt: Runtime) -> list[Any]:
    """All stores, for the operator: domain, name, last_synced_at, paused_at, uninstalled_at."""
    return await rt.db.read(rows.every_store)


async def grant_admin(rt: Runtime, who: str) -> str:
    """The right to administer, by the operator's hand; the person's name.

    Raises NotFound, or InvalidInput where several people have that name.
    """
    return await rt.db.write(users.grant_admin, who)
