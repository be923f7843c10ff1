"""A store's access to Shopify: opened, renewed by one at a time, sealed again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from brandmind.clock import monotonic_s, utc_now
from brandmind.db import grants, stores
from brandmind.db.grants import GrantKind, KeptGrant, SealedGrant
from brandmind.errors import (
    NotFound,
    SettingsError,
    ShopifyUnavailable,
    Throttled,
    TokenRevoked,
)
from brandmind.shopify import oauth
from brandmind.shopify.oauth import OfflineGrant

if TYPE_CHECKING:
    from brandmind.runtime import Runtime

ACCESS: Final = "access"
REFRESH: Final = "refresh"
# Renewed before the shop says no, so that a page never pays for the discovery.
_EARLY: Final = timedelta(minutes=5)
LEASE_S: Final = 15.0
_LOOK_EVERY_S: Final = 0.1
_ROUNDS: Final = 5


class StoreToken:
    """The tokens of one store for a `ShopifyClient`.

    Renewals of a store happen one at a time across all processes: whoever holds the lease asks
    Shopify, the others wait and read what came of it. A lease that stands still for 15 s of the
    waiter's own clock belongs to a dead process and is taken over.
    """

    def __init__(self, rt: Runtime, store_id: str) -> None:
        self._rt = rt
        self._store_id = store_id
        self._known: tuple[str, datetime | None] | None = None

    def __repr__(self) -> str:
        return f"StoreToken({self._store_id!r})"

    async def access_token(self) -> str:
        """A token with at least some minutes to live.

        Raises TokenRevoked if only the merchant can help, ShopifyUnavailable if there is none
        now but may be soon.
        """
        if self._known is not None and _lasts(self._known[1]):
            return self._known[0]
        kept = await self._kept()
        if kept.is_dead:
            raise TokenRevoked()
        if _lasts(kept.grant.access_expires_at):
            return self._remember(kept)
        try:
            return await self._renewed(kept)
        except (ShopifyUnavailable, Throttled):
            # Early by five minutes: what we have may still serve while Shopify is away.
            expires_at = kept.grant.access_expires_at
            if expires_at is not None and expires_at > utc_now():
                return self._open(kept)
            raise

    async def refreshed(self, stale: str) -> str:
        """A token other than `stale`, which the shop has refused.

        Raises TokenRevoked, ShopifyUnavailable.
        """
        self._known = None
        kept = await self._kept()
        if kept.is_dead:
            raise TokenRevoked()
        if self._open(kept) != stale:
            # Somebody renewed it between our reading and the shop's answer.
            return self._remember(kept)
        if kept.grant.refresh_sealed is None:
            raise TokenRevoked()
        return await self._renewed(kept)

    async def _renewed(self, seen: KeptGrant) -> str:
        """A token newer than the one of the generation seen."""
        kept = seen
        lease_no, stands_since = kept.lease_no, monotonic_s()
        while True:
            if not kept.leased or monotonic_s() - stands_since >= LEASE_S:
                mine = await self._rt.db.write(
                    grants.take_lease,
                    self._store_id,
                    generation=kept.generation,
                    lease_no=kept.lease_no,
                )
                if mine is not None:
                    return await self._renew(kept, lease_no=mine)
            else:
                await asyncio.sleep(_LOOK_EVERY_S)
            kept = await self._kept()
            if kept.generation != seen.generation:
                return self._remember(kept)
            if kept.is_dead:
                raise TokenRevoked()
            if kept.lease_no != lease_no:
                lease_no, stands_since = kept.lease_no, monotonic_s()

    async def _renew(self, kept: KeptGrant, *, lease_no: int) -> str:
        db, store_id = self._rt.db, self._store_id
        try:
            # Shorter than the lease: nobody takes over while we still wait for the answer.
            async with asyncio.timeout(LEASE_S - 3.0):
                grant = await self._ask(kept)
        except TokenRevoked:
            if await db.write(grants.bury, store_id, generation=kept.generation):
                raise
            return self._remember(await self._kept())
        except TimeoutError as error:
            await db.write(grants.give_back_lease, store_id, lease_no=lease_no)
            raise ShopifyUnavailable("Shopify did not renew our access in time.") from error
        except BaseException:
            # The stored refresh token stays good until its replacement is used.
            await db.write(grants.give_back_lease, store_id, lease_no=lease_no)
            raise
        kept_refresh = kept.grant.refresh_sealed
        sealed = seal(
            self._rt,
            grant,
            store_id=store_id,
            kind=kept.grant.kind,
            refresh=self._unseal_refresh(kept_refresh)
            if kept.grant.kind == "client_credentials"
            else None,
        )
        await db.write(
            grants.renew, store_id, sealed, generation=kept.generation, lease_no=lease_no
        )
        # A lost lease means that another grant is there: read it rather than trust our own.
        return self._remember(await self._kept())

    async def _ask(self, kept: KeptGrant) -> OfflineGrant:
        if kept.grant.refresh_sealed is None:
            raise TokenRevoked()
        rt = self._rt
        store = await rt.db.read(stores.find, self._store_id)
        if store is None:
            raise NotFound
        secret = self._unseal_refresh(kept.grant.refresh_sealed)
        if kept.grant.kind == "client_credentials":
            pair = json.loads(secret)
            return await oauth.client_credentials(
                rt.http,
                origin=rt.settings.shopify_origin,
                shop=store.domain,
                client_id=pair["id"],
                client_secret=pair["secret"],
            )
        return await oauth.refresh(
            rt.http,
            origin=rt.settings.shopify_origin,
            shop=store.domain,
            client_id=rt.settings.shopify_client_id,
            client_secret=rt.settings.client_secrets[0].get_secret_value(),
            refresh_token=secret,
        )

    async def _kept(self) -> KeptGrant:
        kept = await self._rt.db.read(grants.find, self._store_id)
        if kept is None:
            raise TokenRevoked()
        return kept

    def _open(self, kept: KeptGrant) -> str:
        return self._rt.cipher.open(
            kept.grant.access_sealed, store_id=self._store_id, purpose=ACCESS
        )

    def _unseal_refresh(self, sealed: str | None) -> str:
        if sealed is None:
            raise TokenRevoked()
        return self._rt.cipher.open(sealed, store_id=self._store_id, purpose=REFRESH)

    def _remember(self, kept: KeptGrant) -> str:
        token = self._open(kept)
        self._known = (token, kept.grant.access_expires_at)
        return token


def credentials(*, client_id: str, client_secret: str) -> str:
    """An app's own credentials in the form that is sealed in the place of a refresh token."""
    return json.dumps({"id": client_id, "secret": client_secret})


