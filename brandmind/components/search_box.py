"""The search over every private page: a key or a button opens it, arrows and Enter choose."""

from __future__ import annotations

from typing import Any

import reflex as rx

from brandmind.components.ui.links import go
from brandmind.state.frame import Frame
from brandmind.state.search_view import HitView
from brandmind.state.searching import Search
from brandmind.state.views import LinkView


def search_sign() -> rx.Component:
    """The button in the top bar."""
    return rx.el.button(
        _glass(),
        rx.el.span("Search", class_name="search-word"),
        rx.el.kbd("/", aria_hidden="true"),
        type="button",
        title="Search",
        class_name="search-sign",
        custom_attrs={"data-search": ""},
    )


def search_box() -> rx.Component:
    """The dialog; the page's script opens it and moves the choice."""
    view: Any = Search.view
    return rx.el.dialog(
        rx.el.div(
            _glass(),
            rx.el.input(
                type="text",
                role="combobox",
                placeholder="Pages, products, orders, customers",
                auto_complete="off",
                spell_check=False,
                max_length=80,
                aria_label="Search this store",
                aria_expanded="true",
                aria_controls="search-list",
                aria_autocomplete="list",
                on_change=Search.look.debounce(150),
                custom_attrs={"data-search-field": ""},
            ),
            rx.el.button(
                "Close",
                type="button",
                class_name="link small",
                custom_attrs={"data-search-close": ""},
            ),
            class_name="search-top",
        ),
        rx.el.ul(
            rx.cond(
                view.text,
                rx.foreach(view.hits, _hit),
                rx.foreach(Frame.shell.nav, _page),
            ),
            id="search-list",
            role="listbox",
            aria_label="Found",
            class_name="search-list",
            custom_attrs={"data-for": view.text},
        ),
        rx.el.p(
            view.said,
            role="status",
            class_name=rx.cond(view.hits.length() > 0, "unseen", "search-said muted"),
        ),
        rx.el.button(
            "Clear",
            type="button",
            tab_index=-1,
            aria_hidden="true",
            on_click=Search.look(""),
            class_name="away",
            custom_attrs={"data-search-clear": ""},
        ),
        id="search",
        aria_label="Search",
        class_name="dialog search",
    )


def _hit(hit: rx.Var[HitView]) -> rx.Component:
    return _row(hit.label, hit.note, hit.kind, hit.href, key=hit.key)


def _page(link: rx.Var[LinkView], at: Any) -> rx.Component:
    return _row(link.label, "", "Page", link.href, key="page-" + at.to(str))


def _row(label: Any, note: Any, kind: Any, href: Any, *, key: Any) -> rx.Component:
    return rx.el.li(
        go(
            rx.el.span(label, class_name="search-label"),
            rx.cond(note, rx.el.span(note, class_name="small muted")),
            rx.el.span(kind, class_name="search-kind tiny muted"),
            href=href,
            tab_index=-1,
        ),
        id=key,
        key=key,
        role="option",
        custom_attrs={"data-hit": ""},
    )


def _glass() -> rx.Component:
    return rx.el.svg(
        rx.el.svg.circle(
            cx="7.5", cy="7.5", r="5", fill="none", stroke="currentColor", stroke_width="1.6"
        ),
        rx.el.svg.path(d="M11.4 11.4l4.6 4.6", stroke="currentColor", stroke_width="1.6"),
        view_box="0 0 18 18",
        width="18",
        height="18",
        class_name="glass",
        aria_hidden="true",
    )
