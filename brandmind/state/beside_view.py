"""Two stores of one person beside each other: their figures and their strands, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from brandmind.services.dashboard import CommandCenter
from brandmind.services.dna import StoreDna
from brandmind.state import wording
from brandmind.state.definitions import MEANINGS, TITLES
from brandmind.state.portrait_view import HELICES
from brandmind.state.ranges import Range, range_links
from brandmind.state.views import LinkView

_FAR: Final = 15.0
UNKNOWN: Final = "not known"


@dataclass(frozen=True)
class FigureRowView:
    """A figure of both stores, and how the second stands to the first."""

    name: str = ""
    meaning: str = ""
    left: str = ""
    right: str = ""
    apart: str = ""


@dataclass(frozen=True)
class StrandPairView:
    """A strand of both stores on one line, in percent from the left; below 0: not read there."""

    name: str = ""
    helix: int = 1
    poles: tuple[str, str] = ("", "")
    left: float = -1
    right: float = -1
    left_said: str = ""
    right_said: str = ""
    apart: str = ""
    said: str = ""


@dataclass(frozen=True)
class BesideView:
    """The page. `second` false: there is nothing yet to stand beside it, `lead` says why."""

    there: bool = False
    second: bool = False
    left: str = ""
    right: str = ""
    lead: str = ""
    others: tuple[LinkView, ...] = ()
    locked: tuple[LinkView, ...] = ()
    presets: tuple[LinkView, ...] = ()
    figures: tuple[FigureRowView, ...] = ()
    figures_note: str = ""
    strands: tuple[StrandPairView, ...] = ()
    strands_note: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two as this person may see it; None: not theirs to see, or not there yet."""

    name: str
    domain: str
    figures: CommandCenter | None = None
    dna: StoreDna | None = None
    sees_figures: bool = True
    sees_dna: bool = True


def beside(
    first: Side,
    second: Side | None,
    *,
    at: Range,
    others: tuple[tuple[str, str], ...],
    locked: tuple[LinkView, ...] = (),
) -> BesideView:
    """The page; `others` are (domain, name) of the stores that could be the second."""
    links = tuple(
        LinkView(
            name,
            f"/compare?shop={first.domain}&and={domain}&range={at.preset}",
            second is not None and second.domain == domain,
        )
        for domain, name in others
    )
    if second is None:
        lead = (
            f"Choose the store that {first.name} stands beside."
            if others
            else "It takes two stores that this browser is signed in to."
        )
        return BesideView(there=True, left=first.name, lead=lead, others=links, locked=locked)
    rows, note = _figures(first, second)
    strands, strands_note = _strands(first, second)
    return BesideView(
        there=True,
        second=True,
        left=first.name,
        right=second.name,
        lead=f"{at.label}, each in its own time zone.",
        others=links,
        locked=locked,
        presets=range_links(at, shop_param=first.domain, page="/compare", **{"and": second.domain}),
        figures=rows,
        figures_note=note,
        strands=strands,
        strands_note=strands_note,
    )


def _closed(first: Side, second: Side, of: str) -> str:
    """Whose figures this person may not see."""
    names = [side.name for side in (first, second) if not getattr(side, of)]
    if not names:
        return ""
    return f"Your Shopify account may not see what they are made of at {wording.listed(names)}."


def _figures(first: Side, second: Side) -> tuple[tuple[FigureRowView, ...], str]:
    rows = []
    same = (
        first.figures is not None
        and second.figures is not None
        and first.figures.currency == second.figures.currency
    )
    for key, title in TITLES.items():
        left, right = (_value(side.figures, key) for side in (first, second))
        money = key in ("net", "aov")
        apart = "" if money and not same else _apart(left, right, points=key in _RATES)
        rows.append(
            FigureRowView(
                title, MEANINGS[key], _words(first, key, left), _words(second, key, right), apart
            )
        )
    note = _closed(first, second, "sees_figures")
    if not note and not same:
        note = "Amounts stay in each store's own currency and are not held against each other."
    return tuple(rows), note


