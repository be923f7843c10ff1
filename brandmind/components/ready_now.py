"""What can be looked at while a store is still being read."""

from __future__ import annotations

import reflex as rx

from brandmind.components.ui.marks import sample_chip
from brandmind.state.sample import SEGMENTS
from brandmind.state.views import BarView, MiniChartView, WaitingRoomView


def ready_now(room: rx.Var[WaitingRoomView]) -> rx.Component:
    """The feed beside the stages."""
    return rx.el.section(
        rx.el.h2("Ready now", class_name="quiet-title"),
        _card(room.prices, tone="pine", wait="Your price ladder", after="Fills in after products."),
        _card(room.orders, tone="blue", wait="Orders so far", after="Fills in with your orders."),
        rx.cond(room.segments_after, _segments(room.segments_after)),
        class_name="feed",
    )


def _card(view: rx.Var[MiniChartView], *, tone: str, wait: str, after: str) -> rx.Component:
    return rx.cond(
        view.there,
        rx.el.div(
            rx.el.h3(view.title),
            rx.el.p(view.sentence, class_name="small muted"),
            rx.el.div(
                rx.foreach(view.bars, _bar),
                role="img",
                aria_label=view.title.to(str) + ": " + view.sentence.to(str),
                class_name=f"bars {tone}",
            ),
            rx.el.div(
                rx.foreach(view.ticks, lambda tick: rx.el.span(tick)),
                class_name="ticks",
                aria_hidden="true",
            ),
            class_name="card mini rise",
        ),
        rx.el.div(
            rx.el.h3(wait),
            rx.el.p(rx.cond(view.closed, view.closed, after), class_name="small muted"),
            class_name="card mini empty",
        ),
    )


def _bar(bar: rx.Var[BarView]) -> rx.Component:
    return rx.el.span(
        title=bar.title,
        style={"height": bar.height.to(str) + "%"},
        class_name=rx.cond(bar.best, "best", ""),
    )


def _segments(after: rx.Var[str]) -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h3("Customer segments"),
            sample_chip(),
            class_name="card-head tight",
        ),
        rx.el.p(after, class_name="small muted"),
        rx.el.dl(
            *(
                rx.el.div(
                    rx.el.dt(name),
                    rx.el.dd(
                        rx.el.span(
                            rx.el.span(style={"width": f"{round(share * 100 / 30)}%"}),
                            class_name="meter thin lilac",
                        ),
                        rx.el.span(f"{share}%", class_name="share"),
                    ),
                )
                for name, share in SEGMENTS
            ),
            class_name="segments",
        ),
        aria_label="Customer segments, sample",
        class_name="card sample",
    )
