"""Known weaknesses fail the check unless accepted; a machine without a network does not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tools import audit
from tools.audit import Accepted, Audit, Done, Finding

TODAY = date(2026, 11, 25)
LOCK = """\
one==1.0 \\
    --hash=sha256:aa
    # via x
two==2.0 ; python_version < '4' \\
    --hash=sha256:bb
"""
WEAK = Finding("one", "1.0", ("PYSEC-1", "CVE-1"), "fixed in 1.1")


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "some.lock"
    path.write_text(LOCK)
    return path


class Answers:
    """Stands in for the programs: says what it was given to say, keeps what it was asked."""

    def __init__(self, *told: Any) -> None:
        self._told = list(told)
        self.asked: list[str] = []

    def __call__(self, command: Sequence[str], folder: Path, within_s: float) -> Done:
        part = folder / "part.lock"
        self.asked.append(part.read_text() if part.exists() else " ".join(command))
        told = self._told.pop(0)
        if isinstance(told, Done):
            return told
        return Done(0, told if isinstance(told, str) else json.dumps(told))


def rows(*told: dict[str, Any]) -> dict[str, Any]:
    return {"dependencies": list(told), "fixes": []}


GOOD = {"name": "one", "version": "1.0", "vulns": []}
BAD = {
    "name": "one",
    "version": "1.0",
    "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["1.1"]}],
}
UNKNOWN = {"name": "two", "skip_reason": "not found"}


def test_one_package_is_asked_about_before_all(lock: Path) -> None:
    answers = Answers(rows(GOOD), rows(BAD, UNKNOWN))
    found = audit.of_python(lock, answers)
    assert answers.asked == [LOCK.partition("two")[0], LOCK]
    assert (found.asked, found.unknown, found.findings) == (2, 1, [WEAK])
    assert not found.skipped


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (Done(None, ""), "do not answer"),
        (Done(1, "Traceback"), "do not answer"),
        (Done(1, "[]"), "do not answer"),
        (rows({"name": "one", "skip_reason": "not found"}), "has no advisories"),
        (rows(), "has no advisories"),
    ],
)
def test_where_nobody_answers_nothing_is_claimed(lock: Path, told: Any, why: str) -> None:
    answers = Answers(told)
    found = audit.of_python(lock, answers)
    assert why in found.skipped
    assert len(answers.asked) == 1
    code, words = audit.judge([found], [], today=TODAY)
    assert code == 0
    assert "NOT audited" in words


def test_an_answer_that_ends_in_the_middle_is_none(lock: Path) -> None:
    assert audit.of_python(lock, Answers(rows(GOOD), Done(None, ""))).skipped


def test_the_frontend_is_asked_about_at_once(tmp_path: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        (tmp_path / name).write_text("{}")
    via = {"url": "https://github.com/advisories/GHSA-1", "severity": "high", "title": "Bad"}
    told = {
        "vulnerabilities": {
            "left": {"via": [{**via, "range": "<2"}]},
            "right": {"via": ["left"]},
        },
        "metadata": {"dependencies": {"total": 7}},
    }
    answers = Answers(told)
    found = audit.of_the_frontend(tmp_path, answers)
    assert "audit --json --package-lock-only" in answers.asked[0]
    assert found.asked == 7
    assert found.findings == [Finding("left", "<2", ("GHSA-1",), "high: Bad")]
    refused = Answers(Done(1, json.dumps({"message": "405", "error": {}})))
    assert audit.of_the_frontend(tmp_path, refused).skipped


def judged(*known: Accepted, findings: Sequence[Finding] = (WEAK,)) -> tuple[int, str]:
    return audit.judge([Audit("x", 1, 0, list(findings))], known, today=TODAY)


def test_what_is_found_fails_the_check_unless_it_is_accepted_and_still_in_time() -> None:
    later = date(2027, 1, 1)
    assert judged()[0] == 1
    assert judged(Accepted("CVE-1", "one", "not reachable here", later)) == (
        0,
        "x: 1 asked about.\n  one 1.0: PYSEC-1, fixed in 1.1  accepted: not reachable here",
    )
    assert judged(Accepted("CVE-2", "one", "another", later))[0] == 1
    assert judged(Accepted("CVE-1", "two", "of another package", later))[0] == 1
    code, words = judged(Accepted("CVE-1", "one", "for now", date(2026, 11, 24)))
    assert (code, "look again" in words) == (1, True)


def test_what_is_accepted_but_gone_is_said() -> None:
    code, words = judged(Accepted("CVE-9", "one", "old", date(2027, 1, 1)), findings=())
    assert code == 0
    assert "CVE-9 is accepted but was not found" in words


def test_nothing_is_accepted_without_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text('[[accepted]]\nid = "X"\npackage = "one"\nreason = " "\nuntil = 2027-01-01\n')
    with pytest.raises(ValueError, match="X has no reason"):
        audit.accepted(path)
    path.write_text('[[accepted]]\nid = "X"\npackage = "one"\nreason = "y"\nuntil = 2027-01-01\n')
    assert audit.accepted(path) == [Accepted("X", "one", "y", date(2027, 1, 1))]


def test_our_own_list_and_locks_can_be_read() -> None:
    audit.accepted(audit.ACCEPTED)
    assert len(audit._PINNED.findall(audit.LOCK.read_text())) > 80
    assert (audit.FRONTEND / "package-lock.json").is_file()


def test_a_program_that_does_not_end_is_ended(tmp_path: Path) -> None:
    import sys

    done = audit.really([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path, 0.2)
    assert done == Done(None, "")
