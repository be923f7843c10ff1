"""Group 13: PostgreSQL is restarted in the midst of a sync; the disk is full and has room again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from brandmind.db.migrate import upgrade
from tests.faults.ground import until
from tests.faults.groups.deaths import page_after, seen_to_the_end, stands_at_the_gate
from tests.faults.lane import Kind, Lane
from tests.faults.outcome import Outcome, judge
from tests.faults.reader import Reader
from tests.postgres_cluster import PostgresCluster, postgres_binaries

_SMALL_DISK_KB = 24 * 1024


async def restarted(lane: Lane, kind: Kind, rng: Random, outcome: Outcome, *, times: int) -> None:
    """The server ends properly or by a crash, and comes back; the workers are the same ones."""
    assert kind == "postgres"
    async with lane.arena(kind) as arena:
        pids = {(await arena.starts()).pid for _ in range(2)}
        while outcome.faults < times:
            shop = lane.shop(orders=rng.randint(150, 300))
            shop.hold_after(rng.randint(5, 10))
            store_id = await arena.connect(shop)
            reader = Reader(arena.rt, store_id)
            while outcome.faults < times and await stands_at_the_gate(arena, shop, store_id):
                crash = rng.random() < 0.5
                await asyncio.to_thread(
                    lane.cluster.stop, by=signal.SIGQUIT if crash else signal.SIGINT
                )
                outcome.faults += 1
                shop.go_on()
                shop.hold_after(rng.randint(10, 16))
                await asyncio.sleep(rng.uniform(0.0, 1.5))
                await asyncio.to_thread(lane.cluster.start)
                outcome.recoveries_s.append(await page_after(arena, store_id, time.time()))
            shop.go_on()
            await arena.completed(store_id)
            await seen_to_the_end(reader, outcome)
            await judge(outcome, arena, shop, store_id, peace=await lane.peace(shop))
        now = {worker.pid for worker in arena.alive()}
        outcome.hold(now == pids, f"workers {pids} have become {now}")


async def disk_full(lane: Lane, kind: Kind, rng: Random, outcome: Outcome, *, times: int) -> None:
    """The disk of the database is full for some seconds; the log says so, and the sync goes on."""
    with contextlib.ExitStack() as stack:
        disk = stack.enter_context(_small_disk(lane.new_folder()))
        if disk is None:
            outcome.notes.append("not tried: no small file system can be mounted here")
            return
        url = await asyncio.to_thread(_database_on, lane, kind, disk, stack)
        async with lane.arena(kind, database_url=url) as arena:
            worker = await arena.starts()
            while outcome.faults < times:
                shop = lane.shop(orders=rng.randint(150, 300))
                shop.hold_after(rng.randint(6, 14))
                store_id = await arena.connect(shop)
                reader = Reader(arena.rt, store_id)
                await until(lambda shop=shop: shop.waiting)  # type: ignore[misc]
                if kind == "sqlite":
                    # Room within the log of a former page would do for some more of them.
                    await until(lambda: _log_is_empty(disk / "brandmind.db"))
                ballast = _fill(disk)
                outcome.faults += 1
                said = len(worker.console)
                shop.go_on()
                await until(lambda said=said: "disk is full" in worker.console[said:])  # type: ignore[misc]
                ballast.unlink()
                outcome.recoveries_s.append(await page_after(arena, store_id, time.time()))
                await arena.completed(store_id)
                await seen_to_the_end(reader, outcome)
                await judge(outcome, arena, shop, store_id, peace=await lane.peace(shop))
            outcome.hold(worker.is_alive, "the worker has ended")


@contextlib.contextmanager
def _small_disk(at: Path) -> Iterator[Path | None]:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_SMALL_DISK_KB}k", "tmpfs", str(at)],
        capture_output=True,
    )
    if mounted.returncode:
        yield None
        return
    try:
        yield at
    finally:
        subprocess.run(["umount", "-l", str(at)], capture_output=True)


def _database_on(lane: Lane, kind: Kind, disk: Path, stack: contextlib.ExitStack) -> str:
    if kind == "sqlite":
        made = lane.database("sqlite", lane.new_folder()).removeprefix("sqlite:///")
        shutil.copyfile(made, disk / "brandmind.db")
        return f"sqlite:///{disk / 'brandmind.db'}"
    # The server's own user has to reach it.
    account = pwd.getpwnam("postgres")
    for folder in (disk, disk / "tables"):
        folder.mkdir(exist_ok=True)
        os.chown(folder, account.pw_uid, account.pw_gid)
    for above in (disk.parent, lane.folder):
        above.chmod(0o711)
    binaries = postgres_binaries()
    assert binaries is not None
    # Of its own: a server that is restarted wants to find every table space again.
    cluster = stack.enter_context(PostgresCluster(binaries))
    upgrade(cluster.create("template_migrated"))
    return cluster.create_in(disk / "tables", "on_a_small_disk", template="template_migrated")


def _log_is_empty(database: Path) -> bool:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


def _fill(disk: Path) -> Path:
    ballast = disk / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(65536))
    with contextlib.suppress(OSError), ballast.open("ab", buffering=0) as file:
        while True:
            file.write(bytes(512))
    return ballast
