"""Real processes to try faults on: a local Shopify, workers, and the truth about a shop."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from brandmind.db.models import METADATA
from brandmind.db.session import Database
from brandmind.db.tables import EVENT, RUN
from brandmind.launch.lifeline import tied_to_me
from brandmind.runtime import Runtime, open_runtime
from brandmind.services import by_hand, syncs
from brandmind.settings import Settings
from brandmind.sync.stages import StoreStatus
from tests.faults.invariants import Happened, broken

ROOT = Path(__file__).resolve().parents[2]
KEY = base64.b64encode(bytes(range(32))).decode()
# Bookkeeping: which installation a row belongs to and which request brought it.
_OURS = {"store_id", "read_no"}
TABLES = (
    "product", "variant", "shop_order", "order_line", "order_sale", "order_refund", "customer",
    "daily_sales", "product_sales", "dirty_day",
)  # fmt: skip
_numbers = count(1)


@cache
def _plain_http() -> httpx.Client:
    """The one client: to make another reads every root certificate there is, at each look. It
    speaks http on this machine and needs none of them, and leaves no connection open."""
    return httpx.Client(
        timeout=30,
        verify=False,
        trust_env=False,
        limits=httpx.Limits(max_keepalive_connections=0),
    )


class Shop:
    """One shop of a local Shopify, with its own records and troubles."""

    def __init__(
        self,
        address: str,
        *,
        orders: int = 900,
        products: int = 40,
        customers: int = 300,
        name: str = "",
    ) -> None:
        self.address = address
        self.domain = f"{name or f'shop-{os.getpid()}-{next(_numbers)}'}.myshopify.com"
        self.control(
            "config", unlimited=True, orders=orders, products=products, customers=customers
        )

    def control(self, what: str, *, method: str = "POST", **told: Any) -> dict[str, Any]:
        answer = _plain_http().request(
            method, f"{self.address}/__control/{self.domain}/{what}", json=told
        )
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def token(self) -> str:
        return str(self.control("token")["access_token"])

    def slow(self, seconds: float) -> None:
        self.quick()
        self.control("faults", kind="slow", seconds=seconds)

    def quick(self) -> None:
        self.control("faults?kind=slow", method="DELETE")

    def hold_after(self, requests: int) -> None:
        """Answers stop after so many more, until `go_on`."""
        self.control("gate", after_requests=requests)

    def go_on(self) -> None:
        self.control("gate", method="DELETE")

    @property
    def waiting(self) -> int:
        """Requests that stand at the gate."""
        return int(self.control("gate", method="GET")["waiting"])

    def ids(self, resource: str) -> set[int]:
        """The numbers of all its orders, products or customers."""
        answer = _plain_http().get(
            f"{self.address}/__truth/{self.domain}/ids", params={"resource": resource}, timeout=60
        )
        answer.raise_for_status()
        return set(answer.json()["ids"])


class WorkerProcess:
    """`python -m worker` with the given settings; its console is kept in a file."""

    def __init__(self, settings: Settings, *, clock: Path | None = None) -> None:
        self._console = settings.data_dir / f"worker-{next(_numbers)}.log"
        environment = worker_environment(settings)
        if clock is not None:
            environment["BRANDMIND_CLOCK_FILE"] = str(clock)
        with self._console.open("wb") as console:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "worker"],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                preexec_fn=tied_to_me(by=signal.SIGKILL),
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def console(self) -> str:
        return self._console.read_text(errors="replace")

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    async def ready(self) -> None:
        await until(lambda: "worker ready" in self.console or not self.is_alive)
        assert self.is_alive, self.console

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> None:
        """Gone without leave; nothing to do if it is gone already."""
        self.process.kill()
        self.process.wait()


def worker_environment(settings: Settings) -> dict[str, str]:
    """What a worker process is told of these settings."""
    return os.environ | {
        "BRANDMIND_DATA_DIR": str(settings.data_dir),
        "BRANDMIND_DATABASE_URL": settings.database_url,
        "BRANDMIND_REDIS_URL": settings.redis_url,
        "BRANDMIND_SHOPIFY_ORIGIN": settings.shopify_origin,
        "BRANDMIND_ENCRYPTION_KEYS": f"test:{KEY}",
        "BRANDMIND_SENTRY_DSN": settings.sentry_dsn.get_secret_value(),
    }


async def until(
    holds: Callable[[], Any], *, within_s: float = 60.0, every_s: float = 0.05
) -> float:
    """Look again and again until it holds; the seconds it took. Fails if it takes too long."""
    began_s = time.monotonic()
    while True:
        found = holds()
        if asyncio.iscoroutine(found):
            found = await found
        took_s = time.monotonic() - began_s
        if found:
            return took_s
        if took_s > within_s:
            raise AssertionError(f"did not come true within {within_s:g} s")
        await asyncio.sleep(every_s)


class Ground:
    """A database, a Redis and a local Shopify, with what a test does and sees there."""

    def __init__(self, rt: Runtime) -> None:
        self.rt = rt
        self._workers: list[WorkerProcess] = []

    @property
    def db(self) -> Database:
        return self.rt.db

    async def worker(self, *, clock: Path | None = None) -> WorkerProcess:
        """A worker that is up."""
        started = WorkerProcess(self.rt.settings, clock=clock)
        self._workers.append(started)
        await started.ready()
        return started

    def end(self) -> None:
        for started in self._workers:
            started.end()

    async def connect(self, shop: Shop) -> str:
        """Connect a store; its first sync is queued and rung for. Its id."""
        done = await by_hand.with_token(self.rt, shop.domain, await asyncio.to_thread(shop.token))
        return done.store_id

    async def completed(self, store_id: str, *, within_s: float = 60.0) -> None:
        """Wait until the store is whole, its older orders too."""

        async def is_whole() -> bool:
            progress = await syncs.progress(self.rt, store_id)
            assert progress.status not in (StoreStatus.FAILED, StoreStatus.CANCELLED), progress
            return progress.status is StoreStatus.COMPLETED

        await until(is_whole, within_s=within_s, every_s=0.1)

    async def runs(self, store_id: str) -> list[Any]:
        """The rows of its runs, the oldest first."""
        return await self.db.read(
            lambda session: session.execute(
                sa.select(RUN).where(RUN.c.store_id == store_id).order_by(RUN.c.requested_at)
            ).all()
        )

    async def owner_pid(self, store_id: str) -> int | None:
        """The process that works on the store now; None if none does."""
        for row in await self.runs(store_id):
            if row.status == "running":
                return int(row.owner.split("|")[2])
        return None

    async def pages(self, store_id: str) -> int:
        """How many pages of it were committed so far."""
        return sum(event.name == "page" for event in await self.story(store_id))

    async def story(self, store_id: str | None = None) -> list[Happened]:
        return await self.db.read(story_of, store_id)

    async def assert_whole(self, shop: Shop, store_id: str) -> None:
        """Every record of the shop is stored exactly once, and its runs' story is sound."""
        await asyncio.to_thread(self._hold_against, shop, store_id)
        assert broken(await self.story(store_id)) == []

    def _hold_against(self, shop: Shop, store_id: str) -> None:
        for resource, name in (
            ("orders", "shop_order"), ("products", "product"), ("customers", "customer"),
        ):  # fmt: skip
            table = METADATA.tables[name]
            query = sa.select(table.c.shopify_id).where(table.c.store_id == store_id)
            stored = [
                row.shopify_id
                for row in self.db.read_now(lambda s, q=query: s.execute(q).all())  # type: ignore[misc]
            ]
            assert sorted(stored) == sorted(shop.ids(resource)), resource


