"""What one lane of the suite stands on: a local Shopify, a nursery of workers, databases, Redis."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from brandmind.db.migrate import upgrade
from brandmind.launch.valkey import EmbeddedValkey, packed_binary
from brandmind.runtime import Runtime, open_runtime
from tests.contract.local_shopify import local_shopify
from tests.faults.ground import Ground, Shop, settings_for, undisturbed, until
from tests.faults.nursery import ArmedWorker, Commands, Nursery
from tests.faults.outcome import Contents
from tests.postgres_cluster import PostgresCluster, postgres_binaries

Kind = Literal["sqlite", "postgres"]
# Records of a page: a shop of some hundred then has pages enough for many deaths.
SMALL_PAGE = 6


class Arena(Ground):
    """The ground of one case: its own database and Redis, and armed workers on it."""

    def __init__(self, rt: Runtime, nursery: Nursery, valkey: EmbeddedValkey) -> None:
        super().__init__(rt)
        self.valkey = valkey
        self._nursery = nursery
        self.armed: list[ArmedWorker] = []
        self.commands = Commands(rt.settings.data_dir)
        # What all its workers are told beside the settings.
        self.told: dict[str, str] = {}

    async def starts(self, *, page_size: int | None = SMALL_PAGE) -> ArmedWorker:
        """An armed worker that is up."""
        worker = await self._nursery.worker(self.rt.settings, page_size=page_size, more=self.told)
        self.armed.append(worker)
        await worker.ready()
        return worker

    async def settled(self, store_id: str, *, within_s: float = 90.0) -> None:
        """Wait until no run of the store is queued or running."""

        async def rests() -> bool:
            return all(row.status not in ("queued", "running") for row in await self.runs(store_id))

        await until(rests, within_s=within_s, every_s=0.05)

    def alive(self) -> list[ArmedWorker]:
        return [worker for worker in self.armed if worker.is_alive]

    async def owner(self, store_id: str) -> ArmedWorker | None:
        """The worker that has the store now; None if none has."""
        pid = await self.owner_pid(store_id)
        return next((worker for worker in self.alive() if worker.pid == pid), None)

    def end(self) -> None:
        super().end()
        for worker in self.armed:
            worker.end()


class Lane:
    """Opened once and used for one case after another; all of it ends with the block."""

    def __init__(self, folder: Path | None = None) -> None:
        self._given = folder
        self._stack = AsyncExitStack()
        self._numbers = count(1)
        self._cluster: PostgresCluster | None = None
        self._template: Path | None = None
        self._peace: dict[str, Contents] = {}

    async def __aenter__(self) -> Self:
        made = tempfile.TemporaryDirectory(prefix="bm-lane-", dir=self._given)
        self.folder = Path(self._stack.enter_context(made))
        self.shopify = self._stack.enter_context(local_shopify())
        self.nursery = await Nursery.open()
        self._stack.push_async_callback(self.nursery.close)
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    def shop(self, *, orders: int, products: int = 30, customers: int = 60) -> Shop:
        return Shop(self.shopify, orders=orders, products=products, customers=customers)

    @property
    def cluster(self) -> PostgresCluster:
        """This lane's PostgreSQL, started when first asked for."""
        if self._cluster is None:
            binaries = postgres_binaries()
            if binaries is None:
                raise RuntimeError("no PostgreSQL on this machine")
            self._cluster = self._stack.enter_context(PostgresCluster(binaries))
            upgrade(self._cluster.create("template_migrated"))
        return self._cluster

    def new_folder(self) -> Path:
        folder = self.folder / str(next(self._numbers))
        folder.mkdir()
        return folder

    def database(self, kind: Kind, folder: Path) -> str:
        """The address of a fresh migrated database."""
        if kind == "postgres":
            return self.cluster.create(self.cluster.new_name(), template="template_migrated")
        if self._template is None:
            self._template = self.folder / "template.db"
            upgrade(f"sqlite:///{self._template}")
            with sqlite3.connect(self._template) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.close()
        shutil.copyfile(self._template, folder / "brandmind.db")
        return f"sqlite:///{folder / 'brandmind.db'}"

    @asynccontextmanager
    async def arena(
        self, kind: Kind, *, rings: bool = True, database_url: str = ""
    ) -> AsyncIterator[Arena]:
        """The ground of a case; with `rings` false the bells of those who ask are never rung."""
        folder = self.new_folder()
        url = database_url or await asyncio.to_thread(self.database, kind, folder)
        with EmbeddedValkey(folder / "valkey", binary=packed_binary()) as valkey:
            settings = settings_for(
                folder, database_url=url, redis_url=valkey.url, shopify=self.shopify
            )
            async with open_runtime(settings, jobs=rings) as rt:
                arena = Arena(rt, self.nursery, valkey)
                rt.hub.start()
                try:
                    yield arena
                finally:
                    arena.end()
                    await rt.hub.stop()
        shutil.rmtree(folder, ignore_errors=True)

    async def peace(self, shop: Shop, *, fresh: bool = False) -> Contents:
        """What an undisturbed sync stores of the shop as it is; always on SQLite.

        Remembered by shop; `fresh` for one that has changed.
        """
        if fresh or shop.domain not in self._peace:
            folder = self.new_folder()
            url = await asyncio.to_thread(self.database, "sqlite", folder)
            settings = settings_for(folder, database_url=url, shopify=self.shopify, read_by="paged")
            self._peace[shop.domain] = await undisturbed(shop, settings)
            shutil.rmtree(folder, ignore_errors=True)
        return self._peace[shop.domain]