_RATES: Final = ("returning", "refunds")


def _value(figures: CommandCenter | None, key: str) -> float | None:
    if figures is None:
        return None
    kpis = figures.kpis
    found: Mapping[str, float | None] = {
        "net": kpis.net_minor,
        "orders": kpis.orders,
        "aov": kpis.aov_minor,
        "new": kpis.new_customers,
        "returning": kpis.returning_customer_rate,
        "refunds": kpis.refund_rate,
    }
    return found[key]


def _words(side: Side, key: str, value: float | None) -> str:
    if side.figures is None:
        return "–"
    if value is None:
        kpis = side.figures.kpis
        # Not the dash of days in which there is nothing to divide by: these nobody can tell.
        told = {"new": kpis.new_customers, "returning": kpis.repeat_customers}
        return UNKNOWN if told.get(key, 0) is None else "–"
    if key in _RATES:
        return wording.percent(value)
    if key == "net":
        return wording.headline_money(int(value), side.figures.currency)
    if key == "aov":
        return wording.money(int(value), side.figures.currency)
    return wording.number(int(value))


def _apart(left: float | None, right: float | None, *, points: bool) -> str:
    """How the second stands to the first: "42% more", "3.1 points less", "the same"."""
    if left is None or right is None:
        return ""
    if points:
        size = round(100 * (right - left), 1)
        if not size:
            return "the same"
        return f"{abs(size):.1f} points {'more' if size > 0 else 'less'}"
    if left == right:
        return "the same"
    if left <= 0 or right < 0:
        return ""
    if right == 0:
        return "none"
    times = right / left
    if times >= 2:
        return f"{times:,.1f} times as much"
    share = abs(times - 1)
    if share < 0.005:
        return "about the same"
    return f"{wording.percent(share, digits=0)} {'more' if times > 1 else 'less'}"


def _strands(first: Side, second: Side) -> tuple[tuple[StrandPairView, ...], str]:
    closed = _closed(first, second, "sees_dna")
    if closed:
        return (), closed
    unread = [side.name for side in (first, second) if side.dna is None]
    if first.dna is None or second.dna is None:
        return (), f"The Store DNA of {wording.listed(unread)} is not read yet."
    theirs = {one["key"]: one for one in second.dna.portrait["strands"]}
    pairs = [
        _pair(one, theirs[one["key"]], first.name, second.name)
        for one in first.dna.portrait["strands"]
        if one["key"] in theirs
    ]
    note = ""
    if first.dna.portrait["dna_version"] != second.dna.portrait["dna_version"]:
        note = "The two were read by different versions of the formula."
    return tuple(pairs), note


def _pair(
    mine: Mapping[str, Any], theirs: Mapping[str, Any], left: str, right: str
) -> StrandPairView:
    said = {name: _said(one) for name, one in ((left, mine), (right, theirs))}
    apart = ""
    if mine["score"] is not None and theirs["score"] is not None:
        gap = theirs["score"] - mine["score"]
        apart = "close together" if abs(gap) < 5 else f"{abs(gap):.0f} points apart"
        surely = mine["ci_high"] < theirs["ci_low"] or theirs["ci_high"] < mine["ci_low"]
        if abs(gap) >= _FAR and surely:
            apart += ", surely"
    return StrandPairView(
        name=mine["name"],
        helix=HELICES.index(mine["helix"]) + 1,
        poles=(mine["poles"][0], mine["poles"][1]),
        left=-1 if mine["score"] is None else mine["score"],
        right=-1 if theirs["score"] is None else theirs["score"],
        left_said=_said(mine),
        right_said=_said(theirs),
        apart=apart,
        said=f"{mine['name']}: {'; '.join(f'{name}: {what}' for name, what in said.items())}",
    )


def _said(one: Mapping[str, Any]) -> str:
    if one["score"] is None:
        return "not read"
    return f"{one['label']}, {one['score']:.0f}"
