"""The portrait at one glance: a signature of four words, twelve lanes and how many were read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from brandmind.dna import cuts
from brandmind.dna.strand import Strand

_SURE = frozenset({"high", "medium"})
_CHARACTER = ("discount", "basket", "seasonality", "newness")


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane of the gel: a band at the score and its interval; all None where unread."""

    key: str
    helix: str
    score: float | None
    low: float | None
    high: float | None


def signature(strands: Sequence[Strand]) -> str:
    """ "Premium-led, hero-led, relationship-built, peak-driven."

    Price, range and growth, and the most extreme of four others, each if it is sure enough; ""
    where none is.
    """
    known = {
        strand.key: strand
        for strand in strands
        if strand.score is not None and strand.confidence in _SURE
    }
    chosen = [known[key] for key in ("price", "range", "growth") if key in known]
    others = [known[key] for key in _CHARACTER if key in known]
    if others:
        # Of equally extreme ones the first in the list.
        chosen.append(max(others, key=lambda strand: abs((strand.score or 0) - 50)))
    told = ", ".join(_word(strand) for strand in chosen)
    return f"{told[0].upper()}{told[1:]}." if told else ""


def _word(strand: Strand) -> str:
    label = strand.label or ""
    return cuts.SIGNATURE_WORDS.get((strand.key, label), label.lower())


def gel(strands: Sequence[Strand]) -> tuple[Lane, ...]:
    """The twelve lanes in their order."""
    return tuple(
        Lane(strand.key, strand.helix, strand.score, strand.ci_low, strand.ci_high)
        for strand in strands
    )


def coverage(strands: Sequence[Strand]) -> str:
    """How many strands were read: "9 of 12 strands read"."""
    read = sum(strand.score is not None for strand in strands)
    return f"{read} of {len(strands)} strands read"
