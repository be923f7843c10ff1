"""What an answer of Shopify means: data, or the one error it stands for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import orjson

from brandmind.errors import (
    AccessRefused,
    BadAnswer,
    QueryRefused,
    QueryTooCostly,
    ShopifyError,
    ShopifyUnavailable,
    ShopUnavailable,
    Throttled,
    TokenRevoked,
)

MIN_WAIT_S: Final = 1.0
MAX_WAIT_S: Final = 3600.0

_NUL: Final = rb"\u0000"
# Not the text of a backslash followed by "u0000", which is escaped itself.
_NULS: Final = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
_TRANSIENT_CODES = frozenset({"INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE", "TIMEOUT"})
_SCOPE = re.compile(r"\b((?:unauthenticated_)?(?:read|write)_[a-z_]+)\b")
# Shopify tells these apart in words only.
_NON_EXPIRING = "Non-expiring access tokens"
_NOT_APPROVED = "not approved to access"

PROTECTED_DATA: Final = "Shopify has not approved this app for protected customer data."


@dataclass(frozen=True, slots=True)
class Cost:
    """What a query cost in points, and the bucket as the shop left it."""

    requested: float
    actual: float | None
    maximum: float
    available: float
    restore_per_s: float


@dataclass(frozen=True, slots=True)
class Answer:
    """Data of a query. `date` is the shop's own clock (the Date header).

    `restricted` names the fields ("customers.nodes.firstName") that came as null because the app
    may not see them: null is not absent.
    """

    data: dict[str, Any]
    date: datetime | None
    request_id: str | None
    cost: Cost | None
    restricted: tuple[str, ...] = ()


def of(status: int, headers: Mapping[str, str], body: bytes, payload: Any) -> Answer:
    """The answer of a response, `payload` its decoded body; raises the error it stands for."""
    problem = of_status(status, headers, body)
    if problem is not None:
        raise problem
    return read(payload, headers)


def of_status(status: int, headers: Mapping[str, str], body: bytes) -> ShopifyError | None:
    """The error an HTTP status other than 200 and 401 stands for; None for 200 and 401."""
    request_id = request_id_of(headers)
    if status in (200, 401):
        return None
    if status == 429:
        return Throttled(retry_after_s=retry_after_s(headers) or 2.0, request_id=request_id)
    if status == 402:
        return ShopUnavailable("The shop is frozen by Shopify.", request_id=request_id)
    if status == 423:
        return ShopUnavailable("The shop is locked by Shopify.", request_id=request_id)
    if status == 404:
        return ShopUnavailable("There is no such shop at Shopify.", request_id=request_id)
    if status == 403:
        words = _words(body)
        if _NON_EXPIRING in words:
            return TokenRevoked(
                "Shopify no longer takes this kind of token. Reconnect to go on.",
                request_id=request_id,
            )
        return _refused(words, request_id)
    if status >= 500 or status in (408, 430):
        return ShopifyUnavailable(
            f"Shopify answered {status}.",
            request_id=request_id,
            retry_after_s=retry_after_s(headers),
        )
    if 300 <= status < 400:
        # Following would hand the token to whatever host the answer names.
        return BadAnswer(f"Shopify answered {status}, a redirect.", request_id=request_id)
    return QueryRefused(f"Shopify answered {status}.", code=str(status), request_id=request_id)


def read(payload: Any, headers: Mapping[str, str]) -> Answer:
    """The answer in a decoded body of status 200.

    Raises the ShopifyError its `errors` stand for, and QueryRefused for a search warning: the
    shop has then ignored a part of the search and answered with all records.
    """
    request_id = request_id_of(headers)
    if not isinstance(payload, dict):
        raise BadAnswer("The answer is no object.", request_id=request_id)
    extensions = payload.get("extensions") or {}
    cost = cost_of(extensions)
    data = payload.get("data")
    errors = payload.get("errors")
    restricted = _judge(errors, data, cost, request_id) if errors else ()
    warned = _warnings(extensions)
    if warned:
        raise QueryRefused(
            f"Shopify misread the search: {', '.join(warned)}.",
            code="search_warning",
            request_id=request_id,
            details=warned,
        )
    if not isinstance(data, dict):
        raise BadAnswer("The answer holds no data.", request_id=request_id)
    return Answer(data, date_of(headers), request_id, cost, restricted)


def without_nuls(text: bytes) -> bytes:
    """JSON without the one character that PostgreSQL keeps in no text: a name with it would stop
    the whole reading."""
    return _NULS.sub(rb"\1", text) if _NUL in text else text


def cost_of(extensions: Mapping[str, Any]) -> Cost | None:
    """The cost in an answer's extensions; None where it is absent (validation errors)."""
    told = extensions.get("cost") or {}
    status = told.get("throttleStatus")
    if not status:
        return None
    try:
        return Cost(
            requested=float(told.get("requestedQueryCost") or 0),
            actual=None if told.get("actualQueryCost") is None else float(told["actualQueryCost"]),
            maximum=float(status["maximumAvailable"]),
            available=float(status["currentlyAvailable"]),
            restore_per_s=float(status["restoreRate"]),
        )
    except (KeyError, TypeError, ValueError):
        return None


