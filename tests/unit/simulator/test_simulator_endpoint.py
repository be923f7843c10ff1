"""The Admin API endpoint: rights, errors, limits and troubles, each in Shopify's shape."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.unit.simulator.shopper import SHOP, opened

PAGE = """
query Page($first: Int!, $after: String, $q: String) {
  orders(first: $first, after: $after, query: $q, sortKey: UPDATED_AT) {
    nodes { id updatedAt } pageInfo { hasNextPage endCursor }
  }
}
"""


async def test_an_answer_carries_version_date_and_request_id() -> None:
    async with opened() as shopper:
        answer = await shopper.post("{ shop { name } }")
    assert answer.headers["x-shopify-api-version"] == "2026-10"
    assert answer.headers["x-request-id"]
    assert answer.headers["date"].endswith("GMT")
    assert answer.json()["data"] == {"shop": {"name": "Harbor & Pine"}}


async def test_an_expired_version_is_served_by_the_oldest_one() -> None:
    async with opened() as shopper:
        answer = await shopper.http.post(
            f"/{SHOP}/admin/api/2024-01/graphql.json",
            json={"query": "{ shop { id } }"},
            headers={"X-Shopify-Access-Token": shopper.token},
        )
    assert answer.headers["x-shopify-api-version"] == "2026-01"


@pytest.mark.parametrize("token", ["", "shpat_wrong"])
async def test_a_wrong_token_is_answered_with_401(token: str) -> None:
    async with opened() as shopper:
        shopper.token = token
        answer = await shopper.post("{ shop { id } }")
    assert answer.status_code == 401
    assert answer.json()["errors"].startswith("[API] Invalid API key or access token")


async def test_a_shop_name_that_cannot_be_one_is_not_found() -> None:
    async with opened() as shopper:
        answer = await shopper.http.post("/evil.example/admin/api/2026-10/graphql.json", json={})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ shop { id ", "PARSE_ERROR"),
        ("{ shop { colour } }", "undefinedField"),
        ("{ shop }", "selectionMismatch"),
        ("{ shop(id: 1) { id } }", "argumentNotAccepted"),
        ("query Q($x: Int) { shop { id } }", "variableNotUsed"),
        ("{ order { id } }", "missingRequiredArguments"),
        ("{ orders(first: 1, sortKey: COLOUR) { nodes { id } } }", "invalid"),
    ],
)
async def test_a_query_that_is_not_valid_has_no_data_and_no_cost(query: str, code: str) -> None:
    async with opened() as shopper:
        answer = await shopper.ask(query)
    assert [error["extensions"]["code"] for error in answer["errors"]][:1] == [code]
    assert set(answer) == {"errors"}


async def test_a_missing_variable_is_named() -> None:
    async with opened() as shopper:
        answer = await shopper.ask(PAGE)
    (error,) = answer["errors"]
    assert error["message"] == "Variable $first of type Int! was provided invalid value"
    assert error["extensions"]["code"] == "INVALID_VARIABLE"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "you must provide one of first or last"),
        ("(first: 1, last: 1)", "providing both first and last is not supported"),
        ('(first: 1, after: "nonsense")', "Malformed cursor"),
    ],
)
async def test_a_window_that_makes_no_sense_is_a_bad_request(arguments: str, message: str) -> None:
    async with opened() as shopper:
        answer = await shopper.ask(f"{{ orders{arguments} {{ nodes {{ id }} }} }}")
    assert answer["errors"][0]["message"] == message
    assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    assert answer["errors"][0]["path"] == ["orders"]


async def test_a_root_field_without_its_scope_is_null_and_named() -> None:
    async with opened() as shopper:
        await shopper.mint(scopes=["read_products"])
        answer = await shopper.ask("{ orders(first: 1) { nodes { id } } }")
    assert answer["data"] == {"orders": None}
    (error,) = answer["errors"]
    assert error["message"] == (
        "Access denied for orders field. Required access: `read_orders` access scope."
    )
    assert error["extensions"]["code"] == "ACCESS_DENIED"
    assert error["extensions"]["requiredAccess"] == "`read_orders` access scope."
    assert error["path"] == ["orders"]


async def test_a_customer_within_an_order_needs_its_own_scope() -> None:
    async with opened() as shopper:
        await shopper.mint(scopes=["read_orders", "read_products"])
        query = "{ orders(first: 5, reverse: true) { nodes { id customer { id } } } }"
        answer = await shopper.ask(query)
    assert all(one["customer"] is None for one in answer["data"]["orders"]["nodes"])
    assert {error["path"][-1] for error in answer["errors"]} == {"customer"}


async def test_without_read_all_orders_there_are_only_the_last_60_days() -> None:
    query = """query Q($old: ID!) { ordersCount { count } order(id: $old) { id }
      orders(first: 250, sortKey: CREATED_AT) { nodes { id createdAt } } }"""
    async with opened() as shopper:
        whole = await shopper.data("{ orders(first: 1, sortKey: CREATED_AT) { nodes { id } } }")
        oldest = whole["orders"]["nodes"][0]["id"]
        await shopper.mint(scopes=["read_orders", "read_products", "read_customers"])
        answer = await shopper.data(query, old=oldest)
    nodes = answer["orders"]["nodes"]
    assert answer["order"] is None
    assert answer["ordersCount"]["count"] == len(nodes) > 0
    assert min(one["createdAt"] for one in nodes) >= "2026-09-21T15:00:00Z"


async def test_protected_fields_of_an_app_without_approval_are_null_and_say_so() -> None:
    async with opened(protected_data=False) as shopper:
        answer = await shopper.ask("{ customers(first: 2) { nodes { id firstName state } } }")
    nodes = answer["data"]["customers"]["nodes"]
    assert [one["firstName"] for one in nodes] == [None, None]
    assert all(one["state"] for one in nodes)
    assert "not approved" in answer["errors"][0]["message"]


async def test_a_permanent_token_can_be_refused_as_such() -> None:
    async with opened(accepts_permanent_tokens=False) as shopper:
        answer = await shopper.post("{ shop { id } }")
    assert answer.status_code == 403
    assert "Non-expiring access tokens are no longer accepted" in answer.json()["errors"]


async def test_a_query_beyond_1000_points_is_refused_before_it_runs() -> None:
    inner = "agreements(first: 250) { nodes { sales(first: 250) { nodes { id } } } }"
    async with opened() as shopper:
        answer = await shopper.ask(f"{{ orders(first: 250) {{ nodes {{ id {inner} }} }} }}")
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "MAX_COST_EXCEEDED"
    assert error["extensions"]["maxCost"] == 1000
    assert "data" not in answer


async def test_an_empty_bucket_throttles_and_an_unused_rest_is_given_back() -> None:
    async with opened(unlimited=False, bucket_size=60.0, restore_rate=0.0) as shopper:
        query = '{ orders(first: 250, query: "id:1") { nodes { id customer { id } } } }'
        first = await shopper.ask(query)
        cost = first["extensions"]["cost"]
        assert (cost["requestedQueryCost"], cost["actualQueryCost"]) == (24, 2)
        assert cost["throttleStatus"]["currentlyAvailable"] == 58
        await shopper.control("drain")
        refused = await shopper.ask(query)
    assert refused["errors"][0]["message"] == "Throttled"
    assert refused["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert refused["extensions"]["cost"]["actualQueryCost"] is None
    assert "data" not in refused


async def test_what_was_not_there_is_not_paid_for() -> None:
    inner = "lineItems(first: 250) { nodes { id product { id } } } refunds(first: 5) { id }"
    async with opened(unlimited=False) as shopper:
        answer = await shopper.ask(f"{{ orders(first: 10) {{ nodes {{ id {inner} }} }} }}")
        cost = answer["extensions"]["cost"]
    assert cost["requestedQueryCost"] == 2 + 4 * (1 + (2 + 11 * 2) + 1)
    # Ten orders of one to four lines, few of them refunded.
    assert 2 + 4 * (1 + 2) < cost["actualQueryCost"] <= 2 + 4 * (1 + (2 + 2 * 2) + 1)
    assert cost["throttleStatus"]["currentlyAvailable"] >= 2000 - cost["actualQueryCost"]


async def test_a_warned_search_says_so_beside_all_the_data() -> None:
    async with opened() as shopper:
        answer = await shopper.ask(PAGE, first=3, q="flavour:salty")
        counted = await shopper.ask('{ customersCount(query: "email:a@b.c") { count precision } }')
    assert len(answer["data"]["orders"]["nodes"]) == 3
    (note,) = answer["extensions"]["search"]
    assert note["path"] == ["orders"]
    assert note["warnings"][0]["code"] == "invalid_field"
    assert counted["data"]["customersCount"] == {"count": 150, "precision": "EXACT"}
    assert counted["extensions"]["search"][0]["path"] == ["customersCount"]


async def test_counts_stop_at_their_limit() -> None:
    query = "query C($limit: Int) { ordersCount(limit: $limit) { count precision } }"
    async with opened() as shopper:
        assert (await shopper.data(query, limit=10))["ordersCount"] == {
            "count": 10,
            "precision": "AT_LEAST",
        }
        assert (await shopper.data(query, limit=None))["ordersCount"] == {
            "count": 400,
            "precision": "EXACT",
        }


async def test_pages_cross_a_tie_without_loss_or_double() -> None:
    seen: list[str] = []
    async with opened(orders=1500) as shopper:
        after = None
        while True:
            page = (await shopper.data(PAGE, first=100, after=after))["orders"]
            seen += [one["id"] for one in page["nodes"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
    assert len(seen) == len(set(seen)) == 1500


async def test_nodes_come_by_id_and_unknown_ones_are_null() -> None:
    async with opened() as shopper:
        ids = (await shopper.data(PAGE, first=2))["orders"]["nodes"]
        asked = [ids[1]["id"], "gid://shopify/Order/1", "gid://shopify/Shop/2"]
        query = "query N($ids: [ID!]!) { nodes(ids: $ids) { id ... on Order { updatedAt } } }"
        answer = await shopper.data(query, ids=asked)
        wrong = await shopper.ask(query, ids=["nonsense"])
    assert answer["nodes"] == [ids[1], None, None]
    assert wrong["errors"][0]["message"] == "Invalid global id 'nonsense'"


async def test_changes_show_at_once_and_are_found_by_their_time() -> None:
    since = "updated_at:>='2026-11-20T16:00:00Z'"
    async with opened() as shopper:
        before = (await shopper.data(PAGE, first=50, q=since))["orders"]["nodes"]
        oldest = (await shopper.data(PAGE, first=2))["orders"]["nodes"]
        made = (await shopper.control("orders", {"count": 2, "at": 1795200000}))["ids"]
        await shopper.control("touch", {"ids": [oldest[0]["id"]], "at": 1795200060})
        await shopper.control("delete", {"ids": [oldest[1]["id"]]})
        after = (await shopper.data(PAGE, first=50, q=since))["orders"]["nodes"]
        gone = await shopper.data(PAGE, first=50, q=f"id:{oldest[1]['id'].split('/')[-1]}")
        count = (await shopper.data("{ ordersCount { count } }"))["ordersCount"]["count"]
        told = (await shopper.http.get(f"/__truth/{SHOP}")).json()["counts"]["orders"]
    assert before == []
    assert {one["id"] for one in after} == {*made, oldest[0]["id"]}
    assert gone["orders"]["nodes"] == []
    assert count == told == 401


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"kind": "http429", "seconds": 3}, 429),
        ({"kind": "http5xx"}, 503),
        ({"kind": "http5xx", "status": 502}, 502),
        ({"kind": "402"}, 402),
        ({"kind": "404"}, 404),
        ({"kind": "423"}, 423),
    ],
)
async def test_a_counted_fault_strikes_so_often_and_then_no_more(
    fault: dict[str, Any], status: int
) -> None:
    async with opened() as shopper:
        await shopper.control("faults", fault | {"count": 2})
        answers = [await shopper.post("{ shop { id } }") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [status, status, 200]
    if status == 429:
        assert answers[0].headers["retry-after"] == "3.0"


async def test_a_fault_strikes_one_shop_only_and_can_be_taken_back() -> None:
    async with opened() as shopper:
        other = "moss-and-meridian.myshopify.com"
        token = (await shopper.http.post(f"/__control/{other}/token")).json()["access_token"]
        await shopper.control("faults", {"kind": "http5xx"})
        spared = await shopper.http.post(
            f"/{other}/admin/api/2026-10/graphql.json",
            json={"query": "{ shop { id } }"},
            headers={"X-Shopify-Access-Token": token},
        )
        struck = await shopper.post("{ shop { id } }")
        await shopper.control("faults", method="DELETE")
        after = await shopper.post("{ shop { id } }")
    assert (spared.status_code, struck.status_code, after.status_code) == (200, 503, 200)


async def test_a_throttled_fault_looks_like_a_full_bucket() -> None:
    async with opened() as shopper:
        await shopper.control("faults", {"kind": "throttled", "count": 1})
        answer = await shopper.ask("{ shop { id } }")
    assert answer["errors"][0]["extensions"]["code"] == "THROTTLED"


async def test_expired_tokens_end_while_a_new_one_works() -> None:
    async with opened() as shopper:
        await shopper.control("faults", {"kind": "token-expiry", "count": 1})
        assert (await shopper.post("{ shop { id } }")).status_code == 401
        await shopper.mint()
        assert (await shopper.post("{ shop { id } }")).status_code == 200


async def test_an_unknown_fault_is_refused_with_a_sentence() -> None:
    async with opened() as shopper:
        answer = await shopper.http.post(f"/__control/{SHOP}/faults", json={"kind": "gremlins"})
    assert answer.status_code == 400
    assert "gremlins" in answer.json()["error"]


async def test_a_gate_holds_answers_back_until_it_is_opened() -> None:
    async with opened() as shopper:
        await shopper.control("gate", {"after_requests": 1})
        assert (await shopper.post("{ shop { id } }")).status_code == 200
        held = asyncio.create_task(shopper.post("{ shop { id } }"))
        async with asyncio.timeout(10):
            while (await shopper.control("gate", method="GET"))["waiting"] == 0:
                await asyncio.sleep(0)
        assert not held.done()
        await shopper.control("gate", method="DELETE")
        assert (await held).status_code == 200


async def test_a_shop_can_be_made_anew_in_another_size_and_currency() -> None:
    async with opened() as shopper:
        await shopper.control("config", {"orders": 0, "customers": 0, "products": 0})
        empty = await shopper.data(
            "{ ordersCount { count } productsCount { count } customers(first: 5) { nodes { id } } }"
        )
        await shopper.control("config", {"orders": 30, "products": 5, "currency": "JPY"})
        yen = await shopper.data("{ shop { currencyCode } ordersCount { count } }")
        wrongs = [
            (await shopper.http.post(f"/__control/{SHOP}/config", json=body)).status_code
            for body in ({"colour": 1}, {"currency": "XXX"}, {"timezone": "Mars/Base"})
        ]
    assert empty == {
        "ordersCount": {"count": 0},
        "productsCount": {"count": 0},
        "customers": {"nodes": []},
    }
    assert yen == {"shop": {"currencyCode": "JPY"}, "ordersCount": {"count": 30}}
    assert wrongs == [400, 400, 400]


async def test_the_log_names_operations_status_and_cost() -> None:
    async with opened() as shopper:
        await shopper.data(PAGE, first=5)
        shopper.token = "wrong"
        await shopper.post("{ shop { id } }")
        log = (await shopper.http.get(f"/__log/{SHOP}")).json()["requests"]
    assert [(one["operation"], one["status"], one["cost"]) for one in log] == [
        ("Page", 200, 5),
        (None, 401, None),
    ]
