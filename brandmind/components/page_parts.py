"""What the pages of customers, products and orders are made of: ranges, tabs, tables, cards."""

from __future__ import annotations

from typing import Any

import reflex as rx

from brandmind.components.notices import failed_part
from brandmind.components.ui.links import go, leave
from brandmind.components.ui.marks import definition, sample_chip
from brandmind.state.views import FactView, LinkView

Column = tuple[str, str]


def card(title: str, meaning: str, *body: rx.Component, csv: Any = None) -> rx.Component:
    """A card with its title, what it means behind an (i), and its file."""
    return rx.el.section(
        rx.el.div(
            rx.el.h2(title, class_name="card-title"),
            rx.el.span(
                *(
                    (rx.cond(csv, leave("CSV", href=csv, class_name="small")),)
                    if csv is not None
                    else ()
                ),
                definition(title, meaning),
                class_name="with-icon",
            ),
            class_name="card-head",
        ),
        *body,
        class_name="card table-card",
    )


def by_mode(page: Any, *body: rx.Component) -> rx.Component:
    """The body where there is something to show, else the one sentence for what is missing."""
    return rx.cond(
        page.there,
        rx.match(
            page.mode,
            ("closed", _said(page.note)),
            ("none", _said(page.note)),
            ("failed", rx.el.section(failed_part(page.note), class_name="card")),
            ("hold", _said(page.note)),
            rx.fragment(
                rx.cond(page.mode == "sample", rx.el.p(sample_chip())),
                rx.cond(
                    (page.mode == "real") & (page.note != ""),
                    rx.el.p(rx.el.span(page.note, class_name="chip amber")),
                ),
                *body,
            ),
        ),
        rx.el.section(class_name="hold fill-box"),
    )


def _said(note: Any) -> rx.Component:
    return rx.el.section(rx.el.p(note, class_name="muted"), class_name="card")


def tabs(links: Any, label: str) -> rx.Component:
    """Links beside each other, one of them current."""
    return rx.el.nav(rx.foreach(links, _tab), aria_label=label, class_name="tabs")


def _tab(link: rx.Var[LinkView]) -> rx.Component:
    return go(
        link.label,
        href=link.href,
        aria_current=rx.cond(link.current, "page", "false"),
        class_name="tab",
    )


def ranges(page: Any) -> rx.Component:
    """The choice of days, as links in the top bar."""
    return rx.el.details(
        rx.el.summary(
            rx.el.strong(rx.cond(page.there, page.range_label, "Last 28 days")),
            rx.el.span(", choose days", class_name="unseen"),
            class_name="choice",
        ),
        rx.el.div(
            rx.el.div(rx.foreach(page.ranges, _range), class_name="menu-part"),
            class_name="menu range-menu",
        ),
        custom_attrs={"data-menu": ""},
        class_name="dropdown",
    )


def _range(link: rx.Var[LinkView]) -> rx.Component:
    return go(
        link.label,
        href=link.href,
        class_name="menu-link",
        aria_current=rx.cond(link.current, "true", "false"),
    )


def table(
    title: str, columns: tuple[Column, ...], *body: rx.Component, foot: rx.Component | None = None
) -> rx.Component:
    """A table that scrolls sideways by itself where it is too wide."""
    return rx.el.div(
        rx.el.table(
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
            rx.el.tbody(*body),
            *((rx.el.tfoot(foot),) if foot is not None else ()),
        ),
        class_name="table-box",
        tab_index=0,
        role="region",
        aria_label=title,
    )


def meter(width: Any) -> rx.Component:
    """A small bar beside its number."""
    return rx.el.span(rx.el.span(style={"width": width.to(str) + "%"}), class_name="meter")


def facts(found: Any) -> rx.Component:
    """Names and values, a line each."""
    return rx.el.dl(rx.foreach(found, _fact), class_name="glossary")


def _fact(fact: rx.Var[FactView]) -> rx.Component:
    return rx.el.div(rx.el.dt(fact.name), rx.el.dd(fact.value))
