"""The set-up: three questions beside the first sync, each of which can wait."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from brandmind.components.notices import connection_lost
from brandmind.components.picks import (
    customers_pick,
    orders_pick,
    pick,
    products_pick,
    reader_pick,
)
from brandmind.components.shell import private_page
from brandmind.components.ui.links import go
from brandmind.state.onboarding import Onboarding
from brandmind.state.onboarding_view import WEEK_STARTS
from brandmind.state.reader_view import ReaderView
from brandmind.state.views import LinkView

TITLE: Final = "Set up your store · BrandMind"


def onboarding() -> rx.Component:
    """The page at /onboarding."""
    page: Any = Onboarding.page
    return rx.fragment(
        connection_lost(),
        private_page(
            rx.cond(page.there, _questions(), rx.el.section(class_name="hold fill-box")),
            here="Set up",
            there=page.there,
        ),
    )


def _questions() -> rx.Component:
    page: Any = Onboarding.page
    return rx.el.div(
        rx.el.ol(rx.foreach(page.steps, _step), aria_label="Questions", class_name="steps-line"),
        rx.el.h1(page.title, class_name="page-title"),
        rx.el.p(page.lead, class_name="muted narrow"),
        rx.match(page.step, (2, _habits()), (3, _readers()), _reading()),
        rx.el.div(
            rx.el.button(
                page.on_label, type="button", class_name="button large", on_click=Onboarding.go_on
            ),
            rx.cond(
                page.back_href, go("Back", href=page.back_href, class_name="button plain large")
            ),
            rx.cond(
                page.can_skip,
                rx.el.button(
                    "Skip the questions", type="button", class_name="link", on_click=Onboarding.skip
                ),
            ),
            class_name="banner-acts",
        ),
        class_name="stack setup",
    )


def _step(link: rx.Var[LinkView], at: rx.Var[int]) -> rx.Component:
    return rx.el.li(
        go(
            rx.el.span((at + 1).to(str), class_name="step-number", aria_hidden="true"),
            rx.el.span(link.label, class_name="step-name"),
            rx.cond(link.note, rx.el.span(", ", link.note, class_name="unseen")),
            href=link.href,
            aria_current=rx.cond(link.current, "step", "false"),
            class_name=rx.cond(link.note, "step-link behind", "step-link"),
        )
    )


def _reading() -> rx.Component:
    page: Any = Onboarding.page
    return rx.el.section(
        rx.cond(page.limits, rx.el.p(page.limits, class_name="banner amber small")),
        rx.el.ul(
            products_pick("Always, with variants and stock: orders are told apart by them."),
            orders_pick(page.orders_since, Onboarding.choose_orders),
            customers_pick(page.customers, Onboarding.choose_customers),
            class_name="rows picks",
        ),
        rx.el.p(page.estimate, class_name="small muted"),
        aria_label="What is read",
        class_name="card",
    )


def _habits() -> rx.Component:
    page: Any = Onboarding.page
    return rx.el.section(
        rx.el.ul(
            rx.el.li(
                rx.el.fieldset(
                    rx.el.legend("Your week begins on"),
                    rx.el.div(
                        *(
                            pick(
                                "week-start",
                                str(value),
                                label,
                                chosen=page.week_start,
                                on_choose=Onboarding.choose_week,
                            )
                            for value, label in WEEK_STARTS
                        ),
                        class_name="pick-line",
                    ),
                    rx.el.p(
                        "Charts by weekday begin with it. Sums by day stay as they are.",
                        class_name="small muted",
                    ),
                )
            ),
            rx.el.li(
                rx.el.fieldset(
                    rx.el.legend("Do you keep the cost of goods in Shopify?"),
                    rx.el.div(
                        *(
                            pick(
                                "costs",
                                value,
                                label,
                                chosen=page.costs,
                                on_choose=Onboarding.choose_costs,
                            )
                            for value, label in (("yes", "Yes"), ("no", "No"))
                        ),
                        class_name="pick-line",
                    ),
                    rx.el.p(
                        "With costs, a product shows what is left of its price.",
                        class_name="small muted",
                    ),
                )
            ),
            class_name="rows picks",
        ),
        aria_label="Week and costs",
        class_name="card",
    )


def _readers() -> rx.Component:
    page: Any = Onboarding.page
    return rx.el.section(
        rx.el.ul(rx.foreach(page.readers, _reader), class_name="rows picks"),
        rx.el.p(
            "Everybody who has signed in to this store is listed. Settings leads back here.",
            class_name="small muted",
        ),
        aria_label="Who is told",
        class_name="card",
    )


def _reader(one: rx.Var[ReaderView]) -> rx.Component:
    return reader_pick(one, lambda on: Onboarding.choose_reader(one.user_id, on))
