"""A shop's books out of a CSV file: a line of it is a line of an invoice, and a mapping says how.

An invoice is an order. One whose number begins with the mapping's prefix takes back: each of its
lines from the same customer's latest earlier order that holds the product with units left. What
finds none is listed, not guessed; lines of nothing or for nothing are left out and counted.
"""

from __future__ import annotations

import csv
import gzip
import json
import lzma
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from pathlib import Path
from typing import IO, Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from brandmind.simulator.amounts import DOLLAR_RATES, exponent

_OPENERS: dict[str, Any] = {".gz": gzip.open, ".xz": lzma.open}
COLUMNS = ("order", "product", "title", "quantity", "at", "price", "customer", "country")
WEEK_S = 7 * 86_400


class BadCsv(ValueError):
    """The mapping or the file cannot be a shop; the text names what, and where."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """How a file is read. `columns` names the file's column for each of COLUMNS.

    `shipping` are product codes that are no goods but postage; `countries` gives the two letters
    of each country as the file writes it, and what is not among them has none. `country` is where
    the shop itself is, `timezone` what its clock shows.
    """

    columns: dict[str, str]
    timezone: str
    currency: str
    country: str = ""
    refund_prefix: str = "C"
    shipping: tuple[str, ...] = ()
    countries: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Mapping:
        """The mapping of a JSON file. Raises BadCsv."""
        try:
            told = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise BadCsv(f"the mapping {path} cannot be read: {error}") from error
        known = {one.name for one in fields(cls)}
        if not isinstance(told, dict) or (unknown := set(told) - known):
            names = ", ".join(sorted(unknown)) if isinstance(told, dict) else path.name
            raise BadCsv(f"the mapping has no {names}; it knows {', '.join(sorted(known))}")
        if lacking := [name for name in COLUMNS if name not in told.get("columns", {})]:
            raise BadCsv(f"the mapping's columns lack {', '.join(lacking)}")
        try:
            found = cls(**{**told, "shipping": tuple(told.get("shipping", ()))})
            ZoneInfo(found.timezone)
        except TypeError as error:
            raise BadCsv("the mapping needs a timezone and a currency") from error
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise BadCsv(f"there is no time zone {told['timezone']}") from error
        if found.currency not in DOLLAR_RATES:
            raise BadCsv(f"currency is one of {', '.join(DOLLAR_RATES)}")
        return found


class Sold(NamedTuple):
    """A line of an invoice; `price` in minor units."""

    product: int
    title: str
    quantity: int
    price: int


class Back(NamedTuple):
    """What one refund took: (line, units), what more or less than the line's price it paid back,
    and how much of the postage.
    """

    at: int
    units: tuple[tuple[int, int], ...]
    more: int
    shipping: int


@dataclass(slots=True)
class Invoice:
    """An order. `at` is epoch seconds, `customer` a number from 0 or -1, `country` two letters."""

    number: str
    at: int
    customer: int
    country: str
    lines: list[Sold] = field(default_factory=list)
    shipping: int = 0
    backs: list[Back] = field(default_factory=list)


class Ware(NamedTuple):
    """A product: the middle of its prices, and when it was first sold."""

    code: str
    title: str
    price: int
    first_at: int


class Unmatched(NamedTuple):
    """A refund line, or what was left of it, that no order explains."""

    number: str
    code: str
    units: int


@dataclass(slots=True)
class Invoices:
    """All that the file holds, orders oldest first; `left_out` counts what could not be mapped.

    `homes` is the country of each customer's first line.
    """

    orders: list[Invoice]
    wares: list[Ware]
    homes: list[str]
    mapping: Mapping
    unmatched: list[Unmatched]
    left_out: Counter[str]


class _Held(NamedTuple):
    """Where the units of a sold line still are; `line` -1 is postage."""

    invoice: Invoice
    line: int
    left: list[int]
    price: int


def read_invoices(path: Path, mapping: Mapping, *, as_of: int) -> Invoices:
    """The shop of a file, plain or packed (.gz, .xz), moved by whole weeks so that its last order
    is less than a week before `as_of`. Raises BadCsv.
    """
    try:
        with _OPENERS.get(path.suffix, open)(path, "rt", encoding="utf-8", newline="") as file:
            rows = list(_rows(file, mapping))
    except (OSError, UnicodeDecodeError, lzma.LZMAError) as error:
        raise BadCsv(f"{path} cannot be read: {error}") from error
    if not rows:
        raise BadCsv(f"{path} holds no invoices")
    return _Reader(mapping, _moved(rows, mapping, as_of)).read(rows)


class _Row(NamedTuple):
    number: str
    code: str
    title: str
    quantity: int
    at: str
    price: Decimal
    customer: str
    country: str


def _rows(file: IO[str], mapping: Mapping) -> Iterator[_Row]:
    reader = csv.reader(file)
    header = next(reader, [])
    try:
        places = [header.index(mapping.columns[name]) for name in COLUMNS]
    except ValueError as error:
        raise BadCsv(f"the file has no such column: {error}") from error
    for line, row in enumerate(reader, 2):
        try:
            number, code, title, quantity, at, price, customer, country = (row[at] for at in places)
            yield _Row(
                number, sys.intern(code.strip().upper()), sys.intern(title.strip()), int(quantity),
                sys.intern(at), Decimal(price),
                customer.strip(), country.strip(),
            )  # fmt: skip
        except (ValueError, IndexError, InvalidOperation) as error:
            raise BadCsv(f"line {line} of the file cannot be read: {error}") from error


def _local(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError as error:
        raise BadCsv(f"{text} is not a moment like 2011-12-09 12:50:00") from error


def _moment(text: str, zone: ZoneInfo, moved: timedelta) -> int:
    # Whole weeks by the shop's own clock: ten in the morning stays that, on the same weekday.
    return int((_local(text) + moved).replace(tzinfo=zone).timestamp())


def _moved(rows: list[_Row], mapping: Mapping, as_of: int) -> timedelta:
    last = max(map(_local, {row.at for row in rows}))
    now = datetime.fromtimestamp(as_of, UTC).astimezone(ZoneInfo(mapping.timezone))
    return timedelta(weeks=(now.replace(tzinfo=None) - last) // timedelta(weeks=1))


class _Reader:
    """Goes through the rows once, in their order."""

    def __init__(self, mapping: Mapping, moved: timedelta) -> None:
        self._mapping = mapping
        self._zone = ZoneInfo(mapping.timezone)
        self._moved = moved
        self._unit = Decimal(10) ** exponent(mapping.currency)
        self._invoices: dict[str, Invoice] = {}
        self._refunds: dict[str, int] = {}
        self._customers: dict[str, int] = {}
        self._homes: list[str] = []
        self._codes: dict[str, int] = {}
        self._titles: dict[int, str] = {}
        self._prices: defaultdict[int, list[int]] = defaultdict(list)
        self._held: defaultdict[tuple[int, str], list[_Held]] = defaultdict(list)
        # By refund and order: the units of each line, and sums beside them.
        self._taken: dict[tuple[str, str], tuple[Counter[int], list[int]]] = {}
        self._unmatched: list[Unmatched] = []
        self._left_out: Counter[str] = Counter()

    def read(self, rows: list[_Row]) -> Invoices:
        """The shop of these rows."""
        for row in rows:
            if self._mapping.refund_prefix and row.number.startswith(self._mapping.refund_prefix):
                self._take_back(row)
            else:
                self._sell(row)
        for (refund, order), (units, (more, shipping)) in self._taken.items():
            back = Back(self._refunds[refund], tuple(sorted(units.items())), more, shipping)
            self._invoices[order].backs.append(back)
        for invoice in self._invoices.values():
            invoice.backs.sort()
        orders = sorted(self._invoices.values(), key=lambda one: one.at)
        return Invoices(
            orders,
            self._wares(orders),
            self._homes,
            self._mapping,
            self._unmatched,
            self._left_out,
        )

    def _minor(self, price: Decimal) -> int:
        exact = price * self._unit
        whole = int(exact.to_integral_value(rounding=ROUND_HALF_UP))
        if whole != exact:
            self._left_out["fractions of the smallest coin"] += 1
        return whole

    def _who(self, customer: str, country: str) -> int:
        if not customer:
            return -1
        if customer not in self._customers:
            self._customers[customer] = len(self._homes)
            self._homes.append(country)
        return self._customers[customer]

    def _sell(self, row: _Row) -> None:
        price = self._minor(row.price) if row.price > 0 else 0
        if row.quantity <= 0 or price <= 0:
            self._left_out["lines of nothing or for nothing"] += 1
            return
        invoice = self._invoices.get(row.number)
        if invoice is None:
            country = self._mapping.countries.get(row.country, "")
            invoice = self._invoices[row.number] = Invoice(
                row.number,
                _moment(row.at, self._zone, self._moved),
                self._who(row.customer, country),
                country,
            )
        if row.code in self._mapping.shipping:
            line = -1
            invoice.shipping += price * row.quantity
        else:
            line = len(invoice.lines)
            ware = self._codes.setdefault(row.code, len(self._codes))
            title = row.title or row.code
            self._titles.setdefault(ware, title)
            self._prices[ware].append(price)
            invoice.lines.append(Sold(ware, title, row.quantity, price))
        if invoice.customer >= 0:
            held = _Held(invoice, line, [row.quantity], price)
            self._held[invoice.customer, row.code].append(held)

    def _take_back(self, row: _Row) -> None:
        left = -row.quantity
        who = self._customers.get(row.customer) if row.customer else None
        price = self._minor(row.price) if row.price > 0 else 0
        if who is not None and price > 0:
            at = self._refunds.get(row.number)
            if at is None:
                at = self._refunds[row.number] = _moment(row.at, self._zone, self._moved)
            for held in reversed(self._held[who, row.code]):
                took = min(left, held.left[0])
                if took <= 0 or held.invoice.at > at:
                    continue
                held.left[0] -= took
                left -= took
                self._note(row.number, held, took, price)
                if not left:
                    return
        if left > 0:
            self._unmatched.append(Unmatched(row.number, row.code, left))
            self._left_out["units of refunds without an order"] += left

    def _note(self, refund: str, held: _Held, took: int, price: int) -> None:
        units, sums = self._taken.setdefault((refund, held.invoice.number), (Counter(), [0, 0]))
        if held.line < 0:
            sums[1] += took * held.price
        else:
            units[held.line] += took
        # The goods are worth what was paid for them; the rest is an adjustment.
        sums[0] += took * (price - held.price)

    def _wares(self, orders: list[Invoice]) -> list[Ware]:
        first: dict[int, int] = {}
        for invoice in orders:
            for line in invoice.lines:
                first.setdefault(line.product, invoice.at)
        found = []
        for code, ware in self._codes.items():
            prices = sorted(self._prices.pop(ware))
            middle = prices[(len(prices) - 1) // 2]
            found.append(Ware(code, self._titles[ware], middle, first[ware]))
        return found
