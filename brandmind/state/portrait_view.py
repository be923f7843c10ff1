"""The portrait in words and places, from what was kept of it and where the sync stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from brandmind.services.dna import Past, StoreDna
from brandmind.services.todo import Mark, about
from brandmind.state import wording
from brandmind.state.customers_view import NO_GROUPS, groups_of
from brandmind.state.portrait_views import (
    ActionView,
    BeatView,
    HelixView,
    HourView,
    LaneView,
    PortraitView,
    StrandView,
    WeekdayView,
)
from brandmind.state.views import BannerView, FactView, LinkView
from brandmind.sync.progress import StoreProgress
from brandmind.sync.stages import Stage, StageState

HELICES: Final = ("brand", "customers", "selling", "operations")
SHORT: Final = {
    "price": "Price", "range": "Range", "newness": "Newness", "reach": "Reach",
    "loyalty": "Loyalty", "cadence": "Cadence", "value": "Value", "growth": "Growth",
    "discount": "Discount", "basket": "Basket", "seasonality": "Seasonality",
    "returns": "Returns",
}  # fmt: skip
_AT_ONCE: Final = 3
_MOST_COMPARES: Final = 24
_WEEK: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_BEATS: Final = {"alert": "Look here", "calm": "As usual", "unknown": "Not known yet"}
CLOSED: Final = "Your Shopify account may not see the orders and customers this is read from."


def mode_of(progress: StoreProgress | None, *, kept: bool, sees: bool) -> tuple[str, str]:
    """How a page made of the portrait stands, and the words for it.

    `progress` None is the sample shop; `kept` says that a portrait is there, `sees` that the
    person may see what it is read from.
    """
    if progress is None:
        return "sample", ""
    if not sees:
        return "closed", CLOSED
    stage = progress.stage(Stage.FIGURES)
    stopped = stage is not None and stage.state is StageState.FAILED
    if kept:
        return "real", "not updated" if stopped else ""
    if stopped:
        return "failed", "Could not read your Store DNA."
    if stage is not None and stage.state is StageState.RUNNING:
        return "hold", "Reading your DNA."
    return "none", "Your Store DNA is read after the customers."


def portrait(
    found: StoreDna | None,
    *,
    mode: str,
    note: str = "",
    shop_param: str = "",
    store_id: str = "",
    banner: BannerView | None = None,
    past: Past | None = None,
    marks: Sequence[Mark] = (),
    week_start: int = 0,
) -> PortraitView:
    """The page, and the command center's first row, of a portrait; None: nothing of it to show.

    `past` is what it can be compared with, `marks` what is put away of what it suggests.
    """
    href = f"/dna?shop={shop_param}"
    if found is None or mode not in ("real", "sample"):
        return PortraitView(
            there=True, mode=mode, note=note, banner=banner or BannerView(), href=href
        )
    told = found.portrait
    before = {one["key"]: one for one in found.before["strands"]} if found.before else {}
    lines = past.scores if past else {}
    actions = _actions(told["strands"], marks, real=mode == "real")
    strands = [
        _strand(one, before.get(one["key"]), found, lines.get(one["key"], ()), actions)
        for one in told["strands"]
    ]
    read = [view for view in strands if view.score]
    put_away = tuple(one for one in actions.values() if one.put_away)
    sure = [one["confidence"] for one in told["strands"] if one["score"] is not None]
    return PortraitView(
        there=True,
        mode=mode,
        note=note,
        banner=banner or BannerView(),
        eyebrow=(
            f"Store DNA, 12 months to {wording.day(found.as_of, year=True)} · formula "
            f"v{told['dna_version']}" + (f" · {_overall(sure)}" if sure else "")
        ),
        signature=told["signature"] or "Too little to tell yet.",
        coverage=f"{told['coverage']}.",
        href=href,
        json_href=f"/api/stores/{store_id}/dna.json" if store_id else "",
        gel_said="The gel: "
        + (", ".join(f"{view.name} {view.score}" for view in read) or "nothing read yet")
        + ".",
        lanes=tuple(_lane(one, before.get(one["key"])) for one in told["strands"]),
        helices=tuple(
            HelixView(
                number,
                name.capitalize(),
                tuple(view for view in read if view.helix == number),
            )
            for number, name in enumerate(HELICES, 1)
            if any(view.helix == number for view in read)
        ),
        missing=tuple(
            FactView(one["name"], one["needs"]) for one in told["strands"] if one["needs"]
        ),
        pulse=tuple(
            BeatView(one["name"], one["state"], _BEATS[one["state"]], one["sentence"])
            for one in told["pulse"]
        ),
        do_next=tuple(one for one in actions.values() if not one.put_away)[:_AT_ONCE],
        next_none=_next_none(any_read=bool(read), any_put_away=bool(put_away)),
        put_away=put_away,
        compares=_compares(found, past, shop_param),
        compared_with=(
            f"Compared with {wording.day(found.before_day, year=True)}" if found.before_day else ""
        ),
        table=tuple(read),
        **_beside(found.tables, shop_param, week_start=week_start),
        foot=(
            "Each strand is read from your own orders by fixed rules. "
            + (
                f"The thin marks are the portrait of {wording.day(found.before_day, year=True)}."
                + _other_formula(told, found.before)
                if found.before_day
                else "There is no portrait of 90 days ago yet to compare with."
            )
        ),
    )


def _other_formula(told: Mapping[str, Any], before: Mapping[str, Any] | None) -> str:
    if before is None or before["dna_version"] == told["dna_version"]:
        return ""
    return f" It was read by formula v{before['dna_version']}, so scores differ by that as well."


def _actions(
    strands: Sequence[Mapping[str, Any]], marks: Sequence[Mark], *, real: bool
) -> dict[str, ActionView]:
    """All that is suggested by its key, what is worth most first, then in the strands' order."""
    away = {(mark.key, mark.about): mark for mark in marks}
    every = [(action, strand) for strand in strands for action in strand["actions"]]
    every.sort(key=lambda pair: -(pair[0]["amount_minor"] or 0))
    return {
        action["key"]: ActionView(
            key=action["key"],
            strand=SHORT[action["strand"]],
            title=action["title"],
            text=action["text"],
            why=strand["sentence"],
            sum=action["sum"] or "",
            put_away=_put_away(away.get((action["key"], about(action)))),
            can_mark=real,
        )
        for action, strand in every
    }


