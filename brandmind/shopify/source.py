"""A Shopify store as the engine reads it: counts, and pages of whole records."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from brandmind.commerce.records import Record
from brandmind.commerce.shop import ShopFacts
from brandmind.errors import AccessRefused, BadAnswer, QueryTooCostly, ShopifyUnavailable
from brandmind.shopify import documents, nested, parse, wire
from brandmind.shopify.answers import PROTECTED_DATA
from brandmind.shopify.client import Decode, ShopifyClient, Usage
from brandmind.sync.forecast import Effort, PagePrice
from brandmind.sync.pacing import Bucket
from brandmind.sync.ports import Found, Page, Reject, Total, Window
from brandmind.sync.stages import PAGED, Stage

TakeReadNo = Callable[[], Awaitable[int]]

# How many lines (and sales) of an order come with it, one step after the other as a shop's orders
# prove longer. By the cost model a page of 240 orders costs 592, 772 and 932 points with these.
_LINES: Final = (20, 54, 100)
_ID_PAGE: Final = 250
# A count costs ten points whatever it counts, and no query may cost more than a thousand.
_COUNTS: Final = 80
# What a full page of our own documents takes, until a reading has found its own.
_EFFORT: Final = {
    "products": Effort(145, 1.3, 0.5),
    "orders": Effort(210, 1.1, 0.8),
    "customers": Effort(50, 1.0, 0.3),
}
# A page of fewer records says little: its fixed costs are the larger part.
_TELLING: Final = 100
# What a page shrinks to when the shop fails on a larger one.
_MODEST: Final = 50
# Turns of the event loop in which a request that is not held up has left.
_TURNS: Final = 20


@dataclass(frozen=True, slots=True)
class PageSizes:
    """Records a page: few on the first one, so that the first numbers come at once.

    The cost of a connection steps at 245 records, so 240 are as dear as 149.
    """

    first: int = 25
    orders: int = 240
    products: int = 240
    customers: int = 250


@dataclass(frozen=True, slots=True)
class _Resource:
    root: str
    gid: str
    ids: str
    created: str
    by_id: int
    decode: Decode | None = None


_ORDERS = _Resource("orders", "Order", "order_ids", "created_at", 15, wire.orders)
_BY_NAME: Final = {
    "products": _Resource("products", "Product", "product_ids", "created_at", 30),
    "orders": _ORDERS,
    "customers": _Resource("customers", "Customer", "customer_ids", "customer_date", 100),
}
_RESOURCES: Final = {stage: _BY_NAME[stage.resource] for stage in PAGED}


class _Ahead:
    """The page that is under way, and the one before it while somebody waits for that."""

    def __init__(self) -> None:
        self.upcoming: asyncio.Task[Page] | None = None
        self._awaited: asyncio.Task[Page] | None = None

    async def page(self) -> Page:
        """The page that is under way; another one may be so when it is there."""
        assert self.upcoming is not None
        self._awaited, self.upcoming = self.upcoming, None
        try:
            return await self._awaited
        finally:
            self._awaited = None

    @property
    def is_mine(self) -> bool:
        """Whether it is the calling task's page that somebody waits for."""
        return self._awaited is asyncio.current_task()

    async def give_up(self) -> None:
        """Whatever the pages nobody will see come to, it is not the caller's trouble."""
        if self.upcoming is not None:
            self.upcoming.cancel()
            await asyncio.gather(self.upcoming, return_exceptions=True)


