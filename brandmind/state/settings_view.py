"""The settings of a store: what the last sync found, part by part."""

from __future__ import annotations

from datetime import datetime, tzinfo

from brandmind.state import wording
from brandmind.state.stage_view import LABELS, NAMES, ONE, failed_stage, tally
from brandmind.state.status_view import (
    RECONNECT,
    STALE_AFTER,
    gap_sentence,
    reading_sentence,
    stopped_headline,
    stopped_reason,
)
from brandmind.state.views import LastReadView, LinkView, SettingsView
from brandmind.sync.progress import StageProgress, StoreProgress
from brandmind.sync.stages import PAGED, StageState, StoreStatus

_STATE = {
    StageState.QUEUED: ("queued", "Waiting"),
    StageState.RUNNING: ("running", "Reading"),
    StageState.DONE: ("done", "Read"),
    StageState.GAP: ("gap", "Incomplete"),
    StageState.RESTRICTED: ("gap", "Limited"),
    StageState.FAILED: ("failed", "Stopped"),
    StageState.SKIPPED: ("skipped", "Left out"),
}


def settings(
    progress: StoreProgress,
    *,
    shop_param: str,
    manual_left: int,
    manual_next_at: datetime | None,
    stores: tuple[LinkView, ...],
    locked: tuple[LinkView, ...],
    now: datetime,
    tz: tzinfo,
) -> SettingsView:
    """The whole page."""
    busy = progress.status in (StoreStatus.PENDING, StoreStatus.IN_PROGRESS)
    headline, lead = _headline(progress, now=now, tz=tz)
    parts = [at for at in progress.stages if at.stage in PAGED]
    if progress.history is not None:
        parts.append(progress.history)
    failed = progress.status is StoreStatus.FAILED
    auth = failed and progress.error_kind == "auth"
    stopped = failed_stage(progress)
    return SettingsView(
        there=True,
        headline=headline,
        lead=lead,
        parts=tuple(_part(at, now=now, tz=tz) for at in parts),
        manual=manual_sentence(manual_left, manual_next_at, tz=tz),
        can_sync=manual_left > 0 and not busy and progress.status is not StoreStatus.PAUSED,
        syncing=busy,
        retry_label=(
            (f"Retry {NAMES[stopped.stage]}" if stopped else "Retry") if failed and not auth else ""
        ),
        reconnect_href=f"/auth/connect?shop={shop_param}&reconnect=1" if auth else "",
        progress_href=f"/syncing?shop={shop_param}",
        stores=stores,
        locked=locked,
    )


def manual_sentence(left: int, next_at: datetime | None, *, tz: tzinfo) -> str:
    """How many syncs by hand are left: three an hour, and when the next one is possible."""
    if left > 0:
        return f"{wording.counted(left, 'sync', 'syncs')} by hand left this hour."
    if next_at is None:
        return "Three syncs in the last hour."
    return f"Three syncs in the last hour. The next is possible at {wording.clock(next_at, tz)}."


def _headline(progress: StoreProgress, *, now: datetime, tz: tzinfo) -> tuple[str, str]:
    match progress.status:
        case StoreStatus.PENDING:
            return "Waiting for its turn.", "The sync starts by itself."
        case StoreStatus.IN_PROGRESS:
            return "A sync is running.", reading_sentence(progress, left_s=None)
        case StoreStatus.FAILED if progress.error_kind == "auth":
            return "Access was withdrawn or expired.", RECONNECT
        case StoreStatus.FAILED:
            return stopped_headline(progress), stopped_reason(progress, now=now, tz=tz)
        case StoreStatus.PAUSED:
            return "This store is paused.", progress.reason or ""
        case StoreStatus.CANCELLED:
            return "The last sync was stopped.", progress.error or "What was read is kept."
        case StoreStatus.PARTIAL if progress.reason == "gap":
            return "Something is still missing.", gap_sentence(progress)
        case _:
            pass
    last = progress.last_synced_at
    if last is not None and now - last > STALE_AFTER:
        return f"Numbers are from {wording.moment(last, now, tz)}.", "Out of date."
    lead = (
        f"Synced {wording.ago(last, now)}, {wording.moment(last, now, tz)}."
        if last
        else "Not synced yet."
    )
    history = progress.history
    if history is not None and history.state in (StageState.QUEUED, StageState.RUNNING):
        return "Your recent numbers are whole.", f"{lead} Older orders follow in the background."
    return "Everything is read.", lead


def _part(at: StageProgress, *, now: datetime, tz: tzinfo) -> LastReadView:
    icon, word = _STATE[at.state]
    took = ""
    if at.started_at and at.finished_at:
        took = wording.duration((at.finished_at - at.started_at).total_seconds())
    closed = at.state in (StageState.DONE, StageState.GAP, StageState.RESTRICTED)
    count = wording.counted(at.done, ONE[at.stage]) if closed else tally(at)
    if at.state is StageState.QUEUED:
        count = f"{wording.number(at.total)} to read" if at.total else ""
    proof = at.note or ""
    if at.state is StageState.DONE:
        proof = "Counts match Shopify" if at.total is None or at.done >= at.total else ""
    elif at.state is StageState.GAP:
        short = (at.total or 0) - at.done
        proof = f"{wording.number(short)} short of Shopify's count" if short > 0 else proof
    return LastReadView(
        label=LABELS[at.stage],
        state=word,
        icon=icon,
        when=wording.moment(at.finished_at, now, tz) if at.finished_at else "",
        when_title=wording.full_moment(at.finished_at, tz) if at.finished_at else "",
        count=count,
        took=took,
        proof=proof,
    )
