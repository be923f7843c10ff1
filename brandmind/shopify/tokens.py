"""Where the client gets its access token from, and whom it tells that one has died."""

from __future__ import annotations

from typing import Protocol

from brandmind.errors import TokenRevoked


class TokenProvider(Protocol):
    """The access token of one store. Locking and keeping it is the provider's business."""

    async def access_token(self) -> str:
        """The token to use now."""
        ...

    async def refreshed(self, stale: str) -> str:
        """A token other than `stale`, which the shop answered with 401.

        Raises TokenRevoked if there will be none without the merchant, ShopifyUnavailable if
        only the attempt failed.
        """
        ...


class StaticToken:
    """A token that nobody refreshes: a custom app's, or a test's."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def access_token(self) -> str:
        return self._token

    async def refreshed(self, stale: str) -> str:
        raise TokenRevoked()

    def __repr__(self) -> str:
        return "StaticToken(…)"
