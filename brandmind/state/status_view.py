"""A store's state in one pill and, where something needs saying, one banner."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import Final

from brandmind.state import wording
from brandmind.state.stage_view import NAMES, ONE, failed_stage, percent_of, tally
from brandmind.state.views import BannerView, PillView
from brandmind.sync.progress import StageProgress, StoreProgress
from brandmind.sync.stages import PAGED, Stage, StageState, StoreStatus

STALE_AFTER: Final = timedelta(hours=26)
SAMPLE_BANNER: Final = "You are looking at a sample shop."
SAMPLE_CARDS_BANNER: Final = (
    "You are looking at a sample shop. Your own numbers replace each card as it finishes."
)
UNAVAILABLE: Final = "Shopify is not answering right now. We keep trying; nothing is lost."
EXPORTING: Final = "Shopify is preparing an export. Continuing by itself."
SLOWED: Final = "Shopify asked us to slow down. Continuing by itself."
READY: Final = "Your numbers are ready."
RECONNECT: Final = "Shopify access was withdrawn or expired. Reconnect to go on."


def pill(progress: StoreProgress, *, now: datetime, tz: tzinfo) -> PillView:
    """The freshness of a store's numbers, or what is being read right now."""
    at = running_stage(progress)
    if progress.status is StoreStatus.IN_PROGRESS and at is not None:
        if at.stage in PAGED and at.total:
            text = f"Reading {NAMES[at.stage]}, {percent_of(at)}%"
        elif at.stage is Stage.FIGURES:
            text = "Reading your DNA"
        else:
            text = f"Reading {NAMES[at.stage]}" if at.stage in PAGED else "Connecting"
        return PillView(tone="amber", text=text)
    if progress.status is StoreStatus.PENDING or (
        progress.status is StoreStatus.IN_PROGRESS and progress.last_synced_at is None
    ):
        return PillView(tone="amber", text="Waiting for its turn")
    if progress.status is StoreStatus.FAILED:
        stopped = failed_stage(progress)
        name = NAMES[stopped.stage] if stopped else "the sync"
        return PillView(tone="red", text=f"{name[:1].upper()}{name[1:]} stopped")
    if progress.status is StoreStatus.PAUSED:
        return PillView(tone="grey", text="Paused")
    last = progress.last_synced_at
    if last is None:
        return PillView(tone="grey", text="Not synced yet")
    title = f"Last synced {wording.full_moment(last, tz)}"
    if now - last > STALE_AFTER:
        when = wording.moment(last, now, tz)
        return PillView(tone="warn", text=f"Out of date: last synced {when}", title=title)
    changed = progress.changed_at
    if changed is not None and changed > last:
        # What a webhook brought is as fresh as what a sync did; only a sync proves the whole.
        title = f"Last change {wording.full_moment(changed, tz)}. {title}"
        last = changed
    return PillView(
        tone="green", text=f"Synced {wording.ago(last, now)}", at=last.isoformat(), title=title
    )


def running_stage(progress: StoreProgress) -> StageProgress | None:
    """The front stage being read now."""
    return next((at for at in progress.stages if at.state is StageState.RUNNING), None)


def done_names(progress: StoreProgress) -> list[str]:
    """The parts already read to their end, as words."""
    return [
        NAMES[at.stage]
        for at in progress.stages
        if at.stage in PAGED and at.state in (StageState.DONE, StageState.GAP)
    ]


def stopped_headline(progress: StoreProgress) -> str:
    """ "Customers stopped at 3,100 of 5,400." """
    stopped = failed_stage(progress)
    if stopped is None:
        return "The sync stopped."
    name = NAMES[stopped.stage]
    name = name[:1].upper() + name[1:]
    if stopped.stage not in PAGED or (not stopped.done and stopped.total is None):
        return f"{name} stopped."
    return f"{name} stopped at {tally(stopped)}."