class ShopifySource:
    """Implements `sync.ports.Source`. Errors are `errors.ShopifyError`s.

    `currency` is the shop's; where it is not given, it is asked of the shop when first needed.
    `take_read_no` is awaited before each request of a page and goes into `Page.read_no`.
    """

    def __init__(
        self,
        client: ShopifyClient,
        *,
        currency: str | None = None,
        sizes: PageSizes | None = None,
        take_read_no: TakeReadNo | None = None,
    ) -> None:
        self._client = client
        self._currency = currency
        self._sizes = sizes or PageSizes()
        self._take_read_no = take_read_no
        # What the shop's query cost limit has taught us, per root.
        self._limits: dict[str, int] = {}
        self._lines = 0
        self._effort = dict(_EFFORT)

    @property
    def waiting_s(self) -> float:
        """Seconds the source still waits for the shop's rate budget; 0 while it does not."""
        return self._client.waiting_s

    @property
    def limit(self) -> Bucket | None:
        """The shop's rate budget while it holds the reading back, else None."""
        return self._client.limit

    @property
    def spent(self) -> Effort:
        """What reading has taken so far."""
        usage = self._client.usage
        return Effort(usage.points, usage.requests, usage.seconds)

    def page_price(self, stage: Stage) -> PagePrice:
        """What a page of a stage takes of the shop's rate budget."""
        return PagePrice(self._effort[_RESOURCES[stage].root], self._size(stage))

    @property
    def usage(self) -> Usage:
        """What reading has asked of the shop so far."""
        return self._client.usage

    async def shop(self) -> ShopFacts:
        answer = await self._client.query("shop")
        if answer.date is None:
            raise BadAnswer("The shop does not tell its time.", request_id=answer.request_id)
        facts = parse.parse_shop(answer.data, answered_at=answer.date)
        self._currency = facts.currency
        return facts

    async def count(self, stage: Stage, window: Window) -> Total:
        resource = _RESOURCES[stage]
        name = f"{resource.root}_count"
        answer = await self._client.query(name, {"query": search(stage, window)})
        return await self._exactly(
            stage, window, answer.data.get(f"{resource.root}Count"), answer.request_id
        )

    async def counts(self, asked: Sequence[tuple[Stage, Window]]) -> list[Total]:
        """How many records each of these windows holds; up to 80 are counted by one request.

        Raises AccessRefused if one of them may not be counted.
        """
        totals: list[Total] = []
        at_once = _COUNTS
        while len(totals) < len(asked):
            batch = asked[len(totals) : len(totals) + at_once]
            name = documents.counting([_RESOURCES[stage].root for stage, _ in batch])
            searches = {f"q{n}": search(*one) for n, one in enumerate(batch)}
            try:
                answer = await self._client.query(name, searches)
            except QueryTooCostly:
                if at_once == 1:
                    raise
                at_once //= 2
                continue
            for n, (stage, window) in enumerate(batch):
                told = answer.data.get(f"c{n}")
                totals.append(await self._exactly(stage, window, told, answer.request_id))
        return totals

    async def _exactly(
        self, stage: Stage, window: Window, told: Any, request_id: str | None
    ) -> Total:
        """The count that was told; asked again in halves where the shop said "at least"."""
        if not told:
            raise BadAnswer("The shop does not count.", request_id=request_id)
        if told.get("precision") == "EXACT":
            return Total(int(told["count"]))
        halves = _halves(window)
        if halves is None:
            return Total(int(told["count"]), exact=False)
        older, newer = [await self.count(stage, half) for half in halves]
        return Total(older.count + newer.count, exact=older.exact and newer.exact)

    async def pages(
        self, stage: Stage, window: Window, *, after: str | None
    ) -> AsyncIterator[Page]:
        """The pages after a cursor; the next is under way while the caller lands this one.

        Where the caller waits already, it is under way even before this one's records are made.
        """
        size = self._size(stage) if after else min(self._sizes.first, self._size(stage))
        ahead = _Ahead()
        try:
            await self._ask(ahead, stage, window, after or None, size)
            while True:
                page = await ahead.page()
                if page.next_cursor is not None and ahead.upcoming is None:
                    # Numbered here: in its task it would wait for the write of the page before it,
                    # and the shop's answer would not be under way meanwhile.
                    await self._ask(ahead, stage, window, page.next_cursor, self._size(stage))
                yield page
                if page.next_cursor is None:
                    return
        finally:
            await ahead.give_up()

    async def ids(self, stage: Stage, window: Window) -> AsyncIterator[tuple[int, ...]]:
        """The numbers of all records of a window, 250 at a time: to compare, not to land."""
        resource = _RESOURCES[stage]
        asked = _listing(stage, window) | {"first": _ID_PAGE, "after": None}
        while True:
            connection = await self._connection(resource.ids, resource.root, asked)
            yield tuple(parse.number_of(node["id"]) for node in connection["nodes"])
            cursor = nested.next_cursor(connection, after=asked["after"])
            if cursor is None:
                return
            asked["after"] = cursor

    async def by_ids(self, stage: Stage, shopify_ids: list[int]) -> Found:
        """The records of these numbers, whole, as they are now.

        Raises AccessRefused if the shop hides one, so that hidden is never taken for deleted.
        """
        resource = _RESOURCES[stage]
        records: list[Record] = []
        missing: list[int] = []
        rejects: list[Reject] = []
        restricted: set[str] = set()
        rest, at_once = list(dict.fromkeys(shopify_ids)), resource.by_id
        while rest:
            batch = rest[:at_once]
            asked: dict[str, Any] = {"ids": [parse.gid(resource.gid, one) for one in batch]}
            if resource is _ORDERS:
                asked["lines"] = _LINES[0]
            try:
                answer = await self._client.query(f"{resource.root}_by_id", asked)
            except QueryTooCostly:
                if at_once == 1:
                    raise
                at_once //= 2
                continue
            rest = rest[at_once:]
            if "nodes" in answer.restricted:
                raise AccessRefused(PROTECTED_DATA, request_id=answer.request_id)
            found = answer.data["nodes"]
            missing += [one for one, node in zip(batch, found, strict=True) if not node]
            whole = await self._whole(resource, [node for node in found if node])
            read, refused = await self._read(resource, whole)
            records += read
            rejects += refused
            restricted.update(answer.restricted)
        return Found(tuple(records), tuple(missing), tuple(rejects), tuple(sorted(restricted)))

    async def records_of(self, stage: Stage, nodes: list[Any]) -> tuple[list[Any], list[Reject]]:
        """Whole nodes that came another way than by a page, read as a page's are."""
        return await self._read(_RESOURCES[stage], nodes)

    async def _number(self) -> int:
        return await self._take_read_no() if self._take_read_no else 0

    async def _ask(
        self, ahead: _Ahead, stage: Stage, window: Window, after: str | None, size: int
    ) -> None:
        """Have a page under way."""
        read_no = await self._number()
        page = self._page(stage, window, after, size, read_no=read_no, ahead=ahead)
        ahead.upcoming = asyncio.create_task(page)

    async def _page(
        self,
        stage: Stage,
        window: Window,
        after: str | None,
        size: int,
        *,
        read_no: int,
        ahead: _Ahead,
    ) -> Page:
        resource = _RESOURCES[stage]
        asked = _listing(stage, window) | {"after": after}
        before = self.spent
        while True:
            asked["first"] = size
            if resource is _ORDERS:
                asked["lines"] = _LINES[self._lines]
            try:
                answer = await self._client.query(resource.root, asked, decode=resource.decode)
                break
            except QueryTooCostly:
                if size == 1:
                    raise
                size //= 2
                self._limits[resource.root] = size
                read_no = await self._number()
            except ShopifyUnavailable as error:
                # Shopify gives a query ten seconds: a page that always takes longer would never
                # be read, however often the same one is tried again.
                if size <= _MODEST or error.retry_after_s is not None:
                    raise
                size = self._limits[resource.root] = _MODEST
                read_no = await self._number()
        page = answer.data.get(resource.root)
        nodes: Sequence[Any]
        cut: list[str] | None = None
        if isinstance(page, wire.OrderPage):
            nodes, cut = page.apart()
            info = msgspec.to_builtins(page.pageInfo)
        else:
            connection = _connection_in(answer.data, resource.root)
            nodes, info = connection["nodes"], connection.get("pageInfo")
            if resource is _ORDERS:
                cut = nested.cut_orders(nodes)
            elif resource.root == "customers":
                cut = []
        if cut and len(cut) * 10 > len(nodes):
            self._lines = min(self._lines + 1, len(_LINES) - 1)
        following = nested.next_cursor({"pageInfo": info}, after=after)
        # It takes nothing more of the shop; refunds of so many lines are too rare to count.
        complete = cut is not None and not cut
        if complete:
            self._learn(resource.root, before, len(nodes))
            if following is not None and ahead.is_mine:
                # The caller has nothing to land meanwhile.
                await self._ask(ahead, stage, window, following, self._size(stage))
                await self._sent()
        records, rejects = await self._read(resource, await self._whole(resource, nodes, cut=cut))
        if not complete:
            self._learn(resource.root, before, len(nodes))
        return Page(
            stage,
            tuple(records),
            following,
            read_no,
            tuple(rejects),
            answer.restricted,
        )

    async def _sent(self) -> None:
        """Let a request that was just made leave: its answer is under way while we compute."""
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    def _learn(self, root: str, before: Effort, nodes: int) -> None:
        """Half of the newest page: orders grow longer or shorter towards older ones."""
        if nodes < _TELLING:
            return
        known, spent = self._effort[root], self.spent
        self._effort[root] = Effort(
            *((old + now - then) / 2 for old, now, then in zip(known, spent, before, strict=True))
        )

    async def _connection(self, name: str, root: str, asked: dict[str, Any]) -> dict[str, Any]:
        return _connection_in((await self._client.query(name, asked)).data, root)

    async def _whole(
        self, resource: _Resource, nodes: Sequence[Any], *, cut: list[str] | None = None
    ) -> list[Any]:
        if resource is _ORDERS:
            return await nested.whole_orders(self._client, nodes, cut=cut)
        if resource.root == "products":
            return await nested.whole_products(self._client, nodes)
        return list(nodes)

    async def _read(
        self, resource: _Resource, nodes: Sequence[Any]
    ) -> tuple[list[Any], list[Reject]]:
        if resource is _ORDERS:
            return parse.parse_orders(nodes)
        if resource.root == "customers":
            return parse.parse_customers(nodes)
        currency = self._currency or (await self.shop()).currency
        return parse.parse_products(nodes, currency=currency)

    def _size(self, stage: Stage) -> int:
        root = _RESOURCES[stage].root
        wanted: int = getattr(self._sizes, root)
        return min(wanted, self._limits.get(root, wanted))


