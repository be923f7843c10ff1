"""Customers by the month of their first order: who is still there, and what they have brought."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class CustomerMonth(NamedTuple):
    """What a customer ordered in a shop-local month. Months are counted: year * 12 + month - 1."""

    customer: int
    month: int
    orders: int
    net_minor: int


@dataclass(frozen=True, slots=True)
class Cell:
    """A cohort's month `after` its first: distinct customers who ordered, and net sales so far.

    `partial`: the month is not over, so both may still grow.
    """

    after: int
    customers: int
    net_minor: int
    cumulative_minor: int
    partial: bool


@dataclass(frozen=True, slots=True)
class Cohort:
    """Customers of one first month; nobody ever leaves it, so shares are of `size`."""

    month: int
    size: int
    cells: tuple[Cell, ...]


class LtvPoint(NamedTuple):
    """Net sales per acquired customer up to and with month `after`.

    `customers` are of the cohorts that have that month behind them, whole.
    """

    after: int
    customers: int
    net_minor: int
    per_customer_minor: int


def month_of(year: int, month: int) -> int:
    """A calendar month as a count."""
    return year * 12 + month - 1


def cohorts(rows: Iterable[CustomerMonth], *, current: int) -> list[Cohort]:
    """The triangle, oldest cohort first; `current` is the month that is not over.

    The months of a customer may come in any order, and a month in several rows.
    """
    lives: defaultdict[int, defaultdict[int, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        if row.orders > 0 and row.month <= current:
            lives[row.customer][row.month] += row.net_minor
    active: defaultdict[tuple[int, int], int] = defaultdict(int)
    net: defaultdict[tuple[int, int], int] = defaultdict(int)
    sizes: defaultdict[int, int] = defaultdict(int)
    for months in lives.values():
        first = min(months)
        sizes[first] += 1
        for month, minor in months.items():
            active[first, month] += 1
            net[first, month] += minor
    found = []
    for first in sorted(sizes):
        cells, so_far = [], 0
        for month in range(first, current + 1):
            so_far += net[first, month]
            cells.append(
                Cell(
                    after=month - first,
                    customers=active[first, month],
                    net_minor=net[first, month],
                    cumulative_minor=so_far,
                    partial=month == current,
                )
            )
        found.append(Cohort(first, sizes[first], tuple(cells)))
    return found


def ltv(found: Iterable[Cohort]) -> list[LtvPoint]:
    """Net sales per acquired customer by months since the first, over whole months only."""
    customers: defaultdict[int, int] = defaultdict(int)
    net: defaultdict[int, int] = defaultdict(int)
    for cohort in found:
        for cell in cohort.cells:
            if not cell.partial:
                customers[cell.after] += cohort.size
                net[cell.after] += cell.cumulative_minor
    return [
        LtvPoint(after, customers[after], net[after], _average(net[after], customers[after]))
        for after in sorted(customers)
    ]


def _average(total: int, count: int) -> int:
    return (2 * total + count) // (2 * count)
