"""The portrait: its gel, its strands, its pulse and what to do next."""

from __future__ import annotations

from typing import Any

import reflex as rx

from brandmind.components.notices import failed_part
from brandmind.components.page_parts import as_table_too
from brandmind.components.ui.links import go, leave
from brandmind.components.ui.marks import definition, sample_chip
from brandmind.state.portrait_views import (
    ActionView,
    BeatView,
    GroupView,
    HelixView,
    LaneView,
    PortraitView,
    StrandView,
    WeekdayView,
)
from brandmind.state.todo import Todo
from brandmind.state.views import FactView

_GEL = (
    "Twelve lanes, one a strand. The height of a band is its score, its glow how sure the score "
    "is, the thin line where it stood 90 days ago. An empty lane has not been read."
)
_PULSE = "The last 28 days. It is kept apart from the strands, which speak of a whole year."
_WHEN = (
    "Orders of the 12 months by weekday and hour of the shop's own clock, the mean of each "
    "occurrence of that hour."
)
_NEXT = "What the strands suggest, the largest amount first. Amounts are estimates, never promises."


def band(view: rx.Var[PortraitView], *, link: bool) -> rx.Component:
    """The first row: gel, signature and coverage; `link` leads to the whole profile."""
    return rx.cond(
        view.there,
        rx.match(
            view.mode,
            ("closed", rx.el.section(rx.el.p(view.note, class_name="muted"), class_name="card")),
            ("failed", rx.el.section(failed_part(view.note), class_name="card")),
            _row(view, link=link),
        ),
        rx.el.section(class_name="hold assay-hold"),
    )


def _row(view: rx.Var[PortraitView], *, link: bool) -> rx.Component:
    return rx.el.section(
        gel(view),
        rx.cond(
            (view.mode == "real") | (view.mode == "sample"),
            rx.el.div(
                rx.el.p(
                    rx.cond(view.mode == "sample", sample_chip()),
                    rx.cond(view.note, rx.el.span(view.note, class_name="chip amber")),
                    rx.el.span(view.eyebrow),
                    class_name="small muted eyebrow",
                ),
                rx.el.p(view.signature, class_name="signature display"),
                rx.el.p(
                    rx.el.span(view.coverage),
                    " ",
                    go("Read the whole profile", href=view.href) if link else rx.fragment(),
                    class_name="small muted",
                ),
                rx.fragment() if link else _ways_out(view),
            ),
            rx.el.div(
                rx.el.p("Store DNA", class_name="small muted eyebrow"),
                rx.el.p(view.note, class_name="signature display"),
            ),
        ),
        aria_label="Store DNA",
        class_name="assay",
    )


def _ways_out(view: rx.Var[PortraitView]) -> rx.Component:
    """What to compare with, and the portrait on paper, as a picture and as data."""
    return rx.el.div(
        rx.cond(
            view.compares.length() > 0,
            rx.el.details(
                rx.el.summary(
                    rx.cond(view.compared_with, view.compared_with, "Compare with a day"),
                    rx.el.span("▾", class_name="muted caret", aria_hidden="true"),
                    rx.el.span(", choose another day", class_name="unseen"),
                    class_name="choice",
                ),
                rx.el.div(
                    rx.foreach(
                        view.compares,
                        lambda day: go(
                            day.label,
                            href=day.href,
                            prevent_scroll_reset=True,
                            class_name="menu-link",
                            aria_current=rx.cond(day.current, "true", "false"),
                        ),
                    ),
                    class_name="menu long",
                ),
                custom_attrs={"data-menu": ""},
                class_name="dropdown",
            ),
        ),
        rx.el.button(
            "Print or save as PDF",
            type="button",
            class_name="link small",
            custom_attrs={"data-print": ""},
        ),
        rx.el.button(
            "PNG", type="button", class_name="link small", custom_attrs={"data-gel-picture": ""}
        ),
        rx.cond(view.json_href, leave("JSON", href=view.json_href, class_name="small")),
        class_name="ways-out",
    )


