"""Orders that are decoded to types and orders that come as JSON are the same orders."""

from __future__ import annotations

from typing import Any

import msgspec
import orjson
import pytest

from brandmind.shopify import wire
from brandmind.shopify.parse import parse_orders
from tests.unit.shopify.made import agreement, bag, connection, line, order, refund, sale

LONG = {"hasNextPage": True, "endCursor": "there"}


def body(nodes: list[Any], **more: Any) -> bytes:
    answer = {"data": {"orders": connection(nodes)}, "extensions": {"cost": {}}} | more
    return orjson.dumps(answer)


def page(nodes: list[Any]) -> wire.OrderPage:
    told = wire.orders(body(nodes))
    assert told is not None
    found = told["data"]["orders"]
    assert isinstance(found, wire.OrderPage)
    return found


MANY = [
    order(1),
    order(2, lineItems=connection([line(21), line(22, product=None, variant=None)])),
    order(3, customer=None, shippingAddress=None, tags=["a", "b"], test=True),
    order(4, refunds=[refund(41, [(1, "RETURN"), (2, None)])]),
    order(5, presentmentCurrencyCode="JPY", totalPriceSet=bag("10.00", "1500")),
    order(
        6,
        agreements=connection(
            [
                agreement(61, [sale(611, line_number=1), sale(612, lineType="SHIPPING")]),
                agreement(62, [sale(621, actionType="RETURN")], kind="RefundAgreement"),
            ]
        ),
    ),
]


def test_both_roads_make_the_same_records() -> None:
    nodes, cut = page(MANY).apart()
    assert cut == []
    assert all(isinstance(node, wire.Order) for node in nodes)
    assert parse_orders(nodes) == parse_orders(MANY)
    assert len(parse_orders(MANY)[0]) == len(MANY)


@pytest.mark.parametrize(
    ("change", "lacks_lines"),
    [
        ({"lineItems": {"nodes": [line(1)], "pageInfo": LONG}}, True),
        ({"agreements": {"nodes": [], "pageInfo": LONG}}, True),
        (
            {
                "agreements": connection(
                    [agreement(1, []) | {"sales": {"nodes": [sale(1)], "pageInfo": LONG}}]
                )
            },
            True,
        ),
        (
            {"refunds": [refund(1, []) | {"refundLineItems": {"nodes": [], "pageInfo": LONG}}]},
            False,
        ),
    ],
)
def test_an_order_with_a_longer_list_is_set_apart_as_json(
    change: dict[str, Any], lacks_lines: bool
) -> None:
    nodes, cut = page([order(1), order(2, **change)]).apart()
    assert isinstance(nodes[0], wire.Order)
    assert isinstance(nodes[1], dict)
    assert nodes[1]["id"] == "gid://shopify/Order/2"
    assert cut == (["gid://shopify/Order/2"] if lacks_lines else [])
    assert parse_orders(nodes) == parse_orders([order(1), order(2, **change)])


@pytest.mark.parametrize(
    "odd",
    [
        b"",
        b"{",
        b'{"data":null,"errors":[{"message":"Throttled"}]}',
        b'{"data":{"orders":null}}',
        b"\xff",
        body([None]),
        body([order(1) | {"id": 7}]),
        body([order(1)], errors=[{"message": "Access denied"}]),
    ],
)
def test_what_is_no_page_of_readable_orders_is_left_to_others(odd: bytes) -> None:
    assert wire.orders(odd) is None


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"id": None}, "id is not readable (ValidationError)"),
        ({"number": "seven"}, "number is not readable (ValidationError)"),
        ({"customer": {}}, "customer.id is missing"),
        ({"lineItems": connection([line(1) | {"title": None}])}, "lineItems.nodes.title is not"),
    ],
)
def test_a_field_of_another_type_is_named_without_its_value(
    change: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        wire.order(order(1) | change)
    found = wire.complaint(caught.value)
    assert found.startswith(complaint)
    assert "seven" not in found
