"""The Admin API endpoint: token, faults, cost and bucket before a query is answered."""

from __future__ import annotations

import asyncio
import time
import uuid
from email.utils import formatdate
from functools import lru_cache
from typing import Any

import orjson
from graphql import OperationDefinitionNode, OperationType
from graphql.execution.values import VariableValues, get_variable_values
from starlette.requests import Request
from starlette.responses import Response

from brandmind.simulator.compiled import Plan
from brandmind.simulator.config import API_VERSIONS
from brandmind.simulator.cost import MAX_COST, actual_cost, requested_cost
from brandmind.simulator.cut import CutResponse
from brandmind.simulator.documents import Document, Error, read_document, schema
from brandmind.simulator.faults import STATES, Fault
from brandmind.simulator.general import execute
from brandmind.simulator.paging import BadRequest
from brandmind.simulator.roots import Call, InvalidId, TooManyIds, implied
from brandmind.simulator.search import SearchFailed
from brandmind.simulator.tokens import AccessToken
from brandmind.simulator.world import Shop, World

LIMITS_PAGE = "https://shopify.dev/api/usage/rate-limits"
UNAUTHORIZED = {
    "errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"
}
STATE_BODIES = {
    402: {"errors": "Unavailable Shop"},
    404: {"errors": "Not Found"},
    423: {"errors": "Unavailable Shop"},
}


