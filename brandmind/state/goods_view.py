"""The products in words: what each brings, how long it lasts, the price ladder and pairs."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from brandmind.services.products import ProductRow, ProductsPage
from brandmind.state import wording
from brandmind.state.portrait_views import GoodsRowView, PairView, ProductsView, StepView
from brandmind.state.ranges import Range, range_links
from brandmind.state.views import BannerView, LinkView

# A page of more rows is no page; the file has all of them.
MOST_ROWS: Final = 200
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
    shop_param: str = "",
    store_id: str = "",
    banner: BannerView | None = None,
) -> ProductsView:
    """The page of a range; `kind` shows one class alone. None: nothing of it to show."""
    links = range_links(at, shop_param=shop_param, page="/products")
    if found is None:
        return ProductsView(
            there=True, mode=mode, note=note, banner=banner or BannerView(), ranges=links,
            range_label=at.label,
        )  # fmt: skip
    kept = [row for row in found.rows if not kind or row.kind == kind]
    best = max((row.net_minor for row in kept), default=0)
    query = urlencode({"from": at.date_from.isoformat(), "to": at.date_to.isoformat()})
    shown = kept[:MOST_ROWS]
    tally = wording.counted(len(kept), "product")
    if len(kept) > MOST_ROWS:
        tally = f"The first {MOST_ROWS} of {tally}. The CSV has all."
    return ProductsView(
        there=True,
        mode=mode,
        note=note,
        banner=banner or BannerView(),
        ranges=links,
        range_label=at.label,
        kinds=tuple(
            LinkView(label, _kind_href(at, shop_param, key), key == kind)
            for key, label in _KINDS.items()
        ),
        rows=tuple(_row(row, best=best, currency=found.currency) for row in shown),
        tally=tally,
        steps=_steps(found),
        ladder=_ladder(found),
        pairs=tuple(
            PairView(
                names=f"{pair['title']} with {pair['with_title']}",
                lift=f"{pair['lift']:.1f} times chance",
                orders=wording.counted(pair["orders"], "order"),
            )
            for pair in found.pairs[:8]
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
    params = {"shop": shop_param, "range": at.preset, "compare": at.compare or "none"}
    if at.preset == "custom":
        params |= {"from": at.date_from.isoformat(), "to": at.date_to.isoformat()}
    return f"/products?{urlencode({**params, **({'kind': kind} if kind else {})})}"


def _row(row: ProductRow, *, best: int, currency: str) -> GoodsRowView:
    cover = _REASONS.get(row.cover_reason or "", "")
    if row.cover_days is not None:
        cover = wording.counted(row.cover_days, "day")
    return GoodsRowView(
        title=row.title,
        kind=row.kind,
        net=wording.money(row.net_minor, currency, whole=abs(row.net_minor) >= 100_000),
        share="–" if row.share is None else wording.percent(row.share),
        width=max(0, round(100 * row.net_minor / best)) if best > 0 else 0,
        units=wording.number(row.units),
        returned="–" if row.return_rate is None else wording.percent(row.return_rate),
        cover=cover,
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
