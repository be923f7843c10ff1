"""What one open page of customers, products or orders holds."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import reflex as rx

from brandmind.clock import utc_now
from brandmind.dna.rfm import GROUPS
from brandmind.state import acts, paging, sample_portrait, sample_tables
from brandmind.state.customers_view import customers, members
from brandmind.state.frame import zone_of
from brandmind.state.goods_view import products
from brandmind.state.guard import Access, guarded, public
from brandmind.state.orders_view import orders
from brandmind.state.portrait_view import mode_of
from brandmind.state.portrait_views import CustomersView, OrdersView, ProductsView
from brandmind.state.ranges import Range, chosen
from brandmind.state.sample import PARAM
from brandmind.sync.progress import StoreProgress
from brandmind.sync.stages import Stage, StageState

_UNREAD = (StageState.QUEUED, StageState.RUNNING)


class Customers(rx.State):
    """The customers of the store in the address."""

    page: CustomersView = CustomersView()
    as_table: bool = False
    _seen_by: str = ""

    @rx.event
    @public
    async def turn_table(self) -> None:
        """Show the groups as a table, or as tiles again."""
        self.as_table = not self.as_table

    @rx.event(background=True)
    @guarded(sample=True, page=True)
    async def follow(self, access: Access) -> None:
        """Show the newest groups and cohorts, then every change, until the tab goes."""
        asked = await _asked(self)
        tab, measure = asked.get("tab", ""), asked.get("of", "")
        group = asked.get("group", "").upper()
        group = group if group in GROUPS else ""
        number = _whole(asked.get("page", "")) or 1

        async def build(store: acts.StoreRef, progress: StoreProgress) -> CustomersView:
            sees = store.may_orders and store.may_customers
            found = await acts.get().store_dna(store.store_id) if sees else None
            mode, note = mode_of(progress, kept=found is not None, sees=sees)
            who = None
            if found is not None and group:
                who = await acts.get().group(store.store_id, group=group, page=number)
            return customers(
                found, mode=mode, note=note, tab=tab, measure=measure, shop_param=store.domain,
                store_id=store.store_id, banner=paging.banner_of(store, progress),
                members=members(
                    who, shop_param=store.domain, store_id=store.store_id, tz=zone_of(store),
                    now=utc_now(),
                ),
                open_group=group,
            )  # fmt: skip

        sampled = customers(
            sample_portrait.store_dna(utc_now().date()), mode="sample", tab=tab, measure=measure,
            shop_param=PARAM, banner=paging.sample_banner(), open_group=group,
            members=members(
                sample_tables.group(utc_now().date(), group=group, page=number) if group else None,
                shop_param=PARAM, tz=UTC, now=utc_now(),
            ),
        )  # fmt: skip
        await paging.follow(self, access, empty=CustomersView(), sample=sampled, build=build)


class Products(rx.State):
    """The products of the store and range in the address."""

    page: ProductsView = ProductsView()
    _seen_by: str = ""

    @rx.event(background=True)
    @guarded(sample=True, page=True)
    async def follow(self, access: Access) -> None:
        """Show what each product brings, then every change, until the tab goes."""
        asked = await _asked(self)
        kind = asked.get("kind", "")
        kind = kind if kind in ("A", "B", "C") else ""
        product_id = _whole(asked.get("product", ""))
        number = _whole(asked.get("page", "")) or 1

        async def build(store: acts.StoreRef, progress: StoreProgress) -> ProductsView:
            at = _range(store, asked)
            mode, note = _mode(progress, sees=store.may_orders and store.may_products)
            found, detail = None, None
            if mode == "real":
                found = await acts.get().products(
                    store.store_id, date_from=at.date_from, date_to=at.date_to
                )
                if product_id is not None:
                    detail = await acts.get().product(
                        store.store_id, product_id, date_from=at.date_from, date_to=at.date_to
                    )
            return products(
                found, at=at, mode=mode, note=note, kind=kind, number=number,
                shop_param=store.domain, store_id=store.store_id,
                banner=paging.banner_of(store, progress), detail=detail,
            )  # fmt: skip

        today = utc_now().date()
        at = chosen(asked, today=today)
        sampled = products(
            sample_tables.products(at, today=today), at=at, mode="sample", kind=kind,
            shop_param=PARAM, banner=paging.sample_banner(),
            detail=sample_tables.detail(at, product_id) if product_id is not None else None,
        )  # fmt: skip
        await paging.follow(self, access, empty=ProductsView(), sample=sampled, build=build)


class Orders(rx.State):
    """The reconciliation of the store and range in the address."""

    page: OrdersView = OrdersView()
    _seen_by: str = ""

    @rx.event(background=True)
    @guarded(sample=True, page=True)
    async def follow(self, access: Access) -> None:
        """Show every day from gross to total, then every change, until the tab goes."""
        asked = await _asked(self)

        async def build(store: acts.StoreRef, progress: StoreProgress) -> OrdersView:
            at = _range(store, asked)
            mode, note = _mode(progress, sees=store.may_orders)
            found = None
            if mode == "real":
                found = await acts.get().reconciliation(
                    store.store_id, date_from=at.date_from, date_to=at.date_to
                )
            return orders(
                found, at=at, mode=mode, note=note, shop_param=store.domain,
                store_id=store.store_id, banner=paging.banner_of(store, progress),
            )  # fmt: skip

        today = utc_now().date()
        at = chosen(asked, today=today)
        sampled = orders(
            sample_tables.reconciliation(at, today=today), at=at, mode="sample", shop_param=PARAM,
            banner=paging.sample_banner(),
        )  # fmt: skip
        await paging.follow(self, access, empty=OrdersView(), sample=sampled, build=build)


async def _asked(state: Any) -> dict[str, str]:
    async with state:
        return dict(state.router.url.query_parameters)


def _whole(text: str) -> int | None:
    """A number of an address; what is none, or no id of Shopify's, asks for nothing."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _range(store: acts.StoreRef, asked: dict[str, str]) -> Range:
    return chosen(asked, today=utc_now().astimezone(zone_of(store)).date())


def _mode(progress: StoreProgress, *, sees: bool) -> tuple[str, str]:
    """How a page made of the orders stands: rows so far are shown, and said to be so."""
    if not sees:
        return "closed", "Your Shopify account may not see orders."
    stage = progress.stage(Stage.ORDERS)
    if stage is None or progress.last_synced_at is not None or not progress.first:
        return "real", ""
    if stage.state in _UNREAD and not stage.done:
        return "none", "The table comes with your first orders."
    if stage.state in _UNREAD:
        return "real", "still loading"
    return "real", "not updated" if stage.state is StageState.FAILED else ""
