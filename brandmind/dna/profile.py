"""The whole portrait of a store, and its JSON: the same bytes for the same facts, anywhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

from brandmind.dna import brand, customers, cuts, operations, selling
from brandmind.dna.actions import actions, do_next
from brandmind.dna.cuts import Spec
from brandmind.dna.facts import Facts
from brandmind.dna.measure import half_up
from brandmind.dna.pairs import Rule, pairs
from brandmind.dna.pulse import Beat, pulse
from brandmind.dna.signature import Lane, coverage, gel, signature
from brandmind.dna.strand import Action, Missing, Reading, Strand, finish
from brandmind.dna.year import Year

_READERS: Final[tuple[tuple[Spec, Callable[[Year], Reading | Missing]], ...]] = (
    (cuts.PRICE, brand.price_position),
    (cuts.RANGE, brand.range_focus),
    (cuts.NEWNESS, brand.newness),
    (cuts.REACH, brand.reach),
    (cuts.LOYALTY, customers.loyalty),
    (cuts.CADENCE, customers.cadence),
    (cuts.VALUE, customers.value_concentration),
    (cuts.GROWTH, customers.growth_engine),
    (cuts.DISCOUNT, selling.discount_reliance),
    (cuts.BASKET, selling.basket_building),
    (cuts.SEASONALITY, selling.seasonality),
    (cuts.RETURNS, operations.returns_trust),
)


@dataclass(frozen=True, slots=True)
class Profile:
    """A portrait. The window is `first` up to but without `as_of`."""

    dna_version: int
    as_of: date
    first: date
    currency: str
    signature: str
    coverage: str
    read: int
    gel: tuple[Lane, ...]
    strands: tuple[Strand, ...]
    do_next: tuple[Action, ...]
    pulse: tuple[Beat, ...]

    @property
    def labels(self) -> dict[str, str]:
        """The shown labels by strand: what the next day's run takes as `before`."""
        return {one.key: one.label for one in self.strands if one.label is not None}


def portrait(facts: Facts, *, before: Mapping[str, str] | None = None) -> Profile:
    """The portrait of these facts.

    `before` are the labels shown by the last run of an earlier day; with the facts and
    `cuts.VERSION` they are all that the portrait depends on.
    """
    year = Year(facts)
    return read(year, pairs(year.baskets), before=before)


def read(year: Year, rules: Sequence[Rule], *, before: Mapping[str, str] | None = None) -> Profile:
    """`portrait` of a year whose pairs are known already."""
    facts = year.facts
    shown = before or {}
    strands = {
        spec.key: finish(facts, spec, reader(year), before=shown.get(spec.key))
        for spec, reader in _READERS
    }
    found = actions(year, strands, rules)
    told = tuple(
        replace(strand, actions=found.get(key, ())) if strand.score is not None else strand
        for key, strand in strands.items()
    )
    return Profile(
        dna_version=cuts.VERSION,
        as_of=facts.as_of,
        first=facts.as_of - timedelta(days=cuts.YEAR_DAYS),
        currency=facts.currency,
        signature=signature(told),
        coverage=coverage(told),
        read=sum(strand.score is not None for strand in told),
        gel=gel(told),
        strands=told,
        do_next=tuple(do_next(told)),
        pulse=pulse(year),
    )


def to_plain(profile: Profile) -> dict[str, Any]:
    """The portrait as plain data, days as ISO texts."""
    plain = asdict(profile)
    plain["as_of"], plain["first"] = profile.as_of.isoformat(), profile.first.isoformat()
    return plain


def to_json(profile: Profile) -> str:
    """The portrait as JSON with sorted names."""
    return json.dumps(to_plain(profile), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def compared(strand: Mapping[str, Any], before: Mapping[str, Any] | None, *, day: str) -> str:
    """How a strand moved since an earlier run, both as `to_plain` has them: a sentence or ""."""
    if before is None or strand["score"] is None or before["score"] is None:
        return ""
    points = int(half_up(strand["score"], 0) - half_up(before["score"], 0))
    if not points:
        return f"Steady against the run of {day}."
    many = "point" if abs(points) == 1 else "points"
    return f"{'Up' if points > 0 else 'Down'} {abs(points)} {many} on the run of {day}."