def story_of(session: Any, store_id: str | None = None) -> list[Happened]:
    """The events of a store, or of all, in the order in which they were committed."""
    query = sa.select(EVENT).order_by(EVENT.c.event_id)
    if store_id is not None:
        query = query.where(EVENT.c.store_id == store_id)
    return [
        Happened(
            row.run_id, row.store_id, row.name, row.fence, row.stage, row.cursor,
            row.next_cursor, row.count, row.detail,
        )
        for row in session.execute(query)
    ]  # fmt: skip


def contents(db: Database, store_id: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of a store without the bookkeeping, for comparing two syncs byte for byte."""

    def read(session: Any) -> dict[str, list[tuple[Any, ...]]]:
        found = {}
        for name in TABLES:
            table = METADATA.tables[name]
            columns = [column for column in table.columns if column.name not in _OURS]
            rows = session.execute(sa.select(*columns).where(table.c.store_id == store_id))
            found[name] = sorted(
                (tuple(row) for row in rows), key=lambda row: [str(value) for value in row]
            )
        return found

    return db.read_now(read)


async def undisturbed(shop: Shop, settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    """What a sync in peace stores of the shop, in a database of its own."""
    async with open_runtime(settings, jobs=False) as rt:
        ground = Ground(rt)
        store_id = await ground.connect(shop)
        await syncs.work(rt, store_id=store_id)
        await ground.completed(store_id, within_s=1.0)
        return contents(rt.db, store_id)


def settings_for(
    folder: Path, *, database_url: str, redis_url: str = "", shopify: str = "", **more: str
) -> Settings:
    """Settings of processes that belong together."""
    return Settings.load(
        **more,
        data_dir=folder,
        database_url=database_url,
        redis_url=redis_url,
        shopify_origin=f"{shopify}/{{shop}}" if shopify else "https://{shop}",
        encryption_keys=f"test:{KEY}",
    )


@asynccontextmanager
async def standing(settings: Settings, *, rings: bool = True) -> AsyncIterator[Ground]:
    """The ground while it stands; with `rings` false its bells are never rung."""
    async with open_runtime(settings, jobs=rings) as rt:
        ground = Ground(rt)
        try:
            yield ground
        finally:
            with contextlib.suppress(ProcessLookupError):
                ground.end()
