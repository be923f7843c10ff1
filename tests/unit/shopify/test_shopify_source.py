"""A shop is read whole: page by page, nested lists to their ends, the next page under way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from brandmind.commerce.records import CustomerRecord, OrderRecord, ProductRecord
from brandmind.errors import AccessRefused, BadAnswer, QueryTooCostly, ShopifyUnavailable
from brandmind.shopify import parse
from brandmind.shopify.source import PageSizes, ShopifySource, search
from brandmind.sync.ports import Page, Source, Window
from brandmind.sync.stages import Stage
from tests.unit.shopify.double import Shop, client_of, cost, failed, ok
from tests.unit.shopify.made import (
    agreement,
    connection,
    customer,
    line,
    order,
    product,
    refund,
    sale,
    shop,
    variant,
)

ALL = Window()
Variables = dict[str, Any]


def orders_of(total: int, **changes: Any) -> Any:
    """The `orders` root of a shop with that many orders, its cursors plain numbers."""

    def answer(asked: Variables) -> Any:
        start = int(asked["after"] or 0)
        numbers = range(start + 1, min(start + asked["first"], total) + 1)
        end = str(numbers[-1]) if numbers and numbers[-1] < total else None
        return {"orders": connection([order(one, **changes) for one in numbers], cursor=end)}

    return answer


def source_of(shop: Shop, **options: Any) -> ShopifySource:
    return ShopifySource(client_of(shop), currency="USD", **options)


async def read(pages: AsyncIterator[Page]) -> list[Page]:
    return [page async for page in pages]


def test_it_is_a_source_as_the_engine_means_it() -> None:
    source: Source = source_of(Shop())
    assert source


async def test_a_shop_tells_its_facts_and_its_own_time() -> None:
    facts = await source_of(Shop(Shop=lambda _: shop())).shop()
    assert facts.name == "Harbor & Pine"
    assert facts.answered_at == datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


async def test_a_shop_that_does_not_tell_its_time_is_not_trusted_with_ours() -> None:
    source = source_of(Shop(Shop=lambda _: httpx.Response(200, json={"data": shop()})))
    with pytest.raises(BadAnswer):
        await source.shop()


async def test_all_pages_are_read_the_first_one_small() -> None:
    double = Shop(Orders=orders_of(300))
    pages = await read(source_of(double).pages(Stage.ORDERS, ALL, after=None))
    assert [len(page.records) for page in pages] == [25, 240, 35]
    assert [page.next_cursor for page in pages] == ["25", "265", None]
    ids = [record.shopify_id for page in pages for record in page.records]
    assert ids == list(range(1, 301))
    assert all(isinstance(record, OrderRecord) for record in pages[0].records)


@pytest.mark.parametrize("start", ["", None])
async def test_an_empty_cursor_is_the_beginning(start: str | None) -> None:
    double = Shop(Orders=orders_of(1))
    await read(source_of(double).pages(Stage.ORDERS, ALL, after=start))
    assert double.log[0][1]["after"] is None


async def test_reading_goes_on_after_a_cursor_in_full_pages() -> None:
    double = Shop(Orders=orders_of(300))
    pages = await read(source_of(double).pages(Stage.HISTORY, ALL, after="25"))
    assert [len(page.records) for page in pages] == [240, 35]
    assert {page.stage for page in pages} == {Stage.HISTORY}


async def test_an_empty_shop_is_one_empty_page() -> None:
    double = Shop(Orders=orders_of(0))
    (page,) = await read(source_of(double).pages(Stage.ORDERS, ALL, after=None))
    assert (page.records, page.next_cursor) == ((), None)


async def test_the_next_page_is_under_way_while_the_caller_lands_this_one() -> None:
    double = Shop(Orders=orders_of(100))
    asked_for = asyncio.Event()

    def answer(asked: Variables) -> Any:
        if asked["after"]:
            asked_for.set()
        return orders_of(100)(asked)

    double.operations["Orders"] = answer
    pages = source_of(double).pages(Stage.ORDERS, ALL, after=None)
    await anext(pages)
    await asyncio.wait_for(asked_for.wait(), 5)
    assert double.times("Orders") == 2
    await pages.aclose()


async def test_only_one_page_is_asked_ahead() -> None:
    double = Shop(Orders=orders_of(1000))
    sizes = PageSizes(first=10, orders=10)
    pages = source_of(double, sizes=sizes).pages(Stage.ORDERS, ALL, after=None)
    await anext(pages)
    for _ in range(50):
        await asyncio.sleep(0)
    assert double.times("Orders") == 2
    await pages.aclose()


async def test_the_next_page_is_asked_for_before_the_records_of_an_awaited_one_are_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    double = Shop(Orders=orders_of(1000))
    asked: list[int] = []
    real = parse.parse_orders

    def parse_orders(nodes: Iterable[Any]) -> Any:
        asked.append(double.times("Orders"))
        return real(nodes)

    monkeypatch.setattr(parse, "parse_orders", parse_orders)
    sizes = PageSizes(first=10, orders=10)
    pages = source_of(double, sizes=sizes).pages(Stage.ORDERS, ALL, after=None)
    await anext(pages)
    assert asked[0] == 2
    await pages.aclose()


async def test_a_reader_that_stops_leaves_nothing_running() -> None:
    cancelled = asyncio.Event()

    class Hanging(httpx.AsyncBaseTransport):
        def __init__(self) -> None:
            self.inner = httpx.MockTransport(Shop(Orders=orders_of(100)))
            self.requests = 0

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            self.requests += 1
            if self.requests == 1:
                return await self.inner.handle_async_request(request)
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.set()
                raise
            raise AssertionError

    client = client_of(lambda _: httpx.Response(500))
    client._http = httpx.AsyncClient(transport=Hanging())
    pages = ShopifySource(client).pages(Stage.ORDERS, ALL, after=None)
    await anext(pages)
    for _ in range(20):
        await asyncio.sleep(0)
    await pages.aclose()
    assert cancelled.is_set()
    assert len(asyncio.all_tasks()) == 1


async def test_an_error_on_the_next_page_comes_after_this_one() -> None:
    def answer(asked: Variables) -> Any:
        return httpx.Response(503) if asked["after"] else orders_of(100)(asked)

    pages = source_of(Shop(Orders=answer)).pages(Stage.ORDERS, ALL, after=None)
    assert len((await anext(pages)).records) == 25
    with pytest.raises(ShopifyUnavailable):
        await anext(pages)


async def test_a_reader_that_stops_does_not_hear_of_an_error_on_the_next_page() -> None:
    def answer(asked: Variables) -> Any:
        return httpx.Response(503) if asked["after"] else orders_of(100)(asked)

    pages = source_of(Shop(Orders=answer)).pages(Stage.ORDERS, ALL, after=None)
    await anext(pages)
    for _ in range(20):
        await asyncio.sleep(0)
    await pages.aclose()


async def test_each_page_has_a_number_taken_before_its_request() -> None:
    events: list[str] = []
    numbers = iter(range(41, 50))

    async def take() -> int:
        events.append("number")
        return next(numbers)

    def answer(asked: Variables) -> Any:
        events.append("request")
        return orders_of(60)(asked)

    source = source_of(Shop(Orders=answer), take_read_no=take)
    pages = await read(source.pages(Stage.ORDERS, ALL, after=None))
    assert [page.read_no for page in pages] == [41, 42]
    assert events == ["number", "request"] * 2


async def test_a_page_too_costly_is_halved_and_goes_on_at_the_same_place() -> None:
    error = {"message": "Query cost is 1400", "extensions": {"code": "MAX_COST_EXCEEDED"}}

    def answer(asked: Variables) -> Any:
        return failed(error) if asked["first"] > 60 else orders_of(300)(asked)

    double = Shop(Orders=answer)
    source = source_of(double)
    pages = await read(source.pages(Stage.ORDERS, ALL, after=None))
    ids = [record.shopify_id for page in pages for record in page.records]
    assert ids == list(range(1, 301))
    # Learnt once: 25, then 240 and 120 refused, 60 taken from then on.
    assert [asked["first"] for _, asked in double.log][:5] == [25, 240, 120, 60, 60]


async def test_a_page_too_slow_for_the_shop_is_tried_smaller_at_the_same_place() -> None:
    def answer(asked: Variables) -> Any:
        return httpx.Response(504) if asked["first"] > 100 else orders_of(300)(asked)

    double = Shop(Orders=answer)
    pages = await read(source_of(double).pages(Stage.ORDERS, ALL, after=None))
    ids = [record.shopify_id for page in pages for record in page.records]
    assert ids == list(range(1, 301))
    assert [asked["first"] for _, asked in double.log] == [25, 240, 50, 50, 50, 50, 50, 50]


async def test_a_shop_that_asks_to_be_left_alone_is_not_asked_for_less() -> None:
    double = Shop(Orders=lambda _: httpx.Response(503, headers={"Retry-After": "30"}))
    with pytest.raises(ShopifyUnavailable) as caught:
        await read(source_of(double).pages(Stage.ORDERS, ALL, after="9"))
    assert caught.value.retry_after_s == 30
    assert double.times("Orders") == 1


async def test_what_reading_asks_of_a_shop_is_counted() -> None:
    client = client_of(lambda _: ok({"orders": connection([])}, extensions=cost(592, 1500)))
    source = ShopifySource(client)
    await read(source.pages(Stage.ORDERS, ALL, after=None))
    await read(source.pages(Stage.ORDERS, ALL, after=None))
    assert (source.usage.requests, source.usage.points, source.usage.throttled) == (2, 1184, 0)
    assert source.usage.body_bytes > 0


async def test_a_single_record_too_costly_is_an_error() -> None:
    error = {"message": "Query cost is 1400", "extensions": {"code": "MAX_COST_EXCEEDED"}}
    double = Shop(Orders=lambda _: failed(error))
    with pytest.raises(QueryTooCostly):
        await read(source_of(double).pages(Stage.ORDERS, ALL, after=None))


@pytest.mark.parametrize(
    ("end", "error"), [(None, BadAnswer), ("", BadAnswer), ("9", ShopifyUnavailable)]
)
async def test_a_list_that_leads_nowhere_is_a_bad_answer_and_one_in_a_circle_is_asked_again(
    end: str | None, error: type[Exception]
) -> None:
    circle = {"pageInfo": {"hasNextPage": True, "endCursor": end}, "nodes": [order(1)]}
    double = Shop(Orders=lambda _: {"orders": circle})
    with pytest.raises(error):
        await read(source_of(double).pages(Stage.ORDERS, ALL, after="9"))


async def test_a_bad_record_is_set_apart_and_the_rest_of_its_page_lands() -> None:
    nodes = [order(1), order(2, createdAt="?"), order(3)]
    double = Shop(Orders=lambda _: {"orders": connection(nodes)})
    (page,) = await read(source_of(double).pages(Stage.ORDERS, ALL, after=None))
    assert [record.shopify_id for record in page.records] == [1, 3]
    assert page.rejects[0].gid == "gid://shopify/Order/2"


async def test_a_page_names_what_the_app_may_not_see() -> None:
    error = {
        "message": "This app is not approved to access the Customer object.",
        "path": ["orders", "nodes", 0, "customer"],
    }
    data = {"orders": connection([order(1, customer=None)])}
    double = Shop(Orders=lambda _: failed(error, data=data))
    (page,) = await read(source_of(double).pages(Stage.ORDERS, ALL, after=None))
    assert page.restricted == ("orders.nodes.customer",)


# Nested lists


def cut_order(number: int, *, lines: int = 20, sales: int = 20) -> Any:
    """An order whose lines and sales go on after the page it came with."""
    return order(
        number,
        lineItems=connection([line(one) for one in range(lines)], cursor=f"l{lines}"),
        agreements=connection(
            [
                agreement(1, [])
                | {"sales": connection([sale(n) for n in range(sales)], cursor="s20")}
            ]
        ),
    )


def whole_lists(gid: str, *, lines: int, sales: int, cursor: str | None = None) -> Any:
    return {
        "id": gid,
        "lineItems": connection([line(one) for one in range(lines)], cursor=cursor),
        "agreements": connection([agreement(1, [sale(one) for one in range(sales)])]),
    }


async def test_orders_with_many_lines_are_read_whole_a_few_at_a_time() -> None:
    nodes = [cut_order(one) for one in range(1, 13)] + [order(13)]
    double = Shop(
        Orders=lambda _: {"orders": connection(nodes)},
        OrderLists=lambda asked: {
            "nodes": [whole_lists(gid, lines=33, sales=34) for gid in asked["ids"]]
        },
    )
    (page,) = await read(source_of(double).pages(Stage.ORDERS, ALL, after=None))
    assert [record.shopify_id for record in page.records] == list(range(1, 14))
    assert [len(record.lines) for record in page.records] == [33] * 12 + [1]
    assert [len(record.sales) for record in page.records] == [34] * 12 + [2]
    assert [len(asked["ids"]) for name, asked in double.log if name == "OrderLists"] == [5, 5, 2]


async def test_an_order_of_more_than_250_lines_is_read_to_its_end() -> None:
    def lines(asked: Variables) -> Any:
        assert asked["after"] == "l250"
        return {"order": {"lineItems": connection([line(one) for one in range(250, 310)])}}

    def agreements(asked: Variables) -> Any:
        if asked["sale"] is None:
            sales = connection([sale(one) for one in range(250)], cursor="s250")
        else:
            sales = connection([sale(one) for one in range(250, 311)])
        first = agreement(1, []) | {"sales": sales}
        second = agreement(2, [sale(999)], kind="RefundAgreement")
        page = connection([second]) if asked["agreement"] else connection([first], cursor="a1")
        return {"order": {"agreements": page}}

    lists = whole_lists("gid://shopify/Order/1", lines=250, sales=0, cursor="l250")
    lists["agreements"]["nodes"][0]["sales"] = connection([sale(1)], cursor="s1")
    double = Shop(
        Orders=lambda _: {"orders": connection([cut_order(1)])},
        OrderLists=lambda _: {"nodes": [lists]},
        OrderLines=lines,
        OrderAgreements=agreements,
    )

    def later(asked: Variables) -> Any:
        # The second agreement begins at its own first sale.
        if asked["agreement"]:
            assert asked["sale"] is None
            second = agreement(2, [sale(999)], kind="RefundAgreement")
            return {"order": {"agreements": connection([second])}}
        return agreements(asked)

    double.operations["OrderAgreements"] = later
    (page,) = await read(source_of(double).pages(Stage.ORDERS, ALL, after=None))
    (record,) = page.records
    assert isinstance(record, OrderRecord)
    assert [one.shopify_id for one in record.lines] == list(range(310))
    assert [one.shopify_id for one in record.sales] == [*range(311), 999]


async def test_lists_too_costly_together_are_read_one_by_one() -> None:
    error = {"message": "Query cost is 1400", "extensions": {"code": "MAX_COST_EXCEEDED"}}
    double = Shop(
        Orders=lambda _: {"orders": connection([cut_order(1), cut_order(2)])},
        OrderLists=lambda _: failed(error),
        OrderLines=lambda _: {"order": {"lineItems": connection([line(n) for n in range(30)])}},
        OrderAgreements=lambda _: {
            "order": {"agreements": connection([agreement(1, [sale(n) for n in range(31)])])}
        },
    )
    (page,) = await read(source_of(double).pages(Stage.ORDERS, ALL, after=None))
    assert [(len(one.lines), len(one.sales)) for one in page.records] == [(30, 31)] * 2


async def test_an_order_gone_before_its_lines_were_read_is_left_out() -> None:
    double = Shop(
        Orders=lambda _: {"orders": connection([cut_order(1), order(2)])},
        OrderLists=lambda _: {"nodes": [None]},
    )
    (page,) = await read(source_of(double).pages(Stage.ORDERS, ALL, after=None))
    assert [record.shopify_id for record in page.records] == [2]


async def test_a_shop_of_long_orders_soon_sends_more_lines_at_once() -> None:
    def answer(asked: Variables) -> Any:
        start = int(asked["after"] or 0)
        nodes = [cut_order(start + 1)] if asked["lines"] < 54 else [order(start + 1)]
        return {"orders": connection(nodes, cursor=str(start + 1) if start < 3 else None)}

    double = Shop(
        Orders=answer,
        OrderLists=lambda asked: {
            "nodes": [whole_lists(gid, lines=30, sales=30) for gid in asked["ids"]]
        },
    )
    await read(source_of(double).pages(Stage.ORDERS, ALL, after=None))
    assert [asked["lines"] for name, asked in double.log if name == "Orders"] == [20, 54, 54, 54]
    assert double.times("OrderLists") == 1


async def test_a_refund_of_many_lines_is_read_to_its_end() -> None:
    long = refund(5, [(1, "RETURN")] * 12)
    long["refundLineItems"]["pageInfo"] = {"hasNextPage": True, "endCursor": "r12"}
    rest = connection([{"quantity": 2, "restockType": "NO_RESTOCK"}] * 3)
    double = Shop(
        Orders=lambda _: {"orders": connection([order(1, refunds=[long])])},
        RefundLines=lambda _: {"node": {"refundLineItems": rest}},
    )
    (page,) = await read(source_of(double).pages(Stage.ORDERS, ALL, after=None))
    (record,) = page.records
    assert isinstance(record, OrderRecord)
    assert (record.refunds[0].quantity, record.refunds[0].restocked_quantity) == (18, 12)
    assert double.log[1][1] == {"id": "gid://shopify/Refund/5", "after": "r12"}


async def test_such_a_refund_is_read_to_its_end_on_a_page_with_more_behind_it() -> None:
    long = refund(5, [(1, "RETURN")] * 12)
    long["refundLineItems"]["pageInfo"] = {"hasNextPage": True, "endCursor": "r12"}
    rest = connection([{"quantity": 2, "restockType": "NO_RESTOCK"}] * 3)
    double = Shop(
        Orders=orders_of(40, refunds=[long]),
        RefundLines=lambda _: {"node": {"refundLineItems": rest}},
    )
    pages = await read(source_of(double).pages(Stage.ORDERS, ALL, after=None))
    quantities = {order.refunds[0].quantity for page in pages for order in page.records}
    assert (len(pages), quantities) == (2, {18})


async def test_a_product_of_more_than_250_variants_is_read_to_its_end() -> None:
    first = connection([variant(one) for one in range(50)], cursor="v50")
    pages = {
        "v50": connection([variant(one) for one in range(50, 300)], cursor="v300"),
        "v300": connection([variant(300)]),
    }
    double = Shop(
        Products=lambda _: {
            "products": connection([product(1, variants=first), product(2), product(3)])
        },
        ProductVariants=lambda asked: {"product": {"variants": pages[asked["after"]]}},
    )
    (page,) = await read(source_of(double).pages(Stage.PRODUCTS, ALL, after=None))
    assert all(isinstance(record, ProductRecord) for record in page.records)
    assert [len(record.variants) for record in page.records] == [301, 1, 1]


async def test_an_error_in_one_nested_list_ends_the_page() -> None:
    first = connection([variant(1)], cursor="v1")
    double = Shop(
        Products=lambda _: {
            "products": connection([product(one, variants=first) for one in range(1, 9)])
        },
        ProductVariants=lambda _: httpx.Response(502),
    )
    with pytest.raises(ShopifyUnavailable):
        await read(source_of(double).pages(Stage.PRODUCTS, ALL, after=None))
    assert len(asyncio.all_tasks()) == 1


# Windows and counts


def test_times_are_sent_quoted_in_utc_and_rounded_outwards() -> None:
    east = datetime(2026, 5, 23, 2, 0, 0, 999, tzinfo=UTC).astimezone()
    window = Window(created_from=east, created_before=east)
    assert search(Stage.ORDERS, window) == (
        "created_at:>='2026-05-23T02:00:00Z' created_at:<='2026-05-23T02:00:01Z'"
    )


def test_customers_are_searched_by_their_own_word_for_creation() -> None:
    window = Window(created_from=datetime(2026, 5, 23, tzinfo=UTC))
    assert search(Stage.CUSTOMERS, window) == "customer_date:>='2026-05-23T00:00:00Z'"


def test_an_open_window_sends_no_search() -> None:
    assert search(Stage.PRODUCTS, ALL) is None


@pytest.mark.parametrize(
    ("window", "key", "reverse"),
    [
        (ALL, "CREATED_AT", True),
        (Window(updated_from=datetime(2026, 11, 1, tzinfo=UTC)), "UPDATED_AT", False),
    ],
)
async def test_newest_come_first_and_changes_oldest_first(
    window: Window, key: str, *, reverse: bool
) -> None:
    double = Shop(Orders=orders_of(1))
    await read(source_of(double).pages(Stage.ORDERS, window, after=None))
    asked = double.log[0][1]
    assert (asked["sortKey"], asked["reverse"]) == (key, reverse)
    assert asked["query"] == search(Stage.ORDERS, window)


async def test_the_shop_counts_a_window() -> None:
    double = Shop(OrdersCount=lambda _: {"ordersCount": {"count": 31600, "precision": "EXACT"}})
    window = Window(created_from=datetime(2026, 5, 23, tzinfo=UTC))
    total = await source_of(double).count(Stage.ORDERS, window)
    assert (total.count, total.exact) == (31600, True)
    assert double.log[0][1] == {"query": search(Stage.ORDERS, window)}


async def test_at_least_so_many_in_an_open_window_is_not_exact() -> None:
    answer = {"customersCount": {"count": 10000, "precision": "AT_LEAST"}}
    total = await source_of(Shop(CustomersCount=lambda _: answer)).count(Stage.CUSTOMERS, ALL)
    assert (total.count, total.exact) == (10000, False)


async def test_many_windows_are_counted_by_one_request() -> None:
    def counts(asked: Variables) -> Any:
        return {f"c{n}": {"count": n, "precision": "EXACT"} for n in range(len(asked))}

    double = Shop(Counts=counts)
    asked = [(Stage.PRODUCTS, ALL), (Stage.LATE_ORDERS, ALL), (Stage.HISTORY, ALL)]
    found = await source_of(double).counts(asked)
    assert [(total.count, total.exact) for total in found] == [(0, True), (1, True), (2, True)]
    assert len(double.log) == 1
    assert await source_of(double).counts([]) == []


async def test_more_windows_than_one_request_may_count_are_counted_by_several() -> None:
    def counts(asked: Variables) -> Any:
        if len(asked) > 30:
            error = {"message": "Query cost is 1400", "extensions": {"code": "MAX_COST_EXCEEDED"}}
            return failed(error)
        return {f"c{n}": {"count": 1, "precision": "EXACT"} for n in range(len(asked))}

    double = Shop(Counts=counts)
    found = await source_of(double).counts([(Stage.ORDERS, ALL)] * 100)
    assert sum(total.count for total in found) == 100
    assert [len(asked) for _, asked in double.log] == [80, 40, 20, 20, 20, 20, 20]


async def test_a_count_that_is_only_at_least_is_asked_again_in_halves() -> None:
    window = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
    double = Shop(
        Counts=lambda _: {"c0": {"count": 10000, "precision": "AT_LEAST"}},
        OrdersCount=lambda _: {"ordersCount": {"count": 9000, "precision": "EXACT"}},
    )
    (total,) = await source_of(double).counts([(Stage.ORDERS, window)])
    assert (total.count, total.exact) == (18000, True)


async def test_a_count_that_was_not_answered_is_a_bad_answer() -> None:
    with pytest.raises(BadAnswer):
        await source_of(Shop(Counts=lambda _: {})).counts([(Stage.ORDERS, ALL)])


async def test_at_least_so_many_in_a_closed_window_is_counted_in_parts() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    moments = [start + timedelta(seconds=one) for one in range(100)]

    def count(asked: Variables) -> Any:
        quoted = asked["query"].split("'")
        first, last = (datetime.fromisoformat(quoted[at]) for at in (1, 3))
        found = sum(first <= at <= last for at in moments)
        capped = {"count": min(found, 30), "precision": "EXACT" if found <= 30 else "AT_LEAST"}
        return {"ordersCount": capped}

    window = Window(created_from=start, created_before=moments[-1])
    total = await source_of(Shop(OrdersCount=count)).count(Stage.ORDERS, window)
    assert (total.count, total.exact) == (100, True)


async def test_products_learn_the_currency_of_the_shop_when_nobody_told_it() -> None:
    double = Shop(
        Shop=lambda _: shop(currencyCode="JPY"),
        Products=lambda _: {"products": connection([product(1)])},
    )
    source = ShopifySource(client_of(double))
    (page,) = await read(source.pages(Stage.PRODUCTS, ALL, after=None))
    (record,) = page.records
    assert isinstance(record, ProductRecord)
    assert record.variants[0].price_minor == 10


# By id


async def test_records_are_fetched_by_id_and_missing_ones_named() -> None:
    def by_id(asked: Variables) -> Any:
        numbers = [int(gid.rsplit("/", 1)[1]) for gid in asked["ids"]]
        return {"nodes": [customer(one) if one % 2 else None for one in numbers]}

    double = Shop(CustomersById=by_id)
    found = await source_of(double).by_ids(Stage.CUSTOMERS, [1, 2, 3, 3, 4])
    assert [record.shopify_id for record in found.records] == [1, 3]
    assert all(isinstance(record, CustomerRecord) for record in found.records)
    assert found.missing == (2, 4)


async def test_many_ids_go_in_batches_that_shrink_when_too_costly() -> None:
    error = {"message": "Query cost is 1400", "extensions": {"code": "MAX_COST_EXCEEDED"}}

    def by_id(asked: Variables) -> Any:
        if len(asked["ids"]) > 10:
            return failed(error)
        return {"nodes": [order(int(gid.rsplit("/", 1)[1])) for gid in asked["ids"]]}

    found = await source_of(Shop(OrdersById=by_id)).by_ids(Stage.ORDERS, list(range(1, 41)))
    assert [record.shopify_id for record in found.records] == list(range(1, 41))


async def test_what_the_shop_hides_is_never_taken_for_deleted() -> None:
    error = {"message": "This app is not approved to access …", "path": ["nodes", 0]}
    double = Shop(CustomersById=lambda _: failed(error, data={"nodes": [None]}))
    with pytest.raises(AccessRefused):
        await source_of(double).by_ids(Stage.CUSTOMERS, [1])


async def test_all_ids_of_a_window_can_be_listed_cheaply() -> None:
    pages = {
        None: connection([{"id": "gid://shopify/Order/1"}], cursor="c1"),
        "c1": connection([{"id": "gid://shopify/Order/2"}]),
    }
    double = Shop(OrderIds=lambda asked: {"orders": pages[asked["after"]]})
    found = [ids async for ids in source_of(double).ids(Stage.ORDERS, ALL)]
    assert found == [(1,), (2,)]
