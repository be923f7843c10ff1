"""Store DNA: what a store is like, strand by strand."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from brandmind.components import portrait as parts
from brandmind.components.notices import banner, connection_lost
from brandmind.components.shell import private_page
from brandmind.state.portrait import Portrait

TITLE: Final = "Store DNA · BrandMind"


def dna() -> rx.Component:
    """The page at /dna."""
    page: Any = Portrait.page
    any_read = page.table.length() > 0
    return rx.fragment(
        connection_lost(),
        private_page(
            banner(page.banner),
            rx.el.h1("Store DNA", class_name="unseen"),
            parts.band(page, link=False),
            rx.cond(
                parts.shown(page),
                rx.fragment(
                    rx.el.div(
                        rx.cond(
                            any_read,
                            rx.el.button(
                                rx.cond(Portrait.as_table, "View as lines", "View as table"),
                                type="button",
                                class_name="link small",
                                on_click=Portrait.turn_table,
                            ),
                            rx.el.span(),
                        ),
                        parts.gel_meaning(),
                        class_name="between",
                    ),
                    rx.cond(
                        Portrait.as_table & any_read, parts.strand_table(page), parts.helices(page)
                    ),
                    parts.next_and_pulse(page),
                    rx.el.footer(rx.el.span(page.foot), class_name="page-foot small muted"),
                ),
            ),
            here="Store DNA",
            there=page.there,
        ),
    )
