"""A bulk query becomes JSONL: one node a line, nested nodes on lines of their own.

Without `groupObjects` the children of a node come somewhere behind it, never right after it: a
batch of parents is followed by the children of the batch before. With it they follow their parent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, NamedTuple

import orjson
from graphql import (
    GraphQLNamedType,
    GraphQLObjectType,
    OperationDefinitionNode,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    is_abstract_type,
    is_list_type,
    is_non_null_type,
    visit,
)

from brandmind.simulator.compiled import Arguments, Compiler, Writer
from brandmind.simulator.documents import Document, fragments_of, read_document, schema
from brandmind.simulator.roots import LISTS, PROTECTED, TYPE_SCOPES, Call

BATCH = 40


class Chunk(NamedTuple):
    """Some finished lines: their bytes, how many they are, how many of them are roots."""

    data: bytes
    lines: int
    roots: int


@dataclass(slots=True)
class _Shape:
    """How nodes of one type are written, and where their children are."""

    steps: list[tuple[str, str, Writer | None, bool]] = field(default_factory=list)
    """Key, field, what writes it, and whether that is given the value or the whole node."""
    children: list[tuple[Callable[[Any], Sequence[Any]], _Level]] = field(default_factory=list)

    def own(self, node: Any, call: Call) -> dict[str, Any]:
        """The node without its connections."""
        written = {}
        for key, name, write, by_value in self.steps:
            if write is None:
                written[key] = node[name]
            elif by_value:
                value = node[name]
                written[key] = None if value is None else write(value, call)
            else:
                written[key] = write(node, call)
        return written


@dataclass(slots=True)
class _Level:
    """The nodes of one connection: shapes by type, or one for all."""

    by_type: dict[str, _Shape] | None = None
    only: _Shape = field(default_factory=_Shape)

    def shape(self, node: Any) -> _Shape:
        """How this node is written."""
        return self.only if self.by_type is None else self.by_type[node["__typename"]]


class BulkPlan:
    """A compiled bulk query."""

    def __init__(self, text: str) -> None:
        document = read_document(text)
        operation = next(iter(document.operations.values()), None)
        if document.node is None or operation is None or document.errors:
            raise ValueError("the query was not validated")
        self._compiler = Compiler(fragments_of(document.node))
        self._roots = self._read_roots(operation)
        self.denied = _Wants(document)

    def rows(self, call: Call) -> list[tuple[Callable[[Any], Any], _Level, Sequence[int]]]:
        """The roots' rows as they are now; what the search has said is in the call."""
        found = []
        for name, key, arguments, level in self._roots:
            rows = call.all_rows(name, arguments(call), key)
            found.append((call.listing.resources[LISTS[name]].node, level, rows))
        return found

    def chunks(self, call: Call, *, grouped: bool) -> Iterator[Chunk]:
        """The file piece by piece."""
        for node, level, rows in self.rows(call):
            if grouped:
                yield from _grouped(node, level, rows, call)
            else:
                yield from _scattered(node, level, rows, call)

    def _read_roots(
        self, operation: OperationDefinitionNode
    ) -> list[tuple[str, str, Arguments, _Level]]:
        root = schema().query_type
        if root is None:
            raise ValueError("the schema has no query")
        found = []
        for key, nodes in self._compiler.collect(root, [operation.selection_set]).items():
            name = nodes[0].name.value
            if name not in LISTS:
                continue
            definition = root.fields[name]
            below = [node.selection_set for node in nodes if node.selection_set]
            level = self._level(get_named_type(definition.type), below)
            found.append((name, key, self._compiler.arguments(definition, nodes[0]), level))
        return found

    def _level(self, connection: GraphQLNamedType, below: list[SelectionSetNode]) -> _Level:
        if not isinstance(connection, GraphQLObjectType):
            raise TypeError(connection.name)
        edge = get_named_type(connection.fields["edges"].type)
        edges = self._compiler.collect(connection, below).get("edges", [])
        inside = [node.selection_set for node in edges if node.selection_set]
        nodes = self._compiler.collect(edge, inside).get("node", [])
        chosen = [node.selection_set for node in nodes if node.selection_set]
        item = get_named_type(connection.fields["nodes"].type)
        if is_abstract_type(item):
            kinds = schema().get_possible_types(item)
            return _Level({kind.name: self._shape(kind, chosen) for kind in kinds})
        return _Level(None, self._shape(item, chosen))

    def _shape(self, parent: GraphQLNamedType, below: list[SelectionSetNode]) -> _Shape:
        shape = _Shape()
        if not isinstance(parent, GraphQLObjectType):
            raise TypeError(parent.name)
        for key, nodes in self._compiler.collect(parent, below).items():
            name = nodes[0].name.value
            if name == "__typename":
                shape.steps.append((key, name, _always(parent.name), False))
                continue
            definition = parent.fields[name]
            returned = get_named_type(definition.type)
            inner = [node.selection_set for node in nodes if node.selection_set]
            if returned.name.endswith("Connection"):
                shape.children.append((itemgetter(name), self._level(returned, inner)))
            elif isinstance(returned, GraphQLObjectType) and not _is_list(definition.type):
                self._object(shape, key, name, returned, inner, nodes)
            else:
                shape.steps.append((key, name, self._compiler.field(definition, nodes), False))
        return shape

    def _object(
        self,
        shape: _Shape,
        key: str,
        name: str,
        returned: GraphQLObjectType,
        inner: list[SelectionSetNode],
        nodes: list[Any],
    ) -> None:
        """An object inside a node; connections in it hang on the node."""
        if returned.name in ("MoneyBag", "MoneyV2"):
            kind = schema().type_map[returned.name]
            write = self._compiler.written(kind, inner)
            shape.steps.append((key, name, write, True))
            return
        part = self._shape(returned, inner)
        shape.steps.append((key, name, part.own, True))
        for rows, level in part.children:
            shape.children.append((_through(name, rows), level))


