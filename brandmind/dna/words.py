"""How the portrait writes numbers: short, with numerals, the same on every machine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from brandmind.commerce.money import headline
from brandmind.dna.measure import half_up

_MONTHS: Final = (
    "January February March April May June July August September October November December"
).split()


def money(minor: int, currency: str) -> str:
    """An amount as the cards of the screens write it: "$56.10", "CA$1,235", "CHF 12.50"."""
    return headline(minor, currency)


def percent(share: float) -> str:
    """A share as a whole per cent; one decimal below 10 %."""
    digits = 0 if abs(share) >= 0.0995 or share == 0 else 1
    return f"{half_up(100 * share, digits):,.{digits}f}%"


def number(count: int) -> str:
    """A count with its thousands apart."""
    return f"{count:,}"


def counted(count: int, noun: str) -> str:
    """A count and its noun, which is given for many: "1 order", "2 orders"."""
    if count != 1:
        return f"{count:,} {noun}"
    head, _, rest = noun.partition(" ")
    if head == "full":
        return f"{count:,} full {rest.removesuffix('s')}"
    return f"{count:,} {head.removesuffix('s')}{' ' + rest if rest else ''}"


def month(day: date) -> str:
    """A month by name: "April 2027"."""
    return f"{_MONTHS[day.month - 1]} {day.year}"


def month_name(number_of_month: int) -> str:
    """A month of any year: 1 is January."""
    return _MONTHS[number_of_month - 1]


def day(at: date) -> str:
    """A day in short: "22 Nov 2026"."""
    return f"{at.day} {_MONTHS[at.month - 1][:3]} {at.year}"


def both(names: Sequence[str]) -> str:
    """Names in a row: "A", "A and B", "A, B and C"."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else list(names))
