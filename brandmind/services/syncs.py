"""Syncs: asked for, worked on, retried, cancelled, looked at."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Iterable
from datetime import datetime
from functools import partial

from brandmind.db import requests, runs, slices, snapshot, stores
from brandmind.db.ledger import SqlLedger
from brandmind.db.slices import SqlSlices
from brandmind.errors import Fenced, NotFound, ShopifyError, StorageFull
from brandmind.logs import bind
from brandmind.runtime import Runtime
from brandmind.services import dna, exports, tokens
from brandmind.services.announcing import LiveAnnouncer, announce
from brandmind.services.heart import Heart
from brandmind.shopify.bulk import BulkExports
from brandmind.shopify.client import ShopifyClient, Usage
from brandmind.shopify.source import ShopifySource
from brandmind.sync import recovery
from brandmind.sync.engine import Engine, Outcome
from brandmind.sync.forecast import Forecast
from brandmind.sync.plan import Choice, is_quick
from brandmind.sync.ports import Total
from brandmind.sync.progress import StoreProgress
from brandmind.sync.slicing import SlicedReader
from brandmind.sync.stages import Kind, Stage

log = logging.getLogger(__name__)


async def request(
    rt: Runtime,
    store_id: str,
    *,
    by: str | None,
    kind: Kind | None = None,
    only: Iterable[Stage] | None = None,
    limited: bool = True,
) -> str:
    """Ask for a sync; the id of its run.

    Raises SyncAlreadyRunning, TooManySyncs (three an hour where `limited`), StorePaused,
    NotAllowed for a store that has left, NotFound.
    """
    run_id = await rt.db.write(
        requests.request, store_id, by=by, kind=kind, only=only, limited=limited
    )
    await _woken(rt, run_id, store_id)
    return run_id


async def retry(rt: Runtime, store_id: str, *, by: str | None, from_start: bool = False) -> str:
    """Put the failed or cancelled run back, from where it stopped or from its start; its id.

    Raises SyncAlreadyRunning, TooManySyncs (ten an hour), StorePaused, NotAllowed, NotFound.
    """
    run_id = await rt.db.write(requests.retry, store_id, by=by, from_start=from_start)
    await _woken(rt, run_id, store_id)
    return run_id


async def cancel(rt: Runtime, store_id: str, *, by: str) -> None:
    """End what runs, keep what is stored. Raises NotFound if nothing runs."""
    ended = await rt.db.write(runs.cancel, store_id, by=by)
    if not ended:
        raise NotFound("There is no sync to cancel.")
    for run_id in ended:
        await announce(rt, run_id, store_id)
    await end_exports(rt, store_id, ended)


async def end_live_exports(rt: Runtime, store_id: str) -> None:
    """Take the exports of all live runs of a store from Shopify, while its token still works."""
    await end_exports(rt, store_id, await rt.db.read(slices.live_runs, store_id))


async def end_exports(rt: Runtime, store_id: str, run_ids: Iterable[str]) -> None:
    """Take from Shopify what these ended runs of a store have asked it to export; best effort."""
    store = await rt.db.read(stores.find, store_id)
    if store is not None:
        await exports.cancel(rt, _client(rt, store_id=store_id, domain=store.domain), run_ids)


async def progress(rt: Runtime, store_id: str) -> StoreProgress:
    """The state of the store's sync. Raises NotFound."""
    return await rt.db.read(snapshot.progress, store_id)


async def full_sync_s(rt: Runtime, store_id: str) -> float | None:
    """How long reading everything took when it was last done, in seconds; None: never yet."""
    return await rt.db.read(requests.full_sync_s, store_id)


async def manual_left(rt: Runtime, store_id: str) -> tuple[int, datetime | None]:
    """How many manual syncs are left this hour; when the next is possible if none is."""
    return await rt.db.read(requests.manual_left, store_id)


async def _woken(rt: Runtime, run_id: str, store_id: str) -> None:
    await rt.jobs.ring(run_id)
    await announce(rt, run_id, store_id)


async def work(rt: Runtime, *, store_id: str | None = None, slice_s: float = 5.0) -> int:
    """Claim and work on due runs, best first, until none is due; how many slices were worked.

    Every fifth claim takes the longest waiting, so that nothing starves. `store_id` limits the
    work to one store.
    """
    worked = 0
    while True:
        claim = await rt.db.write(
            runs.claim_next,
            owner=rt.owner,
            oldest_first=worked % 5 == 4,
            store_id=store_id,
        )
        if claim is None:
            return worked
        worked += 1
        await execute(rt, claim, slice_s=slice_s)


async def resume(rt: Runtime, run_id: str, *, slice_s: float = 5.0) -> None:
    """Work one slice of a run that nobody looked after, then leave it to those who hear bells.

    Claimed again and again by its id it would never give way to a better run of its store. Where
    no bell can be rung, this goes on with whatever is due, best first.
    """
    claim = await rt.db.write(runs.claim_next, owner=rt.owner, oldest_first=False, run_id=run_id)
    if claim is None:
        return
    await execute(rt, claim, slice_s=slice_s)
    if not await rt.jobs.ring(run_id):
        await work(rt, slice_s=slice_s)


async def execute(rt: Runtime, claim: runs.Claim, *, slice_s: float = 5.0) -> None:
    """Work on a claimed run until it is done, has to be given up, or fails.

    Only a cancelled task passes an error on; the run is then put back in the queue first.
    """
    ledger = SqlLedger(rt.db, claim)
    announcer = LiveAnnouncer(rt, ledger)
    heart = Heart(rt.db, claim)
    try:
        with heart:
            try:
                with bind(store=claim.store_id, run=claim.run_id):
                    await _run(rt, claim, ledger, announcer, slice_s=slice_s)
            except Fenced:
                log.info("run %s belongs to another owner now", claim.run_id)
            except asyncio.CancelledError:
                if not heart.lost:
                    # The worker is going down: the next one must not wait for the lease.
                    await asyncio.shield(_hand_on(rt, claim))
                    raise
                # The run was taken from us; this task goes on with others, unless the worker is
                # going down as well.
                task = asyncio.current_task()
                if task is not None and task.uncancel() > 0:
                    raise
        await exports.tidy(rt)
    finally:
        await announcer.close()


