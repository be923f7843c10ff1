"""Deliveries worked off: fetched again by id, many at once, and landed like a sync's pages."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from brandmind.clock import monotonic_s, utc_now
from brandmind.db import grants, inbox, privacy, privacy_acts, pruning, refetched, snapshot
from brandmind.db.inbox import TRIES, Turn, Waiting
from brandmind.db.refetched import LOOK_AGAIN_S, Fetched, ids_of
from brandmind.errors import (
    AccessRefused,
    BrandMindError,
    Fenced,
    NotFound,
    ShopifyUnavailable,
    ShopUnavailable,
    Throttled,
    TokenExpired,
    TokenRevoked,
)
from brandmind.logs import bind
from brandmind.owner import is_gone
from brandmind.services import shops, stores
from brandmind.sync.deliveries import ALWAYS, Act
from brandmind.sync.stages import Stage

if TYPE_CHECKING:
    from brandmind.runtime import Runtime
    from brandmind.shopify.source import ShopifySource

log = logging.getLogger(__name__)

# A flood of one store leaves the others their turn after so many.
_A_TURN: Final = 240
# Ids of one question to the shop and one commit; by their cost four requests at most.
_AT_ONCE: Final = {Stage.ORDERS: 60, Stage.PRODUCTS: 60, Stage.CUSTOMERS: 200}
_REFETCHED: Final = (Act.REFETCH, Act.CONFIRM_GONE, Act.MERGE)
_LEASE_S: Final = 15.0
_PURGE_EVERY_S: Final = 60.0
# While the shop does not answer: not the delivery's fault, so no try of it is counted.
_AWAY: Final = (ShopifyUnavailable, ShopUnavailable, Throttled, TokenExpired, TokenRevoked)
_LONGEST_WAIT_S: Final = 300.0
_CLOCKS_DIFFER: Final = timedelta(minutes=5)


async def work(rt: Runtime, *, store_id: str | None = None) -> int:
    """Work off what is due, store by store; how many deliveries were looked at."""
    looked_at = 0
    while True:
        # Read first: on SQLite a look that finds nothing must not stand in line with the writers.
        due = await rt.db.read(inbox.next_due, store_id=store_id)
        if due is None:
            return looked_at
        turn = await rt.db.write(inbox.begin, due, owner=rt.owner)
        if turn is None:
            continue
        try:
            with bind(store=turn.store_id):
                looked_at += await _serve(rt, turn)
        except (Fenced, NotFound):
            log.info("the installation is over; its deliveries are dropped")
        finally:
            await rt.db.write(inbox.give_back, turn)


async def any_due(rt: Runtime) -> bool:
    """Whether a delivery waits that nobody works on."""
    return await rt.db.read(inbox.next_due) is not None


class Keeper:
    """What keeps deliveries going when processes die: turns freed, changes told, rows purged.

    Like the reaper it trusts no clock but its own monotonic one.
    """

    def __init__(self, rt: Runtime, *, lease_s: float = _LEASE_S) -> None:
        self._rt = rt
        self._lease_s = lease_s
        self._seen: dict[str, tuple[int, int, float]] = {}
        self._purged_s = -_PURGE_EVERY_S

    async def look(self) -> None:
        """One look round."""
        now_s = monotonic_s()
        held = await self._rt.db.read(inbox.held)
        for store_id, turn, beat, owner in held:
            seen = self._seen.get(store_id)
            if seen is None or seen[:2] != (turn, beat):
                seen = self._seen[store_id] = (turn, beat, now_s)
            gone = owner != self._rt.owner and is_gone(owner)
            if gone or now_s - seen[2] >= self._lease_s:
                await self._rt.db.write(inbox.free, store_id, turn=turn, beat=beat)
        alive = {store_id for store_id, *_ in held}
        self._seen = {one: at for one, at in self._seen.items() if one in alive}
        for store_id, _seq in await self._rt.db.read(inbox.untold):
            if not await tell(self._rt, store_id):
                break
        if now_s - self._purged_s >= _PURGE_EVERY_S:
            self._purged_s = now_s
            for store_id in await self._rt.db.read(inbox.stores_with_settled):
                await self._rt.db.write(inbox.purge, store_id)
            await self._rt.db.write(privacy_acts.drop_old_exports)
            # No more than one round a look: what is left has its turn a minute later.
            await self._rt.db.write(pruning.prune_sessions, now=utc_now())


async def tell(rt: Runtime, store_id: str) -> bool:
    """Tell watchers what deliveries changed; False if nobody could be told. Never raises."""
    try:
        seq = await rt.db.read(inbox.seq_of, store_id)
        progress = await rt.db.read(snapshot.progress, store_id)
        if not await rt.signals.progress(progress):
            return False
        await rt.db.write(inbox.told, store_id, seq)
    except Exception as error:
        log.warning("could not announce: %s", type(error).__name__)
    return True


async def _serve(rt: Runtime, turn: Turn) -> int:
    rows = await rt.db.read(inbox.due, turn.store_id, limit=_A_TURN, always=turn.paused)
    over = [row for row in rows if row.epoch != turn.epoch and row.act not in ALWAYS]
    if over:
        await rt.db.write(
            inbox.settle,
            turn.store_id,
            [row.webhook_id for row in over],
            note="of an installation that is over",
        )
    unread = [
        row
        for row in rows
        if row.stage is Stage.CUSTOMERS and row.act is Act.REFETCH and not turn.reads_customers
    ]
    if unread:
        await rt.db.write(
            inbox.settle,
            turn.store_id,
            [row.webhook_id for row in unread],
            note="customers are not read",
        )
    current = [row for row in rows if row not in over and row not in unread]
    for stage, at_once in _AT_ONCE.items():
        mine = [row for row in current if row.stage is stage and row.act in _REFETCHED]
        for chunk in _chunks(mine, at_once):
            await _refetch(rt, turn, stage, chunk)
    for row in current:
        if row.act not in _REFETCHED:
            await _do(rt, turn, row)
    return len(rows)


def _chunks(rows: Sequence[Waiting], at_once: int) -> Iterator[list[Waiting]]:
    """The rows in lots of about so many different ids; rows of an id stay together."""
    lot: list[Waiting] = []
    ids: set[int] = set()
    for row in sorted(rows, key=lambda row: (row.shopify_id or 0, row.webhook_id)):
        if len(ids | {*ids_of(row)}) > at_once and lot:
            yield lot
            lot, ids = [], set()
        lot.append(row)
        ids.update(ids_of(row))
    if lot:
        yield lot


async def _refetch(rt: Runtime, turn: Turn, stage: Stage, rows: list[Waiting]) -> None:
    """Fetch, land and settle; what fails for its own reasons is found by halving the lot."""
    ids = sorted({one for row in rows for one in ids_of(row)})
    try:
        read_no = await rt.db.write(refetched.take_read_no, turn)
        found = await source_of(rt, turn).by_ids(stage, ids)
        landing = await rt.db.write(
            refetched.land,
            turn,
            Fetched(stage, read_no, found.records, found.missing, found.rejects, rows),
        )
        if landing.left_days:
            await _recount(rt, turn)
        if landing.changed:
            await tell(rt, turn.store_id)
    except (Fenced, NotFound):
        raise
    except _AWAY as error:
        await _wait(rt, turn, rows, error)
    except Exception as error:
        if len(rows) > 1:
            middle = len(rows) // 2
            await _refetch(rt, turn, stage, rows[:middle])
            await _refetch(rt, turn, stage, rows[middle:])
            return
        await _failed(rt, turn, rows[0], error)


async def _recount(rt: Runtime, turn: Turn) -> None:
    left = 1
    while left:
        left = await rt.db.write(refetched.recount, turn)


async def _do(rt: Runtime, turn: Turn, row: Waiting) -> None:
    try:
        note = await _ACTS[row.act](rt, turn, row)
        if note is not None:
            await rt.db.write(inbox.settle, turn.store_id, [row.webhook_id], note=note)
    except (Fenced, NotFound):
        raise
    except _AWAY as error:
        await _wait(rt, turn, [row], error)
    except Exception as error:
        await _failed(rt, turn, row, error)


async def _scopes(rt: Runtime, turn: Turn, _row: Waiting) -> str | None:
    facts = await source_of(rt, turn).shop()
    await rt.db.write(refetched.keep_scopes, turn, facts.scopes)
    await tell(rt, turn.store_id)
    return ""


async def _bulk(rt: Runtime, turn: Turn, _row: Waiting) -> str | None:
    # The operation's own state is asked of the shop by whoever waits for it.
    for run_id in await rt.db.write(refetched.hasten, turn):
        await rt.jobs.ring(run_id)
    return ""


async def _uninstalled(rt: Runtime, turn: Turn, row: Waiting) -> str | None:
    """Believed only if it was said after this install and the shop refuses our access for good."""
    if not turn.installed:
        return "it had left already"
    if row.triggered_at is None or row.triggered_at < turn.installed_at - _CLOCKS_DIFFER:
        return "of an earlier installation"
    generation = await refused_generation(rt, turn)
    if generation is None:
        if row.tries >= len(LOOK_AGAIN_S):
            return "not confirmed: our access still serves"
        # Said before the access ended; forged ones are asked about a few times and forgotten.
        await rt.db.write(
            inbox.put_off,
            turn.store_id,
            [row.webhook_id],
            delay_s=LOOK_AGAIN_S[row.tries],
            note="not confirmed yet",
            counts_as_try=True,
        )
        return None
    await stores.uninstall(rt, turn.store_id, epoch=turn.epoch, generation=generation)
    return ""


async def _redact_shop(rt: Runtime, turn: Turn, row: Waiting) -> str | None:
    """Have a store that left erased now; of one that is installed it is recorded and dropped."""
    if turn.installed:
        generation = await refused_generation(rt, turn)
        if generation is None:
            await rt.db.write(privacy_acts.refuse_erasure, turn.store_id, cause=row.webhook_id)
            return "the store is installed"
        # Its uninstall was never delivered. The erasure follows by our own timer.
        await stores.uninstall(rt, turn.store_id, epoch=turn.epoch, generation=generation)
        return "the store has left: it is erased in 48 hours"
    if row.epoch != turn.epoch:
        return "of an installation that is over"
    await rt.db.write(privacy.order_erasure, turn.store_id, epoch=turn.epoch, cause=row.webhook_id)
    return ""


async def refused_generation(rt: Runtime, turn: Turn) -> int | None:
    """The generation of the store's grant if the shop refuses it for good; None if it serves.

    Asked twice, with the renewal that a refused token is due in between; raises what says
    nothing about the grant: a shop that is frozen, locked, slow or away.
    """
    before = await rt.db.read(grants.find, turn.store_id)
    if before is None:
        return None
    for _ in range(2):
        try:
            await source_of(rt, turn).shop()
        except TokenRevoked:
            continue
        return None
    after = await rt.db.read(grants.find, turn.store_id)
    if after is None or after.generation != before.generation:
        return None
    if after.grant.kind == "oauth" and after.grant.access_expires_at and not after.is_dead:
        return None
    return after.generation


def source_of(rt: Runtime, turn: Turn) -> ShopifySource:
    """The store's shop, within the budget that its syncs draw on too."""
    return shops.source(rt, turn.store_id, domain=turn.domain, currency=turn.currency)


