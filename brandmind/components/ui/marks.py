"""Small signs: the logo, a stage's state, the (i) with a definition."""

from __future__ import annotations

from typing import Any

import reflex as rx


def logo(*, href: Any = "/") -> rx.Component:
    """The four bands and the name; the way home."""
    bands = (
        (4, 9, "#5be0b3"),
        (10, 15, "#86b9ff"),
        (17, 7, "#ffb65c"),
        (23, 18, "#ff93c9"),
    )
    return rx.el.a(
        rx.el.svg(
            rx.el.svg.rect(
                x=".5",
                y=".5",
                width="31",
                height="23",
                rx="4",
                fill="var(--plate)",
                stroke="var(--plate-edge)",
            ),
            *(
                rx.el.svg.rect(x=str(x), y=str(y), width="5.5", height="2.8", rx=".8", fill=colour)
                for x, y, colour in bands
            ),
            view_box="0 0 32 24",
            width="30",
            height="22.5",
            aria_hidden="true",
        ),
        rx.el.span("BrandMind"),
        href=href,
        class_name="logo",
    )


def state_icon(icon: Any) -> rx.Component:
    """A stage's state as a shape; the words stand beside it."""

    def drawn(*shapes: rx.Component, tone: str) -> rx.Component:
        return rx.el.svg(
            *shapes,
            view_box="0 0 18 18",
            width="18",
            height="18",
            class_name=f"icon {tone}",
            aria_hidden="true",
        )

    ring = rx.el.svg.circle(
        cx="9", cy="9", r="7.5", fill="none", stroke="currentColor", stroke_width="1.5"
    )
    return rx.match(
        icon,
        (
            "done",
            drawn(
                ring, rx.el.svg.circle(cx="9", cy="9", r="3.8", fill="currentColor"), tone="pine"
            ),
        ),
        (
            "running",
            drawn(
                ring,
                rx.el.svg.path(d="M9 1.5a7.5 7.5 0 0 0 0 15z", fill="currentColor"),
                tone="marigold",
            ),
        ),
        (
            "failed",
            drawn(
                rx.el.svg.circle(cx="9", cy="9", r="8.2", fill="currentColor"),
                rx.el.svg.path(d="M6 6l6 6M12 6l-6 6", stroke="var(--card)", stroke_width="1.8"),
                tone="red",
            ),
        ),
        (
            "gap",
            drawn(
                ring,
                rx.el.svg.path(d="M9 5v5M9 12v1.4", stroke="currentColor", stroke_width="1.8"),
                tone="amber",
            ),
        ),
        (
            "skipped",
            drawn(
                ring,
                rx.el.svg.path(d="M5.5 9h7", stroke="currentColor", stroke_width="1.5"),
                tone="quiet",
            ),
        ),
        drawn(ring, tone="quiet"),
    )


def definition(title: Any, meaning: Any) -> rx.Component:
    """The (i) that opens what a figure means."""
    return rx.el.details(
        rx.el.summary(
            rx.el.span("i", aria_hidden="true"),
            rx.el.span("What ", title, " means", class_name="unseen"),
        ),
        rx.el.p(meaning),
        class_name="tip",
        custom_attrs={"data-menu": ""},
    )


def sample_chip() -> rx.Component:
    """The chip every sample card carries."""
    return rx.el.span("Sample", class_name="chip lilac")


def theme_turn() -> rx.Component:
    """The switch between light and dark; the page's own script turns and remembers it."""
    return rx.el.button(
        rx.el.svg(
            rx.el.svg.circle(
                cx="9", cy="9", r="7.2", fill="none", stroke="currentColor", stroke_width="1.5"
            ),
            rx.el.svg.path(d="M9 1.8a7.2 7.2 0 0 1 0 14.4z", fill="currentColor"),
            view_box="0 0 18 18",
            width="18",
            height="18",
            aria_hidden="true",
        ),
        rx.el.span("Light or dark", class_name="unseen"),
        type="button",
        title="Light or dark",
        class_name="turn",
        custom_attrs={"data-theme-turn": ""},
    )
