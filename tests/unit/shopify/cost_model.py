"""The query cost model that fits Shopify's recorded answers, to hold our documents against."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    parse,
)

FREE = frozenset(
    "pageInfo shopMoney presentmentMoney shippingAddress billingAddress defaultAddress "
    "shopAddress image amountSpent unitCost nodes edges node".split()
)


def requested_cost(text: str, variables: Mapping[str, Any], *, nodes_once: bool = False) -> int:
    """Points a document asks for: an object 1, a connection 2 + f(n) times its children, money
    and addresses nothing, a count 10. `nodes(ids:)` is taken once for every id, the dearer
    reading, unless `nodes_once`."""
    tree = parse(text)
    fragments = {
        one.name.value: one for one in tree.definitions if isinstance(one, FragmentDefinitionNode)
    }
    operation = next(one for one in tree.definitions if isinstance(one, OperationDefinitionNode))

    def of(selections: SelectionSetNode | None) -> int:
        points = 0
        for chosen in selections.selections if selections else ():
            if isinstance(chosen, FragmentSpreadNode):
                points += of(fragments[chosen.name.value].selection_set)
            elif isinstance(chosen, InlineFragmentNode):
                points += of(chosen.selection_set)
            elif isinstance(chosen, FieldNode):
                points += of_field(chosen)
        return points

    def of_field(field: FieldNode) -> int:
        name = field.name.value
        if name.endswith("Count"):
            return 10
        if field.selection_set is None:
            return 0
        inside = of(field.selection_set)
        if name in FREE or name.endswith(("Set", "Amount", "BeforeTaxes")):
            return inside
        if name == "nodes":
            return inside
        for argument in field.arguments or ():
            value = argument.value
            if argument.name.value == "first":
                if isinstance(value, VariableNode):
                    first = int(variables[value.name.value])
                else:
                    assert isinstance(value, IntValueNode)
                    first = int(value.value)
                return 2 + max(1, math.floor(2 * math.log(first))) * (1 + inside)
            if argument.name.value == "ids" and not nodes_once:
                assert isinstance(value, VariableNode)
                return len(variables[value.name.value]) * (1 + inside)
        return 1 + inside

    return max(1, of(operation.selection_set))
