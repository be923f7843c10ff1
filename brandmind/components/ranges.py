"""The choice of days in the top bar."""

from __future__ import annotations

from typing import Any

import reflex as rx

from brandmind.components.ui.forms import plain_form
from brandmind.components.ui.links import go
from brandmind.state.center import Center
from brandmind.state.views import LinkView


def range_choice() -> rx.Component:
    """The command center's: presets, own days, and what to compare with."""
    center: Any = Center.center
    return range_menu(
        center,
        action="/command-center",
        kept={"look": "1", "compare": center.compare_param},
        compared=center.compare_label,
        below=rx.el.div(rx.foreach(center.compares, _link), class_name="menu-part"),
    )


def range_menu(
    view: Any,
    *,
    action: str,
    kept: dict[str, Any],
    compared: Any = None,
    below: rx.Component | None = None,
) -> rx.Component:
    """Presets as links and own days as a form: all of it stands in the address.

    `kept` goes along with own days; `compared` is told beside the days.
    """
    return rx.el.details(
        rx.el.summary(
            rx.el.strong(rx.cond(view.there, view.range_label, "Last 28 days")),
            *(
                (rx.cond(compared, rx.el.span(compared, class_name="muted")),)
                if compared is not None
                else ()
            ),
            rx.el.span(", choose days", class_name="unseen"),
            class_name="choice",
        ),
        rx.el.div(
            rx.el.div(rx.foreach(view.ranges, _link), class_name="menu-part"),
            plain_form(
                rx.el.input(type="hidden", name="shop", value=view.shop_param),
                rx.el.input(type="hidden", name="range", value="custom"),
                *(
                    rx.el.input(type="hidden", name=name, value=value)
                    for name, value in kept.items()
                ),
                _day("From", "from", view.date_from),
                _day("To", "to", view.date_to),
                rx.el.button("Show", type="submit", class_name="button plain"),
                method="get",
                action=action,
                class_name="menu-part days",
            ),
            *((below,) if below is not None else ()),
            class_name="menu range-menu",
        ),
        custom_attrs={"data-menu": ""},
        class_name="dropdown",
    )


def _day(label: str, name: str, value: Any) -> rx.Component:
    return rx.el.label(
        label,
        rx.el.input(
            type="date",
            name=name,
            default_value=value,
            key=name + value.to(str),
            required=True,
        ),
    )


def _link(link: rx.Var[LinkView]) -> rx.Component:
    return go(
        link.label,
        href=link.href,
        class_name="menu-link",
        aria_current=rx.cond(link.current, "true", "false"),
    )