class Endpoint:
    """`POST /{shop}/admin/api/{version}/graphql.json`."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def __call__(self, request: Request) -> Response:
        """Answers one API call."""
        shop = self._world.shop(request.path_params["shop"])
        version = request.path_params["version"]
        headers = {
            "X-Shopify-API-Version": version if version in API_VERSIONS else API_VERSIONS[0],
            "X-Request-Id": str(uuid.uuid4()),
            "Date": formatdate(usegmt=True),
        }
        if shop is None:
            return _json(STATE_BODIES[404], 404, headers)
        body = await request.body()
        await shop.gate.passed()
        refused = await self._refusal(shop, request, headers)
        if refused is not None:
            return refused
        token = self._world.tokens.check(shop.name, request.headers.get("x-shopify-access-token"))
        if token is None:
            shop.note(None, 401, None)
            return _json(UNAUTHORIZED, 401, headers)
        if token.expires_at is None and not shop.config.accepts_permanent_tokens:
            shop.note(None, 403, None)
            return _json(
                {
                    "errors": "[API] Non-expiring access tokens are no longer accepted for the "
                    "Admin API. Start using expiring offline tokens: "
                    "https://shopify.dev/docs/apps/build/authentication-authorization"
                },
                403,
                headers,
            )
        if shop.churn is not None:
            shop.churn.step(shop.brand, shop.changes)
        started = time.perf_counter()
        base = f"{request.url.scheme}://{request.url.netloc}"
        answered = self._answer(shop, token, body, base)
        status, answer, operation, cost = answered
        payload = orjson.dumps(answer)
        shop.note(
            operation,
            status,
            cost,
            bytes=len(payload),
            ms=round((time.perf_counter() - started) * 1000, 1),
            errors=_codes(answer),
        )
        if shop.faults.strike("reset"):
            return CutResponse(payload, 200, headers, media_type="application/json")
        return Response(payload, status, headers, media_type="application/json")

    async def _refusal(
        self, shop: Shop, request: Request, headers: dict[str, str]
    ) -> Response | None:
        fault = shop.faults.strike("slow")
        if fault is not None:
            await asyncio.sleep(0.3 if fault.seconds is None else fault.seconds)
        if fault := shop.faults.strike(*STATES):
            status = STATES[fault.kind]
            shop.note(None, status, None, fault=fault.kind)
            return _json(STATE_BODIES[status], status, headers)
        if shop.faults.strike("revoked-token"):
            self._world.tokens.revoke(shop.name)
            shop.installed.clear()
        if shop.faults.strike("token-expiry"):
            self._world.tokens.expire_access(shop.name)
        if fault := shop.faults.strike("http429"):
            shop.note(None, 429, None, fault=fault.kind)
            wait = 2.0 if fault.seconds is None else fault.seconds
            answer = {"errors": "Exceeded 2 calls per second for api client. Reduce request rates."}
            return _json(answer, 429, headers | {"Retry-After": f"{wait:.1f}"})
        if fault := shop.faults.strike("http5xx"):
            status = _server_status(fault)
            shop.note(None, status, None, fault=fault.kind)
            return Response("<html><body>Something went wrong.</body></html>", status, headers)
        return None

    def _answer(
        self, shop: Shop, token: AccessToken, body: bytes, base: str
    ) -> tuple[int, dict[str, Any], str | None, int | None]:
        try:
            sent = orjson.loads(body)
            text, name = sent["query"], sent.get("operationName")
            inputs = sent.get("variables") or {}
            if not isinstance(text, str) or not isinstance(inputs, dict):
                raise TypeError
        except (ValueError, TypeError, KeyError, AttributeError):
            return 400, {"errors": {"query": "Required parameter missing or invalid"}}, None, None
        document = read_document(text)
        if document.errors:
            return 200, {"errors": document.errors}, name, None
        operation = document.operation(name)
        if operation is None or document.node is None:
            message = f'No operation named "{name}"' if name else "An operation name is required"
            return 200, {"errors": [{"message": message}]}, name, None
        operation_name = operation.name.value if operation.name else None
        values = get_variable_values(schema(), operation.variable_definitions or (), inputs)
        if not isinstance(values, VariableValues):
            problems = [_variable_error(error.message, operation) for error in values]
            return 200, {"errors": problems}, operation_name, None
        return self._metered(shop, token, document, operation, inputs, values, base)

    def _metered(
        self,
        shop: Shop,
        token: AccessToken,
        document: Document,
        operation: OperationDefinitionNode,
        inputs: dict[str, Any],
        values: VariableValues,
        base: str,
    ) -> tuple[int, dict[str, Any], str | None, int | None]:
        name = operation.name.value if operation.name else None
        sizes = tuple(sorted((k, v) for k, v in values.coerced.items() if isinstance(v, int)))
        cost = _cost(document.text, name, sizes)
        if cost > MAX_COST:
            return 200, {"errors": [_too_dear(cost)]}, name, None
        bucket = shop.bucket(token.kind)
        if shop.faults.strike("throttled") or not (shop.config.unlimited or bucket.take(cost)):
            return 200, _throttled(cost, bucket.status()), name, 0
        call = Call(
            brand=shop.brand,
            listing=shop.listing,
            scopes=shop.granted(implied(token.scopes)),
            variables=inputs,
            values=values,
            desk=shop.desk,
            reading=shop.reading,
            post=shop.post,
            refused=shop.refused(),
            base=base,
        )
        answer = _execute(document, operation, call)
        spent = cost
        if document.node is not None and not shop.config.unlimited:
            # A shop without limits, as benchmarks want it, does not pay for the reckoning.
            used = actual_cost(schema(), document.node, operation, values.coerced, call.found)
            spent = min(cost, used)
            bucket.give_back(cost - spent)
        answer["extensions"] = {
            "cost": {
                "requestedQueryCost": cost,
                "actualQueryCost": spent,
                "throttleStatus": bucket.status(),
            }
        }
        if call.searches:
            answer["extensions"]["search"] = call.searches
        return 200, answer, name, spent


def _execute(document: Document, operation: OperationDefinitionNode, call: Call) -> dict[str, Any]:
    name = operation.name.value if operation.name else None
    is_query = operation.operation is OperationType.QUERY
    if is_query and document.plain and not call.restricted:
        try:
            return {"data": _plan(document.text, name).run(call)}
        except (BadRequest, InvalidId, TooManyIds, SearchFailed):
            # The plain road knows how an error and its place are written.
            call.searches.clear()
            call.found.clear()
    return execute(document, name, call)


@lru_cache(maxsize=256)
def _plan(text: str, name: str | None) -> Plan:
    document = read_document(text)
    operation = document.operation(name)
    if operation is None:
        raise ValueError("no such operation")
    return Plan(document, operation)


@lru_cache(maxsize=4096)
def _cost(text: str, name: str | None, sizes: tuple[tuple[str, int], ...]) -> int:
    document = read_document(text)
    operation = document.operation(name)
    if operation is None or document.node is None:
        return 1
    return requested_cost(schema(), document.node, operation, dict(sizes))


def _codes(answer: dict[str, Any]) -> list[str]:
    errors = answer.get("errors")
    if not isinstance(errors, list):
        return []
    return [str(error.get("extensions", {}).get("code", "")) for error in errors]


def _server_status(fault: Fault) -> int:
    return fault.status or 503


def _json(body: Any, status: int, headers: dict[str, str]) -> Response:
    return Response(orjson.dumps(body), status, headers, media_type="application/json")


def _too_dear(cost: int) -> Error:
    return {
        "message": f"Query cost is {cost}, which exceeds the single query max cost limit "
        f"({MAX_COST}).\n\nSee {LIMITS_PAGE} for more information on how the cost of a query is "
        "calculated.",
        "extensions": {
            "code": "MAX_COST_EXCEEDED",
            "cost": cost,
            "maxCost": MAX_COST,
            "documentation": LIMITS_PAGE,
        },
    }


def _throttled(cost: int, status: dict[str, Any]) -> dict[str, Any]:
    return {
        "errors": [
            {
                "message": "Throttled",
                "extensions": {"code": "THROTTLED", "documentation": LIMITS_PAGE},
            }
        ],
        "extensions": {
            "cost": {
                "requestedQueryCost": cost,
                "actualQueryCost": None,
                "throttleStatus": status,
            }
        },
    }


def _variable_error(message: str, operation: OperationDefinitionNode) -> Error:
    name = message.split("$", 1)[-1].split("'")[0].split('"')[0].split(" ")[0]
    kind = ""
    for definition in operation.variable_definitions or ():
        if definition.variable.name.value == name:
            source = definition.type.loc
            kind = source.source.body[source.start : source.end] if source else ""
    return {
        "message": f"Variable ${name} of type {kind} was provided invalid value",
        "extensions": {
            "code": "INVALID_VARIABLE",
            "value": None,
            "problems": [{"path": [], "explanation": message}],
        },
    }
