"""The landing page: what BrandMind is, and the way in."""

from __future__ import annotations

from typing import Final

import reflex as rx

from brandmind.components.connect_box import connect_box
from brandmind.components.gel import sample_gel
from brandmind.components.notices import connection_lost
from brandmind.components.ui.links import go, leave
from brandmind.components.ui.marks import logo, theme_turn

TITLE: Final = "BrandMind: see what your store is made of"

_PROMISES: Final = (
    (
        "Useful in seconds",
        "Newest orders come first. Each part of the command center fills in as soon as it is read.",
    ),
    (
        "Nothing lost, and shown",
        "Every count is held against Shopify's own. If one record is missing, we say so and "
        "fetch it.",
    ),
    (
        "Numbers you can check",
        "Shopify's definitions, your time zone, your currency. Each figure says what it counts.",
    ),
)
_READ: Final = (
    ("Products", "titles, variants, prices and stock, to show your range and what sells."),
    ("Orders", "lines, discounts, returns and days, to add up your sales to the cent."),
    ("Customers", "who orders for the first time and who comes back."),
)
_NEVER: Final = (
    "Change anything in your store: the access we ask for is read only.",
    "Sell or share your data, or write to your customers.",
    "Keep it when you leave: it is deleted about two days after you uninstall.",
)


def public_top() -> rx.Component:
    """The top of the pages before a store."""
    return rx.el.header(
        logo(),
        rx.el.nav(
            rx.el.a("What we read", href="/#read", class_name="only-wide"),
            rx.el.a("What we never do", href="/#never", class_name="only-wide"),
            go("Sign in", href="/connect"),
            theme_turn(),
            aria_label="Pages",
        ),
        class_name="public-top",
    )


def landing() -> rx.Component:
    """The page at /."""
    return rx.el.div(
        connection_lost(),
        leave("Skip to the page", href="#page", class_name="skip"),
        public_top(),
        rx.el.main(
            rx.el.section(
                rx.el.h1("See what your store is made of.", class_name="hero"),
                rx.el.p(
                    "BrandMind reads your Shopify orders, products and customers, and shows what "
                    "sells, who comes back and how fresh each number is.",
                    class_name="lead",
                ),
                connect_box(name="landing"),
                rx.el.p(
                    "Read only. Leave any time; we delete your data about two days later. Or ",
                    go("explore a sample shop", href="/command-center?shop=sample"),
                    ".",
                    class_name="small muted narrow",
                ),
                class_name="hero-part",
            ),
            sample_gel(),
            rx.el.p(
                "A sample shop. Twelve strands, one band each: height is the score, the glow is "
                "how sure we are, the thin line is where it stood 90 days ago.",
                class_name="small muted caption",
            ),
            rx.el.section(
                *(rx.el.div(rx.el.h2(title), rx.el.p(text)) for title, text in _PROMISES),
                class_name="thirds rule",
            ),
            rx.el.div(
                rx.el.section(
                    rx.el.h2("What we read"),
                    rx.el.ul(
                        *(
                            rx.el.li(rx.el.strong(f"{name}: "), rx.el.span(text))
                            for name, text in _READ
                        )
                    ),
                    id="read",
                ),
                rx.el.section(
                    rx.el.h2("What we never do"),
                    rx.el.ul(*(rx.el.li(text) for text in _NEVER)),
                    id="never",
                ),
                class_name="halves rule",
            ),
            id="page",
            tab_index=-1,
        ),
        class_name="public",
    )
