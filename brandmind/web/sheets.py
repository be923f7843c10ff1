"""The files behind the pages: tables as CSV, the portrait as JSON."""

from __future__ import annotations

from datetime import date
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from brandmind import runtime
from brandmind.errors import InvalidInput, NotFound
from brandmind.services import dna, sheets
from brandmind.services.sessions import StoreRef
from brandmind.web import asking
from brandmind.web.members import for_members

_NO_STORE: Final = {"Cache-Control": "no-store"}


@for_members
async def _orders(request: Request, store: StoreRef) -> Response:
    if not store.may_orders:
        return _closed()
    first, last = _days(request)
    text = await sheets.reconciliation(runtime.get(), store.store_id, date_from=first, date_to=last)
    return _file(text, f"orders-{first}-{last}.csv")


@for_members
async def _products(request: Request, store: StoreRef) -> Response:
    if not (store.may_orders and store.may_products):
        return _closed()
    first, last = _days(request)
    text = await sheets.goods(runtime.get(), store.store_id, date_from=first, date_to=last)
    return _file(text, f"products-{first}-{last}.csv")


@for_members
async def _customers(_request: Request, store: StoreRef) -> Response:
    if not (store.may_orders and store.may_customers):
        return _closed()
    return _file(await sheets.customers(runtime.get(), store.store_id), "cohorts.csv")


@for_members
async def _deciles(_request: Request, store: StoreRef) -> Response:
    if not (store.may_orders and store.may_customers):
        return _closed()
    return _file(await sheets.deciles(runtime.get(), store.store_id), "deciles.csv")


@for_members
async def _ltv(_request: Request, store: StoreRef) -> Response:
    if not (store.may_orders and store.may_customers):
        return _closed()
    return _file(await sheets.ltv(runtime.get(), store.store_id), "ltv.csv")


@for_members
async def _group(request: Request, store: StoreRef) -> Response:
    if not (store.may_orders and store.may_customers):
        return _closed()
    wanted = request.path_params["group"].upper()
    text = await sheets.group(runtime.get(), store.store_id, group=wanted)
    return _file(text, f"customers-{wanted.lower()}.csv")


@for_members
async def _dna(_request: Request, store: StoreRef) -> Response:
    if not (store.may_orders and store.may_customers and store.may_products):
        return _closed()
    found = await dna.store_dna(runtime.get(), store.store_id)
    if found is None:
        raise NotFound
    return JSONResponse(
        found.portrait,
        headers={**_NO_STORE, "Content-Disposition": 'attachment; filename="dna.json"'},
    )


def _closed() -> Response:
    return asking.problem(403, "not_permitted", "Your Shopify account may not see this.")


def _days(request: Request) -> tuple[date, date]:
    found = []
    for name in ("from", "to"):
        try:
            found.append(date.fromisoformat(request.query_params.get(name, "")))
        except ValueError:
            raise InvalidInput("Give from and to as days: 2026-11-01.", field=name) from None
    return found[0], found[1]


def _file(text: str, name: str) -> Response:
    return Response(
        # The mark tells spreadsheets that this is UTF-8.
        f"\ufeff{text}".encode(),
        media_type="text/csv; charset=utf-8",
        headers={**_NO_STORE, "Content-Disposition": f'attachment; filename="{name}"'},
    )


def routes() -> list[BaseRoute]:
    """The routes of the files."""
    at = "/api/stores/{store_id}"
    return [
        Route(f"{at}/orders.csv", _orders, methods=["GET"]),
        Route(f"{at}/products.csv", _products, methods=["GET"]),
        Route(f"{at}/customers.csv", _customers, methods=["GET"]),
        Route(f"{at}/deciles.csv", _deciles, methods=["GET"]),
        Route(f"{at}/ltv.csv", _ltv, methods=["GET"]),
        Route(f"{at}/customers/{{group}}.csv", _group, methods=["GET"]),
        Route(f"{at}/dna.json", _dna, methods=["GET"]),
    ]
