"""The shop's three great lists: sorted, searched and counted over the compact arrays."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from brandmind.simulator.amounts import exponent
from brandmind.simulator.brand import Brand
from brandmind.simulator.catalogue import PRODUCT_BASE, PRODUCT_STEP
from brandmind.simulator.orderbook import GUEST, ORDER_BASE, ORDER_STEP
from brandmind.simulator.paging import Key, Page, page_of
from brandmind.simulator.people import CUSTOMER_BASE, CUSTOMER_STEP
from brandmind.simulator.search import Search, SearchField, parse

DEFAULT_COUNT_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Resource:
    """How one list is sorted and searched; rows are indexes into the brand."""

    rows: Callable[[], list[int]]
    node: Callable[[int], Any]
    shopify_id: Callable[[int], int]
    sort_values: dict[str, Callable[[int], Any]]
    fields: dict[str, SearchField]
    count_fields: dict[str, SearchField]
    default_sort: str


class RowKeys(Sequence[Key]):
    """The keys of sorted rows, worked out where one is looked at."""

    def __init__(
        self, rows: Sequence[int], value: Callable[[int], Any], number: Callable[[int], int]
    ) -> None:
        self._rows = rows
        self._value = value
        self._number = number

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return RowKeys(self._rows[place], self._value, self._number)
        row = self._rows[place]
        return self._value(row), self._number(row)


@dataclass(slots=True)
class _Found:
    rows: Sequence[int]
    keys: Sequence[Key]
    search: Search | None


class Listing:
    """Lists of one brand; sorted results are kept until the brand changes."""

    def __init__(self, brand: Brand) -> None:
        self._brand = brand
        self.resources = {
            "orders": _orders(brand),
            "products": _products(brand),
            "customers": _customers(brand),
        }
        self._kept: OrderedDict[tuple[Any, ...], _Found] = OrderedDict()

    def page(
        self, name: str, arguments: dict[str, Any], *, since: int = 0
    ) -> tuple[Page, Search | None]:
        """A page by GraphQL arguments, and what the search said; `since` hides older orders."""
        resource = self.resources[name]
        sort = arguments.get("sortKey") or resource.default_sort
        found = self._found(name, sort, arguments.get("query") or "", since=since)
        return page_of(found.rows, found.keys, arguments, node=resource.node), found.search

    def rows(
        self, name: str, arguments: dict[str, Any], *, since: int = 0
    ) -> tuple[Sequence[int], Search | None]:
        """All rows that a page could be cut from, in the order asked for."""
        sort = arguments.get("sortKey") or self.resources[name].default_sort
        found = self._found(name, sort, arguments.get("query") or "", since=since)
        return found.rows[::-1] if arguments.get("reverse") else found.rows, found.search

    def count(
        self, name: str, arguments: dict[str, Any], *, since: int = 0
    ) -> tuple[dict[str, Any], Search | None]:
        """Count {count precision}: exact below the limit, which null lifts."""
        resource = self.resources[name]
        query = arguments.get("query") or ""
        found = self._found(name, resource.default_sort, query, count=True, since=since)
        limit = arguments.get("limit", DEFAULT_COUNT_LIMIT)
        number = len(found.rows)
        if limit is not None and number > limit:
            return {"count": limit, "precision": "AT_LEAST"}, found.search
        return {"count": number, "precision": "EXACT"}, found.search

    def _found(
        self, name: str, sort: str, query: str, *, count: bool = False, since: int = 0
    ) -> _Found:
        key = (name, sort, query, count, since, self._brand.version, self._brand.index.version)
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
            return found
        resource = self.resources[name]
        if not query.strip():
            # Ids ascend with the rows, so a stable sort by the value alone settles the ties.
            value = resource.sort_values[sort]
            chosen = self._brand.index.seen(name, resource.rows())
            if since:
                created = self._brand.book.created
                chosen = [row for row in chosen if created[row] >= since]
            rows = array("l", sorted(chosen, key=value))
            found = _Found(rows, RowKeys(rows, value, resource.shopify_id), None)
        else:
            fields = resource.count_fields if count else resource.fields
            search = parse(query, fields, self._brand.config.timezone)
            if (keeps := search.keeps) is None:
                whole = self._found(name, sort, "", since=since)
                found = _Found(whole.rows, whole.keys, search)
            else:
                value = resource.sort_values[sort]
                candidates, sorted_by = self._candidates(name, sort, search, since)
                rows = array("l", filter(keeps, candidates))
                if sorted_by != sort:
                    # Ids break the ties, as they do in the whole list.
                    rows = array("l", sorted(sorted(rows), key=value))
                found = _Found(rows, RowKeys(rows, value, resource.shopify_id), search)
        self._kept[key] = found
        if len(self._kept) > 24:
            self._kept.popitem(last=False)
        return found

    def _candidates(
        self, name: str, sort: str, search: Search, since: int
    ) -> tuple[Sequence[int], str]:
        """Rows among which all that match are, and what they are sorted by."""
        # A window of a great list is found by halving, not by asking every row.
        values = self.resources[name].sort_values
        for field, sorted_by in _TIME_SORTS.items():
            bounds = [(kind, at * 1000) for known, kind, at in search.ranges if known == field]
            if not bounds or sorted_by not in values:
                continue
            whole = self._found(name, sorted_by, "", since=since)
            low, high = 0, len(whole.rows)
            for kind, at in bounds:
                if kind == "range_gte":
                    low = max(low, bisect_left(whole.rows, at, key=values[sorted_by]))
                else:
                    high = min(high, bisect_right(whole.rows, at, key=values[sorted_by]))
            return whole.rows[low : max(low, high)], sorted_by
        return self._found(name, sort, "", since=since).rows, sort


_TIME_SORTS = {
    "created_at": "CREATED_AT",
    "customer_date": "CREATED_AT",
    "updated_at": "UPDATED_AT",
    "processed_at": "PROCESSED_AT",
    "published_at": "PUBLISHED_AT",
}


def _orders(brand: Brand) -> Resource:
    book = brand.book
    stale = brand.index.stale["orders"]

    def number(row: int) -> int:
        return ORDER_BASE + row * ORDER_STEP

    def updated(row: int) -> int:
        return stale[row] if row in stale else book.updated[row]

    def node(field: str) -> Callable[[int], Any]:
        return lambda row: brand.order(row)[field]

    def buyer(row: int) -> int:
        at = book.customer[row]
        return 0 if at == GUEST else CUSTOMER_BASE + at * CUSTOMER_STEP

    def status(row: int) -> list[str]:
        order = brand.order(row)
        if order["cancelledAt"]:
            return ["cancelled", "any"]
        return ["closed", "any"] if order["closed"] else ["open", "any"]

    fields = {
        "id": SearchField("number", number),
        "created_at": SearchField("time", book.created.__getitem__),
        "updated_at": SearchField("time", updated),
        "processed_at": SearchField("time", book.processed.__getitem__),
        "name": SearchField("text", lambda row: [f"#{book.number(row)}", str(book.number(row))]),
        "test": SearchField("flag", lambda row: book.test[row]),
        "customer_id": SearchField("number", buyer),
        "email": SearchField("text", node("email")),
        "tag": SearchField("text", node("tags")),
        "financial_status": SearchField("text", node("displayFinancialStatus")),
        "fulfillment_status": SearchField("text", node("displayFulfillmentStatus")),
        "status": SearchField("text", status),
        "source_name": SearchField("text", node("sourceName")),
        "discount_code": SearchField("text", node("discountCodes")),
        "default": SearchField("text", node("name")),
    }
    return Resource(
        rows=brand.order_ids,
        node=brand.order,
        shopify_id=number,
        sort_values={
            "ID": lambda row: str(number(row)),
            "CREATED_AT": lambda row: book.created[row] * 1000,
            "UPDATED_AT": lambda row: updated(row) * 1000,
            "PROCESSED_AT": lambda row: book.processed[row] * 1000,
            "ORDER_NUMBER": book.number,
            "TOTAL_PRICE": lambda row: brand.order(row)["totalPriceSet"].shop,
        },
        fields=fields,
        count_fields=fields,
        default_sort="PROCESSED_AT",
    )


def _products(brand: Brand) -> Resource:
    held = brand.catalogue.products
    stale = brand.index.stale["products"]

    def updated(row: int) -> int:
        return stale[row] if row in stale else held[row].updated_at

    fields = {
        "id": SearchField("number", lambda row: held[row].shopify_id),
        "created_at": SearchField("time", lambda row: held[row].created_at),
        "updated_at": SearchField("time", updated),
        "published_at": SearchField("time", lambda row: held[row].published_at),
        "title": SearchField("text", lambda row: held[row].title),
        "handle": SearchField("text", lambda row: held[row].handle),
        "status": SearchField("text", lambda row: held[row].status),
        "vendor": SearchField("text", lambda row: held[row].vendor),
        "product_type": SearchField("text", lambda row: held[row].product_type),
        "tag": SearchField("text", lambda row: held[row].tags),
        "sku": SearchField("text", lambda row: [v.sku for v in held[row].variants if v.sku]),
        "gift_card": SearchField("flag", lambda row: held[row].is_gift_card),
        "default": SearchField("text", lambda row: held[row].title),
    }
    return Resource(
        rows=brand.product_ids,
        node=brand.product,
        shopify_id=lambda row: PRODUCT_BASE + row * PRODUCT_STEP,
        sort_values={
            "ID": lambda row: str(held[row].shopify_id),
            "CREATED_AT": lambda row: held[row].created_at * 1000,
            "UPDATED_AT": lambda row: updated(row) * 1000,
            "PUBLISHED_AT": lambda row: held[row].published_at * 1000,
            "TITLE": lambda row: held[row].title,
            "VENDOR": lambda row: held[row].vendor,
        },
        fields=fields,
        count_fields=fields,
        default_sort="ID",
    )


def _customers(brand: Brand) -> Resource:
    def number(row: int) -> int:
        return CUSTOMER_BASE + row * CUSTOMER_STEP

    stale = brand.index.stale["customers"]

    def updated(row: int) -> int:
        return stale[row] if row in stale else brand.customer_updated_at(row)

    def last_order(row: int) -> int:
        return max((brand.book.processed[at] for at in brand.book.orders_of(row)), default=0)

    def spent(row: int) -> float:
        minor = sum(map(brand.paid, brand.book.orders_of(row)))
        return float(minor / 10 ** exponent(brand.config.currency))

    def names(row: int) -> str:
        who = brand.person(row)
        return f"{who.last_name or ''}, {who.first_name or ''}"

    counted = {
        "id": SearchField("number", number),
        "updated_at": SearchField("time", updated),
        "customer_date": SearchField("time", brand.customer_created_at),
        "order_date": SearchField("time", last_order),
        "orders_count": SearchField("number", lambda row: len(brand.book.orders_of(row))),
        "total_spent": SearchField("number", spent),
        "country": SearchField("text", lambda row: brand.person(row).place.country_name),
        "tag": SearchField("text", lambda row: brand.person(row).tags),
        "default": SearchField("text", lambda row: brand.person(row).display_name),
    }
    # Recorded: the list knows these, customersCount warns of them and counts everybody.
    fields = counted | {
        "email": SearchField("text", lambda row: brand.person(row).email),
        "state": SearchField("text", lambda row: brand.person(row).state),
        "phone": SearchField("text", lambda row: brand.person(row).phone),
        "first_name": SearchField("text", lambda row: brand.person(row).first_name),
        "last_name": SearchField("text", lambda row: brand.person(row).last_name),
    }
    return Resource(
        rows=brand.customer_ids,
        node=brand.customer,
        shopify_id=number,
        sort_values={
            "ID": lambda row: str(number(row)),
            "CREATED_AT": lambda row: brand.customer_created_at(row) * 1000,
            "UPDATED_AT": lambda row: updated(row) * 1000,
            "NAME": names,
        },
        fields=fields,
        count_fields=counted,
        default_sort="ID",
    )
