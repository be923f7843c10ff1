"""The reconciliation: every day's way from gross to total, and why another total may differ."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from brandmind.db import explained, figures
from brandmind.db.explained import Explained
from brandmind.db.figures import DaySums, Span, StoreFacts
from brandmind.services import dashboard

__all__ = ["DaySums", "Explained", "Reconciliation", "StoreFacts", "reconciliation"]

if TYPE_CHECKING:
    from brandmind.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Every day of a range with all its sums, their whole, and what explains a difference."""

    facts: StoreFacts
    date_from: date
    date_to: date
    days: dict[date, DaySums]
    whole: DaySums
    explained: Explained
    other_currencies: tuple[str, ...]


async def reconciliation(
    rt: Runtime, store_id: str, *, date_from: date, date_to: date
) -> Reconciliation:
    """For shop-local days, both inclusive; days without sales are there with zeros.

    Raises NotFound and InvalidInput.
    """
    dashboard.length_of(date_from, date_to)
    facts = await rt.db.read(figures.facts, store_id)
    span, currency = Span(date_from, date_to), facts.currency
    found = await rt.db.read(figures.day_sums, store_id, currency=currency, span=span)
    nothing = DaySums()
    return Reconciliation(
        facts=facts,
        date_from=date_from,
        date_to=date_to,
        days={day: found.get(day, nothing) for day in dashboard.each_day(span)},
        whole=figures.added(found.values()),
        explained=await rt.db.read(explained.explained, store_id, currency=currency, span=span),
        other_currencies=await rt.db.read(
            figures.other_currencies, store_id, currency=currency, span=span
        ),
    )
