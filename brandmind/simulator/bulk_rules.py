"""What Shopify says to a bulk query that it does not run, in its own words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSyntaxError,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
    is_list_type,
    parse,
)

from brandmind.simulator.documents import fragments_of, read_document, schema

MAX_CONNECTIONS = 5
MAX_DEPTH = 2
MAX_BYTES = 65_535

_EDGES = (
    "All connection fields in a bulk query must select their contents using 'edges' > 'node', "
    "e.g: '{first} {{ edges {{ node {{'. Selecting via 'nodes' is not supported. "
    "Invalid connection fields: '{names}'."
)
_PARENT = (
    "The parent 'node' field for a nested connection must select the 'id' field without an alias "
    "and must be of 'ID' return type. Connection fields without 'id': {names}."
)


def problems(text: str) -> list[dict[str, Any]]:
    """The userErrors of a bulk query text; none if it may run."""
    return [_invalid(message) for message in _messages(text)]


def _invalid(message: str) -> dict[str, Any]:
    return {"field": ["query"], "message": message, "code": "INVALID"}


def _messages(text: str) -> list[str]:
    try:
        document = parse(text)
    except GraphQLSyntaxError as error:
        what = error.message.removeprefix("Syntax Error: ")
        if "<EOF>" in what:
            return ["Invalid bulk query: syntax error, unexpected end of file"]
        return [f"Invalid bulk query: syntax error, {what[:1].lower()}{what[1:].rstrip('.')}"]
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    if not operations or operations[0].operation is not OperationType.QUERY:
        return ["Invalid operation type. Only `query` operations are supported."]
    look = _Look(fragments_of(document))
    look.selections(schema().query_type, operations[0].selection_set, root=True)
    if found := _structure(look):
        return found
    if errors := read_document(text).errors:
        return [f"Invalid bulk query: {error['message']}" for error in errors]
    if (size := len(text.encode())) > MAX_BYTES:
        return [f"Query is too large ({size} bytes; maximum is {MAX_BYTES} bytes)"]
    return []


def _structure(look: _Look) -> list[str]:
    found = []
    if look.by_nodes:
        found.append(_EDGES.format(first=look.by_nodes[0], names="', '".join(look.by_nodes)))
    if look.top_node:
        found.append(f"Bulk queries cannot contain a top level `{look.top_node}` field.")
    if look.deepest > MAX_DEPTH:
        found.append(
            "Bulk queries cannot contain connections with a nesting depth greater than "
            f"{MAX_DEPTH}."
        )
    if look.connections > MAX_CONNECTIONS:
        found.append(f"Bulk queries cannot contain more than {MAX_CONNECTIONS} connections.")
    if look.without_id:
        found.append(_PARENT.format(names=", ".join(look.without_id)))
    if look.in_list:
        found.append(
            "Queries that contain a connection field within a list field are not currently "
            "supported."
        )
    if not look.connections and (not found or look.top_node):
        found.append("Bulk queries must contain at least one connection.")
    return found


@dataclass(slots=True)
class _Look:
    """What a walk over the selections has seen; fields this schema lacks are judged by shape."""

    fragments: dict[str, FragmentDefinitionNode]
    connections: int = 0
    deepest: int = 0
    top_node: str | None = None
    by_nodes: list[str] = field(default_factory=list)
    without_id: list[str] = field(default_factory=list)
    in_list: bool = False

    def selections(
        self,
        parent: GraphQLNamedType | None,
        chosen: SelectionSetNode,
        *,
        root: bool = False,
        depth: int = 0,
        listed: bool = False,
    ) -> int:
        """Looks at everything below; answers how many connections are there directly."""
        direct = 0
        for kind, node in self._fields(parent, chosen):
            name = node.name.value
            if root and name in ("node", "nodes"):
                self.top_node = name
            if node.selection_set is None:
                continue
            returned, many = _returned(kind, name)
            if self._is_connection(node, returned) and not (root and name == "nodes"):
                direct += 1
                self._connection(node, returned, depth=depth, listed=listed)
            else:
                direct += self.selections(
                    returned, node.selection_set, depth=depth, listed=listed or many
                )
        return direct

    def _connection(
        self, node: FieldNode, returned: GraphQLNamedType | None, *, depth: int, listed: bool
    ) -> None:
        self.connections += 1
        self.deepest = max(self.deepest, depth)
        self.in_list = self.in_list or listed
        name = node.name.value
        if node.selection_set is None:
            return
        inner = {
            one.name.value: (kind, one) for kind, one in self._fields(returned, node.selection_set)
        }
        if "nodes" in inner or "edges" not in inner:
            self.by_nodes.append(name)
        for way in ("nodes", "edges"):
            if way not in inner:
                continue
            kind, field_node = inner[way]
            below, _ = _returned(kind, way)
            chosen = field_node.selection_set
            if way == "edges" and chosen is not None:
                edge = {one.name.value: (k, one) for k, one in self._fields(below, chosen)}
                if "node" not in edge:
                    continue
                below, _ = _returned(edge["node"][0], "node")
                chosen = edge["node"][1].selection_set
            if chosen is None:
                continue
            if self.selections(below, chosen, depth=depth + 1) and not self._has_id(below, chosen):
                self.without_id.append(name)

    def _has_id(self, parent: GraphQLNamedType | None, chosen: SelectionSetNode) -> bool:
        return any(
            node.name.value == "id" and node.alias is None
            for _, node in self._fields(parent, chosen)
        )

    def _is_connection(self, node: FieldNode, returned: GraphQLNamedType | None) -> bool:
        if returned is not None:
            return returned.name.endswith("Connection")
        inside = node.selection_set.selections if node.selection_set else ()
        return any(
            isinstance(one, FieldNode) and one.name.value in ("edges", "nodes") for one in inside
        )

    def _fields(
        self, parent: GraphQLNamedType | None, chosen: SelectionSetNode
    ) -> list[tuple[GraphQLNamedType | None, FieldNode]]:
        found: list[tuple[GraphQLNamedType | None, FieldNode]] = []
        for node in chosen.selections:
            if isinstance(node, FieldNode):
                found.append((parent, node))
            elif isinstance(node, FragmentSpreadNode):
                fragment = self.fragments.get(node.name.value)
                if fragment is not None:
                    kind = schema().type_map.get(fragment.type_condition.name.value)
                    found += self._fields(kind, fragment.selection_set)
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                kind = schema().type_map.get(condition.name.value) if condition else parent
                found += self._fields(kind, node.selection_set)
        return found


def _returned(parent: GraphQLNamedType | None, name: str) -> tuple[GraphQLNamedType | None, bool]:
    """The named type of a field and whether it is a list; None for fields that are not known."""
    if not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
        return None, False
    definition = parent.fields.get(name)
    if definition is None:
        return None, False
    kind = definition.type
    inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    return get_named_type(kind), is_list_type(inner)
