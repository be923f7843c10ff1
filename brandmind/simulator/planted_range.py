"""What a shop with planted truths sells, and what those truths are."""

from __future__ import annotations

from random import Random
from typing import Any

from brandmind.simulator.catalogue import HERO, Catalogue, Product
from brandmind.simulator.planting import Plant


class PlantedRange:
    """What a planted shop sells: the hero, the pair, and others that are all alike."""

    def __init__(self, plant: Plant, catalogue: Catalogue, *, since: int) -> None:
        self.plant = plant
        pool = [
            one
            for one in catalogue.products
            if not one.is_gift_card
            and one.status == "ACTIVE"
            and 0 < one.published_at <= since
            and one.index != HERO
        ]
        # The pair is cheap, so that the hero stays the hero.
        pool.sort(key=_price)
        self.hero = catalogue.products[HERO]
        self.pair = pool[:2]
        self.others = pool[2:]
        if len(self.others) < 3:
            raise ValueError("a planted shop needs some forty products")

    def basket(self, rng: Random) -> list[Product]:
        """What an order holds."""
        if rng.random() < self.plant.pair:
            return list(self.pair)
        return [self.hero if rng.random() < self.plant.hero else rng.choice(self.others)]

    def shares(self) -> dict[int, float]:
        """The share of the money that each product brings, by its index, in the long run."""
        alone = 1 - self.plant.pair
        worth = {one.index: self.plant.pair * _price(one) for one in self.pair}
        worth[self.hero.index] = alone * self.plant.hero * _price(self.hero)
        for one in self.others:
            worth[one.index] = alone * (1 - self.plant.hero) / len(self.others) * _price(one)
        whole = sum(worth.values())
        return {index: brought / whole for index, brought in worth.items()}

    def told(self) -> dict[str, Any]:
        """What was planted, for the truth route: ids and shares."""
        shares = self.shares()
        return {
            **self.plant._asdict(),
            "hero_id": self.hero.shopify_id,
            "hero_share": shares[self.hero.index],
            "pair_ids": [one.shopify_id for one in self.pair],
            "effective_products": 1 / sum(share * share for share in shares.values()),
            "products": len(shares),
        }


def _price(product: Product) -> float:
    return sum(variant.price for variant in product.variants) / len(product.variants)
