"""Our documents are valid, up to date and cheap enough to be answered."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path

import pytest
from graphql import build_client_schema, parse, validate
from graphql.validation import NoDeprecatedCustomRule, specified_rules

from brandmind.shopify import bulk, source
from brandmind.shopify.documents import counting, document, names
from brandmind.sync.stages import Stage
from tests.unit.shopify.cost_model import requested_cost

LIMIT = 1000


def test_each_document_is_one_operation_with_the_fragments_it_uses() -> None:
    assert len(names()) >= 15
    for name in names():
        found = document(name)
        tree = parse(found.text)
        operations = [one for one in tree.definitions if one.kind == "operation_definition"]
        assert len(operations) == 1
        assert f"{operations[0].operation.value} {found.operation}" in found.text


def test_no_document_asks_for_personal_data_of_an_order() -> None:
    text = document("orders").text
    for field in (" email ", " phone ", " note ", " firstName ", " lastName ", " address1 "):
        assert field not in text


@pytest.mark.parametrize("lines", source._LINES)
def test_a_full_page_of_orders_stays_below_the_limit_however_long_they_are(lines: int) -> None:
    sizes = source.PageSizes()
    asked = {"first": sizes.orders, "lines": lines}
    assert requested_cost(document("orders").text, asked) < LIMIT


def test_the_usual_page_of_orders_leaves_room_for_three_in_a_standard_bucket() -> None:
    asked = {"first": source.PageSizes().orders, "lines": source._LINES[0]}
    assert requested_cost(document("orders").text, asked) * 3 <= 2000


def test_every_other_document_stays_well_below_the_limit() -> None:
    sizes = source.PageSizes()
    by_id = {stage: source._RESOURCES[stage] for stage in (Stage.PRODUCTS, Stage.CUSTOMERS)}
    at_once = {f"{one.root}_by_id": one.by_id for one in by_id.values()}
    at_once["orders_by_id"] = source._ORDERS.by_id
    at_once["refund_parts"] = bulk._REFUNDS_AT_ONCE
    for name in names():
        asked = {
            "first": max(sizes.products, sizes.customers),
            "lines": source._LINES[0],
            "ids": ["gid"] * at_once.get(name, 5),
        }
        assert requested_cost(document(name).text, asked) < 0.9 * LIMIT, name


def test_a_page_of_orders_ends_where_the_cost_steps_up() -> None:
    def step(first: int) -> int:
        return math.floor(2 * math.log(first))

    size = source.PageSizes().orders
    assert step(size) == step(size + 4) < step(size + 5)


@pytest.mark.needs_shared
def test_the_cost_model_agrees_with_recorded_answers(shared_data: Path) -> None:
    agreed = 0
    for line in (shared_data / "cost-samples.jsonl").read_text().splitlines():
        sample = json.loads(line)
        if sample["query"].startswith("#graphql"):
            continue
        cost = requested_cost(sample["query"], sample["variables"])
        agreed += cost == sample["requestedQueryCost"]
    assert agreed >= 80


def test_as_many_counts_as_one_request_asks_for_stay_below_the_limit() -> None:
    many = counting(["orders"] * source._COUNTS)
    assert requested_cost(document(many).text, {}) < LIMIT


@pytest.mark.needs_shared
@pytest.mark.parametrize("name", [*names(), counting(["orders", "products", "customers"])])
def test_each_document_is_valid_and_deprecates_nothing(name: str, shared_data: Path) -> None:
    schema = official(shared_data / "admin-schema-2026-10.json.gz")
    rules = [*specified_rules, NoDeprecatedCustomRule]
    assert validate(schema, parse(document(name).text), rules) == []


_schemas = {}


def official(path: Path):
    if path not in _schemas:
        with gzip.open(path) as file:
            # The official schema breaks a few rules of its own, so it is taken as it is.
            _schemas[path] = build_client_schema(json.load(file)["data"], assume_valid=True)
    return _schemas[path]
