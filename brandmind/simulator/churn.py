"""A shop that does not stand still: before each answer, something may have changed.

The n-th request of a seed meets the same changes in every run, whenever it comes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from brandmind.simulator.brand import Brand
from brandmind.simulator.changes import EDITS, Changes
from brandmind.simulator.nodes import gid
from brandmind.simulator.orderbook import GUEST
from brandmind.simulator.people import CUSTOMER_BASE, CUSTOMER_STEP

ACTS = ("create", "update", "edit", "delete", "merge")


class NotLikeThat(ValueError):
    """A setting that churn does not have."""


@dataclass(slots=True)
class Churn:
    """Rates are changes a request, fractions are chances; it ends after `requests` requests."""

    seed: int = 1
    create: float = 0.0
    update: float = 0.0
    edit: float = 0.0
    delete: float = 0.0
    merge: float = 0.0
    resources: tuple[str, ...] = ("orders", "products", "customers")
    requests: int | None = None
    at: int | None = None
    seen: int = 0
    done: dict[str, list[str]] = field(default_factory=dict)

    def step(self, brand: Brand, changes: Changes, clock: Callable[[], float] = time.time) -> None:
        """What happens before the next answer."""
        if self.requests is not None and self.seen >= self.requests:
            return
        self.seen += 1
        rng = Random(self.seed * 1_000_003 + self.seen)  # noqa: S311
        at = int(clock()) if self.at is None else self.at + self.seen
        happened = False
        for act in ACTS:
            rate = getattr(self, act)
            for _ in range(int(rate) + (rng.random() < rate % 1)):
                found = self._act(act, brand, changes, rng, at)
                self.done.setdefault(act, []).extend(found)
                happened = happened or bool(found)
        if happened:
            brand.changed()

    def shown(self) -> dict[str, Any]:
        """The settings, how many requests it met, and the global ids it changed."""
        rates = {act: getattr(self, act) for act in ACTS}
        return {
            "seed": self.seed,
            **rates,
            "resources": list(self.resources),
            "requests": self.requests,
            "at": self.at,
            "seen": self.seen,
            "done": self.done,
        }

    def _act(self, act: str, brand: Brand, changes: Changes, rng: Random, at: int) -> list[str]:
        resource = rng.choice(self.resources)
        match act:
            case "create" if resource == "orders":
                return [changes.order(at)]
            case "create":
                made = changes.product(at) if resource == "products" else changes.customer(at)
                return [made]
            case "edit":
                text = _any(brand, "orders", rng)
                how = rng.choice(sorted(EDITS))
                return [text] if text and changes.edit(text, at, how=how) else []
            case "merge":
                keep, gone = (_any(brand, "customers", rng) for _ in range(2))
                merged = keep and gone and changes.merge(keep, gone, at)
                return [gone, keep] if merged and keep and gone else []
            case _:
                text = _any(brand, resource, rng)
                if text is None:
                    return []
                done = changes.touch(text, at) if act == "update" else changes.remove(text)
                return [text] if done else []


def read_churn(settings: dict[str, Any]) -> Churn:
    """Churn from JSON; raises NotLikeThat with a sentence."""
    known = {"seed", *ACTS, "resources", "requests", "at"}
    if unknown := set(settings) - known:
        raise NotLikeThat(f"Churn has no {', '.join(sorted(unknown))}.")
    resources = tuple(settings.get("resources", ("orders", "products", "customers")))
    if not resources or set(resources) - {"orders", "products", "customers"}:
        raise NotLikeThat("resources are some of orders, products, customers.")
    return Churn(**(settings | {"resources": resources}))


def _any(brand: Brand, resource: str, rng: Random) -> str | None:
    """A row that is still there; None if ten tries found only gaps."""
    for _ in range(10):
        match resource:
            case "orders":
                row = rng.randrange(len(brand.book)) if len(brand.book) else GUEST
                if row not in brand.book.deleted and row != GUEST:
                    return brand.order_gid(row)
            case "products":
                held = brand.catalogue.products
                row = rng.randrange(len(held)) if held else GUEST
                if row not in brand.gone_products and row != GUEST:
                    return gid("Product", held[row].shopify_id)
            case _:
                row = rng.randrange(brand.customers) if brand.customers else GUEST
                if row not in brand.gone_customers and row != GUEST:
                    return gid("Customer", CUSTOMER_BASE + row * CUSTOMER_STEP)
    return None