def search(stage: Stage, window: Window) -> str | None:
    """The window in Shopify's search language, None for all records.

    Times are UTC and quoted: Shopify cuts a bare one at its first colon and reads what is left in
    the shop's own zone. Ends are inclusive and rounded outwards to whole seconds.
    """
    created = _RESOURCES[stage].created
    terms = []
    if window.created_from is not None:
        terms.append(f"{created}:>='{_stamp(window.created_from)}'")
    if window.created_before is not None:
        terms.append(f"{created}:<='{_stamp(window.created_before, up=True)}'")
    if window.updated_from is not None:
        terms.append(f"updated_at:>='{_stamp(window.updated_from)}'")
    return " ".join(terms) or None


def _listing(stage: Stage, window: Window) -> dict[str, Any]:
    # Large shops time out unless the sort key is the field the search ranges over.
    by_change = window.updated_from is not None
    return {
        "query": search(stage, window),
        "sortKey": "UPDATED_AT" if by_change else "CREATED_AT",
        "reverse": not by_change,
    }


def _connection_in(data: dict[str, Any], root: str) -> dict[str, Any]:
    connection = data.get(root)
    if not isinstance(connection, dict) or not isinstance(connection.get("nodes"), list):
        raise BadAnswer(f"The answer holds no {root}.")
    return connection


def _stamp(at: datetime, *, up: bool = False) -> str:
    at = at.astimezone(UTC)
    if up and at.microsecond:
        at += timedelta(seconds=1)
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _halves(window: Window) -> tuple[Window, Window] | None:
    """The window cut in two that share no second; None if an end is open or it is too short."""
    start, end = window.created_from, window.created_before
    if start is None or end is None or end - start < timedelta(seconds=2):
        return None
    middle = (start + (end - start) / 2).replace(microsecond=0)
    return (
        Window(start, middle, window.updated_from),
        Window(middle + timedelta(seconds=1), end, window.updated_from),
    )
