"""A year of a real shop's invoices as records, for tests that read data beside the repository.

The mapping is the data's own README: an invoice is an order, an invoice that starts with C takes
back from the same customer's latest earlier order that holds the code with units left; what finds
none is counted, as are lines of nothing or for nothing.
"""

from __future__ import annotations

import csv
import lzma
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from statistics import median_low
from zoneinfo import ZoneInfo

from brandmind.commerce.records import (
    CustomerRecord,
    LineRecord,
    OrderRecord,
    ProductRecord,
    SaleRecord,
)
from tests.records import a_customer, a_product, an_order

LONDON = ZoneInfo("Europe/London")
SHIPPING = frozenset({"POST", "DOT", "C2"})


@dataclass
class Sold:
    """A line as it was sold, and how many units were not taken back."""

    code: str
    title: str
    quantity: int
    price: Decimal
    left: int


@dataclass
class Invoice:
    """One order in the making."""

    number: str
    at: datetime
    customer: int | None
    country: str
    lines: list[Sold] = field(default_factory=list)
    backs: list[tuple[datetime, int, int, Decimal]] = field(default_factory=list)


@dataclass
class RealShop:
    """The records, and what could not be mapped, counted."""

    orders: list[OrderRecord]
    products: list[ProductRecord]
    customers: list[CustomerRecord]
    left_out: Counter[str]
    product_ids: dict[str, int]


def minor(amount: Decimal) -> int:
    """Pounds in pence, half up."""
    return int((amount * 100).to_integral_value(rounding=ROUND_HALF_UP))


def uci(path: Path) -> RealShop:
    """The UCI "Online Retail" data as a store's records."""
    left_out: Counter[str] = Counter()
    invoices: dict[str, Invoice] = {}
    held: defaultdict[tuple[int, str], list[tuple[Invoice, int]]] = defaultdict(list)
    for row in _rows(path):
        number, code, quantity = row["InvoiceNo"], row["StockCode"].upper(), int(row["Quantity"])
        price = Decimal(row["UnitPrice"])
        at = datetime.fromisoformat(row["InvoiceDate"]).replace(tzinfo=LONDON).astimezone(UTC)
        customer = int(row["CustomerID"]) if row["CustomerID"] else None
        if number.startswith("C"):
            left = -quantity
            if customer is not None and price > 0:
                for invoice, place in reversed(held[customer, code]):
                    line = invoice.lines[place]
                    if invoice.at <= at and line.left and left > 0:
                        taken = min(left, line.left)
                        line.left -= taken
                        left -= taken
                        invoice.backs.append((at, place, taken, price))
            left_out["units of refunds without an order"] += max(0, left)
            continue
        if quantity <= 0 or price <= 0:
            left_out["lines of nothing or for nothing"] += 1
            continue
        invoice = invoices.setdefault(number, Invoice(number, at, customer, row["Country"]))
        invoice.lines.append(Sold(code, row["Description"], quantity, price, quantity))
        if customer is not None:
            held[customer, code].append((invoice, len(invoice.lines) - 1))
    codes = sorted({line.code for one in invoices.values() for line in one.lines} - SHIPPING)
    ids = {code: number for number, code in enumerate(codes, 1)}
    orders = [_order(n, one, ids) for n, one in enumerate(invoices.values(), 1)]
    return RealShop(orders, _products(invoices, ids), _customers(orders), left_out, ids)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with lzma.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _order(number: int, invoice: Invoice, ids: dict[str, int]) -> OrderRecord:
    gid = 1_000_000 + number
    lines, sales = [], []
    for place, line in enumerate(invoice.lines):
        total = minor(line.price * line.quantity)
        line_id = gid * 10_000 + place
        ships = line.code in SHIPPING
        if not ships:
            lines.append(_line(gid, line_id, place, line, ids, total))
        sales.append(
            _sale(gid, len(sales), line_id, ids.get(line.code), invoice.at, line.quantity, total,
                  ships=ships, placed=True)
        )  # fmt: skip
    for at, place, taken, price in invoice.backs:
        line = invoice.lines[place]
        sales.append(
            _sale(gid, len(sales), gid * 10_000 + place, ids.get(line.code), at, -taken,
                  -minor(price * taken), ships=line.code in SHIPPING, placed=False)
        )  # fmt: skip
    placed = sum(sale.total_minor for sale in sales if sale.placed)
    return an_order(gid, at=invoice.at, customer_id=invoice.customer)._replace(
        name=invoice.number,
        currency="GBP",
        presentment_currency="GBP",
        country_code=invoice.country,
        updated_at=max(sale.happened_at for sale in sales),
        original_total_minor=placed,
        total_minor=placed,
        current_total_minor=sum(sale.total_minor for sale in sales),
        lines=tuple(lines),
        sales=tuple(sales),
    )


def _line(
    order: int, line_id: int, place: int, line: Sold, ids: dict[str, int], total: int
) -> LineRecord:
    product = ids[line.code]
    return LineRecord(
        shopify_id=line_id,
        order_id=order,
        position=place,
        product_id=product,
        variant_id=product,
        title=line.title,
        variant_title=None,
        sku=line.code,
        vendor=None,
        quantity=line.quantity,
        current_quantity=line.left,
        is_gift_card=False,
        unit_price_minor=minor(line.price),
        original_total_minor=total,
        discounted_total_minor=total,
        total_discount_minor=0,
        tax_minor=0,
    )


def _sale(
    order: int,
    number: int,
    line_id: int,
    product: int | None,
    at: datetime,
    quantity: int,
    total: int,
    *,
    ships: bool,
    placed: bool,
) -> SaleRecord:
    return SaleRecord(
        shopify_id=order * 10_000 + number,
        order_id=order,
        agreement_id=order,
        happened_at=at,
        action="ORDER" if placed else "RETURN",
        kind="SHIPPING" if ships else "PRODUCT",
        placed=placed,
        line_id=None if ships else line_id,
        product_id=product,
        quantity=quantity,
        total_minor=total,
        tax_minor=0,
        gross_minor=total if placed and not ships else 0,
        discounts_minor=0,
        returns_minor=total if not placed and not ships else 0,
        net_minor=total,
    )


def _products(invoices: dict[str, Invoice], ids: dict[str, int]) -> list[ProductRecord]:
    first: dict[str, datetime] = {}
    titles: dict[str, str] = {}
    prices: defaultdict[str, list[int]] = defaultdict(list)
    for invoice in invoices.values():
        for line in invoice.lines:
            if line.code in ids:
                first[line.code] = min(first.get(line.code, invoice.at), invoice.at)
                titles[line.code] = line.title.strip().capitalize() or line.code
                prices[line.code].append(minor(line.price))
    found = []
    for code, product in ids.items():
        record = a_product(product, title=titles[code])
        found.append(
            record._replace(
                created_at=first[code],
                published_at=first[code],
                tracks_inventory=False,
                total_inventory=None,
                variants=(
                    record.variants[0]._replace(
                        shopify_id=product, price_minor=median_low(prices[code])
                    ),
                ),
            )
        )
    return found


def _customers(orders: Sequence[OrderRecord]) -> list[CustomerRecord]:
    counts = Counter(order.customer_id for order in orders if order.customer_id is not None)
    return [
        a_customer(customer)._replace(number_of_orders=count)
        for customer, count in sorted(counts.items())
    ]
