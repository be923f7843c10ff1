"""A shop that changes while it is read: what is listed when, and what the truth is afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from brandmind.simulator.brand import Brand
from brandmind.simulator.changes import EDITS, Changes
from brandmind.simulator.churn import read_churn
from brandmind.simulator.listing import Listing
from tests.unit.simulator.shopper import AS_OF, SHOP, Shopper, config, opened

PAGE = """
query Page($first: Int!, $after: String) {
  orders(first: $first, after: $after, sortKey: CREATED_AT) {
    nodes { id } pageInfo { hasNextPage endCursor }
  }
}
"""
TOTALS = """
{ ordersCount(limit: null) { count } productsCount(limit: null) { count }
  customersCount(limit: null) { count } }
"""


async def truth(shopper: Shopper) -> dict[str, Any]:
    found: dict[str, Any] = (await shopper.http.get(f"/__truth/{SHOP}")).json()
    return found


async def test_a_page_comes_twice_and_then_the_next_one_comes() -> None:
    async with opened() as shopper:
        pages = [(await shopper.data(PAGE, first=10))["orders"]]
        for turn in range(4):
            if turn == 1:
                await shopper.control("faults", {"kind": "page-twice", "count": 1})
            after = pages[-1]["pageInfo"]["endCursor"]
            pages.append((await shopper.data(PAGE, first=10, after=after))["orders"])
    assert pages[2] == pages[1]
    unique = [page["nodes"] for page in (pages[0], pages[1], pages[3], pages[4])]
    assert len({node["id"] for page in unique for node in page}) == 40


@pytest.mark.parametrize("limit", ["", "(limit: null)"])
async def test_counts_can_stop_at_ten_thousand_whatever_is_asked(limit: str) -> None:
    query = f"{{ customersCount{limit} {{ count precision }} }}"
    async with opened(customers=10_001, orders=0) as shopper:
        before = (await shopper.data(query))["customersCount"]
        await shopper.control("faults", {"kind": "count-capped"})
        after = (await shopper.data(query))["customersCount"]
    capped = {"count": 10_000, "precision": "AT_LEAST"}
    assert before == ({"count": 10_001, "precision": "EXACT"} if limit else capped)
    assert after == capped


def test_an_index_that_lags_shows_rows_where_they_were() -> None:
    brand, now = Brand(SHOP, config()), [1000.0]
    changes, listing = Changes(brand, clock=lambda: now[0]), Listing(brand)
    newest = {"sortKey": "UPDATED_AT", "reverse": True}

    def top(name: str = "orders") -> str:
        rows, _ = listing.rows(name, newest)
        node = listing.resources[name].node(rows[0])
        found: str = node["id"]
        return found

    old, touched = top(), brand.order_gid(3)
    changes.settle(5.0)
    made = changes.order(AS_OF + 50)
    changes.touch(touched, AS_OF + 60)
    brand.changed()
    changes.settle(5.0)
    assert top() == old
    assert listing.count("orders", {"limit": None})[0]["count"] == 400
    assert brand.find(made) is not None
    now[0] += 4.9
    changes.settle(5.0)
    assert top() == old
    now[0] += 0.2
    changes.settle(5.0)
    assert top() == touched
    assert listing.count("orders", {"limit": None})[0]["count"] == 401


def test_an_index_that_no_longer_lags_shows_everything() -> None:
    brand = Brand(SHOP, config())
    changes, listing = Changes(brand, clock=lambda: 1000.0), Listing(brand)
    changes.settle(60.0)
    changes.product(AS_OF)
    changes.customer(AS_OF)
    brand.changed()
    changes.settle(60.0)
    assert listing.count("products", {"limit": None})[0]["count"] == 60
    changes.settle(0.0)
    assert listing.count("products", {"limit": None})[0]["count"] == 61
    assert listing.count("customers", {"limit": None})[0]["count"] == 151


async def test_the_lists_lag_by_http_while_an_id_is_fresh() -> None:
    async with opened() as shopper:
        await shopper.control("faults", {"kind": "listing-lag", "seconds": 3600})
        (made,) = (await shopper.control("orders", {"count": 1}))["ids"]
        totals = await shopper.data(TOTALS)
        node = await shopper.data("query N($id: ID!) { node(id: $id) { id } }", id=made)
        await shopper.control("faults", None, method="DELETE")
        after = await shopper.data(TOTALS)
    assert totals["ordersCount"]["count"] == 400
    assert node["node"] == {"id": made}
    assert after["ordersCount"]["count"] == 401


async def test_merged_customers_are_one_and_no_order_or_sum_is_lost() -> None:
    query = """query C($ids: [ID!]!) { nodes(ids: $ids) { ... on Customer {
      id numberOfOrders amountSpent { amount }
      orders(first: 250) { nodes { id updatedAt } } } } }"""
    async with opened() as shopper:
        brand = shopper.world.shop(SHOP).brand  # type: ignore[union-attr]
        some = [i for i in brand.customer_ids() if 1 < len(brand.book.orders_of(i)) < 9][:2]
        keep, gone = (f"gid://shopify/Customer/{brand.person(i).shopify_id}" for i in some)
        first, second = (await shopper.data(query, ids=[keep, gone]))["nodes"]
        before = await truth(shopper)
        await shopper.control("merge", {"keep": keep, "gone": gone, "at": AS_OF + 5})
        merged, nobody = (await shopper.data(query, ids=[keep, gone]))["nodes"]
        after = await truth(shopper)
        refused = await shopper.http.post(
            f"/__control/{SHOP}/merge", json={"keep": keep, "gone": gone}
        )
    assert nobody is None
    assert int(merged["numberOfOrders"]) == int(first["numberOfOrders"]) + int(
        second["numberOfOrders"]
    )
    spent = sum(float(one["amountSpent"]["amount"]) for one in (first, second))
    assert float(merged["amountSpent"]["amount"]) == pytest.approx(spent)
    moved = {one["id"] for one in second["orders"]["nodes"]}
    stamps = {one["id"]: one["updatedAt"] for one in merged["orders"]["nodes"]}
    assert {stamps[one] for one in moved} == {"2026-11-20T15:00:05Z"}
    assert after["net_minor"] == before["net_minor"]
    assert after["counts"]["customers"] == before["counts"]["customers"] - 1
    assert refused.status_code == 400


@pytest.mark.parametrize("how", sorted(EDITS))
async def test_an_edited_order_has_another_agreement_and_a_newer_stamp(how: str) -> None:
    query = """query O($id: ID!) { order(id: $id) {
      updatedAt agreements(first: 9) { nodes { reason happenedAt } } } }"""
    async with opened() as shopper:
        brand = shopper.world.shop(SHOP).brand  # type: ignore[union-attr]
        row = next(
            i for i in brand.order_ids() if not brand.book.fate[i] and not brand.book.test[i]
        )
        order_id = brand.order_gid(row)
        before = (await shopper.data(query, id=order_id))["order"]
        done = await shopper.control("edit", {"ids": [order_id], "how": how, "at": AS_OF + 9})
        after = (await shopper.data(query, id=order_id))["order"]
        again = await shopper.control("edit", {"ids": [order_id], "how": how})
    assert done["ids"] == [order_id]
    assert after["updatedAt"] == "2026-11-20T15:00:09Z"
    assert len(after["agreements"]["nodes"]) == len(before["agreements"]["nodes"]) + 1
    assert after["agreements"]["nodes"][-1]["happenedAt"] == "2026-11-20T15:00:09Z"
    assert again["ids"] == []


async def test_new_products_and_customers_are_listed_counted_and_found() -> None:
    async with opened() as shopper:
        made = (await shopper.control("create", {"products": 2, "customers": 3}))["ids"]
        totals = await shopper.data(TOTALS)
        nodes = await shopper.data(
            "query N($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }", ids=made
        )
        counts = (await truth(shopper))["counts"]
    assert [one["id"] for one in nodes["nodes"]] == made
    assert (totals["productsCount"]["count"], totals["customersCount"]["count"]) == (62, 153)
    assert (counts["products"], counts["customers"]) == (62, 153)


CHURN = {
    "seed": 7,
    "create": 0.5,
    "update": 1.5,
    "edit": 0.3,
    "delete": 0.2,
    "merge": 0.1,
    "at": AS_OF,
}


async def churned(turns: int, **more: Any) -> tuple[Any, Any, Any]:
    async with opened() as shopper:
        await shopper.control("churn", CHURN | more)
        for _ in range(turns):
            await shopper.data("{ shop { id } }")
        story = await shopper.control("churn", None, method="GET")
        await shopper.control("churn", None, method="DELETE")
        return story, await truth(shopper), await shopper.data(TOTALS)


async def test_churn_is_the_same_for_the_same_seed_and_the_truth_knows_it() -> None:
    story, books, totals = await churned(60)
    again, other_books, _ = await churned(60)
    assert (story, books) == (again, other_books)
    done = story["done"]
    assert story["seen"] == 60
    assert all(done[act] for act in ("create", "update", "edit", "delete", "merge"))
    for name, kind in (("orders", "Order"), ("products", "Product"), ("customers", "Customer")):
        made = sum(f"/{kind}/" in one for one in done["create"])
        lost = sum(f"/{kind}/" in one for one in done["delete"])
        lost += len(done["merge"]) // 2 if kind == "Customer" else 0
        start = {"orders": 400, "products": 60, "customers": 150}[name]
        assert books["counts"][name] == totals[f"{name}Count"]["count"] == start + made - lost


async def test_churn_of_another_seed_is_another_story_and_ends_when_told() -> None:
    story, _, _ = await churned(30)
    other, _, _ = await churned(30, seed=8)
    short, _, _ = await churned(30, requests=5)
    assert story["done"] != other["done"]
    assert short["seen"] == 5


def test_no_stamp_goes_back_and_nothing_is_ever_made_anew() -> None:
    # All of the shop is looked at after every step: a small one says as much.
    brand = Brand(SHOP, config(orders=120, products=20, customers=60))
    changes, listing = Changes(brand), Listing(brand)
    churn = read_churn(CHURN | {"delete": 1.0, "merge": 0.5, "at": AS_OF})

    def stamps() -> dict[str, tuple[str, str]]:
        return {
            node["id"]: (node["createdAt"], node["updatedAt"])
            for resource in listing.resources.values()
            for node in map(resource.node, resource.rows())
        }

    before = stamps()
    for _ in range(40):
        churn.step(brand, changes)
        after = stamps()
        both = before.keys() & after.keys()
        assert {one for one in both if after[one][0] != before[one][0]} == set()
        assert {one for one in both if after[one][1] < before[one][1]} == set()
        before = after
    assert {act for act, ids in churn.done.items() if ids} == {
        "create",
        "update",
        "edit",
        "delete",
        "merge",
    }


async def test_churn_has_no_other_settings() -> None:
    async with opened() as shopper:
        answer = await shopper.http.post(f"/__control/{SHOP}/churn", json={"speed": 1})
    assert answer.status_code == 400
    assert answer.json() == {"error": "Churn has no speed."}