def stopped_reason(progress: StoreProgress, *, now: datetime, tz: tzinfo) -> str:
    """Why it stopped, that nothing was lost, and when it goes on by itself."""
    stopped = failed_stage(progress)
    tries = max(progress.attempt, stopped.attempts if stopped else 0)
    if progress.error_kind in ("transient", "throttled", None) and tries:
        why = f"Shopify did not answer after {wording.counted(tries, 'try', 'tries')}."
    else:
        why = progress.error or "Something on our side went wrong."
    safe = "Nothing was lost"
    if stopped is not None and stopped.stage in ONE:
        safe += f"; we continue from {ONE[stopped.stage]} {wording.number(stopped.done + 1)}."
    else:
        safe += "."
    again = ""
    if progress.next_try_at is not None and progress.next_try_at > now:
        again = f" We try again at {wording.clock(progress.next_try_at, tz)}."
    return f"{why} {safe}{again}"


def stopped_by(progress: StoreProgress, *, now: datetime, tz: tzinfo) -> str:
    """ "Stopped by Alice Harbor at 14:02. What was read is kept." """
    who = f" by {progress.ended_by}" if progress.ended_by else ""
    when = f", {wording.moment(progress.finished_at, now, tz)}" if progress.finished_at else ""
    return f"Stopped{who}{when}. What was read is kept."


def paused_words(by: str | None, at: datetime | None, *, now: datetime, tz: tzinfo) -> str:
    """ "Paused by Olga on 25 Nov, 14:02. Nothing is read meanwhile, and nothing is lost." """
    who = f" by {by}" if by else ""
    when = ""
    if at is not None:
        local = at.astimezone(tz).date()
        year = local.year != now.astimezone(tz).year
        when = f" on {wording.day(local, year=year)}, {wording.clock(at, tz)}"
    return f"Paused{who}{when}. Nothing is read meanwhile, and nothing is lost."


def gone(progress: StoreProgress, *, shop: str, tz: tzinfo) -> str:
    """What becomes of the data of a store that has left, and when."""
    if progress.uninstalled_at is None or progress.erase_at is None:
        return (
            f"BrandMind was uninstalled from {shop}. Its data will be deleted about two days "
            "after that."
        )
    left, erased = (
        wording.day(at.astimezone(tz).date()) for at in (progress.uninstalled_at, progress.erase_at)
    )
    return f"BrandMind was uninstalled from {shop} on {left}. Its data will be deleted on {erased}."


def _is_away(progress: StoreProgress) -> bool:
    """Whether Shopify did not answer when it was last asked; being asked again ends it not yet."""
    failed_last = progress.attempt > 0 and progress.error_kind == "transient"
    return progress.waiting == "unavailable" or (progress.waiting is None and failed_last)


def waiting_note(progress: StoreProgress, *, stalled: bool, now: datetime, tz: tzinfo) -> str:
    """Why nothing moves, if nothing moves."""
    if progress.waiting == "throttled":
        return SLOWED
    if _is_away(progress):
        return UNAVAILABLE
    if progress.waiting == "bulk":
        return progress.error or EXPORTING
    if progress.waiting:
        return progress.waiting
    return SLOWED if stalled else ""


def gap_sentence(progress: StoreProgress) -> str:
    """ "Orders are 12 short of Shopify's count. We look again tonight." """
    for at in progress.stages:
        short = (at.total or 0) - at.done
        if at.state is StageState.GAP and short > 0:
            name = NAMES[at.stage]
            return (
                f"{name[:1].upper()}{name[1:]} are {wording.number(short)} short of Shopify's "
                "count. We look again tonight."
            )
    return "A few records are short of Shopify's count. We look again tonight."


