"""REQUIRE_ALL=1: what a machine lacks fails, instead of being passed over in silence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TESTS = """
import pytest

def test_of_a_missing_part():
    pytest.skip("no such server")

@pytest.mark.needs_shared
def test_of_data_beside_the_repository():
    pytest.skip("no such data")

def test_that_runs():
    pass

@pytest.mark.long
def test_that_takes_long():
    raise AssertionError
"""


def outcome(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_parts.py").write_text(TESTS)
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider"),
            *("-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT)),
            *("--confcutdir", str(folder), str(folder / "test_parts.py")),
        ],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if k != "REQUIRE_ALL"} | environment,
        capture_output=True,
        text=True,
    )


def test_a_missing_part_is_skipped_and_named(tmp_path: Path) -> None:
    done = outcome(tmp_path)
    assert done.returncode == pytest.ExitCode.OK, done.stdout + done.stderr
    assert "1 passed, 2 skipped, 1 deselected" in done.stdout
    assert "not tested on this machine" in done.stdout
    assert "   1  no such server" in done.stdout


def test_a_missing_part_fails_where_all_is_required(tmp_path: Path) -> None:
    done = outcome(tmp_path, REQUIRE_ALL="1")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "1 failed, 1 passed, 1 skipped, 1 deselected" in done.stdout
    assert "REQUIRE_ALL=1, but this was skipped: no such server" in done.stdout
    assert "   1  no such data" in done.stdout
