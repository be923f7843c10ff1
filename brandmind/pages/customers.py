"""Customers: groups, cohorts and tenths."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from brandmind.components import page_parts as parts
from brandmind.components.notices import banner, connection_lost
from brandmind.components.shell import private_page
from brandmind.state.portrait_views import CohortCellView, CohortRowView, GroupView
from brandmind.state.tables import Customers

TITLE: Final = "Customers · BrandMind"
_GROUPS: Final = (
    "Each customer is scored 1 to 5 against your others for how recently, how often and for how "
    "much they bought; recency and the mean of the other two place them in one of Shopify's eleven "
    "groups. Customers who are alike always share a group."
)
_COHORTS: Final = (
    "Customers by the month of their first order, and the share of them who ordered in each month "
    "after it. A customer never leaves a cohort. The month under way is hatched: it may still grow."
)
_VALUE: Final = "Customers of the year in ten equal groups by what they spent, the best first."
_LTV: Final = (
    "Net sales per customer ever won, up to and with each month after the first, over the cohorts "
    "that have that month behind them. Those who never came back count as well."
)
_REPEAT: Final = (
    "Of the customers whose first order is at least 90 days old, the share with another one within "
    "90 days of it. Nobody is counted who had no time to come back."
)


def customers() -> rx.Component:
    """The page at /customers."""
    page: Any = Customers.page
    return rx.fragment(
        connection_lost(),
        private_page(
            banner(page.banner),
            rx.el.h1("Customers", class_name="page-title"),
            parts.by_mode(
                page,
                parts.tabs(page.tabs, "Customers"),
                rx.match(page.tab, ("cohorts", _cohorts()), ("value", _value()), _segments()),
                rx.el.footer(rx.el.span(page.foot), class_name="page-foot small muted"),
            ),
            here="Customers",
            there=page.there,
        ),
    )


def _segments() -> rx.Component:
    page: Any = Customers.page
    return rx.fragment(
        rx.cond(
            page.rates.length() > 0,
            parts.card("Do they come back?", _REPEAT, parts.facts(page.rates)),
        ),
        parts.card(
            "Groups",
            _GROUPS,
            rx.cond(
                page.groups.length() > 0,
                parts.table(
                    "Groups of customers",
                    (
                        ("Group", ""),
                        ("Customers", "num"),
                        ("", "bar"),
                        ("Share", "num"),
                        ("Share of sales", "num"),
                        ("Since last order", "num"),
                    ),
                    rx.foreach(page.groups, _group),
                ),
                rx.el.p(page.groups_none, class_name="muted"),
            ),
            csv=page.csv_href,
        ),
    )


def _group(group: rx.Var[GroupView]) -> rx.Component:
    return rx.el.tr(
        rx.el.th(group.name, scope="row", class_name="name"),
        rx.el.td(group.customers, class_name="num"),
        rx.el.td(parts.meter(group.width), class_name="bar", aria_hidden="true"),
        rx.el.td(group.share, class_name="num"),
        rx.el.td(group.sales, class_name="num"),
        rx.el.td(group.days, class_name="num"),
    )


def _cohorts() -> rx.Component:
    page: Any = Customers.page
    return parts.card(
        "Cohorts",
        _COHORTS,
        parts.tabs(page.measure, "What the cells show"),
        rx.cond(
            page.cohorts.length() > 0,
            rx.el.div(
                rx.el.table(
                    rx.el.caption("Cohorts by month of the first order", class_name="unseen"),
                    rx.el.thead(
                        rx.el.tr(
                            rx.el.th("First order", scope="col"),
                            rx.el.th("Customers", scope="col", class_name="num"),
                            rx.foreach(
                                page.months,
                                lambda month: rx.el.th(month, scope="col", class_name="num"),
                            ),
                        )
                    ),
                    rx.el.tbody(rx.foreach(page.cohorts, _cohort)),
                ),
                class_name="table-box cohorts",
                tab_index=0,
                role="region",
                aria_label="Cohorts",
            ),
            rx.el.p(
                "No customer's first order is stored yet, so there are no cohorts.",
                class_name="muted",
            ),
        ),
        csv=page.csv_href,
    )


def _cohort(row: rx.Var[CohortRowView]) -> rx.Component:
    return rx.el.tr(
        rx.el.th(row.month, scope="row"),
        rx.el.td(row.size, class_name="num"),
        rx.foreach(row.cells, _cell),
    )


def _cell(cell: rx.Var[CohortCellView]) -> rx.Component:
    return rx.el.td(
        cell.text,
        style={"--shade": cell.shade.to(str) + "%"},
        class_name=rx.cond(
            cell.text == "", "num", rx.cond(cell.partial, "num cell partial", "num cell")
        ),
    )


def _value() -> rx.Component:
    page: Any = Customers.page
    return rx.el.div(
        parts.card(
            "Tenths by value",
            _VALUE,
            parts.table(
                "Tenths of customers by what they spent",
                (
                    ("Tenth", ""),
                    ("Customers", "num"),
                    ("", "bar"),
                    ("Share", "num"),
                    ("Net sales", "num"),
                    ("Each spent", "num"),
                ),
                rx.foreach(page.deciles, _group),
            ),
            csv=page.csv_href,
        ),
        parts.card("What a customer has brought", _LTV, parts.facts(page.ltv)),
        class_name="halves-cards",
    )