def banner(
    progress: StoreProgress,
    *,
    shop: str,
    shop_param: str,
    left_s: float | None,
    now: datetime,
    tz: tzinfo,
    installed: bool = True,
) -> BannerView:
    """What to say above the command center; an empty banner where all is well."""
    view = f"/syncing?shop={shop_param}"
    if not installed or progress.uninstalled_at is not None:
        return BannerView(
            tone="red",
            text=gone(progress, shop=shop, tz=tz),
            act="link",
            label="Reconnect",
            href=f"/auth/connect?shop={shop_param}&reconnect=1",
        )
    if progress.status is StoreStatus.PENDING:
        if not progress.first:
            return BannerView()
        return BannerView(
            tone="info",
            text=f"{shop} is connected. Your first sync starts now.",
            act="link",
            label="View progress",
            href=view,
        )
    if progress.status is StoreStatus.IN_PROGRESS:
        if not progress.first:
            return BannerView()
        return BannerView(
            tone="info",
            text=reading_sentence(progress, left_s=left_s),
            act="link",
            label="View progress",
            href=view,
        )
    if progress.status is StoreStatus.FAILED:
        if progress.error_kind == "auth":
            return BannerView(
                tone="red",
                text=RECONNECT,
                act="link",
                label="Reconnect",
                href=f"/auth/connect?shop={shop_param}&reconnect=1",
            )
        ready = done_names(progress)
        stopped = failed_stage(progress)
        label = f"Retry {NAMES[stopped.stage]}" if stopped else "Retry"
        if ready and progress.first:
            verb = "is" if len(ready) == 1 and not ready[0].endswith("s") else "are"
            text = f"{wording.listed(ready)} {verb} ready. {stopped_headline(progress)}"
            tone = "amber"
        else:
            text, tone = stopped_reason(progress, now=now, tz=tz), "red"
            label = "Retry"
        return BannerView(
            tone=tone, text=text, act="retry", label=label, more_label="Details", more_href=view
        )
    if progress.status is StoreStatus.PAUSED:
        return BannerView(
            tone="note",
            text=paused_words(progress.paused_by, progress.paused_at, now=now, tz=tz),
            act="resume",
            label="Go on",
        )
    if progress.status is StoreStatus.CANCELLED:
        return BannerView(
            tone="amber",
            text=stopped_by(progress, now=now, tz=tz),
            act="retry",
            label="Go on",
        )
    if progress.status is StoreStatus.PARTIAL and progress.reason == "gap":
        return BannerView(tone="amber", text=gap_sentence(progress), act="sync", label="Sync now")
    last = progress.last_synced_at
    if last is not None and now - last > STALE_AFTER:
        return BannerView(
            tone="amber",
            text=f"Numbers are from {wording.moment(last, now, tz)}.",
            act="sync",
            label="Sync now",
        )
    restricted = next((at for at in progress.stages if at.state is StageState.RESTRICTED), None)
    if restricted is not None:
        return BannerView(
            tone="note",
            text=restricted.note or f"Your Shopify account may not see {NAMES[restricted.stage]}.",
        )
    return BannerView()


def room_kept(now: BannerView, *, before: BannerView, shop_param: str) -> BannerView:
    """What stands above a page that stays open, `before` being what stood there until now.

    Where the first sync it told of is done, it says so in the same room: were it to go, all that
    is under it would jump at the moment somebody has waited for.
    """
    if now.text or before.tone != "info":
        return now
    return BannerView(
        tone="info", text=READY, act="link", label="Your Store DNA", href=f"/dna?shop={shop_param}"
    )


def reading_sentence(progress: StoreProgress, *, left_s: float | None) -> str:
    """ "Reading orders: 4,210 of 12,000. About 4 min left. You can leave this page." """
    at = running_stage(progress)
    if _is_away(progress):
        return UNAVAILABLE
    if at is None or at.stage not in PAGED:
        text = "Reading your DNA." if at and at.stage is Stage.FIGURES else "Connecting."
    else:
        text = f"Reading {NAMES[at.stage]}: {tally(at)}."
    if left_s is not None:
        left = wording.time_left(left_s)
        text += f" {left[:1].upper()}{left[1:]} left."
    return f"{text} You can leave this page."


def history_line(progress: StoreProgress) -> str:
    """ "Older orders: 12,400 of 31,600, in the background", empty when there are none to come."""
    at = progress.history
    if at is None or at.state not in (StageState.RUNNING, StageState.QUEUED):
        return ""
    if at.state is StageState.QUEUED and progress.status is not StoreStatus.PARTIAL:
        # Their turn comes after what is being read now; the stage list says so.
        return ""
    if at.total is None:
        return "Older orders: in the background"
    return f"Older orders: {tally(at)}, in the background"
