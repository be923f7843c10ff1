"""The HTTP API of a store: ask for a sync, look at it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from brandmind import runtime
from brandmind.errors import NotFound, StorePaused, SyncAlreadyRunning, TooManySyncs
from brandmind.services import privacy, sessions, syncs, webhooks
from brandmind.services.sessions import StoreRef, Viewer
from brandmind.sync.progress import to_plain
from brandmind.sync.stages import PAGED
from brandmind.web import asking
from brandmind.web.members import Handler, for_members

_NO_STORE = {"Cache-Control": "no-store"}


@for_members
async def _ask_for_sync(request: Request, store: StoreRef) -> Response:
    rt = runtime.get()
    if not store.installed:
        words = f"BrandMind is not installed in {store.name} any more."
        return asking.problem(409, "store_disconnected", words)
    try:
        run_id = await syncs.request(rt, store.store_id, by=store.user_id)
    except SyncAlreadyRunning as error:
        return asking.problem(409, "sync_running", error.message, run_id=error.run_id)
    except StorePaused as error:
        return asking.problem(
            409,
            "store_paused",
            error.message,
            paused_by=error.paused_by,
            paused_at=error.paused_at.isoformat(),
        )
    except TooManySyncs as error:
        return asking.problem(
            429,
            "too_many_syncs",
            error.message,
            headers={"Retry-After": str(error.retry_after_s)},
            next_at=error.next_at.isoformat(),
        )
    return JSONResponse(
        {"run_id": run_id, "status_url": f"/api/stores/{store.store_id}/status"},
        status_code=202,
        headers=_NO_STORE,
    )


@for_members
async def _status(_request: Request, store: StoreRef) -> Response:
    rt = runtime.get()
    progress = await syncs.progress(rt, store.store_id)
    live = webhooks.plain(await webhooks.standing(rt, store.store_id))
    every = (*progress.stages, *((progress.history,) if progress.history else ()))
    counts = {
        at.stage.value: {"done": at.done, "total": at.total, "exact": at.exact}
        for at in every
        if at.stage in PAGED
    }
    told = {"shop": store.domain, **to_plain(progress), "counts": counts, "webhooks": live}
    return JSONResponse(told, headers=_NO_STORE)


def _for_all_data(handler: Callable[[Request, StoreRef], Awaitable[Response]]) -> Handler:
    """Only for members whom Shopify shows both customers and orders."""

    @wraps(handler)
    async def asked(request: Request, store: StoreRef) -> Response:
        if not (store.may_customers and store.may_orders):
            raise NotFound
        return await handler(request, store)

    return for_members(asked)


@_for_all_data
async def _privacy(_request: Request, store: StoreRef) -> Response:
    told = await privacy.acts(runtime.get(), store.store_id)
    return JSONResponse({"shop": store.domain, "acts": told}, headers=_NO_STORE)


@_for_all_data
async def _privacy_export(request: Request, store: StoreRef) -> Response:
    act_id = request.path_params["act_id"]
    content = await privacy.export(runtime.get(), store.store_id, act_id)
    name = f'attachment; filename="customer-data-{act_id[:8]}.json"'
    return Response(
        content,
        media_type="application/json",
        headers={**_NO_STORE, "Content-Disposition": name},
    )


def _for_the_signed_in(handler: Callable[[Request, Viewer], Awaitable[Response]]) -> Handler:
    """Only for somebody who is signed in, and from our own pages where it changes something."""

    @wraps(handler)
    async def asked(request: Request) -> Response:
        rt = runtime.get()
        if request.method == "POST" and not asking.is_our_own(rt, request):
            return asking.problem(403, "wrong_origin", "This request did not come from our pages.")
        viewer = await asking.viewer_of(rt, request)
        if viewer is None:
            return asking.problem(401, "signed_out", "Sign in first.")
        try:
            return await handler(request, viewer)
        except NotFound as error:
            return asking.problem(404, "not_found", error.message)

    return asked


@_for_the_signed_in
async def _sessions(_request: Request, viewer: Viewer) -> Response:
    told = [
        {
            "session_id": at.session_id,
            "browser": at.user_agent,
            "signed_in_at": at.signed_in_at.isoformat(),
            "seen_at": at.seen_at.isoformat(),
            "this": at.this,
        }
        for at in await sessions.where(runtime.get(), viewer)
    ]
    return JSONResponse({"sessions": told}, headers=_NO_STORE)


@_for_the_signed_in
async def _end_session(request: Request, viewer: Viewer) -> Response:
    await sessions.revoke_one(runtime.get(), viewer, request.path_params["session_id"])
    return Response(status_code=204, headers=_NO_STORE)


@_for_the_signed_in
async def _end_others(_request: Request, viewer: Viewer) -> Response:
    ended = await sessions.revoke_all(runtime.get(), viewer, but_this=True)
    return JSONResponse({"ended": ended}, headers=_NO_STORE)


def routes() -> list[BaseRoute]:
    """The routes of the API."""
    return [
        Route("/api/stores/{store_id}/sync", _ask_for_sync, methods=["POST"]),
        Route("/api/stores/{store_id}/status", _status, methods=["GET"]),
        Route("/api/stores/{store_id}/privacy", _privacy, methods=["GET"]),
        Route("/api/stores/{store_id}/privacy/{act_id}", _privacy_export, methods=["GET"]),
        Route("/api/sessions", _sessions, methods=["GET"]),
        Route("/api/sessions/end-others", _end_others, methods=["POST"]),
        Route("/api/sessions/{session_id}/end", _end_session, methods=["POST"]),
    ]
