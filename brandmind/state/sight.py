"""What a person may see of a store by Shopify's own permissions, and the words for the rest."""

from __future__ import annotations

from dataclasses import dataclass

from brandmind.services.sessions import StoreRef


@dataclass(frozen=True, slots=True)
class Sight:
    """What a person may see of a store, by Shopify's own permissions."""

    orders: bool = True
    products: bool = True
    customers: bool = True


def sight_of(store: StoreRef) -> Sight:
    """What the person may see of that store."""
    return Sight(
        orders=store.may_orders, products=store.may_products, customers=store.may_customers
    )


def closed(*what: str) -> str:
    """The sentence where something is not for this person: `what` as in "orders"."""
    either = " or ".join([", ".join(what[:-1]), what[-1]] if len(what) > 1 else what)
    return f"Your Shopify account may not see {either}."
