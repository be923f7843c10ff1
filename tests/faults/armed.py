"""A worker that can be told to die, or to stand still, at a named point of its own work.

The worker has no hooks: this wraps the functions between which the points lie, and then runs
`worker.main`. An order is a file in the folder FAULTS_ORDERS: whichever worker
passes the point that often carries it out.

    python -m tests.faults.armed             one such worker
    python -m tests.faults.armed --nursery   loads all once and forks a worker for each line read
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

# The points of a page, in the order in which it passes them.
PAGE_POINTS: Final = (
    "before HTTP",
    "after HTTP",
    "after BEGIN",
    "after the upserts",
    "before COMMIT",
    "after COMMIT",
)
# Any transaction of a worker but its heartbeat: claims, checkpoints, stages closed, runs ended.
ANY_POINT: Final = "any transaction"
# Between an export's start at Shopify and the landing of its file.
EXPORT_POINTS: Final = (
    "export started",
    "export id stored",
    "mid-download",
    "between batches",
)
_PAGE: Final = "_land"
_HEARTBEAT: Final = "beat"


class Orders:
    """What this process was told to do at which passage of which point."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._passed: dict[str, int] = {}
        # Held while a transaction of SQLite is open: a process that is stopped within one keeps
        # everybody from writing, which is not what is tried at the points outside.
        self.writing = threading.RLock()

    def passing(self, *points: str) -> None:
        """The work passes a point; `points` are all the names it has."""
        if (order := self._due(points)) is None:
            return
        with self.writing:
            done = self._folder / f"done-{order['id']}"
            draft = done.with_suffix(".draft")
            draft.write_text(json.dumps({"pid": os.getpid(), "at": time.time()}))
            draft.rename(done)
            os.kill(os.getpid(), getattr(signal, order["signal"]))

    def _due(self, points: tuple[str, ...]) -> dict[str, Any] | None:
        path = self._folder / "order"
        with self._lock:
            try:
                order: dict[str, Any] = json.loads(path.read_text())
                if order["point"] not in points:
                    return None
                passed = self._passed[order["id"]] = self._passed.get(order["id"], 0) + 1
                if passed < order["nth"]:
                    return None
                # Of several workers that pass, the one that takes the order away is struck.
                path.unlink()
            except FileNotFoundError:
                return None
            return order


def arm(orders: Orders) -> None:
    """Put the points between the functions of a worker; a function that is gone is an error."""
    from brandmind.db import upserts
    from brandmind.db.session import Database
    from brandmind.shopify.client import ShopifyClient

    write_now: Any = Database.write_now
    send: Any = ShopifyClient._send
    land = upserts.land

    def armed_write(self: Any, act: Any, *args: Any, **kwargs: Any) -> Any:
        names = _names_of(act)

        def within(session: Any, *args: Any, **kwargs: Any) -> Any:
            # Nothing is sent to the database until the first statement; this is BEGIN.
            session.connection()
            orders.passing("after BEGIN" if _PAGE in names else "", *_any(names))
            found = act(session, *args, **kwargs)
            orders.passing("before COMMIT" if _PAGE in names else "", *_any(names))
            return found

        with orders.writing if self.is_sqlite else contextlib.nullcontext():
            found = write_now(self, within, *args, **kwargs)
        orders.passing("after COMMIT" if _PAGE in names else "", *_any(names))
        return found

    async def armed_send(self: Any, *args: Any, **kwargs: Any) -> Any:
        orders.passing("before HTTP")
        found = await send(self, *args, **kwargs)
        orders.passing("after HTTP")
        return found

    def armed_land(*args: Any, **kwargs: Any) -> Any:
        found = land(*args, **kwargs)
        orders.passing("after the upserts")
        return found

    Database.write_now = armed_write  # type: ignore[method-assign]
    ShopifyClient._send = armed_send  # type: ignore[method-assign]
    upserts.land = armed_land


def _names_of(act: Any) -> set[str]:
    names = {getattr(act, "__name__", "")}
    if isinstance(act, functools.partial):
        names.add(act.func.__name__)
    return names


def _any(names: set[str]) -> tuple[str, ...]:
    return () if _HEARTBEAT in names else (ANY_POINT,)


