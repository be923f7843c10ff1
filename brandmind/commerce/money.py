"""Money as integer minor units of a currency, and how it is written for people."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import Final

MINUS: Final = "−"

# ISO 4217 exponents that are not 2.
_ZERO = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split())
_THREE = frozenset("BHD IQD JOD KWD LYD OMR TND".split())
# No two currencies share a sign here: whoever has none of its own is written by its code.
_SYMBOLS: Final = {
    "USD": "$",
    "EUR": "€",
    "GBP": "£",
    "JPY": "¥",
    "CAD": "CA$",
    "AUD": "A$",
    "NZD": "NZ$",
    "INR": "₹",
    "KRW": "₩",
    "ILS": "₪",
}


@lru_cache(maxsize=256)
def exponent(currency: str) -> int:
    """How many decimals a currency has: 0 for JPY, 3 for KWD, else 2 (ISO 4217)."""
    if currency in _ZERO:
        return 0
    return 3 if currency in _THREE else 2


def to_minor(amount: str, exp: int) -> int:
    """A decimal string such as "12.5" in minor units: 1250 at exponent 2.

    Shopify's scale is not fixed ("0.0", "12.5", "10.00"), and unit prices may carry more digits
    than the currency has: those are rounded half up. Raises ValueError if it is no number.
    """
    whole, _dot, fraction = amount.partition(".")
    if len(fraction) <= exp:
        # By far the most frequent case; int() on the joined digits is exact and quick.
        return int(whole + fraction.ljust(exp, "0"))
    if not fraction[exp:].strip("0"):
        return int(whole + fraction[:exp])
    try:
        scaled = Decimal(amount).scaleb(exp)
        return int(scaled.to_integral_value(rounding=ROUND_HALF_UP))
    except InvalidOperation as error:
        raise ValueError(f"not an amount: {amount!r}") from error


def to_decimal(minor: int, currency: str) -> Decimal:
    """Minor units as a Decimal of the currency's scale."""
    return Decimal(minor).scaleb(-exponent(currency))


def symbol(currency: str) -> str:
    """What stands before an amount: "$", or "KWD " of a currency without a sign of its own."""
    return _SYMBOLS.get(currency, f"{currency} ")


def shown(minor: int, currency: str, *, whole: bool = False) -> str:
    """An amount of minor units: "$56.10", or "$56" where `whole` drops the small change."""
    amount = to_decimal(minor, currency)
    decimals = exponent(currency)
    if whole:
        amount, decimals = amount.quantize(Decimal(1), rounding=ROUND_HALF_UP), 0
    sign = MINUS if amount < 0 else ""
    return f"{sign}{symbol(currency)}{abs(amount):,.{decimals}f}"


def headline(minor: int, currency: str) -> str:
    """An amount for a big figure or a sentence: small change only below a thousand."""
    return shown(minor, currency, whole=abs(to_decimal(minor, currency)) >= 1000)
