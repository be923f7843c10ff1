"""The connect page: permissions with their reasons, and the stores this browser knows."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from brandmind.components.connect_box import connect_box
from brandmind.components.notices import connection_lost
from brandmind.components.ui.links import go, leave
from brandmind.pages.landing import public_top
from brandmind.state.doorway import Doorway
from brandmind.state.views import LinkView

TITLE: Final = "Connect a store · BrandMind"

_PERMISSIONS: Final = (
    ("Products", "read_products", "to show your range, your prices and what each product brings"),
    ("Orders", "read_orders", "to add up net sales, returns and the repeat rate"),
    ("Customers", "read_customers", "to tell first orders from those of people who come back"),
)


def connect() -> rx.Component:
    """The page at /connect."""
    view: Any = Doorway.view
    return rx.el.div(
        connection_lost(),
        leave("Skip to the page", href="#page", class_name="skip"),
        public_top(),
        rx.el.main(
            rx.el.section(
                rx.el.h1(
                    rx.cond(view.stores.length() > 0, "Add another store.", "Connect your store.")
                ),
                rx.el.p(
                    "Shopify shows you the same list and asks for your consent. If the store is "
                    "connected already, this signs you in.",
                    class_name="muted narrow",
                ),
                connect_box(name="connect"),
                rx.el.p(
                    "No store at hand? ",
                    go("Explore a sample shop", href="/command-center?shop=sample"),
                    ".",
                    class_name="small muted",
                ),
                rx.cond(
                    view.stores.length() + view.locked.length() > 0,
                    rx.el.section(
                        rx.el.h2("Your stores"),
                        rx.el.ul(
                            rx.foreach(view.stores, _open),
                            rx.foreach(view.locked, _locked),
                            class_name="rows",
                        ),
                        class_name="known",
                    ),
                ),
            ),
            rx.el.section(
                rx.el.h2("What we ask for, and why", class_name="quiet-title"),
                rx.el.ul(
                    *(
                        rx.el.li(
                            rx.el.div(
                                rx.el.strong(name),
                                rx.el.code(scope, class_name="tiny muted"),
                                class_name="between",
                            ),
                            rx.el.p(f"{name}: {reason}.", class_name="small muted"),
                        )
                        for name, scope, reason in _PERMISSIONS
                    ),
                    class_name="rows",
                ),
                rx.el.p(
                    "Read only: nothing in your store is changed. ",
                    go("What we never do", href="/?stay=1#never"),
                    ".",
                    class_name="small muted",
                ),
                class_name="card",
            ),
            id="page",
            tab_index=-1,
            class_name=rx.cond(view.there, "two-columns", "two-columns awaited"),
        ),
        class_name="public",
    )


def _open(link: rx.Var[LinkView]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.span(
                rx.el.strong(link.label), " ", rx.el.span(link.note, class_name="whole small muted")
            ),
            go("Open", href=link.href),
            class_name="between",
        )
    )


def _locked(link: rx.Var[LinkView]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.span(link.note, class_name="muted"),
            leave(link.label, href=link.href),
            class_name="between",
        )
    )
