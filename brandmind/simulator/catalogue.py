"""What a brand sells: products with variants, planted with a hero, gift card and giants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, product
from random import Random

from brandmind.simulator.amounts import conversion
from brandmind.simulator.config import ShopConfig
from brandmind.simulator.moments import DAY_S
from brandmind.simulator.words import QUALITIES, THEMES, Theme

PRODUCT_BASE = 8_100_000_000_000
VARIANT_BASE = 44_000_000_000_000
INVENTORY_BASE = 46_000_000_000_000
PRODUCT_STEP = 32_768
VARIANTS_PER_PRODUCT = 2_048

HERO_SHARE = 0.24
HERO, GIFT_CARD, GIANT = 0, 1, 2
GIANT_FROM = 50


@dataclass(slots=True)
class Variant:
    """One thing with a price (minor units of the shop's currency)."""

    shopify_id: int
    title: str
    options: tuple[tuple[str, str], ...]
    sku: str | None
    barcode: str | None
    price: int
    compare_at: int | None
    unit_cost: int | None
    stock: int
    position: int


@dataclass(slots=True)
class Product:
    """A product. Moments are epoch seconds, `published_at` 0 when it never was."""

    index: int
    shopify_id: int
    title: str
    handle: str
    status: str
    vendor: str
    product_type: str
    category: tuple[str, str] | None
    tags: list[str]
    created_at: int
    updated_at: int
    published_at: int
    is_gift_card: bool
    tracked: bool
    description: str
    variants: list[Variant]


class Catalogue:
    """All products of a shop, and the odds with which an order picks each."""

    def __init__(self, config: ShopConfig, *, theme_seed: int) -> None:
        self._config = config
        self._scale = conversion("USD", config.currency)
        self.theme = THEMES[theme_seed % len(THEMES)]
        self._seed = theme_seed
        self.products = [self._product(index) for index in range(config.products)]
        # Lines of products that were deleted since: an order still knows title and SKU.
        retired = max(1, config.products // 20) if config.products else 0
        self.retired = [self._product(10_000_000 + index) for index in range(retired)]
        self._weigh()

    def amount(self, cents: int) -> int:
        """A price thought of in US cents, as this shop would mark it."""
        scaled = int(cents * self._scale + 0.5)
        return scaled - scaled % 10 if self._config.currency == "JPY" else scaled

    def add(self, at: int) -> Product:
        """One more product, made at that moment; no order has it."""
        found = self._product(len(self.products))
        found.created_at = found.updated_at = at
        found.published_at = at if found.published_at else 0
        self.products.append(found)
        return found

    def by_id(self, shopify_id: int) -> Product | None:
        """The product with that id."""
        index, rest = divmod(shopify_id - PRODUCT_BASE, PRODUCT_STEP)
        return self.products[index] if rest == 0 and 0 <= index < len(self.products) else None

    def variant_by_id(self, shopify_id: int) -> tuple[Product, Variant] | None:
        """The variant with that id and its product."""
        index, position = divmod(shopify_id - VARIANT_BASE, VARIANTS_PER_PRODUCT)
        if not 0 <= index < len(self.products):
            return None
        found = self.products[index]
        return (found, found.variants[position]) if position < len(found.variants) else None

    def pick(self, rng: Random, at: int) -> Product | None:
        """A product somebody buys at that moment; None while the shop sells nothing."""
        if not self._sellable:
            return None
        if rng.random() < self._hero_odds:
            return self._sellable[0]
        for _ in range(3):
            found = self._sellable[self._rank(rng.random())]
            if found.published_at <= at:
                return found
        return rng.choice(self._always)

    def gift_card(self) -> Product | None:
        """The gift card, where the range has one."""
        return self.products[GIFT_CARD] if len(self.products) > GIFT_CARD else None

    def _rank(self, dice: float) -> int:
        low, high = 0, len(self._odds) - 1
        while low < high:
            middle = (low + high) // 2
            if self._odds[middle] < dice:
                low = middle + 1
            else:
                high = middle
        return low

    def _weigh(self) -> None:
        self._sellable = [
            one
            for one in self.products
            if not one.is_gift_card and one.published_at and one.status != "DRAFT"
        ]
        oldest = self._config.as_of - 920 * DAY_S
        old = [one for one in self._sellable[1:] if one.published_at <= oldest]
        self._always = old or self._sellable[:1]
        weights = [1.0 / (rank + 6.0) for rank in range(1, len(self._sellable))] or [1.0]
        whole = sum(weights)
        self._odds = [0.0, *accumulate(weight / whole for weight in weights)]
        if len(self._sellable) < 2:
            self._hero_odds = 1.0
            return
        others = sum(
            weight / whole * _middle_price(one.variants)
            for weight, one in zip(weights, self._sellable[1:], strict=True)
        )
        hero = _middle_price(self._sellable[0].variants)
        # Odds of a line that make the hero's share of the money, not of the units.
        self._hero_odds = HERO_SHARE * others / (hero * (1 - HERO_SHARE) + HERO_SHARE * others)

    def _product(self, index: int) -> Product:
        config, theme = self._config, self.theme
        rng = Random(self._seed * 7_919 + index * 31 + 5)  # noqa: S311
        noun, cents, shelf = theme.nouns[index % len(theme.nouns)]
        quality = QUALITIES[(index * 7 + self._seed) % len(QUALITIES)]
        serial = index // (len(theme.nouns) * len(QUALITIES) // 2)
        title = f"{quality} {noun}" + (f" No. {serial + 1}" if serial and index < 10**7 else "")
        gift = index == GIFT_CARD
        giant = index == GIANT and config.products >= GIANT_FROM
        if index == HERO:
            title, cents = theme.hero, max(cents, 5600)
        elif gift:
            title, cents = "Gift Card", 2500
        elif giant:
            title = f"Made-to-measure {noun}"
        cents = int(cents * (0.8 + 0.5 * rng.random()) // 100 * 100) if not gift else cents
        age_days = 930 if index < 3 or rng.random() < 0.6 else rng.randrange(5, 900)
        created = config.as_of - age_days * DAY_S - rng.randrange(DAY_S)
        dice = rng.random()
        status = "ACTIVE"
        if index > 2 and dice > 0.92:
            status = "DRAFT" if dice > 0.97 else "ARCHIVED" if dice > 0.94 else "UNLISTED"
        shopify_id = PRODUCT_BASE + index * PRODUCT_STEP
        # A third of the range was edited in one go: one second, many rows.
        tie = config.as_of - 9 * DAY_S
        updated = tie if index % 3 == 0 else created + rng.randrange(config.as_of - created)
        category = None if index % 11 == 10 else theme.categories[shelf]
        variants = self._variants(index, rng, cents, gift=gift, giant=giant)
        handle = "-".join(title.lower().replace("&", "and").replace(".", "").split())
        return Product(
            index=index,
            shopify_id=shopify_id,
            title=title,
            handle=f"{handle}-{index}" if index > 2 else handle,
            status=status,
            vendor=theme.makers[index % len(theme.makers)],
            product_type=noun.split()[-1],
            category=category,
            tags=sorted({quality.lower(), theme.key, *(("bestseller",) if index < 4 else ())}),
            created_at=created,
            updated_at=max(updated, created),
            published_at=0 if status == "DRAFT" else min(created + 3_600, config.as_of),
            is_gift_card=gift,
            tracked=not gift,
            description=f"<p>{title}, made in small runs. We keep &amp; mend what we sell.</p>",
            variants=variants,
        )

    def _variants(
        self, index: int, rng: Random, cents: int, *, gift: bool, giant: bool
    ) -> list[Variant]:
        if gift:
            choices: Sequence[tuple[str, ...]] = [("25",), ("50",), ("100",)]
            names: tuple[str, ...] = ("Denominations",)
        elif giant:
            names = ("Width", "Height")
            choices = [(str(w), str(h)) for w in range(20, 38) for h in range(20, 36)]
        else:
            names, choices = _choices(self.theme, rng)
        variants = []
        for position, values in enumerate(choices):
            stepped = cents + (position % 3) * (cents // 10 // 100 * 100) if not gift else cents
            if gift:
                stepped = int(values[0]) * 100
            price = self.amount(stepped)
            bare = rng.random() < 0.03
            variants.append(
                Variant(
                    shopify_id=VARIANT_BASE + index * VARIANTS_PER_PRODUCT + position,
                    title=" / ".join(values) if values else "Default Title",
                    options=tuple(zip(names, values, strict=True)) or (("Title", "Default Title"),),
                    sku=None
                    if bare
                    else f"{self.theme.key[:2].upper()}-{index:04d}-{position:02d}",
                    barcode=f"20{index:07d}{position:04d}" if position % 2 == 0 else None,
                    price=price,
                    compare_at=self.amount(stepped * 5 // 4) if index % 9 == 4 else None,
                    unit_cost=None if gift or index % 6 == 5 else price * 2 // 5,
                    stock=0 if gift else rng.choice((0, 3, 12, 25, 40, 80, 140, -1)),
                    position=position + 1,
                )
            )
        return variants


def _choices(theme: Theme, rng: Random) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    dice = rng.random()
    if dice < 0.35:
        return (), [()]
    if dice < 0.8:
        name, values = theme.options[0]
        return (name,), [(value,) for value in values]
    names = tuple(name for name, _ in theme.options)
    return names, list(product(*(values for _, values in theme.options)))


def _middle_price(variants: Sequence[Variant]) -> float:
    return sum(variant.price for variant in variants) / len(variants)
