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
    # Which portrait stands beside it, and how often somebody has acted here.
    _against: int | None = None
    _turn: int = 0

    @rx.event
    @public
    async def turn_table(self) -> None:
        """Show the strands as a table, or as lines again."""
        self.as_table = not self.as_table

    @rx.event(background=True)
    @guarded(sample=True, page=True)
    async def follow(self, access: Access) -> None:
        """Show the newest portrait, then every new one, until the tab goes."""
        async with self:
            asked = self.router.url.query_parameters.get("with", "")
            against = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 9 else None
            self._against = against

        async def build(store: acts.StoreRef, progress: StoreProgress) -> PortraitView:
            return await shown(store, progress, against=against, whole=True)

        sampled = portrait(
            sample_portrait.store_dna(utc_now().date()),
            mode="sample",
            shop_param=PARAM,
            banner=paging.sample_banner(),
            past=sample_portrait.past(utc_now().date()),
        )
        await paging.follow(self, access, empty=PortraitView(), sample=sampled, build=build)


def sees(store: acts.StoreRef) -> bool:
    """Whether the person may see what a portrait is made of."""
    return store.may_orders and store.may_customers and store.may_products


async def shown(
    store: acts.StoreRef,
    progress: StoreProgress,
    *,
    against: int | None = None,
    whole: bool = False,
) -> PortraitView:
    """The portrait of a store as the person may see it; `whole` with all its past."""
    may = sees(store)
    found = await acts.get().store_dna(store.store_id, against=against) if may else None
    mode, note = mode_of(progress, kept=found is not None, sees=may)
    kept = found is not None
    return portrait(
        found,
        mode=mode,
        note=note,
        shop_param=store.domain,
        store_id=store.store_id,
        banner=paging.banner_of(store, progress),
        past=await acts.get().past(store.store_id) if kept and whole else None,
        marks=await acts.get().marks(store.store_id) if kept else (),
        week_start=(await acts.get().answers(store.store_id)).week_start if kept else 0,
    )
