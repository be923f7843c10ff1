"""Records into rows: whole, once, and never back in time.

The caller holds the store's row lock, so nobody else writes this store's rows meanwhile; what is
read here about the stored versions is therefore still true when the new ones are written.
Rows go to the driver as tuples: SQLAlchemy's types would cost as much as the writing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cache
from itertools import chain
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.commerce.records import (
    CustomerRecord,
    LineRecord,
    OrderRecord,
    ProductRecord,
    Record,
    RefundRecord,
    SaleRecord,
    VariantRecord,
)
from brandmind.commerce.shop import local_day
from brandmind.db import tables
from brandmind.db.types import from_ms, to_ms
from brandmind.sync.stages import PAGED, Stage

Row = tuple[Any, ...]

# Where a row to be written holds its number, behind its store.
_ID: Final = 1
# Rows in one statement of SQLite's. Each step of a statement takes Python's lock anew, and waits
# for it while another thread computes: row by row, a page lands only once nobody reads the next.
_AT_ONCE: Final = (256, 128, 64, 32, 16, 8, 4, 2, 1)
# What the last rows lack of a statement of that size is filled up with the last of them, written
# again, where that is at most so large a part: one statement more would cost more.
_FILLED: Final = 0.25


class Landed(NamedTuple):
    """What a page did: how many of its ids are new to the run, how many versions were newer."""

    counted: int
    accepted: int


class _Resource(NamedTuple):
    name: str
    table: sa.Table


_TABLES: dict[str, sa.Table] = {
    "products": tables.PRODUCT,
    "orders": tables.ORDER,
    "customers": tables.CUSTOMER,
}
_RESOURCES: dict[Stage, _Resource] = {
    stage: _Resource(stage.resource, _TABLES[stage.resource]) for stage in PAGED
}

# Tombstones of this resource stand for what was personal in an order, not for the order.
PEOPLE_OF_ORDERS: Final = "orders.person"
IMPERSONAL: Final[dict[str, Any]] = {
    "customer_id": None,
    "country_code": None,
    "province_code": None,
    "city": None,
    "tags_json": "[]",
}

_PRODUCT_WIDTH = ProductRecord._fields.index("variants")
_ORDER_WIDTH = OrderRecord._fields.index("lines")
_SALE_AT = SaleRecord._fields.index("happened_at")


def table_of(stage: Stage) -> sa.Table:
    """The table a paged stage fills."""
    return _RESOURCES[stage].table


def land(
    session: Session,
    store_id: str,
    *,
    stage: Stage,
    records: Sequence[Record],
    read_no: int,
    first_read_no: int,
    tz: ZoneInfo,
) -> Landed:
    """Write one page of records of a stage.

    `read_no` numbers the request that brought them, `first_read_no` the first of the run: an id
    stored with a number at or above it was already counted. A record is written if its
    (updated_at, read_no) is newer than the stored one's and no tombstone holds its id; children
    are replaced only with their parent.
    """
    if not records:
        return Landed(0, 0)
    resource = _RESOURCES[stage]
    newest: dict[int, Record] = {}
    for record in records:
        known = newest.get(record.shopify_id)
        if known is None or record.updated_at >= known.updated_at:
            newest[record.shopify_id] = record
    ids = sorted(newest)
    buried = _buried(session, store_id, ids, resource.name)
    stored = {
        row[0]: (_moment(row[1]), row[2])
        for row in _rows_by_id(session, resource.table, "updated_at, read_no", store_id, ids)
    }
    counted = sum(1 for i in ids if i not in stored or stored[i][1] < first_read_no)
    accepted = [
        newest[i]
        for i in ids
        if i not in buried and (i not in stored or (newest[i].updated_at, read_no) > stored[i])
    ]
    if accepted:
        replaced = [record.shopify_id for record in accepted if record.shopify_id in stored]
        _WRITERS[resource.name](session, store_id, accepted, replaced, read_no, tz)
    return Landed(counted, len(accepted))


def _write_products(
    session: Session,
    store_id: str,
    products: Sequence[ProductRecord],
    replaced: Sequence[int],
    read_no: int,
    _tz: ZoneInfo,
) -> None:
    _put(
        session,
        tables.PRODUCT,
        (*ProductRecord._fields[:_PRODUCT_WIDTH], "read_no"),
        [(store_id, *p[:_PRODUCT_WIDTH], read_no) for p in products],
    )
    _drop_children(session, tables.VARIANT, "product_id", store_id, replaced)
    _put(
        session,
        tables.VARIANT,
        VariantRecord._fields,
        [(store_id, *variant) for p in products for variant in p.variants],
    )


def _write_orders(
    session: Session,
    store_id: str,
    orders: Sequence[OrderRecord],
    replaced: Sequence[int],
    read_no: int,
    tz: ZoneInfo,
) -> None:
    orders = _without_redacted_people(session, store_id, orders)
    dirty = days_of(session, store_id, replaced)
    as_bound = to_ms if _dialect(session) == "sqlite" else _as_it_is
    order_rows: list[Row] = []
    sale_rows: list[Row] = []
    for order in orders:
        day = local_day(order.processed_at, tz)
        dirty.add(day)
        order_rows.append((store_id, *order[:_ORDER_WIDTH], day, read_no))
        placed_at = order.processed_at
        placed = as_bound(placed_at)
        for sale in order.sales:
            at = sale.happened_at
            counted = not order.test and sale.kind != "GIFT_CARD"
            if at == placed_at:
                # Nearly every sale is of the order's own moment: all of it is known already.
                sale_day, bound = day, placed
            else:
                sale_day, bound = local_day(at, tz), as_bound(at)
                dirty.add(sale_day)
            sale_rows.append(
                (store_id, *sale[:_SALE_AT], bound, *sale[_SALE_AT + 1 :], sale_day, counted)
            )
    _put(
        session,
        tables.ORDER,
        (*OrderRecord._fields[:_ORDER_WIDTH], "day", "read_no"),
        order_rows,
    )
    for table in (tables.LINE, tables.SALE, tables.REFUND):
        _drop_children(session, table, "order_id", store_id, replaced)
    _put(
        session,
        tables.LINE,
        LineRecord._fields,
        [(store_id, *line) for order in orders for line in order.lines],
    )
    _put(session, tables.SALE, (*SaleRecord._fields, "day", "counted"), sale_rows)
    _put(
        session,
        tables.REFUND,
        RefundRecord._fields,
        [(store_id, *refund) for order in orders for refund in order.refunds],
    )
    mark_dirty(session, store_id, dirty)


def _without_redacted_people(
    session: Session, store_id: str, orders: Sequence[OrderRecord]
) -> Sequence[OrderRecord]:
    """The orders as they may be kept: nothing personal of people whom the law had us forget."""
    marked = _buried(session, store_id, [one.shopify_id for one in orders], PEOPLE_OF_ORDERS)
    people = sorted({one.customer_id for one in orders if one.customer_id is not None})
    forgotten = _redacted(session, store_id, people) if people else set()
    if not marked and not forgotten:
        return orders
    return [
        one._replace(**IMPERSONAL)
        if one.shopify_id in marked or one.customer_id in forgotten
        else one
        for one in orders
    ]


def _write_customers(
    session: Session,
    store_id: str,
    customers: Sequence[CustomerRecord],
    _replaced: Sequence[int],
    read_no: int,
    _tz: ZoneInfo,
) -> None:
    _put(
        session,
        tables.CUSTOMER,
        (*CustomerRecord._fields, "read_no"),
        [(store_id, *customer, read_no) for customer in customers],
    )


_WRITERS: dict[str, Callable[..., None]] = {
    "products": _write_products,
    "orders": _write_orders,
    "customers": _write_customers,
}


def mark_dirty(session: Session, store_id: str, days: Iterable[str]) -> None:
    """Note that the rollups of these shop-local days are older than their rows."""
    rows = [(store_id, day) for day in sorted(days)]
    if rows:
        _many(
            session,
            f"INSERT INTO dirty_day (store_id, day) VALUES ({_marks(session, 2)}) "  # noqa: S608
            "ON CONFLICT DO NOTHING",
            rows,
        )


def days_of(session: Session, store_id: str, order_ids: Sequence[int]) -> set[str]:
    """The days that the stored version of these orders counts in."""
    days: set[str] = set()
    for table, key in ((tables.ORDER, "shopify_id"), (tables.SALE, "order_id")):
        if order_ids:
            days.update(
                row[0] for row in _select(session, table, "DISTINCT day", key, store_id, order_ids)
            )
    return days


def _put(session: Session, table: sa.Table, fields: tuple[str, ...], rows: list[Row]) -> None:
    if not rows:
        return
    if _dialect(session) != "sqlite":
        _many(session, _upsert_sql(table.name, fields, _dialect(session)), rows)
        return
    # The last of a number that came twice, as row by row would leave it.
    rest = list({row[_ID]: row for row in rows}.values())
    connection = session.connection()
    at = 0
    while at < len(rest):
        size = _size(len(rest) - at)
        some = rest[at : at + size]
        some += some[-1:] * (size - len(some))
        statement = _upsert_sql(table.name, fields, "sqlite", size)
        connection.exec_driver_sql(statement, tuple(chain.from_iterable(some)))
        at += size


def _size(rows: int) -> int:
    """Of how many rows the next statement is, when so many are left to be written."""
    enough = min((size for size in _AT_ONCE if size >= rows), default=_AT_ONCE[0])
    if enough - rows <= enough * _FILLED:
        return enough
    return next(size for size in _AT_ONCE if size <= rows)


@cache
def _upsert_sql(table: str, fields: tuple[str, ...], dialect: str, rows: int = 1) -> str:
    columns = ("store_id", *fields)
    assert columns[_ID] == "shopify_id"
    mark = "?" if dialect == "sqlite" else "%s"
    row = f"({', '.join([mark] * len(columns))})"
    changes = ", ".join(f"{f} = excluded.{f}" for f in fields if f != "shopify_id")
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) "  # noqa: S608 - names from our own tables
        f"VALUES {', '.join([row] * rows)} "
        f"ON CONFLICT (store_id, shopify_id) DO UPDATE SET {changes}"
    )


def _drop_children(
    session: Session, table: sa.Table, parent: str, store_id: str, parents: Sequence[int]
) -> None:
    if parents:
        session.connection().exec_driver_sql(
            f"DELETE FROM {table.name} WHERE store_id = {_mark(session)} "  # noqa: S608
            f"AND {parent} IN ({_marks(session, len(parents))})",
            (store_id, *parents),
        )


def _select(
    session: Session,
    table: sa.Table,
    what: str,
    key: str,
    store_id: str,
    ids: Sequence[int],
) -> Sequence[Any]:
    return (
        session.connection()
        .exec_driver_sql(
            f"SELECT {what} FROM {table.name} WHERE store_id = {_mark(session)} "  # noqa: S608
            f"AND {key} IN ({_marks(session, len(ids))})",
            (store_id, *ids),
        )
        .fetchall()
    )


def _rows_by_id(
    session: Session, table: sa.Table, what: str, store_id: str, ids: Sequence[int]
) -> Sequence[Any]:
    return _select(session, table, f"shopify_id, {what}", "shopify_id", store_id, ids)


def _buried(session: Session, store_id: str, ids: Sequence[int], resource: str) -> set[int]:
    found = session.connection().exec_driver_sql(
        f"SELECT shopify_id FROM tombstone WHERE store_id = {_mark(session)} "  # noqa: S608
        f"AND resource = {_mark(session)} AND shopify_id IN ({_marks(session, len(ids))})",
        (store_id, resource, *ids),
    )
    return {row[0] for row in found}


def _redacted(session: Session, store_id: str, customer_ids: Sequence[int]) -> set[int]:
    found = session.connection().exec_driver_sql(
        f"SELECT shopify_id FROM tombstone WHERE store_id = {_mark(session)} "  # noqa: S608
        "AND resource = 'customers' AND reason = 'redacted' "
        f"AND shopify_id IN ({_marks(session, len(customer_ids))})",
        (store_id, *customer_ids),
    )
    return {row[0] for row in found}


def _as_it_is(at: datetime) -> Any:
    return at


def _moment(value: Any) -> datetime:
    # The driver's own value: SQLite holds milliseconds, PostgreSQL a moment.
    return from_ms(value) if isinstance(value, int) else value


def _many(session: Session, sql: str, rows: list[Row]) -> None:
    session.connection().exec_driver_sql(sql, rows)


def _dialect(session: Session) -> str:
    return session.get_bind().dialect.name


def _mark(session: Session) -> str:
    return "?" if _dialect(session) == "sqlite" else "%s"


def _marks(session: Session, count: int) -> str:
    return ", ".join([_mark(session)] * count)
