"""What each figure means, in the words behind its (i) and in the glossary."""

from __future__ import annotations

from typing import Final

TITLES: Final = {
    "net": "Net sales",
    "orders": "Orders",
    "aov": "Average order value",
    "new": "New customers",
    "returning": "Returning customer rate",
    "refunds": "Refund rate",
}

MEANINGS: Final = {
    "net": (
        "Gross sales less discounts and returns, without taxes and shipping. A return counts on "
        "the day it was processed, so a day can be negative."
    ),
    "orders": (
        "Orders placed in the period, cancelled ones included. Test and deleted orders are left "
        "out, as in Shopify's own reports."
    ),
    "aov": (
        "Gross sales less discounts, divided by orders. What happens after the order was made, "
        "such as a return or an edit, does not change it."
    ),
    "new": "Customers whose first order ever falls in the period; the line shows them by day.",
    "returning": (
        "Of the customers who ordered in the period, the share who have ordered more than once "
        "ever. Each point of the line takes up to seven days of the period together, a customer "
        "counted once a day."
    ),
    "refunds": (
        "Value returned, of gross sales less discounts, for orders that are at least 30 days old, "
        "by the day of the order: younger orders may still come back. The card names those days; "
        "each point of the line takes up to seven of them together."
    ),
}

# The three ways to ask whether customers come back, as /customers tells them: they differ widely
# for the same shop, so each goes by a name of its own.
REPEATS: Final = {
    "returning": (
        TITLES["returning"],
        "Of the customers who ordered in the period, the share who have ordered more than once "
        "ever.",
    ),
    "repeat": (
        "Repeat purchase rate",
        "Of the customers who ordered in the period, the share with two or more orders in it. It "
        "lies far below the returning customer rate, which counts orders of all times.",
    ),
    "back": (
        "Back within 90 days",
        "Of the customers whose first order is at least 90 days old, the share with another one "
        "within 90 days of it. Nobody is counted who had no time to come back.",
    ),
}

GLOSSARY: Final = (
    (
        "Gross sales",
        "Original price times quantity, before discounts and returns, without "
        "taxes and shipping. Gift cards are not sales until they are spent.",
    ),
    ("Discounts", "Everything taken off by codes and automatic discounts, shown negative."),
    ("Returns", "The value of returned goods on the day of processing, shown negative."),
    *((TITLES[key], MEANINGS[key]) for key in TITLES),
    REPEATS["repeat"],
    REPEATS["back"],
    (
        "Day",
        "A calendar day in the shop's own time zone, with its changes of clock.",
    ),
    (
        "Currency",
        "Amounts are in the shop's currency, as Shopify converted them on the day. Different "
        "currencies are never added up.",
    ),
    (
        "Counts match Shopify",
        "After each part is read, the number of stored records is held against the number the "
        "shop itself states.",
    ),
)