def arm_exports(orders: Orders) -> None:
    """The points of exports."""
    from brandmind.db.slices import SqlSlices
    from brandmind.shopify.bulk import BulkExports, FetchedExport
    from brandmind.shopify.client import ShopifyClient

    started: Any = SqlSlices.started
    start: Any = BulkExports.start
    page: Any = FetchedExport.page
    download: Any = ShopifyClient.download

    async def armed_start(self: Any, text: str) -> Any:
        found = await start(self, text)
        if found is not None:
            orders.passing("export started")
        return found

    async def armed_started(self: Any, *args: Any) -> Any:
        found = await started(self, *args)
        orders.passing("export id stored")
        return found

    async def armed_download(self: Any, url: str, write: Any) -> None:
        def armed(part: bytes) -> None:
            write(part)
            orders.passing("mid-download")

        await download(self, url, armed)

    async def armed_page(self: Any, *args: Any) -> Any:
        orders.passing("between batches")
        return await page(self, *args)

    SqlSlices.started = armed_started  # type: ignore[method-assign]
    BulkExports.start = armed_start  # type: ignore[method-assign]
    FetchedExport.page = armed_page  # type: ignore[method-assign]
    ShopifyClient.download = armed_download  # type: ignore[method-assign]


def make_exports_small(batch: int, stuck_s: float) -> None:
    """Batches of so many records, and less patience with an export that stands still."""
    from brandmind.sync import slicing

    slicing.BATCH = batch  # type: ignore[misc]
    slicing.STUCK_S = stuck_s  # type: ignore[misc]


def make_pages_small(size: int) -> None:
    """Pages of so many records: a small shop then has pages enough for many deaths."""
    from brandmind.shopify import source

    sizes = source.PageSizes
    source.PageSizes = functools.partial(  # type: ignore[assignment, misc]
        sizes, first=size, orders=size, products=size, customers=size
    )


def work() -> None:
    """Be a worker, armed."""
    from brandmind import clock
    from worker.main import main

    # Read when the module was loaded, which for a forked worker was in the nursery.
    clock._OFFSET_FILE = os.environ.get("BRANDMIND_CLOCK_FILE", "")
    orders = Orders(Path(os.environ["FAULTS_ORDERS"]))
    arm(orders)
    arm_exports(orders)
    if batch := os.environ.get("FAULTS_BATCH"):
        make_exports_small(int(batch), float(os.environ["FAULTS_STUCK_S"]))
    if size := os.environ.get("FAULTS_PAGE_SIZE"):
        make_pages_small(int(size))
    main()


# The nursery


def nursery() -> None:
    """Fork a worker for each line of JSON {"id", "env", "console"}; answer with what became of it.

    Loading Python's modules costs two seconds of a core, hundreds of times.
    """
    import gc

    import worker.main  # noqa: F401
    from brandmind.launch.lifeline import tied_to_me

    gc.freeze()
    near, far = socket.socketpair()
    far.setblocking(False)
    signal.set_wakeup_fd(far.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    print(json.dumps({"ready": True}), flush=True)
    told = b""
    while True:
        ready, _, _ = select.select([0, near], [], [])
        if near in ready:
            near.recv(4096)
            _tell_of_the_dead()
        if 0 not in ready:
            continue
        more = os.read(0, 65536)
        if not more:
            os._exit(0)
        *lines, told = (told + more).split(b"\n")
        for line in lines:
            order = json.loads(line)
            pid = _fork(order, tie=tied_to_me(by=signal.SIGKILL))
            print(json.dumps({"id": order["id"], "pid": pid}), flush=True)


def _fork(order: dict[str, Any], *, tie: Callable[[], None] | None) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        if tie is not None:
            tie()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        console = os.open(order["console"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(console, 1)
        os.dup2(console, 2)
        os.environ.clear()
        os.environ.update(order["env"])
        work()
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
        if code:
            print(error.code, file=sys.stderr, flush=True)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _tell_of_the_dead() -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        print(json.dumps({"gone": pid, "code": os.waitstatus_to_exitcode(status)}), flush=True)


if __name__ == "__main__":
    nursery() if "--nursery" in sys.argv else work()
