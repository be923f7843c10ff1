"""How a page of figures is followed: shown once, then again when a sync has changed something."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC
from typing import Any, Final

from brandmind.clock import monotonic_s, utc_now
from brandmind.state.acts import StoreRef
from brandmind.state.frame import Frame, draw, watch, zone_of
from brandmind.state.guard import Access
from brandmind.state.status_view import SAMPLE_BANNER, banner
from brandmind.state.views import BannerView
from brandmind.sync.progress import StoreProgress

EVERY_S: Final = 3.0

Build = Callable[[StoreRef, StoreProgress], Awaitable[Any]]


async def follow(state: Any, access: Access, *, empty: Any, sample: Any, build: Build) -> None:
    """Keep `state.page` true until the tab goes or the session ends.

    `empty` is the page of nobody, `sample` that of the sample shop; `build` makes the real one.
    """
    store, viewer = access.store, access.viewer
    if access.sample or store is None or viewer is None:
        async with state:
            state.page = sample if access.sample else empty
            frame = await state.get_state(Frame)
            draw(frame, access, None, tz=UTC)
        return
    tz = zone_of(store)
    page: Any = None
    key: tuple[object, ...] = ()
    made_s = -EVERY_S
    # Somebody may act on the page meanwhile: what it shows then is newer than what was built.
    async with state:
        turn = made_turn = getattr(state, "_turn", 0)

    async def show(progress: StoreProgress, _fresh: bool) -> None:
        nonlocal page, key, made_s, turn, made_turn
        now_key = (progress.run_id, progress.status, progress.seq, utc_now().astimezone(tz).date())
        due = now_key != key and monotonic_s() - made_s >= EVERY_S
        if page is None or due or turn != made_turn:
            made_turn = turn
            page = await build(store, progress)
            key, made_s = now_key, monotonic_s()
        async with state:
            first, turn = turn, getattr(state, "_turn", 0)
            if turn == first and page != state.page:
                state.page = page
            state._seen_by = viewer.session_id
            frame = await state.get_state(Frame)
            draw(frame, access, progress, tz=tz)

    async for lost in watch(state, access, show):
        async with state:
            state.page = empty
            frame = await state.get_state(Frame)
            draw(frame, lost, None, tz=tz)


def banner_of(store: StoreRef, progress: StoreProgress) -> BannerView:
    """The sentence above a page of that store."""
    return banner(
        progress,
        shop=store.name,
        shop_param=store.domain,
        left_s=None,
        now=utc_now(),
        tz=zone_of(store),
        installed=store.installed,
    )


def sample_banner() -> BannerView:
    """The sentence above a page of the sample shop."""
    return BannerView(
        tone="lilac",
        text=SAMPLE_BANNER,
        act="link",
        label="Connect your own",
        href="/connect",
    )
