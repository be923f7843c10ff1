"""What the pages of the portrait, customers, products and orders show; all of it in words."""

from __future__ import annotations

from dataclasses import dataclass, field

from brandmind.state.views import BannerView, FactView, LinkView, MiniChartView


@dataclass(frozen=True)
class MarkView:
    """A mark on a line, in percent from the left, with its words."""

    at: float = 0
    text: str = ""


@dataclass(frozen=True)
class LaneView:
    """One lane of the gel, in percent of its height from the top; `there` false: unread."""

    key: str = ""
    helix: int = 1
    name: str = ""
    there: bool = False
    glow_top: float = 0
    glow_height: float = 0
    band_top: float = 0
    ghost: bool = False
    ghost_top: float = 0


@dataclass(frozen=True)
class ActionView:
    """Something to do, with what it rests on and the sum behind its amount.

    `put_away` says what was done about it, "" while it is open; `can_mark`: it is a real store's.
    """

    key: str = ""
    strand: str = ""
    title: str = ""
    text: str = ""
    why: str = ""
    sum: str = ""
    put_away: str = ""
    can_mark: bool = False


@dataclass(frozen=True)
class StrandView:
    """A strand: places on its line in percent from the left; `ghost` below 0: none."""

    key: str = ""
    name: str = ""
    helix: int = 1
    label: str = ""
    score: str = ""
    said: str = ""
    at: float = 0
    low: float = 0
    width: float = 0
    ghost: float = -1
    left: str = ""
    right: str = ""
    sentence: str = ""
    compared: str = ""
    then: str = ""
    line: str = ""
    line_said: str = ""
    confidence: str = ""
    unsure: bool = False
    tag: str = ""
    formula: str = ""
    evidence: tuple[FactView, ...] = ()
    actions: tuple[ActionView, ...] = ()


@dataclass(frozen=True)
class HelixView:
    """A helix with its strands that were read."""

    number: int = 1
    name: str = ""
    strands: tuple[StrandView, ...] = ()


@dataclass(frozen=True)
class BeatView:
    """One beat of the pulse. `tone`: alert, calm or unknown."""

    name: str = ""
    tone: str = "unknown"
    word: str = ""
    sentence: str = ""


@dataclass(frozen=True)
class GroupView:
    """A group of customers; `width` in percent of the largest. `href` leads to who is in it."""

    key: str = ""
    name: str = ""
    customers: str = ""
    share: str = ""
    width: int = 0
    sales: str = ""
    days: str = ""
    href: str = ""
    current: bool = False


@dataclass(frozen=True)
class MemberView:
    """A customer in the list of a group."""

    name: str = ""
    place: str = ""
    orders: str = ""
    net: str = ""
    last: str = ""
    last_title: str = ""


@dataclass(frozen=True)
class MembersView:
    """Who is in a group, a page of them; `there` false: no group is open."""

    there: bool = False
    title: str = ""
    note: str = ""
    members: tuple[MemberView, ...] = ()
    tally: str = ""
    before_href: str = ""
    after_href: str = ""
    close_href: str = ""
    csv_href: str = ""


@dataclass(frozen=True)
class CurveView:
    """A line in a box of 100 by 100, with what it says and its points as rows of a table."""

    there: bool = False
    path: str = ""
    area: str = ""
    said: str = ""
    marks: tuple[MarkView, ...] = ()
    rows: tuple[FactView, ...] = ()
    first: str = ""
    last: str = ""
    top: str = ""


@dataclass(frozen=True)
class HourView:
    """An hour of a weekday; `shade` 0-100 of the busiest."""

    shade: int = 0
    title: str = ""
    mean: str = ""


@dataclass(frozen=True)
class WeekdayView:
    """A weekday with its 24 hours."""

    name: str = ""
    hours: tuple[HourView, ...] = ()


@dataclass(frozen=True)
class PortraitView:
    """The portrait of one store. `mode`: real, hold, sample, failed, closed or none (not yet).

    `next_none` says why there is nothing to do next.
    """

    there: bool = False
    mode: str = "hold"
    note: str = ""
    banner: BannerView = field(default_factory=BannerView)
    eyebrow: str = ""
    signature: str = ""
    coverage: str = ""
    href: str = ""
    json_href: str = ""
    gel_said: str = ""
    lanes: tuple[LaneView, ...] = ()
    helices: tuple[HelixView, ...] = ()
    missing: tuple[FactView, ...] = ()
    pulse: tuple[BeatView, ...] = ()
    do_next: tuple[ActionView, ...] = ()
    next_none: str = ""
    put_away: tuple[ActionView, ...] = ()
    compares: tuple[LinkView, ...] = ()
    compared_with: str = ""
    table: tuple[StrandView, ...] = ()
    week: tuple[WeekdayView, ...] = ()
    busiest: str = ""
    groups: tuple[GroupView, ...] = ()
    groups_none: str = ""
    groups_href: str = ""
    foot: str = ""


@dataclass(frozen=True)
class SumRowView:
    """One day of the reconciliation."""

    day: str = ""
    orders: str = ""
    gross: str = ""
    discounts: str = ""
    returns: str = ""
    net: str = ""
    shipping: str = ""
    taxes: str = ""
    total: str = ""
    negative: bool = False


