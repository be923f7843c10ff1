"""How long all sums and the portrait of 500,000 order lines take, beside one plain scan of them.

A plain scan reads every line into Python, all its columns, and does nothing with it; the middle of
three counts. Seconds are
of the CPU: they say what the work costs where other work disturbs.
"""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from bench import measured
from brandmind import collector
from brandmind.db import facts, portraits, rollups
from brandmind.db.migrate import upgrade
from brandmind.db.session import Database
from brandmind.dna.rfm import CHAMPIONS
from brandmind.services import dashboard, dna, orders, people, products

LINES: Final = 500_000
SCANS_BAR: Final = 20.0
PEAK_BAR_MB: Final = 300.0
PAGE_BAR: Final = 0.15
STORE: Final = "b" * 32
AS_OF: Final = date(2026, 11, 20)
_DAYS: Final = 730
_PRODUCTS: Final = 2_000
_CUSTOMERS: Final = 60_000
_ROUNDS: Final = 100
# Everything is told in scans: a single one might have been disturbed.
_SCANS: Final = 3


_CALLED: Final = {"members": "a group of /customers, p95"}


def measure(*, lines: int = LINES, rounds: int = _ROUNDS) -> dict[str, float]:
    """Fill a database, then measure in a process of its own, whose memory is its own too.

    Each page's queries are asked `rounds` times.
    """
    with tempfile.TemporaryDirectory(prefix="bm-portrait-") as folder:
        path, log = Path(folder) / "bench.db", Path(folder) / "log"
        upgrade(f"sqlite:///{path}")
        # Not in this process: a child's peak begins at its parent's size.
        measured.run("bench.portrait", ["fill", str(path), str(lines)], log=log, environment={})
        asked = ["ask", str(path), str(rounds)]
        cost = measured.run("bench.portrait", asked, log=log, environment={})
        found: dict[str, float] = json.loads(log.read_text().splitlines()[-1])
    return {**found, "peak_mb": cost.peak_mb}


def lines(found: dict[str, float]) -> list[str]:
    """The figures as a table with their bars."""
    scan = found["scan_s"]
    whole = found["rollups_s"] + found["portrait_s"]
    said = [
        f"All sums and the portrait of {found['lines']:,.0f} order lines on SQLite",
        f"{'one plain scan of the lines':<34}{scan:>8.2f} s",
        f"{'all rollups counted anew':<34}{found['rollups_s']:>8.2f} s"
        f"{found['rollups_s'] / scan:>8.1f} scans",
        f"{'facts, portrait and tables':<34}{found['portrait_s']:>8.2f} s"
        f"{found['portrait_s'] / scan:>8.1f} scans",
        f"together: {whole / scan:.1f} scans (at most {SCANS_BAR:.0f}): bar "
        f"{'met' if whole <= SCANS_BAR * scan else 'not met'}",
        f"peak memory: {found['peak_mb']:.0f} MB (at most {PEAK_BAR_MB:.0f} MB): bar "
        f"{'met' if found['peak_mb'] <= PEAK_BAR_MB else 'not met'}",
    ]
    for name in ("command_center", "dna", "products", "orders", "customers", "members"):
        p95 = found[f"{name}_s"]
        what = _CALLED.get(name, f"queries of /{name}, p95".replace("_", "-"))
        said.append(
            f"{what:<34}{1000 * p95:>8.1f} ms"
            f"{p95 / scan:>8.3f} scans (at most {PAGE_BAR}): bar "
            f"{'met' if p95 <= PAGE_BAR * scan else 'not met'}"
        )
    return said