def _next_none(*, any_read: bool, any_put_away: bool) -> str:
    """Why nothing is suggested: of strands that are not read nobody knows what stands out."""
    if not any_read:
        return "There is too little yet to tell what stands out."
    if any_put_away:
        return "Nothing else stands out right now."
    return "Nothing stands out right now."


def _put_away(mark: Mark | None) -> str:
    if mark is None:
        return ""
    until = wording.day(mark.until)
    return (
        f"Done. Back on {until} if it still holds."
        if mark.state == "done"
        else (f"Later. Back on {until}.")
    )


def _compares(found: StoreDna, past: Past | None, shop_param: str) -> tuple[LinkView, ...]:
    """The days whose portrait can be put beside the newest one."""
    if past is None:
        return ()
    earlier = [point for point in past.points if point.as_of < found.as_of]
    step = max(1, -(-len(earlier) // _MOST_COMPARES))
    return tuple(
        LinkView(
            wording.day(point.as_of, year=True),
            f"/dna?shop={shop_param}&with={point.number}",
            point.number == found.before_number,
        )
        for point in earlier[::step]
    )


def _line(points: Sequence[tuple[date, float]]) -> tuple[str, str]:
    """A strand's scores as a line in a box of 100 by 100, and what it says."""
    if len(points) < 2:
        return "", ""
    first, last = points[0][0].toordinal(), points[-1][0].toordinal()
    path = "".join(
        f"{'L' if at else 'M'}{100 * (day.toordinal() - first) / (last - first):.2f} "
        f"{100 - score:.2f}"
        for at, (day, score) in enumerate(points)
    )
    scores = [score for _, score in points]
    return path, (
        f"{wording.counted(len(points), 'portrait')} since "
        f"{wording.day(points[0][0], year=True)}, between {min(scores):.0f} and "
        f"{max(scores):.0f}."
    )


def _beside(tables: Mapping[str, Any], shop_param: str, *, week_start: int) -> dict[str, Any]:
    """What the command center shows beside the portrait: when people buy, and who they are."""
    week, busiest = _week(tables["hours"], tables["weekdays"])
    return {
        "week": week[week_start:] + week[:week_start],
        "busiest": busiest,
        "groups": tuple(view for view in groups_of(tables["rfm"]) if view.customers != "0"),
        "groups_none": NO_GROUPS.get(tables["rfm"]["reason"] or "", ""),
        "groups_href": f"/customers?shop={shop_param}",
    }


def _week(
    hours: Sequence[Sequence[int]], weekdays: Sequence[int]
) -> tuple[tuple[WeekdayView, ...], str]:
    """Orders by weekday and hour, the mean of each occurrence: a year has 52 or 53 of each."""
    means = [
        [count / times if times else 0.0 for count in row]
        for row, times in zip(hours, weekdays, strict=True)
    ]
    best = max(max(row) for row in means)
    if not best:
        return (), "No orders to tell when people buy."
    day, hour = next(
        (day, hour) for day in range(7) for hour in range(24) if means[day][hour] == best
    )
    # A small store has an order in many weeks: with one digit every hour of it would read 0.0.
    digits = 1 if best >= 1 else 2
    rows = tuple(
        WeekdayView(
            name[:3],
            tuple(
                HourView(
                    round(100 * mean / best),
                    f"{name} {at}:00 to {at + 1}:00, {mean:.{digits}f} orders on average",
                    f"{mean:.{digits}f}",
                )
                for at, mean in enumerate(means[place])
            ),
        )
        for place, name in enumerate(_WEEK)
    )
    return rows, f"Busiest: {_WEEK[day]} {hour}:00 to {hour + 1}:00, the shop's own time."


def _overall(sure: list[str]) -> str:
    """The confidence of most strands."""
    return f"{max(('high', 'medium', 'low'), key=sure.count)} confidence"


def _helix(one: Mapping[str, Any]) -> int:
    return HELICES.index(one["helix"]) + 1


def _lane(one: Mapping[str, Any], before: Mapping[str, Any] | None) -> LaneView:
    key = one["key"]
    if one["score"] is None:
        return LaneView(key=key, helix=_helix(one), name=SHORT[key])
    ago = before["score"] if before else None
    return LaneView(
        key=key,
        helix=_helix(one),
        name=SHORT[key],
        there=True,
        glow_top=round(100 - one["ci_high"], 1),
        glow_height=round(max(1.0, one["ci_high"] - one["ci_low"]), 1),
        band_top=round(100 - one["score"], 1),
        ghost=ago is not None,
        ghost_top=round(100 - ago, 1) if ago is not None else 0,
    )


def _strand(
    one: Mapping[str, Any],
    before: Mapping[str, Any] | None,
    found: StoreDna,
    points: Sequence[tuple[date, float]],
    actions: Mapping[str, ActionView],
) -> StrandView:
    key, score = one["key"], one["score"]
    if score is None:
        return StrandView(key=key, name=one["name"], helix=_helix(one), sentence=one["needs"])
    ago = before["score"] if before else None
    left, right = one["poles"]
    line, line_said = _line(points)
    return StrandView(
        key=key,
        name=one["name"],
        helix=_helix(one),
        label=one["label"],
        score=f"{score:.0f}",
        said=(
            f"{one['name']}: {score:.0f} of 100, {one['label']}, likely {one['ci_low']:.0f} to "
            f"{one['ci_high']:.0f}"
        ),
        at=score,
        low=one["ci_low"],
        width=round(max(1.0, one["ci_high"] - one["ci_low"]), 1),
        ghost=-1 if ago is None else ago,
        left=left,
        right=right,
        sentence=one["sentence"],
        compared=found.compared(one),
        then="–" if ago is None else f"{ago:.0f}",
        line=line,
        line_said=line_said,
        confidence=f"{one['confidence'].capitalize()} confidence. {one['confidence_reason']}",
        unsure=one["confidence"] == "low",
        tag=one["tag"] or "",
        formula=one["formula"],
        evidence=tuple(FactView(fact["what"], fact["value"]) for fact in one["evidence"]),
        actions=tuple(actions[action["key"]] for action in one["actions"]),
    )