async def _wait(rt: Runtime, turn: Turn, rows: Sequence[Waiting], error: BrandMindError) -> None:
    """The shop cannot answer now: again soon, then less and less often, and never given up."""
    for row in rows:
        asked_s = getattr(error, "retry_after_s", None) or 0.0
        age_s = await rt.db.read(inbox.age_s, row.received_at)
        await rt.db.write(
            inbox.put_off,
            turn.store_id,
            [row.webhook_id],
            delay_s=min(max(age_s / 2, asked_s, 2.0), _LONGEST_WAIT_S),
            note=type(error).__name__,
        )


async def _failed(rt: Runtime, turn: Turn, row: Waiting, error: Exception) -> None:
    name = type(error).__name__
    if isinstance(error, AccessRefused):
        await rt.db.write(
            inbox.settle, turn.store_id, [row.webhook_id], note="Shopify does not show it to us"
        )
        return
    log.error("a delivery of %s failed: %s", row.topic, name, exc_info=error)
    if row.tries + 1 >= TRIES:
        await rt.db.write(inbox.put_aside, turn.store_id, [row.webhook_id], note=name)
        return
    await rt.db.write(
        inbox.put_off,
        turn.store_id,
        [row.webhook_id],
        delay_s=float(4**row.tries),
        note=name,
        counts_as_try=True,
    )


async def _redact_customer(rt: Runtime, turn: Turn, row: Waiting) -> str | None:
    assert row.shopify_id is not None
    await rt.db.write(
        privacy.redact_customer,
        turn,
        cause=row.webhook_id,
        customer_id=row.shopify_id,
        orders=row.others,
    )
    await tell(rt, turn.store_id)
    return ""


async def _give_out(rt: Runtime, turn: Turn, row: Waiting) -> str | None:
    assert row.shopify_id is not None
    await rt.db.write(
        privacy.give_out,
        turn,
        cause=row.webhook_id,
        customer_id=row.shopify_id,
        orders=row.others,
    )
    return ""


_ACTS: Final = {
    Act.SCOPES: _scopes,
    Act.BULK: _bulk,
    Act.DATA_REQUEST: _give_out,
    Act.REDACT_CUSTOMER: _redact_customer,
    Act.UNINSTALL: _uninstalled,
    Act.REDACT_SHOP: _redact_shop,
}
