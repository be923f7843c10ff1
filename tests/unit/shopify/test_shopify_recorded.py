"""Answers recorded at real shops end in the right record or the right error."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from brandmind.errors import ShopifyError
from brandmind.shopify.parse import parse_customers, parse_order, parse_orders
from tests.unit.shopify.double import client_of, ok
from tests.unit.shopify.made import connection, customer, line, order, refund

pytestmark = pytest.mark.needs_shared

# What each file holds: data, or an error by its name and code or scope.
EXPECTED = {
    "access-denied-2025-01": {"AccessRefused read_shopify_payments"},
    "bulk-concurrency-limit-2026-04": {"data"},
    "bulk-in-progress-2025-01": {"data"},
    "bulk-lifecycle-group-objects-2026-04": {"data"},
    "bulk-nested-root-count-2026-04": {"data", "QueryRefused search_warning"},
    "bulk-read-arg-validation-2026-04": {
        "QueryRefused BAD_REQUEST",
        "QueryRefused search_warning",
        "QueryRefused argumentLiteralsIncompatible",
        "QueryRefused RESOURCE_NOT_FOUND",
    },
    "bulk-user-error-codes-2026-04": {"data"},
    "bulk-validators-2026-04": {"data"},
    "customer-order-summary-2026-04": {"data", "QueryRefused search_warning"},
    "customers-catalog-2025-01": {"data"},
    "customers-count-search-warnings-2025-01": {"QueryRefused search_warning"},
    "customers-sort-keys-2025-01": {"data"},
    "graphql-validation-errors-2025-01": {
        "QueryRefused PARSE_ERROR",
        "QueryRefused selectionMismatch",
        "QueryRefused INVALID_VARIABLE",
        "QueryRefused INVALID_FIELD_ARGUMENTS",
        "QueryRefused undefinedField",
    },
    "order-cancel-2026-04": {"data"},
    "order-delete-2026-04": {"data"},
    "order-merchant-detail-SYNTHETIC-2026-04": {"data"},
    "orders-catalog-count-2026-04": {"data"},
    "orders-money-bag-presentment-2025-01": {"data"},
    "product-delete-2026-04": {
        "data",
        "QueryRefused INVALID_VARIABLE",
        "QueryRefused missingRequiredInputObjectAttribute",
        "QueryRefused argumentLiteralsIncompatible",
    },
    "refund-full-2025-01": {"data"},
    "refund-partial-2025-01": {"data"},
    "search-unquoted-timestamp-2025-01": {"data", "QueryRefused search_warning"},
    "webhook-subscription-list-2026-04": {"data", "QueryRefused argumentLiteralsIncompatible"},
    "webhook-subscription-uri-validation-2026-04": {"data"},
}


def answers_in(told: Any) -> Iterator[dict[str, Any]]:
    """Every answer of the API in a recording, however deep."""
    if isinstance(told, dict):
        if "data" in told or isinstance(told.get("errors"), list):
            yield told
        for inner in told.values():
            yield from answers_in(inner)
    elif isinstance(told, list):
        for inner in told:
            yield from answers_in(inner)


def nodes_in(told: Any, resource: str) -> Iterator[dict[str, Any]]:
    """Every node of a resource in a recording, however deep."""
    if isinstance(told, dict):
        if str(told.get("id", "")).startswith(f"gid://shopify/{resource}/"):
            yield told
        for inner in told.values():
            yield from nodes_in(inner, resource)
    elif isinstance(told, list):
        for inner in told:
            yield from nodes_in(inner, resource)


def filled(node: dict[str, Any], **also: Any) -> dict[str, Any]:
    """A recorded order with the fields our documents select and the recording did not."""
    lines = [
        line(at) | recorded
        for at, recorded in enumerate((node.get("lineItems") or {}).get("nodes") or ())
    ]
    refunds = [
        refund(at, [])
        | recorded
        | {"refundLineItems": recorded.get("refundLineItems") or connection([])}
        for at, recorded in enumerate(node.get("refunds") or ())
    ]
    return order(1) | node | {"lineItems": connection(lines), "refunds": refunds} | also


@pytest.fixture
def recordings(shared_data: Path) -> dict[str, Any]:
    folder = shared_data / "recorded"
    return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}


async def ending(answer: dict[str, Any]) -> str:
    response = ok(answer.get("data"), **{k: v for k, v in answer.items() if k != "data"})
    try:
        await client_of(lambda _: response).query("shop")
    except ShopifyError as error:
        named = getattr(error, "code", None) or getattr(error, "scope", None)
        return f"{type(error).__name__} {named}"
    return "data"


@pytest.mark.parametrize("name", EXPECTED)
async def test_each_recorded_answer_ends_as_it_should(
    name: str, recordings: dict[str, Any]
) -> None:
    ends = Counter([await ending(answer) for answer in answers_in(recordings[name])])
    assert set(ends) == EXPECTED[name]


def test_every_recording_is_expected_to_end_somehow(recordings: dict[str, Any]) -> None:
    assert set(recordings) == set(EXPECTED)


def test_every_recorded_order_is_read(recordings: dict[str, Any]) -> None:
    read = 0
    for told in recordings.values():
        nodes = [filled(node) for node in nodes_in(told, "Order")]
        records, rejects = parse_orders(nodes)
        assert rejects == []
        read += len(records)
    assert read > 40


def test_every_recorded_customer_is_read(recordings: dict[str, Any]) -> None:
    read = 0
    for told in recordings.values():
        nodes = [customer(1) | node for node in nodes_in(told, "Customer")]
        records, rejects = parse_customers(nodes)
        assert rejects == []
        read += len(records)
    assert read > 40


def test_a_recorded_customer_keeps_its_numbers(recordings: dict[str, Any]) -> None:
    told = recordings["customers-catalog-2025-01"]
    (karine,) = [
        record
        for record in parse_customers([customer(1) | n for n in nodes_in(told, "Customer")])[0]
        if record.display_name == "Karine Ruby" and record.number_of_orders == 13
    ][:1]
    assert (karine.amount_spent_minor, karine.amount_spent_currency) == (1_188_490, "CAD")


def test_a_recorded_order_shown_in_another_currency_keeps_both_totals(
    recordings: dict[str, Any],
) -> None:
    told = recordings["orders-money-bag-presentment-2025-01"]
    node = max(nodes_in(told, "Order"), key=lambda one: len(json.dumps(one)))
    record = parse_order(filled(node, currencyCode="CAD", presentmentCurrencyCode="USD"))
    assert (record.total_minor, record.presentment_total_minor) == (1350, 900)
    assert (record.total_tax_minor, record.lines[0].unit_price_minor) == (150, 1200)


@pytest.mark.parametrize(
    ("name", "quantity", "restocked"),
    [("refund-full-2025-01", 1, 0), ("refund-partial-2025-01", 1, 1)],
)
def test_a_recorded_refund_keeps_its_amount_and_what_was_restocked(
    name: str, quantity: int, restocked: int, recordings: dict[str, Any]
) -> None:
    refunds = [node for node in nodes_in(recordings[name], "Refund") if node.get("refundLineItems")]
    record = parse_order(filled(order(1), refunds=[refund(1, []) | refunds[0]]))
    (read,) = record.refunds
    assert read.total_minor == 1500
    assert (read.quantity, read.restocked_quantity) == (quantity, restocked)


def test_a_recorded_cancelled_guest_order_has_no_customer(recordings: dict[str, Any]) -> None:
    (node,) = [
        node
        for node in nodes_in(recordings["order-cancel-2026-04"], "Order")
        if node.get("cancelledAt")
    ][:1]
    record = parse_order(filled(node))
    assert record.cancelled_at is not None
    assert record.cancel_reason == "OTHER"
    assert record.customer_id is None
    assert record.financial_status is None
