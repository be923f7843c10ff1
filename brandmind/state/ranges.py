"""The ranges of days a person can choose, as they stand in an address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from urllib.parse import urlencode

from brandmind.services.dashboard import Compare
from brandmind.state import wording
from brandmind.state.views import LinkView

PRESETS: Final = {
    "today": ("Today", 1),
    "7d": ("Last 7 days", 7),
    "28d": ("Last 28 days", 28),
    "90d": ("Last 90 days", 90),
    "12m": ("Last 12 months", 365),
}
DEFAULT: Final = "28d"
COMPARES: Final = {
    "previous": ("vs the days before", "the days before"),
    "year": ("vs last year", "the same days last year"),
    "none": ("no comparison", ""),
}
_LONGEST_DAYS: Final = 3 * 366


@dataclass(frozen=True, slots=True)
class Range:
    """Shop-local days, both ends inclusive. `preset` is a key of PRESETS or "custom"."""

    preset: str
    date_from: date
    date_to: date
    compare: Compare | None

    @property
    def days(self) -> int:
        return (self.date_to - self.date_from).days + 1

    @property
    def label(self) -> str:
        """ "Last 28 days", or the days themselves."""
        if self.preset in PRESETS:
            return PRESETS[self.preset][0]
        return f"{wording.day(self.date_from)} to {wording.day(self.date_to, year=True)}"

    @property
    def before(self) -> str:
        """What the change is measured against: "the 28 days before"."""
        if self.compare == "year":
            return "the same days last year" if self.days > 1 else "the same day last year"
        return f"the {self.days} days before" if self.days > 1 else "the day before"


def chosen(params: Mapping[str, str], *, today: date) -> Range:
    """The range an address asks for; anything that makes no sense is the default range."""
    compare: Compare | None
    match params.get("compare", "previous"):
        case "none":
            compare = None
        case "year":
            compare = "year"
        case _:
            compare = "previous"
    if params.get("range") == "custom":
        own = _own_days(params, today=today)
        if own is not None:
            return Range("custom", *own, compare)
    preset = params.get("range", DEFAULT)
    preset = preset if preset in PRESETS else DEFAULT
    first = today - timedelta(days=PRESETS[preset][1] - 1)
    return Range(preset, first, today, compare)


def _own_days(params: Mapping[str, str], *, today: date) -> tuple[date, date] | None:
    try:
        first = date.fromisoformat(params.get("from", ""))
        last = min(date.fromisoformat(params.get("to", "")), today)
    except ValueError:
        return None
    return (first, last) if 0 <= (last - first).days < _LONGEST_DAYS else None


def range_links(
    at: Range, *, shop_param: str, page: str = "/command-center", **kept: str
) -> tuple[LinkView, ...]:
    """The presets as links that keep the comparison and what else is `kept`."""
    compare = at.compare or "none"
    return tuple(
        LinkView(
            label=label,
            href=_href(shop_param, page=page, range=key, compare=compare, **kept),
            current=key == at.preset,
        )
        for key, (label, _) in PRESETS.items()
    )


def compare_links(at: Range, *, shop_param: str) -> tuple[LinkView, ...]:
    """The comparisons as links that keep the range."""
    kept = asked_again(at)
    return tuple(
        LinkView(
            label=f"{label[:1].upper()}{label[1:]}",
            href=_href(shop_param, **{**kept, "compare": key}),
            current=key == (at.compare or "none"),
        )
        for key, (label, _) in COMPARES.items()
    )


def asked_again(at: Range) -> dict[str, str]:
    """The parameters that ask for these days once more."""
    kept = {"range": at.preset, "compare": at.compare or "none"}
    if at.preset == "custom":
        kept |= {"from": at.date_from.isoformat(), "to": at.date_to.isoformat()}
    return kept


def _href(shop_param: str, *, page: str = "/command-center", **params: str) -> str:
    return f"{page}?{urlencode({'shop': shop_param, **params})}"
