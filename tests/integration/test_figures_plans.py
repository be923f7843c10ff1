"""SQLite goes to a few orders' rows by their own index, in a database that is still empty."""

from __future__ import annotations

import sqlite3
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from brandmind.db import explained
from brandmind.db.figures import Span
from brandmind.db.models import METADATA
from brandmind.db.session import Database


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (
            "SELECT DISTINCT day FROM order_sale WHERE store_id = 's' AND order_id IN (1, 2, 3)",
            "order_sale_order",
        ),
        (
            "SELECT sum(returns_minor) FROM shop_order AS o LEFT JOIN order_sale AS s ON "
            "s.store_id = 's' AND s.order_id = o.shopify_id "
            "WHERE o.store_id = 's' AND o.day IN ('2026-10-01', '2026-10-02')",
            "order_sale_order",
        ),
        (
            "SELECT count(*) FROM shop_order WHERE store_id = 's' AND day >= '2026-10-01' "
            "AND test = 0 GROUP BY day",
            "COVERING INDEX shop_order_day",
        ),
        (
            "SELECT min(day) FROM shop_order WHERE store_id = 's' AND customer_id IN (1, 2) "
            "AND test = 0 GROUP BY customer_id",
            "COVERING INDEX shop_order_customer",
        ),
    ],
)
def test_rows_of_a_few_are_found_without_reading_the_store(
    sqlite_url: str, query: str, index: str
) -> None:
    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as connection:
        plan = " ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}"))
    connection.close()
    assert index in plan


def test_what_may_surprise_in_a_total_is_found_without_reading_the_orders(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    plans: list[str] = []

    def explain(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if not statement.startswith("SELECT"):
            return
        rows = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
        plans.append(" ".join(row[3] for row in rows))

    sa.event.listen(sa.Engine, "before_cursor_execute", explain)
    try:
        span = Span(date(2026, 10, 1), date(2026, 10, 28))
        database.read_now(explained.explained, "s", currency="USD", span=span)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", explain)
        database.close()
    assert [plan.count("shop_order_odd") for plan in plans] == [1, 0, 1]
    assert "order_sale_card" in plans[1]


def test_every_shape_that_sqlite_was_told_is_of_a_table_and_index_that_exist(
    sqlite_url: str,
) -> None:
    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as connection:
        told = connection.execute("SELECT tbl, idx, stat FROM sqlite_stat1").fetchall()
    connection.close()
    assert told
    for table, index, shape in told:
        known = {table: METADATA.tables[table].primary_key.columns} | {
            str(one.name): one.columns for one in METADATA.tables[table].indexes
        }
        assert index in known
        # The number of rows, then one for each column at most (the key follows in an index).
        assert 2 <= len(shape.split()) <= 2 + len(known[index])