def gel(view: rx.Var[PortraitView]) -> rx.Component:
    """The twelve lanes of a portrait."""
    return rx.el.div(
        rx.el.div(
            rx.cond(
                view.lanes.length() > 0,
                rx.foreach(view.lanes, _lane),
                rx.fragment(*(rx.el.span(class_name="lane") for _ in range(12))),
            ),
            role="img",
            aria_label=rx.cond(view.gel_said, view.gel_said, "The gel: nothing read yet."),
            class_name="lanes",
        ),
        class_name="gel plate",
    )


def _lane(lane: rx.Var[LaneView]) -> rx.Component:
    helix = lane.helix.to(str)
    return rx.el.span(
        rx.cond(
            lane.there,
            rx.fragment(
                rx.el.span(
                    style={
                        "top": lane.glow_top.to(str) + "%",
                        "height": lane.glow_height.to(str) + "%",
                    },
                    class_name="glow h" + helix,
                ),
                rx.cond(
                    lane.ghost,
                    rx.el.span(
                        style={"top": lane.ghost_top.to(str) + "%"}, class_name="ghost h" + helix
                    ),
                ),
                rx.el.span(style={"top": lane.band_top.to(str) + "%"}, class_name="band h" + helix),
            ),
        ),
        title=lane.name,
        class_name="lane",
    )


def helices(view: rx.Var[PortraitView]) -> rx.Component:
    """The strands that were read, a card for each helix, then those that were not."""
    return rx.el.div(
        rx.foreach(view.helices, _helix),
        rx.cond(
            view.missing.length() > 0,
            rx.el.section(
                rx.el.h2("Not read yet", class_name="card-title"),
                rx.el.dl(rx.foreach(view.missing, _missing), class_name="glossary"),
                class_name="card",
            ),
        ),
        class_name="helices",
    )


def _helix(helix: rx.Var[HelixView]) -> rx.Component:
    return rx.el.section(
        rx.el.h2(helix.name, class_name="helix-name t" + helix.number.to(str)),
        rx.foreach(helix.strands, _strand),
        class_name="card helix",
    )


def _strand(strand: rx.Var[StrandView]) -> rx.Component:
    tone = strand.helix.to(str)
    return rx.el.details(
        rx.el.summary(
            rx.el.span(
                rx.el.strong(strand.name),
                rx.el.span(strand.label, class_name="strand-label t" + tone),
                class_name="strand-name",
            ),
            rx.el.span(
                rx.el.span(strand.left),
                rx.el.span(strand.right),
                class_name="poles tiny muted",
                aria_hidden="true",
            ),
            rx.el.span(
                rx.el.span(
                    style={
                        "left": strand.low.to(str) + "%",
                        "width": strand.width.to(str) + "%",
                    },
                    class_name="reach b" + tone,
                ),
                rx.cond(
                    strand.ghost >= 0,
                    rx.el.span(
                        style={"left": strand.ghost.to(str) + "%"}, class_name="ring r" + tone
                    ),
                ),
                rx.el.span(style={"left": strand.at.to(str) + "%"}, class_name="dot b" + tone),
                class_name=rx.cond(strand.unsure, "scale unsure", "scale"),
                aria_hidden="true",
            ),
            rx.el.span(strand.score, class_name="strand-score display", aria_hidden="true"),
            rx.el.span(strand.said, ", open for the numbers", class_name="unseen"),
            rx.el.span(
                rx.el.span(strand.sentence),
                " ",
                rx.el.span(strand.compared),
                rx.cond(strand.tag, rx.el.span(strand.tag, class_name="chip quiet")),
                class_name="strand-said small muted",
            ),
        ),
        rx.el.div(
            rx.el.dl(rx.foreach(strand.evidence, _fact), class_name="evidence"),
            rx.cond(
                strand.line,
                rx.el.div(
                    rx.el.svg(
                        rx.el.svg.path(d=strand.line, fill="none", class_name="line"),
                        view_box="0 0 100 100",
                        preserve_aspect_ratio="none",
                        aria_hidden="true",
                        class_name="strand-line t" + tone,
                    ),
                    rx.el.p(strand.line_said, class_name="small muted"),
                ),
                rx.el.p(
                    "Its line begins with the portrait of another day.", class_name="small muted"
                ),
            ),
            rx.el.p(strand.formula, class_name="small"),
            rx.el.p(strand.confidence, class_name="small muted"),
            rx.foreach(strand.actions, _action),
            class_name="strand-more",
        ),
        class_name="strand",
    )


