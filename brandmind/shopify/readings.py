"""Reading many nodes although some are bad: a bad one is read again, watched, to name its field."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import msgspec

from brandmind.errors import BadAnswer
from brandmind.shopify import wire
from brandmind.sync.ports import Reject

Json = dict[str, Any]
R = TypeVar("R")
# How the JSON of a node becomes what `read` takes; None: it takes the JSON.
Typed = Callable[[Any], Any] | None

_UNREADABLE = (
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    IndexError,
    OverflowError,
    msgspec.ValidationError,
)


def each(
    nodes: Iterable[Any], read: Callable[[Any], R], *, typed: Typed = None
) -> tuple[list[R], list[Reject]]:
    """What `read` makes of each node, and those it could not read, by gid and field."""
    records: list[R] = []
    rejects: list[Reject] = []
    for node in nodes:
        try:
            records.append(read(_taken(node, typed)))
        except _UNREADABLE as error:
            rejects.append(_reject(node, read, typed, error))
    return records, rejects


def one(node: Any, read: Callable[[Any], R], *, typed: Typed = None) -> R:
    """What `read` makes of a node. Raises BadAnswer naming its gid and field, never a value."""
    try:
        return read(_taken(node, typed))
    except _UNREADABLE as error:
        reject = _reject(node, read, typed, error)
        # Not chained: the first error's text quotes the value, which may be a person's.
        raise BadAnswer(f"{reject.gid or 'A record'} cannot be read: {reject.reason}.") from None


def _taken(node: Any, typed: Typed) -> Any:
    return node if typed is None or isinstance(node, msgspec.Struct) else typed(node)


def _reject(node: Any, read: Callable[[Any], Any], typed: Typed, error: Exception) -> Reject:
    if not isinstance(node, dict | msgspec.Struct):
        return Reject("", "it is null" if node is None else "it is no object")
    told = node.get("id") if isinstance(node, dict) else getattr(node, "id", None)
    gid = told if isinstance(told, str) else ""
    if isinstance(error, msgspec.ValidationError):
        return Reject(gid, wire.complaint(error))
    trail: list[str] = []
    try:
        read(_watched(_taken(node, typed), "", trail))
    except _UNREADABLE as again:
        error = again
    field = trail[-1] if trail else "?"
    what = "is missing" if isinstance(error, KeyError) else f"is not readable ({_kind(error)})"
    return Reject(gid, f"{field} {what}")


def _kind(error: Exception) -> str:
    return type(error).__name__


def _watched(value: Any, path: str, trail: list[str]) -> Any:
    """The value, its nodes noting at any depth which field was asked for last."""
    if isinstance(value, dict):
        return _Watched(value, path, trail)
    if isinstance(value, msgspec.Struct):
        return _Seen(value, path, trail)
    if isinstance(value, list):
        return [_watched(item, path, trail) for item in value]
    return value


def _noted(path: str, key: str, trail: list[str]) -> str:
    path = f"{path}.{key}" if path else key
    trail.append(path)
    return path


class _Watched(dict[str, Any]):
    """A node of JSON."""

    def __init__(self, node: Json, path: str, trail: list[str]) -> None:
        super().__init__(node)
        self._path = path
        self._trail = trail

    def __getitem__(self, key: str) -> Any:
        path = _noted(self._path, key, self._trail)
        return _watched(super().__getitem__(key), path, self._trail)

    def get(self, key: str, default: Any = None) -> Any:
        path = _noted(self._path, key, self._trail)
        return _watched(super().get(key, default), path, self._trail)


class _Seen:
    """A typed node."""

    def __init__(self, node: msgspec.Struct, path: str, trail: list[str]) -> None:
        self._node = node
        self._path = path
        self._trail = trail

    def __getattr__(self, name: str) -> Any:
        path = _noted(self._path, name, self._trail)
        return _watched(getattr(self._node, name), path, self._trail)