def seal(
    rt: Runtime,
    grant: OfflineGrant,
    *,
    store_id: str,
    kind: GrantKind = "oauth",
    refresh: str | None = None,
) -> SealedGrant:
    """A grant sealed for its store. `refresh` stands in for the refresh token of the grant."""
    now = utc_now()
    secret = refresh if refresh is not None else grant.refresh_token
    return SealedGrant(
        kind=kind,
        access_sealed=rt.cipher.seal(grant.access_token, store_id=store_id, purpose=ACCESS),
        refresh_sealed=(
            rt.cipher.seal(secret, store_id=store_id, purpose=REFRESH) if secret else None
        ),
        access_expires_at=_after(now, grant.expires_in_s),
        refresh_expires_at=_after(now, grant.refresh_expires_in_s),
    )


async def rotate(rt: Runtime) -> int:
    """Every token sealed again under the newest key; how many stores were changed.

    A store at a time, each in a transaction: whoever dies in between leaves every token readable
    by the keys there are, and the next run goes on with what is left. Raises SettingsError if
    something that runs goes on sealing under an older key, so that nobody drops that key yet.
    """
    changed = 0
    for _ in range(_ROUNDS):
        old = [at for at in await rt.db.read(grants.every_sealed) if not _is_newest(rt, *at[2:])]
        if not old:
            return changed
        for store_id, generation, access, refresh in old:
            again = _resealing(rt, store_id)
            # What was renewed meanwhile is let be, and looked at in the next round.
            changed += await rt.db.write(
                grants.reseal,
                store_id,
                generation=generation,
                access=again(access, ACCESS),
                refresh=again(refresh, REFRESH) if refresh is not None else None,
            )
    if left := sum(not _is_newest(rt, *at[2:]) for at in await rt.db.read(grants.every_sealed)):
        raise SettingsError(
            f"{left} tokens are still sealed under an older key, by something that runs without "
            f"the new one. Restart all of BrandMind with both keys, then run this again."
        )
    return changed


def _is_newest(rt: Runtime, access: str, refresh: str | None) -> bool:
    return rt.cipher.is_newest(access) and (refresh is None or rt.cipher.is_newest(refresh))


def _resealing(rt: Runtime, store_id: str) -> Callable[[str, str], str]:
    def again(sealed: str, purpose: str) -> str:
        plain = rt.cipher.open(sealed, store_id=store_id, purpose=purpose)
        return rt.cipher.seal(plain, store_id=store_id, purpose=purpose)

    return again


def _after(now: datetime, seconds: int | None) -> datetime | None:
    return now + timedelta(seconds=seconds) if seconds is not None else None


def _lasts(expires_at: datetime | None) -> bool:
    return expires_at is None or expires_at - utc_now() > _EARLY
