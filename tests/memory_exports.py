"""Exports of a shop in memory: `sync.slices.Exports` without HTTP, with troubles on demand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from brandmind.commerce.records import Record
from brandmind.errors import ExportDamaged, ShopifyUnavailable
from brandmind.sync.ports import Page, Window
from brandmind.sync.slices import Operation
from brandmind.sync.stages import Stage
from tests.memory_shop import MemoryShop


class MemoryExports:
    """Operations are done after `looks` looks; `became` names another end for some of them."""

    def __init__(self, shop: MemoryShop, *, looks: int = 1, room: int = 5) -> None:
        self.shop = shop
        self.looks = looks
        self.room = room
        self.operations: dict[str, Operation] = {}
        self.log: list[str] = []
        self.cancelled: list[str] = []
        self.became: Callable[[int], dict[str, Any]] = lambda number: {}
        self.damaged: set[int] = set()
        self.before: Callable[[str], None] = lambda what: None
        self._records: dict[str, list[Record]] = {}
        self._looked: dict[str, int] = {}
        self._asked: dict[str, tuple[Stage, Window]] = {}

    def text(self, stage: Stage, window: Window, *, mark: str) -> str:
        text = f"# {mark}\n{stage} {window.created_from} {window.created_before}"
        self._asked[text] = (stage, window)
        return text

    async def start(self, text: str) -> Operation | None:
        self.before("start")
        under_way = sum(one.is_under_way for one in self.operations.values())
        if under_way >= self.room:
            self.log.append("no room")
            return None
        number = len(self.operations) + 1
        gid = f"gid://shopify/BulkOperation/{number}"
        self.log.append(f"start {number}")
        stage, window = self._asked[text]
        self._records[gid] = self.shop._in(stage, window)
        self.operations[gid] = Operation(gid, "CREATED", None, datetime.now(UTC), 0, 0, None, text)
        self.before("started")
        return self.operations[gid]

    async def look(self, gid: str) -> Operation | None:
        self.before("look")
        operation = self.operations.get(gid)
        if operation is None or not operation.is_under_way:
            return operation
        number = int(gid.rsplit("/", 1)[1])
        self._looked[gid] = self._looked.get(gid, 0) + 1
        if self._looked[gid] >= self.looks:
            found = len(self._records[gid])
            told: dict[str, Any] = {
                "status": "COMPLETED",
                "objects": found,
                "roots": found,
                "url": "https://file" if found else None,
            }
            operation = replace(operation, **(told | self.became(number)))
            self.operations[gid] = operation
        return operation

    async def recent(self) -> Sequence[Operation]:
        return list(self.operations.values())[::-1]

    async def cancel(self, gid: str) -> None:
        self.cancelled.append(gid)
        self.operations[gid] = replace(self.operations[gid], status="CANCELED")

    async def fetch(self, stage: Stage, operation: Operation, *, name: str) -> MemoryExport:
        self.before("fetch")
        number = int(operation.gid.rsplit("/", 1)[1])
        self.log.append(f"fetch {number}")
        if number in self.damaged:
            raise ExportDamaged("the export has 3 lines instead of 4")
        return MemoryExport(self, stage, self._records[operation.gid])


class MemoryExport:
    def __init__(self, exports: MemoryExports, stage: Stage, records: list[Record]) -> None:
        self._exports = exports
        self._stage = stage
        self._records = [r for r in records if r.shopify_id not in exports.shop.hidden]

    @property
    def roots(self) -> int:
        return len(self._records)

    async def page(self, at: int, size: int) -> Page:
        self._exports.before("batch")
        return Page(self._stage, tuple(self._records[at : at + size]), None)

    def remove(self) -> None:
        self._exports.log.append("remove")


def cut_off() -> None:
    """The connection is gone."""
    raise ShopifyUnavailable
