"""Money as integer minor units of a currency."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache

# ISO 4217 exponents that are not 2.
_ZERO = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split())
_THREE = frozenset("BHD IQD JOD KWD LYD OMR TND".split())


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
