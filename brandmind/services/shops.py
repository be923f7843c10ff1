"""A store's shop as the acts beside a sync ask it: with its tokens, within its one rate budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brandmind.services import tokens
from brandmind.shopify.client import ShopifyClient
from brandmind.shopify.source import ShopifySource

if TYPE_CHECKING:
    from brandmind.runtime import Runtime


def client(rt: Runtime, store_id: str, *, domain: str) -> ShopifyClient:
    """Asks the shop of a store."""
    return ShopifyClient(
        rt.http,
        origin=rt.settings.shopify_origin,
        domain=domain,
        token=tokens.StoreToken(rt, store_id),
        pacer=rt.pacers.of(store_id),
    )


def source(rt: Runtime, store_id: str, *, domain: str, currency: str | None) -> ShopifySource:
    """Reads the shop of a store."""
    return ShopifySource(client(rt, store_id, domain=domain), currency=currency)
