"""The fast road: a validated operation becomes nested functions that write JSON parts.

Money is written once per amount and kept; the nodes of the great lists are kept as bytes until
the brand changes. `general.execute` gives the same answers, slower; tests hold the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLAbstractType,
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    print_ast,
)
from graphql.execution.values import get_argument_values

from brandmind.simulator.amounts import Bag, Money
from brandmind.simulator.documents import Document, fragments_of, schema
from brandmind.simulator.general import money_field, nested_page
from brandmind.simulator.paging import Page
from brandmind.simulator.roots import LISTS, Call

Writer = Callable[[Any, Call], Any]
Arguments = Callable[[Call], dict[str, Any]]

KEPT_BYTES = 160 * 1024 * 1024
_MOST_SHAPES = 24

# Each slice of an export is a query of its own: their money is written alike, and kept once.
_shared_bags: dict[str, Writer] = {}


class _Keeper:
    """Rendered nodes of all plans together, within a number of bytes."""

    def __init__(self) -> None:
        self.held = 0
        self.shelves: list[dict[Any, orjson.Fragment]] = []

    def shelf(self) -> dict[Any, orjson.Fragment]:
        self.shelves.append({})
        return self.shelves[-1]

    def add(self, size: int) -> None:
        self.held += size
        if self.held > KEPT_BYTES:
            self.clear()

    def clear(self) -> None:
        for shelf in self.shelves:
            shelf.clear()
        self.held = 0


keeper = _Keeper()


class Plan:
    """A compiled operation."""

    def __init__(self, document: Document, operation: OperationDefinitionNode) -> None:
        if document.node is None:
            raise ValueError("the document was not validated")
        root = schema().query_type
        if root is None or operation.operation.value != "query":
            raise ValueError("only queries can be compiled")
        compiler = Compiler(fragments_of(document.node))
        self._fields = compiler.roots(root, operation.selection_set)

    def run(self, call: Call) -> dict[str, Any]:
        """The data of the answer, ready for orjson."""
        return {key: write(call) for key, write in self._fields}


class Compiler:
    """Turns selections into writers; `bulk_lines` builds its lines with it."""

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._fragments = fragments
        # One memory for all money that is written alike: most orders repeat the same amounts.
        self._bags: dict[str, Writer] = {}

    def roots(
        self, root: GraphQLObjectType, selections: SelectionSetNode
    ) -> list[tuple[str, Callable[[Call], Any]]]:
        """Each response key of the query with the function that answers it."""
        fields = []
        for key, nodes in self.collect(root, [selections]).items():
            name = nodes[0].name.value
            if name == "__typename":
                fields.append((key, lambda _: root.name))
                continue
            definition = root.fields[name]
            arguments = self.arguments(definition, nodes[0])
            below = [node.selection_set for node in nodes if node.selection_set]
            returned = get_named_type(definition.type)
            if name in LISTS and isinstance(returned, GraphQLObjectType):
                write = self._connection(returned, below, keep=LISTS[name])
            elif returned.name.endswith("Connection") and isinstance(returned, GraphQLObjectType):
                write = self._connection(returned, below, keep=None)
            else:
                write = self._wrapped(definition.type, returned, below)
            fields.append((key, _root(name, key, arguments, write)))
        return fields

    def collect(
        self, parent: GraphQLNamedType, many: list[SelectionSetNode]
    ) -> dict[str, list[FieldNode]]:
        """The fields by response key, fragments that apply among them."""
        found: dict[str, list[FieldNode]] = {}
        for selections in many:
            for node in selections.selections:
                if isinstance(node, FieldNode):
                    key = node.alias.value if node.alias else node.name.value
                    found.setdefault(key, []).append(node)
                    continue
                if isinstance(node, FragmentSpreadNode):
                    fragment = self._fragments[node.name.value]
                    condition: str | None = fragment.type_condition.name.value
                    inner = fragment.selection_set
                elif isinstance(node, InlineFragmentNode):
                    condition = node.type_condition.name.value if node.type_condition else None
                    inner = node.selection_set
                else:
                    continue
                if condition is None or _applies(parent, condition):
                    for key, nodes in self.collect(parent, [inner]).items():
                        found.setdefault(key, []).extend(nodes)
        return found

    def arguments(self, definition: GraphQLField, node: FieldNode) -> Arguments:
        """What gives a field's arguments in a call."""
        if any(_has_variable(argument.value) for argument in node.arguments or ()):
            return lambda call: get_argument_values(definition, node, call.values)
        fixed = get_argument_values(definition, node) if definition.args else {}
        return lambda _: fixed

    def written(self, parent: GraphQLNamedType, below: list[SelectionSetNode]) -> Writer:
        """What writes an object of that type."""
        return self._object(parent, below)

    def _object(self, parent: GraphQLNamedType, below: list[SelectionSetNode]) -> Writer:
        if is_abstract_type(parent):
            return self._abstract(parent, below)
        if not isinstance(parent, GraphQLObjectType):
            raise TypeError(parent.name)
        if parent.name == "MoneyBag":
            return self._bag(parent, below)
        if parent.name == "MoneyV2":
            return self._money(parent, below)
        steps: list[tuple[str, str, Writer | None]] = []
        for key, nodes in self.collect(parent, below).items():
            name = nodes[0].name.value
            if name == "__typename":
                steps.append((key, name, _constant(parent.name)))
                continue
            definition = parent.fields[name]
            steps.append((key, name, self.field(definition, nodes)))

        def write(node: Any, call: Call) -> Any:
            return {
                key: node[name] if inner is None else inner(node, call)
                for key, name, inner in steps
            }

        return write

    def field(self, definition: GraphQLField, nodes: list[FieldNode]) -> Writer | None:
        """What writes a field of a node; None where the value is written as it is."""
        name = nodes[0].name.value
        returned = get_named_type(definition.type)
        arguments = self.arguments(definition, nodes[0])
        limited = "first" in definition.args
        if is_leaf_type(returned):
            return None
        below = [node.selection_set for node in nodes if node.selection_set]
        if returned.name.endswith("Connection") and isinstance(returned, GraphQLObjectType):
            connection = self._connection(returned, below, keep=None)
            return lambda node, call: connection(nested_page(node[name], arguments(call)), call)
        inner = self._wrapped(definition.type, returned, below)
        if limited:

            def write_some(node: Any, call: Call) -> Any:
                rows = node[name]
                first = arguments(call).get("first")
                return inner(rows if first is None else rows[:first], call)

            return write_some
        return lambda node, call: inner(node[name], call)

    def _wrapped(
        self, kind: Any, returned: GraphQLNamedType, below: list[SelectionSetNode]
    ) -> Writer:
        write = self._object(returned, below) if below else _itself
        inner = kind.of_type if is_non_null_type(kind) else kind
        if is_list_type(inner):
            return lambda rows, call: [None if row is None else write(row, call) for row in rows]
        if inner is kind:
            return lambda node, call: None if node is None else write(node, call)
        return write

    def _abstract(self, parent: GraphQLAbstractType, below: list[SelectionSetNode]) -> Writer:
        writers = {
            kind.name: self._object(kind, below) for kind in schema().get_possible_types(parent)
        }
        return lambda node, call: writers[node["__typename"]](node, call)

    def _connection(
        self, parent: GraphQLObjectType, below: list[SelectionSetNode], *, keep: str | None
    ) -> Writer:
        steps: list[tuple[str, Callable[[Page, Call], Any]]] = []
        item = get_named_type(parent.fields["nodes"].type)
        for key, nodes in self.collect(parent, below).items():
            inner = [node.selection_set for node in nodes if node.selection_set]
            match nodes[0].name.value:
                case "nodes":
                    steps.append((key, self._rows(item, inner, keep)))
                case "edges":
                    steps.append((key, self._edges(parent, item, inner, keep)))
                case "pageInfo":
                    info = get_named_type(parent.fields["pageInfo"].type)
                    steps.append((key, self._page_info(info, inner)))
                case _:
                    steps.append((key, lambda *_: parent.name))
        return lambda page, call: {key: write(page, call) for key, write in steps}

    def _rows(
        self, item: GraphQLNamedType, below: list[SelectionSetNode], keep: str | None
    ) -> Callable[[Page, Call], list[Any]]:
        write = self._object(item, below)
        if keep is None or any(_selection_has_variable(one, self._fragments) for one in below):
            return lambda page, call: [write(node, call) for node in page.nodes]
        shelf = keeper.shelf()

        def rows(page: Page, call: Call) -> list[Any]:
            brand = call.brand
            answer: list[Any] = []
            make = call.listing.resources[keep].node
            for row in page.rows:
                key = (brand.serial, row)
                kept = shelf.get(key)
                if kept is None:
                    data = orjson.dumps(write(make(row), call))
                    kept = orjson.Fragment(data)
                    keeper.add(len(data))
                    shelf[key] = kept
                answer.append(kept)
            return answer

        return rows

    def _edges(
        self,
        connection: GraphQLObjectType,
        item: GraphQLNamedType,
        below: list[SelectionSetNode],
        keep: str | None,
    ) -> Callable[[Page, Call], list[Any]]:
        edge = get_named_type(connection.fields["edges"].type)
        fields: list[tuple[str, str, list[SelectionSetNode]]] = []
        for key, nodes in self.collect(edge, below).items():
            inner = [node.selection_set for node in nodes if node.selection_set]
            fields.append((key, nodes[0].name.value, inner))
        writers = [
            (key, name, self._rows(item, inner, keep) if name == "node" else None)
            for key, name, inner in fields
        ]

        def edges(page: Page, call: Call) -> list[Any]:
            answer: list[dict[str, Any]] = [{} for _ in range(len(page.keys))]
            for key, name, write in writers:
                if write is not None:
                    values: list[Any] = write(page, call)
                elif name == "cursor":
                    values = [page.cursor(place) for place in range(len(answer))]
                else:
                    values = [edge.name] * len(answer)
                for row, value in zip(answer, values, strict=True):
                    row[key] = value
            return answer

        return edges

    def _page_info(
        self, info: GraphQLNamedType, below: list[SelectionSetNode]
    ) -> Callable[[Page, Call], Any]:
        write = self._object(info, below)
        return lambda page, call: write(page.page_info(), call)

    def _money(self, parent: GraphQLObjectType, below: list[SelectionSetNode]) -> Writer:
        names = {key: nodes[0].name.value for key, nodes in self.collect(parent, below).items()}

        def write(value: Money, call: Call) -> Any:
            return {
                key: "MoneyV2" if name == "__typename" else money_field(value, name)
                for key, name in names.items()
            }

        return write

    def _bag(self, parent: GraphQLObjectType, below: list[SelectionSetNode]) -> Writer:
        alike = " ".join(map(print_ast, below))
        # A fragment is another one in another query, so that its bags are not shared.
        known = self._bags if "..." in alike else _shared_bags
        if alike in known:
            return known[alike]
        steps = []
        for key, nodes in self.collect(parent, below).items():
            inner = [node.selection_set for node in nodes if node.selection_set]
            name = nodes[0].name.value
            money = get_named_type(parent.fields[name].type) if inner else None
            steps.append((key, name, self._object(money, inner) if money else None))
        written: dict[Bag, orjson.Fragment] = {}

        def write(value: Bag, call: Call) -> Any:
            kept = written.get(value)
            if kept is None:
                if len(written) > 40_000:
                    written.clear()
                made = {
                    key: "MoneyBag" if inner is None else inner(money_field(value, name), call)
                    for key, name, inner in steps
                }
                kept = written[value] = orjson.Fragment(orjson.dumps(made))
            return kept

        if len(known) > _MOST_SHAPES:
            known.clear()
        known[alike] = write
        return write


