"""What a strand is, read or missing, and how a figure becomes one: label, confidence, needs."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from brandmind.dna import cuts, words
from brandmind.dna.cuts import Spec
from brandmind.dna.facts import GUEST, Facts
from brandmind.dna.measure import clamp, half_up

NOT_TIME_BOUND: Final = "from customer records, not time-bound"


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do. `amount_minor` is what it is about worth a year, `sum` how that came."""

    key: str
    strand: str
    title: str
    text: str
    amount_minor: int | None = None
    sum: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """One number behind a strand."""

    what: str
    value: str


@dataclass(frozen=True, slots=True)
class Need:
    """Something there is too little of. `by` is when there will be enough at the present pace."""

    noun: str
    have: int
    least: int
    by: date | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """A figure that cannot be told, and what it would take."""

    needs: tuple[Need, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """A figure that was found: on its own scale (`raw`) and as a score of 0-100 with interval.

    `n` is how many it was read from; `cap` the best confidence it can have, and why.
    `long_tailed`: a narrow range in which no product stands out.
    """

    raw: float
    score: float
    low: float
    high: float
    n: int
    evidence: tuple[Evidence, Evidence, Evidence]
    sentence: str
    inputs: dict[str, Any]
    cap: tuple[float, str] | None = None
    tag: str | None = None
    long_tailed: bool = False


@dataclass(frozen=True, slots=True)
class Strand:
    """A strand as it is stored and shown; scores are rounded half up to 0.1, None where missing.

    `confidence` is "high", "medium", "low" or "none"; `needs` is a sentence where nothing is read.
    """

    key: str
    name: str
    helix: str
    poles: tuple[str, str]
    formula: str
    unit: str
    polarity: str
    raw: float | None
    score: float | None
    label: str | None
    ci_low: float | None
    ci_high: float | None
    n: int
    confidence: str
    confidence_value: float
    confidence_reason: str
    tag: str | None
    evidence: tuple[Evidence, ...]
    sentence: str
    needs: str | None
    inputs_hash: str
    actions: tuple[Action, ...] = field(default_factory=tuple)


def finish(
    facts: Facts, spec: Spec, found: Reading | Missing, *, before: str | None = None
) -> Strand:
    """The strand of a figure; `before` is the label it was shown with on the day before."""
    if isinstance(found, Missing):
        return _absent(spec, _needs(found), n=found.needs[0].have, hashed=_hash(spec, found))
    value, reason = confidence(facts, spec, found)
    if value < cuts.LOW:
        sentence = f"Not enough data yet: {reason[0].lower()}{reason[1:]}"
        return _absent(spec, sentence, n=found.n, hashed=_hash(spec, found.inputs), value=value)
    return Strand(
        key=spec.key,
        name=spec.name,
        helix=spec.helix.value,
        poles=(spec.labels[0], spec.labels[-1]),
        formula=spec.formula,
        unit=spec.unit,
        polarity=spec.polarity,
        raw=half_up(found.raw, 6),
        score=half_up(clamp(found.score)),
        label=shown_label(spec, found, before=before),
        ci_low=half_up(clamp(min(found.low, found.high))),
        ci_high=half_up(clamp(max(found.low, found.high))),
        n=found.n,
        confidence=grade(value),
        confidence_value=half_up(value, 3),
        confidence_reason=reason,
        tag=found.tag,
        evidence=found.evidence,
        sentence=found.sentence,
        needs=None,
        inputs_hash=_hash(spec, found.inputs),
    )


def grade(value: float) -> str:
    """The confidence in a word."""
    if value >= cuts.HIGH:
        return "high"
    if value >= cuts.MEDIUM:
        return "medium"
    return "low" if value >= cuts.LOW else "none"


def shown_label(spec: Spec, found: Reading, *, before: str | None) -> str:
    """That of the day before, until the figure is well past the cut.

    A score on a cut belongs to the upper label. Cadence is cut in days, where fewer are more.
    """
    narrow = spec.labels.index("Hero-led") if spec.key == cuts.RANGE.key else len(spec.labels)
    was = spec.labels.index(before) if before in spec.labels else None
    if before == cuts.LONG_TAILED and narrow < len(spec.labels):
        was = narrow
    if spec.unit == "days":
        return spec.labels[_place_of_days(spec, found.raw, was)]
    place = _place_of_score(spec, half_up(clamp(found.score)), was)
    return cuts.LONG_TAILED if found.long_tailed and place >= narrow else spec.labels[place]


def _place_of_score(spec: Spec, score: float, was: int | None) -> int:
    if was is None:
        return sum(score >= cut for cut in spec.cuts)
    while was < len(spec.cuts) and score >= spec.cuts[was] + cuts.HYSTERESIS:
        was += 1
    while was > 0 and score <= spec.cuts[was - 1] - cuts.HYSTERESIS:
        was -= 1
    return was


def _place_of_days(spec: Spec, days: float, was: int | None) -> int:
    if was is None:
        return sum(days <= cut for cut in spec.cuts)
    past = cuts.CADENCE_HYSTERESIS_PERCENT
    while was < len(spec.cuts) and 100 * days <= (100 - past) * spec.cuts[was]:
        was += 1
    while was > 0 and 100 * days >= (100 + past) * spec.cuts[was - 1]:
        was -= 1
    return was


def confidence(facts: Facts, spec: Spec, found: Reading) -> tuple[float, str]:
    """How sure the figure is, 0-1, and what holds it back."""
    amount = min(1.0, math.sqrt(found.n / spec.good))
    covered = days_covered(facts)
    reach = min(1.0, covered / spec.days)
    parts = [
        (amount, f"Only {words.number(found.n)} of {words.number(spec.good)} {spec.noun}."),
        (reach, f"Only {words.number(covered)} of {spec.days} days of history."),
        *_qualities(facts, spec),
    ]
    value = math.prod(share for share, _ in parts)
    least, why = min(parts, key=lambda part: part[0])
    if found.cap is not None and value >= found.cap[0]:
        return found.cap
    if least >= 1:
        return value, f"Read from {words.number(found.n)} {spec.noun}."
    return value, why


def _qualities(facts: Facts, spec: Spec) -> list[tuple[float, str]]:
    found = []
    if facts.cut:
        found.append((cuts.QUALITY_CUT, "Shopify shows the last 60 days of orders only."))
    if spec.key in cuts.OF_PEOPLE and _many_guests(facts):
        found.append(
            (cuts.QUALITY_GUESTS, "More than one order in five was placed without a customer.")
        )
    partly = [name for name in spec.reads if name in facts.partly]
    if partly:
        found.append((cuts.QUALITY_PARTLY, f"Not all {words.both(partly)} have been read."))
    return found


def _many_guests(facts: Facts) -> bool:
    end = facts.as_of.toordinal()
    places = facts.orders.between(end - cuts.YEAR_DAYS, end)
    guests = sum(facts.orders.customer[at] == GUEST for at in places)
    part, whole = cuts.GUEST_SHARE
    return whole * guests > part * len(places)


def days_covered(facts: Facts) -> int:
    """Days before the day of the portrait from which all orders are stored."""
    return max(0, (facts.as_of - facts.stored_from).days) if facts.stored_from else 0


def need(facts: Facts, noun: str, have: int, least: int) -> Need:
    """A need of things that come with the orders, and when there will be enough of them."""
    days = min(cuts.YEAR_DAYS, days_covered(facts))
    if not have or not days:
        return Need(noun, have, least)
    # As many again each day as until now.
    more = -(-(least - have) * days // have)
    return Need(noun, have, least, facts.as_of + timedelta(days=more) if more < 3660 else None)


def need_days(facts: Facts, least: int) -> Need:
    """A need of more history."""
    have = days_covered(facts)
    by = facts.as_of + timedelta(days=least - have) if have else None
    return Need("days of orders", have, least, by)


def _needs(found: Missing) -> str:
    worst = max(found.needs, key=lambda one: (one.by is None, one.by or date.min))
    if worst.why is not None:
        return worst.why
    text = f"Needs {words.counted(worst.least, worst.noun)}. You have {words.number(worst.have)}."
    return text if worst.by is None else f"{text} Expected by {words.month(worst.by)}."


def _absent(spec: Spec, needs: str, *, n: int, hashed: str, value: float = 0.0) -> Strand:
    return Strand(
        key=spec.key,
        name=spec.name,
        helix=spec.helix.value,
        poles=(spec.labels[0], spec.labels[-1]),
        formula=spec.formula,
        unit=spec.unit,
        polarity=spec.polarity,
        raw=None,
        score=None,
        label=None,
        ci_low=None,
        ci_high=None,
        n=n,
        confidence="none",
        confidence_value=half_up(value, 3),
        confidence_reason=needs,
        tag=None,
        evidence=(),
        sentence=needs,
        needs=needs,
        inputs_hash=hashed,
    )


def _hash(spec: Spec, inputs: Missing | dict[str, Any]) -> str:
    plain: Any = (
        [[one.noun, one.have, one.least] for one in inputs.needs]
        if isinstance(inputs, Missing)
        else inputs
    )
    told = json.dumps([cuts.VERSION, spec.key, plain], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def evidence(*pairs: Sequence[str]) -> tuple[Evidence, Evidence, Evidence]:
    """Three numbers behind a strand, each with what it is."""
    first, second, third = (Evidence(what, value) for what, value in pairs)
    return first, second, third
