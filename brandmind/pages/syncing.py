"""The waiting room: the truth about a sync, and what is ready already."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from brandmind.components.gel import reading_gel
from brandmind.components.notices import connection_lost
from brandmind.components.ready_now import ready_now
from brandmind.components.shell import private_page
from brandmind.components.stage_list import meter, stage_list
from brandmind.components.ui.links import go, leave
from brandmind.state.frame import Frame
from brandmind.state.waiting import Waiting

TITLE: Final = "Reading your store · BrandMind"


def syncing() -> rx.Component:
    """The page at /syncing."""
    room: Any = Waiting.room
    return rx.fragment(
        connection_lost(),
        private_page(
            rx.el.div(
                rx.cond(room.there, _progress(), _held()),
                rx.cond(room.there, ready_now(room), rx.el.div(class_name="feed")),
                class_name="room",
            ),
            here="Sync progress",
            there=room.there,
        ),
    )


def _progress() -> rx.Component:
    room: Any = Waiting.room
    return rx.el.section(
        rx.el.p(room.eyebrow, class_name="small muted"),
        rx.el.h1(room.headline),
        rx.el.p(room.lead, class_name="room-lead muted"),
        rx.cond(room.note, rx.el.p(room.note, class_name="banner amber small")),
        rx.match(
            room.ending,
            ("done", go(room.act_label, href=room.act_href, class_name="button large")),
            (
                "cancelled",
                rx.el.div(
                    rx.el.button(
                        room.act_label, type="button", class_name="button", on_click=Frame.retry
                    ),
                    rx.el.button(
                        "Start over",
                        type="button",
                        class_name="button plain",
                        on_click=Frame.start_over,
                    ),
                    class_name="banner-acts",
                ),
            ),
            (
                "paused",
                rx.el.button("Go on", type="button", class_name="button", on_click=Frame.resume),
            ),
            ("reconnect", leave(room.act_label, href=room.act_href, class_name="button large")),
            rx.fragment(),
        ),
        reading_gel(room.front),
        rx.el.div(
            meter(
                room.percent,
                name="The whole sync",
                said=room.percent.to(str) + "%, " + room.tally.to(str),
            ),
            rx.el.div(
                rx.el.strong(room.percent.to(str), "%"),
                rx.el.span(room.tally, class_name="muted"),
                class_name="between",
            ),
            class_name="overall",
        ),
        stage_list(room),
        rx.cond(
            room.can_cancel,
            rx.el.p(
                go("Look at the command center", href=room.center_href),
                rx.el.button(
                    "Stop reading", type="button", class_name="link", on_click=Frame.cancel
                ),
                class_name="room-foot small",
            ),
        ),
        rx.cond(
            room.setup_label,
            rx.el.p(go(room.setup_label, href=room.setup_href), class_name="room-foot small"),
        ),
        rx.el.p(room.said, class_name="unseen", role="status", aria_live="polite"),
        aria_busy=rx.cond(room.busy, "true", "false"),
        class_name="progress",
    )


def _held() -> rx.Component:
    return rx.el.section(
        rx.el.div(class_name="hold line-hold"),
        rx.el.div(class_name="hold title-hold"),
        rx.el.div(class_name="hold line-hold long"),
        reading_gel("0"),
        rx.el.div(class_name="hold bar-hold"),
        aria_busy="true",
        class_name="progress",
    )
