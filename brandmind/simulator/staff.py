"""Who works at a shop: the owner, a colleague, and one who may not see orders."""

from __future__ import annotations

import hashlib
from typing import Any

from brandmind.simulator.words import brand_name

USERS = ("owner", "staff", "limited", "none")


class NoSuchUser(ValueError):
    """Nobody of that name works here."""


def staff_user(shop: str, key: str) -> dict[str, Any]:
    """`associated_user` of the person: the same for the same shop."""
    if key not in USERS or key == "none":
        raise NoSuchUser(f"There is no user {key!r}. Known: {', '.join(USERS)}.")
    number = int.from_bytes(hashlib.sha256(f"{shop}/{key}".encode()).digest()[:4], "big")
    first, last = {
        "owner": ("Robin", "Harbor"),
        "staff": ("Sam", "Okafor"),
        "limited": ("Lee", "Brandt"),
    }[key]
    return {
        "id": 70_000_000_000 + number,
        "first_name": first,
        "last_name": last,
        "email": f"{first.lower()}@{shop.split('.')[0]}.example.com",
        "email_verified": True,
        "account_owner": key == "owner",
        "locale": "en",
        "collaborator": False,
    }


def allowed_scopes(key: str, scopes: frozenset[str]) -> frozenset[str]:
    """The part of the app's scopes that the person may use."""
    if key != "limited":
        return scopes
    return frozenset(one for one in scopes if not one.endswith("_orders"))


def greeting(shop: str, key: str) -> str:
    """How the person is shown on a page."""
    user = staff_user(shop, key)
    role = "owner" if user["account_owner"] else "staff"
    return f"{user['first_name']} {user['last_name']}, {role} of {brand_name(shop)}"
