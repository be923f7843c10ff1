"""Everything that can go wrong, named for what happened; the kind on the class decides retry.

BrandMindError
├── SettingsError            a setting is missing or wrong
├── InvalidInput             what a person typed is wrong; names the field
├── NotFound                 no such thing, or not for you
├── NotAllowed               known, but not permitted
├── SyncAlreadyRunning       one sync a store at a time
├── StorePaused              the store is paused
├── TooManySyncs             three manual syncs an hour
├── Fenced                   somebody else owns the run now: stop without a word
├── SignInRefused            a callback or link that is forged, reused or old
├── StorageFull              the disk of the database is full: make room  (ours; a wait)
├── CannotDecrypt            a token that no known key opens
├── PortraitFailed           the process that drew a portrait ended without one
└── ShopifyError             the shop's answer
    ├── ShopifyUnavailable   5xx, cut connection, time-out           (transient)
    ├── Throttled            asked to slow down; a wait, no failure  (throttled)
    ├── BulkNotReady         an export is being prepared; a wait     (throttled)
    ├── ExportDamaged        an export that is cut short or gone     (transient)
    ├── TokenExpired         401 that a refresh may cure             (transient)
    ├── TokenRevoked         access withdrawn: reconnect             (auth)
    ├── AccessRefused        a scope or protected data is missing    (restricted)
    ├── ShopUnavailable      frozen, locked or gone                  (auth)
    ├── QueryTooCostly       one query above Shopify's limit         (ours)
    ├── QueryRefused         our query is wrong, or was misread      (ours)
    └── BadAnswer            an answer that cannot be read           (data)
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Literal

ErrorKind = Literal["auth", "restricted", "throttled", "transient", "data", "ours"]


class BrandMindError(Exception):
    """Something went wrong in BrandMind."""

    kind: ClassVar[ErrorKind] = "ours"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())

    @property
    def message(self) -> str:
        return str(self.args[0])


class SettingsError(BrandMindError):
    """A setting is missing or wrong."""


class InvalidInput(BrandMindError):
    """What was entered is not valid."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


class NotFound(BrandMindError):
    """There is no such thing here."""


class NotAllowed(BrandMindError):
    """That is not permitted."""


class SyncAlreadyRunning(BrandMindError):
    """A sync is already running. Here it is."""

    def __init__(self, run_id: str) -> None:
        super().__init__()
        self.run_id = run_id


class StorePaused(BrandMindError):
    """The store is paused."""

    def __init__(self, *, paused_by: str, paused_at: datetime) -> None:
        super().__init__(f"Paused by {paused_by} on {paused_at:%-d %b %Y %H:%M} UTC.")
        self.paused_by = paused_by
        self.paused_at = paused_at


class TooManySyncs(BrandMindError):
    """Three syncs in the last hour."""

    def __init__(self, *, next_at: datetime, retry_after_s: int) -> None:
        super().__init__(
            f"Three syncs in the last hour. The next is possible at {next_at:%H:%M} UTC."
        )
        self.next_at = next_at
        self.retry_after_s = retry_after_s


class Fenced(BrandMindError):
    """The run belongs to somebody else now."""


class SignInRefused(BrandMindError):
    """This sign-in link is not valid or too old. Start again from your store's address."""


class StorageFull(BrandMindError):
    """The database has no room: its disk is full. Make room; BrandMind goes on by itself."""


class CannotDecrypt(BrandMindError):
    """No known key opens this token."""


class PortraitFailed(BrandMindError):
    """The process that made the portrait ended without one."""


class ShopifyError(BrandMindError):
    """Shopify's answer was not what we need."""

    def __init__(self, message: str | None = None, *, request_id: str | None = None) -> None:
        super().__init__(message)
        self.request_id = request_id


class ShopifyUnavailable(ShopifyError):
    """Shopify did not answer."""

    kind: ClassVar[ErrorKind] = "transient"

    def __init__(
        self,
        message: str | None = None,
        *,
        request_id: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, request_id=request_id)
        self.retry_after_s = retry_after_s


class Throttled(ShopifyError):
    """Shopify asked us to slow down."""

    kind: ClassVar[ErrorKind] = "throttled"

    def __init__(self, *, retry_after_s: float, request_id: str | None = None) -> None:
        super().__init__(request_id=request_id)
        self.retry_after_s = retry_after_s


class BulkNotReady(ShopifyError):
    """Shopify is preparing an export."""

    kind: ClassVar[ErrorKind] = "throttled"

    def __init__(self, *, delay_s: float, records: int, what: str) -> None:
        super().__init__(
            f"Shopify is preparing an export of {records:,} {what}. Continuing by itself."
        )
        self.delay_s = delay_s


class ExportDamaged(ShopifyError):
    """The file of an export is not what Shopify said it would be."""

    kind: ClassVar[ErrorKind] = "transient"


class TokenExpired(ShopifyError):
    """The access token is no longer accepted."""

    kind: ClassVar[ErrorKind] = "transient"


class TokenRevoked(ShopifyError):
    """Shopify access was withdrawn or expired. Reconnect to go on."""

    kind: ClassVar[ErrorKind] = "auth"


class AccessRefused(ShopifyError):
    """Shopify refuses this part of the data."""

    kind: ClassVar[ErrorKind] = "restricted"

    def __init__(
        self, message: str | None = None, *, scope: str | None = None, request_id: str | None = None
    ) -> None:
        super().__init__(message, request_id=request_id)
        self.scope = scope


class ShopUnavailable(ShopifyError):
    """The shop is frozen, locked or gone."""

    kind: ClassVar[ErrorKind] = "auth"


class QueryTooCostly(ShopifyError):
    """One query costs more than Shopify allows."""


class QueryRefused(ShopifyError):
    """Shopify refused or misread our query."""

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str | None = None,
        request_id: str | None = None,
        details: Any = None,
    ) -> None:
        super().__init__(message, request_id=request_id)
        self.code = code
        self.details = details


class BadAnswer(ShopifyError):
    """Shopify's answer cannot be read."""

    kind: ClassVar[ErrorKind] = "data"
