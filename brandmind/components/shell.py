"""The frame of a private page: rail, top bar, bottom bar, gate and notices."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from brandmind.components.keyboard import dialogs, keys_sign
from brandmind.components.search_box import search_box, search_sign
from brandmind.components.ui.forms import plain_form
from brandmind.components.ui.links import go, leave
from brandmind.components.ui.marks import logo, theme_turn
from brandmind.state.frame import Frame
from brandmind.state.views import LinkView

# The pages a phone's bar shows by name.
IN_BOTTOM: Final = ("Command center", "Store DNA", "Customers", "Products")


def private_page(
    *body: rx.Component,
    here: str,
    there: Any,
    tools: rx.Component | None = None,
    of_store: bool = True,
) -> rx.Component:
    """A page behind the guard.

    `here` names it in the rail; `there` is true once its view has come; `tools` stand in the
    top bar. `of_store` false: a page of no store, so that there is none to choose or to sync.
    """
    shell: Any = Frame.shell
    return rx.el.div(
        leave("Skip to the page", href="#page", class_name="skip"),
        _rail(here),
        rx.el.div(
            rx.cond(shell.gate == "open", _top(tools) if of_store else _plain_top(), _closed_top()),
            rx.el.main(
                _notice(),
                rx.match(
                    shell.gate,
                    ("open", rx.fragment(*body)),
                    ("wait", rx.fragment(*body)),
                    _gate(),
                ),
                id="page",
                tab_index=-1,
                # What comes within half a second comes into an empty page and moves nothing.
                class_name=rx.cond(
                    there | ((shell.gate != "wait") & (shell.gate != "open")), "", "awaited"
                ),
            ),
            class_name="column",
        ),
        rx.cond(shell.gate == "open", _bottom(here)),
        dialogs(),
        rx.cond(shell.gate == "open", search_box()),
        class_name=rx.cond(shell.sample, "app demo", "app"),
    )


def _rail(here: str) -> rx.Component:
    return rx.el.aside(
        logo(),
        rx.el.nav(
            rx.foreach(Frame.shell.nav, lambda link: _nav_link(link, here)),
            aria_label="Pages",
        ),
        rx.el.div(
            rx.el.div(
                rx.el.div(Frame.shell.who, class_name="who"),
                rx.el.div(Frame.shell.role, class_name="small muted"),
                rx.cond(
                    (Frame.shell.gate == "open") & ~Frame.shell.sample,
                    _sign_out(),
                ),
            ),
            rx.el.div(keys_sign(), theme_turn(), class_name="rail-signs"),
            class_name="rail-foot",
        ),
        class_name="rail",
    )


def _sign_out() -> rx.Component:
    return plain_form(
        rx.el.button("Sign out", type="submit", class_name="link small"),
        method="post",
        action="/auth/logout",
        class_name="sign-out",
    )


def _nav_link(link: rx.Var[LinkView], here: str) -> rx.Component:
    return go(
        link.label,
        href=link.href,
        class_name="nav-link",
        aria_current=rx.cond(link.label == here, "page", "false"),
    )


def _top(tools: rx.Component | None) -> rx.Component:
    shell: Any = Frame.shell
    return rx.el.header(
        rx.el.div(_switcher(), tools or rx.fragment(), class_name="top-left"),
        rx.el.div(
            search_sign(),
            freshness(),
            rx.cond(
                ~shell.sample,
                rx.el.button(
                    shell.sync_label,
                    type="button",
                    class_name="button",
                    disabled=~shell.can_sync,
                    on_click=Frame.sync_now,
                    custom_attrs={"data-sync": ""},
                ),
            ),
            class_name="top-right",
        ),
        class_name="top",
    )


def _plain_top() -> rx.Component:
    return rx.el.header(
        rx.el.div(rx.el.div(Frame.shell.shop, class_name="shop"), class_name="top-left"),
        rx.el.div(search_sign(), class_name="top-right"),
        class_name="top",
    )


def _closed_top() -> rx.Component:
    return rx.el.header(
        rx.el.div(logo(), class_name="only-narrow"),
        rx.el.div(class_name="top-left"),
        # As high as the open one, which is the likely next.
        class_name=rx.cond(Frame.shell.gate == "wait", "top wait", "top"),
    )


def _switcher() -> rx.Component:
    shell: Any = Frame.shell
    return rx.cond(
        shell.sample,
        rx.el.div(shell.shop, class_name="shop"),
        rx.el.details(
            rx.el.summary(
                rx.el.span(shell.shop),
                rx.el.span("▾", class_name="muted caret", aria_hidden="true"),
                rx.el.span(", choose a store", class_name="unseen"),
                class_name="shop",
            ),
            rx.el.div(
                rx.foreach(shell.stores, _store_link),
                rx.cond(
                    shell.compare_href,
                    go("Compare two stores", href=shell.compare_href, class_name="menu-link rule"),
                ),
                go("Add another store", href="/connect", class_name="menu-link rule"),
                _sign_out(),
                class_name="menu",
            ),
            custom_attrs={"data-menu": ""},
            class_name="dropdown",
        ),
    )


def _store_link(link: rx.Var[LinkView]) -> rx.Component:
    inside = (
        rx.el.span(link.label),
        rx.el.span(link.note, class_name="tiny muted"),
    )
    # A store that still needs its sign-in leaves the app; the others do not.
    return rx.cond(
        link.href.to(str).startswith("/auth/"),
        leave(*inside, href=link.href, class_name="menu-link"),
        go(
            *inside,
            href=link.href,
            class_name="menu-link",
            aria_current=rx.cond(link.current, "true", "false"),
        ),
    )


def freshness() -> rx.Component:
    """How fresh the numbers are; the page's script keeps the time going."""
    pill: Any = Frame.shell.pill
    return rx.el.span(
        rx.el.span(class_name="dot"),
        rx.cond(
            pill.at,
            rx.el.span(pill.text, custom_attrs={"data-synced": pill.at}),
            rx.el.span(pill.text),
        ),
        title=pill.title,
        class_name="pill " + pill.tone.to(str),
    )


