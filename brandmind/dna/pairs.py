"""What is bought together more often than chance would have it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from typing import Final

from brandmind.dna.measure import fisher_tail

LEAST_TOGETHER: Final = 5
LEAST_ORDERS: Final = 200
LEAST_LIFT: Final = 1.5
MOST_CHANCE: Final = 0.01
# Pairs of what hardly sells cannot be told from chance, and there are very many of them.
MOST_PRODUCTS: Final = 200


@dataclass(frozen=True, slots=True)
class Rule:
    """Orders with `items` that also hold `then`: how many, how often, how much above chance.

    `together` orders hold all, `having` the items, `also` the other one, of `orders`.
    `p` is Fisher's exact test, one-sided.
    """

    items: tuple[int, ...]
    then: int
    together: int
    having: int
    also: int
    orders: int
    p: float

    @property
    def support(self) -> float:
        """The share of all orders that hold all of them."""
        return self.together / self.orders

    @property
    def confidence(self) -> float:
        """The share of orders with the items that hold the other one too."""
        return self.together / self.having

    @property
    def lift(self) -> float:
        """How many times more often than if they had nothing to do with each other."""
        return self.together * self.orders / (self.having * self.also)


def pairs(baskets: Iterable[Sequence[int]]) -> list[Rule]:
    """Pairs of products that meet more often than chance, by lift, each once.

    A basket holds the products of an order; those with a single one count as well, for they tell
    how often chance would have it.
    """
    kept = [sorted(set(basket)) if len(basket) > 1 else basket for basket in baskets]
    total = len(kept)
    if total < LEAST_ORDERS:
        return []
    singles = Counter(chain.from_iterable(kept))
    often = _often(singles)
    together = Counter(
        chain.from_iterable(
            combinations([one for one in basket if one in often], 2)
            for basket in kept
            if len(basket) > 1
        )
    )
    found = [
        rule
        for (a, b), both in together.items()
        if both >= LEAST_TOGETHER
        and (rule := _rule((a,), b, both, singles[a], singles[b], total)) is not None
    ]
    return sorted(found, key=lambda rule: (-rule.lift, rule.items, rule.then))


def _often(singles: Counter[int]) -> set[int]:
    ranked = sorted(singles.items(), key=lambda e: (-e[1], e[0]))
    return {product for product, count in ranked[:MOST_PRODUCTS] if count >= LEAST_TOGETHER}


def _rule(
    items: tuple[int, ...], then: int, together: int, having: int, also: int, total: int
) -> Rule | None:
    rule = Rule(items, then, together, having, also, total, 1.0)
    if rule.lift < LEAST_LIFT:
        return None
    p = fisher_tail(together, having, also, total)
    return Rule(items, then, together, having, also, total, p) if p < MOST_CHANCE else None