def _grouped(
    make: Callable[[Any], Any], level: _Level, rows: Sequence[int], call: Call
) -> Iterator[Chunk]:
    for start in range(0, len(rows), BATCH):
        lines: list[bytes] = []
        some = rows[start : start + BATCH]
        for row in some:
            _tree(make(row), level, None, lines, call)
        yield _chunk(lines, len(some))


def _tree(node: Any, level: _Level, parent: str | None, lines: list[bytes], call: Call) -> None:
    shape = level.shape(node)
    lines.append(_line(shape, node, parent, call))
    for rows, below in shape.children:
        for child in rows(node):
            _tree(child, below, node["id"], lines, call)


def _scattered(
    make: Callable[[Any], Any], level: _Level, rows: Sequence[int], call: Call
) -> Iterator[Chunk]:
    waiting: list[bytes] = []
    for start in range(0, len(rows), BATCH):
        some = rows[start : start + BATCH]
        family: list[_Member] = [(make(row), level, None) for row in some]
        lines = [_line(level.shape(node), node, None, call) for node, _, _ in family]
        lines += waiting
        waiting = []
        while family := _children(family):
            waiting += [_line(below.shape(node), node, up, call) for node, below, up in family]
        yield _chunk(lines, len(some))
    if waiting:
        yield _chunk(waiting, 0)


_Member = tuple[Any, _Level, str | None]


def _children(family: list[_Member]) -> list[_Member]:
    """The next generation: all first children, then all second ones: no siblings in a row."""
    found: list[tuple[int, _Member]] = []
    for node, level, _ in family:
        for rows, below in level.shape(node).children:
            up = node["id"]
            found += [(place, (child, below, up)) for place, child in enumerate(rows(node))]
    found.sort(key=itemgetter(0))
    return [member for _, member in found]


def _line(shape: _Shape, node: Any, parent: str | None, call: Call) -> bytes:
    written = shape.own(node, call)
    if parent is not None:
        written["__parentId"] = parent
    return orjson.dumps(written)


def _chunk(lines: list[bytes], roots: int) -> Chunk:
    lines.append(b"")
    # Recorded: the slashes in these files are escaped, those of the API's own answers are not.
    return Chunk(b"\n".join(lines).replace(b"/", b"\\/"), len(lines) - 1, roots)


def _is_list(kind: Any) -> bool:
    return is_list_type(kind.of_type if is_non_null_type(kind) else kind)


def _always(value: Any) -> Writer:
    return lambda node, call: value


def _through(name: str, rows: Callable[[Any], Sequence[Any]]) -> Callable[[Any], Sequence[Any]]:
    def inside(node: Any) -> Sequence[Any]:
        value = node[name]
        return () if value is None else rows(value)

    return inside


class _Wants(Visitor):
    """The scopes and protected fields that a query touches."""

    def __init__(self, document: Document) -> None:
        super().__init__()
        self.scopes: set[str] = set()
        self.protected = False
        self.kinds: set[str] = set()
        self._info = TypeInfo(schema())
        if document.node is not None:
            visit(document.node, TypeInfoVisitor(self._info, self))

    def enter_field(self, node: Any, *_: Any) -> None:
        """Notes what the field returns and whose it is."""
        parent, kind = self._info.get_parent_type(), self._info.get_type()
        if parent is None or kind is None:
            return
        name = get_named_type(kind).name
        self.kinds.add(name)
        if scope := TYPE_SCOPES.get(name):
            self.scopes.add(scope)
        if (parent.name, node.name.value) in PROTECTED:
            self.protected = True

    def by(self, call: Call) -> bool:
        """Whether this call's token or app may not read all of it."""
        if any(call.lacks(scope) for scope in self.scopes):
            return True
        if any(call.unapproved(kind) for kind in self.kinds):
            return True
        return self.protected and "fields" in call.refused
