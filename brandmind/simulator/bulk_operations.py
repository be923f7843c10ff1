"""The bulk operations of one shop: started, polled, cancelled, and carried out while others ask."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from brandmind.simulator.bulk_files import LIFE_S, Output, Shelf
from brandmind.simulator.bulk_lines import BulkPlan, Chunk
from brandmind.simulator.bulk_rules import problems
from brandmind.simulator.faults import BULK_RUNS, Fault, FaultBox
from brandmind.simulator.moments import iso, iso_or_none
from brandmind.simulator.nodes import Node, gid, parse_gid
from brandmind.simulator.paging import BadRequest, Page, page_of
from brandmind.simulator.search import Search, SearchField, parse

if TYPE_CHECKING:
    from brandmind.simulator.roots import Call

AT_ONCE = 5
START_S = 0.5
ROWS_PER_S = 20_000.0
CANCEL_S = 0.05
LIVE = ("CREATED", "RUNNING", "CANCELING")
STATUSES = ("canceled", "canceling", "completed", "created", "failed", "running")
_LAST = [0]


@dataclass(slots=True)
class BulkOperation:
    """One operation; times are epoch seconds."""

    number: int
    query: str
    grouped: bool
    base: str
    created_at: float
    status: str = "CREATED"
    error_code: str | None = None
    completed_at: float | None = None
    lines: int = 0
    roots: int = 0
    file_size: int | None = None
    url: str | None = None
    partial_url: str | None = None
    life_s: float = LIFE_S
    trouble: Fault | None = None
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def gid(self) -> str:
        """Its global id."""
        return gid("BulkOperation", self.number)

    def end(self, status: str, *, error_code: str | None = None) -> None:
        """The operation is over."""
        self.status, self.error_code, self.completed_at = status, error_code, time.time()

    def node(self) -> Node:
        """As the API shows it now."""
        if self.status == "COMPLETED" and (self.completed_at or 0) + self.life_s <= time.time():
            self.status, self.url = "EXPIRED", None
        return {
            "__typename": "BulkOperation",
            "id": self.gid,
            "status": self.status,
            "type": "QUERY",
            "errorCode": self.error_code,
            "createdAt": iso(int(self.created_at)),
            "completedAt": iso_or_none(int(self.completed_at or 0)),
            "objectCount": str(self.lines),
            "rootObjectCount": str(self.roots),
            "fileSize": None if self.file_size is None else str(self.file_size),
            "url": self.url,
            "partialDataUrl": self.partial_url,
            "query": self.query,
        }


class BulkDesk:
    """Where a shop's operations are asked for."""

    def __init__(self, shelf: Shelf, faults: FaultBox, finished: Callable[[Node], None]) -> None:
        self._finished = finished
        self._shelf = shelf
        self._faults = faults
        self._held: dict[str, BulkOperation] = {}
        self._running: set[asyncio.Task[None]] = set()

    def start(self, call: Call, query: str, *, grouped: bool) -> Node:
        """The payload of bulkOperationRunQuery."""
        if errors := problems(query):
            return {"bulkOperation": None, "userErrors": errors}
        live = [one.gid for one in self._held.values() if one.status in LIVE]
        if len(live) >= AT_ONCE:
            message = (
                "A bulk query operation for this app and shop is already in progress: "
                f"{', '.join(live)}."
            )
            error = {"field": None, "message": message, "code": "OPERATION_IN_PROGRESS"}
            return {"bulkOperation": None, "userErrors": [error]}
        operation = BulkOperation(_number(), query, grouped, call.base, time.time())
        self._held[operation.gid] = operation
        operation.trouble = self._faults.strike(*BULK_RUNS)
        if operation.trouble and operation.trouble.kind == "bulk-expired":
            operation.life_s = operation.trouble.seconds or 0.0
        task = asyncio.get_running_loop().create_task(self._carry_out(operation, call))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return {"bulkOperation": operation.node(), "userErrors": []}

    def cancel(self, text: str) -> Node:
        """The payload of bulkOperationCancel."""
        operation = self._held.get(text)
        if operation is None:
            error = {"field": ["id"], "message": "Bulk operation does not exist"}
            return {"bulkOperation": None, "userErrors": [error]}
        if operation.status not in LIVE:
            message = f"A bulk operation cannot be canceled when it is {operation.status.lower()}"
            return {
                "bulkOperation": operation.node(),
                "userErrors": [{"field": None, "message": message}],
            }
        operation.status = "CANCELING"
        operation.cancelled.set()
        return {"bulkOperation": operation.node(), "userErrors": []}

    def find(self, text: str) -> Node | None:
        """An operation by its global id; LookupError for an id of something else."""
        operation = self._held.get(text)
        if operation is not None:
            return operation.node()
        parsed = parse_gid(text)
        if parsed is None or parsed[0] != "BulkOperation":
            raise LookupError(text)
        return None

    def page(self, arguments: dict[str, Any]) -> tuple[Page, Search | None]:
        """A page of operations, and what the search said; BadRequest for a window of none."""
        search = _search(arguments.get("query") or "")
        name = "completed_at" if arguments.get("sortKey") == "COMPLETED_AT" else "created_at"
        chosen = [
            one
            for one in self._held.values()
            if search is None or search.keeps is None or search.keeps(one)
        ]
        keys = [(int((getattr(one, name) or 0) * 1000), one.number) for one in chosen]
        pairs = sorted(zip(keys, chosen, strict=True), key=lambda pair: pair[0])
        rows = [one.node() for _, one in pairs]
        return page_of(rows, [key for key, _ in pairs], arguments), search

    async def _carry_out(self, operation: BulkOperation, call: Call) -> None:
        config = call.brand.config
        start_s, per_s = config.bulk_start_s, config.bulk_rows_per_s
        if start_s is None:
            start_s = 0.0 if config.unlimited else START_S
        if per_s is None and not config.unlimited:
            per_s = ROWS_PER_S
        await _wait(operation, start_s)
        await _hang(operation, "CREATED")
        if operation.status == "CREATED":
            operation.status = "RUNNING"
            await _hang(operation, "RUNNING")
            try:
                await self._export(operation, call, per_s)
            except Exception:
                operation.end("FAILED", error_code="INTERNAL_SERVER_ERROR")
                raise
        if operation.status == "CANCELING":
            await asyncio.sleep(CANCEL_S)
            operation.end("CANCELED")
        self._finished(operation.node())

    async def _export(self, operation: BulkOperation, call: Call, per_s: float | None) -> None:
        plan = _plan(operation.query)
        if plan.denied.by(call):
            operation.end("FAILED", error_code="ACCESS_DENIED")
            return
        total = sum(len(rows) for _, _, rows in plan.rows(call))
        question = (
            call.brand.serial,
            call.brand.index.version,
            operation.query,
            operation.grouped,
            "read_all_orders" in call.scopes,
        )
        breaks = _breaks_at(operation, total)
        known = None if breaks is not None else self._shelf.known(question)
        output = known or Output()
        began = time.monotonic()
        chunks = _again(known) if known else plan.chunks(call, grouped=operation.grouped)
        for chunk in chunks:
            if known is None:
                output.write(*chunk)
            operation.lines += chunk.lines
            operation.roots += chunk.roots
            due = began + operation.lines / per_s if per_s else 0.0
            await _wait(operation, max(0.0, due - time.monotonic()))
            if operation.status == "CANCELING":
                return
            if breaks is not None and operation.roots >= breaks:
                break
        if breaks is not None:
            self._break(operation, output)
            return
        self._shelf.keep(question, output)
        if operation.lines:
            operation.file_size = output.size
            operation.url = self._address(operation, output)
        operation.end("COMPLETED")

    def _break(self, operation: BulkOperation, output: Output) -> None:
        """Shopify gives up: an error with what there is so far, or a cancellation of its own."""
        if operation.trouble is None or operation.trouble.kind == "bulk-cancelled":
            operation.end("CANCELED")
            return
        if operation.lines:
            operation.partial_url = self._address(operation, output)
        operation.end("FAILED", error_code=operation.trouble.how)

    def _address(self, operation: BulkOperation, output: Output) -> str:
        return self._shelf.address(
            operation.base,
            output,
            self._faults,
            number=operation.number,
            life_s=max(1.0, operation.life_s),
        )


