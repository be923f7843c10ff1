"""The planted truth: ledgers that add up, planted oddities, and numbers that agree everywhere."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from brandmind.simulator.amounts import decimal_text, price_text
from brandmind.simulator.brand import Brand
from brandmind.simulator.orderbook import Fate
from brandmind.simulator.truth import keep_books, truth
from tests.unit.simulator.shopper import SHOP, config, opened

KINDS = {
    "plain": {},
    "another seed": {"seed": 42},
    "taxes included": {"seed": 3, "taxes_included": True},
    "yen": {"seed": 5, "currency": "JPY"},
    "dinar with taxes included": {"seed": 8, "currency": "KWD", "taxes_included": True},
}


@pytest.fixture(scope="module", params=list(KINDS))
def brand(request: pytest.FixtureRequest) -> Brand:
    return Brand(SHOP, config(orders=700, **KINDS[request.param]))


@pytest.mark.parametrize("side", ["shop", "presentment"])
def test_every_ledger_adds_up_to_the_totals_of_its_order(brand: Brand, side: str) -> None:
    for index in brand.order_ids():
        order = brand.order(index)

        def of(name: str, order: Any = order) -> int:
            return int(getattr(order[name], side))

        sales = [sale for part in order["agreements"] for sale in part["sales"]]
        whole = sum(getattr(sale["totalAmount"], side) for sale in sales)
        tax = sum(getattr(sale["totalTaxAmount"], side) for sale in sales)
        first = sum(getattr(s["totalAmount"], side) for s in order["agreements"][0]["sales"])
        kept = sum(
            getattr(sale["totalAmount"], side) for sale in sales if sale["actionType"] != "RETURN"
        )
        assert whole == of("currentTotalPriceSet"), order["name"]
        assert tax == of("currentTotalTaxSet"), order["name"]
        assert first == of("originalTotalPriceSet"), order["name"]
        assert kept == of("totalPriceSet"), order["name"]
        assert of("netPaymentSet") == of("totalReceivedSet") - of("totalRefundedSet")
        assert of("totalOutstandingSet") == of("currentTotalPriceSet") - of("netPaymentSet")


def test_lines_and_sales_say_the_same(brand: Brand) -> None:
    included = brand.config.taxes_included
    for index in brand.order_ids():
        order = brand.order(index)
        for line in order["lineItems"]:
            off = sum(one["allocatedAmountSet"].shop for one in line["discountAllocations"])
            sales = [
                sale
                for part in order["agreements"]
                for sale in part["sales"]
                if sale.get("lineItem") is line and sale["quantity"] > 0
            ]
            assert len(sales) == 1
            (sale,) = sales
            price = line["originalTotalSet"].shop - off
            tax = sum(one["priceSet"].shop for one in line["taxLines"])
            assert sale["totalTaxAmount"].shop == tax
            assert sale["totalAmount"].shop == (price if included else price + tax)
            net = sale["totalAmount"].shop - tax
            gross = net + sale["totalDiscountAmountBeforeTaxes"].shop
            if not included:
                assert gross == line["originalTotalSet"].shop
            assert gross >= net >= 0
            left = sum(
                sale["quantity"]
                for part in order["agreements"]
                for sale in part["sales"]
                if sale.get("lineItem") is line
            )
            assert left == line["currentQuantity"]


def test_a_cancelled_order_comes_to_nothing(brand: Brand) -> None:
    fates = (Fate.CANCELLED_PAID, Fate.CANCELLED_UNPAID)
    found = [i for i in brand.order_ids() if brand.book.fate[i] in fates]
    assert found
    for index in found:
        order = brand.order(index)
        assert order["cancelledAt"]
        assert order["currentTotalPriceSet"].shop == 0
        assert order["netPaymentSet"].shop == 0


def test_customers_are_the_sum_of_their_orders(brand: Brand) -> None:
    orders: Counter[str] = Counter()
    spent: Counter[str] = Counter()
    for index in brand.order_ids():
        order = brand.order(index)
        if order["customer"]:
            orders[order["customer"]["id"]] += 1
            spent[order["customer"]["id"]] += order["netPaymentSet"].shop
    for index in brand.customer_ids():
        customer = brand.customer(index)
        assert customer["numberOfOrders"] == str(orders[customer["id"]])
        assert customer["amountSpent"].minor == spent[customer["id"]]
        assert (customer["lastOrder"] is None) == (orders[customer["id"]] == 0)


def test_net_is_gross_less_discounts_less_returns_on_every_day(brand: Brand) -> None:
    found = truth(brand, keep_books(brand))
    for day in [found, *found["per_day"]]:
        assert day["net_minor"] == sum(
            day[name] for name in ("gross_minor", "discounts_minor", "returns_minor")
        )
    for name in ("net_minor", "orders", "taxes_minor"):
        assert found[name] == sum(day[name] for day in found["per_day"])


def test_customers_of_a_range_are_new_or_returning() -> None:
    brand = Brand(SHOP, config(orders=900, customers=300))
    found = truth(brand, keep_books(brand), date(2026, 9, 1), date(2026, 10, 31))
    placed: dict[str, list[str]] = {}
    for index in brand.order_ids():
        order = brand.order(index)
        if order["customer"] and not order["test"]:
            placed.setdefault(order["customer"]["id"], []).append(order["processedAt"])
    start, end = "2026-09-01T04:00:00Z", "2026-11-01T04:00:00Z"
    inside = {who: sorted(at) for who, at in placed.items() if any(start <= x < end for x in at)}
    new = sum(at[0] >= start for at in inside.values())
    again = sum(any(start <= one < end for one in at[1:]) for at in inside.values())
    more = sum(len(at) > 1 for at in inside.values())
    assert found["customers"] == len(inside) > new > 0
    assert (found["new_customers"], found["returning_customers"]) == (new, len(inside) - new)
    assert found["customers_with_an_earlier_order"] == again
    assert found["returning_customer_rate"] == more / len(inside)


def test_the_same_seed_makes_the_same_shop_and_another_seed_another() -> None:
    def fingerprint(seed: int) -> list[Any]:
        brand = Brand(SHOP, config(seed=seed))
        return [
            (order["name"], order["processedAt"], order["totalPriceSet"])
            for order in map(brand.order, brand.order_ids())
        ]

    assert fingerprint(1) == fingerprint(1)
    assert fingerprint(1) != fingerprint(2)


@pytest.mark.parametrize("orders", [0, 1, 2, 7, 59, 61])
@pytest.mark.parametrize(("products", "customers"), [(0, 0), (1, 1), (2, 3), (3, 20)])
def test_tiny_shops_hold_together(orders: int, products: int, customers: int) -> None:
    brand = Brand(SHOP, config(orders=orders, products=products, customers=customers))
    found = truth(brand, keep_books(brand))
    assert found["counts"]["orders"] == orders == len([*map(brand.order, brand.order_ids())])
    assert found["counts"]["products"] == products == len([*map(brand.product, range(products))])
    assert found["counts"]["customers"] == customers
    assert sum(int(brand.customer(index)["numberOfOrders"]) for index in range(customers)) <= orders


def test_every_planted_oddity_is_there() -> None:
    brand = Brand(SHOP, config(orders=2000, products=120, customers=900))
    orders = [brand.order(index) for index in brand.order_ids()]
    lines = [line for order in orders for line in order["lineItems"]]
    assert {brand.book.fate[index] for index in brand.order_ids()} == set(Fate)
    assert any(len(order["lineItems"]) > 250 for order in orders)
    assert any(len(product.variants) > 250 for product in brand.catalogue.products)
    assert any(order["customer"] is None for order in orders)
    assert any(order["test"] for order in orders)
    assert any(order["email"] is None for order in orders)
    assert any(order["presentmentCurrencyCode"] != "USD" for order in orders)
    assert any(order["totalPriceSet"].shop == 0 for order in orders)
    assert any(order["totalTipReceivedSet"].shop for order in orders)
    assert any(order["processedAt"] < order["createdAt"] for order in orders)
    assert any(line["isGiftCard"] for line in lines)
    assert any(line["product"] is None and line["sku"] for line in lines)
    assert any(line["product"] is None and not line["sku"] for line in lines)
    assert any(line["quantity"] != line["currentQuantity"] for line in lines)
    assert len({order["name"] for order in orders}) < len(orders)
    assert max(Counter(order["updatedAt"] for order in orders).values()) > 250
    names = "".join(brand.customer(index)["displayName"] for index in brand.customer_ids())
    assert "🌿" in names
    assert "أمينة" in names


@pytest.mark.parametrize(("orders", "customers"), [(300, 900), (2000, 900), (3000, 300)])
def test_some_customers_come_back_in_every_size_of_shop(orders: int, customers: int) -> None:
    brand = Brand(SHOP, config(orders=orders, customers=customers))
    counts = [len(brand.book.orders_of(index)) for index in brand.customer_ids()]
    buyers = [count for count in counts if count]
    assert 0.2 < sum(count > 1 for count in buyers) / len(buyers) < 0.6
    assert 0 in counts


def test_the_hero_earns_about_a_quarter_and_the_last_quarter_of_the_year_peaks() -> None:
    brand = Brand(SHOP, config(orders=3000, products=120, customers=1200))
    found = truth(brand, keep_books(brand))
    top = found["top_products"][0]
    assert top["title"] == brand.catalogue.products[0].title
    assert 0.19 < top["net_minor"] / found["net_minor"] < 0.29
    months: Counter[str] = Counter()
    for day in found["per_day"]:
        months[day["day"][:7]] += day["orders"]
    year = [months[f"2025-{month:02d}"] for month in range(1, 13)]
    assert min(year[10:]) > max(year[:9])


ORDERS = """
query Orders($after: String) {
  orders(first: 25, after: $after, sortKey: UPDATED_AT, reverse: true) {
    pageInfo { hasNextPage endCursor }
    nodes {
      id test processedAt
      lineItems(first: 250) { nodes { id } pageInfo { hasNextPage } }
      refunds(first: 50) { id }
      customer { id }
      agreements(first: 10) { nodes {
        __typename happenedAt
        sales(first: 250) { pageInfo { hasNextPage } nodes {
          actionType lineType
          totalAmount { shopMoney { amount } } totalTaxAmount { shopMoney { amount } }
          totalDiscountAmountBeforeTaxes { shopMoney { amount } }
        } }
      } }
    }
  }
}
"""


async def test_the_truth_is_what_a_client_adds_up_from_the_answers() -> None:
    first, last = "2026-09-01", "2026-10-31"
    zone = ZoneInfo("America/New_York")
    sums: Counter[str] = Counter()
    ids: set[str] = set()
    refunds = placed = 0
    async with opened(orders=600) as shopper:
        after = None
        while True:
            page = (await shopper.data(ORDERS, after=after))["orders"]
            for order in page["nodes"]:
                assert order["id"] not in ids
                ids.add(order["id"])
                refunds += len(order["refunds"])
                if order["test"]:
                    continue

                def day(text: str) -> str:
                    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
                    return moment.astimezone(zone).date().isoformat()

                placed += first <= day(order["processedAt"]) <= last
                for part in order["agreements"]["nodes"]:
                    own = part["__typename"] == "OrderAgreement"
                    when = day(order["processedAt"] if own else part["happenedAt"])
                    if not first <= when <= last:
                        continue
                    for sale in part["sales"]["nodes"]:
                        total, tax, off = (
                            int(Decimal(sale[name]["shopMoney"]["amount"]) * 100)
                            for name in (
                                "totalAmount",
                                "totalTaxAmount",
                                "totalDiscountAmountBeforeTaxes",
                            )
                        )
                        sums["taxes_minor"] += tax
                        if sale["lineType"] == "SHIPPING":
                            sums["shipping_minor"] += total - tax
                        elif sale["lineType"] == "PRODUCT":
                            sums["net_minor"] += total - tax
                            if sale["actionType"] == "RETURN":
                                sums["returns_minor"] += total - tax
                            else:
                                sums["gross_minor"] += total - tax + off
                                sums["discounts_minor"] -= off
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = page["pageInfo"]["endCursor"]
        told = (await shopper.http.get(f"/__truth/{SHOP}?from={first}&to={last}")).json()
        known = (await shopper.http.get(f"/__truth/{SHOP}/ids?resource=orders")).json()["ids"]
    assert placed == told["orders"] > 0
    assert told["counts"]["orders"] == len(ids) == len(known)
    assert told["counts"]["refunds"] == refunds
    assert {name: told[name] for name in sums} == dict(sums)


@pytest.mark.parametrize(
    ("minor", "currency", "decimal", "price"),
    [
        (0, "USD", "0.0", "0.00"),
        (1250, "USD", "12.5", "12.50"),
        (4500, "USD", "45.0", "45.00"),
        (-705, "USD", "-7.05", "-7.05"),
        (1200, "JPY", "1200.0", "1200"),
        (12345, "KWD", "12.345", "12.345"),
    ],
)
def test_money_is_written_as_shopify_writes_it(
    minor: int, currency: str, decimal: str, price: str
) -> None:
    assert decimal_text(minor, currency) == decimal
    assert price_text(minor, currency) == price
