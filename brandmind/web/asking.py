"""What a request brings along: its browser, its person, its origin; and the cookies it gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from starlette.datastructures import URL
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from brandmind.services import sessions
from brandmind.services.connect import FLOW_LIFE, Browser, Step

if TYPE_CHECKING:
    from brandmind.runtime import Runtime

_AGAIN: Final = "bm_host"


def browser_of(rt: Runtime, request: HTTPConnection) -> Browser:
    """The browser behind a request."""
    header = request.headers.get("cookie")
    return Browser(
        binding=sessions.cookie_value(header, _flow_cookie(rt)),
        cookie_header=header,
        user_agent=request.headers.get("user-agent", ""),
    )


async def viewer_of(rt: Runtime, request: HTTPConnection) -> sessions.Viewer | None:
    """The person behind a request, None if nobody is signed in."""
    return await sessions.who(rt, request.headers.get("cookie"))


def is_our_own(rt: Runtime, request: HTTPConnection) -> bool:
    """Whether the request comes from a page of ours: it names our origin and no other."""
    return request.headers.getlist("origin") == [rt.settings.public_url]


def elsewhere(rt: Runtime, request: Request) -> Response | None:
    """A redirect to the public address, if the request came to another name of this host.

    `localhost` and `127.0.0.1` are two cookie jars: a sign-in begun in one cannot end in the
    other. Asked once only, since a proxy may hide the name that was typed.
    """
    ours = urlsplit(rt.settings.public_url)
    if request.url.netloc == ours.netloc or _AGAIN in request.query_params:
        return None
    query = request.url.query
    marked = f"{query}&{_AGAIN}=1" if query else f"{_AGAIN}=1"
    return RedirectResponse(f"{rt.settings.public_url}{request.url.path}?{marked}", 302)


def gone_on(rt: Runtime, step: Step, *, status: int = 302) -> Response:
    """The redirect of a step, with its cookies."""
    response = RedirectResponse(str(URL(step.location)), status, {"Cache-Control": "no-store"})
    if step.binding is not None:
        _set(rt, response, _flow_cookie(rt), step.binding, int(FLOW_LIFE.total_seconds()))
    if step.session_token is not None:
        # The binding stays until it expires: another tab's sign-in may still be under way.
        _set(rt, response, _session_cookie(rt), step.session_token, sessions.LIFE_S)
    return response


def signed_out(rt: Runtime, response: Response) -> Response:
    """The response, taking the session's cookie away."""
    _set(rt, response, _session_cookie(rt), "", 0)
    return response


def problem(
    status: int,
    code: str,
    message: str,
    *,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> JSONResponse:
    """An error of the API: `{"error": code, "message": sentence, …}`."""
    return JSONResponse(
        {"error": code, "message": message, **more},
        status_code=status,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def _session_cookie(rt: Runtime) -> str:
    return sessions.cookie_name(is_https=rt.settings.is_https)


def _flow_cookie(rt: Runtime) -> str:
    return "__Host-bm_flow" if rt.settings.is_https else "bm_flow"


def _set(rt: Runtime, response: Response, name: str, value: str, max_age: int) -> None:
    # Lax, not strict: a strict cookie would be missing on the way back from Shopify.
    response.set_cookie(
        name,
        value,
        max_age=max_age,
        path="/",
        secure=rt.settings.is_https,
        httponly=True,
        samesite="lax",
    )