def _fact(fact: rx.Var[FactView]) -> rx.Component:
    return rx.el.div(rx.el.dt(fact.name), rx.el.dd(fact.value))


def _missing(fact: rx.Var[FactView]) -> rx.Component:
    return rx.el.div(rx.el.dt(fact.name), rx.el.dd(fact.value))


def strand_table(view: rx.Var[PortraitView]) -> rx.Component:
    """The same strands as a table."""
    return rx.el.section(
        rx.el.div(
            rx.el.table(
                rx.el.caption("The strands", class_name="unseen"),
                rx.el.thead(
                    rx.el.tr(
                        *(
                            rx.el.th(name, scope="col", class_name=kind)
                            for name, kind in (
                                ("Strand", ""),
                                ("Label", ""),
                                ("Score", "num"),
                                ("Then", "num"),
                                ("How sure", "wide-only"),
                            )
                        )
                    )
                ),
                rx.el.tbody(rx.foreach(view.table, _table_row)),
            ),
            class_name="table-box",
            tab_index=0,
        ),
        class_name="card table-card",
    )


def _table_row(strand: rx.Var[StrandView]) -> rx.Component:
    return rx.el.tr(
        rx.el.th(strand.name, scope="row", class_name="name"),
        rx.el.td(strand.label),
        rx.el.td(strand.score, class_name="num"),
        rx.el.td(strand.then, class_name="num"),
        rx.el.td(strand.confidence, class_name="wide-only"),
    )


def next_and_pulse(view: rx.Var[PortraitView]) -> rx.Component:
    """What to do beside the last 28 days; above them where it is one thing or none.

    The same parts either way: what was opened stays open while things to do come and go.
    """
    return rx.el.div(
        rx.el.section(
            _head("Do next", _NEXT),
            rx.cond(
                view.do_next.length() > 0,
                rx.foreach(view.do_next, _action),
                rx.el.p(
                    view.next_none,
                    " The strands are read again after every sync, and what they suggest then "
                    "comes here. Until then: ",
                    go("who your customers are", href=view.groups_href),
                    ".",
                    class_name="muted",
                ),
            ),
            _put_away(view),
            class_name="card",
        ),
        rx.el.section(
            _head("Pulse", _PULSE),
            rx.el.ul(rx.foreach(view.pulse, _beat), class_name="rows beats"),
            class_name="card",
        ),
        class_name=rx.cond(view.do_next.length() > 1, "halves-cards", "stack"),
    )


def next_to_come() -> rx.Component:
    """The room of what to do and of the last 28 days, while the first portrait is on its way."""
    return rx.el.div(
        _to_come("Do next", _NEXT, kind="next"),
        _to_come("Pulse", _PULSE, kind="pulse"),
        class_name="stack",
    )


def when_to_come() -> rx.Component:
    """The room of the hours and of the groups, while the first portrait is on its way."""
    return rx.el.div(
        _to_come("When people buy", _WHEN, kind="when"),
        _to_come("Customers", "", kind="when"),
        class_name="halves-cards",
    )


def _to_come(title: str, meaning: str, *, kind: str) -> rx.Component:
    return rx.el.section(
        _head(title, meaning)
        if meaning
        else rx.el.div(rx.el.h2(title, class_name="card-title"), class_name="card-head"),
        rx.el.p("Fills in after customers.", class_name="muted"),
        class_name="card to-come " + kind,
    )


def _put_away(view: rx.Var[PortraitView]) -> rx.Component:
    return rx.cond(
        view.put_away.length() > 0,
        rx.el.details(
            rx.el.summary(view.put_away.length().to(str), " put away", class_name="link small"),
            rx.foreach(view.put_away, _action),
            class_name="put-away",
        ),
    )