async def _run(
    rt: Runtime,
    claim: runs.Claim,
    ledger: SqlLedger,
    announcer: LiveAnnouncer,
    *,
    slice_s: float,
) -> None:
    try:
        client = _client(rt, store_id=claim.store_id, domain=claim.domain)
        source = ShopifySource(client, currency=claim.currency, take_read_no=ledger.take_read_no)
        announcer.waiting_s = lambda: source.waiting_s
        announcer.left_s = partial(_left_s, source, _choice(rt), Forecast())
        try:
            outcome = await Engine(
                source=source,
                reader=_reader(rt, claim, client, source),
                ledger=ledger,
                announcer=announcer,
                portray=lambda: dna.portray(rt, ledger),
                slice_s=slice_s,
            ).run()
        finally:
            await _note_usage(rt, claim, client.usage)
        if outcome is Outcome.YIELDED:
            await rt.db.write(runs.set_down, claim, name="yielded")
            return
        follows = await rt.db.write(runs.finish, claim)
        if follows is not None:
            await rt.jobs.ring(follows)
    except (Fenced, asyncio.CancelledError):
        raise
    except Exception as error:
        await _after_error(rt, claim, error)


async def _note_usage(rt: Runtime, claim: runs.Claim, usage: Usage) -> None:
    """What the slice has cost, into the run's row; no reason for it to fail."""
    cost = {
        "requests": usage.requests,
        "points": usage.points,
        "throttled": usage.throttled,
        "bytes": usage.body_bytes,
    }
    try:
        await rt.db.write(runs.note_usage, claim, cost)
    except Fenced:
        return
    except Exception as error:
        log.warning("run %s: its cost was not noted: %s", claim.run_id, type(error).__name__)


def _client(rt: Runtime, *, store_id: str, domain: str) -> ShopifyClient:
    return ShopifyClient(
        rt.http,
        origin=rt.settings.shopify_origin,
        domain=domain,
        token=tokens.StoreToken(rt, store_id),
        pacer=rt.pacers.of(store_id),
    )


def _reader(
    rt: Runtime, claim: runs.Claim, client: ShopifyClient, source: ShopifySource
) -> SlicedReader:
    return SlicedReader(
        source=source,
        exports=BulkExports(client, source, folder=rt.settings.exports_dir),
        book=SqlSlices(rt.db, claim),
        choice=_choice(rt),
        points_per_s=lambda: client.budget.restore_per_s if client.budget else None,
    )


def _choice(rt: Runtime) -> Choice:
    return Choice(mode=rt.settings.read_by, slice_records=rt.settings.export_records)


def _left_s(
    source: ShopifySource, choice: Choice, forecast: Forecast, progress: StoreProgress
) -> float | None:
    limit = source.limit
    rate = limit.restore_per_s if limit else None
    counted = [(at.stage, at.total) for at in progress.stages if at.total is not None]
    if not all(is_quick(one, Total(of), choice=choice, points_per_s=rate) for one, of in counted):
        # What Shopify exports costs no points; its pace tells more.
        return None
    return forecast.left_s(
        progress,
        bucket=limit,
        spent=source.spent,
        price=source.page_price,
    )


async def _after_error(rt: Runtime, claim: runs.Claim, error: Exception) -> None:
    if isinstance(error, StorageFull):
        # Said first: there may be no room to write it down.
        log.error("run %s waits: %s", claim.run_id, error.message)
    failing_for_s = 0.0
    attempt = await rt.db.read(runs.attempt_of, claim.run_id)
    if attempt.failing_since is not None:
        failing_for_s = (attempt.now - attempt.failing_since).total_seconds()
    decision = recovery.decide(
        error,
        attempt=attempt.tries + 1,
        failing_for_s=failing_for_s,
        retries=claim.retries,
        jitter=random.random(),  # noqa: S311
    )
    if decision.kind in ("ours", "data") and not isinstance(error, StorageFull):
        log.error("run %s: %s", claim.run_id, type(error).__name__, exc_info=error)
    else:
        log.warning("run %s: %s (%s)", claim.run_id, type(error).__name__, decision.action)
    request_ref = error.request_id if isinstance(error, ShopifyError) else None
    if decision.action == "fail":
        await rt.db.write(
            runs.fail,
            claim,
            error=decision.sentence,
            error_kind=decision.kind,
            request_ref=request_ref,
            retry_in_s=decision.delay_s,
        )
        return
    await rt.db.write(
        runs.set_down,
        claim,
        name="waiting" if decision.action == "wait" else "will try again",
        delay_s=decision.delay_s or 0.0,
        waiting=decision.waiting,
        error=decision.sentence,
        error_kind=decision.kind,
        request_ref=request_ref,
        counts_as_try=decision.action == "retry",
    )


async def _hand_on(rt: Runtime, claim: runs.Claim) -> None:
    await _set_down(rt, claim, name="worker stopped")
    # Otherwise the others find it only once nobody has claimed it for two seconds.
    await rt.jobs.ring(claim.run_id)


async def _set_down(rt: Runtime, claim: runs.Claim, *, name: str) -> None:
    try:
        await rt.db.write(runs.set_down, claim, name=name)
    except Fenced:
        return
