"""The shape every answer is made of: dicts under Shopify's field names, some filled on demand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Node = dict[str, Any]


def gid(kind: str, number: int) -> str:
    """`gid://shopify/Order/5900000000000`."""
    return f"gid://shopify/{kind}/{number}"


def parse_gid(text: str) -> tuple[str, int] | None:
    """Kind and number of a global id; None if it is not one."""
    head, _, number = text.rpartition("/")
    if not head.startswith("gid://shopify/") or not number.isdecimal() or len(number) > 18:
        return None
    return head.removeprefix("gid://shopify/"), int(number)


class LazyNode(Node):
    """A node that knows its id and makes the rest only when somebody asks for more."""

    __slots__ = ("_fill",)

    def __init__(self, kind: str, number: int, fill: Callable[[], Node]) -> None:
        super().__init__(__typename=kind, id=gid(kind, number), legacyResourceId=str(number))
        self._fill = fill

    def __missing__(self, key: str) -> Any:
        self.update(self._fill())
        return self[key]
