"""Deliveries on their way: signed, sent, tried again, and lost, doubled or shuffled on purpose."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import time
import uuid
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any
from urllib.parse import urlsplit

import httpx

from brandmind.simulator.config import LATEST_VERSION
from brandmind.simulator.faults import FaultBox
from brandmind.simulator.subscriptions import LOOPBACK, Subscription, Subscriptions
from brandmind.simulator.webhook_bodies import raw

RETRIES = 8
# Eight of them, each twice as long as the one before, are four hours together.
FIRST_RETRY_S = 4 * 3_600 / (2**RETRIES - 1)
CONNECT_S = 1.0
TOTAL_S = 5.0
SHUFFLE_S = 0.5
AT_ONCE = 10
_LOG_LENGTH = 2_000


@dataclass(slots=True)
class Delivery:
    """One payload for one address; it keeps its id over all tries."""

    topic: str
    uri: str
    body: bytes
    event_id: str
    name: str | None = None
    subscription: Subscription | None = None
    webhook_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    triggered_at: float = field(default_factory=time.time)


class Post:
    """What one shop sends. `scale` shortens the waits between tries: 0.001 makes hours seconds."""

    def __init__(
        self,
        shop: str,
        secret: str,
        faults: FaultBox,
        *,
        seed: int,
    ) -> None:
        self.subscriptions = Subscriptions()
        self.log: deque[dict[str, Any]] = deque(maxlen=_LOG_LENGTH)
        self.scale = 1.0
        self.waiting = 0
        self._shop = shop
        self._secret = secret.encode()
        self._faults = faults
        self._rng = Random(seed)  # noqa: S311
        self.transport: httpx.AsyncBaseTransport | None = None
        self._http: httpx.AsyncClient | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(AT_ONCE)

    def send(self, topic: str, body: dict[str, Any], *, event_id: str | None = None) -> int:
        """Sends that to all who subscribed to the topic; answers how many."""
        wanted = self.subscriptions.of(topic)
        event = event_id or str(uuid.uuid4())
        for one in wanted:
            kept = {key: body[key] for key in one.include if key in body} if one.include else body
            self._set_off(Delivery(topic, one.uri, raw(kept), event, one.name, one))
        return len(wanted)

    def send_to(self, uri: str, topic: str, body: dict[str, Any]) -> str:
        """Sends a topic that needs no subscription; answers the delivery's id."""
        delivery = Delivery(topic, uri, raw(body), str(uuid.uuid4()))
        self._set_off(delivery)
        return delivery.webhook_id

    def later(self, seconds: float, uri: str, topic: str, body: dict[str, Any]) -> None:
        """Sends a topic that needs no subscription after so long, shortened by the scale."""

        async def wait() -> None:
            await asyncio.sleep(seconds * self.scale)
            self.send_to(uri, topic, body)

        self._start(wait())

    def signature(self, body: bytes) -> str:
        """base64(HMAC-SHA256(client secret, raw bytes))."""
        return base64.b64encode(hmac.new(self._secret, body, hashlib.sha256).digest()).decode()

    def _set_off(self, delivery: Delivery) -> None:
        if self._faults.strike("webhook-lost"):
            self._note(delivery, 0, "lost")
            return
        times = 2 if self._faults.strike("webhook-twice") else 1
        for _ in range(times):
            delay_s = 0.0
            if fault := self._faults.strike("webhook-shuffled"):
                most = SHUFFLE_S if fault.seconds is None else fault.seconds
                delay_s = self._rng.random() * most
            self._start(self._carry(delivery, delay_s))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        self.waiting += 1
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self.waiting -= 1

    async def _carry(self, delivery: Delivery, delay_s: float) -> None:
        if delay_s:
            await asyncio.sleep(delay_s)
        for attempt in range(RETRIES + 1):
            if attempt:
                await asyncio.sleep(FIRST_RETRY_S * 2 ** (attempt - 1) * self.scale)
            async with self._slots:
                result = await self._try(delivery)
            self._note(delivery, attempt + 1, result)
            if isinstance(result, int) and 200 <= result < 300:
                return
            if result == "not loopback":
                return
        # Shopify gives up on subscriptions that an app made by the API, and sends an e-mail.
        if delivery.subscription is not None:
            self.subscriptions.delete(delivery.subscription.gid)

    async def _try(self, delivery: Delivery) -> int | str:
        if urlsplit(delivery.uri).hostname not in LOOPBACK:
            # Nothing made up leaves this machine.
            return "not loopback"
        moment = datetime.fromtimestamp(delivery.triggered_at, UTC)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Shopify-Captain-Hook",
            "X-Shopify-Topic": delivery.topic,
            "X-Shopify-Hmac-Sha256": self.signature(delivery.body),
            "X-Shopify-Shop-Domain": self._shop,
            "X-Shopify-API-Version": LATEST_VERSION,
            "X-Shopify-Webhook-Id": delivery.webhook_id,
            "X-Shopify-Event-Id": delivery.event_id,
            "X-Shopify-Triggered-At": moment.isoformat().replace("+00:00", "Z"),
        }
        if delivery.name:
            headers["X-Shopify-Name"] = delivery.name
        try:
            async with asyncio.timeout(TOTAL_S):
                answer = await self._client().post(
                    delivery.uri, content=delivery.body, headers=headers
                )
        except (httpx.HTTPError, TimeoutError) as error:
            return type(error).__name__
        return answer.status_code

    def _client(self) -> httpx.AsyncClient:
        if self._http is None:
            self._http = httpx.AsyncClient(
                timeout=httpx.Timeout(TOTAL_S, connect=CONNECT_S),
                # A connection kept open and closed over there would look like a failed delivery.
                limits=httpx.Limits(max_keepalive_connections=0),
                trust_env=False,
                transport=self.transport,
            )
        return self._http

    def _note(self, delivery: Delivery, attempt: int, result: int | str) -> None:
        self.log.append(
            {
                "at": time.time(),
                "topic": delivery.topic,
                "webhook_id": delivery.webhook_id,
                "event_id": delivery.event_id,
                "uri": delivery.uri,
                "attempt": attempt,
                "result": result,
            }
        )
