"""Shopify's webhooks: what a delivery must look like, what it says, and which ones we ask for."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import orjson

from brandmind.commerce.shop import granted, is_shop_domain
from brandmind.sync.deliveries import Act, Delivery
from brandmind.sync.stages import Stage

PATH: Final = "/webhooks/shopify"
# Of what we subscribe to only these fields are sent: no name and no address travels at all.
_FIELDS: Final = ("id",)
_REFUND_FIELDS: Final = ("id", "order_id")
_MOST_ORDERS: Final = 10_000
_BIGGEST_ID: Final = 2**63 - 1

_HEADERS: Final = {
    b"x-shopify-hmac-sha256": "digest",
    b"x-shopify-topic": "topic",
    b"x-shopify-shop-domain": "domain",
    b"x-shopify-webhook-id": "webhook_id",
    b"x-shopify-triggered-at": "triggered_at",
}
_TOPIC: Final = re.compile(r"[a-z_]{1,60}/[a-z_]{1,60}")
_WEBHOOK_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")

_RECORDS: Final = {"orders": Stage.ORDERS, "products": Stage.PRODUCTS, "customers": Stage.CUSTOMERS}
_ACTS: Final = {
    "refunds/create": Act.REFETCH,
    "customers/merge": Act.MERGE,
    "app/uninstalled": Act.UNINSTALL,
    "app/scopes_update": Act.SCOPES,
    "bulk_operations/finish": Act.BULK,
    "customers/data_request": Act.DATA_REQUEST,
    "customers/redact": Act.REDACT_CUSTOMER,
    "shop/redact": Act.REDACT_SHOP,
    **{f"{name}/{verb}": Act.REFETCH for name in _RECORDS for verb in ("create", "update")},
    **{f"orders/{verb}": Act.REFETCH for verb in ("updated", "cancelled")},
    **{f"{name}/delete": Act.CONFIRM_GONE for name in _RECORDS},
}


class Heads(NamedTuple):
    """The headers of a delivery. They are not signed: a body may come under any of them."""

    digest: str
    topic: str
    domain: str
    webhook_id: str
    triggered_at: datetime | None


class Wanted(NamedTuple):
    """A subscription we ask for, by its name in the schema, and the scope it takes (or "")."""

    topic: str
    scope: str
    fields: tuple[str, ...] = ()


WANTED: Final = (
    Wanted("ORDERS_CREATE", "read_orders", _FIELDS),
    Wanted("ORDERS_UPDATED", "read_orders", _FIELDS),
    Wanted("ORDERS_DELETE", "read_orders", _FIELDS),
    Wanted("REFUNDS_CREATE", "read_orders", _REFUND_FIELDS),
    Wanted("PRODUCTS_CREATE", "read_products", _FIELDS),
    Wanted("PRODUCTS_UPDATE", "read_products", _FIELDS),
    Wanted("PRODUCTS_DELETE", "read_products", _FIELDS),
    Wanted("CUSTOMERS_CREATE", "read_customers", _FIELDS),
    Wanted("CUSTOMERS_UPDATE", "read_customers", _FIELDS),
    Wanted("CUSTOMERS_DELETE", "read_customers", _FIELDS),
    Wanted("CUSTOMERS_MERGE", "read_customer_merge"),
    Wanted("APP_UNINSTALLED", ""),
    Wanted("APP_SCOPES_UPDATE", ""),
    Wanted("BULK_OPERATIONS_FINISH", ""),
)


def wanted(scopes: frozenset[str] | set[str]) -> tuple[Wanted, ...]:
    """The subscriptions that a store with these scopes should have."""
    return tuple(one for one in WANTED if not one.scope or granted(scopes, one.scope))


def spoken(topic: str) -> str:
    """A topic of the schema as its deliveries name it: ORDERS_CREATE is orders/create.

    The last word is the verb, save where it takes two.
    """
    for pair in ("SCOPES_UPDATE",):
        if topic.endswith(pair):
            return f"{topic[: -len(pair) - 1]}/{pair}".lower()
    noun, _, verb = topic.rpartition("_")
    return f"{noun}/{verb}".lower()


def verify(raw: bytes, digest: str | None, secrets: Sequence[str]) -> bool:
    """Whether Shopify signed these raw body bytes: base64 HMAC-SHA256 in X-Shopify-Hmac-Sha256.

    Any of the secrets may have signed, for the hour in which an old one lives on; that the second
    is tried only after the first tells nobody but who signed which of them it was. An empty body or
    digest is never valid.
    """
    if not raw or not digest:
        return False
    given = digest.strip().encode()
    return any(
        hmac.compare_digest(base64.b64encode(hmac.digest(secret.encode(), raw, "sha256")), given)
        for secret in secrets
        if secret
    )


def read_heads(headers: Iterable[tuple[bytes, bytes]]) -> Heads | None:
    """The headers of a delivery (names in lower case, as ASGI gives them).

    None where one that is needed is missing, comes twice (whoever reads it could be shown the
    other one) or has no form that Shopify gives it.
    """
    found: dict[str, str] = {}
    for name, value in headers:
        key = _HEADERS.get(name)
        if key is None:
            continue
        if key in found or not value.isascii():
            return None
        found[key] = value.decode("ascii").strip()
    topic, webhook_id = found.get("topic", "").lower(), found.get("webhook_id", "")
    domain = found.get("domain", "").lower()
    if not found.get("digest") or not _TOPIC.fullmatch(topic):
        return None
    if not _WEBHOOK_ID.fullmatch(webhook_id) or not is_shop_domain(domain):
        return None
    return Heads(found["digest"], topic, domain, webhook_id, _moment(found.get("triggered_at")))


def reduced(heads: Heads, raw: bytes) -> Delivery | None:
    """What a delivery says, its body left behind; None for a topic that means nothing to us.

    Privacy topics name the shop in their signed body; one that names another than the header is
    somebody's replay and means nothing. So does a privacy body under the topic of another.
    """
    act = _ACTS.get(heads.topic)
    if act is None:
        return None
    plain = Delivery(heads.domain, heads.webhook_id, heads.topic, act)
    plain = plain._replace(triggered_at=heads.triggered_at)
    if act in (Act.UNINSTALL, Act.SCOPES):
        # The shop is in the header alone, and nothing in the body is believed.
        return plain
    try:
        body = orjson.loads(raw)
        if not isinstance(body, dict):
            raise ValueError("no object")
        return _READERS[act](plain, body)
    except (ValueError, KeyError, TypeError, RecursionError, StopIteration, RuntimeError):
        return plain._replace(act=Act.UNREADABLE)


def _record(plain: Delivery, body: dict[str, Any]) -> Delivery:
    if plain.topic == "refunds/create":
        return plain._replace(stage=Stage.ORDERS, shopify_id=_id(body["order_id"]))
    stage = _RECORDS[plain.topic.partition("/")[0]]
    return plain._replace(stage=stage, shopify_id=_id(body["id"]))


def _merge(plain: Delivery, body: dict[str, Any]) -> Delivery:
    # Named admin_graphql_api_customer_kept_id and …_deleted_id; older texts turn the words around.
    kept, gone = (
        next(_id(value) for key, value in body.items() if "customer" in key and which in key)
        for which in ("kept", "deleted")
    )
    return plain._replace(stage=Stage.CUSTOMERS, shopify_id=kept, others=(gone,))


def _bulk(plain: Delivery, body: dict[str, Any]) -> Delivery:
    return plain._replace(shopify_id=_id(body["admin_graphql_api_id"]))


def _privacy(plain: Delivery, body: dict[str, Any]) -> Delivery | None:
    if body.get("shop_domain") != plain.domain or _told_by(body) is not plain.act:
        return None
    if plain.act is Act.REDACT_SHOP:
        return plain
    orders = body.get("orders_to_redact") or body.get("orders_requested") or []
    if not isinstance(orders, list) or len(orders) > _MOST_ORDERS:
        raise ValueError("no list of orders")
    customer = _id(body["customer"]["id"])
    return plain._replace(
        webhook_id=_request_id(body, customer) or plain.webhook_id,
        stage=Stage.CUSTOMERS,
        shopify_id=customer,
        others=tuple(sorted({_id(one) for one in orders})),
    )


def _request_id(body: dict[str, Any], customer: int) -> str | None:
    """What a data request is known by: the delivery's own id is in a header, which nobody signs,
    and whoever sends the body again under another one would have another export made.

    In a form that no header may have, so that none keeps a request to come from being heard.
    """
    told = body.get("data_request")
    try:
        return f"data_request/{_id(told['id'])}/{customer}" if isinstance(told, dict) else None
    except (KeyError, ValueError):
        return None


def _told_by(body: dict[str, Any]) -> Act:
    """Which privacy topic a body belongs to: its topic's header is not signed, the body is."""
    if "data_request" in body or "orders_requested" in body:
        return Act.DATA_REQUEST
    if "customer" in body or "orders_to_redact" in body:
        return Act.REDACT_CUSTOMER
    return Act.REDACT_SHOP


_READERS: Final = {
    Act.REFETCH: _record,
    Act.CONFIRM_GONE: _record,
    Act.MERGE: _merge,
    Act.BULK: _bulk,
    Act.DATA_REQUEST: _privacy,
    Act.REDACT_CUSTOMER: _privacy,
    Act.REDACT_SHOP: _privacy,
}


def _id(value: Any) -> int:
    """A number, or the number in a global id."""
    if isinstance(value, str):
        value = int(value.rsplit("/", 1)[-1])
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _BIGGEST_ID:
        raise ValueError("no id")
    return value


def _moment(text: str | None) -> datetime | None:
    if not text or len(text) > 40:
        return None
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None
