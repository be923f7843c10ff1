"""The fast executor and graphql-core give the same answers."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from graphql import get_named_type, is_leaf_type, is_object_type
from graphql.execution.values import VariableValues, get_variable_values

from brandmind.simulator.brand import Brand
from brandmind.simulator.bulk_lines import BulkPlan
from brandmind.simulator.compiled import Plan
from brandmind.simulator.documents import read_document, schema
from brandmind.simulator.general import execute
from brandmind.simulator.listing import Listing
from brandmind.simulator.roots import READ_SCOPES, Call
from brandmind.simulator.search import parse
from tests.unit.simulator.shopper import SHOP, config

BRAND = Brand(SHOP, config())
LISTING = Listing(BRAND)
SCOPES = READ_SCOPES | {"read_all_orders"}


def everything(kind: str, depth: int) -> str:
    """A selection of all fields of a type, connections and lists three rows long."""
    parts = ["__typename"]
    for name, field in schema().type_map[kind].fields.items():  # type: ignore[attr-defined]
        returned = get_named_type(field.type)
        if any(str(argument.type).endswith("!") for argument in field.args.values()):
            continue
        if is_leaf_type(returned):
            parts.append(name)
            continue
        if depth == 0:
            continue
        arguments = "(first: 3)" if "first" in field.args else ""
        if is_object_type(returned):
            inner = everything(returned.name, depth - 1)
        else:
            kinds = schema().get_possible_types(returned)  # type: ignore[arg-type]
            inner = "__typename " + " ".join(
                f"... on {one.name} {{ {everything(one.name, depth - 1)} }}" for one in kinds
            )
        parts.append(f"{name}{arguments} {{ {inner} }}")
    return " ".join(parts)


def both(query: str, **variables: Any) -> tuple[Any, Any]:
    document = read_document(query)
    assert not document.errors, document.errors
    operation = document.operation(None)
    assert operation is not None
    values = get_variable_values(schema(), operation.variable_definitions or (), variables)
    assert isinstance(values, VariableValues)

    def call() -> Call:
        return Call(BRAND, LISTING, SCOPES, variables, values)

    plan = Plan(document, operation)
    fast = json.loads(orjson.dumps({"data": plan.run(call())}))
    # Once more: now the nodes come from memory.
    assert json.loads(orjson.dumps({"data": plan.run(call())})) == fast
    slow = json.loads(orjson.dumps(execute(document, None, call())))
    return fast, slow


@pytest.mark.parametrize("root", ["orders", "products", "customers"])
@pytest.mark.parametrize("window", ["first: 40", "last: 7, reverse: true"])
def test_all_fields_of_a_list_are_the_same_on_both_roads(root: str, window: str) -> None:
    kind = {"orders": "Order", "products": "Product", "customers": "Customer"}[root]
    rows = f"nodes {{ {everything(kind, 3)} }} edges {{ cursor node {{ id }} }}"
    info = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
    fast, slow = both(f"{{ {root}({window}) {{ {rows} {info} }} }}")
    assert fast["data"][root]["nodes"]
    assert fast == slow


def test_every_order_is_the_same_on_both_roads() -> None:
    fast, slow = both(f"{{ orders(first: 250) {{ nodes {{ {everything('Order', 1)} }} }} }}")
    assert fast == slow


def test_fragments_aliases_variables_and_merged_fields_are_the_same_on_both_roads() -> None:
    query = """
    query Mixed($n: Int!, $after: String, $inner: Int = 2) {
      a: orders(first: $n, after: $after) { ...Rows }
      b: orders(first: 2, reverse: true, query: "test:false") {
        nodes { name n2: name lineItems(first: $inner) { nodes { id } } }
        nodes { lineItems(first: $inner) { pageInfo { endCursor } } }
      }
      shop { ...ShopParts name }
      currentAppInstallation { accessScopes { handle } }
      productsCount { count precision }
    }
    fragment Rows on OrderConnection {
      __typename
      edges { cursor node { ...OrderParts } }
      pageInfo { endCursor }
    }
    fragment OrderParts on Order {
      id totalPriceSet { shopMoney { __typename amount } }
      agreements(first: 5) { nodes { __typename ... on RefundAgreement { refund { id } } } }
      ... on Node { id }
      ... { name }
    }
    fragment ShopParts on Shop { id name plan { shopifyPlus } }
    """
    fast, slow = both(query, n=5)
    assert len(fast["data"]["a"]["edges"]) == 5
    assert fast == slow


def test_single_nodes_and_lists_of_ids_are_the_same_on_both_roads() -> None:
    order, product = BRAND.order(3)["id"], BRAND.product(2)["id"]
    query = """
    query Ids($ids: [ID!]!, $order: ID!) {
      nodes(ids: $ids) { __typename id ... on Product { title variants(first: 250) {
        nodes { sku } pageInfo { hasNextPage endCursor } } } }
      order(id: $order) { name }
      none: order(id: "gid://shopify/Order/1") { name }
    }
    """
    fast, slow = both(query, ids=[order, product, "gid://shopify/Product/1"], order=order)
    assert fast["data"]["none"] is None
    assert fast["data"]["nodes"][2] is None
    assert fast == slow


@pytest.mark.parametrize(
    "query",
    [
        "created_at:>='2026-08-01T00:00:00Z' created_at:<='2026-10-01T00:00:00Z'",
        "created_at:>='2026-08-01T00:00:00Z' updated_at:>='2026-10-01T00:00:00Z'",
        "created_at:>='2026-08-01T00:00:00Z' OR updated_at:>='2026-10-01T00:00:00Z'",
        "-created_at:>='2026-08-01T00:00:00Z' test:false",
        "NOT created_at:<='2026-08-01T00:00:00Z'",
        "created_at:>='2027-08-01T00:00:00Z' created_at:<='2026-10-01T00:00:00Z'",
    ],
)
@pytest.mark.parametrize("sort", ["CREATED_AT", "UPDATED_AT", "PROCESSED_AT"])
def test_a_window_is_found_as_if_every_order_had_been_asked(query: str, sort: str) -> None:
    resource = LISTING.resources["orders"]
    keeps = parse(query, resource.fields, BRAND.config.timezone).keeps
    assert keeps is not None
    value = resource.sort_values[sort]
    wanted = sorted(filter(keeps, resource.rows()), key=lambda row: (value(row), row))
    found, _ = LISTING.rows("orders", {"query": query, "sortKey": sort})
    assert list(found) == wanted


def test_the_money_of_many_slices_is_kept_once() -> None:
    def plan(month: int, selection: str) -> BulkPlan:
        window = f"created_at:>='2026-{month:02d}-01T00:00:00Z'"
        text = f'{{ orders(query: "{window}") {{ edges {{ node {{ id {selection} }} }} }} }}'
        return BulkPlan(text)

    def money(found: BulkPlan) -> object:
        (_, level, _) = found.rows(Call(BRAND, LISTING, SCOPES, {}))[0]
        return level.only.steps[1][2]

    sums = "totalPriceSet { shopMoney { amount } }"
    assert money(plan(1, sums)) is money(plan(2, sums))
    other = "totalPriceSet { shopMoney { amount currencyCode } }"
    assert money(plan(1, sums)) is not money(plan(1, other))
