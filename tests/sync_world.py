"""A store, a shop in memory and the acts between them: for tests of the sync over real SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from brandmind.clock import utc_now
from brandmind.db import requests, runs, snapshot
from brandmind.db.ledger import SqlLedger
from brandmind.db.models import METADATA
from brandmind.db.session import Database
from brandmind.db.tables import PROOF, RUN, STAGE, STORE
from brandmind.sync.engine import Engine, Outcome
from brandmind.sync.progress import StoreProgress
from brandmind.sync.stages import Stage
from tests.memory_shop import MemoryShop

STORE_ID = "a11ce00000"


class Nobody:
    """No ears at all."""

    def changed(self) -> None:
        return None


class SyncWorld:
    """One connected store and its shop."""

    def __init__(self, db: Database, shop: MemoryShop) -> None:
        self.db = db
        self.shop = shop

    async def connect(self) -> None:
        """The store is there, its first sync asked for and not begun."""
        await self.db.write(_insert_store)
        await self.db.write(lambda s: runs.insert_first_run(s, STORE_ID, epoch=1))

    async def slice(self) -> bool:
        """Claim the best due run and work on it; False if nothing was due."""
        claim = await self.db.write(runs.claim_next, owner="one", oldest_first=False)
        if claim is None:
            return False
        ledger = SqlLedger(self.db, claim)
        self.shop.take_read_no = ledger.take_read_no
        outcome = await Engine(source=self.shop, ledger=ledger, announcer=Nobody()).run()
        if outcome is Outcome.DONE:
            await self.db.write(runs.finish, claim)
        else:
            await self.db.write(runs.set_down, claim, name="yielded")
        return True

    async def to_the_end(self) -> StoreProgress:
        """Work until nothing is due."""
        while await self.slice():
            pass
        return await self.progress()

    async def first(self) -> StoreProgress:
        """The first sync, whole with its history."""
        await self.connect()
        return await self.to_the_end()

    async def again(self, **asked: Any) -> StoreProgress:
        """Another sync by hand, to its end; the shop's log starts empty."""
        self.shop.asked.clear()
        await self.db.write(requests.request, STORE_ID, by="alice", limited=False, **asked)
        return await self.to_the_end()

    async def progress(self) -> StoreProgress:
        return await self.db.read(snapshot.progress, STORE_ID)

    async def ids(self, table: sa.Table) -> list[int]:
        """The shop's ids of all rows of a table."""

        def read(session: Any) -> list[int]:
            return sorted(session.scalars(sa.select(table.c.shopify_id)))

        return await self.db.read(read)

    async def row(self, table: sa.Table, shopify_id: int) -> Any:
        """One row, None if it is not there."""
        return await self.db.read(
            lambda s: s.execute(sa.select(table).where(table.c.shopify_id == shopify_id)).first()
        )

    async def proofs(self, resource: str = "orders") -> list[Any]:
        """The closed windows of a resource, oldest first."""

        def read(session: Any) -> list[Any]:
            return list(
                session.execute(
                    sa.select(PROOF)
                    .where(PROOF.c.resource == resource)
                    .order_by(PROOF.c.created_before)
                )
            )

        return await self.db.read(read)

    async def a_day_passes(self) -> None:
        """All that happened is a day older."""

        def move(session: Any) -> None:
            day_ago = utc_now() - timedelta(days=1)
            for table in (STAGE, RUN):
                session.execute(sa.update(table).values(finished_at=day_ago))
            session.execute(sa.update(STORE).values(checked_at=day_ago))
            for row in session.execute(sa.select(PROOF)).all():
                session.execute(
                    sa.update(PROOF)
                    .where(
                        PROOF.c.resource == row.resource,
                        PROOF.c.created_before == row.created_before,
                    )
                    .values(compared_at=row.compared_at and row.compared_at - timedelta(days=1))
                )

        await self.db.write(move)

    def asked(self, *starts: str) -> list[str]:
        """What the shop was asked that begins like this."""
        return [what for what in self.shop.asked if what.startswith(starts)]


async def contents(db: Database, *, but: Sequence[str] = ("read_no",)) -> dict[str, list[Any]]:
    """Every commerce row without its bookkeeping, for comparing two syncs byte by byte."""

    def read(session: Any) -> dict[str, list[Any]]:
        found = {}
        for name in (
            "product", "variant", "shop_order", "order_line", "order_sale", "order_refund",
            "customer", "daily_sales", "product_sales",
        ):  # fmt: skip
            table = METADATA.tables[name]
            columns = [column for column in table.columns if column.name not in but]
            rows = session.execute(sa.select(*columns).order_by(*table.primary_key.columns))
            found[name] = [tuple(row) for row in rows]
        return found

    return await db.read(read)


def on_page(shop: MemoryShop, stage: Stage, number: int, act: Any) -> None:
    """Let the shop do something just before it answers with a page."""

    async def before(at: Stage, page: int) -> None:
        if (at, page) == (stage, number):
            shop.before_page = None
            act()

    shop.before_page = before


def _insert_store(session: Any) -> None:
    session.execute(
        sa.insert(STORE).values(
            store_id=STORE_ID,
            domain="harbor-and-pine.myshopify.com",
            name="Harbor & Pine",
            timezone="UTC",
            plan="",
            taxes_included=False,
            scopes="read_orders,read_all_orders",
            epoch=1,
            read_no=0,
            history_done=False,
            installed_at=utc_now(),
        )
    )