def _action(action: rx.Var[ActionView]) -> rx.Component:
    return rx.el.div(
        rx.el.p(
            rx.el.strong(action.title),
            rx.el.span(action.strand, class_name="small muted"),
            class_name="between",
        ),
        rx.el.p(action.text, class_name="small"),
        rx.cond(
            action.put_away,
            rx.el.div(
                rx.el.span(action.put_away, class_name="small muted"),
                _act("Take back", action, Todo.take_back),
                class_name="action-acts",
            ),
            rx.el.div(
                rx.cond(
                    action.can_mark,
                    rx.fragment(_act("Done", action, Todo.done), _act("Later", action, Todo.later)),
                ),
                rx.el.details(
                    rx.el.summary(
                        "Why",
                        rx.el.span(", ", action.title, class_name="unseen"),
                        class_name="link small",
                    ),
                    rx.el.p(action.why, class_name="small muted"),
                    rx.cond(action.sum, rx.el.p(action.sum, class_name="small muted")),
                ),
                class_name="action-acts",
            ),
        ),
        class_name="action",
    )


def _act(word: str, action: rx.Var[ActionView], handler: Any) -> rx.Component:
    return rx.el.button(
        word,
        type="button",
        aria_label=word + ": " + action.title.to(str),
        class_name="link small",
        on_click=handler(action.key),
    )


def _beat(beat: rx.Var[BeatView]) -> rx.Component:
    return rx.el.li(
        rx.el.p(
            rx.el.strong(beat.name),
            rx.el.span(
                beat.word,
                class_name=rx.cond(beat.tone == "alert", "chip amber", "chip quiet"),
            ),
            class_name="between",
        ),
        rx.el.p(beat.sentence, class_name="small muted"),
    )


def when(view: rx.Var[PortraitView]) -> rx.Component:
    """When people buy, by weekday and hour."""
    return rx.el.section(
        _head("When people buy", _WHEN),
        rx.cond(
            view.week.length() > 0,
            rx.el.div(
                rx.foreach(view.week, _weekday),
                rx.el.div(
                    rx.el.span(),
                    *(rx.el.span(hour, class_name="tiny muted") for hour in (0, 6, 12, 18)),
                    aria_hidden="true",
                    class_name="heat-hours",
                ),
                role="img",
                aria_label=view.busiest,
                class_name="heat",
            ),
        ),
        rx.el.p(view.busiest, class_name="small muted"),
        rx.cond(
            view.week.length() > 0,
            as_table_too(
                "When people buy",
                (("", ""), *((f"{hour}:00", "num") for hour in range(24))),
                rx.foreach(view.week, _weekday_row),
            ),
        ),
        class_name="card",
    )


def _weekday_row(row: rx.Var[WeekdayView]) -> rx.Component:
    return rx.el.tr(
        rx.el.th(row.name, scope="row", class_name="name"),
        rx.foreach(row.hours, lambda hour: rx.el.td(hour.mean, class_name="num")),
    )


def _weekday(row: rx.Var[WeekdayView]) -> rx.Component:
    return rx.el.div(
        rx.el.span(row.name, class_name="small"),
        rx.foreach(
            row.hours,
            lambda hour: rx.el.span(
                style={"--shade": hour.shade.to(str) + "%"}, title=hour.title, class_name="hour"
            ),
        ),
        class_name="heat-row",
    )


def groups(view: rx.Var[PortraitView]) -> rx.Component:
    """The groups of customers by how many they are."""
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Customers", class_name="card-title"),
            go("Segments", href=view.groups_href, class_name="link small"),
            class_name="card-head",
        ),
        rx.cond(
            view.groups.length() > 0,
            rx.el.ul(rx.foreach(view.groups, _group), class_name="groups"),
            rx.el.p(view.groups_none, class_name="muted"),
        ),
        class_name="card",
    )


def _group(group: rx.Var[GroupView]) -> rx.Component:
    return rx.el.li(
        rx.el.span(group.name, class_name="small"),
        rx.el.span(
            rx.el.span(style={"width": group.width.to(str) + "%"}),
            class_name="meter",
            aria_hidden="true",
        ),
        rx.el.span(group.share, class_name="small num"),
    )


def _head(title: str, meaning: str) -> rx.Component:
    return rx.el.div(
        rx.el.h2(title, class_name="card-title"),
        definition(title, meaning),
        class_name="card-head",
    )


def gel_meaning() -> rx.Component:
    """What the gel shows, behind an (i)."""
    return definition("the gel", _GEL)


def shown(view: Any) -> Any:
    """Whether there is a portrait to show."""
    return (view.mode == "real") | (view.mode == "sample")
