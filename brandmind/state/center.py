"""What one open command center holds."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, tzinfo
from typing import Any

import reflex as rx

from brandmind.clock import monotonic_s, utc_now
from brandmind.commerce.shop import zone
from brandmind.services.dashboard import CommandCenter
from brandmind.state import acts, portrait, portrait_view, sample, sample_portrait
from brandmind.state.center_view import command_center
from brandmind.state.frame import Frame, draw, watch, zone_of
from brandmind.state.guard import Access, guarded, public
from brandmind.state.portrait_views import PortraitView
from brandmind.state.ranges import Range, chosen
from brandmind.state.sight import Sight, sight_of
from brandmind.state.status_view import room_kept
from brandmind.state.views import BannerView, CommandCenterView
from brandmind.state.waiting_view import Watch
from brandmind.sync.progress import StoreProgress
from brandmind.sync.stages import StoreStatus

# The figures are added up again at most this often while a sync brings rows, and while webhooks
# bring single ones, which somebody may be waiting to see.
FIGURES_EVERY_S = 3.0
LIVE_EVERY_S = 0.5


class Center(rx.State):
    """The command center of the store and range in the address."""

    center: CommandCenterView = CommandCenterView()
    dna: PortraitView = PortraitView()
    as_table: bool = False
    _seen_by: str = ""
    # How often somebody has acted on what the portrait suggests.
    _turn: int = 0

    @rx.event
    @public
    async def turn_table(self) -> None:
        """Show the chart as a table, or as a chart again."""
        self.as_table = not self.as_table

    @rx.event(background=True)
    @guarded(sample=True, page=True)
    async def follow(self, access: Access) -> Any:
        """Show the figures, then every change of them, until the tab goes."""
        async with self:
            params = dict(self.router.url.query_parameters)
        if access.sample:
            await _show_sample(self, access, params)
            return None
        store, viewer = access.store, access.viewer
        if store is None or viewer is None:
            async with self:
                self.center, self.dna = CommandCenterView(), PortraitView()
                frame = await self.get_state(Frame)
                draw(frame, access, None, tz=UTC)
            return None
        if "look" not in params and _belongs_in_waiting_room(
            await acts.get().progress(store.store_id)
        ):
            return rx.redirect(f"/syncing?shop={store.domain}")
        sight = sight_of(store)
        tz, seen = zone_of(store), Watch()
        at: Range | None = None
        figures: CommandCenter | None = None
        figures_key: tuple[object, ...] = ()
        figures_at = -FIGURES_EVERY_S
        dna = PortraitView()
        above = BannerView()
        async with self:
            turn = dna_turn = self._turn

        async def show(progress: StoreProgress, fresh: bool) -> None:
            nonlocal tz, at, figures, figures_key, figures_at, dna, turn, dna_turn, above
            every_s = LIVE_EVERY_S
            if progress.status is StoreStatus.IN_PROGRESS or progress.history_runs:
                every_s = FIGURES_EVERY_S
            elif fresh:
                # The last of a burst must be seen too, and no other change may come after it.
                await asyncio.sleep(max(0.0, figures_at + every_s - monotonic_s()))
            at_s, now = monotonic_s(), utc_now()
            seen.saw(progress, at_s=at_s)
            key = (progress.run_id, progress.status, progress.seq, now.astimezone(tz).date())
            if figures is None or (key != figures_key and at_s - figures_at >= every_s):
                at, figures, tz = await _figures(store.store_id, params, tz)
                figures_key, figures_at = key, at_s
                dna, dna_turn = await portrait.shown(store, progress), turn
            elif turn != dna_turn:
                dna, dna_turn = await portrait.shown(store, progress), turn
            assert at is not None
            page = command_center(
                figures,
                progress,
                sample.command_center(
                    today=figures.today,
                    date_from=at.date_from,
                    date_to=at.date_to,
                    compare=at.compare,
                ),
                at=at,
                shop=store.name,
                shop_param=store.domain,
                sight=sight,
                left_s=seen.left_s(progress),
                now=now,
                tz=tz,
                installed=store.installed,
            )
            above = room_kept(page.banner, before=above, shop_param=store.domain)
            page = replace(page, banner=above)
            async with self:
                if page != self.center:
                    self.center = page
                before, turn = turn, self._turn
                # What somebody has just put away must not come back for a moment.
                if turn == before and dna != self.dna:
                    self.dna = dna
                self._seen_by = viewer.session_id
                frame = await self.get_state(Frame)
                draw(frame, access, progress, tz=tz)

        async for lost in watch(self, access, show):
            async with self:
                self.center, self.dna = CommandCenterView(), PortraitView()
                frame = await self.get_state(Frame)
                draw(frame, lost, None, tz=tz)
        return None


async def _figures(
    store_id: str, params: dict[str, str], tz: tzinfo
) -> tuple[Range, CommandCenter, tzinfo]:
    """The figures of the range in the address; its "today" is the shop's own."""
    today = utc_now().astimezone(tz).date()
    for _ in range(2):
        at = chosen(params, today=today)
        figures = await acts.get().command_center(
            store_id, date_from=at.date_from, date_to=at.date_to, compare=at.compare
        )
        if figures.today == today:
            break
        today = figures.today
    return at, figures, zone(figures.timezone)


async def _show_sample(state: Any, access: Access, params: dict[str, str]) -> None:
    now = utc_now()
    at = chosen(params, today=now.date())
    figures = sample.command_center(
        today=now.date(), date_from=at.date_from, date_to=at.date_to, compare=at.compare
    )
    page = command_center(
        figures,
        None,
        figures,
        at=at,
        shop=sample.NAME,
        shop_param=sample.PARAM,
        sight=Sight(),
        left_s=None,
        now=now,
        tz=UTC,
    )
    async with state:
        state.center = page
        state.dna = portrait_view.portrait(
            sample_portrait.store_dna(now.date()), mode="sample", shop_param=sample.PARAM
        )
        frame = await state.get_state(Frame)
        draw(frame, access, None, tz=UTC)


def _belongs_in_waiting_room(progress: StoreProgress) -> bool:
    """A store whose first sync has hardly begun has nothing here yet but samples."""
    live = progress.status in (StoreStatus.PENDING, StoreStatus.IN_PROGRESS)
    return live and progress.first and progress.last_synced_at is None
