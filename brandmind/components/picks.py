"""What a person may tick: the parts that are read, and one answer of several."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from brandmind.state.reader_view import ReaderView

SINCE: Final = (
    ("60d", "The last 60 days"),
    ("12m", "The last 12 months"),
    ("all", "All of them"),
)


def pick(name: str, value: str, label: str, *, chosen: Any, on_choose: Any) -> rx.Component:
    """One answer of several; `name` is what they share."""
    return rx.el.label(
        rx.el.input(
            type="radio",
            name=name,
            value=value,
            checked=chosen == value,
            on_change=on_choose(value),
        ),
        label,
        class_name="tick",
    )


def products_pick(why: str) -> rx.Component:
    """Products, which are always read."""
    return rx.el.li(
        rx.el.label(
            rx.el.input(type="checkbox", checked=True, disabled=True, read_only=True),
            rx.el.strong("Products"),
            class_name="tick",
        ),
        rx.el.p(why, class_name="small muted"),
    )


def orders_pick(since: Any, on_choose: Any, *notes: rx.Component) -> rx.Component:
    """How far back orders are read."""
    return rx.el.li(
        rx.el.fieldset(
            rx.el.legend("Orders"),
            rx.el.div(
                *(
                    pick("orders-since", value, label, chosen=since, on_choose=on_choose)
                    for value, label in SINCE
                ),
                class_name="pick-line",
            ),
            *notes,
        ),
    )


def customers_pick(on: Any, on_change: Any, note: Any = "") -> rx.Component:
    """Whether customers are read."""
    return rx.el.li(
        rx.el.label(
            rx.el.input(
                type="checkbox",
                checked=on,
                on_change=on_change,
                aria_describedby="customers-note",
            ),
            rx.el.strong("Customers"),
            class_name="tick",
        ),
        rx.el.p(
            rx.cond(note, note, "Names, places and how often they came back."),
            id="customers-note",
            class_name="small muted",
        ),
    )


def reader_pick(one: rx.Var[ReaderView], on_choose: Any) -> rx.Component:
    """Whether a person is told; `on_choose` takes what is ticked now."""
    return rx.el.li(
        rx.el.label(
            rx.el.input(
                type="checkbox",
                checked=one.told,
                disabled=one.closed,
                on_change=on_choose,
            ),
            rx.el.strong(one.name),
            class_name="tick",
        ),
        rx.el.p(one.note, class_name="small muted"),
        key=one.user_id,
    )
