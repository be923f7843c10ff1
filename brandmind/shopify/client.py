"""One shop's Admin API: a document in, an answer or a named error out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import httpx
import orjson

from brandmind.clock import monotonic_s
from brandmind.errors import (
    BadAnswer,
    ExportDamaged,
    ShopifyUnavailable,
    Throttled,
    TokenRevoked,
)
from brandmind.shopify import answers
from brandmind.shopify.answers import Answer
from brandmind.shopify.documents import Document, document
from brandmind.shopify.tokens import TokenProvider
from brandmind.sync.pacing import Bucket, Pacer

# What makes the payload of a body; None: it is not for it.
Decode = Callable[[bytes], Any]

API_VERSION: Final = "2026-10"
MAX_BODY_BYTES: Final = 64 * 1024 * 1024
TIMEOUT: Final = httpx.Timeout(30.0, connect=5.0)
# A body that drips one byte before every read time-out would otherwise take for ever.
WHOLE_ANSWER_S: Final = 90.0
# A longer wait gives the run back to the queue, so that another store has the worker meanwhile.
LONGEST_WAIT_S: Final = 12.0
WAITS_IN_PLACE: Final = 5

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Usage:
    """What a client has asked of its shop since it was made: for the figures of a sync."""

    requests: int = 0
    points: float = 0.0
    throttled: int = 0
    body_bytes: int = 0
    seconds: float = 0.0


class ShopifyClient:
    """Asks one shop. `origin` is a template such as "https://{shop}"; every address is built on
    it. The HTTP client is opened and closed by whoever passes it in."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        origin: str,
        domain: str,
        token: TokenProvider,
        api_version: str = API_VERSION,
        pacer: Pacer | None = None,
    ) -> None:
        self._http = http
        self._url = f"{shop_origin(origin, domain)}/admin/api/{api_version}/graphql.json"
        self._domain = domain
        self._token = token
        self._version = api_version
        self._pacer = pacer
        self._version_told = False
        self.usage = Usage()
        # The shop's rate budget as it was last told.
        self.budget: answers.Cost | None = None

    @property
    def domain(self) -> str:
        return self._domain

    @property
    def waiting_s(self) -> float:
        """Seconds the client still waits for the shop's rate budget; 0 while it does not."""
        return self._pacer.waiting_s if self._pacer else 0.0

    @property
    def limit(self) -> Bucket | None:
        """The shop's bucket while it is what holds the reading back; None while it does not."""
        return self._pacer.bucket if self._pacer and self._pacer.limits else None

    async def query(
        self, name: str, variables: Mapping[str, Any] | None = None, *, decode: Decode | None = None
    ) -> Answer:
        """Send the document queries/`name`.graphql.

        `decode` makes the payload of a plain answer's body, or None to have it decoded as JSON.

        A 401 is answered by one refresh of the token and one repetition. Where a pacer is given,
        a short "slow down" is waited out here. Raises the `errors.ShopifyError` the answer stands
        for; nothing else is retried.
        """
        waits_left = WAITS_IN_PLACE if self._pacer else 0
        while True:
            try:
                return await self._query(name, variables, decode)
            except Throttled as error:
                if self._pacer is None or not waits_left or error.retry_after_s > LONGEST_WAIT_S:
                    raise
                # Giving the page up would pay for its other requests once more, and a page with
                # many of them could then never be afforded.
                waits_left -= 1
                await self._pacer.hold(error.retry_after_s)

    async def _query(
        self, name: str, variables: Mapping[str, Any] | None, decode: Decode | None
    ) -> Answer:
        asked = document(name)
        body = orjson.dumps(
            {"query": asked.text, "variables": variables or {}, "operationName": asked.operation}
        )
        token = await self._token.access_token()
        reply = await self._paced(asked, variables, body, token, decode)
        if reply.status == 401:
            try:
                token = await self._token.refreshed(token)
            except TokenRevoked as error:
                error.request_id = error.request_id or reply.request_id
                raise
            reply = await self._paced(asked, variables, body, token, decode)
            if reply.status == 401:
                raise TokenRevoked(request_id=reply.request_id)
        try:
            answer = answers.of(reply.status, reply.headers, reply.content, reply.payload)
        except Throttled:
            self.usage.throttled += 1
            raise
        self._look_at_version(reply.headers)
        if answer.cost is not None:
            self.budget = answer.cost
            self.usage.points += answer.cost.actual or 0.0
        return answer

    async def _paced(
        self,
        asked: Document,
        variables: Mapping[str, Any] | None,
        body: bytes,
        token: str,
        decode: Decode | None,
    ) -> _Reply:
        if self._pacer is None:
            return await self._send(body, token, decode)
        sizes = _sizes(variables)
        ticket = await self._pacer.admit(self._pacer.prices.expected(asked.name, sizes))
        cost: answers.Cost | None = None
        try:
            reply = await self._send(body, token, decode)
            if isinstance(reply.payload, dict):
                cost = answers.cost_of(reply.payload.get("extensions") or {})
            if cost is not None and cost.requested:
                self._pacer.prices.learn(asked.name, sizes, cost.requested)
            return reply
        finally:
            # Also after a failure: a reservation nobody ends would hold up the whole shop.
            await self._pacer.learn(ticket, None if cost is None else _bucket(cost))

    async def _send(self, body: bytes, token: str, decode: Decode | None) -> _Reply:
        self.usage.requests += 1
        began_s = monotonic_s()
        request = self._http.build_request(
            "POST",
            self._url,
            content=body,
            headers={
                "Content-Type": "application/json",
                "Accept": "application/json",
                "X-Shopify-Access-Token": token,
            },
            timeout=TIMEOUT,
        )
        try:
            async with asyncio.timeout(WHOLE_ANSWER_S):
                response = await self._http.send(request, stream=True, follow_redirects=False)
                try:
                    content = await _bounded(response)
                finally:
                    await response.aclose()
        except TimeoutError as error:
            raise ShopifyUnavailable("Shopify's answer took too long.") from error
        except (httpx.RequestError, httpx.StreamError) as error:
            # Its name only: the text of a transport error may hold addresses.
            raise ShopifyUnavailable(
                f"Shopify could not be reached ({type(error).__name__})."
            ) from error
        self.usage.body_bytes += len(content)
        self.usage.seconds += monotonic_s() - began_s
        return _Reply.of(response.status_code, response.headers, content, decode)

    async def download(self, url: str, write: Callable[[bytes], object]) -> None:
        """The body of a signed address that Shopify has named, handed over in parts.

        Without our token and without following redirects: the address itself is the right to it.
        Raises ExportDamaged for an address that holds nothing any more, ShopifyUnavailable for any
        other failure, also in mid-body, and BadAnswer for an address nobody should ask.
        """
        if not url.startswith("https://") and not self._url.startswith("http://"):
            raise BadAnswer("The export's address is not https.")
        request = self._http.build_request("GET", url, timeout=TIMEOUT)
        try:
            response = await self._http.send(request, stream=True, follow_redirects=False)
            try:
                if response.status_code in (403, 404, 410):
                    raise ExportDamaged("the export's file is gone")
                if response.status_code != 200:
                    raise ShopifyUnavailable(f"The export answered {response.status_code}.")
                async for part in response.aiter_bytes():
                    self.usage.body_bytes += len(part)
                    write(part)
            finally:
                await response.aclose()
        except (httpx.RequestError, httpx.StreamError, httpx.InvalidURL) as error:
            # Its name only: the address is signed, and whoever has it has the data.
            raise ShopifyUnavailable(
                f"The export could not be fetched ({type(error).__name__})."
            ) from None

    def _look_at_version(self, headers: httpx.Headers) -> None:
        served = headers.get("x-shopify-api-version")
        if served and served != self._version and not self._version_told:
            self._version_told = True
            _log.warning(
                "%s answers in API version %s, asked for %s", self._domain, served, self._version
            )


