"""What a simulated shop may be told to be: sizes, currency, clock, rules."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from brandmind.simulator.amounts import DOLLAR_RATES
from brandmind.simulator.invoices import Invoices
from brandmind.simulator.planting import Plant

API_VERSIONS = ("2026-01", "2026-04", "2026-07", "2026-10")
LATEST_VERSION = API_VERSIONS[-1]

CLIENT_ID = "brandmind-local"
CLIENT_SECRET = "brandmind-local-secret"  # noqa: S105 - public on purpose: it opens nothing but this

INDEX_SHOPS = (
    "harbor-and-pine.myshopify.com",
    "moss-and-meridian.myshopify.com",
    "little-lantern.myshopify.com",
)


_OF_THE_DATA = (
    "seed",
    "orders",
    "products",
    "customers",
    "as_of",
    "currency",
    "timezone",
    "country",
    "taxes_included",
    "plant",
)


@dataclass(frozen=True, slots=True)
class ShopConfig:
    """One shop's make-up. `as_of` is epoch seconds: the end of the generated history.

    An app without approval sees no protected fields (`protected_data` False), or none of the
    `refused_objects` (Customer, Order). A bulk operation waits `bulk_start_s` and writes
    `bulk_rows_per_s` lines a second; None is half a second and 20,000, or no wait at all in an
    unlimited shop. What is planted (`plants.Plant`) needs orders enough and forty products; such
    a shop has as many customers as it takes.
    """

    seed: int = 1
    orders: int = 2000
    products: int = 120
    customers: int = 900
    as_of: int = field(default_factory=lambda: int(time.time()))
    currency: str = "USD"
    timezone: str = "America/New_York"
    country: str = "US"
    taxes_included: bool = False
    plant: Plant | None = None
    bucket_size: float = 2000.0
    restore_rate: float = 100.0
    unlimited: bool = False
    protected_data: bool = True
    refused_objects: tuple[str, ...] = ()
    accepts_permanent_tokens: bool = True
    bulk_start_s: float | None = None
    bulk_rows_per_s: float | None = None

    def __post_init__(self) -> None:
        if self.currency not in DOLLAR_RATES:
            raise ValueError(f"currency is one of {', '.join(DOLLAR_RATES)}")
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"there is no time zone {self.timezone}") from error
        # JSON has lists only.
        object.__setattr__(self, "refused_objects", tuple(self.refused_objects))
        if unknown := set(self.refused_objects) - {"Customer", "Order"}:
            raise ValueError(f"{', '.join(sorted(unknown))} is no protected object")
        if self.plant is not None:
            object.__setattr__(self, "plant", Plant.of(self.plant))
            object.__setattr__(self, "customers", max(self.customers, self.orders))
        if min(self.orders, self.products, self.customers) < 0:
            raise ValueError("sizes cannot be negative")

    def same_data(self, other: ShopConfig) -> bool:
        """Whether the other make-up has the very same orders, products and customers."""
        return all(getattr(self, name) == getattr(other, name) for name in _OF_THE_DATA)

    def changed(self, **changes: Any) -> ShopConfig:
        """The same shop with other settings; TypeError or ValueError for one it cannot have."""
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class SimulatorConfig:
    """The whole process: every shop starts as `shop`, with `faults` already set.

    Privacy topics go to `privacy_uri`, or where the app's other webhooks go. With `invoices`, all
    shops have the books of that file.
    """

    shop: ShopConfig = field(default_factory=ShopConfig)
    faults: tuple[str, ...] = ()
    client_id: str = CLIENT_ID
    client_secret: str = CLIENT_SECRET
    privacy_uri: str | None = None
    invoices: Invoices | None = None
