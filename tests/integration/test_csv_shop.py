"""A year of a real wholesaler's invoices, played by the local Shopify and synced over HTTP.

What is stored is held against a computation of its own over the same rows of the CSV: plain
Python that shares no code with the sync, the figures or the local Shopify.
"""

from __future__ import annotations

import asyncio
import csv
import json
import lzma
import math
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from brandmind.clock import utc_now
from brandmind.db import figures, rollups
from brandmind.db.figures import Span
from brandmind.services import dna, syncs
from brandmind.sync.stages import StoreStatus
from tests.contract.local_shopify import local_shopify
from tests.faults.ground import Ground, Shop, settings_for, standing, until

pytestmark = [pytest.mark.needs_shared, pytest.mark.timeout(3_600)]

LONDON = ZoneInfo("Europe/London")
POSTAGE = ("POST", "DOT", "C2")
COUNTRIES = {
    "United Kingdom": "GB", "Germany": "DE", "France": "FR", "EIRE": "IE", "Spain": "ES",
    "Netherlands": "NL", "Belgium": "BE", "Switzerland": "CH", "Portugal": "PT",
    "Australia": "AU", "Norway": "NO", "Italy": "IT", "Channel Islands": "JE", "Finland": "FI",
    "Cyprus": "CY", "Sweden": "SE", "Austria": "AT", "Denmark": "DK", "Japan": "JP",
    "Poland": "PL", "Israel": "IL", "USA": "US", "Hong Kong": "HK", "Singapore": "SG",
    "Iceland": "IS", "Canada": "CA", "Greece": "GR", "Malta": "MT", "United Arab Emirates": "AE",
    "RSA": "ZA", "Lebanon": "LB", "Lithuania": "LT", "Brazil": "BR", "Czech Republic": "CZ",
    "Bahrain": "BH", "Saudi Arabia": "SA",
}  # fmt: skip
MAPPING = {
    "columns": {
        "order": "InvoiceNo", "product": "StockCode", "title": "Description",
        "quantity": "Quantity", "at": "InvoiceDate", "price": "UnitPrice",
        "customer": "CustomerID", "country": "Country",
    },
    "timezone": "Europe/London",
    "currency": "GBP",
    "country": "GB",
    "refund_prefix": "C",
    "shipping": list(POSTAGE),
    "countries": COUNTRIES,
}  # fmt: skip


@dataclass
class Plain:
    """The invoices by a computation of its own: money in pence."""

    gross: defaultdict[date, int] = field(default_factory=lambda: defaultdict(int))
    back: defaultdict[date, int] = field(default_factory=lambda: defaultdict(int))
    adjusted: defaultdict[date, int] = field(default_factory=lambda: defaultdict(int))
    count: defaultdict[date, int] = field(default_factory=lambda: defaultdict(int))
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    shipping: int = 0
    unmatched: int = 0
    skipped: int = 0


def computed(rows: list[list[str]], moved: timedelta) -> Plain:
    """Everything that the test expects, out of the rows alone."""
    found = Plain()
    stacks: defaultdict[str, list[list[Any]]] = defaultdict(list)
    for number, code, _, units, when, price, who, country in rows:
        day, key = (datetime.fromisoformat(when) + moved).date(), f"{who}|{code.upper()}"
        pence = int((Decimal(price) * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))
        post = code.upper() in POSTAGE
        if number[0] == "C":
            wanted = -int(units)
            for entry in stacks[key][::-1] if who and pence > 0 else ():
                took = min(wanted, entry[1])
                if not took or entry[2] > when:
                    continue
                entry[1] -= took
                wanted -= took
                value = entry[3] * took
                # A refund at another price than was paid: the difference is an adjustment.
                found.adjusted[day] += value - pence * took
                if post:
                    found.shipping -= value
                else:
                    found.back[day] += value
                    entry[0]["back"] += value
            found.unmatched += wanted
            continue
        if int(units) <= 0 or pence <= 0:
            found.skipped += 1
            continue
        if number not in found.orders:
            found.orders[number] = {
                "day": day, "who": who, "country": COUNTRIES.get(country), "sold": 0, "back": 0,
                "codes": set(),
            }  # fmt: skip
            found.count[day] += 1
        order, value = found.orders[number], pence * int(units)
        if post:
            found.shipping += value
        else:
            found.gross[day] += value
            order["sold"] += value
            order["codes"].add(code.upper())
        stacks[key].append([order, int(units), when, pence])
    return found


