"""The products in words: what each brings, how long it lasts, the price ladder and pairs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from itertools import accumulate
from typing import Any, Final
from urllib.parse import urlencode

from brandmind.dna.products import Class
from brandmind.services.products import ProductDetail, ProductRow, ProductsPage, VariantGoods
from brandmind.state import curves, wording
from brandmind.state.portrait_views import (
    CurveView,
    DrawerView,
    GoodsRowView,
    MarkView,
    PairView,
    ProductsView,
    StepView,
    VariantView,
)
from brandmind.state.ranges import Range, asked_again, range_links
from brandmind.state.views import BannerView, BarView, FactView, LinkView, MiniChartView

# A page of more rows is no page; the file has all of them.
PAGE_ROWS: Final = 50
_MOST_VARIANTS: Final = 100
_MOST_DAYS: Final = 400
_MOST_BARS: Final = 60
_MOST_PAIRS: Final = 8
_PARETO_POINTS: Final = 80
_KINDS: Final = {
    "": "All",
    "A": "A, up to 80% of sales",
    "B": "B, up to 95%",
    "C": "C, the rest",
}
_REASONS: Final = {
    "untracked": "not tracked",
    "history": "needs 28 days of stock history",
    "no recent sales": "no recent sales",
}
_LOW_COVER: Final = 14


def products(
    found: ProductsPage | None,
    *,
    at: Range,
    mode: str,
    note: str = "",
    kind: str = "",
    number: int = 1,
    shop_param: str = "",
    store_id: str = "",
    banner: BannerView | None = None,
    detail: ProductDetail | None = None,
) -> ProductsView:
    """The page of a range; `kind` shows one class alone, `detail` is of the product that is open.

    `number` is which page of the table: past its end is the last one.

    None: nothing of it to show.
    """
    here = asked_again(at) | ({"kind": kind} if kind else {})
    head = ProductsView(
        there=True,
        mode=mode,
        note=note,
        banner=banner or BannerView(),
        ranges=range_links(
            at, shop_param=shop_param, page="/products", **({"kind": kind} if kind else {})
        ),
        range_label=at.label,
        shop_param=shop_param,
        date_from=at.date_from.isoformat(),
        date_to=at.date_to.isoformat(),
        kind=kind,
    )
    if found is None:
        return head
    kept = [row for row in found.rows if not kind or row.kind == kind]
    best = max((row.net_minor for row in kept), default=0)
    query = urlencode({"from": at.date_from.isoformat(), "to": at.date_to.isoformat()})
    pages = max(1, -(-len(kept) // PAGE_ROWS))
    number = min(max(1, number), pages)
    first = (number - 1) * PAGE_ROWS
    shown = kept[first : first + PAGE_ROWS]
    tally = wording.counted(len(kept), "product")
    if pages > 1:
        last = wording.number(first + len(shown))
        tally = f"{wording.number(first + 1)} to {last} of {tally}"

    def page(at_page: int) -> str:
        asked = {"shop": shop_param, **here} | ({"page": at_page} if at_page > 1 else {})
        return f"/products?{urlencode(asked)}"

    close = page(number)
    return replace(
        head,
        pareto=_pareto(found),
        drawer=drawer(found, detail, close_href=close) if detail else DrawerView(),
        kinds=tuple(
            LinkView(label, _kind_href(at, shop_param, key), key == kind)
            for key, label in _KINDS.items()
        ),
        rows=tuple(
            _row(row, best=best, currency=found.currency, open_href=f"{close}&product=")
            for row in shown
        ),
        tally=tally,
        before_href=page(number - 1) if number > 1 else "",
        after_href=page(number + 1) if number < pages else "",
        steps=_steps(found),
        ladder=_ladder(found),
        pairs=tuple(
            PairView(
                names=f"{pair['title']} with {pair['with_title']}",
                lift=f"{pair['lift']:.1f} times chance",
                orders=wording.counted(pair["orders"], "order"),
            )
            for pair in found.pairs[:_MOST_PAIRS]
        ),
        pairs_none=(
            "No two products are bought together clearly more often than chance."
            if found.as_of
            else "Pairs are read with your Store DNA."
        ),
        csv_href=f"/api/stores/{store_id}/products.csv?{query}" if store_id else "",
        foot=(
            "Ladder and pairs are of the 12 months to "
            f"{wording.day(found.as_of, year=True)}; the table is of the days chosen above."
            if found.as_of
            else ""
        ),
    )


def _kind_href(at: Range, shop_param: str, kind: str) -> str:
    kept = {"kind": kind} if kind else {}
    return f"/products?{urlencode({'shop': shop_param, **asked_again(at), **kept})}"


def _pareto(found: ProductsPage) -> CurveView:
    """How few products bring how much: net sales added up, the best product first."""
    nets = [row.net_minor for row in found.rows if row.net_minor > 0]
    whole = sum(nets)
    if len(nets) < 2:
        return CurveView()
    sums = [0.0, *(done / whole for done in accumulate(nets))]
    counts = Counter(row.kind for row in found.rows if row.net_minor > 0)
    best, middle = counts["A"], counts["A"] + counts["B"]
    products = wording.counted(len(nets), "product")
    bounds: tuple[tuple[Class, str, int, int], ...] = (
        ("A", "Class A", 0, best),
        ("B", "Class B", best, middle),
        ("C", "Class C", middle, len(nets)),
    )
    return CurveView(
        there=True,
        path=curves.path(curves.thinned(sums, most=_PARETO_POINTS), top=1),
        area=curves.area(curves.thinned(sums, most=_PARETO_POINTS), top=1),
        said=(
            f"{wording.number(best)} of {products} {'brings' if best == 1 else 'bring'} "
            f"{wording.percent(sums[best], digits=0)} of net sales, "
            f"{wording.number(middle)} bring {wording.percent(sums[middle], digits=0)}."
        ),
        marks=tuple(
            MarkView(round(100 * count / len(nets), 2), name)
            for count, name in ((best, "A"), (middle, "B"))
            if 0 < count < len(nets)
        ),
        rows=tuple(
            FactView(
                name,
                f"{wording.counted(counts[kind], 'product')}, "
                f"{wording.percent(sums[last] - sums[first], digits=1)} of net sales",
            )
            for kind, name, first, last in bounds
        ),
        first="Best product",
        last=products,
        top="100%",
    )


def drawer(found: ProductsPage, detail: ProductDetail, *, close_href: str) -> DrawerView:
    """One product of the page: what it brought, what it costs, how long it lasts, what goes too."""
    row = next((one for one in found.rows if one.product_id == detail.product_id), None)
    if row is None:
        return DrawerView(
            there=True,
            title="There is no such product here.",
            note="It may have been deleted at Shopify, or it sold nothing in these days.",
            close_href=close_href,
        )
    view = _row(row, best=0, currency=found.currency, open_href="")
    pairs = [
        pair
        for pair in found.pairs
        if detail.product_id in (pair.get("product_id"), pair.get("with_id"))
    ]
    return DrawerView(
        there=True,
        key=view.key,
        title=row.title,
        note="" if row.active else "Not active at Shopify.",
        price=_price(detail),
        facts=(
            FactView("Net sales", view.net),
            FactView("Share of net sales", view.share),
            FactView("Class", row.kind),
            FactView("Units", view.units),
            FactView("Orders", wording.number(row.orders)),
            FactView("Returned", view.returned),
            FactView("In stock", "not tracked" if row.stock is None else wording.number(row.stock)),
            FactView("Days of cover", view.cover),
            FactView("Sell-through", view.sell_through),
            FactView("On sale for", view.age),
        ),
        trend=_trend(detail),
        days=tuple(
            FactView(
                wording.day(one.day, year=True),
                f"{wording.money(one.net_minor, detail.currency)}, "
                f"{wording.counted(one.units, 'unit')}",
            )
            for one in reversed(detail.days)
            if one.units or one.net_minor
        )[:_MOST_DAYS],
        variants=tuple(_variant(one, detail.currency) for one in detail.variants[:_MOST_VARIANTS]),
        costs=detail.costs and any(one.unit_cost_minor is not None for one in detail.variants),
        costs_note=_costs_note(detail),
        pairs=tuple(_pair_with(pair, detail.product_id) for pair in pairs[:_MOST_PAIRS]),
        pairs_none=(
            "No other product stands out among what is bought with it."
            if found.as_of
            else "Pairs are read with your Store DNA."
        ),
        close_href=close_href,
    )


def _price(detail: ProductDetail) -> str:
    prices = [one.price_minor for one in detail.variants]
    if not prices:
        return ""
    low, high = (wording.money(price, detail.currency) for price in (min(prices), max(prices)))
    return low if low == high else f"{low} to {high}"


def _variant(one: VariantGoods, currency: str) -> VariantView:
    cost = one.unit_cost_minor
    before = one.compare_at_minor
    return VariantView(
        title="One size" if one.title == "Default Title" else one.title,
        sku=one.sku or "",
        price=wording.money(one.price_minor, currency),
        before=(
            f"was {wording.money(before, currency)}" if before and before > one.price_minor else ""
        ),
        stock="–" if one.stock is None else wording.number(one.stock),
        cost="–" if cost is None else wording.money(cost, currency),
        left=(
            "–"
            if cost is None or one.price_minor <= 0
            else wording.percent((one.price_minor - cost) / one.price_minor, digits=0)
        ),
    )


def _costs_note(detail: ProductDetail) -> str:
    known = sum(one.unit_cost_minor is not None for one in detail.variants)
    if not detail.costs or not detail.variants:
        return ""
    if not known:
        return "No cost of goods is kept at Shopify for it."
    of = wording.counted(len(detail.variants), "variant")
    return f"Left: of the price, before discounts and taxes. Costs are known of {known} of {of}."


def _trend(detail: ProductDetail) -> MiniChartView:
    """What the product brought, a bar a day, or a few days to a bar where it would get too thin."""
    days = detail.days
    step = max(1, -(-len(days) // _MOST_BARS))
    groups = [days[start : start + step] for start in range(0, len(days), step)]
    sums = [sum(one.net_minor for one in group) for group in groups]
    if len(groups) < 2 or not any(sums):
        return MiniChartView()
    most = max(*sums, 1)
    each = "a day" if step == 1 else f"{step} days"
    return MiniChartView(
        there=True,
        title="Net sales",
        sentence=f"A bar is {each}; the highest is {wording.money(most, detail.currency)}.",
        bars=tuple(
            BarView(
                height=max(3, round(100 * total / most)) if total > 0 else 0,
                title=(
                    f"{_span(group[0].day, group[-1].day)}: {wording.money(total, detail.currency)}"
                ),
            )
            for group, total in zip(groups, sums, strict=True)
        ),
        ticks=(wording.day(days[0].day), wording.day(days[-1].day)),
    )


def _span(first: date, last: date) -> str:
    return wording.day(first) if first == last else f"{wording.day(first)} to {wording.day(last)}"


def _pair_with(pair: dict[str, Any], product_id: int) -> PairView:
    other = pair["with_title"] if pair.get("product_id") == product_id else pair["title"]
    return PairView(
        names=other,
        lift=f"{pair['lift']:.1f} times chance",
        orders=wording.counted(pair["orders"], "order"),
    )


def _row(row: ProductRow, *, best: int, currency: str, open_href: str) -> GoodsRowView:
    cover = _REASONS.get(row.cover_reason or "", "")
    if row.cover_days is not None:
        cover = wording.counted(row.cover_days, "day")
    key = str(row.product_id or "")
    return GoodsRowView(
        key=key,
        href=f"{open_href}{key}" if key and open_href else "",
        title=row.title,
        kind=row.kind,
        net=wording.money(row.net_minor, currency, whole=abs(row.net_minor) >= 100_000),
        share="–" if row.share is None else wording.percent(row.share),
        width=max(0, round(100 * row.net_minor / best)) if best > 0 else 0,
        units=wording.number(row.units),
        returned="–" if row.return_rate is None else wording.percent(row.return_rate),
        cover=cover,
        cover_known=row.cover_days is not None,
        cover_low=row.cover_days is not None and row.cover_days < _LOW_COVER,
        sell_through="–" if row.sell_through is None else wording.percent(row.sell_through),
        age=(
            "–"
            if row.days_on_sale is None
            else "new"
            if row.days_on_sale <= 90
            else wording.counted(row.days_on_sale, "day")
        ),
    )


def _steps(found: ProductsPage) -> tuple[StepView, ...]:
    ladder = found.ladder
    if ladder is None:
        return ()
    most = max((step["variants"] for step in ladder["steps"]), default=0) or 1
    sold = sum(step["net_minor"] for step in ladder["steps"]) or 1
    top = max((step["net_minor"] for step in ladder["steps"]), default=0) or 1
    views = []
    for step in ladder["steps"]:
        low, high = (
            wording.money(step[name], found.currency) for name in ("from_minor", "to_minor")
        )
        name = low if low == high else f"{low} to {high}"
        views.append(
            StepView(
                name=name,
                variants=round(100 * step["variants"] / most),
                sales=round(100 * step["net_minor"] / top),
                said=f"{wording.counted(step['variants'], 'variant')}, "
                f"{wording.percent(step['net_minor'] / sold)} of sales",
            )
        )
    return tuple(views)


def _ladder(found: ProductsPage) -> str:
    ladder = found.ladder
    if ladder is None:
        return "Your price ladder is read with your Store DNA."
    low, middle, high = (
        wording.money(ladder[name], found.currency)
        for name in ("p10_minor", "p50_minor", "p90_minor")
    )
    text = (
        f"One variant in ten costs {low} or less, the middle one {middle}, one in ten {high} or "
        "more."
    )
    if ladder["gap"]:
        a, b = (wording.money(price, found.currency) for price in ladder["gap"])
        text += f" Nothing lies between {a} and {b}."
    return text
