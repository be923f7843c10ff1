"""What an order costs to store as its store grows: made records, no HTTP, the product's own engine
and ledger.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from brandmind.commerce.records import LineRecord, OrderRecord, Record, RefundRecord, SaleRecord
from brandmind.commerce.shop import ShopFacts
from brandmind.db import runs
from brandmind.db.ledger import SqlLedger
from brandmind.db.migrate import upgrade
from brandmind.db.session import Database
from brandmind.db.tables import STORE
from brandmind.sync.engine import Engine, Outcome
from brandmind.sync.ports import Found, Page, Total, Window
from brandmind.sync.stages import Kind, Priority, Stage

GROWTH_BAR: Final = 1.25
_PARTS: Final = 10
_STORE: Final = "a11ce00000"
_NOW: Final = datetime(2026, 11, 1, tzinfo=UTC)
_DAYS: Final = 3 * 365
_PAGE: Final = 240


class MadeShop:
    """Orders that are reckoned from their number: two lines each, a return for every twelfth."""

    def __init__(self, orders: int, *, take_read_no: Any) -> None:
        self.orders = orders
        self._step = timedelta(days=_DAYS) / orders
        self._take_read_no = take_read_no
        # Orders landed, seconds on the clock and of CPU at each page.
        self.marks: list[tuple[int, float, float]] = []
        self._made = 0

    async def shop(self) -> ShopFacts:
        return ShopFacts(
            shopify_id=7, domain="made.myshopify.com", name="Made", currency="USD",
            timezone="America/New_York", country_code="US", plan="Basic", taxes_included=False,
            created_at=_NOW - timedelta(days=_DAYS + 30), answered_at=_NOW,
            scopes=frozenset({"read_orders", "read_all_orders", "read_products"}),
        )  # fmt: skip

    async def count(self, stage: Stage, window: Window) -> Total:
        first, last = self._span(stage, window)
        return Total(max(0, last - first))

    async def counts(self, asked: Sequence[tuple[Stage, Window]]) -> list[Total]:
        return [await self.count(stage, window) for stage, window in asked]

    async def ids(self, stage: Stage, window: Window) -> AsyncIterator[tuple[int, ...]]:
        first, last = self._span(stage, window)
        for at in range(first, last, 250):
            yield tuple(_order_id(n) for n in range(at, min(at + 250, last)))

    async def by_ids(self, stage: Stage, shopify_ids: list[int]) -> Found:
        return Found((), tuple(shopify_ids), (), ())

    async def pages(
        self, stage: Stage, window: Window, *, after: str | None
    ) -> AsyncIterator[Page]:
        first, last = self._span(stage, window)
        at = int(after) if after else last
        while True:
            read_no = await self._take_read_no()
            down = max(first, at - _PAGE)
            records: tuple[Record, ...] = tuple(self._order(n) for n in reversed(range(down, at)))
            at = down
            self.marks.append((self._made, time.perf_counter(), time.process_time()))
            self._made += len(records)
            yield Page(stage, records, str(at) if at > first else None, read_no)
            if at <= first:
                return

    def _span(self, stage: Stage, window: Window) -> tuple[int, int]:
        """The orders of a window, as numbers from and up to."""
        if stage.resource != "orders" or window.updated_from is not None:
            return 0, 0
        first, last = 0, self.orders
        if window.created_from is not None:
            first = max(0, -((self._at(0) - window.created_from) // self._step))
        if window.created_before is not None:
            last = min(self.orders, (window.created_before - self._at(0)) // self._step + 1)
        return max(0, first), max(0, last)

    def _at(self, n: int) -> datetime:
        return (_NOW - timedelta(days=_DAYS) + self._step * (n + 0.5)).replace(microsecond=0)

    def _order(self, n: int) -> OrderRecord:
        order, at = _order_id(n), self._at(n)
        cents, customer, product = (
            2_000 + n * 37 % 9_000,
            n * 7919 % max(self.orders // 3, 1),
            n % 997,
        )
        lines = tuple(
            LineRecord(
                order + 1 + position, order, position, 1_000 + product + position,
                9_000 + product, "A beanie of merino wool", "Red / M", f"SKU-{product}", "Harbor",
                1, 1, False, cents, cents, cents, 0, cents // 12,
            )
            for position in (0, 1)
        )  # fmt: skip
        sales = [
            SaleRecord(
                order + 3 + position, order, order + 9, at, "ORDER", "PRODUCT", True,
                order + 1 + position, 1_000 + product + position, 1, cents + cents // 12,
                cents // 12, cents, 0, 0, cents,
            )
            for position in (0, 1)
        ]  # fmt: skip
        sales.append(
            SaleRecord(
                order + 5, order, order + 9, at, "ORDER", "SHIPPING", True, None, None, 1, 500, 0,
                500, 0, 0, 500,
            )
        )  # fmt: skip
        refunds: tuple[RefundRecord, ...] = ()
        if n % 12 == 0:
            back = min(at + timedelta(days=n % 23), _NOW)
            sales.append(
                SaleRecord(
                    order + 6, order, order + 8, back, "RETURN", "PRODUCT", False, order + 1,
                    1_000 + product, -1, -cents - cents // 12, -(cents // 12), 0, 0, -cents, -cents,
                )
            )  # fmt: skip
            refunds = (RefundRecord(order + 7, order, back, back, back, cents, 1, 1),)
        total = 2 * (cents + cents // 12) + 500
        return OrderRecord(
            order, f"#{n}", n, at, at, at, None, None, at, False, True, "USD", "USD", "PAID",
            "FULFILLED", None, "web", "[]", "[]", customer, "US", "NY", "Albany", False, total,
            total, total, total, total, 0, 2 * (cents // 12), 500, 0, total, 0, total, lines,
            tuple(sales), refunds,
        )  # fmt: skip


def _order_id(n: int) -> int:
    return 5_000_000_000_000 + n * 32_768


class _Silent:
    def changed(self) -> None:
        return None


async def store(folder: Path, orders: int) -> MadeShop:
    """Store a made shop of so many orders: its recent ones, then its history."""
    url = f"sqlite:///{folder / 'growth.db'}"
    upgrade(url)
    db = Database(url)
    try:
        await db.write(_insert_store)
        shop = MadeShop(orders, take_read_no=lambda: SqlLedger(db, claim).take_read_no())
        await db.write(_insert_run)
        # The second is the run of older orders, which the end of the first one asks for.
        for _ in range(2):
            claim = await db.write(runs.claim_next, owner="bench", oldest_first=False)
            assert claim is not None
            ledger = SqlLedger(db, claim)
            shop._take_read_no = ledger.take_read_no
            done = await Engine(source=shop, ledger=ledger, announcer=_Silent(), slice_s=1e9).run()
            assert done is Outcome.DONE
            await db.write(runs.finish, claim)
        shop.marks.append((shop._made, time.perf_counter(), time.process_time()))
        return shop
    finally:
        db.close()


def _insert_store(session: Any) -> None:
    session.execute(
        sa.insert(STORE).values(
            store_id=_STORE, domain="made.myshopify.com", name="Made", timezone="UTC", plan="",
            taxes_included=False, scopes="read_orders,read_all_orders", epoch=1, read_no=0,
            history_done=False, installed_at=_NOW,
        )
    )  # fmt: skip


def _insert_run(session: Any) -> str:
    return runs.insert_run(
        session, _STORE, kind=Kind.FULL, priority=Priority.FIRST, reason="connected", epoch=1
    )


def measure(orders: int = 200_000) -> list[tuple[int, float]]:
    """CPU seconds per 10,000 orders, tenth by tenth of the store's growth."""
    with tempfile.TemporaryDirectory(prefix="brandmind-bench-") as made:
        marks = asyncio.run(store(Path(made), orders)).marks
    found = []
    since = marks[0]
    for mark in marks:
        landed, _, cpu_s = mark
        if landed - since[0] >= orders / _PARTS or mark is marks[-1]:
            if landed > since[0]:
                found.append((landed, (cpu_s - since[2]) / (landed - since[0]) * 10_000))
            since = mark
    return found


def lines(found: list[tuple[int, float]]) -> list[str]:
    """What was found, as lines with its bar."""
    first, last = found[0][1], found[-1][1]
    return [
        "CPU seconds for 10,000 orders as their store grows, without HTTP",
        "  " + "  ".join(f"{landed:,}: {seconds:.2f}" for landed, seconds in found),
        f"  the last tenth over the first: {last / first:.2f} (at most {GROWTH_BAR}: bar "
        f"{'met' if last <= GROWTH_BAR * first else 'not met'})",
    ]
