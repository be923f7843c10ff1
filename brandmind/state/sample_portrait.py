"""The sample shop's portrait: made-up figures in the shape of a real one."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from brandmind.dna import cuts
from brandmind.services.dna import Past, Point, StoreDna
from brandmind.state import sample_tables
from brandmind.state.sample import STRANDS

_SENTENCES: Final = {
    "price": "The dearer half of the variants brings 64% of net sales.",
    "range": "One dollar in four: Sample beanie brings 24% of sales, the first ten bring 58%.",
    "newness": "12% of net sales come from products published at most 90 days before the sale.",
    "reach": "22% of net sales go to other countries than US.",
    "loyalty": "31 of every 100 new customers order again within 90 days (740 of 2,388; likely 29 "
    "to 33).",
    "cadence": "Half of those who come back do so within 43 days; most between day 17 and day 71.",
    "value": "238 customers of 2,388 bring 41% of net sales.",
    "growth": "63% of known customers' net sales come from people who had bought before.",
    "discount": "One order in five carries a discount, at 11% off on average.",
    "basket": "41% of orders hold two or more different products.",
    "seasonality": "October and November bring 31% of the year, 1.9 times an even share.",
    "returns": "3.3% of what was sold came back.",
}
_PULSE: Final = (
    ("momentum", "Momentum", "calm",
     "Net sales of the last 28 days are up 12% on the same 28 days last year."),
    ("stock", "Stock at risk", "alert", "Sample beanie runs out in 11 days."),
    ("champions", "Slipping champions", "alert",
     "31 good customers have not ordered for long."),
    ("returns", "Returns", "calm",
     "Goods of 38 orders came back in the last 28 days, 3.4% of the orders placed."),
    ("discounts", "Discounts", "calm",
     "19% of orders of the last 28 days carry a discount; 20% in the 90 days before."),
)  # fmt: skip
_ACTIONS: Final = (
    ("second_order", "loyalty", "Ask for the second order on day 17",
     "Most repeaters come back between day 17 and day 71. 3 points more is about $4,000 a "
     "year.", 400_000, "2,388 new customers a year × 3% × $56.10 an order = $4,019"),
    ("hero_stock", "range", "Reorder Sample beanie",
     "It brings 24% of sales and runs out in 11 days.", 90_000, None),
    ("bundle", "basket", "Bundle Sample socks with Sample boot wax",
     "They are bought together 3.1 times more often than chance (212 orders).", None, None),
)  # fmt: skip


def store_dna(today: date) -> StoreDna:
    """The sample shop's newest portrait and that of 90 days before."""
    now = [score for _, _, score, _, _ in STRANDS]
    ago = [before for *_, before in STRANDS]
    return StoreDna(
        number=7,
        as_of=today,
        made_at=datetime.combine(today, time(3), UTC),
        portrait=_portrait(today, now),
        tables=sample_tables.tables(today),
        before=_portrait(today - timedelta(days=90), ago),
        before_day=today - timedelta(days=90),
        before_number=1,
    )


def past(today: date) -> Past:
    """The sample shop's portraits of every other week since 90 days ago."""
    days = [today - timedelta(days=back) for back in range(90, -1, -15)]
    last = len(days) - 1
    return Past(
        points=tuple(
            Point(number + 1, day, cuts.VERSION, len(STRANDS))
            for number, day in reversed(list(enumerate(days)))
        ),
        scores={
            spec.key: [
                (day, float(before + (score - before) * at // last)) for at, day in enumerate(days)
            ]
            for spec, (_, _, score, _, before) in zip(cuts.STRANDS, STRANDS, strict=True)
        },
    )


def _portrait(as_of: date, scores: list[int]) -> dict[str, Any]:
    strands = [
        _strand(spec, score, spread)
        for spec, score, (_, _, _, spread, _) in zip(cuts.STRANDS, scores, STRANDS, strict=True)
    ]
    return {
        "dna_version": cuts.VERSION,
        "as_of": as_of.isoformat(),
        "signature": "Premium-led, hero-led, relationship-built, peak-driven.",
        "coverage": "12 of 12 strands read",
        "strands": strands,
        "do_next": [_action(*action) for action in _ACTIONS],
        "pulse": [
            {"key": key, "name": name, "state": state, "sentence": sentence}
            for key, name, state, sentence in _PULSE
        ],
    }


def _strand(spec: cuts.Spec, score: int, spread: int) -> dict[str, Any]:
    return {
        "key": spec.key,
        "name": spec.name,
        "helix": spec.helix.value,
        "poles": [spec.labels[0], spec.labels[-1]],
        "formula": spec.formula,
        "score": float(score),
        "label": _label(spec, score),
        "ci_low": float(score - spread),
        "ci_high": float(score + spread),
        "confidence": "high",
        "confidence_reason": "Made-up figures of a sample shop.",
        "tag": None,
        "needs": None,
        "evidence": [],
        "sentence": _SENTENCES[spec.key],
        "actions": [_action(*action) for action in _ACTIONS if action[1] == spec.key],
    }


def _label(spec: cuts.Spec, score: int) -> str:
    if spec.unit == "days":
        return "Monthly"
    return spec.labels[sum(score >= cut for cut in spec.cuts)]


def _action(
    key: str, strand: str, title: str, text: str, amount: int | None, total: str | None
) -> dict[str, Any]:
    return {
        "key": key,
        "strand": strand,
        "title": title,
        "text": text,
        "amount_minor": amount,
        "sum": total,
    }
