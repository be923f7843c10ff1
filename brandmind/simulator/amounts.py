"""Money on its way out: integer minor units become the decimal texts Shopify sends."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

EXPONENTS = {"JPY": 0, "KWD": 3}

# Units of the currency for one US dollar: fixed, so that a seed gives the same books for ever.
DOLLAR_RATES = {
    "USD": 1.0,
    "CAD": 1.37,
    "GBP": 0.78,
    "EUR": 0.92,
    "AUD": 1.52,
    "JPY": 150.0,
    "KWD": 0.307,
    "SEK": 10.4,
}


class Money(NamedTuple):
    """MoneyV2 before it is written."""

    minor: int
    currency: str


class Bag(NamedTuple):
    """MoneyBag before it is written: the shop's side and the customer's side."""

    shop: int
    presentment: int
    shop_currency: str
    presentment_currency: str


def exponent(currency: str) -> int:
    """How many decimals the currency has."""
    return EXPONENTS.get(currency, 2)


@lru_cache(maxsize=65536)
def decimal_text(minor: int, currency: str) -> str:
    """A `Decimal` as Shopify writes it: no trailing zeros but always one decimal ("45.0")."""
    text = price_text(minor, currency)
    if "." not in text:
        return text + ".0"
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}"


def price_text(minor: int, currency: str) -> str:
    """A `Money` scalar: all the decimals of the currency ("45.00", "4500")."""
    places = exponent(currency)
    if places == 0:
        return str(minor)
    sign = "-" if minor < 0 else ""
    digits = str(abs(minor)).rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}"


def conversion(source: str, target: str) -> float:
    """Minor units of `target` for one minor unit of `source`."""
    rate = DOLLAR_RATES[target] / DOLLAR_RATES[source]
    return float(rate * 10.0 ** (exponent(target) - exponent(source)))


def converted(minor: int, factor: float) -> int:
    """`minor` in the other currency, rounded half up; exact when the factor is one."""
    return minor if factor == 1.0 else int(minor * factor + 0.5)
