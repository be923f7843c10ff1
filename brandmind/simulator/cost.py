"""What a query costs before it runs: the model that fits nine in ten recorded answers.

Scalars are free, an object is one point, a connection 2 + f(n)·(1 + what its node costs) with
f(n) = max(1, ⌊2·ln n⌋); money, addresses, images and the like are free; `…Count` roots and
mutations cost ten.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
    is_composite_type,
    value_from_ast_untyped,
)

from brandmind.simulator.documents import fragments_of
from brandmind.simulator.nodes import LazyNode
from brandmind.simulator.paging import Page

MAX_COST = 1000
SAMPLES = 4

Samples = list[Any] | None
COUNT_COST = 10

FREE_TYPES = frozenset(
    {
        "MoneyBag",
        "MoneyV2",
        "MailingAddress",
        "ShopAddress",
        "Image",
        "Weight",
        "InventoryItemMeasurement",
        "PageInfo",
    }
)


def page_factor(size: int) -> int:
    """f(n): how a page of n weighs."""
    return max(1, math.floor(2 * math.log(size))) if size > 1 else 1


def requested_cost(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
) -> int:
    """Points that are asked for."""
    reader = _CostReader(schema, document, variables, None)
    return max(1, math.ceil(reader.operation(operation)))


def actual_cost(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
    values: Mapping[str, Any],
) -> int:
    """Points really used: the same model over what was found, by root key.

    Of a page only a few nodes are looked at; they stand for the others.
    """
    reader = _CostReader(schema, document, variables, values)
    return max(1, math.ceil(reader.operation(operation)))


class _CostReader:
    """Reads a selection; `samples` are nodes of the answer, None while nothing is known."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        variables: Mapping[str, Any],
        values: Mapping[str, Any] | None,
    ) -> None:
        self._schema = schema
        self._fragments = fragments_of(document)
        self._variables = variables
        self._values = values

    def operation(self, operation: OperationDefinitionNode) -> float:
        """The cost of all root fields."""
        root = self._schema.get_root_type(operation.operation)
        if root is None:
            return 1
        cost = 0.0
        for key, (_, nodes) in self._keys(root, operation.selection_set, {}).items():
            name = nodes[0].name.value
            if name.endswith("Count") or operation.operation is OperationType.MUTATION:
                cost += COUNT_COST
                continue
            samples = None
            if self._values is not None and key in self._values:
                samples = [{name: self._values[key]}]
            cost += self._field(root, nodes, samples)
        return cost

    def _selection(
        self, parent: GraphQLNamedType, selections: SelectionSetNode, samples: Samples
    ) -> float:
        return sum(
            self._field(kind, nodes, samples)
            for kind, nodes in self._keys(parent, selections, {}).values()
        )

    def _keys(
        self,
        parent: GraphQLNamedType,
        selections: SelectionSetNode,
        keys: dict[str, tuple[GraphQLNamedType, list[FieldNode]]],
    ) -> dict[str, tuple[GraphQLNamedType, list[FieldNode]]]:
        for node in selections.selections:
            if isinstance(node, FieldNode):
                key = node.alias.value if node.alias else node.name.value
                keys.setdefault(key, (parent, []))[1].append(node)
            elif isinstance(node, FragmentSpreadNode):
                fragment = self._fragments[node.name.value]
                under = self._schema.type_map[fragment.type_condition.name.value]
                self._keys(under, fragment.selection_set, keys)
            elif isinstance(node, InlineFragmentNode):
                under = parent
                if node.type_condition:
                    under = self._schema.type_map[node.type_condition.name.value]
                self._keys(under, node.selection_set, keys)
        return keys

    def _field(self, parent: GraphQLNamedType, nodes: list[FieldNode], samples: Samples) -> float:
        name = nodes[0].name.value
        if name.startswith("__"):
            return 0
        returned = get_named_type(getattr(parent, "fields", {})[name].type)
        if not is_composite_type(returned):
            return 0
        below = [node.selection_set for node in nodes if node.selection_set]
        held = None if samples is None else [_peek(sample, name) for sample in samples]
        if returned.name.endswith("Connection") and isinstance(returned, GraphQLObjectType):
            return self._connection(returned, nodes[0], below, held)
        own = 0 if returned.name in FREE_TYPES else 1
        if held is None:
            return own + sum(self._selection(returned, one, None) for one in below)
        there = [value for value in held if value]
        if not there:
            return 0
        inner: list[Any] = []
        for value in there:
            inner += value[:SAMPLES] if isinstance(value, list) else [value]
        cost = own + sum(self._selection(returned, one, inner) for one in below)
        return cost * len(there) / len(held)

    def _connection(
        self,
        returned: GraphQLObjectType,
        node: FieldNode,
        below: list[SelectionSetNode],
        held: list[Any] | None,
    ) -> float:
        size = self._size(node)
        factor = page_factor(size)
        samples: Samples = None
        if held is not None:
            rows = [_rows(value) for value in held if value is not None]
            most = max(1, len(held))
            found = math.ceil(sum(min(size, number) for number, _ in rows) / most)
            if not found:
                return 2
            factor = page_factor(found)
            samples = [one for _, some in rows for one in some]
        cost = 2.0
        item = get_named_type(returned.fields["nodes"].type)
        for selections in below:
            for parent, nodes in self._keys(returned, selections, {}).values():
                name = nodes[0].name.value
                inner = [one.selection_set for one in nodes if one.selection_set]
                if name == "nodes":
                    cost += factor * (1 + sum(self._selection(item, one, samples) for one in inner))
                elif name == "edges":
                    edge = get_named_type(returned.fields["edges"].type)
                    wrapped = None if samples is None else [{"node": one} for one in samples]
                    # The edge itself is free: its node is what an object costs.
                    points = sum(self._selection(edge, one, wrapped) for one in inner)
                    cost += factor * max(1, points)
                elif name != "pageInfo":
                    cost += self._field(parent, nodes, None)
        return cost

    def _size(self, node: FieldNode) -> int:
        for argument in node.arguments or ():
            if argument.name.value in ("first", "last"):
                value = value_from_ast_untyped(argument.value, dict(self._variables))
                if isinstance(value, int):
                    return value
        return 1


def _peek(sample: Any, name: str) -> Any:
    if isinstance(sample, LazyNode) or (isinstance(sample, dict) and name in sample):
        return sample[name]
    # Money and the like are free, and a field of another type is not there at all.
    return None


def _rows(value: Any) -> tuple[int, list[Any]]:
    if isinstance(value, Page):
        some = value.rows[:SAMPLES]
        return len(value.rows), [value.node(row) for row in some] if value.node else list(some)
    return len(value), list(value[:SAMPLES])