def date_of(headers: Mapping[str, str]) -> datetime | None:
    """The Date header as aware UTC, None if it is absent or unreadable."""
    try:
        return parsedate_to_datetime(headers.get("date", "")).astimezone(UTC)
    except (TypeError, ValueError):
        return None


def request_id_of(headers: Mapping[str, str]) -> str | None:
    """The id Shopify's support can find a request by; None if the answer carries none."""
    return headers.get("x-request-id") or None


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds of the Retry-After header within 1 s and 1 h; None if absent or unreadable."""
    text = headers.get("retry-after", "")
    try:
        seconds = float(text)
    except ValueError:
        until = date_of({"date": text})
        now = date_of(headers)
        if until is None or now is None:
            return None
        seconds = (until - now).total_seconds()
    return min(max(seconds, MIN_WAIT_S), MAX_WAIT_S)


def _judge(errors: Any, data: Any, cost: Cost | None, request_id: str | None) -> tuple[str, ...]:
    """The restricted fields if nothing worse than restrictions is told; else raises."""
    if not isinstance(errors, list):
        raise QueryRefused(request_id=request_id, details=str(errors)[:300])
    told: list[dict[str, Any]] = [
        error if isinstance(error, dict) else {"message": str(error)} for error in errors
    ]
    codes = [str((error.get("extensions") or {}).get("code") or "") for error in told]
    if "THROTTLED" in codes:
        raise Throttled(retry_after_s=_bucket_wait_s(cost), request_id=request_id)
    if "MAX_COST_EXCEEDED" in codes:
        raise QueryTooCostly(request_id=request_id)
    if not _TRANSIENT_CODES.isdisjoint(codes):
        raise ShopifyUnavailable("Shopify had an error of its own.", request_id=request_id)
    restricted: set[str] = set()
    for error, code in zip(told, codes, strict=True):
        message = str(error.get("message") or "")
        if code != "ACCESS_DENIED" and _NOT_APPROVED not in message:
            raise QueryRefused(
                f"Shopify refused our query{f' ({code})' if code else ''}.",
                code=code or None,
                request_id=request_id,
                details=message[:300],
            )
        path = error.get("path") or ()
        if not path or not isinstance(data, dict) or data.get(str(path[0])) is None:
            required = str((error.get("extensions") or {}).get("requiredAccess") or "")
            raise _refused(f"{message} {required}", request_id)
        restricted.add(".".join(step for step in path if isinstance(step, str)))
    return tuple(sorted(restricted))


def _refused(words: str, request_id: str | None) -> AccessRefused:
    if _NOT_APPROVED in words:
        return AccessRefused(PROTECTED_DATA, request_id=request_id)
    found = _SCOPE.search(words)
    return AccessRefused(scope=found.group(1) if found else None, request_id=request_id)


def _bucket_wait_s(cost: Cost | None) -> float:
    if cost is None or cost.restore_per_s <= 0:
        return 2.0
    missing = cost.requested - cost.available
    return min(max(missing / cost.restore_per_s, MIN_WAIT_S), MAX_WAIT_S)


def _warnings(extensions: Mapping[str, Any]) -> list[str]:
    searches: Iterable[Any] = extensions.get("search") or ()
    return [
        f"{warning.get('field')} {warning.get('code')}"
        for search in searches
        for warning in search.get("warnings") or ()
    ]


def _words(body: bytes) -> str:
    """The `errors` of a short error body as text, for the two cases only words tell apart."""
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    return str(told.get("errors") or "")[:2000] if isinstance(told, dict) else ""
