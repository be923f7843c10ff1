"""Exports of a shop: bulk operations started, looked at, fetched and read as pages are."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson

from brandmind.errors import (
    AccessRefused,
    BadAnswer,
    ExportDamaged,
    QueryRefused,
    QueryTooCostly,
    ShopifyUnavailable,
)
from brandmind.shopify import nested
from brandmind.shopify.client import ShopifyClient
from brandmind.shopify.documents import export
from brandmind.shopify.jsonl import ExportFile, Json
from brandmind.shopify.source import ShopifySource, search
from brandmind.sync.ports import Page, Window
from brandmind.sync.slices import Operation
from brandmind.sync.stages import Stage

FETCHES: Final = 3
_PAUSE_S: Final = 0.5
# By the cost model 50 refunds with their lines are about 300 points.
_REFUNDS_AT_ONCE: Final = 50


class BulkExports:
    """Implements `sync.slices.Exports`. Files lie in `folder`, for nobody else to read."""

    def __init__(self, client: ShopifyClient, source: ShopifySource, *, folder: Path) -> None:
        self._client = client
        self._source = source
        self._folder = folder

    def text(self, stage: Stage, window: Window, *, mark: str) -> str:
        asked = search(stage, window)
        # A JSON string is a GraphQL string as well.
        told = f"query: {orjson.dumps(asked).decode()}" if asked else "reverse: true"
        return f"# {mark}\n{export(stage.resource).replace('$search', told)}"

    async def start(self, text: str) -> Operation | None:
        answer = await self._client.query("bulk_start", {"query": text})
        told = answer.data.get("bulkOperationRunQuery") or {}
        errors = told.get("userErrors") or ()
        if errors:
            code = str(errors[0].get("code") or "")
            if code in ("OPERATION_IN_PROGRESS", "LIMIT_REACHED"):
                return None
            message = str(errors[0].get("message") or "")
            if code == "ACCESS_DENIED" or "ccess denied" in message:
                raise AccessRefused(request_id=answer.request_id)
            raise QueryRefused(
                f"Shopify will not export this ({code or 'no code'}).",
                code=code or None,
                request_id=answer.request_id,
                details=message[:300],
            )
        if not told.get("bulkOperation"):
            raise BadAnswer("The shop started nothing.", request_id=answer.request_id)
        return _operation(told["bulkOperation"])

    async def look(self, gid: str) -> Operation | None:
        told = (await self._client.query("bulk_operation", {"id": gid})).data.get("bulkOperation")
        return _operation(told) if told else None

    async def recent(self) -> Sequence[Operation]:
        told = (await self._client.query("bulk_operations")).data.get("bulkOperations") or {}
        return [_operation(node) for node in told.get("nodes") or ()]

    async def cancel(self, gid: str) -> None:
        # One that has ended meanwhile is refused in userErrors, which is as good.
        await self._client.query("bulk_cancel", {"id": gid})

    async def fetch(self, stage: Stage, operation: Operation, *, name: str) -> FetchedExport:
        path = self._folder / f"{name}.jsonl"
        if not operation.url:
            if operation.roots:
                raise ExportDamaged("the export ended without a file")
            return FetchedExport(self._client, self._source, stage, None)
        if path.exists():
            # Fetched by somebody who could not land all of it.
            with contextlib.suppress(ExportDamaged, OSError):
                return await self._opened(stage, operation, path)
        for tried in range(1, FETCHES + 1):
            try:
                await self._fetch(operation.url, path)
                return await self._opened(stage, operation, path)
            except ShopifyUnavailable:
                if tried == FETCHES:
                    raise
            except ExportDamaged:
                path.unlink(missing_ok=True)
                if tried == FETCHES:
                    raise
            await asyncio.sleep(_PAUSE_S * tried)
        raise AssertionError("not reached")

    async def _opened(self, stage: Stage, operation: Operation, path: Path) -> FetchedExport:
        file = await asyncio.to_thread(
            ExportFile, path, objects=operation.objects, roots=operation.roots
        )
        return FetchedExport(self._client, self._source, stage, file)

    async def _fetch(self, url: str, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.part")
        try:
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(handle, "wb") as file:  # noqa: ASYNC230 - to the page cache, part by part
                await self._client.download(url, file.write)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


class FetchedExport:
    """Implements `sync.slices.Export`; `file` None: an export that found nothing."""

    def __init__(
        self, client: ShopifyClient, source: ShopifySource, stage: Stage, file: ExportFile | None
    ) -> None:
        self._client = client
        self._source = source
        self._stage = stage
        self._file = file

    @property
    def roots(self) -> int:
        return self._file.roots if self._file else 0

    async def page(self, at: int, size: int) -> Page:
        nodes = self._file.records(at, size) if self._file else []
        if self._stage.resource == "orders":
            await _with_refund_lines(self._client, nodes)
        records, rejects = await self._source.records_of(self._stage, nodes)
        return Page(self._stage, tuple(records), None, rejects=tuple(rejects))

    def remove(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file.path.unlink(missing_ok=True)


async def _with_refund_lines(client: ShopifyClient, orders: list[Json]) -> None:
    """Refunds are a list, and no export reaches into a list: their lines are asked for by id."""
    refunds = [refund for order in orders for refund in order.get("refunds") or ()]
    at_once = _REFUNDS_AT_ONCE
    while refunds:
        some, lines = refunds[:at_once], []
        try:
            answer = await client.query("refund_parts", {"ids": [one["id"] for one in some]})
        except QueryTooCostly:
            if at_once == 1:
                raise
            at_once //= 2
            continue
        lines = answer.data["nodes"]
        for refund, found in zip(some, lines, strict=True):
            if found:
                refund["refundLineItems"] = found["refundLineItems"]
        refunds = refunds[at_once:]
    await nested.whole_refunds(client, orders)


def _operation(told: dict[str, Any]) -> Operation:
    return Operation(
        gid=told["id"],
        status=told["status"],
        error_code=told.get("errorCode"),
        created_at=datetime.fromisoformat(told["createdAt"]).astimezone(UTC),
        objects=int(told.get("objectCount") or 0),
        roots=int(told.get("rootObjectCount") or 0),
        url=told.get("url"),
        text=told.get("query") or "",
    )
