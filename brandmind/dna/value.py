"""Customers in ten equal groups by what they spent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Decile:
    """One tenth of the customers, 1 the best. `least_minor` is what its last member spent."""

    decile: int
    customers: int
    net_minor: int
    least_minor: int


def deciles(spent: Iterable[tuple[int, int]]) -> list[Decile]:
    """Tenths of the customers, given as (gid, net); of fewer than ten people fewer groups.

    Cut at the nearest ranks: the first n tenths hold n/10 of the people, rounded up.
    """
    ranked = sorted(((max(0, net), gid) for gid, net in spent), key=lambda e: (-e[0], e[1]))
    count, found, start = len(ranked), [], 0
    for tenth in range(1, 11):
        end = -(-tenth * count // 10)
        if end > start:
            part = ranked[start:end]
            found.append(Decile(tenth, len(part), sum(net for net, _ in part), part[-1][0]))
        start = end
    return found
