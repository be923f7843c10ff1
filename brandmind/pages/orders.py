"""Orders: every day from gross to total, and why another total may differ."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from brandmind.components import page_parts as parts
from brandmind.components.notices import banner, connection_lost
from brandmind.components.ranges import range_menu
from brandmind.components.shell import private_page
from brandmind.state.portrait_views import SumRowView
from brandmind.state.tables import Orders

TITLE: Final = "Orders · BrandMind"
_MEANING: Final = (
    "Gross sales less discounts and returns are net sales; with shipping and taxes (and duties and "
    "fees) they are total sales. Each sale counts on its own day, a return on the day it was "
    "processed."
)
_WHY: Final = (
    "Shopify's reports leave out test and deleted orders and count cancelled ones, as we do. What "
    "is listed here explains most differences."
)
_COLUMNS: Final = (
    ("Day", ""), ("Orders", "num"), ("Gross", "num"), ("Discounts", "num"), ("Returns", "num"),
    ("Net sales", "num"), ("Shipping", "num"), ("Taxes", "num"), ("Total", "num"),
)  # fmt: skip


def orders() -> rx.Component:
    """The page at /orders."""
    page: Any = Orders.page
    return rx.fragment(
        connection_lost(),
        private_page(
            banner(page.banner),
            rx.el.h1("Orders", class_name="page-title"),
            parts.by_mode(
                page,
                parts.card(
                    "From gross to total, by day",
                    _MEANING,
                    parts.table(
                        "From gross to total, by day",
                        _COLUMNS,
                        rx.foreach(page.rows, _row),
                        foot=_row(page.whole),
                    ),
                    csv=page.csv_href,
                ),
                parts.card(
                    "Why does this differ from Shopify?",
                    _WHY,
                    parts.facts(page.facts),
                    rx.cond(
                        page.cancelled.length() > 0,
                        rx.fragment(
                            rx.el.h3("Cancelled, but not wholly taken back"),
                            parts.facts(page.cancelled),
                        ),
                    ),
                ),
                rx.el.footer(rx.el.span(page.foot), class_name="page-foot small muted"),
            ),
            here="Orders",
            there=page.there,
            tools=range_menu(page, action="/orders", kept={}),
        ),
    )


def _row(row: rx.Var[SumRowView]) -> rx.Component:
    return rx.el.tr(
        rx.el.th(row.day, scope="row", class_name="name"),
        rx.el.td(row.orders, class_name="num"),
        rx.el.td(row.gross, class_name="num"),
        rx.el.td(row.discounts, class_name="num"),
        rx.el.td(row.returns, class_name="num"),
        rx.el.td(row.net, class_name=rx.cond(row.negative, "num wrong", "num")),
        rx.el.td(row.shipping, class_name="num"),
        rx.el.td(row.taxes, class_name="num"),
        rx.el.td(row.total, class_name="num"),
    )