@dataclass(frozen=True)
class OrdersView:
    """The reconciliation of a store and range. `mode`: real, hold, sample, failed or closed."""

    there: bool = False
    mode: str = "hold"
    note: str = ""
    banner: BannerView = field(default_factory=BannerView)
    ranges: tuple[LinkView, ...] = ()
    range_label: str = ""
    shop_param: str = ""
    date_from: str = ""
    date_to: str = ""
    rows: tuple[SumRowView, ...] = ()
    whole: SumRowView = field(default_factory=SumRowView)
    facts: tuple[FactView, ...] = ()
    cancelled: tuple[FactView, ...] = ()
    csv_href: str = ""
    foot: str = ""


@dataclass(frozen=True)
class GoodsRowView:
    """A product in the table; `width` of its bar in percent of the best one. `href` opens it.

    `cover` is a number of days, or with `cover_known` false the reason why there is none.
    """

    key: str = ""
    href: str = ""
    title: str = ""
    kind: str = ""
    net: str = ""
    share: str = ""
    width: int = 0
    units: str = ""
    returned: str = ""
    cover: str = ""
    cover_known: bool = True
    cover_low: bool = False
    sell_through: str = ""
    age: str = ""


@dataclass(frozen=True)
class StepView:
    """A step of the price ladder: how many variants, how much of the sales, in percent."""

    name: str = ""
    variants: int = 0
    sales: int = 0
    said: str = ""


@dataclass(frozen=True)
class PairView:
    """Two products that are bought together."""

    names: str = ""
    lift: str = ""
    orders: str = ""


@dataclass(frozen=True)
class VariantView:
    """A variant of the open product."""

    title: str = ""
    sku: str = ""
    price: str = ""
    before: str = ""
    stock: str = ""
    cost: str = ""
    left: str = ""


@dataclass(frozen=True)
class DrawerView:
    """One product, opened beside the table; `there` false: none is."""

    there: bool = False
    key: str = ""
    title: str = ""
    note: str = ""
    price: str = ""
    facts: tuple[FactView, ...] = ()
    trend: MiniChartView = field(default_factory=MiniChartView)
    days: tuple[FactView, ...] = ()
    variants: tuple[VariantView, ...] = ()
    costs: bool = False
    costs_note: str = ""
    pairs: tuple[PairView, ...] = ()
    pairs_none: str = ""
    close_href: str = ""


@dataclass(frozen=True)
class ProductsView:
    """The products of a store and range. `mode` as in `OrdersView`."""

    there: bool = False
    mode: str = "hold"
    note: str = ""
    banner: BannerView = field(default_factory=BannerView)
    ranges: tuple[LinkView, ...] = ()
    range_label: str = ""
    shop_param: str = ""
    date_from: str = ""
    date_to: str = ""
    kind: str = ""
    kinds: tuple[LinkView, ...] = ()
    pareto: CurveView = field(default_factory=CurveView)
    drawer: DrawerView = field(default_factory=DrawerView)
    rows: tuple[GoodsRowView, ...] = ()
    tally: str = ""
    before_href: str = ""
    after_href: str = ""
    steps: tuple[StepView, ...] = ()
    ladder: str = ""
    pairs: tuple[PairView, ...] = ()
    pairs_none: str = ""
    csv_href: str = ""
    foot: str = ""


@dataclass(frozen=True)
class CohortCellView:
    """A month of a cohort; `shade` 0-100."""

    text: str = ""
    shade: int = 0
    partial: bool = False


@dataclass(frozen=True)
class CohortRowView:
    """A cohort with its months."""

    month: str = ""
    size: str = ""
    cells: tuple[CohortCellView, ...] = ()


@dataclass(frozen=True)
class PredictedView:
    """What customers may still bring, in words; `needs` says why there is nothing.

    `how` are the fitted parameters and what they rest on; `valued`: the tenths have amounts.
    """

    there: bool = False
    needs: str = ""
    facts: tuple[FactView, ...] = ()
    note: str = ""
    valued: bool = False
    tenths: tuple[GroupView, ...] = ()
    how: tuple[FactView, ...] = ()


@dataclass(frozen=True)
class CustomersView:
    """The customers of a store. `mode` as in `PortraitView`."""

    there: bool = False
    mode: str = "hold"
    note: str = ""
    banner: BannerView = field(default_factory=BannerView)
    tabs: tuple[LinkView, ...] = ()
    tab: str = "segments"
    rates: tuple[FactView, ...] = ()
    groups: tuple[GroupView, ...] = ()
    groups_none: str = ""
    agreement: str = ""
    members: MembersView = field(default_factory=MembersView)
    months: tuple[str, ...] = ()
    cohorts: tuple[CohortRowView, ...] = ()
    measure: tuple[LinkView, ...] = ()
    deciles: tuple[GroupView, ...] = ()
    ltv: CurveView = field(default_factory=CurveView)
    predicted: PredictedView = field(default_factory=PredictedView)
    csv_href: str = ""
    deciles_csv_href: str = ""
    ltv_csv_href: str = ""
    foot: str = ""
