"""What the pages of customers, products and orders are made of: tabs, tables, lines, cards."""

from __future__ import annotations

from typing import Any

import reflex as rx

from brandmind.components.notices import failed_part
from brandmind.components.ui.links import go, leave
from brandmind.components.ui.marks import definition, sample_chip
from brandmind.state.portrait_views import MarkView
from brandmind.state.views import FactView, LinkView

Column = tuple[str, str]


def opener(name: Any, *, href: Any, opens: Any) -> rx.Component:
    """The name of a row; where it has an address, a link that opens it beside its table. The focus
    comes back to what bears `data-opens` with that key."""
    return rx.cond(
        href,
        go(name, href=href, prevent_scroll_reset=True, custom_attrs={"data-opens": opens}),
        rx.el.span(name),
    )


def card(
    title: str,
    meaning: str,
    *body: rx.Component,
    csv: Any = None,
    turn: rx.Component | None = None,
) -> rx.Component:
    """A card with its title, what it means behind an (i), its file, and another way to show it."""
    return rx.el.section(
        rx.el.div(
            rx.el.h2(title, class_name="card-title"),
            rx.el.span(
                *((turn,) if turn is not None else ()),
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
        # What is chosen stands where it was: the page must not leap to its top.
        prevent_scroll_reset=True,
        aria_current=rx.cond(link.current, "page", "false"),
        class_name="tab",
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


def turning(view: Any, label: str) -> rx.Component:
    """Which rows of a long table these are, and the ones before and after."""
    return rx.el.nav(
        rx.el.span(view.tally, class_name="small muted"),
        rx.cond(
            view.before_href,
            go("Before", href=view.before_href, prevent_scroll_reset=True, class_name="tab"),
        ),
        rx.cond(
            view.after_href,
            go("After", href=view.after_href, prevent_scroll_reset=True, class_name="tab"),
        ),
        aria_label=label,
        class_name="turning",
    )


def meter(width: Any) -> rx.Component:
    """A small bar beside its number."""
    return rx.el.span(rx.el.span(style={"width": width.to(str) + "%"}), class_name="meter")


def as_table_too(
    title: str, columns: tuple[Column, ...], rows: rx.Component, *, label: str = "View as table"
) -> rx.Component:
    """The figures of a chart as a table, behind a word."""
    return rx.el.details(
        rx.el.summary(
            label, rx.el.span(f", {title}", class_name="unseen"), class_name="link small"
        ),
        table(title, columns, rows),
        class_name="as-table",
    )


def curve(view: Any, title: str, columns: tuple[Column, Column]) -> rx.Component:
    """A line drawn by hand, what it says, and its table."""
    return rx.fragment(
        rx.el.p(view.said, class_name="small"),
        rx.el.div(
            rx.el.span(view.top, class_name="curve-top tiny muted", aria_hidden="true"),
            rx.el.svg(
                rx.el.svg.path(d=view.area, class_name="under"),
                rx.el.svg.path(d=view.path, fill="none", class_name="line"),
                view_box="0 0 100 100",
                preserve_aspect_ratio="none",
                aria_hidden="true",
            ),
            rx.foreach(view.marks, _mark),
            role="img",
            aria_label=title + ": " + view.said.to(str),
            class_name="curve",
        ),
        rx.el.div(
            rx.el.span(view.first),
            rx.el.span(view.last),
            class_name="ticks",
            aria_hidden="true",
        ),
        as_table_too(title, columns, rx.foreach(view.rows, fact_row)),
    )


def _mark(mark: rx.Var[MarkView]) -> rx.Component:
    return rx.el.span(
        rx.el.span(mark.text, class_name="tiny"),
        style={"left": mark.at.to(str) + "%"},
        class_name="curve-mark",
        aria_hidden="true",
    )


def fact_row(fact: rx.Var[FactView]) -> rx.Component:
    """A name and its value as a row of a table."""
    return rx.el.tr(rx.el.th(fact.name, scope="row", class_name="name"), rx.el.td(fact.value))


def facts(found: Any) -> rx.Component:
    """Names and values, a line each."""
    return rx.el.dl(rx.foreach(found, _fact), class_name="glossary")


def _fact(fact: rx.Var[FactView]) -> rx.Component:
    return rx.el.div(rx.el.dt(fact.name), rx.el.dd(fact.value))
