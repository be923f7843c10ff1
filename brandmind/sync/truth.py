"""What is stored is held against the shop: counts of closed windows, and ids where they differ.

A count that is short leads to another reading, one that is over to a comparison of ids. Absence
from a listing is only a suspicion: a record is removed once the shop says by its id that it is
gone, with the scopes it had before.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from brandmind.errors import AccessRefused
from brandmind.sync.ports import Found, Ledger, Proof, Source, Total, Window
from brandmind.sync.stages import Stage

# So many may be gone at once: one in a hundred, but a hundred at most, and ten in a small store.
_MANY: Final = 100
_FEW: Final = 10
_FETCHED_AT_ONCE: Final = 100
# More than these are read with their whole window, which costs fewer requests.
_BY_ID: Final = 500


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a stage stands: windows that are `short`, and how many records too many vanished at once
    to be believed (0: none)."""

    short: tuple[Proof, ...]
    vanished: int = 0

    @property
    def short_by(self) -> int:
        return sum(proof.short_by for proof in self.short)


@dataclass(frozen=True, slots=True)
class _Difference:
    """How the ids of a window differ: `missing` here, `absent` from the shop's listing."""

    window: Window
    read_no: int
    missing: tuple[int, ...]
    absent: tuple[int, ...]
    redacted: int
    total: int

    @property
    def any(self) -> bool:
        return bool(self.missing or self.absent or self.redacted)


class Truth:
    """Holds the stages of one run against the shop, and puts right what can be put right."""

    def __init__(self, source: Source, ledger: Ledger) -> None:
        self._source = source
        self._ledger = ledger

    async def try_again(self, stage: Stage) -> None:
        """Fetch what could not be read in an earlier run."""
        await self._fetch(stage, await self._ledger.rejected(stage))

    async def follow_orders(self, stage: Stage) -> None:
        """Fetch the customers of orders that were read after them: what they spent has changed,
        and their own time of change does not tell of it."""
        if stage.resource == "customers":
            await self._fetch(stage, sorted(await self._ledger.buyers_of_late()))

    async def shown_again(self, stage: Stage) -> bool:
        """Whether the shop shows now what it hid, asked by a few records that are stored."""
        some = await self._ledger.some(stage)
        if not some:
            return False
        found = await self._source.by_ids(stage, some)
        return bool(found.records) and not found.restricted

    async def judge(self, stage: Stage) -> Verdict:
        """Count the stage's windows at the shop and here, and compare ids where it is due."""
        plan = await self._ledger.proof_plan(stage)
        proofs = await self._prove(stage, plan.count)
        over = [proof.window for proof in proofs if proof.over_by]
        doubtful = await self._with_removed(stage, proofs)
        differ = [
            await self._compare(stage, window)
            for window in dict.fromkeys([*over, *doubtful, *plan.compare])
        ]
        vanished = await self._settle(stage, differ)
        if unseen := await self._ledger.not_seen_again(stage):
            await self._remove(stage, unseen, read_no=await self._ledger.take_read_no())
        changed = [one.window for one in differ if one.any]
        if changed:
            counted = {proof.window: proof for proof in proofs}
            again = await self._prove(stage, tuple(changed))
            proofs = tuple((counted | {proof.window: proof for proof in again}).values())
        short = tuple(proof for proof in proofs if proof.short_by)
        if plan.checks and stage is Stage.CUSTOMERS and not short:
            await self._fetch_too(Stage.ORDERS, await self._ledger.orders_of_nobody())
            await self._fetch(stage, await self._ledger.customers_miscounted())
        return Verdict(short, vanished)

    async def _prove(self, stage: Stage, windows: Sequence[Window]) -> tuple[Proof, ...]:
        if not windows:
            return ()
        totals = await self._source.counts([(stage, window) for window in windows])
        return await self._ledger.prove(stage, dict(zip(windows, totals, strict=True)))

    async def _with_removed(self, stage: Stage, proofs: Sequence[Proof]) -> list[Window]:
        """Short windows that may lack only what must not come back."""
        short = [proof.window for proof in proofs if proof.short_by]
        if not short:
            return []
        known = await self._ledger.known(stage, short[0])
        return short if known.redacted else []

    async def _compare(self, stage: Stage, window: Window) -> _Difference:
        """Which ids of a window differ here and at the shop."""
        read_no = await self._ledger.take_read_no()
        theirs: set[int] = set()
        async for ids in self._source.ids(stage, window):
            theirs.update(ids)
        known = await self._ledger.known(stage, window)
        redacted = theirs & known.redacted
        return _Difference(
            window,
            read_no,
            missing=tuple(sorted(theirs - known.ids.keys() - redacted)),
            # A row that a later request brought is no older than the listing that lacks it.
            absent=tuple(sorted({one for one, no in known.ids.items() if no < read_no} - theirs)),
            redacted=len(redacted),
            total=known.total,
        )

    async def _settle(self, stage: Stage, differ: Sequence[_Difference]) -> int:
        """Put right what differs; how many are gone at once beyond belief, 0 if none."""
        absent = sum(len(one.absent) for one in differ)
        beyond = absent > believable(max((one.total for one in differ), default=0))
        for one in differ:
            if len(one.missing) <= _BY_ID:
                await self._fetch(stage, one.missing)
            if one.absent and not beyond:
                await self._remove(stage, one.absent, read_no=one.read_no)
            await self._ledger.compared(
                stage, one.window, redacted=one.redacted, complete=not (one.absent and beyond)
            )
        return absent if beyond else 0

    async def _fetch(self, stage: Stage, ids: Sequence[int]) -> Found:
        """Fetch records by their ids and write them; what the shop says is missing is returned."""
        missing: list[int] = []
        for start in range(0, len(ids), _FETCHED_AT_ONCE):
            read_no = await self._ledger.take_read_no()
            batch = list(ids[start : start + _FETCHED_AT_ONCE])
            found = await self._source.by_ids(stage, batch)
            await self._ledger.land_found(stage, found, read_no=read_no)
            missing += found.missing
        return Found((), tuple(missing))

    async def _remove(self, stage: Stage, absent: Sequence[int], *, read_no: int) -> None:
        """Remove what the shop, asked by id, does not have; write what it has after all."""
        gone = (await self._fetch(stage, absent)).missing
        if not gone:
            return
        # A scope lost meanwhile would make what is hidden look deleted.
        if (await self._source.shop()).scopes != await self._ledger.scopes():
            return
        if stage.resource == "customers":
            # Perhaps merged into another, whom their orders name now.
            orders = await self._ledger.orders_of(gone)
            await self._ledger.bury(stage, gone, read_no=read_no)
            await self._fetch_too(Stage.ORDERS, orders)
        elif stage.resource == "orders":
            # Their customers have spent less now, and their own time of change may not tell.
            customers = await self._ledger.customers_of(gone)
            await self._ledger.bury(stage, gone, read_no=read_no)
            await self._fetch_too(Stage.CUSTOMERS, customers)
        else:
            await self._ledger.bury(stage, gone, read_no=read_no)

    async def _fetch_too(self, stage: Stage, ids: Sequence[int]) -> None:
        """Fetch records of another stage, which has to say itself if they are refused."""
        with suppress(AccessRefused):
            await self._fetch(stage, ids)


def believable(total: int) -> int:
    """How many of `total` stored records may be gone at once."""
    return max(_FEW, min(_MANY, total // 100))


def total_of(proof: Proof) -> Total:
    """The shop's count of a proof."""
    return Total(proof.counted, exact=proof.exact)