async def _hang(operation: BulkOperation, state: str) -> None:
    fault = operation.trouble
    if fault is None or fault.kind != "bulk-stuck" or fault.how != state:
        return
    if fault.seconds is None:
        await operation.cancelled.wait()
    else:
        await _wait(operation, fault.seconds)


async def _wait(operation: BulkOperation, seconds: float) -> None:
    if seconds <= 0:
        # Others are answered between two pieces.
        await asyncio.sleep(0)
        return
    try:
        async with asyncio.timeout(seconds):
            await operation.cancelled.wait()
    except TimeoutError:
        return


def _breaks_at(operation: BulkOperation, total: int) -> int | None:
    """After how many roots the operation is to break; None if it is not."""
    fault = operation.trouble
    if fault is None or fault.kind not in ("bulk-failed", "bulk-cancelled"):
        return None
    return int(total * fault.share)


def _again(known: Output) -> Iterator[Chunk]:
    """A file that is there already, as if it was being written."""
    for part in range(10):
        yield Chunk(
            b"", *(n * (part + 1) // 10 - n * part // 10 for n in (known.lines, known.roots))
        )


@lru_cache(maxsize=16)
def _plan(query: str) -> BulkPlan:
    return BulkPlan(query)


def _number() -> int:
    # Ever higher, over a restart too: an old id must not name a new operation.
    _LAST[0] = max(_LAST[0] + 1, time.time_ns() // 1000)
    return _LAST[0]


_FIELDS = {
    "id": SearchField("number", lambda one: one.number),
    "created_at": SearchField("time", lambda one: int(one.created_at)),
    "operation_type": SearchField("text", lambda one: "query"),
    "status": SearchField("text", lambda one: one.status),
}
_CHOICES = re.compile(r"\b(status|operation_type):(\w+)")


def _search(text: str) -> Search | None:
    if not text.strip():
        return None
    found = parse(text, _FIELDS, "UTC")
    for warning in found.warnings:
        if warning["field"] == "created_at":
            raise BadRequest("Invalid timestamp for query filter `created_at`.")
    for name, value in _CHOICES.findall(text):
        if value.lower() not in (STATUSES if name == "status" else ("query", "mutation")):
            message = f"Input `{value}` is not an accepted value."
            found.warnings.append({"field": name, "message": message, "code": "invalid_value"})
    return found
