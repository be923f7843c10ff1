"""Bulk operations: refusals in Shopify's words, states, files and what is in them."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import pytest

from brandmind.simulator.bulk_rules import problems
from tests.unit.simulator.shopper import SHOP, Shopper, opened

START = """
mutation Start($text: String!, $grouped: Boolean! = false) {
  bulkOperationRunQuery(query: $text, groupObjects: $grouped) {
    bulkOperation {
      id status type errorCode createdAt completedAt objectCount rootObjectCount fileSize url
      partialDataUrl query
    }
    userErrors { field message code }
  }
}
"""
POLL = """
query Poll($id: ID!) {
  bulkOperation(id: $id) {
    id status errorCode completedAt objectCount rootObjectCount fileSize url partialDataUrl
  }
}
"""
CANCEL = """
mutation Cancel($id: ID!) {
  bulkOperationCancel(id: $id) { bulkOperation { id status } userErrors { field message } }
}
"""
ORDERS = """
{
  orders(query: "created_at:>='2026-08-01T00:00:00Z' created_at:<='2026-11-01T00:00:00Z'") {
    edges { node {
      __typename id name createdAt totalPriceSet { shopMoney { amount } } customer { id }
      refunds { id totalRefundedSet { shopMoney { amount } } }
      lineItems { edges { node { __typename id quantity product { id } } } }
      agreements { edges { node {
        __typename id happenedAt
        sales { edges { node {
          __typename id actionType totalAmount { shopMoney { amount } }
          ... on ProductSale { lineItem { id } }
        } } }
      } } }
    } }
  }
}
"""
PAGED = """
query Page($after: String) {
  orders(first: 3, after: $after,
      query: "created_at:>='2026-08-01T00:00:00Z' created_at:<='2026-11-01T00:00:00Z'") {
    pageInfo { hasNextPage endCursor }
    nodes {
      __typename id name createdAt totalPriceSet { shopMoney { amount } } customer { id }
      refunds { id totalRefundedSet { shopMoney { amount } } }
      lineItems(first: 250) { nodes { __typename id quantity product { id } } }
      agreements(first: 250) { nodes {
        __typename id happenedAt
        sales(first: 250) { nodes {
          __typename id actionType totalAmount { shopMoney { amount } }
          ... on ProductSale { lineItem { id } }
        } }
      } }
    }
  }
}
"""


async def started(shopper: Shopper, query: str, *, grouped: bool = False) -> dict[str, Any]:
    data = await shopper.data(START, text=query, grouped=grouped)
    assert data["bulkOperationRunQuery"]["userErrors"] == []
    found: dict[str, Any] = data["bulkOperationRunQuery"]["bulkOperation"]
    return found


async def ended(shopper: Shopper, operation_id: str) -> dict[str, Any]:
    for _ in range(20_000):
        found: dict[str, Any] = (await shopper.data(POLL, id=operation_id))["bulkOperation"]
        if found["status"] not in ("CREATED", "RUNNING", "CANCELING"):
            return found
        await asyncio.sleep(0.001)
    raise AssertionError("the operation does not end")


async def downloaded(shopper: Shopper, url: str) -> list[dict[str, Any]]:
    answer = await shopper.http.get(url)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/jsonl"
    return [json.loads(line) for line in answer.text.splitlines()]


def recorded_cases(shared: Any, name: str) -> list[tuple[str, str, list[Any]]]:
    whole = json.loads((shared / "recorded" / name).read_text("utf-8"))
    found = []
    for case, run in whole["validations"].items():
        payload = run["response"]["data"]["bulkOperationRunQuery"]
        found.append((case, run["variables"]["query"], payload["userErrors"]))
    return found


@pytest.mark.needs_shared
@pytest.mark.parametrize(
    "name", ["bulk-validators-2026-04.json", "bulk-user-error-codes-2026-04.json"]
)
def test_every_recorded_refusal_has_the_recorded_words(shared_data: Any, name: str) -> None:
    cases = recorded_cases(shared_data, name)
    assert cases
    for case, query, errors in cases:
        if case == "connectionWithinList":
            # `fulfillments` is not spoken here: the same rule with a list that is.
            query = query.replace("fulfillments", "refunds").replace("events", "refundLineItems")
        assert problems(query) == errors, case


def test_a_query_that_shopify_would_not_understand_is_refused_with_the_field() -> None:
    (error,) = problems("{ products { edges { node { id colour } } } }")
    assert error["code"] == "INVALID"
    assert error["message"] == (
        "Invalid bulk query: Field 'colour' doesn't exist on type 'Product'"
    )


def test_a_query_of_more_than_65_535_bytes_is_refused_with_its_size() -> None:
    text = "{ products { edges { node { id } } } }"
    assert problems(text.ljust(65_535)) == []
    (error,) = problems(text.ljust(65_536))
    assert error["message"] == "Query is too large (65536 bytes; maximum is 65535 bytes)"


async def test_an_operation_is_created_then_completed_and_its_file_has_what_it_counts() -> None:
    async with opened() as shopper:
        first = await started(shopper, ORDERS)
        assert first["status"] == "CREATED"
        assert first["type"] == "QUERY"
        assert (first["objectCount"], first["rootObjectCount"]) == ("0", "0")
        assert first["query"] == ORDERS
        assert first["url"] is None
        last = await ended(shopper, first["id"])
        lines = await downloaded(shopper, last["url"])
    assert last["status"] == "COMPLETED"
    assert last["completedAt"]
    assert int(last["objectCount"]) == len(lines) > 100
    assert int(last["rootObjectCount"]) == sum("__parentId" not in line for line in lines)


async def test_the_file_has_the_very_same_nodes_as_the_pages() -> None:
    async with opened() as shopper:
        operation = await ended(shopper, (await started(shopper, ORDERS))["id"])
        lines = await downloaded(shopper, operation["url"])
        paged: list[dict[str, Any]] = []
        after = None
        while True:
            page = (await shopper.data(PAGED, after=after))["orders"]
            for order in page["nodes"]:
                items, agreements = order.pop("lineItems"), order.pop("agreements")
                paged.append(order)
                paged += [one | {"__parentId": order["id"]} for one in items["nodes"]]
                for agreement in agreements["nodes"]:
                    sales = agreement.pop("sales")
                    paged.append(agreement | {"__parentId": order["id"]})
                    paged += [one | {"__parentId": agreement["id"]} for one in sales["nodes"]]
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = page["pageInfo"]["endCursor"]
    key = json.dumps
    assert Counter(map(key, lines)) == Counter(map(key, paged))


async def test_children_come_behind_their_parents_and_not_beside_them() -> None:
    async with opened() as shopper:
        operation = await ended(shopper, (await started(shopper, ORDERS))["id"])
        lines = await downloaded(shopper, operation["url"])
    place = {line["id"]: number for number, line in enumerate(lines)}
    pairs = [
        (place[line["__parentId"]], number)
        for number, line in enumerate(lines)
        if "__parentId" in line
    ]
    assert pairs
    assert all(parent < child for parent, child in pairs)
    assert sum(child == parent + 1 for parent, child in pairs) < len(pairs) // 20
    parents = [line.get("__parentId") for line in lines]
    assert any(
        one != other and other in parents[at + 2 :]
        for at, (other, one) in enumerate(pairwise(parents))
        if other
    )


async def test_grouped_objects_stand_under_their_parent() -> None:
    async with opened() as shopper:
        operation = await ended(shopper, (await started(shopper, ORDERS, grouped=True))["id"])
        lines = await downloaded(shopper, operation["url"])
    order, agreement = "", ""
    for line in lines:
        kind = line["id"].split("/")[3]
        if kind == "Order":
            order = line["id"]
        elif kind in ("LineItem", "SalesAgreement"):
            assert line["__parentId"] == order
            agreement = line["id"] if kind == "SalesAgreement" else agreement
        else:
            assert line["__parentId"] == agreement


async def test_slashes_are_escaped_in_the_file() -> None:
    async with opened() as shopper:
        operation = await ended(
            shopper, (await started(shopper, "{ customers { edges { node { id } } } }"))["id"]
        )
        answer = await shopper.http.get(operation["url"])
    assert answer.text.startswith('{"id":"gid:\\/\\/shopify\\/Customer\\/')
    assert answer.text.endswith("}\n")
    assert int(operation["fileSize"]) == len(answer.content)
    assert int(answer.headers["content-length"]) == len(answer.content)


async def test_a_query_that_matches_nothing_completes_without_a_file() -> None:
    nothing = "{ orders(query: \"created_at:<='2001-01-01T00:00:00Z'\") { edges { node { id } } } }"
    async with opened() as shopper:
        operation = await ended(shopper, (await started(shopper, nothing))["id"])
    assert operation["status"] == "COMPLETED"
    assert (operation["url"], operation["fileSize"]) == (None, None)
    assert operation["objectCount"] == "0"


async def test_sizes_cursors_and_page_infos_are_ignored() -> None:
    query = """{ products(first: 3) {
      edges { cursor node { id variants(first: 1) { edges { node { id } } } } }
      pageInfo { hasNextPage }
    } }"""
    async with opened() as shopper:
        operation = await ended(shopper, (await started(shopper, query))["id"])
        lines = await downloaded(shopper, operation["url"])
        truth = (await shopper.http.get(f"/__truth/{SHOP}")).json()["counts"]
    kinds = Counter(line["id"].split("/")[3] for line in lines)
    assert kinds == {"Product": truth["products"], "ProductVariant": truth["variants"]}
    assert {tuple(line) for line in lines} == {("id",), ("id", "__parentId")}


async def test_five_run_at_once_and_the_sixth_is_told_which() -> None:
    query = "{ products { edges { node { id } } } }"
    async with opened(bulk_start_s=60.0) as shopper:
        ids = [(await started(shopper, query))["id"] for _ in range(5)]
        answer = await shopper.data(START, text=query)
        found = (
            await shopper.data(
                '{ bulkOperations(first: 9, query: "status:created operation_type:query") '
                "{ nodes { id status } } }"
            )
        )["bulkOperations"]["nodes"]
    assert answer["bulkOperationRunQuery"] == {
        "bulkOperation": None,
        "userErrors": [
            {
                "field": None,
                "message": "A bulk query operation for this app and shop is already in progress: "
                f"{', '.join(ids)}.",
                "code": "OPERATION_IN_PROGRESS",
            }
        ],
    }
    assert [one["id"] for one in found] == ids


async def test_a_cancelled_operation_is_canceling_and_then_canceled() -> None:
    async with opened(bulk_start_s=60.0) as shopper:
        operation = await started(shopper, "{ products { edges { node { id } } } }")
        first = await shopper.data(CANCEL, id=operation["id"])
        last = await ended(shopper, operation["id"])
        again = await shopper.data(CANCEL, id=operation["id"])
        unknown = await shopper.data(CANCEL, id="gid://shopify/BulkOperation/1")
    assert first["bulkOperationCancel"] == {
        "bulkOperation": {"id": operation["id"], "status": "CANCELING"},
        "userErrors": [],
    }
    assert last["status"] == "CANCELED"
    assert again["bulkOperationCancel"]["userErrors"] == [
        {"field": None, "message": "A bulk operation cannot be canceled when it is canceled"}
    ]
    assert unknown["bulkOperationCancel"]["userErrors"] == [
        {"field": ["id"], "message": "Bulk operation does not exist"}
    ]


async def test_a_slow_operation_is_seen_running_with_counts_that_rise() -> None:
    async with opened(bulk_rows_per_s=300.0) as shopper:
        operation = await started(shopper, "{ customers { edges { node { id } } } }")
        seen: list[tuple[str, int]] = []
        while True:
            found = (await shopper.data(POLL, id=operation["id"]))["bulkOperation"]
            seen.append((found["status"], int(found["objectCount"])))
            if found["status"] == "COMPLETED":
                break
            await asyncio.sleep(0.002)
    counts = [count for _, count in seen]
    assert counts == sorted(counts)
    assert any(status == "RUNNING" and 0 < count < counts[-1] for status, count in seen)


async def test_polls_cost_one_point_and_a_start_costs_ten() -> None:
    async with opened(unlimited=False, bulk_start_s=0.0) as shopper:
        start = await shopper.ask(START, text="{ products { edges { node { id } } } }")
        operation_id = start["data"]["bulkOperationRunQuery"]["bulkOperation"]["id"]
        poll = await shopper.ask(POLL, id=operation_id)
    assert start["extensions"]["cost"]["requestedQueryCost"] == 10
    assert start["extensions"]["cost"]["actualQueryCost"] == 10
    assert poll["extensions"]["cost"]["requestedQueryCost"] == 1
    assert poll["extensions"]["cost"]["actualQueryCost"] == 1


async def test_ids_that_are_unknown_of_another_kind_or_none_are_told_apart() -> None:
    async with opened() as shopper:
        unknown = await shopper.ask(POLL, id="gid://shopify/BulkOperation/1")
        other = await shopper.ask(POLL, id="gid://shopify/Product/1")
        none = await shopper.ask(POLL, id="not-a-gid")
    assert unknown["data"] == {"bulkOperation": None}
    assert other["errors"][0]["message"] == "Invalid id: gid://shopify/Product/1"
    assert other["errors"][0]["extensions"]["code"] == "RESOURCE_NOT_FOUND"
    assert none["errors"][0]["message"] == "Invalid global id 'not-a-gid'"


@pytest.mark.needs_shared
async def test_the_list_of_operations_refuses_what_shopify_refuses(shared_data: Any) -> None:
    path = shared_data / "recorded" / "bulk-read-arg-validation-2026-04.json"
    cases = json.loads(path.read_text("utf-8"))["cases"]
    async with opened() as shopper:
        for name in ("missingWindow", "firstAndLast", "invalidCreatedAt"):
            theirs, ours = cases[name], await shopper.ask(cases[name]["query"])
            assert ours["data"] == theirs["response"]["data"], name
            assert ours["errors"][0]["message"] == theirs["response"]["errors"][0]["message"]
            assert ours["errors"][0]["extensions"] == theirs["response"]["errors"][0]["extensions"]
        for name in ("invalidStatusExpired", "invalidStatusUnknown", "invalidOperationType"):
            theirs, ours = cases[name], await shopper.ask(cases[name]["query"])
            assert ours["data"] == theirs["response"]["data"]
            wanted = theirs["response"]["extensions"]["search"]
            assert ours["extensions"]["search"] == wanted


@pytest.mark.parametrize(
    ("scopes", "query", "code"),
    [
        (["read_orders"], "{ products { edges { node { id } } } }", "ACCESS_DENIED"),
        (["read_orders"], "{ orders { edges { node { id customer { id } } } } }", "ACCESS_DENIED"),
        (["read_orders"], "{ orders { edges { node { id } } } }", None),
    ],
)
async def test_what_a_token_may_not_read_fails_the_operation(
    scopes: list[str], query: str, code: str | None
) -> None:
    async with opened() as shopper:
        await shopper.mint(scopes=scopes)
        operation = await ended(shopper, (await started(shopper, query))["id"])
    assert operation["errorCode"] == code
    assert operation["status"] == ("FAILED" if code else "COMPLETED")


async def test_protected_fields_fail_the_operation_of_an_app_that_is_not_approved() -> None:
    async with opened(protected_data=False) as shopper:
        names = "{ customers { edges { node { id firstName } } } }"
        refused = await ended(shopper, (await started(shopper, names))["id"])
        allowed = await ended(
            shopper, (await started(shopper, "{ customers { edges { node { id } } } }"))["id"]
        )
    assert (refused["status"], refused["errorCode"]) == ("FAILED", "ACCESS_DENIED")
    assert allowed["status"] == "COMPLETED"


async def test_without_all_orders_the_file_ends_sixty_days_ago() -> None:
    query = "{ orders { edges { node { id createdAt } } } }"
    async with opened() as shopper:
        whole = await ended(shopper, (await started(shopper, query))["id"])
        await shopper.mint(scopes=["read_orders"])
        part = await ended(shopper, (await started(shopper, query))["id"])
        lines = await downloaded(shopper, part["url"])
    assert 0 < int(part["objectCount"]) < int(whole["objectCount"])
    assert min(line["createdAt"] for line in lines) >= "2026-09-21"


async def test_an_address_with_a_wrong_signature_an_old_or_an_unknown_one_has_no_file() -> None:
    async with opened() as shopper:
        query = "{ products { edges { node { id } } } }"
        url = (await ended(shopper, (await started(shopper, query))["id"]))["url"]
        forged = await shopper.http.get(url.replace("Expires=", "Expires=9"))
        bare = await shopper.http.get(urlsplit(url).path)
        part = await shopper.http.get(url, headers={"Range": "bytes=10-"})
        whole = await shopper.http.get(url)
    assert (forged.status_code, bare.status_code) == (403, 403)
    assert part.status_code == 206
    assert part.content == whole.content[10:]


async def test_a_file_is_as_the_shop_was_and_the_next_one_as_it_is() -> None:
    query = "{ orders { edges { node { id updatedAt } } } }"
    async with opened() as shopper:
        old = await ended(shopper, (await started(shopper, query))["id"])
        before = await downloaded(shopper, old["url"])
        await shopper.control("touch", {"ids": [before[0]["id"]], "at": 1_795_000_000})
        new = await ended(shopper, (await started(shopper, query))["id"])
        after = await downloaded(shopper, new["url"])
        assert await downloaded(shopper, old["url"]) == before
    assert sorted(line["id"] for line in before) == sorted(line["id"] for line in after)
    assert len([line for line in after if line not in before]) == 1