class _Reply(NamedTuple):
    status: int
    headers: httpx.Headers
    content: bytes
    payload: Any

    @classmethod
    def of(
        cls, status: int, headers: httpx.Headers, content: bytes, decode: Decode | None
    ) -> _Reply:
        """The reply, its body decoded if it should be data; ShopifyUnavailable if it cannot be."""
        if status != 200:
            return cls(status, headers, content, None)
        try:
            text = answers.without_nuls(content)
            payload = decode(text) if decode is not None else None
            if payload is None:
                payload = orjson.loads(text)
            return cls(status, headers, content, payload)
        except orjson.JSONDecodeError:
            # A body cut on its way, or a proxy's page: the next try may well succeed. The decoder's
            # own error would carry the whole body, customers and all, into a log.
            raise ShopifyUnavailable(
                "Shopify's answer arrived damaged.", request_id=answers.request_id_of(headers)
            ) from None

    @property
    def request_id(self) -> str | None:
        return answers.request_id_of(self.headers)


def shop_origin(origin: str, domain: str) -> str:
    """The address of a shop by the template BRANDMIND_SHOPIFY_ORIGIN, without a final slash."""
    return origin.replace("{shop}", domain).rstrip("/")


def _bucket(cost: answers.Cost) -> Bucket:
    return Bucket(cost.available, cost.maximum, cost.restore_per_s)


def _sizes(variables: Mapping[str, Any] | None) -> tuple[int, ...]:
    """What the price of a query depends on beside its text: how many of what it asks for."""
    values = (value for _, value in sorted((variables or {}).items()))
    sizes = (len(value) if isinstance(value, list) else value for value in values)
    return tuple(size for size in sizes if type(size) is int)


async def _bounded(response: httpx.Response) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise BadAnswer(
                f"The answer is larger than {MAX_BODY_BYTES >> 20} MiB.",
                request_id=answers.request_id_of(response.headers),
            )
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
