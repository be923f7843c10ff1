"""The settings: the sync of a store, the stores of a person, and what the words mean."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from brandmind.components.household import data, members, notices
from brandmind.components.notices import connection_lost
from brandmind.components.picks import customers_pick, orders_pick, products_pick
from brandmind.components.shell import private_page
from brandmind.components.signed_in import signed_in
from brandmind.components.ui.links import go, leave
from brandmind.components.ui.marks import state_icon
from brandmind.state.definitions import GLOSSARY
from brandmind.state.frame import Frame
from brandmind.state.settings import Settings
from brandmind.state.views import LastReadView, LinkView

TITLE: Final = "Settings · BrandMind"
_TABS: Final = (
    ("sync", "Sync"),
    ("stores", "Stores"),
    ("members", "Members"),
    ("data", "Data"),
    ("notices", "Notifications"),
    ("devices", "Devices"),
    ("about", "About"),
)


def settings() -> rx.Component:
    """The page at /settings."""
    return rx.fragment(
        connection_lost(),
        private_page(
            rx.el.h1("Settings", class_name="page-title"),
            rx.el.nav(
                *(
                    go(
                        label,
                        href="/settings?tab="
                        + key
                        + "&shop="
                        + rx.State.router.url.query_parameters["shop"].to(str),
                        aria_current=rx.cond(Settings.tab == key, "page", "false"),
                        class_name="tab",
                    )
                    for key, label in _TABS
                ),
                aria_label="Settings",
                class_name="tabs",
            ),
            rx.match(
                Settings.tab,
                ("stores", _stores()),
                ("members", members()),
                ("data", data()),
                ("notices", notices()),
                ("devices", signed_in()),
                ("about", _about()),
                _sync(),
            ),
            here="Settings",
            there=rx.Var.create(Settings.page.there),
        ),
    )


def _sync() -> rx.Component:
    page: Any = Settings.page
    return rx.cond(
        page.there,
        rx.el.div(
            rx.el.section(
                rx.el.div(
                    rx.el.h2(page.headline),
                    rx.el.p(page.lead, class_name="muted"),
                    rx.el.p(page.schedule, class_name="small muted"),
                    rx.el.p(page.manual, class_name="small muted"),
                ),
                rx.el.div(
                    rx.cond(
                        page.reconnect_href,
                        leave("Reconnect", href=page.reconnect_href, class_name="button"),
                    ),
                    rx.cond(
                        page.paused,
                        rx.el.button(
                            "Go on", type="button", class_name="button", on_click=Frame.resume
                        ),
                    ),
                    rx.cond(
                        page.retry_label,
                        rx.el.button(
                            page.retry_label,
                            type="button",
                            class_name="button",
                            on_click=Frame.retry,
                        ),
                    ),
                    rx.cond(
                        page.can_start_over,
                        rx.el.button(
                            "Start over",
                            type="button",
                            class_name="button plain",
                            on_click=Frame.start_over,
                        ),
                    ),
                    rx.cond(
                        page.syncing,
                        rx.fragment(
                            rx.el.button(
                                "Stop reading",
                                type="button",
                                class_name="button plain",
                                on_click=Frame.cancel,
                            ),
                            go("View progress", href=page.progress_href, class_name="button plain"),
                        ),
                        rx.cond(
                            page.retry_label.bool() | page.reconnect_href.bool() | page.paused,
                            rx.fragment(),
                            rx.el.button(
                                "Sync now",
                                type="button",
                                class_name="button plain",
                                disabled=~page.can_sync,
                                on_click=Frame.sync_now,
                            ),
                        ),
                    ),
                    rx.cond(
                        page.can_pause,
                        rx.el.button(
                            "Pause",
                            type="button",
                            title="Nothing is read until you let it go on; nothing is lost",
                            class_name="button plain",
                            on_click=Frame.pause,
                        ),
                    ),
                    class_name="banner-acts",
                ),
                class_name="card between wrap",
            ),
            rx.cond(page.can_choose, _choice()),
            rx.el.section(
                rx.el.h2("What the last sync found", class_name="card-title"),
                rx.el.div(
                    rx.el.table(
                        rx.el.caption("What the last sync found", class_name="unseen"),
                        rx.el.thead(
                            rx.el.tr(
                                *(
                                    rx.el.th(name, scope="col")
                                    for name in (
                                        "Part",
                                        "State",
                                        "Records",
                                        "When",
                                        "Took",
                                        "Proof",
                                    )
                                )
                            )
                        ),
                        rx.el.tbody(rx.foreach(page.parts, _part)),
                    ),
                    class_name="table-box",
                    tab_index=0,
                ),
                class_name="card table-card",
            ),
            class_name="stack",
        ),
        # Another element than the stack: what is drawn does not take its place and move.
        rx.el.section(class_name="hold fill-box"),
    )


def _choice() -> rx.Component:
    """What is read, each change at once, and the reading of everything behind one more click."""
    page: Any = Settings.page
    return rx.el.section(
        rx.el.h2("What is read", class_name="card-title"),
        rx.el.ul(
            products_pick("Always: orders are told apart by them."),
            orders_pick(
                page.orders_since,
                Settings.choose_orders,
                rx.cond(page.orders_note, rx.el.p(page.orders_note, class_name="small muted")),
            ),
            customers_pick(page.customers, Settings.choose_customers, page.customers_note),
            class_name="rows picks",
        ),
        rx.el.details(
            rx.el.summary("Full resync", class_name="link small"),
            rx.el.div(
                rx.el.p(page.resync),
                rx.el.button(
                    "Read everything again",
                    type="button",
                    class_name="button plain",
                    disabled=~page.can_sync,
                    on_click=Frame.full_resync,
                ),
                class_name="between wrap",
            ),
            class_name="resync",
        ),
        rx.el.p(
            go("Your week, your costs and who gets a mail", href=page.setup_href),
            class_name="small spaced",
        ),
        class_name="card",
    )


def _part(part: rx.Var[LastReadView]) -> rx.Component:
    return rx.el.tr(
        rx.el.th(part.label, scope="row", class_name="name"),
        rx.el.td(rx.el.span(state_icon(part.icon), " ", part.state, class_name="with-icon")),
        rx.el.td(part.count),
        rx.el.td(part.when, title=part.when_title),
        rx.el.td(part.took),
        rx.el.td(part.proof, class_name="muted"),
    )


def _stores() -> rx.Component:
    page: Any = Settings.page
    return rx.el.section(
        rx.el.ul(
            rx.foreach(page.stores, _store),
            rx.foreach(page.locked, _locked),
            class_name="rows",
        ),
        rx.el.p(go("Add another store", href="/connect", class_name="button plain")),
        class_name="card",
    )


def _store(link: rx.Var[LinkView]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.span(
                rx.el.strong(link.label), " ", rx.el.span(link.note, class_name="whole small muted")
            ),
            rx.cond(
                link.current,
                rx.el.span("Open now", class_name="chip quiet"),
                go("Open", href=link.href),
            ),
            class_name="between",
        )
    )


def _locked(link: rx.Var[LinkView]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.span(link.note, class_name="muted"),
            leave(link.label, href=link.href),
            class_name="between",
        )
    )


def _about() -> rx.Component:
    return rx.el.section(
        rx.el.h2("What the words mean", class_name="card-title"),
        rx.el.dl(
            *(rx.el.div(rx.el.dt(name), rx.el.dd(meaning)) for name, meaning in GLOSSARY),
            class_name="glossary",
        ),
        class_name="card",
    )