def _root(name: str, key: str, arguments: Arguments, write: Writer) -> Callable[[Call], Any]:
    def answer(call: Call) -> Any:
        return write(call.root(name, arguments(call), key), call)

    return answer


def _itself(value: Any, call: Call) -> Any:
    return value


def _constant(value: Any) -> Writer:
    return lambda node, call: value


def _applies(parent: GraphQLNamedType, condition: str) -> bool:
    if parent.name == condition:
        return True
    wanted = schema().type_map[condition]
    return (
        is_abstract_type(wanted)
        and isinstance(parent, GraphQLObjectType)
        and schema().is_sub_type(wanted, parent)
    )


def _has_variable(value: Any) -> bool:
    if isinstance(value, VariableNode):
        return True
    inner = [one.value for one in getattr(value, "fields", None) or ()]
    parts = [*(getattr(value, "values", None) or ()), *inner]
    return any(_has_variable(part) for part in parts)


def _selection_has_variable(
    selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> bool:
    for node in selections.selections:
        if isinstance(node, FieldNode):
            if any(_has_variable(argument.value) for argument in node.arguments or ()):
                return True
            inner = node.selection_set
        elif isinstance(node, FragmentSpreadNode):
            inner = fragments[node.name.value].selection_set
        elif isinstance(node, InlineFragmentNode):
            inner = node.selection_set
        else:
            continue
        if inner and _selection_has_variable(inner, fragments):
            return True
    return False
