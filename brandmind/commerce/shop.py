"""What a shop is: its domain, its scopes and the facts it states about itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from brandmind.errors import InvalidInput

READ_SCOPES: Final = ("read_products", "read_orders", "read_customers")

# Shopify's documented pattern, anchored by us: the documentation leaves the end open.
_DOMAIN = re.compile(r"[a-z0-9][a-z0-9-]{0,98}\.myshopify\.com")
_ADMIN_PATH = re.compile(r"/store/([a-z0-9][a-z0-9-]*)(?:/|$)")
_BARE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,98}")

NOT_AN_ADDRESS: Final = "That does not look like a Shopify address. It ends with .myshopify.com."


def is_shop_domain(text: str) -> bool:
    """Whether the text is exactly a canonical (lower-case) myshopify.com domain."""
    return _DOMAIN.fullmatch(text) is not None


def normalise_shop_domain(text: str) -> str:
    """The myshopify.com domain meant by what a merchant typed or pasted.

    Takes a domain, a bare name, a storefront or admin URL, and admin.shopify.com/store/name.
    Raises InvalidInput (field "shop") for everything else.
    """
    raw = text.strip().lower()
    if is_shop_domain(raw):
        return raw
    if _BARE_NAME.fullmatch(raw):
        return f"{raw}.myshopify.com"
    try:
        parts = urlsplit(raw if "://" in raw else f"https://{raw}")
        host = parts.hostname or ""
        plain = parts.username is None and parts.port in (None, 443)
    except ValueError:
        plain = False
    if plain:
        if is_shop_domain(host):
            return host
        found = _ADMIN_PATH.match(parts.path) if host == "admin.shopify.com" else None
        if found:
            return f"{found.group(1)}.myshopify.com"
    raise InvalidInput(NOT_AN_ADDRESS, field="shop")


@lru_cache(maxsize=512)
def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name; UTC where the name is unknown to this machine."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def local_day(at: datetime, tz: ZoneInfo) -> str:
    """The calendar day (YYYY-MM-DD) of a moment in the shop's own zone."""
    try:
        return at.astimezone(tz).date().isoformat()
    except OverflowError:
        # An imported order may be of the first day there is; west of Greenwich that has no date.
        return at.date().isoformat()


def granted(scopes: frozenset[str] | set[str], scope: str) -> bool:
    """Whether a scope is granted; a write scope implies its read scope (Shopify)."""
    return scope in scopes or (
        scope.startswith("read_") and f"write_{scope.removeprefix('read_')}" in scopes
    )


@dataclass(frozen=True, slots=True)
class ShopFacts:
    """What a shop says of itself. `answered_at` is the shop's own Date header."""

    shopify_id: int
    domain: str
    name: str
    currency: str
    timezone: str
    country_code: str | None
    plan: str
    taxes_included: bool
    created_at: datetime
    scopes: frozenset[str]
    answered_at: datetime
