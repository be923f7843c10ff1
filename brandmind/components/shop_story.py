"""One store as its operator sees it: its runs, their stages, what happened, what may be done."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from brandmind.components.page_parts import table
from brandmind.components.ui.links import go
from brandmind.components.ui.marks import state_icon
from brandmind.state.admin import Admin
from brandmind.state.admin_views import EventView, LackView, RunStageView, RunView

_ACTS: Final = (
    ("can_retry", "retry", "Retry from where it stopped", "button"),
    ("can_resume", "resume", "Let it go on", "button"),
    ("can_start_over", "start_over", "Start over", "button plain"),
    ("can_stop", "stop", "Stop", "button plain"),
    ("can_pause", "pause", "Pause", "button plain"),
    ("can_read_again", "read_again", "Read everything again", "button plain"),
)
_STAGES: Final = (
    ("Stage", ""), ("State", ""), ("Records", "num"), ("Tries", "num"), ("Took", "num"),
)  # fmt: skip
_EVENTS: Final = (("When", ""), ("What", ""), ("Stage", ""), ("Records", "num"), ("Detail", ""))


def shop_story(shop: Any) -> rx.Component:
    """The store that is open, in place of the list."""
    return rx.fragment(
        rx.el.p(go("All stores", href=shop.back_href), class_name="small"),
        rx.cond(
            shop.missing,
            rx.el.section(
                rx.el.p("There is no store called ", shop.domain, ".", class_name="muted"),
                class_name="card",
            ),
            rx.fragment(_head(shop), _runs(shop), _happened(shop)),
        ),
    )


def _head(shop: Any) -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2(shop.domain),
            rx.el.p(
                rx.el.span(
                    state_icon(shop.icon), " ", rx.el.strong(shop.headline), class_name="with-icon"
                ),
            ),
            rx.el.p(shop.lead, class_name="muted"),
            rx.cond(shop.lacks, rx.el.p(shop.lacks, class_name="small")),
        ),
        rx.el.div(
            *(
                rx.cond(
                    shop[may],
                    rx.el.button(
                        label,
                        type="button",
                        class_name=kind,
                        on_click=Admin.act(shop.domain, what),
                    ),
                )
                for may, what, label, kind in _ACTS
            ),
            class_name="banner-acts",
        ),
        rx.cond(
            shop.aside.length() > 0,
            rx.el.div(
                rx.el.h3("Deliveries that lie aside"),
                rx.el.ul(rx.foreach(shop.aside, _aside), class_name="rows"),
                rx.el.button(
                    shop.replay_label,
                    type="button",
                    class_name="button plain",
                    on_click=Admin.act(shop.domain, "replay"),
                ),
                class_name="aside-list",
            ),
        ),
        class_name="card shop-head",
    )


def _aside(at: rx.Var[LackView]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.strong(at.name),
            rx.el.span(at.what, " · ", at.why, class_name="small muted"),
            class_name="between wrap",
        )
    )


def _runs(shop: Any) -> rx.Component:
    return rx.el.section(
        rx.el.h2("Syncs", class_name="card-title"),
        rx.cond(
            shop.runs.length() > 0,
            rx.el.div(rx.foreach(shop.runs, _run)),
            rx.el.p("None was ever asked for.", class_name="muted"),
        ),
        class_name="card",
    )


def _run(run: rx.Var[RunView], number: Any) -> rx.Component:
    return rx.el.details(
        rx.el.summary(
            rx.el.span(state_icon(run.icon), " ", rx.el.strong(run.title), class_name="with-icon"),
            rx.el.span(run.said, class_name="small muted"),
            class_name="between wrap",
        ),
        rx.cond(run.error, rx.el.p(run.error, class_name="wrong")),
        rx.cond(run.facts, rx.el.p(run.facts, class_name="small muted break")),
        table("Stages", _STAGES, rx.foreach(run.stages, _stage)),
        # The newest is why somebody looks.
        open=number == 0,
        class_name="run",
    )


def _stage(at: rx.Var[RunStageView]) -> rx.Component:
    return rx.el.tr(
        rx.el.th(at.label, scope="row", class_name="name"),
        rx.el.td(rx.el.span(state_icon(at.icon), " ", at.state, class_name="with-icon")),
        rx.el.td(at.count, class_name="num"),
        rx.el.td(at.attempts, class_name="num"),
        rx.el.td(at.took, class_name="num"),
    )


def _happened(shop: Any) -> rx.Component:
    return rx.cond(
        shop.events.length() > 0,
        rx.el.section(
            rx.el.h2("What happened to the newest", class_name="card-title"),
            table("What happened to the newest sync", _EVENTS, rx.foreach(shop.events, _event)),
            class_name="card table-card",
        ),
    )


def _event(at: rx.Var[EventView]) -> rx.Component:
    return rx.el.tr(
        rx.el.td(at.at, title=at.at_title),
        rx.el.td(at.name),
        rx.el.td(at.stage),
        rx.el.td(at.count, class_name="num"),
        rx.el.td(at.detail, class_name="muted"),
    )
