"""The choice of days in the top bar."""

from __future__ import annotations

from typing import Any

import reflex as rx

from brandmind.components.ui.forms import plain_form
from brandmind.components.ui.links import go
from brandmind.state.center import Center
from brandmind.state.views import LinkView


def range_choice() -> rx.Component:
    """Presets and comparisons as links, own days as a form: all of it stands in the address."""
    center: Any = Center.center
    return rx.el.details(
        rx.el.summary(
            rx.el.strong(rx.cond(center.there, center.range_label, "Last 28 days")),
            rx.cond(center.compare_label, rx.el.span(center.compare_label, class_name="muted")),
            rx.el.span(", choose days", class_name="unseen"),
            class_name="choice",
        ),
        rx.el.div(
            rx.el.div(rx.foreach(center.ranges, _link), class_name="menu-part"),
            plain_form(
                rx.el.input(type="hidden", name="shop", value=center.shop_param),
                rx.el.input(type="hidden", name="range", value="custom"),
                rx.el.input(type="hidden", name="look", value="1"),
                rx.el.input(type="hidden", name="compare", value=center.compare_param),
                rx.el.label(
                    "From",
                    rx.el.input(
                        type="date",
                        name="from",
                        default_value=center.date_from,
                        key="from" + center.date_from.to(str),
                        required=True,
                    ),
                ),
                rx.el.label(
                    "To",
                    rx.el.input(
                        type="date",
                        name="to",
                        default_value=center.date_to,
                        key="to" + center.date_to.to(str),
                        required=True,
                    ),
                ),
                rx.el.button("Show", type="submit", class_name="button plain"),
                method="get",
                action="/command-center",
                class_name="menu-part days",
            ),
            rx.el.div(rx.foreach(center.compares, _link), class_name="menu-part"),
            class_name="menu range-menu",
        ),
        custom_attrs={"data-menu": ""},
        class_name="dropdown",
    )


def _link(link: rx.Var[LinkView]) -> rx.Component:
    return go(
        link.label,
        href=link.href,
        class_name="menu-link",
        aria_current=rx.cond(link.current, "true", "false"),
    )
