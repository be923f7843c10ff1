"""A shop in memory: `sync.ports.Source` without HTTP, with errors on demand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

from brandmind.commerce.records import Record
from brandmind.commerce.shop import ShopFacts
from brandmind.sync.ports import Page, Total, Window
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
        self.hidden: set[int] = set()
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
                records=tuple(chunk),
                next_cursor=str(start) if more else None,
                read_no=read_no,
                restricted=self.restricted if stage is Stage.ORDERS else (),
            )
            if not more:
                return
            number += 1

    def _in(self, stage: Stage, window: Window) -> list[Record]:
        key = Stage.ORDERS if stage is Stage.HISTORY else stage
        found = [
            record
            for record in self.records[key]
            if (window.created_from is None or record.created_at >= window.created_from)
            and (window.created_before is None or record.created_at <= window.created_before)
            and (window.updated_from is None or record.updated_at >= window.updated_from)
        ]
        if window.updated_from is not None:
            return sorted(found, key=lambda record: (record.updated_at, record.shopify_id))
        return sorted(found, key=lambda record: (record.created_at, record.shopify_id))[::-1]

    def change(self, stage: Stage, shopify_id: int, **values: object) -> None:
        """Change one record as a merchant would."""
        key = Stage.ORDERS if stage is Stage.HISTORY else stage
        self.records[key] = [
            record._replace(**values) if record.shopify_id == shopify_id else record
            for record in self.records[key]
        ]

    def with_scopes(self, *scopes: str) -> MemoryShop:
        """The same shop, seen with these scopes."""
        self.facts = replace(self.facts, scopes=frozenset(scopes))
        return self