def _bottom(here: str) -> rx.Component:
    return rx.el.nav(
        rx.foreach(Frame.shell.bottom, lambda link: _short_link(link, here)),
        rx.el.details(
            rx.el.summary(
                "More",
                class_name="nav-link" if here in IN_BOTTOM else "nav-link here",
            ),
            rx.el.div(
                rx.foreach(
                    Frame.shell.more,
                    lambda link: go(
                        link.label,
                        href=link.href,
                        class_name="menu-link",
                        aria_current=rx.cond(link.label == here, "page", "false"),
                    ),
                ),
                rx.el.button(
                    "Light or dark",
                    type="button",
                    class_name="menu-link rule",
                    custom_attrs={"data-theme-turn": ""},
                ),
                class_name="menu upward",
            ),
            custom_attrs={"data-menu": ""},
            class_name="dropdown",
        ),
        aria_label="Pages",
        class_name="bottom",
    )


def _short_link(link: rx.Var[LinkView], here: str) -> rx.Component:
    return go(
        link.note,
        href=link.href,
        aria_label=link.label,
        class_name="nav-link",
        aria_current=rx.cond(link.label == here, "page", "false"),
    )


def _notice() -> rx.Component:
    return rx.el.div(
        rx.cond(
            Frame.notice,
            rx.el.div(
                rx.el.span(Frame.notice),
                rx.el.button(
                    "Close", type="button", class_name="link small", on_click=Frame.close_notice
                ),
                class_name="banner rise " + rx.Var.create(Frame.notice_tone),
                custom_attrs={"data-notice": ""},
            ),
        ),
        role="status",
    )


def _gate() -> rx.Component:
    shell: Any = Frame.shell
    return rx.el.section(
        rx.el.h1(shell.gate_title),
        rx.el.p(shell.gate_text, class_name="muted"),
        rx.el.div(
            leave(shell.gate_label, href=shell.gate_href, class_name="button large"),
            go("Explore a sample shop", href="/command-center?shop=sample", class_name="link"),
            class_name="gate-acts",
        ),
        class_name="gate",
    )
