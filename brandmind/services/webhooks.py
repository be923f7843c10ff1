"""Deliveries at the door: verified, reduced to ids, and accepted once they are committed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

from brandmind.db import inbox, stores
from brandmind.errors import NotFound
from brandmind.shopify import webhooks
from brandmind.sync.deliveries import Delivery

if TYPE_CHECKING:
    from brandmind.runtime import Runtime

log = logging.getLogger(__name__)

PATH: Final = webhooks.PATH
# Shopify's bodies of records with all their fields stay below; ours hold an id and little more.
MOST_BYTES: Final = 2 * 1024 * 1024
_AT_ONCE: Final = 256
# In a flood the next commit waits so long for company, as PostgreSQL's commit_delay does.
_COMPANY_S: Final = 0.002
# What waits for its commit is held in memory; beyond this Shopify is asked to come again.
_MOST_HELD: Final = 4_096


class Answer(IntEnum):
    """What Shopify is told. Everything but 200 makes it come again."""

    ACCEPTED = 200
    UNSIGNED = 401
    TOO_LARGE = 413
    NOT_KEPT = 503


class Receiver:
    """Takes deliveries in, many in one commit: each is answered only after its own.

    One a process. Deliveries that come while a commit is under way go into the next one, which
    waits a moment for more where the last one had several: a flood costs few commits, and a single
    delivery waits for nobody.
    """

    def __init__(self, rt: Runtime) -> None:
        self.rt = rt
        self._secrets = [one.get_secret_value() for one in rt.settings.client_secrets]
        self._held: list[tuple[Delivery, asyncio.Future[bool]]] = []
        self._task: asyncio.Task[None] | None = None
        self._piles = inbox.Piles()

    async def receive(self, headers: Iterable[tuple[bytes, bytes]], raw: bytes) -> Answer:
        """The answer to one delivery; `headers` as ASGI gives them, `raw` the bytes as they came.

        A delivery that means nothing to us is accepted and forgotten. Never raises.
        """
        heads = webhooks.read_heads(headers)
        if heads is None or not webhooks.verify(raw, heads.digest, self._secrets):
            return Answer.UNSIGNED
        delivery = webhooks.reduced(heads, raw)
        if delivery is None:
            return Answer.ACCEPTED
        return Answer.ACCEPTED if await self._keep(delivery) else Answer.NOT_KEPT

    async def _keep(self, delivery: Delivery) -> bool:
        if len(self._held) >= _MOST_HELD:
            return False
        kept: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._held.append((delivery, kept))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._commit(), name="webhooks")
        return await kept

    async def _commit(self) -> None:
        several = False
        while self._held:
            if several:
                await asyncio.sleep(_COMPANY_S)
            batch, self._held = self._held[:_AT_ONCE], self._held[_AT_ONCE:]
            several = len(batch) > 1
            verdicts: Sequence[bool]
            try:
                verdicts = await self.rt.db.write(
                    inbox.take, [one for one, _ in batch], self._piles
                )
            except Exception as error:
                # Not stored is not accepted: Shopify keeps it and comes again.
                log.error("%d deliveries not kept: %s", len(batch), type(error).__name__)
                verdicts = [False] * len(batch)
            for (_, kept), verdict in zip(batch, verdicts, strict=True):
                if not kept.done():
                    kept.set_result(verdict)


async def standing(rt: Runtime, store_id: str) -> inbox.Standing:
    """How a store stands with its deliveries and subscriptions."""
    return await rt.db.read(inbox.standing, store_id)


def plain(standing: inbox.Standing) -> dict[str, Any]:
    """A standing as JSON-ready data."""
    return {
        "waiting": standing.waiting,
        "aside": standing.aside,
        "changed_at": standing.changed_at.isoformat() if standing.changed_at else None,
        "checked_at": standing.checked_at.isoformat() if standing.checked_at else None,
        "missing": list(standing.missing),
        "note": standing.note or None,
    }


async def look(rt: Runtime, domain: str | None) -> list[tuple[str, inbox.Standing, list[Any]]]:
    """(domain, standing, what lies aside) of a store, or of all. Raises NotFound."""
    return [
        (
            one.domain,
            await rt.db.read(inbox.standing, one.store_id),
            await rt.db.read(inbox.aside, one.store_id),
        )
        for one in await _chosen(rt, domain)
    ]


async def replay(rt: Runtime, domain: str | None) -> int:
    """Put what lies aside back, of a store or of all; how many deliveries. Raises NotFound."""
    return sum([await rt.db.write(inbox.replay, one.store_id) for one in await _chosen(rt, domain)])


async def _chosen(rt: Runtime, domain: str | None) -> list[Any]:
    if domain is None:
        return await rt.db.read(stores.every_store)
    found = await rt.db.read(stores.find_by_domain, domain)
    if found is None:
        raise NotFound(f"{domain} is not connected. `brandmind stores list` shows what is.")
    return [found]
