"""The stages of a sync as the lines of a list."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Final

from brandmind.state import wording
from brandmind.state.views import StageView
from brandmind.sync.progress import StageProgress, StoreProgress
from brandmind.sync.stages import PAGED, Stage, StageState, StoreStatus

LABELS: Final = {
    Stage.SHOP: "Connect",
    Stage.PRODUCTS: "Products",
    Stage.ORDERS: "Orders, last 6 months",
    Stage.CUSTOMERS: "Customers",
    Stage.FIGURES: "Store DNA",
    Stage.HISTORY: "Older orders",
}
# How a stage is called inside a sentence.
NAMES: Final = {
    Stage.SHOP: "connecting",
    Stage.PRODUCTS: "products",
    Stage.ORDERS: "orders",
    Stage.CUSTOMERS: "customers",
    Stage.FIGURES: "Store DNA",
    Stage.NOTIFY: "the message to you",
    Stage.HISTORY: "older orders",
}
ONE: Final = {
    Stage.PRODUCTS: "product",
    Stage.ORDERS: "order",
    Stage.CUSTOMERS: "customer",
    Stage.HISTORY: "order",
}
_ICONS: Final = {
    StageState.QUEUED: ("queued", "Waiting"),
    StageState.RUNNING: ("running", "Reading"),
    StageState.DONE: ("done", "Done"),
    StageState.GAP: ("gap", "Incomplete"),
    StageState.RESTRICTED: ("gap", "Limited"),
    StageState.FAILED: ("failed", "Stopped"),
    StageState.SKIPPED: ("skipped", "Left out"),
}


def stage_views(
    progress: StoreProgress,
    *,
    shop: str,
    now: datetime,
    tz: tzinfo,
    rates: Mapping[Stage, float | None],
    variants: int = 0,
) -> tuple[StageView, ...]:
    """The lines of the stage list, older orders last. `rates` in rows a second."""
    shown = [at for at in progress.stages if at.stage in LABELS]
    if progress.history is not None:
        shown.append(progress.history)
    views = []
    before: str | None = None
    for at in shown:
        views.append(
            _view(
                at,
                progress,
                shop=shop,
                now=now,
                tz=tz,
                rate=rates.get(at.stage),
                variants=variants,
                before=before,
            )
        )
        before = NAMES[at.stage]
    return tuple(views)


def percent_of(at: StageProgress) -> int:
    """How far a stage is, 0-100; 0 while its total is unknown or only a lower bound passed."""
    if at.state in (StageState.DONE, StageState.GAP):
        return 100
    if not at.total or (not at.exact and at.done > at.total):
        return 0
    return min(100, 100 * at.done // at.total)


def tally(at: StageProgress) -> str:
    """The count of a stage: "4,210 of 12,000", "4,210" while the total is unknown."""
    if at.total is None:
        return wording.number(at.done)
    return f"{wording.number(at.done)} of {wording.at_least(at.total, exact=at.exact)}"


def failed_stage(progress: StoreProgress) -> StageProgress | None:
    """The stage a failed run stopped in: the one marked failed, else the first unfinished."""
    stages = (*progress.stages, *((progress.history,) if progress.history else ()))
    marked = next((at for at in stages if at.state is StageState.FAILED), None)
    unfinished = (StageState.RUNNING, StageState.QUEUED)
    return marked or next((at for at in progress.stages if at.state in unfinished), None)


def _view(
    at: StageProgress,
    progress: StoreProgress,
    *,
    shop: str,
    now: datetime,
    tz: tzinfo,
    rate: float | None,
    variants: int,
    before: str | None,
) -> StageView:
    icon, word = _ICONS[at.state]
    running = at.state is StageState.RUNNING
    halted = running and progress.status is StoreStatus.PAUSED
    if halted:
        icon, word, rate = "queued", "Paused", None
    took = ""
    if at.started_at is not None and not halted:
        took = wording.elapsed(((at.finished_at or now) - at.started_at).total_seconds())
    detail = _detail(at, progress, shop=shop, tz=tz, rate=rate, variants=variants, before=before)
    said = f"{LABELS[at.stage]}, {tally(at)}" if at.stage in PAGED else LABELS[at.stage]
    return StageView(
        key=at.stage.value,
        label=LABELS[at.stage],
        icon=icon,
        word=word,
        detail=detail,
        tries=f"Try {at.attempts}" if running and at.attempts > 1 else "",
        elapsed=took,
        since=at.started_at.isoformat() if running and not halted and at.started_at else "",
        bar=running and at.stage in PAGED and bool(at.total),
        percent=percent_of(at),
        said=said,
        failed=at.state is StageState.FAILED,
    )


def _detail(
    at: StageProgress,
    progress: StoreProgress,
    *,
    shop: str,
    tz: tzinfo,
    rate: float | None,
    variants: int,
    before: str | None,
) -> str:
    history = at.stage is Stage.HISTORY
    if at.state is StageState.QUEUED:
        if history:
            total = f"{wording.at_least(at.total, exact=at.exact)} more" if at.total else "Read"
            return f"{total}, in the background"
        if at.total is not None:
            return f"{wording.at_least(at.total, exact=at.exact)} to read"
        return f"Reads after {before}" if before else "Waiting for its turn"
    if at.state is StageState.RUNNING:
        if at.stage is Stage.SHOP:
            return "Asking Shopify who you are"
        if at.stage not in PAGED:
            return "Adding up your days, then reading your DNA"
        text = tally(at)
        if history:
            text += ", in the background"
        if rate:
            text += f" · {wording.number(max(1, round(rate)))} a second"
        return text
    if at.state is StageState.DONE:
        if at.stage is Stage.SHOP:
            return f"{shop}, read only"
        if at.stage not in PAGED:
            return "Ready"
        text = wording.counted(at.done, ONE[at.stage])
        if at.stage is Stage.PRODUCTS and variants:
            text += f", {wording.counted(variants, 'variant')}"
        return text
    if at.state is StageState.GAP:
        short = (at.total or 0) - at.done
        gap = f"{wording.number(short)} short of Shopify's count." if short > 0 else ""
        return " ".join(part for part in (f"{tally(at)}.", gap or at.note or "") if part)
    if at.state is StageState.RESTRICTED:
        return at.note or f"Your Shopify account may not see {NAMES[at.stage]}."
    if at.state is StageState.FAILED:
        text = f"{tally(at)}." if at.stage in PAGED else ""
        stopped = at.finished_at or progress.finished_at
        tries = max(at.attempts, progress.attempt)
        when = f"Stopped {wording.clock(stopped, tz)}" if stopped else "Stopped"
        after = f", after {wording.counted(tries, 'try', 'tries')}." if tries else "."
        return f"{text} {when}{after}".strip()
    return at.note or "Not read, as you chose"
