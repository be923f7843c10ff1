"""The waiting room, from a store's progress and a moment."""

from __future__ import annotations

from datetime import date, datetime, tzinfo
from typing import Final

from brandmind.services.dashboard import ReadyNow
from brandmind.state import wording
from brandmind.state.pace import RECOMPUTE_S, Pace
from brandmind.state.sight import Sight, closed
from brandmind.state.stage_view import LABELS, NAMES, failed_stage, stage_views
from brandmind.state.status_view import (
    READY,
    RECONNECT,
    done_names,
    gap_sentence,
    gone,
    paused_words,
    running_stage,
    stopped_by,
    stopped_headline,
    stopped_reason,
    waiting_note,
)
from brandmind.state.views import BarView, FactView, MiniChartView, WaitingRoomView
from brandmind.sync.progress import StoreProgress
from brandmind.sync.stages import PAGED, Stage, StageState, StoreStatus

LEAVE: Final = "You can leave this page. We go on without you and write to you when it is ready."
_LIVE: Final = (StoreStatus.PENDING, StoreStatus.IN_PROGRESS)


class Watch:
    """What one open waiting room remembers: the paces, and what was last said aloud."""

    def __init__(self) -> None:
        self._run: str | None = None
        self.overall = Pace()
        self.stages: dict[Stage, Pace] = {}
        self._at_s = 0.0
        self._last: StoreProgress | None = None
        self._told: tuple[float, float] | None = None
        self._said_key: tuple[object, ...] = ()
        self._said = ""

    def saw(self, progress: StoreProgress, *, at_s: float) -> None:
        """Take in one progress at a moment of a clock that never goes back."""
        if progress.run_id != self._run:
            self._run, self.overall, self.stages = progress.run_id, Pace(), {}
        self._at_s = at_s
        if progress.left_s is None:
            self._told = None
        elif progress is not self._last and (
            self._told is None or at_s - self._told[0] >= RECOMPUTE_S
        ):
            self._told = (at_s, progress.left_s)
        self._last = progress
        self.overall.saw(progress.done, at_s=at_s)
        for at in (*progress.stages, *((progress.history,) if progress.history else ())):
            if at.state is StageState.RUNNING and at.stage in PAGED:
                self.stages.setdefault(at.stage, Pace()).saw(at.done, at_s=at_s)

    def left_s(self, progress: StoreProgress) -> float | None:
        """Seconds until the front stages are read, None while nobody can tell."""
        counted = [at for at in progress.stages if at.stage in PAGED]
        if any(at.total is None or not at.exact for at in counted if at.state in _OPEN):
            return None
        if self._told is not None:
            # Who reads knows what the shop allows: a pace would take its first rush for the rule.
            told_at, seconds = self._told
            return max(0.0, seconds - (self._at_s - told_at))
        return self.overall.left_s(
            sum(max(0, (at.total or 0) - at.done) + at.behind for at in counted)
        )

    def rates(self) -> dict[Stage, float | None]:
        """Rows a second of each stage seen running."""
        return {stage: pace.rate for stage, pace in self.stages.items()}

    def aloud(self, progress: StoreProgress, text: str) -> str:
        """The line for screen readers; it changes with the stage, each quarter and the end."""
        at = running_stage(progress)
        key = (progress.status, at.stage if at else None, progress.percent // 25)
        if key != self._said_key:
            self._said_key, self._said = key, text
        return self._said


_OPEN: Final = (StageState.QUEUED, StageState.RUNNING)


def waiting_room(
    progress: StoreProgress,
    ready: ReadyNow | None,
    watch: Watch,
    *,
    shop: str,
    shop_param: str,
    now: datetime,
    tz: tzinfo,
    sight: Sight,
    invited: tuple[str, str] = ("", ""),
) -> WaitingRoomView:
    """Everything the waiting room shows; `invited`: words and address of the set-up, if open."""
    left = watch.left_s(progress)
    headline, lead, ending = _headline(progress, left=left, shop=shop, now=now, tz=tz)
    live = progress.status in _LIVE
    at = running_stage(progress)
    stalled = live and at is not None and at.stage in PAGED and watch.overall.stalled
    percent = 100 if ending == "done" else max(0, min(100, progress.percent))
    act_label, act_href = "", ""
    if ending == "failed":
        stopped = failed_stage(progress)
        act_label = f"Retry {NAMES[stopped.stage]}" if stopped else "Retry"
    elif ending == "reconnect":
        act_label, act_href = "Reconnect", f"/auth/connect?shop={shop_param}&reconnect=1"
    elif ending == "done":
        act_label, act_href = "Open the command center", f"/command-center?shop={shop_param}"
    elif ending == "cancelled":
        act_label = "Go on reading"
    stages = stage_views(
        progress,
        shop=shop,
        now=now,
        tz=tz,
        rates=watch.rates(),
        variants=ready.variants if ready and sight.products else 0,
    )
    return WaitingRoomView(
        there=True,
        eyebrow=f"Reading {shop}" if live or ending == "failed" else shop,
        headline=headline,
        lead=lead,
        note=waiting_note(progress, stalled=stalled, now=now, tz=tz) if live else "",
        percent=percent,
        front=f"{percent / 100:.3f}",
        tally=_tally(progress, ending=ending),
        busy=live,
        stages=stages,
        ending=ending,
        act_label=act_label,
        act_href=act_href,
        what_happened=_what_happened(progress, now=now, tz=tz) if ending == "failed" else (),
        said=watch.aloud(progress, f"{headline} {percent}% read."),
        can_cancel=live,
        setup_label=invited[0] if ending != "reconnect" else "",
        setup_href=invited[1],
        center_href=f"/command-center?shop={shop_param}&look=1",
        # A tab is sent all that its state holds, so what is not for this person is not in it.
        prices=(
            price_ladder(ready) if sight.products else MiniChartView(closed=closed("products"))
        ),
        orders=(
            orders_so_far(ready, whole=_orders_done(progress))
            if sight.orders
            else MiniChartView(closed=closed("orders"))
        ),
        segments_after=_segments_after(progress, sight),
    )


def price_ladder(ready: ReadyNow | None) -> MiniChartView:
    """The prices of the variants as bars, once products are read."""
    if ready is None or not ready.price_bins or ready.currency is None:
        return MiniChartView()
    money, whole = wording.money, True
    low, high = ready.price_min_minor or 0, ready.price_max_minor or 0
    currency = ready.currency
    sentence = f"{wording.counted(ready.products, 'product')}, "
    if low == high:
        sentence += f"all at {money(low, currency)}."
    else:
        sentence += (
            f"from {money(low, currency, whole=whole)} to {money(high, currency, whole=whole)}."
        )
    p25, p75 = ready.price_p25_minor, ready.price_p75_minor
    if p25 is not None and p75 is not None and p25 < p75:
        sentence += (
            f" Most of your range sits between {money(p25, currency, whole=whole)} and "
            f"{money(p75, currency, whole=whole)}."
        )
    most = max(count for *_, count in ready.price_bins) or 1
    bars = tuple(
        BarView(
            height=_height(count, most),
            title=(
                f"{money(start, currency, whole=whole)} to {money(end, currency, whole=whole)}: "
                f"{wording.counted(count, 'variant')}"
            ),
        )
        for start, end, count in ready.price_bins
    )
    middle = ready.price_bins[len(ready.price_bins) // 2][0]
    first, last = ready.price_bins[0][0], ready.price_bins[-1][1]
    ticks = tuple(money(at, currency, whole=whole) for at in (first, middle, last))
    return MiniChartView(
        there=True, title="Your price ladder", sentence=sentence, bars=bars, ticks=ticks
    )


def orders_so_far(ready: ReadyNow | None, *, whole: bool = True) -> MiniChartView:
    """Orders a day, or a few days to a bar where a bar would get too thin.

    Such a bar is as high as the busiest of its days: the best day stands in the highest one, also
    where that has fewer days than the others.
    `whole` false: older ones are still to come, so nothing is called the first.
    """
    if ready is None or not ready.days or ready.best_day is None:
        return MiniChartView()
    days = ready.days
    step = max(1, -(-len(days) // 60))
    groups = [days[start : start + step] for start in range(0, len(days), step)]
    busiest = [max(count for _, count in group) for group in groups]
    most = max(busiest) or 1
    best_on, best_count = ready.best_day
    first = ready.first_order_day or days[0][0]
    since = f"First order of the last six months: {wording.day(first)}."
    if not whole:
        since = f"Read back to {wording.day(first)} so far."
    bars = tuple(
        BarView(
            height=_height(count, most),
            title=_bar_title(group, count),
            best=group[0][0] <= best_on <= group[-1][0],
        )
        for group, count in zip(groups, busiest, strict=True)
    )
    return MiniChartView(
        there=True,
        title="Orders so far",
        sentence=(
            f"{since} Best day: {wording.day(best_on)}, {wording.counted(best_count, 'order')}."
        ),
        bars=bars,
        ticks=(wording.day(days[0][0]), wording.day(days[-1][0])),
    )


def _bar_title(days: tuple[tuple[date, int], ...], busiest: int) -> str:
    orders = wording.counted(sum(count for _, count in days), "order")
    most = f", {wording.number(busiest)} on the busiest day" if len(days) > 1 and busiest else ""
    return f"{_span(days[0][0], days[-1][0])}: {orders}{most}"


def _headline(
    progress: StoreProgress, *, left: float | None, shop: str, now: datetime, tz: tzinfo
) -> tuple[str, str, str]:
    """The headline, the line below it and the ending."""
    status = progress.status
    if progress.uninstalled_at is not None:
        return "This store has left.", gone(progress, shop=shop, tz=tz), "reconnect"
    if status is StoreStatus.PENDING:
        if not progress.first:
            return "Waiting for its turn.", f"The sync starts by itself. {LEAVE}", ""
        return f"{shop} is connected.", f"Your first sync starts now. {LEAVE}", ""
    if status is StoreStatus.IN_PROGRESS:
        # A wait the shop asked for is part of the time left; one for its return is not.
        if left is not None and progress.waiting in (None, "throttled"):
            words = wording.time_left(left)
            return f"{words[:1].upper()}{words[1:]} left.", LEAVE, ""
        at = running_stage(progress)
        if at is None or at.stage is Stage.SHOP:
            return "Connecting to Shopify.", LEAVE, ""
        if at.stage in PAGED:
            return f"Reading your {NAMES[at.stage]}.", LEAVE, ""
        return "Reading your DNA.", LEAVE, ""
    if status is StoreStatus.FAILED:
        if progress.error_kind == "auth":
            headline, _, rest = RECONNECT.partition(". ")
            return f"{headline}.", f"{rest} Nothing was lost.", "reconnect"
        return stopped_headline(progress), stopped_reason(progress, now=now, tz=tz), "failed"
    if status is StoreStatus.CANCELLED:
        return "Reading was stopped.", stopped_by(progress, now=now, tz=tz), "cancelled"
    if status is StoreStatus.PAUSED:
        words = paused_words(progress.paused_by, progress.paused_at, now=now, tz=tz)
        return "This store is paused.", words, "paused"
    lead = "Every count was held against Shopify's own."
    if any(at.state is StageState.RESTRICTED for at in progress.stages):
        lead = "What Shopify shows BrandMind was held against its own counts."
    if progress.reason == "gap":
        lead = gap_sentence(progress)
    elif progress.history is not None and progress.history.state in _OPEN:
        lead = f"{lead} Older orders follow in the background."
    return READY, lead, "done"


def _tally(progress: StoreProgress, *, ending: str) -> str:
    if ending == "failed":
        ready = done_names(progress)
        if ready:
            verb = "is" if ready == ["Store DNA"] else "are"
            return f"{wording.listed(ready)} {verb} ready to use"
    if progress.total is None:
        return f"{wording.counted(progress.done, 'record')} so far" if progress.done else ""
    exact = all(at.exact for at in progress.stages if at.total is not None)
    if ending == "done":
        return wording.counted(progress.done, "record")
    total = wording.at_least(progress.total, exact=exact)
    return f"{wording.number(progress.done)} of {total} records"


def _what_happened(progress: StoreProgress, *, now: datetime, tz: tzinfo) -> tuple[FactView, ...]:
    stopped = failed_stage(progress)
    facts = [FactView("What", progress.error or "No answer")]
    if stopped is not None:
        facts.append(FactView("Where", LABELS.get(stopped.stage, NAMES[stopped.stage])))
    at = (stopped.finished_at if stopped else None) or progress.finished_at
    if at is not None:
        facts.append(FactView("When", wording.full_moment(at, tz)))
    tries = max(progress.attempt, stopped.attempts if stopped else 0)
    if tries:
        facts.append(FactView("Tries", wording.number(tries)))
    if progress.request_id:
        facts.append(FactView("Shopify's request id", progress.request_id))
    if progress.next_try_at is not None and progress.next_try_at > now:
        facts.append(FactView("Next try", wording.clock(progress.next_try_at, tz)))
    return tuple(facts)


def _segments_after(progress: StoreProgress, sight: Sight) -> str:
    at = progress.stage(Stage.CUSTOMERS)
    # Refused is as final as read: what never fills in must not wait here with a sample. And who
    # was read before has groups of their own.
    if (
        not progress.first
        or _customers_done(progress)
        or (at is not None and at.state is StageState.RESTRICTED)
    ):
        return ""
    if sight.orders and sight.customers:
        return "Fills in after customers."
    return closed("customers") if sight.orders else closed("orders")


def _customers_done(progress: StoreProgress) -> bool:
    at = progress.stage(Stage.CUSTOMERS)
    return at is not None and at.state in (StageState.DONE, StageState.GAP)


def _orders_done(progress: StoreProgress) -> bool:
    # A later sync reads changes only: the first one has read them all.
    if not progress.first:
        return True
    at = progress.stage(Stage.ORDERS)
    read = (StageState.DONE, StageState.GAP, StageState.RESTRICTED)
    return at is not None and at.state in read


def _height(count: int, most: int) -> int:
    return max(3, round(100 * count / most)) if count > 0 else 0


def _span(first: date, last: date) -> str:
    return wording.day(first) if first == last else f"{wording.day(first)} to {wording.day(last)}"
