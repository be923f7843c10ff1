"""What one open page of Store DNA holds."""

from __future__ import annotations

import reflex as rx

from brandmind.clock import utc_now
from brandmind.state import acts, paging, sample_portrait
from brandmind.state.guard import Access, guarded, public
from brandmind.state.portrait_view import mode_of, portrait
from brandmind.state.portrait_views import PortraitView
from brandmind.state.sample import PARAM
from brandmind.sync.progress import StoreProgress


class Portrait(rx.State):
    """The Store DNA of the store in the address."""

    page: PortraitView = PortraitView()
    as_table: bool = False
    _seen_by: str = ""

    @rx.event
    @public
    async def turn_table(self) -> None:
        """Show the strands as a table, or as lines again."""
        self.as_table = not self.as_table

    @rx.event(background=True)
    @guarded(sample=True, page=True)
    async def follow(self, access: Access) -> None:
        """Show the newest portrait, then every new one, until the tab goes."""
        sampled = portrait(
            sample_portrait.store_dna(utc_now().date()),
            mode="sample",
            shop_param=PARAM,
            banner=paging.sample_banner(),
        )
        await paging.follow(self, access, empty=PortraitView(), sample=sampled, build=shown)


async def shown(store: acts.StoreRef, progress: StoreProgress) -> PortraitView:
    """The portrait of a store as the person may see it."""
    sees = store.may_orders and store.may_customers and store.may_products
    found = await acts.get().store_dna(store.store_id) if sees else None
    mode, note = mode_of(progress, kept=found is not None, sees=sees)
    return portrait(
        found,
        mode=mode,
        note=note,
        shop_param=store.domain,
        store_id=store.store_id,
        banner=paging.banner_of(store, progress),
    )
