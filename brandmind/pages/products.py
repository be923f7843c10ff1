"""Products: what each brings and how long it lasts, the price ladder, and what goes together."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from brandmind.components import page_parts as parts
from brandmind.components.notices import banner, connection_lost
from brandmind.components.product_drawer import product_drawer
from brandmind.components.ranges import range_menu
from brandmind.components.shell import private_page
from brandmind.state.portrait_views import GoodsRowView, PairView, StepView
from brandmind.state.tables import Products

TITLE: Final = "Products · BrandMind"
_TABLE: Final = (
    "Net sales of the days chosen, by product and not by title. A products bring the first 80% of "
    "sales, B the next 15%. Days of cover: what can be sold now, at the pace of 28 days in "
    "stock; a dash where it is not tracked, did not sell lately or has less than 28 days of stock "
    "history. Sell-through: units sold, of those and what is left."
)
_LADDER: Final = (
    "All active variants by price: the upper bar is how many there are at that step, the lower one "
    "what they bring. A step may hold several neighbouring prices."
)
_PAIRS: Final = (
    "Products in one order, at least 1.5 times as often as chance would have it, in 5 orders or "
    "more; chance alone makes such a pair less than once in a hundred times."
)
_PARETO: Final = (
    "Net sales of the days chosen added up, from the best product to the last. The lines stand "
    "where class A and class B end: 80% and 95% of net sales."
)
_COLUMNS: Final = (
    ("Product", ""), ("Class", "wide-only"), ("Net sales", "num"), ("", "bar wide-only"),
    ("Share", "num wide-only"), ("Units", "num"), ("Returned", "num wide-only"),
    ("Days of cover", "num"), ("Sell-through", "num wide-only"), ("On sale for", "num wide-only"),
)  # fmt: skip


def products() -> rx.Component:
    """The page at /products."""
    page: Any = Products.page
    return rx.fragment(
        connection_lost(),
        private_page(
            banner(page.banner),
            rx.el.h1("Products", class_name="page-title"),
            parts.by_mode(
                page,
                parts.tabs(page.kinds, "Class"),
                parts.card(
                    "Products by net sales",
                    _TABLE,
                    rx.cond(
                        page.rows.length() > 0,
                        parts.table("Products by net sales", _COLUMNS, rx.foreach(page.rows, _row)),
                        rx.el.p("No product is of this class in these days.", class_name="muted"),
                    ),
                    parts.turning(page, "Pages of products"),
                    csv=page.csv_href,
                ),
                rx.cond(
                    page.pareto.there,
                    parts.card(
                        "How few bring how much",
                        _PARETO,
                        parts.curve(
                            page.pareto,
                            "How few products bring how much",
                            (("Class", ""), ("What it brings", "")),
                        ),
                    ),
                ),
                rx.el.div(
                    parts.card(
                        "Price ladder",
                        _LADDER,
                        rx.el.p(page.ladder, class_name="small muted"),
                        rx.cond(
                            page.steps.length() > 0,
                            rx.fragment(
                                rx.el.ul(rx.foreach(page.steps, _step), class_name="steps"),
                                parts.as_table_too(
                                    "Price ladder",
                                    (("Price", ""), ("Variants and sales", "")),
                                    rx.foreach(page.steps, _step_row),
                                ),
                            ),
                        ),
                    ),
                    parts.card(
                        "Bought together",
                        _PAIRS,
                        rx.cond(
                            page.pairs.length() > 0,
                            rx.el.ul(rx.foreach(page.pairs, _pair), class_name="rows"),
                            rx.el.p(page.pairs_none, class_name="muted"),
                        ),
                    ),
                    class_name="halves-cards",
                ),
                rx.el.footer(rx.el.span(page.foot), class_name="page-foot small muted"),
                product_drawer(page.drawer),
            ),
            here="Products",
            there=page.there,
            tools=range_menu(page, action="/products", kept={"kind": page.kind}),
        ),
    )


def _row(row: rx.Var[GoodsRowView]) -> rx.Component:
    return rx.el.tr(
        rx.el.th(
            parts.opener(row.title, href=row.href, opens=row.key),
            scope="row",
            class_name="name",
            title=row.title,
        ),
        rx.el.td(row.kind, class_name="wide-only"),
        rx.el.td(row.net, class_name="num"),
        rx.el.td(parts.meter(row.width), class_name="bar wide-only", aria_hidden="true"),
        rx.el.td(row.share, class_name="num wide-only"),
        rx.el.td(row.units, class_name="num"),
        rx.el.td(row.returned, class_name="num wide-only"),
        rx.el.td(
            rx.cond(
                row.cover_known,
                row.cover,
                # The (i) and the product itself say why; a column of one sentence says no more.
                rx.fragment(
                    rx.el.span("–", aria_hidden="true"),
                    rx.el.span(row.cover, class_name="unseen"),
                ),
            ),
            title=rx.cond(row.cover_known, "", row.cover),
            class_name=rx.cond(row.cover_low, "num wrong", "num muted"),
        ),
        rx.el.td(row.sell_through, class_name="num wide-only"),
        rx.el.td(row.age, class_name="num wide-only"),
    )


def _step(step: rx.Var[StepView]) -> rx.Component:
    return rx.el.li(
        rx.el.span(step.name),
        rx.el.span(
            rx.el.span(style={"width": step.variants.to(str) + "%"}, class_name="step-bar"),
            rx.el.span(style={"width": step.sales.to(str) + "%"}, class_name="step-bar sales"),
            aria_hidden="true",
            class_name="step-bars",
        ),
        rx.el.span(step.said, class_name="muted"),
        class_name="small",
    )


def _step_row(step: rx.Var[StepView]) -> rx.Component:
    return rx.el.tr(rx.el.th(step.name, scope="row", class_name="name"), rx.el.td(step.said))


def _pair(pair: rx.Var[PairView]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.span(pair.names),
            rx.el.span(pair.lift, ", ", pair.orders, class_name="small muted"),
            class_name="between",
        )
    )
