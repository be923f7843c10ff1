"""Signing in and out: to Shopify and back, by a one-time link, from Shopify's own pages."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Final
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from brandmind import runtime
from brandmind.errors import (
    BrandMindError,
    InvalidInput,
    NotAllowed,
    QueryRefused,
    SettingsError,
    ShopifyError,
    SignInRefused,
)
from brandmind.services import by_hand, connect, sessions
from brandmind.web import asking, plain
from brandmind.web.sluice import Sluice, address_of

log = logging.getLogger(__name__)

Handler = Callable[[Request], Awaitable[Response]]
_LONGEST_FORM: Final = 2048
_WHOLE_FORM_S: Final = 10.0
# Each try may write a row and ask Shopify; a person needs three of them to sign in.
TRIES_A_MINUTE: Final = 60


def _with_words(handler: Handler) -> Handler:
    """What goes wrong in a sign-in is told to a person, on a page of its own."""

    @wraps(handler)
    async def telling(request: Request) -> Response:
        hops = runtime.get().settings.trusted_proxy_hops
        wait_s = _sluice().wait_s(address_of(request.scope, hops=hops))
        if wait_s:
            words = f"Too many sign-ins from your address. Try again in {wait_s} s."
            slow = plain.told(
                "Too many tries", words, link="/connect", link_words="Back", status=429
            )
            slow.headers["Retry-After"] = str(wait_s)
            return slow
        try:
            return await handler(request)
        except InvalidInput:
            return RedirectResponse(f"{runtime.get().settings.public_url}/connect?error=invalid")
        except BrandMindError as error:
            return _refusal(error)

    return telling


_kept: list[tuple[runtime.Runtime, Sluice]] = []


def _sluice() -> Sluice:
    """The sluice of this process's runtime; another runtime begins with an empty one."""
    rt = runtime.get()
    if not _kept or _kept[0][0] is not rt:
        _kept[:] = [(rt, Sluice(TRIES_A_MINUTE))]
    return _kept[0][1]


def _refusal(error: BrandMindError) -> Response:
    log.info("a sign-in ended with %s", type(error).__name__)
    start: dict[str, Any] = {"link": "/connect", "link_words": "Start again"}
    if isinstance(error, SignInRefused):
        return plain.told("This link does not open", error.message, status=400, **start)
    if isinstance(error, NotAllowed):
        return plain.told("No access", error.message, status=403, **start)
    if isinstance(error, SettingsError):
        return plain.told("Not set up yet", error.message, status=503, **start)
    if isinstance(error, QueryRefused):
        log.error("Shopify refused this app: %s", error.code)
        return plain.told("Shopify refused this app", error.message, status=502, **start)
    if isinstance(error, ShopifyError):
        words = "Shopify is not answering right now. Nothing was lost. Try again in a minute."
        return plain.told("Shopify is not answering", words, status=503, **start)
    raise error


@_with_words
async def _connect(request: Request) -> Response:
    rt = runtime.get()
    moved = asking.elsewhere(rt, request)
    if moved is not None:
        return moved
    step = await connect.start(
        rt,
        request.query_params.get("shop", ""),
        browser=asking.browser_of(rt, request),
        reconnect=request.query_params.get("reconnect") == "1",
    )
    return asking.gone_on(rt, step)


@_with_words
async def _callback(request: Request) -> Response:
    rt = runtime.get()
    step = await connect.come_back(rt, request.url.query, browser=asking.browser_of(rt, request))
    return asking.gone_on(rt, step)


@_with_words
async def _from_shopify(request: Request) -> Response:
    rt = runtime.get()
    step = await connect.from_shopify(rt, request.url.query, browser=asking.browser_of(rt, request))
    return asking.gone_on(rt, step)


async def _link(request: Request) -> Response:
    # A GET must not consume it: mail programs and chats open links to preview them.
    return plain.asked(
        "Sign in to BrandMind",
        "This link signs you in once, on this browser.",
        button="Sign in",
        post_to=by_hand.LINK_PATH,
        hidden={"token": request.query_params.get("token", "")[:128]},
    )


@_with_words
async def _use_link(request: Request) -> Response:
    rt = runtime.get()
    if not asking.is_our_own(rt, request):
        raise SignInRefused()
    form = parse_qs((await _short_body(request)).decode("latin-1"))
    token = form.get("token", [""])[0]
    step = await by_hand.use_link(rt, token, browser=asking.browser_of(rt, request))
    return asking.gone_on(rt, step, status=303)


async def _logout(request: Request) -> Response:
    rt = runtime.get()
    if not asking.is_our_own(rt, request):
        return asking.problem(403, "wrong_origin", "This request did not come from our pages.")
    viewer = await asking.viewer_of(rt, request)
    if viewer is not None:
        await sessions.revoke(rt, viewer.session_id)
    home = RedirectResponse(f"{rt.settings.public_url}/", 303, {"Cache-Control": "no-store"})
    return asking.signed_out(rt, home)


async def _short_body(request: Request) -> bytes:
    body = b""
    try:
        async with asyncio.timeout(_WHOLE_FORM_S):
            async for part in request.stream():
                body += part
                if len(body) > _LONGEST_FORM:
                    raise SignInRefused()
    except (ClientDisconnect, TimeoutError):
        raise SignInRefused() from None
    return body


class _SignedRoute(Route):
    """Matches only with `hmac` in the query: without it the path is a page."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        query = scope.get("query_string", b"")
        if not any(part.startswith(b"hmac=") for part in query.split(b"&")):
            return Match.NONE, {}
        return super().matches(scope)


def routes() -> list[BaseRoute]:
    """The routes by which people come and go."""
    return [
        _SignedRoute("/", _from_shopify, methods=["GET"]),
        Route("/auth/connect", _connect, methods=["GET"]),
        Route(connect.CALLBACK_PATH, _callback, methods=["GET"]),
        Route(by_hand.LINK_PATH, _link, methods=["GET"]),
        Route(by_hand.LINK_PATH, _use_link, methods=["POST"]),
        Route("/auth/logout", _logout, methods=["POST"]),
    ]
