"""The command: quick to load, and in plain words when something is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from brandmind.settings import parse_keys

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )


def brandmind(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return run("-m", "brandmind", *arguments, **environment)


def test_the_command_loads_nothing_heavy_before_it_knows_what_is_asked() -> None:
    done = run(
        "-c",
        "import sys, brandmind.cli; heavy = {'reflex', 'sqlalchemy', 'redis', 'httpx', 'arq'};"
        "print(sorted(heavy & set(sys.modules)))",
    )
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.parametrize("command", ["up", "demo", "web", "worker", "migrate"])
def test_a_bad_setting_is_one_line_and_exit_1(command: str) -> None:
    done = brandmind(command, BRANDMIND_WORKERS="many")
    assert done.returncode == 1
    assert done.stderr == "BRANDMIND_WORKERS: give the number of worker processes, from 1 to 64.\n"


def test_the_demo_refuses_to_be_seen_from_outside(tmp_path: Path) -> None:
    done = brandmind("demo", BRANDMIND_HOST="0.0.0.0", BRANDMIND_DATA_DIR=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("The demo makes its first visitor an administrator")
    assert "Traceback" not in done.stderr


def test_a_new_key_is_a_good_key() -> None:
    first, second = brandmind("keys", "new").stdout, brandmind("keys", "new").stdout
    assert parse_keys(first)[0] != parse_keys(second)[0]


def test_the_doctor_names_what_is_missing_and_exits_1(tmp_path: Path) -> None:
    done = brandmind(
        "doctor",
        BRANDMIND_DATA_DIR=str(tmp_path),
        BRANDMIND_REDIS_URL="redis://127.0.0.1:1/0",
    )
    assert done.returncode == 1
    missing = [line for line in done.stdout.splitlines() if line.startswith("MISSING")]
    named = {line.split()[1] for line in missing}
    assert {"database", "redis", "shopify"} <= named
    assert "python" not in named


def test_the_simulators_own_help_is_reached() -> None:
    assert "--orders" in brandmind("simulator", "--help").stdout
