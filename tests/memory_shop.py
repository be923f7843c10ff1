"""A shop in memory: `sync.ports.Source` without HTTP, with errors on demand."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from brandmind.commerce.records import CustomerRecord, Record
from brandmind.commerce.shop import ShopFacts
from brandmind.sync.ports import Found, Page, Reject, Total, Window
from brandmind.sync.stages import Stage
from tests.records import NOON, a_customer, a_product, an_order

SHOP_NOW = NOON + timedelta(days=1)


class MemoryShop:
    """Holds records, serves pages of `page` records, newest first; counts what was asked."""

    def __init__(
        self, *, products: int = 3, orders: int = 30, customers: int = 5, page: int = 10
    ) -> None:
        self.records: dict[Stage, list[Record]] = {
            Stage.PRODUCTS: [a_product(i) for i in range(1, products + 1)],
            # One a day: about six months of them are recent, the others history.
            Stage.ORDERS: [an_order(i, at=NOON - timedelta(days=i)) for i in range(1, orders + 1)],
            Stage.CUSTOMERS: [a_customer(i) for i in range(1, customers + 1)],
        }
        self.page = page
        self.asked: list[str] = []
        self.before_page: Callable[[Stage, int], Awaitable[None]] | None = None
        # Neither listed nor returned by id though counted; listed by nobody though there;
        # and sent in a shape that cannot be read.
        self.hidden: set[int] = set()
        self.unlisted: set[int] = set()
        self.unreadable: set[int] = set()
        self.shows_days: int | None = None
        self.restricted: tuple[str, ...] = ()
        self.facts = ShopFacts(
            shopify_id=7,
            domain="harbor-and-pine.myshopify.com",
            name="Harbor & Pine",
            currency="USD",
            timezone="America/New_York",
            country_code="US",
            plan="Basic",
            taxes_included=False,
            created_at=NOON - timedelta(days=900),
            scopes=frozenset({"read_products", "read_orders", "read_customers", "read_all_orders"}),
            answered_at=SHOP_NOW,
        )
        self.take_read_no: Callable[[], Awaitable[int]] | None = None

    async def shop(self) -> ShopFacts:
        self.asked.append("shop")
        return self.facts

    async def count(self, stage: Stage, window: Window) -> Total:
        self.asked.append(f"count {stage}")
        return Total(len(self._in(stage, window)))

    async def counts(self, asked: Sequence[tuple[Stage, Window]]) -> list[Total]:
        self.asked.append("counts")
        return [Total(len(self._in(stage, window))) for stage, window in asked]

    async def ids(self, stage: Stage, window: Window) -> AsyncIterator[tuple[int, ...]]:
        self.asked.append(f"ids {stage}")
        found = [r.shopify_id for r in self._in(stage, window) if r.shopify_id not in self.hidden]
        for start in range(0, len(found), self.page):
            yield tuple(found[start : start + self.page])

    async def by_ids(self, stage: Stage, shopify_ids: list[int]) -> Found:
        self.asked.append(f"by ids {stage} {sorted(shopify_ids)}")
        here = {record.shopify_id: record for record in self.records[_key(stage)]}
        bad = self.unreadable if _key(stage) is Stage.ORDERS else set()
        return Found(
            self._told(here[one] for one in shopify_ids if one in here and one not in bad),
            tuple(one for one in shopify_ids if one not in here),
            rejects=tuple(_reject(one) for one in shopify_ids if one in here and one in bad),
            restricted=self.restricted if _key(stage) is Stage.ORDERS else (),
        )

    def delete(self, stage: Stage, *shopify_ids: int) -> None:
        """Delete records as a merchant would: without a trace."""
        self.records[_key(stage)] = [
            record for record in self.records[_key(stage)] if record.shopify_id not in shopify_ids
        ]

    async def pages(
        self, stage: Stage, window: Window, *, after: str | None
    ) -> AsyncIterator[Page]:
        found = [r for r in self._in(stage, window) if r.shopify_id not in self.hidden]
        start = int(after) if after else 0
        number = start // self.page
        while True:
            if self.before_page is not None:
                await self.before_page(stage, number)
            read_no = await self.take_read_no() if self.take_read_no else 0
            self.asked.append(f"page {stage} {start}")
            chunk = found[start : start + self.page]
            start += self.page
            more = start < len(found)
            yield Page(
                stage=stage,
                records=self._told(one for one in chunk if not self._bad(stage, one)),
                rejects=tuple(_reject(one.shopify_id) for one in chunk if self._bad(stage, one)),
                next_cursor=str(start) if more else None,
                read_no=read_no,
                restricted=self.restricted if _key(stage) is Stage.ORDERS else (),
            )
            if not more:
                return
            number += 1

    def _in(self, stage: Stage, window: Window) -> list[Record]:
        key = _key(stage)
        unlisted = self.unlisted if key is Stage.ORDERS else set()
        oldest = None
        if self.shows_days is not None and key is Stage.ORDERS:
            oldest = self.facts.answered_at - timedelta(days=self.shows_days)
        found = [
            record
            for record in self.records[key]
            if record.shopify_id not in unlisted
            and (oldest is None or record.created_at >= oldest)
            and (window.created_from is None or record.created_at >= window.created_from)
            and (window.created_before is None or record.created_at <= window.created_before)
            and (window.updated_from is None or record.updated_at >= window.updated_from)
        ]
        if window.updated_from is not None:
            return sorted(found, key=lambda record: (record.updated_at, record.shopify_id))
        return sorted(found, key=lambda record: (record.created_at, record.shopify_id))[::-1]

    def _told(self, records: Iterable[Record]) -> tuple[Record, ...]:
        """The records as the shop gives them now: customers count the orders there are."""
        held = Counter(getattr(one, "customer_id", None) for one in self.records[Stage.ORDERS])
        return tuple(
            one._replace(number_of_orders=held[one.shopify_id])
            if isinstance(one, CustomerRecord)
            else one
            for one in records
        )

    def _bad(self, stage: Stage, record: Record) -> bool:
        return _key(stage) is Stage.ORDERS and record.shopify_id in self.unreadable

    def change(self, stage: Stage, shopify_id: int, **values: object) -> None:
        """Change one record as a merchant would."""
        key = _key(stage)
        self.records[key] = [
            record._replace(**values) if record.shopify_id == shopify_id else record
            for record in self.records[key]
        ]

    def with_scopes(self, *scopes: str) -> MemoryShop:
        """The same shop, seen with these scopes."""
        self.facts = replace(self.facts, scopes=frozenset(scopes))
        return self


def _key(stage: Stage) -> Stage:
    return Stage(stage.resource)


def _reject(shopify_id: int) -> Reject:
    return Reject(f"gid://shopify/Order/{shopify_id}", "name is missing")
