"""The stages of a sync as an ordered list, with what to do when one stops."""

from __future__ import annotations

import reflex as rx

from brandmind.components.ui.marks import state_icon
from brandmind.state.frame import Frame
from brandmind.state.views import FactView, StageView, WaitingRoomView


def meter(percent: rx.Var[int], *, name: object, said: object, thin: bool = False) -> rx.Component:
    """A bar that says its own value."""
    return rx.el.div(
        rx.el.span(style={"width": percent.to(str) + "%"}),
        role="progressbar",
        aria_label=name,
        aria_valuemin="0",
        aria_valuemax="100",
        aria_valuenow=percent.to(str),
        aria_valuetext=said,
        class_name="meter thin" if thin else "meter",
    )


def stage_list(room: rx.Var[WaitingRoomView]) -> rx.Component:
    """All stages of the room, older orders last."""
    return rx.el.ol(
        rx.foreach(room.stages, lambda stage: _stage(stage, room)),
        aria_label="Stages",
        class_name="stages",
    )


def _stage(stage: rx.Var[StageView], room: rx.Var[WaitingRoomView]) -> rx.Component:
    return rx.el.li(
        state_icon(stage.icon),
        rx.el.div(
            rx.el.div(
                rx.el.span(stage.label, class_name="stage-name"),
                rx.el.span(stage.word, class_name="stage-word"),
                rx.cond(stage.tries, rx.el.span(stage.tries, class_name="chip amber")),
                class_name="stage-head",
            ),
            rx.el.p(stage.detail, class_name="stage-detail"),
            rx.cond(stage.bar, meter(stage.percent, name=stage.label, said=stage.said, thin=True)),
            rx.cond(stage.failed, _failure(room)),
            class_name="stage-body",
        ),
        rx.cond(
            stage.since,
            rx.el.span(
                stage.elapsed, custom_attrs={"data-since": stage.since}, class_name="stage-time"
            ),
            rx.el.span(stage.elapsed, class_name="stage-time"),
        ),
        class_name="stage " + stage.icon.to(str),
    )


def _failure(room: rx.Var[WaitingRoomView]) -> rx.Component:
    return rx.el.div(
        rx.match(
            room.ending,
            (
                "failed",
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
            rx.fragment(),
        ),
        rx.cond(
            room.ending == "failed",
            rx.el.details(
                rx.el.summary("What happened", class_name="link small"),
                rx.el.dl(rx.foreach(room.what_happened, _fact), class_name="facts"),
                class_name="happened",
            ),
        ),
        class_name="stage-acts",
    )


def _fact(fact: rx.Var[FactView]) -> rx.Component:
    return rx.el.div(rx.el.dt(fact.name), rx.el.dd(fact.value))
