"""The command center: what a store sells, as far as it has been read."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from brandmind.components import portrait as parts
from brandmind.components.kpis import kpi_row
from brandmind.components.notices import banner, connection_lost
from brandmind.components.ranges import range_choice
from brandmind.components.sales_chart import sales_chart
from brandmind.components.shell import private_page
from brandmind.components.tables import recent_orders, top_products
from brandmind.state.center import Center

TITLE: Final = "Command center · BrandMind"


def command_center() -> rx.Component:
    """The page at /command-center."""
    center: Any = Center.center
    return rx.fragment(
        connection_lost(),
        private_page(
            banner(center.banner),
            rx.el.h1("Command center", class_name="unseen"),
            parts.band(Center.dna, link=True),
            kpi_row(center),
            sales_chart(center.chart),
            rx.cond(
                parts.shown(Center.dna),
                rx.fragment(
                    parts.next_and_pulse(Center.dna),
                    rx.el.div(
                        parts.when(Center.dna), parts.groups(Center.dna), class_name="halves-cards"
                    ),
                ),
                # A first sync that goes on: what it ends with comes into room that is kept.
                rx.cond(
                    (center.banner.tone == "info") & (Center.dna.mode != "closed"),
                    rx.fragment(parts.next_to_come(), parts.when_to_come()),
                ),
            ),
            rx.el.div(top_products(center), recent_orders(center), class_name="halves-cards"),
            rx.el.footer(
                rx.el.span(center.dates),
                rx.cond(center.currencies, rx.el.span(center.currencies)),
                rx.cond(
                    center.history,
                    rx.el.span(
                        rx.el.span(center.history),
                        rx.el.span(
                            rx.el.span(style={"width": center.history_percent.to(str) + "%"}),
                            class_name="meter thin short",
                            aria_hidden="true",
                        ),
                        class_name="history",
                    ),
                ),
                class_name="page-foot small muted",
            ),
            here="Command center",
            there=center.there,
            tools=range_choice(),
        ),
    )
