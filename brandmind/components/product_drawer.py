"""One product beside the table it was opened from."""

from __future__ import annotations

from typing import Any

import reflex as rx

from brandmind.components import page_parts as parts
from brandmind.components.ui.links import go
from brandmind.state.portrait_views import PairView, VariantView
from brandmind.state.views import BarView


def product_drawer(view: Any) -> rx.Component:
    """The drawer; it stands in the address, so closing it is a link back."""
    return rx.cond(
        view.there,
        rx.el.aside(
            rx.el.div(
                rx.el.h2(view.title, id="drawer-title"),
                go(
                    "Close",
                    href=view.close_href,
                    prevent_scroll_reset=True,
                    class_name="button plain",
                    custom_attrs={"data-drawer-close": ""},
                ),
                class_name="between drawer-head",
            ),
            rx.cond(view.note, rx.el.p(view.note, class_name="muted")),
            rx.cond(view.price, rx.el.p(view.price, class_name="drawer-price display")),
            rx.cond(view.facts.length() > 0, _body(view)),
            role="dialog",
            aria_labelledby="drawer-title",
            tab_index=-1,
            class_name="drawer",
            custom_attrs={"data-drawer": view.key},
        ),
    )


def _body(view: Any) -> rx.Component:
    return rx.fragment(
        rx.cond(
            view.trend.there,
            rx.el.section(
                rx.el.h3("Net sales"),
                rx.el.p(view.trend.sentence, class_name="small muted"),
                rx.el.div(
                    rx.foreach(view.trend.bars, _bar),
                    role="img",
                    aria_label="Net sales. " + view.trend.sentence.to(str),
                    class_name="bars blue",
                ),
                rx.el.div(
                    rx.foreach(view.trend.ticks, lambda tick: rx.el.span(tick)),
                    class_name="ticks",
                    aria_hidden="true",
                ),
                parts.as_table_too(
                    "Days it was sold on",
                    (("Day", ""), ("Net sales and units", "")),
                    rx.foreach(view.days, parts.fact_row),
                ),
            ),
            rx.el.p("It brought nothing in these days.", class_name="muted"),
        ),
        rx.el.dl(rx.foreach(view.facts, _fact), class_name="drawer-facts"),
        rx.cond(
            view.variants.length() > 0,
            rx.el.section(
                rx.el.h3("Variants"),
                rx.cond(
                    view.costs,
                    parts.table(
                        "Variants",
                        (
                            ("Variant", ""),
                            ("Price", "num"),
                            ("Cost", "num"),
                            ("Left", "num"),
                            ("In stock", "num"),
                        ),
                        rx.foreach(view.variants, _variant_with_cost),
                    ),
                    parts.table(
                        "Variants",
                        (("Variant", ""), ("Price", "num"), ("In stock", "num")),
                        rx.foreach(view.variants, _variant),
                    ),
                ),
                rx.cond(view.costs_note, rx.el.p(view.costs_note, class_name="small muted")),
            ),
        ),
        rx.el.section(
            rx.el.h3("Bought together with"),
            rx.cond(
                view.pairs.length() > 0,
                rx.el.ul(rx.foreach(view.pairs, _pair), class_name="rows"),
                rx.el.p(view.pairs_none, class_name="small muted"),
            ),
        ),
    )


def _bar(bar: rx.Var[BarView]) -> rx.Component:
    return rx.el.span(title=bar.title, style={"height": bar.height.to(str) + "%"})


def _fact(fact: Any) -> rx.Component:
    return rx.el.div(rx.el.dt(fact.name), rx.el.dd(fact.value))


def _variant(one: rx.Var[VariantView]) -> rx.Component:
    return rx.el.tr(*_named(one), rx.el.td(one.stock, class_name="num"))


def _variant_with_cost(one: rx.Var[VariantView]) -> rx.Component:
    return rx.el.tr(
        *_named(one),
        rx.el.td(one.cost, class_name="num"),
        rx.el.td(one.left, class_name="num"),
        rx.el.td(one.stock, class_name="num"),
    )


def _named(one: rx.Var[VariantView]) -> tuple[rx.Component, ...]:
    return (
        rx.el.th(
            rx.el.span(one.title),
            rx.cond(one.sku, rx.el.span(one.sku, class_name="tiny muted under")),
            scope="row",
            class_name="name",
        ),
        rx.el.td(
            one.price,
            rx.cond(one.before, rx.el.span(one.before, class_name="tiny muted under")),
            class_name="num",
        ),
    )


def _pair(pair: rx.Var[PairView]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.span(pair.names),
            rx.el.span(pair.lift, ", ", pair.orders, class_name="small muted"),
            class_name="between",
        )
    )
