"""Shopify's authorization-code flow: where to send a merchant, and what comes back signed."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode

from brandmind.shopify.client import shop_origin

# Shopify's own libraries allow this much between its clock and ours, either way.
FRESH_FOR_S: Final = 90

_UNSIGNED = frozenset({"hmac", "signature"})


def authorize_url(
    *,
    origin: str,
    domain: str,
    client_id: str,
    scopes: Iterable[str],
    redirect_uri: str,
    state: str,
    per_user: bool = False,
) -> str:
    """Where a merchant agrees to the app. `per_user` asks for an online grant, which tells who
    the person is; without it the grant is offline, for the shop."""
    asked = {
        "client_id": client_id,
        "scope": ",".join(scopes),
        "redirect_uri": redirect_uri,
        "state": state,
    }
    if per_user:
        asked["grant_options[]"] = "per-user"
    return (
        f"{shop_origin(origin, domain)}/admin/oauth/authorize?{urlencode(asked, quote_via=quote)}"
    )


def verify_query_hmac(query: str | Iterable[tuple[str, str]], secrets: Sequence[str]) -> bool:
    """Whether Shopify signed this query (raw, without "?", or its decoded pairs in their order).

    Hex HMAC-SHA256 of the other parameters, sorted by key, `ids[]=2&ids[]=1` as `ids=["2", "1"]`.
    Any of the secrets may have signed it, so that a rotation breaks nobody's log-in. A parameter
    given twice is refused: whoever reads it could be shown the other one.
    """
    pairs = parse_qsl(query, keep_blank_values=True) if isinstance(query, str) else list(query)
    given = ""
    plain: dict[str, str] = {}
    lists: dict[str, list[str]] = {}
    for key, value in pairs:
        if key == "hmac":
            if given:
                return False
            given = value
        elif key.endswith("[]"):
            lists.setdefault(key[:-2], []).append(value)
        elif key in plain:
            return False
        elif key not in _UNSIGNED:
            plain[key] = value
    if not given or plain.keys() & lists.keys():
        return False
    for key, values in lists.items():
        plain[key] = "[" + ", ".join(f'"{value}"' for value in values) + "]"
    ordered = sorted(plain.items())
    # Shopify's libraries escape differently; both forms decode to the same parameters, so taking
    # either opens nothing.
    messages = (
        "&".join(
            f"{_escaped(key).replace('=', '%3D')}={_escaped(value)}" for key, value in ordered
        ),
        "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in ordered),
    )
    return any(
        hmac.compare_digest(_mac(message.encode(), secret).hex().encode(), given.lower().encode())
        for secret in secrets
        if secret
        for message in messages
    )


def verify_webhook_hmac(raw: bytes, header: str | None, secrets: Sequence[str]) -> bool:
    """Whether Shopify signed these raw body bytes: base64 HMAC-SHA256 in X-Shopify-Hmac-Sha256.

    An empty body or header is never valid.
    """
    if not raw or not header:
        return False
    return any(
        hmac.compare_digest(base64.b64encode(_mac(raw, secret)), header.strip().encode())
        for secret in secrets
        if secret
    )


def fresh(timestamp: str | None, now: datetime) -> bool:
    """Whether a signed Unix timestamp lies within 90 s of now, before or after."""
    if not timestamp or not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        return False
    return abs((now - datetime.fromtimestamp(int(timestamp), UTC)).total_seconds()) <= FRESH_FOR_S


def _mac(message: bytes, secret: str) -> bytes:
    return hmac.digest(secret.encode(), message, "sha256")


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("&", "%26")
