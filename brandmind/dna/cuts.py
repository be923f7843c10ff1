"""Every cut point of the portrait, in one place and under one version.

They are judgement about a product, not benchmarks of an industry: a change of any of them is a
new version of the formula.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

# 2: momentum dates returns by the day they came; test orders make nobody known from the start.
VERSION: Final = 2

Polarity = Literal["up", "down", "neutral"]
Points = tuple[tuple[float, float], ...]


class Helix(StrEnum):
    """The four parts of a portrait."""

    BRAND = "brand"
    CUSTOMERS = "customers"
    SELLING = "selling"
    OPERATIONS = "operations"


@dataclass(frozen=True, slots=True)
class Spec:
    """One strand: its words and its numbers.

    `labels` go from low to high with `cuts` between them; a score on a cut has the upper label.
    `least` and `good` are how many of `noun` are needed at all and for full confidence, `days`
    how many of history. `reads` are the resources it is made of.
    """

    key: str
    name: str
    helix: Helix
    labels: tuple[str, ...]
    cuts: tuple[float, ...]
    unit: str
    noun: str
    least: int
    good: int
    days: int
    reads: tuple[str, ...]
    polarity: Polarity = "neutral"
    formula: str = ""


PRICE: Final = Spec(
    "price", "Price position", Helix.BRAND,
    ("Entry-led", "Whole-ladder", "Premium-led"), (40, 60), "rank",
    "variants", 5, 30, 60, ("products", "orders"),
    formula="Each variant's place on your own price ladder, 0 the cheapest and 100 the dearest, "
    "averaged by what it sold.",
)  # fmt: skip
RANGE: Final = Spec(
    "range", "Range focus", Helix.BRAND,
    ("Wide", "Balanced", "Hero-led", "Single-hero"), (20, 45, 70), "products",
    "products", 5, 20, 60, ("products", "orders"),
    formula="How few products your sales behave like: 1 over the sum of squared shares, "
    "against the number of products that sold.",
)  # fmt: skip
NEWNESS: Final = Spec(
    "newness", "Newness", Helix.BRAND,
    ("Evergreen", "Evolving", "Drop-driven"), (25, 55), "share",
    "orders", 100, 500, 180, ("products", "orders"),
    formula="The share of net sales from products published at most 90 days before the sale.",
)  # fmt: skip
REACH: Final = Spec(
    "reach", "Reach", Helix.BRAND,
    ("Home-market", "Cross-border", "Global"), (15, 50), "share",
    "orders with a country", 100, 500, 60, ("orders",),
    formula="The share of net sales that goes to other countries than your own.",
)  # fmt: skip
LOYALTY: Final = Spec(
    "loyalty", "Loyalty", Helix.CUSTOMERS,
    ("One-and-done", "Occasional", "Sticky", "Devoted"), (20, 45, 70), "share",
    "customers with 90 days behind their first order", 30, 300, 215, ("orders", "customers"),
    polarity="up",
    formula="Of customers whose first order is at least 90 days old, the share that ordered again "
    "on another day within 90 days.",
)  # fmt: skip
CADENCE: Final = Spec(
    "cadence", "Cadence", Helix.CUSTOMERS,
    ("Occasion", "Quarterly", "Monthly", "Weekly"), (120, 45, 14), "days",
    "gaps between orders", 30, 200, 365, ("orders",),
    formula="The median of days between two orders of the same customer, on a scale from a year "
    "to a week.",
)  # fmt: skip
VALUE: Final = Spec(
    "value", "Value concentration", Helix.CUSTOMERS,
    ("Even", "Classic", "Whale-dependent"), (30, 65), "share",
    "customers", 100, 500, 120, ("orders",),
    formula="The share of net sales that the best tenth of your customers brings.",
)  # fmt: skip
GROWTH: Final = Spec(
    "growth", "Growth engine", Helix.CUSTOMERS,
    ("Acquisition-led", "Balanced", "Relationship-led"), (30, 60), "share",
    "orders of known customers", 100, 500, 120, ("orders", "customers"),
    formula="The share of known customers' net sales that comes after their first order day.",
)  # fmt: skip
DISCOUNT: Final = Spec(
    "discount", "Discount reliance", Helix.SELLING,
    ("Full-price", "Tactical", "Promo-led", "Discount-dependent"), (15, 35, 60), "score",
    "orders", 100, 500, 60, ("orders",),
    polarity="down",
    formula="Half the share of orders with a discount, three tenths the discount's share of gross "
    "sales (30 % counts as all), a fifth the share of first orders with one.",
)  # fmt: skip
BASKET: Final = Spec(
    "basket", "Basket building", Helix.SELLING,
    ("Single-item", "Pairing", "Basket builders"), (25, 55), "share",
    "orders", 100, 500, 60, ("orders",),
    formula="The share of orders with two or more different products.",
)  # fmt: skip
SEASONALITY: Final = Spec(
    "seasonality", "Seasonality", Helix.SELLING,
    ("Even", "Seasonal", "Peak-driven"), (20, 55), "times",
    "full months", 12, 24, 365, ("orders",),
    formula="What the two biggest of the last 12 full months bring, against two even months.",
)  # fmt: skip
RETURNS: Final = Spec(
    "returns", "Returns trust", Helix.OPERATIONS,
    ("Critical", "Leaky", "Normal", "Trusted"), (25, 50, 75), "share",
    "orders of 30 days or older", 100, 500, 60, ("orders",),
    polarity="up",
    formula="The value that came back of orders 30 to 395 days old, against what they sold.",
)  # fmt: skip

STRANDS: Final = (
    PRICE, RANGE, NEWNESS, REACH, LOYALTY, CADENCE, VALUE, GROWTH,
    DISCOUNT, BASKET, SEASONALITY, RETURNS,
)  # fmt: skip

# Score by raw figure, straight between the points and level beyond them.
NEWNESS_POINTS: Final[Points] = ((0, 0), (0.10, 25), (0.25, 50), (0.50, 75), (0.80, 100))
LOYALTY_POINTS: Final[Points] = (
    (0, 0), (0.05, 20), (0.15, 45), (0.30, 70), (0.50, 90), (0.70, 100),
)  # fmt: skip
VALUE_POINTS: Final[Points] = ((0.10, 0), (0.30, 30), (0.50, 60), (0.70, 85), (0.90, 100))
RETURNS_POINTS: Final[Points] = (
    (0, 100), (0.02, 90), (0.05, 75), (0.10, 55), (0.20, 25), (0.40, 0),
)  # fmt: skip

# A shown label gives way only this far past a cut.
HYSTERESIS: Final = 2.0
CADENCE_HYSTERESIS_PERCENT: Final = 10

YEAR_DAYS: Final = 365
LOYALTY_DAYS: Final = 90
LOYALTY_HISTORY_DAYS: Final = 120
NEW_DAYS: Final = 90
NEWNESS_LEAST_DAYS: Final = 180
# More products than this share made on one day were imported, not launched.
IMPORT_SHARE: Final = (80, 100)
LEAST_UNITS: Final = 50
LEAST_PRICES: Final = 3
HERO_SHARE: Final = (20, 100)
LONG_TAILED: Final = "Long-tailed"
CADENCE_SHORTEST: Final = 7
DISCOUNT_WEIGHTS: Final = (0.5, 0.3, 0.2)
DISCOUNT_FULL: Final = 0.30
SEASON_LEAST_ORDERS: Final = 600
SEASON_GROWTH: Final = (3, 2)
RETURNS_AGE: Final = (30, 395)

HIGH: Final = 0.80
MEDIUM: Final = 0.50
LOW: Final = 0.25
QUALITY_CUT: Final = 0.6
QUALITY_GUESTS: Final = 0.8
QUALITY_PARTLY: Final = 0.5
GUEST_SHARE: Final = (20, 100)
# Strands that speak of people: guests make them less sure.
OF_PEOPLE: Final = frozenset({"loyalty", "cadence", "value", "growth", "discount"})

# The words of the signature where they are not the label's own.
SIGNATURE_WORDS: Final = {
    ("range", "Balanced"): "balanced range",
    ("range", "Wide"): "wide range",
    ("growth", "Balanced"): "evenly grown",
    ("growth", "Relationship-led"): "relationship-built",
    ("basket", "Pairing"): "pairing",
    ("basket", "Basket builders"): "basket-building",
    ("seasonality", "Even"): "even all year",
}
