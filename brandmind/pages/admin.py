"""The admin page: the installation at a glance, and one store of it; for administrators alone."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from brandmind.components.notices import connection_lost
from brandmind.components.page_parts import table
from brandmind.components.shell import private_page
from brandmind.components.shop_story import shop_story
from brandmind.components.ui.links import go
from brandmind.components.ui.marks import state_icon
from brandmind.state.admin import Admin
from brandmind.state.admin_views import LackView, PartView, ShopLineView, TileView
from brandmind.state.views import LinkView

TITLE: Final = "Admin · BrandMind"
_COLUMNS: Final = (
    ("Store", ""), ("State", ""), ("Stage", "wide-only"), ("Last sync", ""),
    ("Tries", "num wide-only"), ("Error", ""), ("Next", ""), ("Webhooks", ""),
)  # fmt: skip


def admin() -> rx.Component:
    """The page at /admin."""
    page: Any = Admin.page
    return rx.fragment(
        connection_lost(),
        private_page(
            rx.el.h1(
                rx.cond(page.there, page.headline, "This installation"), class_name="page-title"
            ),
            rx.cond(
                page.there,
                rx.el.div(
                    rx.cond(
                        page.broken,
                        rx.el.p(page.broken, class_name="muted"),
                        rx.cond(page.shop.there, shop_story(page.shop), _all()),
                    ),
                    rx.cond(~page.shop.there, _ground()),
                    class_name="stack",
                ),
                rx.el.section(class_name="hold fill-box"),
            ),
            here="Admin",
            there=page.there,
            of_store=False,
        ),
    )


def _all() -> rx.Component:
    page: Any = Admin.page
    return rx.fragment(
        rx.el.dl(rx.foreach(page.tiles, _tile), class_name="gauges"),
        rx.el.section(
            rx.el.div(
                rx.el.h2("Stores", class_name="card-title"),
                rx.el.span(page.tally, class_name="small muted"),
                class_name="card-head",
            ),
            rx.el.nav(
                rx.foreach(page.filters, _filter), aria_label="Stores by state", class_name="tabs"
            ),
            rx.cond(
                page.none,
                rx.el.p(page.none, class_name="muted spaced"),
                table("Stores", _COLUMNS, rx.foreach(page.shops, _shop)),
            ),
            rx.el.p(
                rx.cond(page.before, go("Before", href=page.before)),
                rx.cond(page.after, go("Next", href=page.after)),
                class_name="gate-acts small",
            ),
            rx.cond(
                page.retry_label,
                _asked_twice(page.retry_label, page.retry_said, Admin.retry_failed),
            ),
            class_name="card table-card",
        ),
        rx.el.section(
            rx.el.h2("Webhooks", class_name="card-title"),
            rx.cond(
                page.lacking.length() > 0,
                rx.el.ul(rx.foreach(page.lacking, _lack), class_name="rows"),
                rx.el.p("Every store that is connected has its own.", class_name="muted spaced"),
            ),
            rx.cond(
                page.replay_label,
                _asked_twice(page.replay_label, page.replay_said, Admin.replay_all),
            ),
            class_name="card",
        ),
    )


def _ground() -> rx.Component:
    page: Any = Admin.page
    return rx.el.section(
        rx.el.h2("Ground and workers", class_name="card-title"),
        rx.el.ul(
            rx.foreach(page.parts, _part),
            rx.foreach(page.workers, _part),
            class_name="rows",
        ),
        rx.cond(page.no_workers, rx.el.p(page.no_workers, class_name="wrong spaced")),
        class_name="card",
    )


def _tile(tile: rx.Var[TileView]) -> rx.Component:
    return rx.el.div(
        rx.el.dt(tile.name),
        rx.el.dd(
            rx.el.span(tile.value, class_name="display"),
            rx.el.span(tile.note, class_name="small muted"),
        ),
        class_name="gauge " + tile.tone.to(str),
    )


def _filter(link: rx.Var[LinkView]) -> rx.Component:
    return go(
        link.label,
        " ",
        rx.el.span(link.note, class_name="muted"),
        href=link.href,
        prevent_scroll_reset=True,
        aria_current=rx.cond(link.current, "page", "false"),
        class_name="tab",
    )


def _shop(at: rx.Var[ShopLineView]) -> rx.Component:
    return rx.el.tr(
        rx.el.th(go(at.domain, href=at.href), scope="row", class_name="name", title=at.domain),
        rx.el.td(rx.el.span(state_icon(at.icon), " ", at.state, class_name="with-icon")),
        rx.el.td(at.progress, class_name="wide-only"),
        rx.el.td(at.synced, title=at.synced_title),
        rx.el.td(at.attempts, class_name="num wide-only"),
        rx.el.td(at.error, class_name=rx.cond(at.wrong, "wrong", "")),
        rx.el.td(at.next),
        rx.el.td(at.inbox),
        key=at.domain,
    )


def _lack(at: rx.Var[LackView]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.strong(go(at.name, href=at.href)),
            rx.el.p("Missing: ", at.what, class_name="small"),
            rx.cond(at.why, rx.el.p(at.why, class_name="small muted")),
        ),
        key=at.name,
    )


def _part(at: rx.Var[PartView]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.span(state_icon(at.icon), " ", rx.el.strong(at.name), class_name="with-icon"),
            rx.el.span(
                at.word, rx.el.span(" · ", at.detail, class_name="muted"), class_name="small"
            ),
            class_name="between wrap",
        ),
        key=at.name,
    )  # fmt: skip


def _asked_twice(label: Any, said: Any, act: Any) -> rx.Component:
    """An act on many, behind one more click that says how many."""
    return rx.el.details(
        rx.el.summary(label, class_name="link small"),
        rx.el.div(
            rx.el.p(said),
            rx.el.button(label, type="button", class_name="button plain", on_click=act),
            class_name="between wrap",
        ),
        class_name="resync",
    )
