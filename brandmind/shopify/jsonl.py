"""The file of a bulk operation: checked to its last line, then read record by record.

Every node has a line of its own and names its parent; the children of one record stand anywhere
after it. What is kept in memory is where the lines of each record are, not the lines.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from brandmind.errors import ExportDamaged
from brandmind.shopify.answers import without_nuls

Json = dict[str, Any]

_NOBODY: Final = 2**32 - 1


class ExportFile:
    """A whole file: `objects` lines of which `roots` have no parent. Raises ExportDamaged.

    Making one reads it all, which takes a second for 100,000 lines: not on the event loop.
    """

    def __init__(self, path: Path, *, objects: int, roots: int) -> None:
        self.path = path
        self.roots = roots
        self._offsets = array("Q")
        self._sizes = array("I")
        self._root_of = array("I")
        self._index()
        if len(self._offsets) != objects:
            raise ExportDamaged(
                f"the export has {len(self._offsets):,} lines instead of {objects:,}"
            )
        # Stable, so that children stay in the order in which the shop lists them.
        order = sorted(range(objects), key=self._root_of.__getitem__)
        self._order = array("I", order)
        self._begins = array("I")
        before = _NOBODY
        for at, line in enumerate(order):
            if self._root_of[line] != before:
                before = self._root_of[line]
                self._begins.append(at)
        if len(self._begins) != roots:
            raise ExportDamaged(
                f"the export has {len(self._begins):,} records instead of {roots:,}"
            )
        self._begins.append(objects)
        self._file = os.open(path, os.O_RDONLY)

    def records(self, at: int, size: int) -> list[Json]:
        """Records with their children in their lists, in the shape of a page's nodes."""
        return [self._record(root) for root in range(at, min(at + size, self.roots))]

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        # Whoever still holds it, an ended task say, is not to hold these too: a great store has
        # hundreds of exports, each with some 700 KB of them.
        for lines in (self._offsets, self._sizes, self._root_of, self._order, self._begins):
            del lines[:]

    def __del__(self) -> None:
        if getattr(self, "_file", -1) >= 0:
            self.close()

    def _index(self) -> None:
        # Only what can have children is kept by its id.
        known: dict[str, int] = {}
        strays: list[tuple[int, str, str]] = []
        at = root = 0
        with self.path.open("rb") as file:
            for line in file:
                number = len(self._offsets)
                try:
                    node = orjson.loads(line)
                    gid, parent = node["id"], node.get("__parentId")
                except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError):
                    # Not the decoder's own words, which quote the line.
                    raise ExportDamaged(f"line {number + 1:,} of the export is damaged") from None
                if parent is None:
                    belongs = root
                    root += 1
                else:
                    belongs = known.get(parent, _NOBODY)
                    if belongs == _NOBODY:
                        strays.append((number, parent, gid))
                if parent is None or _has_children(node):
                    known[gid] = belongs
                self._offsets.append(at)
                self._sizes.append(len(line))
                self._root_of.append(belongs)
                at += len(line)
        # Twice: a child may stand before its parent, and that before its own.
        for _ in range(2):
            for number, parent, gid in strays:
                belongs = self._root_of[number] = known.get(parent, _NOBODY)
                if gid in known:
                    known[gid] = belongs
        if any(self._root_of[number] == _NOBODY for number, _, _ in strays):
            raise ExportDamaged("the export has a line whose parent is missing")

    def _record(self, root: int) -> Json:
        lines = self._order[self._begins[root] : self._begins[root + 1]]
        nodes = [self._node(line) for line in lines]
        own: Json | None = None
        lists: dict[str, Json] = {}
        for node in nodes:
            if "__parentId" not in node:
                own = node
                lists[node["id"]] = node
            elif _has_children(node):
                lists[node["id"]] = node
        if own is None:
            raise ExportDamaged("the export has children without their record")
        for name in _LISTS.get(own.get("__typename", ""), ()):
            own[name] = {"nodes": []}
        for node in nodes:
            if node is own:
                continue
            parent = lists.get(node["__parentId"])
            place = _place(node)
            if parent is None or place is None:
                raise ExportDamaged("the export has a line of an unknown kind")
            parent.setdefault(place, {"nodes": []})["nodes"].append(node)
        return own

    def _node(self, line: int) -> Json:
        text = os.pread(self._file, self._sizes[line], self._offsets[line])
        found: Json = orjson.loads(without_nuls(text))
        if _has_children(found):
            found["sales"] = {"nodes": []}
        return found


_LISTS: Final[dict[str, Sequence[str]]] = {
    "Order": ("lineItems", "agreements"),
    "Product": ("variants",),
}
_PLACES: Final = {"LineItem": "lineItems", "ProductVariant": "variants"}


def _has_children(node: Json) -> bool:
    kind = node.get("__typename")
    return kind is not None and kind.endswith("Agreement")


def _place(node: Json) -> str | None:
    kind: str = node.get("__typename") or ""
    if kind in _PLACES:
        return _PLACES[kind]
    if kind.endswith("Agreement"):
        return "agreements"
    return "sales" if kind.endswith("Sale") else None
