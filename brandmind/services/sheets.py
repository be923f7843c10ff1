"""The tables of the pages as CSV files: every row, exact amounts, nothing in words."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from brandmind.commerce.money import to_decimal
from brandmind.db.figures import DaySums
from brandmind.services import dashboard, dna, orders, people, products

if TYPE_CHECKING:
    from brandmind.runtime import Runtime

# A spreadsheet takes what begins like this for a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


async def reconciliation(rt: Runtime, store_id: str, *, date_from: date, date_to: date) -> str:
    """Each day from gross to total. Raises NotFound and InvalidInput."""
    found = await orders.reconciliation(rt, store_id, date_from=date_from, date_to=date_to)
    currency = found.facts.currency
    names = [name for name in DaySums._fields if name not in ("placed_minor", "returned_minor")]
    return _csv(
        ["day", "currency", *(name.removesuffix("_minor") for name in names)],
        (
            [day, currency, *(_plain(name, getattr(sums, name), currency) for name in names)]
            for day, sums in found.days.items()
        ),
    )


async def goods(rt: Runtime, store_id: str, *, date_from: date, date_to: date) -> str:
    """Each product of the range. Raises NotFound and InvalidInput."""
    found = await products.products(rt, store_id, date_from=date_from, date_to=date_to)
    return _csv(
        ["product_id", "title", "class", "currency", "net", "units", "orders", "share",
         "return_rate", "stock", "cover_days", "sell_through", "days_on_sale"],
        (
            [row.product_id, row.title, row.kind, found.currency,
             to_decimal(row.net_minor, found.currency), row.units, row.orders, row.share,
             row.return_rate, row.stock, row.cover_days, row.sell_through, row.days_on_sale]
            for row in found.rows
        ),
    )  # fmt: skip


async def customers(rt: Runtime, store_id: str) -> str:
    """Each cohort's months by the newest portrait; the header alone before the first."""
    found = await dna.store_dna(rt, store_id)
    told: dict[str, Any] = found.tables if found else {"cohorts": [], "currency": ""}
    return _csv(
        ["cohort", "size", "month_after", "customers", "currency", "net", "cumulative", "partial"],
        (
            [f"{cohort['month'] // 12}-{cohort['month'] % 12 + 1:02}", cohort["size"],
             cell["after"], cell["customers"], told["currency"],
             to_decimal(cell["net_minor"], told["currency"]),
             to_decimal(cell["cumulative_minor"], told["currency"]), cell["partial"]]
            for cohort in told["cohorts"]
            for cell in cohort["cells"]
        ),
    )  # fmt: skip


async def deciles(rt: Runtime, store_id: str) -> str:
    """Customers of the newest portrait's year in tenths by net sales, the best first; the header
    alone before the first portrait.
    """
    found = await dna.store_dna(rt, store_id)
    told: list[Any] = found.tables["deciles"] if found else []
    currency = found.tables["currency"] if found else ""
    whole = sum(part["net_minor"] for part in told)
    return _csv(
        ["decile", "customers", "share", "currency", "net", "least"],
        (
            [part["decile"], part["customers"], dashboard.rate(part["net_minor"], whole), currency,
             to_decimal(part["net_minor"], currency), to_decimal(part["least_minor"], currency)]
            for part in told
        ),
    )  # fmt: skip


async def ltv(rt: Runtime, store_id: str) -> str:
    """Net sales per customer ever won up to and with each month after the first, by the newest
    portrait; the header alone before it.
    """
    found = await dna.store_dna(rt, store_id)
    told: list[Any] = found.tables["ltv"] if found else []
    currency = found.tables["currency"] if found else ""
    return _csv(
        ["month_after", "customers", "currency", "net", "per_customer"],
        (
            [point["after"], point["customers"], currency,
             to_decimal(point["net_minor"], currency),
             to_decimal(point["per_customer_minor"], currency)]
            for point in told
        ),
    )  # fmt: skip


async def group(rt: Runtime, store_id: str, *, group: str) -> str:
    """Everybody of a group of customers, as far as Shopify shows them. Raises as `people.group`."""
    currency, members = await people.everyone(rt, store_id, group=group)
    return _csv(
        ["customer_id", "name", "email", "email_marketing", "city", "country", "orders",
         "currency", "net", "last_order_at"],
        (
            [one.customer_id, one.name, one.email, one.email_marketing, one.city,
             one.country_code, one.orders, currency, to_decimal(one.net_minor, currency),
             one.last_at.isoformat() if one.last_at else None]
            for one in members
        ),
    )  # fmt: skip


def _plain(name: str, value: int, currency: str) -> object:
    return to_decimal(value, currency) if name.endswith("_minor") else value


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow([cell(value) for value in row])
    return out.getvalue()


def cell(value: object) -> object:
    """A value as a file has it: nothing that a spreadsheet would take for a formula."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value
