"""The list of browsers a person is signed in with, and the ways to end that."""

from __future__ import annotations

from typing import Any

import reflex as rx

from brandmind.components.ui.forms import plain_form
from brandmind.state.signed_in import SignedIn
from brandmind.state.views import BrowserView


def signed_in() -> rx.Component:
    """Each browser with its end; the end of all others behind one more click."""
    view: Any = SignedIn.view
    return rx.cond(
        view.there,
        rx.el.section(
            rx.el.h2("Where you are signed in", class_name="card-title"),
            rx.el.p(
                "Sign out of what you do not know or use any more. Pages that are open there "
                "close at once; syncs go on.",
                class_name="small muted",
            ),
            rx.el.ul(rx.foreach(view.browsers, _browser), class_name="rows"),
            rx.cond(view.elsewhere, _elsewhere()),
            class_name="card",
        ),
        rx.el.section(class_name="hold fill-box"),
    )


def _browser(at: rx.Var[BrowserView]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.div(
                rx.el.strong(at.name),
                rx.el.p(
                    rx.el.span(at.used, title=at.used_title),
                    " · ",
                    at.since,
                    class_name="small muted",
                ),
            ),
            rx.cond(
                at.this,
                rx.el.div(
                    rx.el.span("This browser", class_name="chip quiet"),
                    # By a page load and no event: only that takes the cookie away.
                    plain_form(
                        rx.el.button("Sign out", type="submit", class_name="link small"),
                        method="post",
                        action="/auth/logout",
                    ),
                    class_name="banner-acts",
                ),
                rx.el.button(
                    "Sign out",
                    rx.el.span(" of ", at.name, class_name="unseen"),
                    type="button",
                    class_name="button plain",
                    on_click=SignedIn.sign_out(at.session_id),
                ),
            ),
            class_name="between wrap",
        ),
        key=at.session_id,
    )


def _elsewhere() -> rx.Component:
    view: Any = SignedIn.view
    return rx.el.details(
        rx.el.summary("Sign out everywhere else", class_name="link small"),
        rx.el.div(
            rx.el.p("You stay signed in here. Everywhere else you have to sign in again."),
            rx.el.button(
                "Sign out of ",
                view.elsewhere,
                type="button",
                class_name="button plain",
                on_click=SignedIn.sign_out_elsewhere,
            ),
            class_name="between wrap",
        ),
        class_name="resync",
    )
