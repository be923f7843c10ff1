"""What is stored is held against the shop: counts of closed windows, and ids where they differ.

A count that is short leads to another reading, one that is over to a comparison of ids. Absence
from a listing is only a suspicion: a record is removed once the shop says by its id that it is
gone, with the scopes it had before.
"""

from __future__ import annotations

from collections.abc import Sequence
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
        vanished, changed = 0, []
        for window in dict.fromkeys([*over, *doubtful, *plan.compare]):
            gone, differed = await self._compare(stage, window)
            vanished += gone
            if differed:
                changed.append(window)
        if changed:
            counted = {proof.window: proof for proof in proofs}
            again = await self._prove(stage, tuple(changed))
            proofs = tuple((counted | {proof.window: proof for proof in again}).values())
        short = tuple(proof for proof in proofs if proof.short_by)
        if plan.checks and stage is Stage.CUSTOMERS and not short:
            await self._fetch(Stage.ORDERS, await self._ledger.orders_of_nobody())
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

    async def _compare(self, stage: Stage, window: Window) -> tuple[int, bool]:
        """Compare the ids of a window: how many vanished beyond belief, and if any differed."""
        read_no = await self._ledger.take_read_no()
        theirs: set[int] = set()
        async for ids in self._source.ids(stage, window):
            theirs.update(ids)
        known = await self._ledger.known(stage, window)
        redacted = theirs & known.redacted
        missing = theirs - known.ids.keys() - redacted
        # A row that a later request brought is no older than the listing that lacks it.
        absent = {one for one, no in known.ids.items() if no < read_no} - theirs
        if len(missing) <= _BY_ID:
            await self._fetch(stage, sorted(missing))
        beyond = len(absent) > believable(known.total)
        if absent and not beyond:
            await self._remove(stage, sorted(absent), read_no=read_no)
        await self._ledger.compared(stage, window, redacted=len(redacted), complete=not beyond)
        return (len(absent) if beyond else 0), bool(absent or missing or redacted)

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
            await self._fetch(Stage.ORDERS, orders)
        elif stage.resource == "orders":
            # Their customers have spent less now, and their own time of change may not tell.
            customers = await self._ledger.customers_of(gone)
            await self._ledger.bury(stage, gone, read_no=read_no)
            await self._refresh(customers)
        else:
            await self._ledger.bury(stage, gone, read_no=read_no)

    async def _refresh(self, customers: Sequence[int]) -> None:
        try:
            await self._fetch(Stage.CUSTOMERS, customers)
        except AccessRefused:
            # Customers have a stage of their own to say so.
            return


def believable(total: int) -> int:
    """How many of `total` stored records may be gone at once."""
    return max(_FEW, min(_MANY, total // 100))


def total_of(proof: Proof) -> Total:
    """The shop's count of a proof."""
    return Total(proof.counted, exact=proof.exact)