@dataclass
class Synced:
    """The store after its sync, and what is expected of it."""

    ground: Ground
    store_id: str
    shop: Shop
    plain: Plain
    first: date
    truth: dict[str, Any]


class CsvShop(Shop):
    """A shop of a local Shopify that has its sizes from a file."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.domain = "gifts-and-more.myshopify.com"
        self.control("config", unlimited=True)


def rows_of(shared_data: Path) -> list[list[str]]:
    with lzma.open(shared_data / "uci_online_retail.csv.xz", "rt", newline="") as file:
        return list(csv.reader(file))


def every_tenth(rows: list[list[str]]) -> list[list[str]]:
    """A tenth of the customers with all that they ever did, and a tenth of the guests' invoices."""
    return [row for row in rows if (row[6] or row[0])[-1] == "0"]


async def synced(
    folder: Path, url: str, rows: list[list[str]], header: list[str]
) -> AsyncIterator[Synced]:
    path, mapping = folder / "invoices.csv", folder / "mapping.json"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    mapping.write_text(json.dumps(MAPPING))
    now = utc_now()
    last = datetime.fromisoformat(max(row[4] for row in rows))
    weeks = (now.astimezone(LONDON).replace(tzinfo=None) - last).days // 7
    moved = timedelta(weeks=weeks)
    options = ("--csv", str(path), "--csv-mapping", str(mapping), "--as-of", now.isoformat())
    with local_shopify(*options) as address:
        shop = await asyncio.to_thread(CsvShop, address)
        settings = settings_for(folder, database_url=url, shopify=address)
        async with standing(settings, rings=False) as ground:
            store_id = await ground.connect(shop)
            await worked_to_the_end(ground, store_id)
            answer = await asyncio.to_thread(
                lambda: httpx.get(f"{address}/__truth/{shop.domain}", timeout=600)
            )
            first = (datetime.fromisoformat(min(row[4] for row in rows)) + moved).date()
            yield Synced(ground, store_id, shop, computed(rows, moved), first, answer.json())


async def worked_to_the_end(ground: Ground, store_id: str) -> None:
    """Work on the store's runs until it is whole; one that waits for an export is taken up when
    it is due.
    """

    async def is_whole() -> bool:
        await syncs.work(ground.rt, store_id=store_id)
        progress = await syncs.progress(ground.rt, store_id)
        assert progress.status not in (StoreStatus.FAILED, StoreStatus.CANCELLED), progress
        return progress.status is StoreStatus.COMPLETED

    await until(is_whole, within_s=3_000, every_s=0.5)


@pytest.fixture
async def tenth(shared_data: Path, tmp_path: Path, sqlite_url: str) -> AsyncIterator[Synced]:
    header, *rows = rows_of(shared_data)
    async for found in synced(tmp_path, sqlite_url, every_tenth(rows), header):
        yield found


@pytest.fixture
async def whole(shared_data: Path, tmp_path: Path, sqlite_url: str) -> AsyncIterator[Synced]:
    header, *rows = rows_of(shared_data)
    async for found in synced(tmp_path, sqlite_url, rows, header):
        yield found


async def test_a_tenth_of_the_wholesaler_is_synced_and_read_as_by_hand(tenth: Synced) -> None:
    await assert_complete(tenth)
    await assert_every_day_adds_up(tenth)
    await assert_portrait(tenth)


@pytest.mark.long
async def test_the_whole_wholesaler_is_synced_and_read_as_by_hand(whole: Synced) -> None:
    assert len(whole.plain.orders) == 19_960
    await assert_complete(whole)
    await assert_every_day_adds_up(whole)
    portrait = await assert_portrait(whole)
    print(json.dumps({one["key"]: [one["label"], one["score"]] for one in portrait["strands"]}))
    print(portrait["signature"], portrait["coverage"])


async def assert_complete(found: Synced) -> None:
    progress = await syncs.progress(found.ground.rt, found.store_id)
    assert progress.status is StoreStatus.COMPLETED, progress
    await found.ground.assert_whole(found.shop, found.store_id)
    left_out = found.truth["left_out"]
    assert left_out["lines of nothing or for nothing"] == found.plain.skipped
    # What no order explains is listed, not guessed.
    assert left_out["units of refunds without an order"] == found.plain.unmatched
    assert sum(one["units"] for one in found.truth["unmatched"]) == found.plain.unmatched


