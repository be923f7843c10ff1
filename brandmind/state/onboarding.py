"""What one open page of the set-up holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import Any, Final

import reflex as rx

from brandmind.clock import monotonic_s
from brandmind.errors import BrandMindError
from brandmind.services.answers import STEPS
from brandmind.state import acts
from brandmind.state.choosing import choose
from brandmind.state.frame import Frame, draw, watch, zone_of
from brandmind.state.guard import Access, guarded
from brandmind.state.onboarding_view import OnboardingView, after, href, onboarding, step_of
from brandmind.state.waiting_view import Watch
from brandmind.sync.progress import StoreProgress
from brandmind.sync.selection import OrdersSince

_COSTS: Final = {"yes": True, "no": False}


class Onboarding(rx.State):
    """The set-up of the store in the address."""

    page: OnboardingView = OnboardingView()
    _seen_by: str = ""

    @rx.event
    @guarded()
    async def choose_orders(self, access: Access, value: str) -> Any:
        """How far back orders are read: 60d, 12m or all."""
        if value in set(OrdersSince):
            wanted = await choose(self, access, orders_since=OrdersSince(value))
            self._kept(kept=wanted is not None, orders_since=value)

    @rx.event
    @guarded()
    async def choose_customers(self, access: Access, on: bool) -> Any:
        """Whether customers are read."""
        if isinstance(on, bool):
            wanted = await choose(self, access, customers=on)
            self._kept(kept=wanted is not None, customers=on)

    @rx.event
    @guarded()
    async def choose_week(self, access: Access, value: str) -> Any:
        """The day a week begins with: "0" is Monday, "6" Sunday."""
        if access.store is not None and value in ("0", "5", "6"):
            kept = await self._answer(access.store, week_start=int(value))
            self._kept(kept=kept, week_start=value)

    @rx.event
    @guarded()
    async def choose_costs(self, access: Access, value: str) -> Any:
        """Whether costs of goods are kept at the shop: yes or no."""
        if access.store is not None and value in ("yes", "no"):
            kept = await self._answer(access.store, uses_costs=_COSTS[value])
            self._kept(kept=kept, costs=value)

    @rx.event
    @guarded()
    async def choose_reader(self, access: Access, user_id: str, on: bool) -> Any:
        """Whether a person of this store gets the mail."""
        store = access.store
        if store is None or not isinstance(user_id, str) or not isinstance(on, bool):
            return
        try:
            await acts.get().tell(store, user_id=user_id, told=on)
        except BrandMindError as error:
            await self._say(error)
            self._kept(kept=False)
            return
        self._kept(
            kept=True,
            readers=tuple(
                replace(one, told=on) if one.user_id == user_id else one
                for one in self.page.readers
            ),
        )

    async def _answer(self, store: acts.StoreRef, **answers: Any) -> bool:
        try:
            await acts.get().answer(store.store_id, **answers)
        except BrandMindError as error:
            await self._say(error)
            return False
        return True

    async def _say(self, error: BrandMindError) -> None:
        frame = await self.get_state(Frame)
        frame.notice, frame.notice_tone = error.message, "red"

    def _kept(self, *, kept: bool, **shown: Any) -> None:
        """Show what was chosen, or draw what stood there before: the page has turned it already."""
        if kept:
            self.page = replace(self.page, **shown)
        else:
            self.page = replace(self.page, turned_back=self.page.turned_back + 1)

    @rx.event
    @guarded()
    async def go_on(self, access: Access) -> Any:
        """The question is behind: to the next one, and after the last to the numbers."""
        return await self._leave(access, over=False)

    @rx.event
    @guarded()
    async def skip(self, access: Access) -> Any:
        """No more questions; what was answered is kept."""
        return await self._leave(access, over=True)

    async def _leave(self, access: Access, *, over: bool) -> Any:
        store = access.store
        if store is None:
            return None
        found = await acts.get().answers(store.store_id)
        step = step_of(self.router.url.query_parameters.get("step", ""), found)
        await acts.get().answer(store.store_id, step=STEPS if over else step)
        if not over and step < STEPS:
            return rx.redirect(href(store.domain, step=step + 1))
        return rx.redirect(after(store.domain, await acts.get().progress(store.store_id)))

    @rx.event(background=True)
    @guarded(page=True)
    async def follow(self, access: Access) -> None:
        """Show the question of the address and how far the reading is, until the tab goes."""
        async with self:
            asked = self.router.url.query_parameters.get("step", "")
        store, viewer = access.store, access.viewer
        if store is None or viewer is None:
            async with self:
                self.page = OnboardingView()
                frame = await self.get_state(Frame)
                draw(frame, access, None, tz=UTC)
            return
        tz, seen = zone_of(store), Watch()
        step = step_of(asked, await acts.get().answers(store.store_id))

        async def show(progress: StoreProgress, _fresh: bool) -> None:
            seen.saw(progress, at_s=monotonic_s())
            # Asked for anew: another tab, or another person, may have answered meanwhile.
            page = onboarding(
                progress,
                await acts.get().answers(store.store_id),
                step=step,
                left_s=seen.left_s(progress),
                shop_param=store.domain,
                role=store.role,
                user_id=store.user_id or viewer.user_id,
            )
            async with self:
                if page != self.page:
                    self.page = page
                self._seen_by = viewer.session_id
                frame = await self.get_state(Frame)
                draw(frame, access, progress, tz=tz)

        async for lost in watch(self, access, show):
            async with self:
                self.page = OnboardingView()
                frame = await self.get_state(Frame)
                draw(frame, lost, None, tz=tz)
