"""What the engine expects of a source: true of the shop in memory and of a shop over HTTP alike."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import httpx
import pytest

from brandmind.commerce.records import OrderRecord, ProductRecord
from brandmind.errors import (
    AccessRefused,
    ShopifyUnavailable,
    ShopUnavailable,
    Throttled,
    TokenRevoked,
)
from brandmind.shopify.client import ShopifyClient
from brandmind.shopify.documents import document, names
from brandmind.shopify.source import PageSizes, ShopifySource
from brandmind.shopify.tokens import StaticToken
from brandmind.sync.pacing import LocalPacer
from brandmind.sync.ports import Page, Source, Window
from brandmind.sync.stages import PAGED, Stage
from tests.contract.local_shopify import local_shopify
from tests.memory_shop import MemoryShop

AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
ALL = Window()
SIZES = "--orders 240 --products 60 --customers 100".split()
STAGES = sorted(PAGED)


@pytest.fixture(scope="module")
def simulator() -> Iterator[str]:
    """The address of a local Shopify of small shops without limits."""
    options = ["--plan", "unlimited", "--as-of", AS_OF.isoformat(), *SIZES]
    with local_shopify(*options) as address:
        yield address


class LocalShop:
    """One shop of the simulator, with the levers it offers to tests."""

    def __init__(self, http: httpx.AsyncClient, base: str, domain: str) -> None:
        self.http = http
        self.base = base
        self.domain = domain

    async def control(self, lever: str, **sent: Any) -> Any:
        answer = await self.http.post(f"{self.base}/__control/{self.domain}/{lever}", json=sent)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def truth(self) -> dict[str, Any]:
        told: dict[str, Any] = (await self.http.get(f"{self.base}/__truth/{self.domain}")).json()
        return told

    async def operations(self) -> list[str]:
        told = (await self.http.get(f"{self.base}/__log/{self.domain}")).json()
        return [one["operation"] for one in told["requests"]]

    async def source(
        self, *, scopes: list[str] | None = None, patient: bool = True, **options: Any
    ) -> ShopifySource:
        """A source of this shop; an impatient one waits for nothing."""
        minted = await self.control("token", **({"scopes": scopes} if scopes else {}))
        client = ShopifyClient(
            self.http,
            origin=f"{self.base}/{{shop}}",
            domain=self.domain,
            token=StaticToken(minted["access_token"]),
            pacer=LocalPacer() if patient else None,
        )
        return ShopifySource(client, **options)


@pytest.fixture
async def shops(simulator: str) -> AsyncIterator[Any]:
    async with httpx.AsyncClient(trust_env=False) as http:
        yield lambda name: LocalShop(http, simulator, f"{name}.myshopify.com")


@pytest.fixture(params=["memory", "shopify"])
async def source(request: pytest.FixtureRequest, shops: Any) -> Source:
    if request.param == "memory":
        return MemoryShop(products=12, orders=60, customers=15)
    sizes = PageSizes(first=10, orders=90, products=25, customers=40)
    made: ShopifySource = await shops("harbor-and-pine").source(sizes=sizes)
    return made


async def read(
    source: Source, stage: Stage, window: Window = ALL, *, after: str | None = None
) -> list[Page]:
    return [page async for page in source.pages(stage, window, after=after)]


def ids(pages: list[Page]) -> list[int]:
    return [record.shopify_id for page in pages for record in page.records]


async def test_a_shop_tells_what_it_is_and_its_own_time(source: Source) -> None:
    facts = await source.shop()
    assert facts.domain == "harbor-and-pine.myshopify.com"
    assert facts.currency == "USD"
    assert "read_orders" in facts.scopes
    assert facts.answered_at.tzinfo is UTC


@pytest.mark.parametrize("stage", STAGES)
async def test_every_record_comes_once_and_the_count_agrees(source: Source, stage: Stage) -> None:
    pages = await read(source, stage)
    found = ids(pages)
    assert len(pages) > 1
    assert len(set(found)) == len(found)
    total = await source.count(stage, ALL)
    assert (total.count, total.exact) == (len(found), True)
    assert [page.next_cursor is None for page in pages] == [False] * (len(pages) - 1) + [True]
    assert {page.stage for page in pages} == {stage}
    assert not any(page.rejects or page.restricted for page in pages)


async def test_reading_goes_on_after_any_page_with_exactly_the_rest(source: Source) -> None:
    pages = await read(source, Stage.ORDERS)
    for at, page in enumerate(pages[:-1], start=1):
        rest = await read(source, Stage.ORDERS, after=page.next_cursor)
        assert ids(rest) == ids(pages[at:])


@pytest.mark.parametrize("stage", STAGES)
async def test_the_newest_come_first(source: Source, stage: Stage) -> None:
    records = [record for page in await read(source, stage) for record in page.records]
    created = [record.created_at for record in records]
    assert created == sorted(created, reverse=True)


@pytest.mark.parametrize("stage", [Stage.ORDERS, Stage.CUSTOMERS])
async def test_two_windows_that_meet_hold_everything_once(source: Source, stage: Stage) -> None:
    everything = [record for page in await read(source, stage) for record in page.records]
    # A moment no record shares with its neighbour, in whole seconds.
    edge = next(
        newer.created_at
        for newer, older in pairwise(everything[len(everything) // 3 :])
        if newer.created_at - older.created_at > timedelta(seconds=2)
    )
    recent = Window(created_from=edge)
    older = Window(created_before=edge - timedelta(seconds=1))
    parts = ids(await read(source, stage, recent)) + ids(await read(source, stage, older))
    assert parts == [record.shopify_id for record in everything]
    counted = [(await source.count(stage, window)).count for window in (recent, older)]
    assert sum(counted) == len(everything)


@pytest.mark.parametrize("stage", [Stage.PRODUCTS, Stage.ORDERS, Stage.CUSTOMERS])
async def test_what_changed_since_comes_oldest_change_first(source: Source, stage: Stage) -> None:
    everything = [record for page in await read(source, stage) for record in page.records]
    since = sorted(record.updated_at for record in everything)[len(everything) // 2]
    window = Window(updated_from=since)
    changed = [record for page in await read(source, stage, window) for record in page.records]
    assert {record.shopify_id for record in changed} == {
        record.shopify_id for record in everything if record.updated_at >= since
    }
    stamps = [record.updated_at for record in changed]
    assert stamps == sorted(stamps)
    assert (await source.count(stage, window)).count == len(changed)


async def test_a_window_without_records_is_one_empty_page(source: Source) -> None:
    window = Window(created_from=AS_OF + timedelta(days=400))
    assert (await source.count(Stage.ORDERS, window)).count == 0
    (page,) = await read(source, Stage.ORDERS, window)
    assert (page.records, page.next_cursor) == ((), None)


async def test_each_page_carries_a_number_that_rises(source: Source) -> None:
    taken = 0

    async def take() -> int:
        nonlocal taken
        taken += 1
        return taken

    if isinstance(source, MemoryShop):
        source.take_read_no = take
    else:
        source = ShopifySource(source._client, currency="USD", take_read_no=take)  # type: ignore[attr-defined]
    pages = await read(source, Stage.ORDERS)
    assert [page.read_no for page in pages] == list(range(1, len(pages) + 1))


# Only over HTTP: the shop's own truth, and its moods


@pytest.mark.parametrize(
    ("name", "made_as"),
    [
        ("harbor-and-pine", {}),
        ("tokyo-tea", {"currency": "JPY"}),
        ("gulf-gold", {"currency": "KWD"}),
        ("dutch-bikes", {"taxes_included": True}),
    ],
)
async def test_the_ledger_comes_to_the_shops_own_figures(
    shops: Any, name: str, made_as: dict[str, Any]
) -> None:
    shop = shops(name)
    if made_as:
        await shop.control("config", **made_as)
    source = await shop.source()
    truth = await shop.truth()
    facts = await source.shop()
    assert facts.currency == truth["currency"]
    orders = [
        record
        for page in await read(source, Stage.ORDERS)
        for record in page.records
        if isinstance(record, OrderRecord)
    ]
    counts = truth["counts"]
    assert len(orders) == counts["orders"]
    assert sum(len(order.lines) for order in orders) == counts["lines"]
    assert sum(len(order.refunds) for order in orders) == counts["refunds"]
    sales = [sale for order in orders if not order.test for sale in order.sales]
    goods = [sale for sale in sales if sale.kind == "PRODUCT"]
    assert sum(sale.gross_minor for sale in goods) == truth["gross_minor"]
    assert sum(sale.discounts_minor for sale in goods) == truth["discounts_minor"]
    assert sum(sale.returns_minor for sale in goods) == truth["returns_minor"]
    assert sum(sale.net_minor for sale in goods) == truth["net_minor"]
    shipping = [sale for sale in sales if sale.kind == "SHIPPING"]
    assert sum(sale.net_minor for sale in shipping) == truth["shipping_minor"]
    taxed = [sale for sale in sales if sale.kind != "GIFT_CARD"]
    assert sum(sale.tax_minor for sale in taxed) == truth["taxes_minor"]
    for order in orders:
        for sale in order.sales:
            if sale.kind == "PRODUCT":
                parts = sale.gross_minor + sale.discounts_minor + sale.returns_minor
                assert parts == sale.net_minor


async def test_products_with_hundreds_of_variants_and_long_orders_come_whole(shops: Any) -> None:
    shop = shops("harbor-and-pine")
    source = await shop.source()
    products = [
        record
        for page in await read(source, Stage.PRODUCTS)
        for record in page.records
        if isinstance(record, ProductRecord)
    ]
    longest = max(len(product.variants) for product in products)
    variants = sum(len(product.variants) for product in products)
    assert longest > 250
    assert variants == (await shop.truth())["counts"]["variants"]
    orders = [
        record
        for page in await read(source, Stage.ORDERS)
        for record in page.records
        if isinstance(record, OrderRecord)
    ]
    long = max(orders, key=lambda order: len(order.lines))
    assert len(long.lines) > 250
    assert [line.position for line in long.lines] == list(range(len(long.lines)))
    operations = await shop.operations()
    assert {"ProductVariants", "OrderLists", "OrderAgreements"} <= set(operations)


@pytest.mark.parametrize("name", names())
async def test_each_document_is_understood(shops: Any, name: str) -> None:
    source = await shops("harbor-and-pine").source()
    stage, resource = Stage.ORDERS, "Order"
    if name == "product_variants":
        stage, resource = Stage.PRODUCTS, "Product"
    record = (await read(source, stage))[0].records[0]
    gid = f"gid://shopify/{resource}/{record.shopify_id}"
    if name == "bulk_operation":
        gid = "gid://shopify/BulkOperation/1"
    asked = {
        "query": "{ orders { edges { node { id } } } }" if name == "bulk_start" else None,
        "topic": "ORDERS_CREATE",
        "settings": {"uri": "http://127.0.0.1:1/webhooks/shopify"},
        "first": 3,
        "lines": 5,
        "sortKey": "CREATED_AT",
        "reverse": True,
        "ids": [gid],
        "id": gid,
    }
    told = document(name).text
    answer = await source._client.query(
        name, {key: value for key, value in asked.items() if f"${key}" in told}
    )
    assert answer.data
    assert answer.restricted == ()


async def test_records_fetched_by_id_equal_those_of_a_listing(shops: Any) -> None:
    source = await shops("harbor-and-pine").source()
    for stage in (Stage.PRODUCTS, Stage.ORDERS, Stage.CUSTOMERS):
        listed = [record for page in await read(source, stage) for record in page.records][:40]
        wanted = [record.shopify_id for record in listed]
        found = await source.by_ids(stage, [*wanted, 1])
        assert list(found.records) == listed
        assert found.missing == (1,)


async def test_all_ids_are_listed_as_the_shop_has_them(shops: Any) -> None:
    shop = shops("harbor-and-pine")
    source = await shop.source()
    listed = [one async for some in source.ids(Stage.ORDERS, ALL) for one in some]
    assert listed == ids(await read(source, Stage.ORDERS))


async def test_a_missing_scope_is_named(shops: Any) -> None:
    source = await shops("no-scopes").source(scopes=["read_products"])
    with pytest.raises(AccessRefused) as caught:
        await read(source, Stage.CUSTOMERS)
    assert caught.value.scope == "read_customers"
    with pytest.raises(AccessRefused):
        await source.count(Stage.ORDERS, ALL)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("http429", Throttled),
        ("throttled", Throttled),
        ("http5xx", ShopifyUnavailable),
        ("reset", ShopifyUnavailable),
        ("402", ShopUnavailable),
        ("423", ShopUnavailable),
        ("404", ShopUnavailable),
        ("revoked-token", TokenRevoked),
    ],
)
async def test_each_trouble_of_a_shop_is_known_by_its_name(
    shops: Any, fault: str, error: type[Exception]
) -> None:
    shop = shops(f"trouble-{fault}")
    source = await shop.source(patient=False)
    await shop.control("faults", kind=fault, count=1)
    with pytest.raises(error):
        await read(source, Stage.ORDERS)


async def test_a_cut_in_mid_reading_loses_nothing(shops: Any) -> None:
    shop = shops("often-cut")
    source = await shop.source(sizes=PageSizes(first=10, orders=50))
    whole = ids(await read(source, Stage.ORDERS))
    await shop.control("faults", kind="reset", rate=0.3)
    cursor: str | None = None
    found: list[int] = []
    for _ in range(200):
        try:
            async for page in source.pages(Stage.ORDERS, ALL, after=cursor):
                found += ids([page])
                cursor = page.next_cursor
            break
        except ShopifyUnavailable:
            continue
    assert found == whole
