"""Customers: groups, cohorts and tenths."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from brandmind.components import page_parts as parts
from brandmind.components.notices import banner, connection_lost
from brandmind.components.shell import private_page
from brandmind.components.ui.links import go, leave
from brandmind.state.definitions import REPEATS
from brandmind.state.portrait_views import CohortCellView, CohortRowView, GroupView, MemberView
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
_PREDICTED: Final = (
    "Two published models fitted to your own orders: BG/NBD tells how often customers order and "
    "when they stop, Gamma-Gamma what an order of each is worth. They know no seasons and no "
    "campaigns, and promise nothing. Of customers whose first order is known and lies within 25 "
    "months."
)
_REPEAT: Final = "\n\n".join(
    f"{name}: {meaning[:1].lower()}{meaning[1:]}" for name, meaning in REPEATS.values()
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
                rx.cond(
                    ~Customers.as_table,
                    rx.el.ul(rx.foreach(page.groups, _tile), class_name="tiles"),
                    parts.table(
                        "Groups of customers",
                        (
                            ("Group", ""),
                            ("Customers", "num wide-only"),
                            ("", "bar wide-only"),
                            ("Share", "num"),
                            ("Share of sales", "num"),
                            ("Since last order", "num"),
                        ),
                        rx.foreach(page.groups, _group),
                    ),
                ),
                rx.el.p(page.groups_none, class_name="muted"),
            ),
            rx.cond(page.agreement, rx.el.p(page.agreement, class_name="small muted noted below")),
            turn=rx.cond(
                page.groups.length() > 0,
                rx.el.button(
                    rx.cond(Customers.as_table, "View as tiles", "View as table"),
                    type="button",
                    class_name="link small",
                    on_click=Customers.turn_table,
                ),
            ),
        ),
        rx.cond(page.members.there, _members(page.members)),
    )


def _tile(group: rx.Var[GroupView]) -> rx.Component:
    inside = (
        rx.el.span(group.name, class_name="tile-name"),
        rx.el.span(group.customers, class_name="tile-count display"),
        rx.el.span(group.share, " of customers", class_name="tiny muted"),
        rx.el.span(group.sales, " of sales", class_name="tiny muted"),
        rx.el.span(
            rx.cond(group.days == "–", "no order yet", "last order " + group.days.to(str) + " ago"),
            class_name="tiny muted",
        ),
    )
    return rx.el.li(
        rx.cond(
            group.href,
            go(
                *inside,
                href=group.href,
                prevent_scroll_reset=True,
                aria_current=rx.cond(group.current, "true", "false"),
                class_name="tile",
                custom_attrs={"data-opens": group.key},
            ),
            rx.el.div(*inside, class_name="tile empty"),
        )
    )


def _members(view: Any) -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2(view.title, class_name="card-title", tab_index=-1),
            rx.el.span(
                rx.cond(view.csv_href, leave("CSV", href=view.csv_href, class_name="small")),
                go(
                    "Close",
                    href=view.close_href,
                    prevent_scroll_reset=True,
                    class_name="small",
                    custom_attrs={"data-drawer-close": ""},
                ),
                class_name="with-icon",
            ),
            class_name="card-head",
        ),
        rx.el.p(view.note, class_name="small muted noted"),
        rx.cond(
            view.members.length() > 0,
            parts.table(
                "Customers of this group",
                (
                    ("Customer", ""),
                    ("Place", "wide-only"),
                    ("Orders", "num"),
                    ("Net sales", "num"),
                    ("Last order", "num"),
                ),
                rx.foreach(view.members, _member),
            ),
            rx.el.p("Nobody is in this group now.", class_name="muted"),
        ),
        parts.turning(view, "Pages of customers"),
        aria_label=view.title,
        class_name="card table-card",
        custom_attrs={"data-shown": view.title},
    )


def _member(one: rx.Var[MemberView]) -> rx.Component:
    return rx.el.tr(
        rx.el.th(one.name, scope="row", class_name="name"),
        rx.el.td(one.place, class_name="wide-only"),
        rx.el.td(one.orders, class_name="num"),
        rx.el.td(one.net, class_name="num"),
        rx.el.td(one.last, title=one.last_title, class_name="num"),
    )


def _group(group: rx.Var[GroupView]) -> rx.Component:
    return rx.el.tr(
        rx.el.th(
            parts.opener(group.name, href=group.href, opens=group.key),
            scope="row",
            class_name="name",
        ),
        rx.el.td(group.customers, class_name="num wide-only"),
        rx.el.td(parts.meter(group.width), class_name="bar wide-only", aria_hidden="true"),
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
    return rx.fragment(
        parts.card(
            "Tenths by value",
            _VALUE,
            parts.table(
                "Tenths of customers by what they spent",
                (
                    ("Tenth", ""),
                    ("Customers", "num wide-only"),
                    ("", "bar wide-only"),
                    ("Share", "num"),
                    ("Net sales", "num"),
                    ("Each spent", "num"),
                ),
                rx.foreach(page.deciles, _group),
            ),
            csv=page.deciles_csv_href,
        ),
        parts.card(
            "What a customer has brought",
            _LTV,
            rx.cond(
                page.ltv.there,
                parts.curve(
                    page.ltv,
                    "What a customer has brought",
                    (("Month", ""), ("Net sales of each", "")),
                ),
                rx.el.p("Two months of orders make the first line.", class_name="muted"),
            ),
            csv=page.ltv_csv_href,
        ),
        _predicted(page.predicted),
    )


def _predicted(view: Any) -> rx.Component:
    return parts.card(
        "What customers may still bring",
        _PREDICTED,
        rx.cond(
            view.there,
            rx.fragment(
                parts.facts(view.facts),
                rx.cond(view.note, rx.el.p(view.note, class_name="small muted noted")),
                parts.table(
                    "Tenths of customers by what they may bring in 12 months",
                    (
                        ("Tenth", ""),
                        ("Customers", "num wide-only"),
                        ("", "bar wide-only"),
                        ("Share", "num"),
                        ("Worth today", "num"),
                        ("Expected", "num"),
                    ),
                    rx.foreach(view.tenths, _group),
                ),
                parts.as_table_too(
                    "What customers may still bring",
                    (("Part", ""), ("Fitted", "")),
                    rx.foreach(view.how, parts.fact_row),
                    label="How it was fitted",
                ),
            ),
            rx.el.p(view.needs, class_name="muted"),
        ),
    )
