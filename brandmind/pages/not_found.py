"""The page for an address that leads nowhere, and the one for something that broke."""

from __future__ import annotations

from typing import Final

import reflex as rx

from brandmind.components.ui.links import go
from brandmind.components.ui.marks import logo

TITLE: Final = "Not found · BrandMind"


def not_found() -> rx.Component:
    """The page at every unknown address."""
    return rx.el.div(
        rx.el.header(logo(), class_name="public-top"),
        rx.el.main(
            rx.el.section(
                rx.el.h1("There is no page here."),
                rx.el.p(
                    "The address may be old or mistyped. Nothing is wrong with your store.",
                    class_name="muted",
                ),
                rx.el.div(
                    go("Your command center", href="/command-center", class_name="button large"),
                    go("Start page", href="/?stay=1"),
                    class_name="gate-acts",
                ),
                class_name="gate",
            ),
        ),
        class_name="public",
    )
