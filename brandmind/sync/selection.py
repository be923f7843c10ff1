"""What a merchant lets us read: products always, orders so far back, customers or not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

# What a merchant sees first; older orders follow in the background.
RECENT: Final = timedelta(days=183)
CUSTOMERS_OFF: Final = "Customers are not read. Turn them on in Settings."


class OrdersSince(StrEnum):
    """How far back orders are read."""

    SIXTY_DAYS = "60d"
    TWELVE_MONTHS = "12m"
    ALL = "all"


_SPANS: Final = {
    OrdersSince.SIXTY_DAYS: timedelta(days=60),
    OrdersSince.TWELVE_MONTHS: timedelta(days=365),
}


@dataclass(frozen=True, slots=True)
class Selection:
    """A merchant's choice; it holds for full, incremental and historical runs alike."""

    orders_since: OrdersSince = OrdersSince.ALL
    customers: bool = True

    def oldest(self, now: datetime) -> datetime | None:
        """The moment before which no order is read; None: every order is."""
        span = _SPANS.get(self.orders_since)
        return now - span if span is not None else None

    def recent(self, now: datetime) -> datetime:
        """Where the orders begin that are read before all others."""
        oldest = self.oldest(now)
        return max(now - RECENT, oldest) if oldest is not None else now - RECENT

    def wants_older(self, than: datetime, *, now: datetime) -> bool:
        """Whether orders created before `than` are wanted too.

        A day of grace: the line moves on with every moment, and what was whole yesterday is
        whole today.
        """
        oldest = self.oldest(now)
        return oldest is None or oldest < than - timedelta(days=1)
