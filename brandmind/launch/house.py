"""The whole house on one machine: what `brandmind demo` and `up` start, and in which order."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from brandmind import logs
from brandmind.errors import SettingsError
from brandmind.launch import frontend
from brandmind.launch.console import say
from brandmind.launch.keys import ensure_key_file
from brandmind.launch.ports import first_free_port
from brandmind.launch.supervisor import DidNotStart, Program, Supervisor
from brandmind.launch.valkey import EmbeddedValkey
from brandmind.settings import (
    DEMO_CLIENT_ID,
    DEMO_CLIENT_SECRET,
    RUNNING_FILE,
    RUNNING_LOCK,
    Settings,
)

SIMULATOR_PORT = 9292
DEMO_SHOP = "harbor-and-pine.myshopify.com"


async def run(settings: Settings) -> int:
    """Start all, keep it running until SIGINT or SIGTERM, stop all. The exit code.

    Raises:
        SettingsError: a setting stands in the way; nothing has been started.
    """
    settings.check_production()
    logs.set_up(as_json=settings.logs_json)
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _this_folder_alone(settings.data_dir):
        house = House(settings)
        try:
            return await house.run()
        finally:
            house.tidy()


class House:
    """One launch: the ports it got, the addresses it made up, the children it keeps."""

    def __init__(self, settings: Settings) -> None:
        self._began = time.monotonic()
        self._demo = settings.demo
        self._settings = settings
        self._data = settings.data_dir
        self._supervisor = Supervisor(
            log_dir=self._data / "logs", say=say, as_json=settings.logs_json
        )
        self._valkey: EmbeddedValkey | None = None
        if not settings.production:
            ensure_key_file(self._data, demo=self._demo)
        self.port = port_for("the web", settings.port, host=settings.host)
        self.simulator_port = port_for("the local Shopify", SIMULATOR_PORT) if self._demo else 0
        given = settings.public_url
        if given == f"http://localhost:{settings.port}":
            given = f"http://localhost:{self.port}"
        self.public_url = given
        self._told = self._what_children_are_told()

    def _what_children_are_told(self) -> dict[str, str]:
        told = {
            "BRANDMIND_DATA_DIR": str(self._data),
            "BRANDMIND_DATABASE_URL": self._settings.database_url,
            "BRANDMIND_HOST": self._settings.host,
            "BRANDMIND_PORT": str(self.port),
            "BRANDMIND_PUBLIC_URL": self.public_url,
            "BRANDMIND_DEMO": "1" if self._demo else "0",
            "BRANDMIND_LOG_FORMAT": self._settings.log_format,
            # Children work in the checkout; the `.env` meant is the one where we were called.
            "BRANDMIND_ENV_FILE": os.path.abspath(os.environ.get("BRANDMIND_ENV_FILE", ".env")),
        }
        if self._demo:
            told |= {
                "BRANDMIND_SHOPIFY_ORIGIN": f"http://127.0.0.1:{self.simulator_port}/{{shop}}",
                "BRANDMIND_SHOPIFY_CLIENT_ID": DEMO_CLIENT_ID,
                "BRANDMIND_SHOPIFY_CLIENT_SECRET": DEMO_CLIENT_SECRET,
            }
        if self._settings.redis_url:
            told["BRANDMIND_REDIS_URL"] = self._settings.redis_url
        else:
            self._valkey = EmbeddedValkey(self._data / "valkey")
            told["BRANDMIND_REDIS_URL"] = self._valkey.url
        return told

    @property
    def supervisor(self) -> Supervisor:
        return self._supervisor

    async def run(self) -> int:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for by in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(by, stop.set)
        starting = asyncio.create_task(self._start())
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({starting, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                await stopped
            say("\nStopping …")
            return 0
        except DidNotStart as why:
            say(f"BrandMind could not start: {why}")
            return 1
        finally:
            starting.cancel()
            stopped.cancel()
            await self._supervisor.stop()

    async def _start(self) -> None:
        ground = [self._start_redis(), self._migrate()]
        if self._demo:
            ground.append(self._supervisor.start(self._simulator()))
        await asyncio.gather(*ground)
        self._write_down()
        programs = [self._worker(no + 1) for no in range(self._settings.workers)]
        await asyncio.gather(
            self._supervisor.start(self._web()),
            *(self._supervisor.start(program) for program in programs),
        )
        self._announce()

    async def _start_redis(self) -> None:
        if self._valkey is None:
            return
        program = self._redis(self._valkey)
        try:
            await self._supervisor.start(program)
        except DidNotStart as why:
            # Another server's files, or torn ones. It only rings bells: the truth is in SQL.
            aside = self._valkey.set_data_aside()
            if aside is None:
                raise
            say(f"{why}\nThe embedded Valkey could not read its data; they are kept in {aside}.")
            await self._supervisor.start(program)

    async def _migrate(self) -> None:
        process = await asyncio.create_subprocess_exec(
            *_python("brandmind", "migrate"),
            env=os.environ | self._told,
            cwd=frontend.HOME,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            words, _ = await process.communicate()
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
            raise
        if process.returncode:
            raise DidNotStart(f"the migrations failed.\n{words.decode(errors='replace').strip()}")

    def _redis(self, valkey: EmbeddedValkey) -> Program:
        async def is_ready() -> bool:
            return await asyncio.to_thread(valkey.is_ready)

        return Program(
            name="valkey",
            argv=valkey.argv,
            env=os.environ,
            is_ready=is_ready,
            ready_within_s=30,
            is_ground=True,
            # Its warnings speak of kernel settings that matter to big installations only.
            is_quiet=True,
        )

    def _simulator(self) -> Program:
        return Program(
            name="simulator",
            argv=_python("brandmind.simulator", "--port", str(self.simulator_port)),
            env=os.environ,
            cwd=frontend.HOME,
            is_ready=_answers(self.simulator_port),
        )

    def _web(self) -> Program:
        return Program(
            name="web",
            argv=_python("brandmind", "web"),
            env=os.environ | self._told,
            cwd=frontend.HOME,
            is_ready=_answers(self.port, path="/ping", host=self._settings.host),
        )

    def _worker(self, number: int) -> Program:
        return Program(
            name=f"worker-{number}",
            argv=_python("worker"),
            env=os.environ | self._told,
            cwd=frontend.HOME,
        )

    def _write_down(self) -> None:
        # For `brandmind sync` and others in a second terminal; holds Redis' password.
        path = self._data / RUNNING_FILE
        path.unlink(missing_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            for name, value in self._told.items():
                quoted = value.replace("\\", "\\\\").replace("'", "\\'")
                file.write(f"{name}='{quoted}'\n")

    def _announce(self) -> None:
        took_s = time.monotonic() - self._began
        say("")
        say(f"  BrandMind is ready:  {self.public_url}    ({took_s:.1f} s)")
        if not self._demo and not self._settings.shopify_client_id:
            say("  No Shopify app is named yet: set BRANDMIND_SHOPIFY_CLIENT_ID and _SECRET, or")
            say("  connect a store with `brandmind stores connect SHOP --token-stdin`.")
        if self._demo:
            say(f"  A local Shopify:     http://127.0.0.1:{self.simulator_port}")
            say(f"  A shop to connect:   {DEMO_SHOP}")
        say(f"  Data and logs:       {self._data}")
        say("  Ctrl-C stops everything; the data stay.")
        say("")

    def tidy(self) -> None:
        """Remove what points at processes that are gone."""
        (self._data / RUNNING_FILE).unlink(missing_ok=True)
        if self._valkey:
            self._valkey.forget()


@contextlib.contextmanager
def _this_folder_alone(data_dir: Path) -> Iterator[None]:
    with (data_dir / RUNNING_LOCK).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingsError(
                f"BrandMind already runs on {data_dir}. Stop that one, or give this one a folder "
                f"of its own with BRANDMIND_DATA_DIR."
            ) from None
        yield


def port_for(what: str, wanted: int, *, host: str = "127.0.0.1") -> int:
    """The wanted port or the next free one, which is then said.

    Raises:
        SettingsError: there is none.
    """
    try:
        port = first_free_port(wanted, host=host)
    except OSError as why:
        raise SettingsError(f"BRANDMIND_PORT, BRANDMIND_HOST: {why}") from None
    if port != wanted:
        say(f"Port {wanted} is taken; {what} uses {port}.")
    return port


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def _answers(
    port: int, *, path: str = "/", host: str = "127.0.0.1"
) -> Callable[[], Awaitable[bool]]:
    """A probe: whether something answers HTTP there."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  asked, not bound

    async def probe() -> bool:
        try:
            reader, writer = await asyncio.open_connection(host, port)
        except OSError:
            return False
        try:
            request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            writer.write(request.encode())
            async with asyncio.timeout(5):
                return (await reader.readline()).startswith(b"HTTP/1.")
        except (OSError, TimeoutError):
            return False
        finally:
            writer.close()

    return probe
