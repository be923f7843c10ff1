"""The cost model and the bucket."""

from __future__ import annotations

import json

import pytest
from graphql import GraphQLSyntaxError, OperationDefinitionNode, build_client_schema, parse

from brandmind.simulator.cost import page_factor, requested_cost
from brandmind.simulator.documents import read_document, schema
from brandmind.simulator.throttle import Bucket
from tests.contract.shared import shared_folder, shared_schema

BAG = "{ shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }"


def cost(query: str, **variables: int) -> int:
    document = read_document(query)
    assert not document.errors, document.errors
    operation = document.operation(None)
    assert operation is not None
    assert document.node is not None
    return requested_cost(schema(), document.node, operation, variables)


@pytest.mark.parametrize(
    ("size", "factor"),
    [(1, 1), (3, 2), (5, 3), (10, 4), (20, 5), (50, 7), (100, 9), (250, 11)],
)
def test_a_page_weighs_twice_the_logarithm_of_its_size(size: int, factor: int) -> None:
    assert page_factor(size) == factor
    query = "query Q($n: Int!) { orders(first: $n) { nodes { id } } }"
    assert cost(query, n=size) == 2 + factor


@pytest.mark.parametrize(
    ("query", "points"),
    [
        ("{ shop { id } }", 1),
        ("{ shop { name plan { shopifyPlus } shopAddress { city } } }", 2),
        ("{ ordersCount { count } }", 10),
        ("{ orders(first: 1) { pageInfo { hasNextPage } } }", 2),
        (f"{{ orders(first: 1) {{ nodes {{ id totalPriceSet {BAG} }} }} }}", 3),
        ("{ orders(first: 10) { nodes { id customer { id } } } }", 2 + 4 * 2),
        ("{ orders(first: 10) { nodes { id lineItems(first: 50) { nodes { id } } } } }", 42),
        ("{ orders(first: 5) { nodes { id } edges { node { id } } } }", 2 + 3 + 3),
    ],
)
def test_objects_cost_one_money_nothing_and_connections_by_their_size(
    query: str, points: int
) -> None:
    assert cost(query) == points


@pytest.mark.needs_shared
def test_the_model_fits_the_recorded_queries_as_the_research_says() -> None:
    folder = shared_folder()
    official = build_client_schema(shared_schema(), assume_valid=True)
    right = total = 0
    for line in (folder / "cost-samples.jsonl").read_text("utf-8").splitlines():
        sample = json.loads(line)
        try:
            document = parse(sample["query"])
        except GraphQLSyntaxError:
            # Some samples were cut; a cut text has no cost.
            continue
        operation = document.definitions[0]
        if (
            not isinstance(operation, OperationDefinitionNode)
            or operation.operation.value != "query"
        ):
            continue
        points = requested_cost(official, document, operation, sample["variables"])
        right += points == sample["requestedQueryCost"]
        total += 1
    assert total > 80
    assert right / total > 0.85


def test_a_bucket_refills_with_time_and_never_beyond_its_size() -> None:
    now = 0.0
    bucket = Bucket(100, 10, clock=lambda: now)
    assert bucket.take(90)
    assert not bucket.take(20)
    now = 1.0
    assert bucket.take(20)
    now = 1000.0
    assert bucket.status() == {
        "maximumAvailable": 100,
        "currentlyAvailable": 100,
        "restoreRate": 10,
    }


def test_a_bucket_takes_back_what_was_not_used() -> None:
    bucket = Bucket(100, 10, clock=lambda: 0.0)
    assert bucket.take(80)
    bucket.give_back(30)
    assert bucket.take(50)
    assert not bucket.take(1)
