"""Amounts in the portrait's sentences."""

from __future__ import annotations

import pytest

from brandmind.dna import words
from brandmind.state import wording


@pytest.mark.parametrize(
    ("minor", "currency", "said"),
    [
        (2565700, "USD", "$25,657"),
        (2565750, "USD", "$25,658"),
        (-2565750, "USD", "−$25,658"),
        (5610, "USD", "$56.10"),
        (99_999, "EUR", "€999.99"),
        (123450, "CAD", "CA$1,235"),
        (5610, "AUD", "A$56.10"),
        (1200, "JPY", "¥1,200"),
        (5610, "CNY", "CNY 56.10"),
        (12345, "KWD", "KWD 12.345"),
        (-1250, "CHF", "−CHF 12.50"),
        (0, "GBP", "£0.00"),
    ],
)
def test_the_portrait_writes_an_amount_as_a_card_does(minor: int, currency: str, said: str) -> None:
    assert words.money(minor, currency) == said
    assert wording.headline_money(minor, currency) == said
