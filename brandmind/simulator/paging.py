"""Connections: opaque cursors, first or last, never both, at most 250."""

from __future__ import annotations

import base64
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from brandmind.simulator.nodes import Node

MAX_PAGE = 250

Key = tuple[Any, int]
"""What a list is sorted by: the value and, among equals, the id."""


class BadRequest(Exception):
    """Arguments no list can be read with (`extensions.code` BAD_REQUEST)."""


@dataclass(slots=True)
class Page:
    """One page: rows, the key of each, and whether there is more either way.

    `node` makes a row's node where the rows are only indexes.
    """

    rows: Sequence[Any]
    keys: Sequence[Key]
    has_next: bool
    has_previous: bool
    node: Callable[[Any], Any] | None = None

    @property
    def nodes(self) -> Sequence[Any]:
        """The nodes themselves."""
        return list(map(self.node, self.rows)) if self.node else self.rows

    def cursor(self, place: int) -> str:
        """The cursor of the node at that place."""
        return write_cursor(self.keys[place])

    def page_info(self) -> Node:
        """PageInfo; cursors are null on an empty page."""
        return {
            "hasNextPage": self.has_next,
            "hasPreviousPage": self.has_previous,
            "startCursor": self.cursor(0) if self.keys else None,
            "endCursor": self.cursor(-1) if self.keys else None,
        }


def write_cursor(key: Key) -> str:
    """`{"last_id":…,"last_value":…}` in base64."""
    text = json.dumps({"last_id": key[1], "last_value": key[0]}, separators=(",", ":"))
    return base64.b64encode(text.encode()).decode()


def read_cursor(text: str, like: Any) -> Key:
    """The key in a cursor; BadRequest unless its value is of the kind this list is sorted by."""
    try:
        data = json.loads(base64.b64decode(text, validate=True))
        key = data["last_value"], data["last_id"]
    except (ValueError, KeyError, TypeError) as error:
        raise BadRequest("Malformed cursor") from error
    if type(key[0]) is not type(like) or not isinstance(key[1], int):
        raise BadRequest("Malformed cursor")
    return key


def check_window(first: int | None, last: int | None) -> int:
    """How many rows are asked for; BadRequest in Shopify's words."""
    if first is None and last is None:
        raise BadRequest("you must provide one of first or last")
    if first is not None and last is not None:
        raise BadRequest("providing both first and last is not supported")
    size = first if first is not None else last
    if size is None or size < 0:
        raise BadRequest("first cannot be negative" if last is None else "last cannot be negative")
    if size > MAX_PAGE:
        raise BadRequest(f"{size} exceeds the maximum page size of {MAX_PAGE}")
    return size


def page_of(
    rows: Sequence[Any],
    keys: Sequence[Key],
    arguments: dict[str, Any],
    *,
    node: Callable[[Any], Any] | None = None,
) -> Page:
    """A page of rows that are sorted ascending by their keys; `reverse` walks from the end."""
    first, last = arguments.get("first"), arguments.get("last")
    size = check_window(first, last)
    reverse = bool(arguments.get("reverse"))
    low, high = 0, len(rows)
    after, before = arguments.get("after"), arguments.get("before")
    if reverse:
        after, before = before, after
    if after is not None and keys:
        low = bisect_right(keys, read_cursor(after, keys[0][0]))
    elif after is not None:
        read_cursor(after, "")
    if before is not None and keys:
        high = bisect_left(keys, read_cursor(before, keys[0][0]))
    high = max(low, high)
    from_start = (first is not None) != reverse
    if from_start:
        start, end = low, min(high, low + size)
    else:
        start, end = max(low, high - size), high
    more_up, more_down = end < len(rows), start > 0
    chosen, chosen_keys = rows[start:end], keys[start:end]
    if reverse:
        chosen, chosen_keys = chosen[::-1], chosen_keys[::-1]
        more_up, more_down = more_down, more_up
    return Page(chosen, chosen_keys, more_up, more_down, node)
