"""The settings of a store: what the last sync found, part by part."""

from __future__ import annotations

from datetime import datetime, tzinfo

from brandmind.state import wording
from brandmind.state.stage_view import LABELS, NAMES, ONE, failed_stage, tally
from brandmind.state.status_view import (
    RECONNECT,
    STALE_AFTER,
    gap_sentence,
    gone,
    paused_words,
    reading_sentence,
    stopped_by,
    stopped_headline,
    stopped_reason,
)
from brandmind.state.views import LastReadView, LinkView, SettingsView
from brandmind.sync.progress import StageProgress, StoreProgress
from brandmind.sync.selection import OrdersSince, Selection
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
    shop: str = "your store",
    shop_param: str,
    manual_left: int,
    manual_next_at: datetime | None,
    full_sync_s: float | None = None,
    stores: tuple[LinkView, ...],
    locked: tuple[LinkView, ...],
    now: datetime,
    tz: tzinfo,
) -> SettingsView:
    """The whole page."""
    left_us = progress.uninstalled_at is not None
    busy = progress.status in (StoreStatus.PENDING, StoreStatus.IN_PROGRESS) and not left_us
    headline, lead = _headline(progress, shop=shop, now=now, tz=tz)
    parts = [at for at in progress.stages if at.stage in PAGED]
    if progress.history is not None:
        parts.append(progress.history)
    failed = progress.status is StoreStatus.FAILED and not left_us
    cancelled = progress.status is StoreStatus.CANCELLED and not left_us
    auth = left_us or (failed and progress.error_kind == "auth")
    paused = progress.status is StoreStatus.PAUSED
    stopped = failed_stage(progress)
    return SettingsView(
        there=True,
        headline=headline,
        lead=lead,
        parts=tuple(_part(at, now=now, tz=tz) for at in parts),
        manual="" if left_us else manual_sentence(manual_left, manual_next_at, tz=tz),
        schedule="" if left_us else schedule(progress, tz=tz),
        resync=resync_sentence(full_sync_s),
        can_choose=not left_us,
        orders_since=progress.orders_since.value,
        orders_note=_orders_note(progress),
        customers=progress.reads_customers,
        customers_note=_customers_note(progress, now=now, tz=tz),
        can_sync=manual_left > 0 and not (busy or paused or left_us or auth),
        can_start_over=(failed and not auth) or cancelled,
        syncing=busy,
        can_pause=not (paused or left_us),
        paused=paused and not left_us,
        setup_href="" if left_us else f"/onboarding?shop={shop_param}&step=2",
        retry_label=(
            (f"Retry {NAMES[stopped.stage]}" if stopped else "Retry")
            if failed and not auth
            else "Go on"
            if cancelled
            else ""
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


def schedule(progress: StoreProgress, *, tz: tzinfo) -> str:
    """ "Every night at about 03:40." """
    if progress.nightly_at is None:
        return "Every night, once the first sync has found your quiet hour."
    at = progress.nightly_at.astimezone(tz)
    often = "night" if at.hour < 7 or at.hour >= 21 else "day"
    each = f"Every {often} at about {at:%H:%M}."
    if progress.polled:
        return f"Every 15 minutes for what changed. {each}"
    return each


def resync_sentence(took_s: float | None) -> str:
    """What reading everything again costs and what it leaves alone."""
    about = f", about {wording.duration(took_s)}" if took_s is not None else ""
    return f"Re-reads everything{about}. Current numbers stay until it is done."


def chosen(before: Selection, after: Selection, *, reads: bool) -> str:
    """What a change of the choice brings, in one sentence."""
    if before == after:
        return ""
    if before.customers and not after.customers:
        return "Customers are not read any more. Those that are stored stay."
    if reads:
        what = "Customers" if after.customers and not before.customers else "Older orders"
        return f"{what} are read now, in the background."
    return "Kept. It holds for everything that is read from now on; what is stored stays."


def _orders_note(progress: StoreProgress) -> str:
    if progress.orders_since is OrdersSince.ALL:
        return ""
    return "Older orders that are stored already stay, and are kept up to date."


def _customers_note(progress: StoreProgress, *, now: datetime, tz: tzinfo) -> str:
    if progress.reads_customers:
        return ""
    if progress.customers_read_at is None:
        return "Customers are not read. Repeat purchases by customer stay empty."
    when = wording.moment(progress.customers_read_at, now, tz)
    return f"Customers are not read any more. Those of {when} stay stored."


def _headline(progress: StoreProgress, *, shop: str, now: datetime, tz: tzinfo) -> tuple[str, str]:
    if progress.uninstalled_at is not None:
        return "This store has left.", gone(progress, shop=shop, tz=tz)
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
            words = paused_words(progress.paused_by, progress.paused_at, now=now, tz=tz)
            return "This store is paused.", words
        case StoreStatus.CANCELLED:
            return "The last sync was stopped.", stopped_by(progress, now=now, tz=tz)
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
