"""The keys of the private pages: their list, and the question before a sync by key."""

from __future__ import annotations

from typing import Final

import reflex as rx

from brandmind.components.ui.forms import plain_form

# What the page's script listens to; the words are those of the help.
_KEYS: Final = (
    (("g", "c"), "Command center"),
    (("g", "d"), "Store DNA"),
    (("g", "u"), "Customers"),
    (("g", "p"), "Products"),
    (("g", "o"), "Orders"),
    (("g", "w"), "Sync progress"),
    (("g", "s"), "Settings"),
    (("g", "b"), "Two stores beside each other"),
    (("g", "a"), "Admin, for administrators"),
    (("/",), "Search: arrows choose, Enter goes there"),
    (("r",), "Sync now, after one question"),
    (("[",), "A shorter period"),
    (("]",), "A longer period"),
    (("?",), "This list"),
    (("Esc",), "Close what is open"),
)


def dialogs() -> rx.Component:
    """Both dialogs; the page's script opens them, the browser holds the focus in them."""
    return rx.fragment(
        rx.el.dialog(
            rx.el.h2("Keys"),
            rx.el.dl(*(_key(keys, does) for keys, does in _KEYS), class_name="key-list"),
            plain_form(
                rx.el.button("Close", type="submit", class_name="button plain"),
                method="dialog",
            ),
            id="keys",
            aria_label="Keys",
            class_name="dialog",
        ),
        rx.el.dialog(
            rx.el.h2("Sync now?"),
            rx.el.p(
                "Reads what has changed in your store. Your numbers stay while it runs.",
                class_name="muted",
            ),
            plain_form(
                rx.el.button(
                    "Sync now",
                    type="submit",
                    class_name="button",
                    custom_attrs={"data-sync-yes": ""},
                ),
                rx.el.button("Not now", type="submit", class_name="button plain"),
                method="dialog",
                class_name="banner-acts",
            ),
            id="sync",
            aria_label="Sync now?",
            class_name="dialog",
        ),
    )


def keys_sign() -> rx.Component:
    """The way to the list of keys for those who do not know its key."""
    return rx.el.button(
        rx.el.span("?", aria_hidden="true"),
        rx.el.span("Keys", class_name="unseen"),
        type="button",
        title="Keys",
        class_name="turn",
        custom_attrs={"data-keys": ""},
    )


def _key(keys: tuple[str, ...], does: str) -> rx.Component:
    return rx.el.div(
        rx.el.dt(*(rx.el.kbd(key) for key in keys)),
        rx.el.dd(does),
    )
