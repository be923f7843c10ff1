"""A CSV file as a shop's books: what an invoice becomes, and what is refused."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from brandmind.simulator.brand import Brand
from brandmind.simulator.changes import Changes
from brandmind.simulator.config import ShopConfig
from brandmind.simulator.csv_shop import make_up
from brandmind.simulator.invoices import BadCsv, Invoices, Mapping, read_invoices
from brandmind.simulator.truth import keep_books, truth

AS_OF = int(datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp())
HEADER = "no,sku,what,n,when,each,who,land"
COLUMNS = {
    "order": "no", "product": "sku", "title": "what", "quantity": "n", "at": "when",
    "price": "each", "customer": "who", "country": "land",
}  # fmt: skip
TOLD: dict[str, Any] = {
    "columns": COLUMNS, "timezone": "Europe/London", "currency": "GBP", "country": "GB",
    "refund_prefix": "C", "shipping": ["POST"], "countries": {"France": "FR"},
}  # fmt: skip
ROWS = (
    "1,mug,A mug,3,2011-12-02 10:00,2.50,anna,France",
    "1,POST,Postage,1,2011-12-02 10:00,18,anna,France",
    "2,MUG,A mug,2,2011-12-05 09:00,2.00,anna,France",
    "3,cup,,1,2011-12-06 09:00,1.25,,Nowhere",
    "3,cup,A cup,0,2011-12-06 09:00,1.25,,Nowhere",
    "C9,mug,A mug,-4,2011-12-07 09:00,2.50,anna,France",
    "C9,POST,Postage,-1,2011-12-07 09:00,18,anna,France",
    "C10,cup,A cup,-1,2011-12-08 09:00,1.25,,Nowhere",
)


def shop_of(folder: Path, rows: tuple[str, ...] = ROWS, **changes: Any) -> Invoices:
    path, mapping = folder / "shop.csv", folder / "mapping.json"
    path.write_text("\n".join((HEADER, *rows)))
    mapping.write_text(json.dumps({**TOLD, **changes}))
    return read_invoices(path, Mapping.read(mapping), as_of=AS_OF)


def brand_of(invoices: Invoices) -> Brand:
    return Brand("file.myshopify.com", make_up(ShopConfig(as_of=AS_OF), invoices), invoices)


def test_an_invoice_is_an_order_with_its_postage_and_what_came_back(tmp_path: Path) -> None:
    brand = brand_of(shop_of(tmp_path))
    first, second, guest = (brand.order(index) for index in range(3))
    assert [one["name"] for one in (first, second, guest)] == ["#1", "#2", "#3"]
    # Moved by whole weeks: the same weekday and hour, the last of them within the week.
    assert first["createdAt"] == "2026-11-13T10:00:00Z"
    # The latest order gives back first, and the rest comes from the one before.
    assert [line["currentQuantity"] for line in first["lineItems"]] == [1]
    assert [line["currentQuantity"] for line in second["lineItems"]] == [0]
    assert first["currentTotalPriceSet"].shop == 250
    assert first["shippingLine"]["originalPriceSet"].shop == 1800
    assert first["shippingAddress"]["countryCodeV2"] == "FR"
    assert guest["customer"] is None
    assert guest["shippingAddress"]["countryCodeV2"] is None
    assert guest["lineItems"][0]["title"] == "CUP"


def test_a_refund_at_another_price_is_told_as_an_adjustment(tmp_path: Path) -> None:
    told = truth(brand_of(shop_of(tmp_path)), keep_books(brand_of(shop_of(tmp_path))))
    assert told["gross_minor"] == 3 * 250 + 2 * 200 + 125
    assert told["returns_minor"] == -(2 * 200 + 2 * 250)
    # Two of the four were paid at 2.00 and paid back at 2.50.
    assert told["adjustments_minor"] == -100
    assert told["refunded_minor"] == 4 * 250 + 1800
    assert told["shipping_minor"] == 0


def test_a_refund_of_more_than_the_order_cost_is_told_in_full(tmp_path: Path) -> None:
    rows = (
        "1,mug,A mug,1,2011-12-02 10:00,2.50,anna,France",
        "1,POST,Postage,1,2011-12-02 10:00,4.00,anna,France",
        "C2,POST,Postage,-1,2011-12-07 09:00,80,anna,France",
    )
    brand = brand_of(shop_of(tmp_path, rows))
    told = truth(brand, keep_books(brand))
    assert (told["shipping_minor"], told["returns_minor"]) == (0, 0)
    assert told["adjustments_minor"] == -7600
    assert told["refunded_minor"] == 8000


def test_what_cannot_be_mapped_is_listed_and_counted(tmp_path: Path) -> None:
    found = shop_of(tmp_path)
    assert [tuple(one) for one in found.unmatched] == [("C10", "CUP", 1)]
    assert found.left_out["lines of nothing or for nothing"] == 1
    assert found.left_out["units of refunds without an order"] == 1


def test_orders_placed_later_go_on_behind_the_files_own(tmp_path: Path) -> None:
    brand = brand_of(shop_of(tmp_path))
    made = Changes(brand).order(AS_OF)
    brand.changed()
    order = brand.find(made)
    assert order is not None
    assert order["name"] == "#4"
    assert len(order["lineItems"]) >= 1
    assert len(brand.order_ids()) == 4


def test_a_packed_file_is_read_as_well(tmp_path: Path) -> None:
    shop_of(tmp_path)
    packed = tmp_path / "shop.csv.gz"
    packed.write_bytes(gzip.compress((tmp_path / "shop.csv").read_bytes()))
    mapping = Mapping.read(tmp_path / "mapping.json")
    assert len(read_invoices(packed, mapping, as_of=AS_OF).orders) == 3


@pytest.mark.parametrize(
    ("rows", "changes", "told"),
    [
        ((), {}, "no invoices"),
        (("1,mug,A mug,many,2011-12-02 10:00,2.50,anna,France",), {}, "line 2"),
        (("1,mug,A mug,1,tomorrow,2.50,anna,France",), {}, "tomorrow is not a moment"),
        (ROWS, {"columns": {**COLUMNS, "price": "cost"}}, "no such column"),
        (ROWS, {"columns": {"order": "no"}}, "columns lack"),
        (ROWS, {"colour": "red"}, "the mapping has no colour"),
        (ROWS, {"timezone": "Europe/Nowhere"}, "no time zone"),
        (ROWS, {"currency": "XAU"}, "currency is one of"),
    ],
)
def test_a_file_that_cannot_be_a_shop_is_refused_by_name(
    tmp_path: Path, rows: tuple[str, ...], changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(BadCsv, match=told):
        shop_of(tmp_path, rows, **changes)