async def assert_every_day_adds_up(found: Synced) -> None:
    plain, db = found.plain, found.ground.db
    span = Span(found.first, utc_now().date())
    days = await db.read(figures.day_sums, found.store_id, currency="GBP", span=span)
    assert len(days) > 250
    nothing = figures.DaySums()
    for day in plain.count.keys() | plain.back.keys() | days.keys():
        sums = days.get(day, nothing)
        assert sums.gross_minor == plain.gross.get(day, 0), day
        assert -sums.returns_minor == plain.back.get(day, 0), day
        assert sums.adjustments_minor == plain.adjusted.get(day, 0), day
        assert sums.orders == plain.count.get(day, 0), day
    whole = figures.added(days.values())
    assert whole.shipping_minor == plain.shipping
    assert whole.net_minor == sum(plain.gross.values()) - sum(plain.back.values())
    assert await db.read(rollups.recount_differences, found.store_id) == []


async def assert_portrait(found: Synced) -> dict[str, Any]:
    told = await dna.store_dna(found.ground.rt, found.store_id)
    assert told is not None
    plain, as_of = found.plain, told.as_of
    year = as_of - timedelta(days=365)
    strands = {strand["key"]: strand for strand in told.portrait["strands"]}
    bought = [order for order in plain.orders.values() if order["sold"] > 0]
    recent = [order for order in bought if year <= order["day"] < as_of]

    # Basket building: orders with two or more codes.
    many = sum(len(order["codes"]) > 1 for order in recent)
    assert strands["basket"]["raw"] == round(many / len(recent), 6)

    # Reach: what goes to another country, of what goes to a known one.
    known = [order for order in recent if order["country"]]
    abroad = sum(o["sold"] - o["back"] for o in known if o["country"] != "GB")
    assert strands["reach"]["raw"] == pytest.approx(
        abroad / sum(o["sold"] - o["back"] for o in known), abs=1e-6
    )

    # Value concentration: the best tenth of known customers.
    spent: defaultdict[str, int] = defaultdict(int)
    for order in recent:
        if order["who"]:
            spent[order["who"]] += order["sold"] - order["back"]
    worth = sorted((max(0, value) for value in spent.values()), reverse=True)
    best = worth[: math.ceil(len(worth) / 10)]
    assert strands["value"]["raw"] == pytest.approx(sum(best) / sum(worth), abs=1e-6)

    # Loyalty and growth: days of each customer.
    days: defaultdict[str, set[date]] = defaultdict(set)
    for order in bought:
        if order["who"]:
            days[order["who"]].add(order["day"])
    firsts = {who: min(some) for who, some in days.items()}
    start, end = as_of - timedelta(days=455), as_of - timedelta(days=90)
    mature = [who for who, day in firsts.items() if start <= day < end]
    again = [
        who for who in mature
        if any(0 < (day - firsts[who]).days <= 90 for day in days[who])
    ]  # fmt: skip
    assert strands["loyalty"]["n"] == len(mature)
    assert strands["loyalty"]["raw"] == pytest.approx(len(again) / len(mature), abs=1e-6)
    of_people = [order for order in recent if order["who"]]
    later = sum(o["sold"] - o["back"] for o in of_people if o["day"] > firsts[o["who"]])
    net = sum(o["sold"] - o["back"] for o in of_people)
    assert strands["growth"]["raw"] == pytest.approx(later / net, abs=1e-6)

    # Cadence: the middle of all gaps between order days within the year.
    gaps = sorted(
        (b - a).days
        for some in days.values()
        for a, b in pairwise(sorted(day for day in some if day >= year))
    )
    assert strands["cadence"]["raw"] == gaps[math.ceil(len(gaps) / 2) - 1]
    assert strands["cadence"]["n"] == len(gaps)

    # Returns: orders of 30 to 395 days.
    aged = [o for o in bought if 30 <= (as_of - o["day"]).days <= 395]
    rate = sum(o["back"] for o in aged) / sum(o["sold"] for o in aged)
    assert strands["returns"]["raw"] == pytest.approx(rate, abs=1e-6)

    # Seasonality: the two biggest months of all whole ones. The shop opened two years ago, and
    # sold nothing in the first of them.
    months: defaultdict[int, int] = defaultdict(int)
    for order in bought:
        if order["day"] < as_of.replace(day=1):
            months[order["day"].month] += order["sold"] - order["back"]
    top = sorted(months.values())[-2:]
    assert strands["seasonality"]["raw"] == pytest.approx(
        6 * sum(top) / sum(months.values()), abs=1e-6
    )

    assert all(strand["score"] is not None for strand in strands.values())
    assert strands["basket"]["label"] == "Basket builders"
    assert strands["discount"]["label"] == "Full-price"
    return told.portrait
