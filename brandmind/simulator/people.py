"""Who buys: customers drawn one by one from the seed, whenever they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from brandmind.simulator.words import FIRST_NAMES, LAST_NAMES, PLACES, Place

CUSTOMER_BASE = 7_200_000_000_000
CUSTOMER_STEP = 32_768
ADDRESS_BASE = 9_300_000_000_000

_PLACE_WEIGHTS = [place.weight for place in PLACES]


@dataclass(slots=True)
class Person:
    """A customer's own facts; what they bought is the order book's to say."""

    index: int
    shopify_id: int
    first_name: str | None
    last_name: str | None
    email: str | None
    phone: str | None
    place: Place
    city: str
    state: str
    subscribed: bool
    verified: bool
    tags: list[str]
    locale: str

    @property
    def display_name(self) -> str:
        """The name, or what stands in for it."""
        name = " ".join(part for part in (self.first_name, self.last_name) if part)
        return name or self.email or self.phone or ""


def place_for(rng: Random) -> Place:
    """A place with the weight it has among all."""
    return rng.choices(PLACES, _PLACE_WEIGHTS)[0]


def person(seed: int, index: int) -> Person:
    """The customer with that index; the same for ever for the same seed."""
    rng = Random(seed * 104_729 + index * 61 + 17)  # noqa: S311
    first = FIRST_NAMES[rng.randrange(len(FIRST_NAMES))]
    last = LAST_NAMES[rng.randrange(len(LAST_NAMES))]
    place = place_for(rng)
    dice = rng.random()
    nameless = dice > 0.975
    return Person(
        index=index,
        shopify_id=CUSTOMER_BASE + index * CUSTOMER_STEP,
        first_name=None if nameless else first,
        last_name=None if nameless or dice < 0.02 else last,
        email=None if rng.random() < 0.03 else f"shopper{index + 1}@example.com",
        phone=f"+1555{index % 10_000_000:07d}" if rng.random() < 0.3 else None,
        place=place,
        city=place.cities[rng.randrange(len(place.cities))],
        state="ENABLED" if rng.random() < 0.35 else "DISABLED",
        subscribed=rng.random() < 0.55,
        verified=rng.random() < 0.9,
        tags=["wholesale"] if rng.random() < 0.01 else ["newsletter"] if dice < 0.3 else [],
        locale="ja" if place.country == "JP" else "de" if place.country == "DE" else "en",
    )
