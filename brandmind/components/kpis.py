"""The six figures in one frame."""

from __future__ import annotations

import reflex as rx

from brandmind.components.notices import failed_part
from brandmind.components.ui.marks import definition
from brandmind.state.definitions import MEANINGS, TITLES
from brandmind.state.views import CommandCenterView, KpiView


def kpi_row(center: rx.Var[CommandCenterView]) -> rx.Component:
    """The six cards, with their titles in place before their figures."""
    return rx.cond(
        center.there,
        rx.el.section(
            rx.foreach(center.kpis, _kpi), key="real", aria_label="Key figures", class_name="kpis"
        ),
        # Of its own key: the figures come in its place, it does not become them and move.
        rx.el.section(
            *(_empty(key) for key in TITLES),
            key="held",
            aria_label="Key figures",
            class_name="kpis held",
        ),
    )


def _head(title: object, meaning: object) -> rx.Component:
    return rx.el.div(rx.el.h3(title), definition(title, meaning), class_name="kpi-head")


def _empty(key: str) -> rx.Component:
    return rx.el.div(
        _head(TITLES[key], MEANINGS[key]),
        rx.el.div(class_name="hold kpi-hold"),
        rx.el.div(class_name="hold kpi-hold thin"),
        class_name="kpi",
    )


def _kpi(kpi: rx.Var[KpiView]) -> rx.Component:
    return rx.el.div(
        _head(kpi.title, kpi.definition),
        rx.match(
            kpi.mode,
            (
                "hold",
                rx.fragment(
                    rx.el.div(class_name="hold kpi-hold"),
                    rx.el.p(kpi.note, class_name="kpi-rest"),
                ),
            ),
            ("failed", failed_part(kpi.note)),
            (
                "closed",
                rx.fragment(
                    rx.el.p("–", class_name="kpi-value display muted", aria_hidden="true"),
                    rx.el.p(kpi.note, class_name="kpi-rest"),
                ),
            ),
            _figure(kpi),
        ),
        aria_busy=rx.cond(kpi.mode == "hold", "true", "false"),
        role="group",
        aria_label=kpi.title.to(str) + rx.cond(kpi.mode == "sample", ", sample", ""),
        class_name="kpi " + kpi.mode.to(str),
    )


def _figure(kpi: rx.Var[KpiView]) -> rx.Component:
    return rx.fragment(
        rx.el.p(kpi.value, class_name="kpi-value display"),
        rx.el.p(
            rx.cond(
                kpi.change,
                rx.fragment(
                    rx.el.strong(kpi.change, class_name=kpi.tone), " ", rx.el.span(kpi.rest)
                ),
            ),
            class_name="kpi-rest",
        ),
        rx.cond(kpi.detail, rx.el.p(kpi.detail, class_name="kpi-detail")),
        rx.cond(
            kpi.spark,
            rx.el.svg(
                rx.el.svg.path(d=kpi.spark, fill="none", class_name="line"),
                view_box="0 0 120 26",
                preserve_aspect_ratio="none",
                aria_hidden="true",
                class_name="spark " + kpi.tone.to(str),
            ),
        ),
        rx.match(
            kpi.mode,
            (
                "sample",
                rx.el.p(
                    rx.el.span("Sample", class_name="chip lilac"),
                    rx.el.span(kpi.note, class_name="tiny muted"),
                    class_name="kpi-note",
                ),
            ),
            rx.cond(
                kpi.note,
                rx.el.p(rx.el.span(kpi.note, class_name="chip amber"), class_name="kpi-note"),
            ),
        ),
    )
