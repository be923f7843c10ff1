"""The tabs about a store's people and data: members, who is told, what is stored."""

from __future__ import annotations

from typing import Any

import reflex as rx

from brandmind.components.page_parts import fact_row
from brandmind.components.picks import reader_pick
from brandmind.components.ui.links import go, leave
from brandmind.state.household import Household
from brandmind.state.household_views import MemberView, PrivacyActView
from brandmind.state.reader_view import ReaderView


def members() -> rx.Component:
    """Each person with what they see; the owner may take access away and give it back."""
    view: Any = Household.members
    return rx.cond(
        view.there,
        rx.el.section(
            rx.el.h2("Who may open this store", class_name="card-title"),
            rx.el.p(view.lead, class_name="small muted spaced"),
            rx.cond(view.address, rx.el.p(rx.el.code(view.address, class_name="address"))),
            rx.el.ul(rx.foreach(view.members, _member), class_name="rows"),
            class_name="card",
        ),
        rx.el.section(class_name="hold fill-box"),
    )


def _member(one: rx.Var[MemberView]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.div(
                rx.el.strong(one.name),
                " ",
                rx.el.span(one.role, class_name="chip quiet"),
                rx.el.p(one.said, class_name=rx.cond(one.blocked, "small wrong", "small muted")),
            ),
            rx.match(
                one.act,
                (
                    "block",
                    rx.el.details(
                        rx.el.summary(
                            "Remove access",
                            rx.el.span(" of ", one.name, class_name="unseen"),
                            class_name="link small",
                        ),
                        rx.el.div(
                            rx.el.p(
                                "Pages they have open close at once. It holds if the store is "
                                "connected again, until you let them in.",
                                class_name="small",
                            ),
                            rx.el.button(
                                "Remove ",
                                one.name,
                                type="button",
                                class_name="button plain",
                                on_click=Household.block(one.user_id),
                            ),
                            class_name="sure",
                        ),
                    ),
                ),
                (
                    "let_in",
                    rx.el.button(
                        "Let in again",
                        rx.el.span(", ", one.name, class_name="unseen"),
                        type="button",
                        class_name="button plain",
                        on_click=Household.let_in(one.user_id),
                    ),
                ),
                rx.fragment(),
            ),
            class_name="between wrap",
        ),
        key=one.user_id,
    )


def notices() -> rx.Component:
    """Who is told, and what there is to tell."""
    view: Any = Household.notices
    return rx.cond(
        view.there,
        rx.el.section(
            rx.el.h2("Who hears when the store is ready", class_name="card-title"),
            rx.el.p(
                "One mail, once the first sync is whole. Everything else is said on the pages: "
                "nobody is written to about it.",
                class_name="small muted spaced",
            ),
            rx.el.ul(rx.foreach(view.readers, _reader), class_name="rows picks"),
            class_name="card",
        ),
        rx.el.section(class_name="hold fill-box"),
    )


def _reader(one: rx.Var[ReaderView]) -> rx.Component:
    return reader_pick(one, lambda on: Household.tell(one.user_id, on))


def data() -> rx.Component:
    """What is stored and how long, and the two ways out."""
    view: Any = Household.data
    return rx.cond(
        view.there,
        rx.el.div(
            rx.el.section(
                rx.el.div(
                    rx.el.h2("What is stored", class_name="card-title"),
                    rx.el.span(view.span, class_name="small muted"),
                    class_name="card-head",
                ),
                rx.el.table(
                    rx.el.caption("Records stored", class_name="unseen"),
                    rx.el.tbody(rx.foreach(view.counts, fact_row)),
                    class_name="count-table",
                ),
                rx.cond(
                    view.sync_href,
                    rx.el.p(
                        go("Choose what is read", href=view.sync_href), class_name="small spaced"
                    ),
                ),
                class_name="card",
            ),
            rx.el.section(
                rx.el.h2("Take it along", class_name="card-title"),
                rx.el.div(
                    rx.el.p(view.archive_note, class_name="small muted"),
                    leave("Download all of it", href=view.archive_href, class_name="button plain"),
                    class_name="between wrap spaced",
                ),
                class_name="card",
            ),
            rx.el.section(
                rx.el.h2("How long it is kept", class_name="card-title"),
                rx.el.table(
                    rx.el.caption("How long what is kept", class_name="unseen"),
                    rx.el.tbody(rx.foreach(view.kept, fact_row)),
                    class_name="kept-table",
                ),
                class_name="card",
            ),
            rx.cond(view.privacy.length() > 0, _privacy(view)),
            _erase(view),
            class_name="stack",
        ),
        rx.el.section(class_name="hold fill-box"),
    )


def _privacy(view: Any) -> rx.Component:
    return rx.el.section(
        rx.el.h2("What customers asked for", class_name="card-title"),
        rx.el.p(
            "Requests that Shopify passed on. Send the customer what was found within 30 days.",
            class_name="small muted spaced",
        ),
        rx.el.ul(rx.foreach(view.privacy, _privacy_act), class_name="rows"),
        class_name="card",
    )


def _privacy_act(act: rx.Var[PrivacyActView]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.div(rx.el.strong(act.what), rx.el.p(act.said, class_name="small muted")),
            rx.cond(
                act.href,
                leave(
                    "Download",
                    rx.el.span(" for: ", act.what, class_name="unseen"),
                    href=act.href,
                    class_name="button plain",
                ),
            ),
            class_name="between wrap",
        ),
    )


def _erase(view: Any) -> rx.Component:
    return rx.el.section(
        rx.el.h2("Delete this store's data", class_name="card-title"),
        rx.match(
            view.erasing,
            (
                "ask",
                rx.fragment(
                    rx.el.p(
                        "Ends its syncs, gives up its access to Shopify and deletes every "
                        "record, portrait and member of it, within seconds and for good. In "
                        "Shopify BrandMind stays among your apps until you remove it there; "
                        "opening it there connects the store anew.",
                        class_name="small muted spaced",
                    ),
                    rx.el.details(
                        rx.el.summary("Delete everything of this store", class_name="link small"),
                        rx.el.form(
                            rx.el.label(
                                rx.el.span("Type ", rx.el.strong(view.shop), " to delete it"),
                                rx.el.input(
                                    name="shop",
                                    type="text",
                                    auto_complete="off",
                                    spell_check=False,
                                    required=True,
                                    class_name="field",
                                ),
                            ),
                            rx.el.button("Delete for good", type="submit", class_name="button red"),
                            on_submit=Household.erase,
                            reset_on_submit=True,
                            class_name="erase-form",
                        ),
                        class_name="resync",
                    ),
                ),
            ),
            rx.el.p(view.erasing_said, class_name="muted spaced"),
        ),
        class_name="card",
    )
