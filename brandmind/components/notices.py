"""What a page says above its parts: banners, and that the connection is lost."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_components_core.core.banner import has_connection_errors

from brandmind.components.ui.links import go, leave
from brandmind.state.frame import Frame
from brandmind.state.views import BannerView


def banner(view: rx.Var[BannerView]) -> rx.Component:
    """One sentence and the one thing to do."""
    return rx.cond(
        view.text,
        rx.el.section(
            rx.el.span(view.text),
            rx.el.span(
                rx.match(
                    view.act,
                    (
                        "link",
                        rx.cond(
                            view.href.to(str).startswith("/auth/"),
                            leave(view.label, href=view.href, class_name="button"),
                            go(view.label, href=view.href, class_name="button plain"),
                        ),
                    ),
                    (
                        "retry",
                        rx.el.button(
                            view.label, type="button", class_name="button", on_click=Frame.retry
                        ),
                    ),
                    (
                        "sync",
                        rx.el.button(
                            view.label, type="button", class_name="button", on_click=Frame.sync_now
                        ),
                    ),
                    (
                        "resume",
                        rx.el.button(
                            view.label, type="button", class_name="button", on_click=Frame.resume
                        ),
                    ),
                    rx.fragment(),
                ),
                rx.cond(view.more_label, go(view.more_label, href=view.more_href)),
                class_name="banner-acts",
            ),
            aria_label="Status",
            class_name="banner " + view.tone.to(str),
        ),
    )


def failed_part(note: Any) -> rx.Component:
    """What could not be read, and the one thing to do, next to where it is missed."""
    return rx.el.p(
        rx.el.span(note, class_name="wrong"),
        " ",
        rx.el.button("Retry", type="button", class_name="link small", on_click=Frame.retry),
    )


def connection_lost() -> rx.Component:
    """Said over every page while its socket is away."""
    return rx.cond(
        has_connection_errors,
        rx.el.div(
            "Connection lost. Reconnecting; the sync goes on without this page.",
            role="status",
            class_name="lost",
        ),
    )
