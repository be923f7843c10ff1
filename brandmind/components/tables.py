"""The tables of the command center."""

from __future__ import annotations

from typing import Any

import reflex as rx

from brandmind.components.notices import failed_part
from brandmind.state.views import CommandCenterView, OrderRowView, ProductRowView


def top_products(center: rx.Var[CommandCenterView]) -> rx.Component:
    """The best products of the range by net sales."""
    return _card(
        "Top products",
        center.products_mode,
        center.products_note,
        rows=center.products,
        empty="No product was sold in these days.",
        columns=(
            ("Product", ""),
            ("Net sales", "num"),
            ("", "bar"),
            ("Share", "num"),
            ("Returned", "num wide-only"),
        ),
        row=_product,
    )


def recent_orders(center: rx.Var[CommandCenterView]) -> rx.Component:
    """The latest orders, whatever the range."""
    return _card(
        "Recent orders",
        center.orders_mode,
        center.orders_note,
        rows=center.orders,
        empty="No orders yet. The first one shows up here by itself.",
        columns=(
            ("Order", ""),
            ("Placed", ""),
            ("Payment", "wide-only"),
            ("Items", "num wide-only"),
            ("Net sales", "num"),
        ),
        row=_order,
    )


def _card(
    title: str,
    mode: Any,
    note: Any,
    *,
    rows: Any,
    empty: str,
    columns: tuple[tuple[str, str], ...],
    row: Any,
) -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2(title, class_name="card-title"),
            rx.match(
                mode,
                (
                    "sample",
                    rx.el.span(
                        rx.el.span("Sample", class_name="chip lilac"),
                        " ",
                        rx.el.span(note, class_name="tiny muted"),
                    ),
                ),
                ("real", rx.cond(note, rx.el.span(note, class_name="chip amber"))),
                rx.fragment(),
            ),
            class_name="card-head",
        ),
        rx.match(
            mode,
            ("failed", failed_part(note)),
            ("closed", rx.el.p(note, class_name="muted")),
            (
                "hold",
                rx.el.div(
                    *(rx.el.div(class_name="hold row-hold") for _ in range(5)),
                    rx.el.p(note, class_name="small muted"),
                    aria_busy="true",
                    class_name="rows-held",
                ),
            ),
            rx.cond(
                rows.length() > 0,
                rx.el.div(_table(title, columns, rows, row), class_name="table-box"),
                rx.el.p(empty, class_name="muted"),
            ),
        ),
        aria_label=title + rx.cond(mode == "sample", ", sample", ""),
        class_name=rx.cond(mode == "sample", "card sample table-card", "card table-card"),
    )


def _table(title: str, columns: tuple[tuple[str, str], ...], rows: Any, row: Any) -> rx.Component:
    return rx.el.table(
        rx.el.caption(title, class_name="unseen"),
        rx.el.thead(
            rx.el.tr(
                *(
                    rx.el.th(name, scope="col", class_name=kind)
                    if name
                    else rx.el.td(class_name=kind)
                    for name, kind in columns
                )
            )
        ),
        rx.el.tbody(rx.foreach(rows, row)),
    )


def _product(row: rx.Var[ProductRowView]) -> rx.Component:
    return rx.el.tr(
        rx.el.th(row.title, scope="row", class_name="name", title=row.title),
        rx.el.td(row.net, class_name="num"),
        rx.el.td(
            rx.el.span(rx.el.span(style={"width": row.width.to(str) + "%"}), class_name="meter"),
            class_name="bar",
            aria_hidden="true",
        ),
        rx.el.td(row.share, class_name="num"),
        rx.el.td(row.returned, class_name="num wide-only"),
    )


def _order(row: rx.Var[OrderRowView]) -> rx.Component:
    return rx.el.tr(
        rx.el.th(row.name, scope="row", class_name="name"),
        rx.el.td(row.at, title=row.at_title),
        rx.el.td(row.status, class_name="wide-only"),
        rx.el.td(row.units, class_name="num wide-only"),
        rx.el.td(row.net, class_name="num", title="Total " + row.total.to(str)),
    )
