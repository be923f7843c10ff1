"""The webhooks a store should have: looked at after the install and daily, and mended."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from brandmind.db import inbox
from brandmind.db.inbox import Turn
from brandmind.errors import BrandMindError, ShopifyError
from brandmind.logs import bind
from brandmind.services import shops
from brandmind.shopify import subscribing, webhooks

if TYPE_CHECKING:
    from brandmind.runtime import Runtime

log = logging.getLogger(__name__)

_AGAIN_S: Final = 60.0
NO_ADDRESS: Final = "Shopify delivers to a public https address only: set BRANDMIND_PUBLIC_URL."


def address(rt: Runtime) -> str:
    """Where deliveries should go."""
    return f"{rt.settings.public_url}{webhooks.PATH}"


async def check(rt: Runtime) -> int:
    """Look at the subscriptions of each store that is due for it; how many stores."""
    looked_at = 0
    uri = address(rt)
    while True:
        due = await rt.db.read(inbox.next_check, fingerprint=uri)
        if due is None:
            return looked_at
        turn = await rt.db.write(inbox.begin, due, owner=rt.owner)
        if turn is None:
            continue
        looked_at += 1
        try:
            with bind(store=turn.store_id):
                await _check(rt, turn, uri)
        finally:
            await rt.db.write(inbox.give_back, turn)


async def _check(rt: Runtime, turn: Turn, uri: str) -> None:
    wanted = webhooks.wanted(turn.scopes)
    if not _deliverable(rt):
        every = [webhooks.spoken(one.topic) for one in wanted]
        await rt.db.write(inbox.checked, turn, fingerprint=uri, missing=every, note=NO_ADDRESS)
        return
    try:
        missing = await subscribing.mend(
            shops.client(rt, turn.store_id, domain=turn.domain), wanted, uri=uri
        )
    except BrandMindError as error:
        said = error.message if isinstance(error, ShopifyError) else type(error).__name__
        log.warning("the webhooks could not be looked at: %s", type(error).__name__)
        await rt.db.write(inbox.check_later, turn, fingerprint=uri, delay_s=_AGAIN_S, note=said)
        return
    for topic, why in missing.items():
        log.warning("no webhook for %s: %s", topic, why)
    await rt.db.write(
        inbox.checked,
        turn,
        fingerprint=uri,
        missing=sorted(webhooks.spoken(topic) for topic in missing),
        note="; ".join(sorted(set(missing.values())))[:500],
    )


def _deliverable(rt: Runtime) -> bool:
    """Whether Shopify can reach us; a local Shopify can reach whatever stands beside it."""
    if not rt.settings.shopify_origin.startswith("https://"):
        return True
    parts = urlsplit(rt.settings.public_url)
    return parts.scheme == "https" and parts.hostname not in (None, "localhost", "127.0.0.1")
