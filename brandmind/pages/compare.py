"""Two stores of one person beside each other: their figures and their strands."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from brandmind.components import page_parts as parts
from brandmind.components.notices import connection_lost
from brandmind.components.shell import private_page
from brandmind.components.ui.links import go, leave
from brandmind.components.ui.marks import definition
from brandmind.state.beside import Beside
from brandmind.state.beside_view import UNKNOWN, FigureRowView, StrandPairView
from brandmind.state.views import LinkView

TITLE: Final = "Two stores · BrandMind"
_STRANDS: Final = (
    "Each line is a strand, from one pole to the other: the filled mark is the first store, the "
    "open one the second. Surely apart: what is likely for the one and the other does not touch."
)


def compare() -> rx.Component:
    """The page at /compare."""
    page: Any = Beside.page
    return rx.fragment(
        connection_lost(),
        private_page(
            rx.el.h1(
                rx.cond(page.second, page.left + " beside " + page.right.to(str), "Two stores"),
                class_name="page-title",
            ),
            rx.cond(
                page.there,
                rx.el.div(
                    _choice(page),
                    rx.cond(page.second, rx.fragment(_figures(page), _strands(page))),
                    class_name="stack",
                ),
                rx.el.section(class_name="hold fill-box"),
            ),
            here="Compare",
            there=page.there,
        ),
    )


def _choice(page: Any) -> rx.Component:
    return rx.el.section(
        rx.el.p(page.lead, class_name="muted"),
        rx.cond(
            page.others.length() > 0,
            rx.el.div(
                rx.el.span("Beside", class_name="small muted"),
                parts.tabs(page.others, "The second store"),
                class_name="beside-choice",
            ),
        ),
        rx.cond(page.presets.length() > 0, parts.tabs(page.presets, "Days")),
        rx.cond(
            ~page.second,
            rx.el.ul(
                rx.foreach(page.locked, _locked),
                rx.el.li(go("Add another store", href="/connect", class_name="button plain")),
                class_name="rows",
            ),
        ),
        class_name="card beside-card",
    )


def _locked(link: rx.Var[LinkView]) -> rx.Component:
    return rx.el.li(leave(link.label, href=link.href))


def _figures(page: Any) -> rx.Component:
    return rx.el.section(
        rx.el.h2("Figures", class_name="card-title"),
        rx.cond(page.figures_note, rx.el.p(page.figures_note, class_name="small muted")),
        rx.el.div(
            rx.el.table(
                rx.el.caption("Figures of both stores", class_name="unseen"),
                rx.el.thead(
                    rx.el.tr(
                        rx.el.th("Figure", scope="col"),
                        rx.el.th(page.left, scope="col", class_name="num"),
                        rx.el.th(page.right, scope="col", class_name="num"),
                        rx.el.th("The second has", scope="col", class_name="num wide-only"),
                    )
                ),
                rx.el.tbody(rx.foreach(page.figures, _figure)),
                class_name="beside-table",
            ),
            class_name="table-box",
            tab_index=0,
            role="region",
            aria_label="Figures of both stores",
        ),
        class_name="card table-card",
    )


def _figure(row: rx.Var[FigureRowView]) -> rx.Component:
    return rx.el.tr(
        rx.el.th(row.name, scope="row", title=row.meaning),
        _value(row.left),
        _value(row.right),
        rx.el.td(row.apart, class_name="num muted wide-only"),
    )


def _value(said: Any) -> rx.Component:
    """A figure, or in a quieter hand that nobody knows it."""
    return rx.el.td(
        said,
        class_name=rx.cond(said == UNKNOWN, "num small muted", "num beside-value"),
    )


def _strands(page: Any) -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Store DNA", class_name="card-title"),
            definition("The strands of both stores", _STRANDS),
            class_name="card-head",
        ),
        rx.cond(page.strands_note, rx.el.p(page.strands_note, class_name="muted")),
        rx.cond(
            page.strands.length() > 0,
            rx.fragment(
                rx.el.p(
                    rx.el.span(class_name="mark filled", aria_hidden="true"),
                    page.left,
                    rx.el.span(class_name="mark open", aria_hidden="true"),
                    page.right,
                    class_name="beside-key small",
                ),
                rx.el.ul(rx.foreach(page.strands, _strand), class_name="rows"),
            ),
        ),
        class_name="card",
    )


def _strand(pair: rx.Var[StrandPairView]) -> rx.Component:
    tone = pair.helix.to(str)
    return rx.el.li(
        rx.el.span(
            rx.el.strong(pair.name),
            rx.el.span(pair.apart, class_name="small muted"),
            class_name="beside-name",
            aria_hidden="true",
        ),
        rx.el.span(
            rx.el.span(
                rx.el.span(pair.poles[0]),
                rx.el.span(pair.poles[1]),
                class_name="poles tiny muted",
            ),
            rx.el.span(
                rx.cond(
                    pair.left >= 0,
                    rx.el.span(
                        style={"left": pair.left.to(str) + "%"}, class_name="mark filled b" + tone
                    ),
                ),
                rx.cond(
                    pair.right >= 0,
                    rx.el.span(
                        style={"left": pair.right.to(str) + "%"}, class_name="mark open t" + tone
                    ),
                ),
                class_name="beside-scale",
            ),
            rx.el.span(
                rx.el.span(
                    rx.el.span(class_name="mark filled b" + tone),
                    pair.left_said,
                    class_name="whose",
                ),
                rx.el.span(rx.el.span(class_name="mark open"), pair.right_said, class_name="whose"),
                class_name="poles small t" + tone,
            ),
            aria_hidden="true",
        ),
        rx.el.span(pair.said, class_name="unseen"),
        key=pair.name,
        class_name="beside-strand",
    )
