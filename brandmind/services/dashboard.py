"""The figures of the command center, by Shopify's definitions, for a store and a range of days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

Compare = Literal["previous", "year"]


@dataclass(frozen=True, slots=True)
class Kpis:
    """The figures of a range of shop-local days, both ends inclusive; money in minor units.

    net = gross + discounts + returns (the last two are zero or negative). Rates are fractions
    0-1, None where there is nothing to divide by. `refund_window` are the days of the latest
    mature window of the range's length (orders 30 days or older).
    """

    currency: str
    gross_minor: int
    discounts_minor: int
    returns_minor: int
    net_minor: int
    shipping_minor: int
    taxes_minor: int
    total_minor: int
    orders: int
    units: int
    aov_minor: int | None
    customers: int
    new_customers: int
    returning_customers: int
    returning_customer_rate: float | None
    refund_rate: float | None
    refund_window: tuple[date, date]


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One shop-local day; days without orders are present with zeros."""

    day: date
    gross_minor: int
    discounts_minor: int
    returns_minor: int
    net_minor: int
    orders: int
    units: int


@dataclass(frozen=True, slots=True)
class ProductFigures:
    """One product's net sales in the range; `share` of all net sales and `return_rate`: 0-1."""

    product_id: int | None
    title: str
    net_minor: int
    units: int
    orders: int
    share: float | None
    return_rate: float | None


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One recent order as the table shows it; no customer's name."""

    shopify_id: int
    name: str
    processed_at: datetime
    net_minor: int
    total_minor: int
    units: int
    financial_status: str | None
    cancelled: bool
    test: bool


@dataclass(frozen=True, slots=True)
class ReadyNow:
    """What can be told while a first sync runs; empty parts mean "not yet".

    `price_bins`: (from_minor, to_minor, variants) over the active variants' prices.
    `days`: (shop-local day, orders) of the stored orders of the last six months.
    """

    currency: str | None
    products: int
    variants: int
    price_min_minor: int | None
    price_max_minor: int | None
    price_p25_minor: int | None
    price_p75_minor: int | None
    price_bins: tuple[tuple[int, int, int], ...]
    days: tuple[tuple[date, int], ...]
    first_order_day: date | None
    best_day: tuple[date, int] | None


@dataclass(frozen=True, slots=True)
class CommandCenter:
    """Everything the command center shows of one store and range.

    `stored_from` is the earliest day from which every day's orders are stored (None: none yet):
    a card is real as soon as it lies at or before the range's first day.
    """

    store_id: str
    currency: str
    timezone: str
    today: date
    date_from: date
    date_to: date
    stored_from: date | None
    kpis: Kpis
    compared: Kpis | None
    days: tuple[DayFigures, ...]
    compared_days: tuple[DayFigures, ...]
    top_products: tuple[ProductFigures, ...]
    recent_orders: tuple[OrderLine, ...]
    other_currencies: tuple[str, ...]
