"""Deliveries as Shopify sends them: headers, signature and a body in its REST shape."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
from typing import Any

from tests.identity_world import APP_SECRET, HARBOR

PATH = "/webhooks/shopify"
_NUMBERS = itertools.count(1)


def sign(raw: bytes, secret: str = APP_SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha256).digest()).decode()


def headers(
    raw: bytes,
    topic: str,
    *,
    shop: str = HARBOR,
    secret: str = APP_SECRET,
    webhook_id: str | None = None,
    triggered_at: str = "2026-11-20T12:00:00.877041743Z",
) -> dict[str, str]:
    """The headers of a delivery."""
    return {
        "X-Shopify-Topic": topic,
        "X-Shopify-Hmac-Sha256": sign(raw, secret),
        "X-Shopify-Shop-Domain": shop,
        "X-Shopify-API-Version": "2026-10",
        "X-Shopify-Webhook-Id": webhook_id or f"00000000-0000-4000-8000-{next(_NUMBERS):012d}",
        "X-Shopify-Event-Id": "98880550-7158-44d4-b7cd-2c97c8a091b5",
        "X-Shopify-Triggered-At": triggered_at,
        "Content-Type": "application/json",
    }


def body(value: Any) -> bytes:
    """JSON as Shopify writes it: slashes and ampersands escaped."""
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("/", "\\/").replace("&", "\\u0026").encode()
