"""The command center, from figures, progress and a moment: each part real, held or sample."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Any, Final

from brandmind.commerce.money import to_decimal
from brandmind.services.dashboard import CommandCenter, DayFigures, Kpis, apart, changed
from brandmind.state import wording
from brandmind.state.definitions import MEANINGS, TITLES
from brandmind.state.ranges import Range, compare_links, range_links
from brandmind.state.sight import Sight, closed
from brandmind.state.stage_view import NAMES, tally
from brandmind.state.status_view import SAMPLE_BANNER, banner, history_line
from brandmind.state.views import (
    BannerView,
    ChartView,
    CommandCenterView,
    KpiView,
    OrderRowView,
    ProductRowView,
)
from brandmind.sync.progress import StageProgress, StoreProgress
from brandmind.sync.selection import CUSTOMERS_OFF, OrdersSince
from brandmind.sync.stages import RunStatus, Stage, StageState

FEW_ORDERS: Final = 10
_NOT_READ: Final = "Customers are not read yet."
_STATUS: Final = {
    "PAID": "Paid",
    "PENDING": "Pending",
    "AUTHORIZED": "Authorised",
    "PARTIALLY_PAID": "Partly paid",
    "PARTIALLY_REFUNDED": "Partly refunded",
    "REFUNDED": "Refunded",
    "VOIDED": "Voided",
    "EXPIRED": "Expired",
}


@dataclass(frozen=True, slots=True)
class Mode:
    """How a part of the page stands, and the words for it."""

    mode: str
    note: str = ""


REAL: Final = Mode("real")
SAMPLE: Final = Mode("sample")
# A tab is sent all that its state holds, so what is not shown must not be in it.
_UNSEEN: Final = frozenset({"hold", "failed", "closed"})


def command_center(
    figures: CommandCenter,
    progress: StoreProgress | None,
    sampled: CommandCenter,
    *,
    at: Range,
    shop: str,
    shop_param: str,
    sight: Sight,
    left_s: float | None,
    now: datetime,
    tz: tzinfo,
    installed: bool = True,
) -> CommandCenterView:
    """The whole page. `progress` None: the sample shop. `sampled`: its figures for the range,
    shown, labelled, where a part of the real store has not been read yet."""
    orders = _order_mode(figures, progress, sight)
    kpis = figures.kpis
    new = _customer_mode(figures, orders, progress, sight, told=kpis.new_customers is not None)
    returning = _customer_mode(
        figures, orders, progress, sight, told=kpis.repeat_customers is not None
    )
    products = _product_mode(orders, sight)
    table = _table_mode(figures, progress, sight)
    few = orders.mode == "real" and 0 < kpis.orders < FEW_ORDERS
    modes = dict.fromkeys(TITLES, orders) | {"new": new, "returning": returning}
    return CommandCenterView(
        there=True,
        range_label=at.label,
        compare_label=_compare_label(at),
        ranges=range_links(at, shop_param=shop_param),
        compares=compare_links(at, shop_param=shop_param),
        shop_param=shop_param,
        date_from=at.date_from.isoformat(),
        date_to=at.date_to.isoformat(),
        compare_param=at.compare or "none",
        dates=(
            f"{wording.day(at.date_from, year=at.date_from.year != at.date_to.year)} to "
            f"{wording.day(at.date_to, year=True)}. Days begin and end in the shop's time zone, "
            f"{figures.timezone.replace('_', ' ')}."
        ),
        banner=(
            BannerView(
                tone="lilac",
                text=SAMPLE_BANNER,
                act="link",
                label="Connect your own",
                href="/connect",
            )
            if progress is None
            else banner(
                progress,
                shop=shop,
                shop_param=shop_param,
                left_s=left_s,
                now=now,
                tz=tz,
                installed=installed,
            )
        ),
        history=_orders_line(figures, progress, at=at, tz=tz) if progress else "",
        history_percent=_history_percent(progress),
        kpis=tuple(_kpis(figures, sampled, modes=modes, at=at, few=few)),
        chart=_chart(sampled if orders.mode == "sample" else figures, orders, at=at),
        products_mode=products.mode,
        products_note=products.note,
        products=_products(sampled if products.mode == "sample" else figures, products),
        orders_mode=table.mode,
        orders_note=table.note,
        orders=_orders(sampled if table.mode == "sample" else figures, table, now=now, tz=tz),
        currencies=(
            f"Orders in {wording.listed(list(figures.other_currencies))} are not added up here."
            if figures.other_currencies and sight.orders
            else ""
        ),
    )


def _orders_line(figures: CommandCenter, progress: StoreProgress, *, at: Range, tz: tzinfo) -> str:
    """What is still to come of older orders, or that they were not chosen."""
    coming = history_line(progress)
    if coming or progress.orders_since is OrdersSince.ALL or figures.stored_from is None:
        return coming
    if figures.stored_from <= at.date_from or progress.last_synced_at is None:
        return ""
    since = wording.day(figures.stored_from, year=True)
    return f"Orders are read from {since} on, as you chose. Settings can read older ones."


def _closed(what: str) -> Mode:
    return Mode("closed", closed(what))


def _order_mode(figures: CommandCenter, progress: StoreProgress | None, sight: Sight) -> Mode:
    if progress is None:
        return SAMPLE
    if not sight.orders:
        return _closed("orders")
    stage = progress.stage(Stage.ORDERS)
    covered = figures.stored_from is not None and figures.stored_from <= figures.date_from
    if stage is not None and stage.state is StageState.RESTRICTED and figures.stored_from is None:
        return Mode("closed", stage.note or "Your Shopify account may not see orders.")
    # After a first whole reading the stored figures are good, whatever runs now.
    if stage is None or progress.last_synced_at is not None or not progress.first:
        return REAL
    match stage.state:
        case StageState.DONE | StageState.GAP | StageState.RESTRICTED:
            return REAL
        case StageState.RUNNING:
            return REAL if covered else Mode("hold", f"{tally(stage)} read")
        case StageState.FAILED:
            return Mode("real", "not updated") if covered else Mode("failed", _could_not(stage))
        case _:
            return Mode("sample", "after orders")


def _customer_mode(
    figures: CommandCenter,
    orders: Mode,
    progress: StoreProgress | None,
    sight: Sight,
    *,
    told: bool,
) -> Mode:
    """How a card about customers stands; `told`: the stored figures tell what it says."""
    if progress is None:
        return SAMPLE
    if not sight.customers:
        return _closed("customers")
    stored = orders if told or orders.mode != "real" else _untold_customers(progress)
    if not progress.reads_customers:
        return stored if progress.customers_read_at else Mode("closed", CUSTOMERS_OFF)
    if hidden := _hidden_customers(figures, progress):
        return Mode("closed", hidden)
    stage = progress.stage(Stage.CUSTOMERS)
    if stage is None or progress.last_synced_at is not None or not progress.first:
        return stored
    match stage.state:
        case StageState.DONE | StageState.GAP:
            return stored
        case StageState.RESTRICTED:
            return Mode("closed", stage.note or "Your Shopify account may not see customers.")
        case StageState.RUNNING:
            return Mode("hold", f"{tally(stage)} read")
        case StageState.FAILED:
            return Mode("failed", _could_not(stage))
        case _:
            return Mode("sample", "after customers")


def _untold_customers(progress: StoreProgress) -> Mode:
    """Why nobody can tell who is new, while orders stand: their customers are not read."""
    if not progress.reads_customers:
        return Mode("closed", CUSTOMERS_OFF)
    stage = progress.stage(Stage.CUSTOMERS)
    state = stage.state if stage is not None else None
    if stage is not None and state is StageState.RESTRICTED:
        return Mode("closed", stage.note or "Your Shopify account may not see customers.")
    if stage is not None and state is StageState.RUNNING:
        return Mode("hold", f"{tally(stage)} read")
    if state is StageState.FAILED or progress.run_status is RunStatus.FAILED:
        return Mode("failed", "Could not read customers.")
    return Mode("closed", _NOT_READ)


def _hidden_customers(figures: CommandCenter, progress: StoreProgress) -> str:
    """Why orders come without their customers; "": they do not. Nobody would then be called 0."""
    if figures.kpis.customers:
        return ""
    for name in (Stage.CUSTOMERS, Stage.ORDERS):
        stage = progress.stage(name)
        if stage is not None and stage.state is StageState.RESTRICTED:
            return stage.note or "Your Shopify account may not see customers."
    return ""


def _product_mode(orders: Mode, sight: Sight) -> Mode:
    return orders if sight.products else _closed("products")


def _table_mode(figures: CommandCenter, progress: StoreProgress | None, sight: Sight) -> Mode:
    """Tables show what has come in so far, with "still loading"."""
    if progress is None:
        return SAMPLE
    if not sight.orders:
        return _closed("orders")
    stage = progress.stage(Stage.ORDERS)
    rows = bool(figures.recent_orders)
    if stage is not None and stage.state is StageState.RESTRICTED and not rows:
        return Mode("closed", stage.note or "Your Shopify account may not see orders.")
    if stage is None or progress.last_synced_at is not None or not progress.first:
        return REAL
    match stage.state:
        case StageState.DONE | StageState.GAP | StageState.RESTRICTED:
            return REAL
        case StageState.RUNNING:
            return Mode("real", "still loading") if rows else Mode("hold", "")
        case StageState.FAILED:
            return Mode("real", "not updated") if rows else Mode("failed", _could_not(stage))
        case _:
            return Mode("sample", "after orders")


def _could_not(stage: StageProgress) -> str:
    return f"Could not read {NAMES[stage.stage]}."


def _compare_label(at: Range) -> str:
    match at.compare:
        case "previous":
            return "vs the days before"
        case "year":
            return "vs last year"
        case _:
            return ""


def _history_percent(progress: StoreProgress | None) -> int:
    at = progress.history if progress else None
    if at is None or not at.total:
        return 0
    return min(100, 100 * at.done // at.total)


def _kpis(
    figures: CommandCenter,
    sampled: CommandCenter,
    *,
    modes: Mapping[str, Mode],
    at: Range,
    few: bool,
) -> Iterable[KpiView]:
    for key, mode in modes.items():
        source = sampled if mode.mode == "sample" else figures
        note = mode.note
        if few and mode.mode == "real" and not note:
            note = f"{wording.counted(figures.kpis.orders, 'order')} so far"
        if mode.mode in _UNSEEN:
            yield KpiView(
                key=key,
                title=TITLES[key],
                definition=MEANINGS[key],
                mode=mode.mode,
                note=note,
            )
            continue
        view = _kpi(key, source, mode=mode.mode, note=note, at=at)
        if mode.mode == "sample" and note:
            # What it waits for stands where a card of the shop's own has these words: the figure
            # that takes its place moves nothing.
            view = replace(view, rest="", detail="")
        yield view


def _kpi(key: str, center: CommandCenter, *, mode: str, note: str, at: Range) -> KpiView:
    now, then, currency = center.kpis, center.compared, center.currency
    spark, detail, value = "", "", "–"
    current: float | None
    before: float | None
    points = False
    # More of these is not simply better or worse, so their change has no colour.
    neutral = key == "aov"
    match key:
        case "net":
            current, before = now.net_minor, then.net_minor if then else None
            value = wording.headline_money(now.net_minor, currency)
            spark = spark_path([day.net_minor for day in center.days])
        case "orders":
            current, before = now.orders, then.orders if then else None
            value = wording.number(now.orders)
            spark = spark_path([day.orders for day in center.days])
        case "aov":
            current, before = now.aov_minor, then.aov_minor if then else None
            value = "–" if now.aov_minor is None else wording.money(now.aov_minor, currency)
            spark = spark_path([_day_aov(day) for day in center.days if day.orders])
        case "new":
            current, before = now.new_customers, then.new_customers if then else None
            value = "–" if now.new_customers is None else wording.number(now.new_customers)
            detail = f"of {wording.counted(now.customers, 'customer')}" if now.customers else ""
            spark = spark_path([day.new_customers for day in center.days])
        case "returning":
            points = True
            current = now.returning_customer_rate
            before = then.returning_customer_rate if then else None
            value = "–" if current is None else wording.percent(current)
            if now.customers and now.repeat_customers is not None:
                detail = (
                    f"{wording.number(now.repeat_customers)} of {wording.number(now.customers)}"
                )
            spark = spark_path(_known(day.returning_customer_rate for day in center.days))
        case _:
            points = True
            current, before = now.refund_rate, then.refund_rate if then else None
            value = "–" if current is None else wording.percent(current)
            detail = _window(now)
            spark = spark_path(_known(center.refund_rates))
    change, tone = _change(current, before, points=points)
    if key == "refunds":
        tone = {"up": "down", "down": "up"}.get(tone, tone)
    if neutral and tone == "down" and change.startswith("down 0"):
        tone = "flat"
    rest = f"on {at.before}" if change and not change.startswith("same") else ""
    if change.startswith("same"):
        rest = f"as {at.before}"
    return KpiView(
        key=key,
        title=TITLES[key],
        definition=MEANINGS[key],
        mode=mode,
        value=value,
        change=change,
        tone=tone,
        rest=rest,
        spark=spark,
        detail=detail,
        note=note,
    )


def _day_aov(day: DayFigures) -> int:
    return (day.gross_minor + day.discounts_minor) // day.orders


def _window(kpis: Kpis) -> str:
    first, last = kpis.refund_window
    if first == last:
        return wording.day(first)
    return f"{wording.day(first)} to {wording.day(last)}"


def _known(rates: Iterable[float | None]) -> list[float]:
    return [rate for rate in rates if rate is not None]


def _change(now: float | None, before: float | None, *, points: bool) -> tuple[str, str]:
    """ "up 12%" and its tone; rates change in points; no word where there is no comparison."""
    if points:
        moved = apart(now, before)
        if moved is None:
            return "", "flat"
        if abs(moved) * 100 < 0.05:
            return "same", "flat"
        word = "up" if moved > 0 else "down"
        return f"{word} {abs(moved) * 100:.1f} points", word
    share = changed(now, before)
    if share is None:
        return "", "flat"
    if abs(share) < 0.0005:
        return "same", "flat"
    word = "up" if share > 0 else "down"
    size = abs(share) * 100
    return f"{word} {size:.1f}%" if size < 10 else f"{word} {size:,.0f}%", word


def spark_path(values: Sequence[float], *, width: int = 120, height: int = 26) -> str:
    """An SVG path through the values (at most 40 of them), empty below two."""
    if len(values) < 2:
        return ""
    step = max(1, -(-len(values) // 40))
    grouped = [
        sum(values[start : start + step]) / len(values[start : start + step])
        for start in range(0, len(values), step)
    ]
    if len(grouped) < 2:
        return ""
    low, high = min(grouped), max(grouped)
    spread = (high - low) or 1
    pieces = [
        f"{width * index / (len(grouped) - 1):.1f} "
        f"{2 + (height - 4) * (1 - (value - low) / spread):.1f}"
        for index, value in enumerate(grouped)
    ]
    return "M" + "L".join(pieces)


def _chart(center: CommandCenter, mode: Mode, *, at: Range) -> ChartView:
    if mode.mode in _UNSEEN:
        return ChartView(mode=mode.mode, note=mode.note)
    currency = center.currency
    points: list[dict[str, Any]] = []
    for index, day in enumerate(center.days):
        before = center.compared_days[index] if index < len(center.compared_days) else None
        points.append(
            {
                "day": wording.day(day.day),
                "net": float(to_decimal(day.net_minor, currency)),
                "net_text": wording.money(day.net_minor, currency),
                "orders": wording.number(day.orders),
                "before": float(to_decimal(before.net_minor, currency)) if before else None,
                "before_text": wording.money(before.net_minor, currency) if before else "",
                "before_day": wording.day(before.day, year=True) if before else "",
            }
        )
    values = [day.net_minor for day in (*center.days, *center.compared_days)]
    ticks, ends = axis(min(values, default=0), max(values, default=0))
    empty = ""
    if not any(day.orders or day.net_minor for day in center.days):
        empty = "No orders in these days."
    scale = to_decimal(1, currency)
    return ChartView(
        mode=mode.mode,
        note=mode.note,
        empty=empty,
        legend="these days",
        compared=at.before if center.compared_days else "",
        points=points,
        ticks=[float(tick * scale) for tick in ticks],
        span=[float(end * scale) for end in ends],
        tick_words={
            _js_number(tick * scale): wording.short_money(tick, currency) for tick in ticks
        },
        total=wording.money(center.kpis.net_minor, currency),
    )


def axis(low: int, high: int) -> tuple[list[int], tuple[int, int]]:
    """A few round steps with zero among them, and the ends of the axis.

    The axis ends at the last step above. Below zero it ends at a step only where that leaves
    little empty: one slightly negative day takes the room that it needs.
    """
    low, high = min(0, low), max(0, high)
    step = _step(max(1, high - low if -10 * low > high else high))
    ticks = [at * step for at in range(-(-low // step), -(-high // step) + 1)]
    if len(ticks) == 1 and not low:
        ticks.append(step)
    below = ticks[0] - low
    if below > step // 2:
        ticks.insert(0, ticks[0] - step)
    return ticks, (min(low, ticks[0]), ticks[-1])


def _step(size: int) -> int:
    """The round step of which three to six leave the least room above `size`."""
    power = 10 ** max(0, len(str(size)) - 2)
    steps = [power * by for by in (1, 2, 5, 10, 20, 25, 50)]
    fitting = [step for step in steps if 3 <= -(-size // step) <= 6]
    return min(fitting, key=lambda step: (-size % step, -step), default=max(1, -(-size // 4)))


def _js_number(value: Any) -> str:
    """The number as JavaScript writes it: the key a chart looks its words up by."""
    return f"{value.normalize():f}" if value else "0"


def _products(center: CommandCenter, mode: Mode) -> tuple[ProductRowView, ...]:
    if mode.mode in _UNSEEN:
        return ()
    best = max((row.net_minor for row in center.top_products), default=0)
    return tuple(
        ProductRowView(
            title=row.title,
            net=wording.money(row.net_minor, center.currency, whole=abs(row.net_minor) >= 100_000),
            units=wording.number(row.units),
            share="–" if row.share is None else wording.percent(row.share),
            width=max(0, round(100 * row.net_minor / best)) if best > 0 else 0,
            returned="–" if row.return_rate is None else wording.percent(row.return_rate),
        )
        for row in center.top_products[:6]
    )


def _orders(
    center: CommandCenter, mode: Mode, *, now: datetime, tz: tzinfo
) -> tuple[OrderRowView, ...]:
    if mode.mode in _UNSEEN:
        return ()
    rows = []
    for row in center.recent_orders[:6]:
        status = _STATUS.get(row.financial_status or "", (row.financial_status or "").capitalize())
        if row.cancelled:
            status = "Cancelled"
        if row.test:
            status = "Test, not counted"
        rows.append(
            OrderRowView(
                name=row.name,
                at=wording.moment(row.processed_at, now, tz).removesuffix(" UTC"),
                at_title=wording.full_moment(row.processed_at, tz),
                units=wording.number(row.units),
                net=wording.money(row.net_minor, row.currency),
                total=wording.money(row.total_minor, row.currency),
                status=status,
            )
        )
    return tuple(rows)
