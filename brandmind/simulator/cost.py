"""What a query costs before it runs: the model that fits nine in ten recorded answers.

Scalars are free, an object is one point, a connection 2 + f(n)·(1 + what its node costs) with
f(n) = max(1, ⌊2·ln n⌋); money, addresses, images and the like are free; `…Count` roots cost ten.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_composite_type,
    value_from_ast_untyped,
)

MAX_COST = 1000
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
    *,
    found: Mapping[str, int] | None = None,
) -> int:
    """Points asked for; with `found` (rows per root key) the points really used."""
    fragments = {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    root = schema.get_root_type(operation.operation)
    if root is None:
        return 1
    reader = _CostReader(schema, fragments, variables, found)
    return max(1, reader.selection(root, operation.selection_set, at_root=True))


class _CostReader:
    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
        found: Mapping[str, int] | None,
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._variables = variables
        self._found = found

    def selection(
        self, parent: GraphQLNamedType, selections: SelectionSetNode, *, at_root: bool = False
    ) -> int:
        """The cost of the fields of a selection, each response key once."""
        return sum(
            self._field(parent, key, nodes, at_root=at_root)
            for key, (parent, nodes) in self._keys(parent, selections, {}).items()
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

    def _field(
        self, parent: GraphQLNamedType, key: str, nodes: list[FieldNode], *, at_root: bool
    ) -> int:
        first = nodes[0]
        name = first.name.value
        if name.startswith("__"):
            return 0
        fields = getattr(parent, "fields", {})
        returned = get_named_type(fields[name].type)
        if not is_composite_type(returned):
            return 0
        below = [node.selection_set for node in nodes if node.selection_set]
        if at_root and name.endswith("Count"):
            return COUNT_COST
        if returned.name.endswith("Connection") and isinstance(returned, GraphQLObjectType):
            return self._connection(returned, first, below, key if at_root else None)
        children = sum(self.selection(returned, one) for one in below)
        return children + (0 if returned.name in FREE_TYPES else 1)

    def _connection(
        self,
        returned: GraphQLObjectType,
        node: FieldNode,
        below: list[SelectionSetNode],
        root_key: str | None,
    ) -> int:
        factor = page_factor(self._size(node))
        if root_key is not None and self._found is not None and root_key in self._found:
            rows = self._found[root_key]
            if not rows:
                return 2
            factor = min(factor, page_factor(rows))
        cost = 2
        item = get_named_type(returned.fields["nodes"].type)
        for selections in below:
            for key, (parent, nodes) in self._keys(returned, selections, {}).items():
                name = nodes[0].name.value
                inner = [one.selection_set for one in nodes if one.selection_set]
                if name == "nodes":
                    cost += factor * (1 + sum(self.selection(item, one) for one in inner))
                elif name == "edges":
                    edge = get_named_type(returned.fields["edges"].type)
                    # The edge itself is free: its node is what an object costs.
                    cost += factor * max(1, sum(self.selection(edge, one) for one in inner))
                elif name != "pageInfo":
                    cost += self._field(parent, key, nodes, at_root=False)
        return cost

    def _size(self, node: FieldNode) -> int:
        for argument in node.arguments or ():
            if argument.name.value in ("first", "last"):
                value = value_from_ast_untyped(argument.value, dict(self._variables))
                if isinstance(value, int):
                    return value
        return 1
