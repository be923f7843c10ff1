"""A private PostgreSQL for one test run: no fsync, loopback, gone with us."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from brandmind.launch.lifeline import tied_to_me
from brandmind.launch.ports import free_port


def postgres_binaries() -> Path | None:
    """The folder of initdb and postgres: the newest of the distribution's, or the PATH's."""
    packaged = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: float(p.parts[-3])
    )
    if packaged:
        return packaged[-1].parent
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found and shutil.which("postgres") else None


class PostgresCluster:
    """Started as a context manager; `create` gives databases of it."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._numbers = count(1)
        # Not under pytest's folder, which only its owner may enter: the server is another user.
        self._folder = Path(tempfile.mkdtemp(prefix="bm-pg-"))
        self.port = free_port()
        self._user: dict[str, object] = {}
        if os.geteuid() == 0:
            account = _account()
            os.chown(self._folder, account.pw_uid, account.pw_gid)
            self._user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        return self._folder / "data"

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{name}"

    def new_name(self) -> str:
        return f"test_{next(self._numbers)}"

    def create(self, name: str, *, template: str = "template0") -> str:
        """Make a database; its address."""
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def create_in(self, folder: Path, name: str, *, template: str) -> str:
        """Make a database whose tables lie in a folder of the server's user; its address."""
        self._execute(f"CREATE TABLESPACE {name} LOCATION '{folder}'")
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" TABLESPACE {name}')
        return self.url(name)

    def drop(self, name: str) -> None:
        self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _execute(self, statement: str) -> None:
        with psycopg.connect(
            f"postgresql://postgres@127.0.0.1:{self.port}/postgres", autocommit=True
        ) as connection:
            connection.execute(statement.encode())

    def start(self) -> None:
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_connections": "200",
            "shared_buffers": "64MB",
        }
        with (self._folder / "postgres.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    str(self._binaries / "postgres"),
                    *("-D", str(self.data)),
                    *(
                        part
                        for name, value in settings.items()
                        for part in ("-c", f"{name}={value}")
                    ),
                ],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=tied_to_me(by=signal.SIGQUIT),
                **self._user,  # type: ignore[call-overload]
            )
        late_at = time.monotonic() + 30
        while True:
            try:
                self._execute("SELECT 1")
                return
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > late_at:
                    words = (self._folder / "postgres.log").read_text(errors="replace")
                    self.stop()
                    raise RuntimeError(f"PostgreSQL did not start: {words[-2000:]}") from None
            time.sleep(0.02)

    def stop(self, *, by: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends it properly, SIGQUIT as a crash would."""
        if self._process:
            self._process.send_signal(by)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        made = subprocess.run(
            [
                str(self._binaries / "initdb"),
                *("-D", str(self.data), "-U", "postgres", "-A", "trust"),
                *("-E", "UTF8", "--locale=C", "--no-sync"),
            ],
            cwd=self._folder,
            capture_output=True,
            text=True,
            **self._user,  # type: ignore[call-overload]
        )
        if made.returncode != 0:
            raise RuntimeError(f"initdb failed: {made.stdout}{made.stderr}")
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop(by=signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)


def _account() -> pwd.struct_passwd:
    # The server refuses to run as root.
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("postgres")
    return pwd.getpwnam("nobody")
