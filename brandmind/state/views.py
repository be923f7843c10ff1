"""What the screens show: frozen, flat, every number already in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class LinkView:
    """A link with its words; `current` marks the one the page is on."""

    label: str = ""
    href: str = ""
    current: bool = False
    note: str = ""


@dataclass(frozen=True)
class PillView:
    """How fresh a store's numbers are. `tone`: green, amber, red or grey; `at` ticks by itself."""

    tone: str = "grey"
    text: str = ""
    at: str = ""
    title: str = ""


@dataclass(frozen=True)
class BannerView:
    """One sentence above a page with the one thing to do. `act`: "", link, retry, sync or
    resume.
    """

    tone: str = ""
    text: str = ""
    act: str = ""
    label: str = ""
    href: str = ""
    more_label: str = ""
    more_href: str = ""


@dataclass(frozen=True)
class ShellView:
    """The frame of every private page. `gate`: wait, open, signed_out, locked, missing or ended."""

    gate: str = "wait"
    gate_title: str = ""
    gate_text: str = ""
    gate_label: str = ""
    gate_href: str = ""
    sample: bool = False
    shop: str = ""
    who: str = ""
    role: str = ""
    stores: tuple[LinkView, ...] = ()
    nav: tuple[LinkView, ...] = ()
    # The same on a phone: four with short names, the others behind "More".
    bottom: tuple[LinkView, ...] = ()
    more: tuple[LinkView, ...] = ()
    # Where two stores stand beside each other; "" for whoever has only one.
    compare_href: str = ""
    pill: PillView = field(default_factory=PillView)
    can_sync: bool = False
    sync_label: str = "Sync now"


@dataclass(frozen=True)
class StageView:
    """One line of the stage list. `icon`: done, running, queued, failed, gap or skipped."""

    key: str = ""
    label: str = ""
    icon: str = "queued"
    word: str = ""
    detail: str = ""
    tries: str = ""
    elapsed: str = ""
    since: str = ""
    bar: bool = False
    percent: int = 0
    said: str = ""
    failed: bool = False


@dataclass(frozen=True)
class FactView:
    """A name and its value."""

    name: str = ""
    value: str = ""


@dataclass(frozen=True)
class BarView:
    """One bar of a small chart; `height` in percent of the box."""

    height: int = 0
    title: str = ""
    best: bool = False


@dataclass(frozen=True)
class MiniChartView:
    """A small bar chart with its sentence; `there` false: nothing to show yet, or, where `closed`
    says so, not for this person."""

    there: bool = False
    title: str = ""
    sentence: str = ""
    bars: tuple[BarView, ...] = ()
    ticks: tuple[str, ...] = ()
    closed: str = ""


@dataclass(frozen=True)
class WaitingRoomView:
    """The waiting room. `ending`: "", done, failed, reconnect, cancelled or paused."""

    there: bool = False
    eyebrow: str = ""
    headline: str = ""
    lead: str = ""
    note: str = ""
    percent: int = 0
    front: str = "0"
    tally: str = ""
    busy: bool = False
    stages: tuple[StageView, ...] = ()
    ending: str = ""
    act_label: str = ""
    act_href: str = ""
    what_happened: tuple[FactView, ...] = ()
    said: str = ""
    can_cancel: bool = False
    setup_label: str = ""
    setup_href: str = ""
    center_href: str = ""
    prices: MiniChartView = field(default_factory=MiniChartView)
    orders: MiniChartView = field(default_factory=MiniChartView)
    segments_after: str = ""


@dataclass(frozen=True)
class KpiView:
    """A figure. `mode`: real, hold (being read), sample, failed or closed (not for you)."""

    key: str = ""
    title: str = ""
    definition: str = ""
    mode: str = "hold"
    value: str = ""
    change: str = ""
    tone: str = "flat"
    rest: str = ""
    spark: str = ""
    detail: str = ""
    note: str = ""


@dataclass(frozen=True)
class ChartView:
    """Net sales over time; `points` have day, net, before and their words."""

    mode: str = "hold"
    note: str = ""
    empty: str = ""
    legend: str = ""
    compared: str = ""
    points: list[dict[str, Any]] = field(default_factory=list)
    ticks: list[float] = field(default_factory=list)
    span: list[float] = field(default_factory=list)
    tick_words: dict[str, str] = field(default_factory=dict)
    total: str = ""


@dataclass(frozen=True)
class ProductRowView:
    """A line of the table of top products; `width` in percent of the best one."""

    title: str = ""
    net: str = ""
    units: str = ""
    share: str = ""
    width: int = 0
    returned: str = ""


@dataclass(frozen=True)
class OrderRowView:
    """A line of the table of recent orders."""

    name: str = ""
    at: str = ""
    at_title: str = ""
    units: str = ""
    net: str = ""
    total: str = ""
    status: str = ""


@dataclass(frozen=True)
class CommandCenterView:
    """The command center of one store and range."""

    there: bool = False
    range_label: str = ""
    compare_label: str = ""
    ranges: tuple[LinkView, ...] = ()
    compares: tuple[LinkView, ...] = ()
    shop_param: str = ""
    date_from: str = ""
    date_to: str = ""
    dates: str = ""
    compare_param: str = ""
    banner: BannerView = field(default_factory=BannerView)
    history: str = ""
    history_percent: int = 0
    kpis: tuple[KpiView, ...] = ()
    chart: ChartView = field(default_factory=ChartView)
    products_mode: str = "hold"
    products_note: str = ""
    products: tuple[ProductRowView, ...] = ()
    orders_mode: str = "hold"
    orders_note: str = ""
    orders: tuple[OrderRowView, ...] = ()
    currencies: str = ""


@dataclass(frozen=True)
class LastReadView:
    """What the last sync of one part found."""

    label: str = ""
    state: str = ""
    icon: str = "queued"
    when: str = ""
    when_title: str = ""
    count: str = ""
    took: str = ""
    proof: str = ""


@dataclass(frozen=True)
class SettingsView:
    """The settings of one store."""

    there: bool = False
    headline: str = ""
    lead: str = ""
    parts: tuple[LastReadView, ...] = ()
    manual: str = ""
    schedule: str = ""
    resync: str = ""
    can_choose: bool = False
    orders_since: str = "all"
    orders_note: str = ""
    customers: bool = True
    # Raised where a choice was not kept: all of them are drawn anew.
    turned_back: int = 0
    customers_note: str = ""
    can_sync: bool = False
    can_start_over: bool = False
    syncing: bool = False
    can_pause: bool = False
    paused: bool = False
    setup_href: str = ""
    retry_label: str = ""
    reconnect_href: str = ""
    progress_href: str = ""
    stores: tuple[LinkView, ...] = ()
    locked: tuple[LinkView, ...] = ()


@dataclass(frozen=True)
class BrowserView:
    """One browser that is signed in: "Firefox on Windows", when it was used, and whether it is
    this one."""

    session_id: str = ""
    name: str = ""
    used: str = ""
    used_title: str = ""
    since: str = ""
    this: bool = False


@dataclass(frozen=True)
class SignedInView:
    """Where a person is signed in; `elsewhere` counts the others in words, "" if there is none."""

    there: bool = False
    browsers: tuple[BrowserView, ...] = ()
    elsewhere: str = ""


@dataclass(frozen=True)
class ConnectView:
    """The connect page: what went wrong, and the stores this browser already knows."""

    there: bool = False
    error: str = ""
    shop: str = ""
    stores: tuple[LinkView, ...] = ()
    locked: tuple[LinkView, ...] = ()
