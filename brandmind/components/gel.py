"""The gel: twelve lanes on a plate, the mark of BrandMind."""

from __future__ import annotations

from typing import Any

import reflex as rx

from brandmind.state.sample import STRANDS

_WIDTH, _HEIGHT = 1200.0, 240.0
_TOP, _BOTTOM = 12.0, 236.0
_HELICES = ("Brand", "Customers", "Selling", "Operations")


def _lane_x(index: int) -> tuple[float, float]:
    pitch = (_WIDTH - 40) / 12
    width = pitch * 0.66
    return 20 + pitch * index + (pitch - width) / 2, width


def _plate() -> list[rx.Component]:
    shapes: list[rx.Component] = []
    for index in range(12):
        x, width = _lane_x(index)
        shapes.append(
            rx.el.svg.rect(
                x=f"{x:.1f}",
                y=f"{_TOP:.0f}",
                width=f"{width:.1f}",
                height=f"{_BOTTOM - _TOP:.0f}",
                class_name="lane",
            )
        )
        shapes.append(
            rx.el.svg.rect(
                x=f"{x + width * 0.2:.1f}",
                y="5",
                width=f"{width * 0.6:.1f}",
                height="4",
                rx="2",
                class_name="well",
            )
        )
    for quarter in (1, 2, 3):
        y = _TOP + (_BOTTOM - _TOP) * quarter / 4
        shapes.append(
            rx.el.svg.line(
                x1="16", x2=f"{_WIDTH - 16:.0f}", y1=f"{y:.0f}", y2=f"{y:.0f}", class_name="scale"
            )
        )
    return shapes


def _svg(*shapes: Any, **props: Any) -> rx.Component:
    return rx.el.svg(
        *_plate(),
        *shapes,
        view_box=f"0 0 {_WIDTH:.0f} {_HEIGHT:.0f}",
        preserve_aspect_ratio="none",
        **props,
    )


def sample_gel() -> rx.Component:
    """The gel of the sample shop with its lanes named."""
    bands: list[rx.Component] = []
    for index, (helix, _, score, spread, before) in enumerate(STRANDS):
        x, width = _lane_x(index)

        def y_of(value: float) -> float:
            return _BOTTOM - (_BOTTOM - _TOP) * value / 100

        for low, high, name in (
            (score - spread, score + spread, "glow"),
            (before - 0.3, before + 0.3, "ghost"),
            (score - 0.9, score + 0.9, "band"),
        ):
            bands.append(
                rx.el.svg.rect(
                    x=f"{x:.1f}",
                    y=f"{y_of(high):.1f}",
                    width=f"{width:.1f}",
                    height=f"{y_of(low) - y_of(high):.1f}",
                    class_name=f"h{helix} {name}",
                )
            )
    names = ", ".join(f"{name} {score}" for _, name, score, _, _ in STRANDS)
    return rx.el.figure(
        rx.el.div(
            _svg(*bands, role="img", aria_label=f"The gel of a sample shop: {names}."),
            class_name="gel-box tall",
        ),
        rx.el.div(
            *(rx.el.span(name) for _, name, *_ in STRANDS),
            class_name="gel-names",
            aria_hidden="true",
        ),
        rx.el.div(
            *(
                rx.el.span(name, class_name=f"h{number}")
                for number, name in enumerate(_HELICES, start=1)
            ),
            class_name="gel-legend",
        ),
        class_name="gel",
    )


def reading_gel(front: Any) -> rx.Component:
    """The gel while a store is read: all lanes fill from the top, `front` from "0" to "1"."""
    shapes: list[rx.Component] = []
    for index, (helix, *_) in enumerate(STRANDS):
        x, width = _lane_x(index)
        shared = {"x": f"{x:.1f}", "width": f"{width:.1f}", "y": f"{_TOP:.0f}"}
        shapes.append(
            rx.el.svg.rect(**shared, height=f"{_BOTTOM - _TOP:.0f}", class_name=f"h{helix} fill")
        )
        shapes.append(rx.el.svg.rect(**shared, height="5", class_name=f"h{helix} front"))
    return rx.el.div(
        rx.el.div(_svg(*shapes, aria_hidden="true"), class_name="gel-box"),
        class_name=rx.cond(front == "0.000", "gel idle", "gel"),
        style={"--front": front},
    )
