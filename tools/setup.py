"""Make .venv hold exactly what the lock names; instant when it already does.

Standard library only, and run by whatever Python the machine has:
    python3 tools/setup.py [--dev] [--venv DIR] [--lock FILE]
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--dev", action="store_true", help="with what tests and checks need")
    asked.add_argument("--venv", default=".venv")
    asked.add_argument("--lock", help="another lock file than requirements[-dev].lock")
    wanted = asked.parse_args()
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:3]))
        return _fail(f"BrandMind needs Python 3.11 or newer; this is {found} ({sys.executable}).")

    venv = ROOT / wanted.venv
    lock = ROOT / (wanted.lock or ("requirements-dev.lock" if wanted.dev else "requirements.lock"))
    # Two makes at once must not install into one another.
    with (ROOT / f"{wanted.venv}.lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        if _is_satisfied(venv, lock):
            return 0
        return _install(venv, lock)


def _is_satisfied(venv: Path, lock: Path) -> bool:
    if not (venv / "bin" / "python").exists():
        return False
    stamps = {_stamp(venv, lock): _digest(lock)}
    if lock.name == "requirements.lock":
        # What development needs includes what running needs.
        dev = ROOT / "requirements-dev.lock"
        stamps[_stamp(venv, dev)] = _digest(dev)
    return any(at.exists() and at.read_text() == digest for at, digest in stamps.items())


def _install(venv: Path, lock: Path) -> int:
    began = time.monotonic()
    python = venv / "bin" / "python"
    if not python.exists():
        print(f"Setting up {venv.name} with Python {sys.version.split()[0]} …", flush=True)
        made = subprocess.run(
            [sys.executable, "-m", "venv", "--clear", str(venv)], capture_output=True, text=True
        )
        if made.returncode != 0:
            return _fail(
                f"This Python cannot make a virtual environment: {made.stdout}{made.stderr}\n"
                "On Debian and Ubuntu: apt-get install python3-venv"
            )
    print(f"Installing {lock.name} (once; a minute or two) …", flush=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "-qq"]
    quick = ["--no-deps", "--no-compile", "--no-warn-script-location"]
    steps = (
        [*pip, *quick, "--require-hashes", "-r", str(lock)],
        [*pip, *quick, "--no-build-isolation", "--editable", str(ROOT)],
    )
    for step in steps:
        if subprocess.run(step, cwd=ROOT, env=_without_other_environments()).returncode != 0:
            return _fail("pip could not install what BrandMind needs; its words are above.")
    for other in venv.glob(".installed-*"):
        other.unlink()
    _stamp(venv, lock).write_text(_digest(lock))
    print(f"Installed in {time.monotonic() - began:.0f} s.", flush=True)
    return 0


def _stamp(venv: Path, lock: Path) -> Path:
    return venv / f".installed-{lock.stem}"


def _digest(lock: Path) -> str:
    whole = hashlib.sha256()
    for part in (lock, ROOT / "pyproject.toml"):
        whole.update(part.read_bytes() if part.exists() else b"")
    return whole.hexdigest()


def _without_other_environments() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if k not in {"PYTHONHOME", "PYTHONPATH"}}


def _fail(why: str) -> int:
    print(why, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