def fill(path: Path, *, lines: int) -> None:
    """A store of so many lines, two and a half an order, over two years."""
    dice = random.Random(1)
    connection = sqlite3.connect(path)
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    now_ms = int(now.timestamp() * 1000)

    def put(table: str, rows: Iterator[dict[str, Any]]) -> None:
        known = [
            (row[1], row[2], row[3]) for row in connection.execute(f"PRAGMA table_info({table})")
        ]

        def value(row: dict[str, Any], name: str, kind: str, needed: int) -> Any:
            if name in row:
                return row[name]
            return None if not needed else ("" if "CHAR" in kind.upper() else 0)

        connection.executemany(
            f"INSERT INTO {table} ({', '.join(name for name, *_ in known)}) "
            f"VALUES ({', '.join('?' for _ in known)})",
            ([value(row, *column) for column in known] for row in rows),
        )

    put("store", iter([{
        "store_id": STORE, "domain": "bench.myshopify.com", "name": "Bench", "currency": "USD",
        "timezone": "America/New_York", "history_done": 1, "scopes": "read_all_orders,read_orders",
        "installed_at": now_ms, "shop_created_at": now_ms - 800 * 86_400_000,
    }]))  # fmt: skip
    put("product", (
        {"store_id": STORE, "shopify_id": n, "title": f"Product {n}", "status": "ACTIVE",
         "tracks_inventory": 1, "total_inventory": 5, "created_at": now_ms - n * 28_800_000,
         "updated_at": now_ms, "published_at": now_ms - n * 28_800_000}
        for n in range(1, _PRODUCTS + 1)
    ))  # fmt: skip
    put("variant", (
        {"store_id": STORE, "shopify_id": n, "product_id": n, "price_minor": 500 + n}
        for n in range(1, _PRODUCTS + 1)
    ))  # fmt: skip
    put("customer", (
        {"store_id": STORE, "shopify_id": n, "number_of_orders": 3, "amount_spent_currency": "USD",
         "tags_json": "[]"}
        for n in range(1, _CUSTOMERS + 1)
    ))  # fmt: skip
    made = 0
    order_rows, line_rows, sale_rows = [], [], []
    while made < lines:
        gid = 10**9 + len(order_rows)
        at = now - timedelta(seconds=dice.randrange(_DAYS * 86_400))
        at_ms, day = int(at.timestamp() * 1000), (at - timedelta(hours=5)).date().isoformat()
        off = 100 if dice.random() < 0.2 else 0
        order_rows.append({
            "store_id": STORE, "shopify_id": gid, "name": f"#{gid}", "currency": "USD",
            "created_at": at_ms, "processed_at": at_ms, "updated_at": at_ms, "confirmed": 1,
            "presentment_currency": "USD", "financial_status": "PAID", "country_code": "US",
            "customer_id": dice.randrange(1, _CUSTOMERS), "day": day, "tags_json": "[]",
            "discount_codes_json": "[]",
        })  # fmt: skip
        for place in range(min(lines - made, dice.choice((1, 2, 2, 2, 3, 3, 4, 3)))):
            made += 1
            product = min(_PRODUCTS, int(dice.paretovariate(0.6)))
            back = dice.random() < 0.04
            shared = {"store_id": STORE, "order_id": gid, "product_id": product}
            line_rows.append({
                **shared, "shopify_id": 10**10 + made, "position": place, "variant_id": product,
                "title": f"Product {product}", "quantity": 1, "current_quantity": 1,
                "unit_price_minor": 1_000, "original_total_minor": 1_000,
                "discounted_total_minor": 1_000 - off,
            })  # fmt: skip
            sale = {
                **shared, "line_id": 10**10 + made, "agreement_id": gid, "happened_at": at_ms,
                "kind": "PRODUCT", "day": day, "counted": 1,
            }  # fmt: skip
            sale_rows.append({
                **sale, "shopify_id": 10**11 + 2 * made, "action": "ORDER", "placed": 1,
                "quantity": 1, "gross_minor": 1_000, "discounts_minor": -off,
                "net_minor": 1_000 - off, "total_minor": 1_000 - off,
            })  # fmt: skip
            if back:
                sale_rows.append({
                    **sale, "shopify_id": 10**11 + 2 * made + 1, "action": "RETURN", "placed": 0,
                    "quantity": -1, "returns_minor": off - 1_000, "net_minor": off - 1_000,
                    "total_minor": off - 1_000,
                })  # fmt: skip
    put("shop_order", iter(order_rows))
    put("order_line", iter(line_rows))
    put("order_sale", iter(sale_rows))
    connection.execute(
        "INSERT INTO dirty_day (store_id, day) SELECT DISTINCT store_id, day FROM order_sale"
    )
    connection.commit()
    connection.close()


def _child(path: str, rounds: int) -> dict[str, float]:
    # As every process of the product does.
    collector.calm()
    connection = sqlite3.connect(path)
    scans = []
    for _ in range(_SCANS):
        began_s = time.process_time()
        count = sum(1 for _ in connection.execute("SELECT * FROM order_line"))
        scans.append(time.process_time() - began_s)
    scan_s = statistics.median(scans)
    connection.close()
    db = Database(f"sqlite:///{path}")
    began_s = time.process_time()
    while db.write_now(rollups.recount_dirty, STORE):
        pass
    rollups_s = time.process_time() - began_s
    began_s = time.process_time()
    made = dna.made(db.read_now(facts.load, STORE, as_of=AS_OF), {})
    db.write_now(portraits.keep, STORE, made, run_id="bench")
    portrait_s = time.process_time() - began_s
    rt: Any = SimpleNamespace(db=db)
    first = AS_OF - timedelta(days=27)
    asked: dict[str, Callable[[], Awaitable[Any]]] = {
        "command_center": lambda: dashboard.command_center(
            rt, STORE, date_from=first, date_to=AS_OF
        ),
        "dna": lambda: dna.store_dna(rt, STORE),
        "products": lambda: products.products(rt, STORE, date_from=first, date_to=AS_OF),
        "orders": lambda: orders.reconciliation(rt, STORE, date_from=first, date_to=AS_OF),
        "customers": lambda: _segments(rt),
        "members": lambda: _members(rt),
    }
    pages = asyncio.run(_pages(asked, rounds))
    db.close()
    return {
        "lines": count, "scan_s": scan_s, "rollups_s": rollups_s, "portrait_s": portrait_s, **pages,
    }  # fmt: skip


async def _segments(rt: Any) -> None:
    # What the page's first tab asks with no group open.
    assert await dna.store_dna(rt, STORE) is not None


async def _members(rt: Any) -> None:
    # The first page of a group after a new portrait; what is kept for later ones is let go of.
    people._kept.clear()
    assert await people.group(rt, STORE, group=CHAMPIONS) is not None


async def _pages(asked: dict[str, Callable[[], Awaitable[Any]]], rounds: int) -> dict[str, float]:
    found = {}
    for name, ask in asked.items():
        took = []
        for _ in range(rounds):
            began_s = time.process_time()
            await ask()
            took.append(time.process_time() - began_s)
        found[f"{name}_s"] = sorted(took)[-(-95 * len(took) // 100) - 1]
    return found


if __name__ == "__main__":
    act, path_, number = sys.argv[1:]
    if act == "fill":
        fill(Path(path_), lines=int(number))
    else:
        print(json.dumps(_child(path_, int(number))))
