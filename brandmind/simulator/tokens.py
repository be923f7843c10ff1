"""Access and refresh tokens with the rules of expiring offline access."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

ACCESS_S = 3_600
ONLINE_S = 86_399
CLIENT_S = 86_399
REFRESH_S = 7_776_000
CODE_S = 600
PREVIOUS_S = 30 * 86_400

Kind = Literal["offline", "online", "admin", "client"]
_PREFIXES = {"offline": "shpat_", "online": "shpua_", "admin": "shpat_", "client": "shpat_"}


@dataclass(slots=True)
class AccessToken:
    """What a caller shows. `expires_at` None: never."""

    text: str
    shop: str
    scopes: frozenset[str]
    kind: Kind
    expires_at: float | None


@dataclass(slots=True)
class RefreshToken:
    """One link of a chain: the parent stays usable until this one is used."""

    text: str
    shop: str
    scopes: frozenset[str]
    expires_at: float
    parent: RefreshToken | None = None
    first_used_at: float | None = None
    dead: bool = False


@dataclass(slots=True)
class Code:
    """An authorization code; `user` is set for a per-user grant."""

    text: str
    shop: str
    client_id: str
    scopes: frozenset[str]
    expires_at: float
    user: dict[str, Any] | None = None


class Refused(Exception):
    """A grant that is not given: HTTP status and the body's two words."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.body = {"error": error, "error_description": description}


class TokenBook:
    """All tokens of all shops."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._access: dict[str, AccessToken] = {}
        self._refresh: dict[str, RefreshToken] = {}
        self._codes: dict[str, Code] = {}

    def mint(
        self, shop: str, scopes: frozenset[str], *, kind: Kind, life_s: float | None
    ) -> AccessToken:
        """A new access token."""
        token = AccessToken(
            _PREFIXES[kind] + secrets.token_hex(16),
            shop,
            scopes,
            kind,
            None if life_s is None else self._clock() + life_s,
        )
        self._access[token.text] = token
        return token

    def check(self, shop: str, text: str | None) -> AccessToken | None:
        """The token if it is this shop's and alive."""
        token = self._access.get(text or "")
        if token is None or token.shop != shop:
            return None
        expired = token.expires_at is not None and token.expires_at <= self._clock()
        return None if expired else token

    def code(
        self,
        shop: str,
        client_id: str,
        scopes: frozenset[str],
        *,
        user: dict[str, Any] | None = None,
    ) -> str:
        """A code for the redirect back, good once and for ten minutes."""
        text = secrets.token_hex(16)
        self._codes[text] = Code(text, shop, client_id, scopes, self._clock() + CODE_S, user)
        return text

    def redeem(self, shop: str, client_id: str, text: str) -> Code:
        """Uses up a code; Refused with 400 if it is wrong, old or used."""
        code = self._codes.pop(text, None)
        if (
            code is None
            or code.shop != shop
            or code.client_id != client_id
            or code.expires_at < self._clock()
        ):
            raise Refused(
                400,
                "invalid_request",
                "The authorization code was not found or was already used",
            )
        return code

    def offline(
        self, shop: str, scopes: frozenset[str], *, expiring: bool, life_s: float = ACCESS_S
    ) -> dict[str, Any]:
        """The answer to an offline grant; it ends all refresh tokens there were."""
        for old in self._refresh.values():
            if old.shop == shop:
                old.dead = True
        if not expiring:
            token = self.mint(shop, scopes, kind="offline", life_s=None)
            return {"access_token": token.text, "scope": ",".join(sorted(scopes))}
        return self._pair(shop, scopes, parent=None, life_s=life_s)

    def refresh(self, shop: str, text: str, *, life_s: float = ACCESS_S) -> dict[str, Any]:
        """A new pair for a refresh token; Refused with 401 where only a new consent helps."""
        now = self._clock()
        token = self._refresh.get(text)
        too_old = token is not None and (
            token.expires_at <= now
            or (token.first_used_at is not None and now > token.first_used_at + PREVIOUS_S)
        )
        if token is None or token.shop != shop or token.dead or too_old:
            raise Refused(401, "invalid_request", "This request requires an active refresh_token")
        if token.first_used_at is None:
            token.first_used_at = now
        if token.parent is not None:
            # The replacement has been used: what it replaced, and its lost twins, are over.
            for other in self._refresh.values():
                twin = other.parent is token.parent and other is not token
                if other is token.parent or twin:
                    other.dead = True
        return self._pair(shop, token.scopes, parent=token, life_s=life_s)

    def rescope(self, shop: str, scopes: frozenset[str]) -> None:
        """The merchant or the app changed what is granted: it holds for tokens there are."""
        for token in self._access.values():
            if token.shop == shop:
                token.scopes = scopes
        for refresh in self._refresh.values():
            if refresh.shop == shop:
                refresh.scopes = scopes

    def granted(self, shop: str) -> frozenset[str]:
        """What the shop's tokens may do together."""
        found = [one.scopes for one in self._access.values() if one.shop == shop]
        return frozenset().union(*found)

    def expire_access(self, shop: str) -> int:
        """All access tokens of the shop are over now; answers how many."""
        now = self._clock()
        found = [one for one in self._access.values() if one.shop == shop]
        for token in found:
            token.expires_at = now
        return len(found)

    def revoke(self, shop: str) -> None:
        """An uninstall: nothing of this shop works any more."""
        self._access = {k: v for k, v in self._access.items() if v.shop != shop}
        for token in self._refresh.values():
            if token.shop == shop:
                token.dead = True

    def _pair(
        self,
        shop: str,
        scopes: frozenset[str],
        *,
        parent: RefreshToken | None,
        life_s: float,
    ) -> dict[str, Any]:
        access = self.mint(shop, scopes, kind="offline", life_s=life_s)
        text = "shprt_" + secrets.token_hex(16)
        self._refresh[text] = RefreshToken(
            text, shop, scopes, self._clock() + REFRESH_S, parent=parent
        )
        return {
            "access_token": access.text,
            "expires_in": int(life_s),
            "refresh_token": text,
            "refresh_token_expires_in": REFRESH_S,
            "scope": ",".join(sorted(scopes)),
        }
