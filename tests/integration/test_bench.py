"""Each part of the benchmarks still runs, on a shop so small that it says nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench import crowd, growth, huge, incremental, paced, portrait, webhooks
from bench.__main__ import table
from bench.reading import Sizes, read

ROOT = Path(__file__).resolve().parents[2]


def test_the_reading_is_measured_beside_a_bare_program() -> None:
    found = read(Sizes(orders=60, customers=20, products=5), rounds=1)
    assert found.rows > 85
    assert found.ratio > 0
    assert "ratio to the raw ceiling" in "\n".join(table(found))


def test_a_second_sync_of_an_unchanged_store_is_counted() -> None:
    found = incremental.measure(60)
    # A shop is always asked what it is and what has changed.
    assert 0 < found.requests < 40
    assert "requests" in incremental.lines(found)[-1]


def test_growth_is_measured_by_its_parts() -> None:
    found = growth.measure(3_000)
    assert found[-1][0] == 3_000
    assert all(seconds > 0 for _, seconds in found)
    assert "the last tenth over the first" in growth.lines(found)[-1]


def test_a_crowd_is_served_and_the_history_goes_on() -> None:
    # More than the shop's first bucket pays for, so that it cannot be over before the crowd is.
    found = crowd.measure(stores=2, orders=40, history=4_000)
    assert len(found.first_s) == 2
    assert found.after > 0
    assert "stores connect at once" in crowd.lines(found)[0]


def test_the_use_of_a_budget_is_told() -> None:
    said = paced.lines([paced.Paced(1, 60.0, 100, 1, 950.0, 1_000.0, 31.0, 30.0)])
    assert "95.0%" in said[2]
    assert said[-1].endswith("bars met")
    said = paced.lines([paced.Paced(2, 60.0, 100, 2, 950.0, 1_000.0, None, 30.0)])
    assert said[-1].endswith("bars not met")


def test_stores_of_every_size_are_read_whole() -> None:
    (empty, *_, last) = huge.measure(sizes=((0, 0), (3, 40)))
    assert (empty.stored, last.stored) == (0, 3 + 40 + 8)
    assert "40" in huge.line(last)
    assert len(huge.bars(empty, last)) == 2


def test_the_portrait_and_the_queries_of_each_page_are_measured() -> None:
    found = portrait.measure(lines=3_000, rounds=5)
    assert found["lines"] == 3_000
    assert all(value > 0 for value in found.values())
    said = "\n".join(portrait.lines(found))
    for page in ("/command-center", "/dna", "/products", "/orders", "/customers"):
        assert f"queries of {page}, p95" in said
    assert "a group of /customers, p95" in said


@pytest.mark.parametrize("module", ["bench", "bench.huge", "bench.ceiling", "bench.served"])
def test_each_command_tells_its_options(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "--" in done.stdout


def test_the_door_of_deliveries_is_measured_beside_a_bare_one_and_killed() -> None:
    found = webhooks.measure(count=120, rounds=1, steady_s=0.2)
    assert found.ratio > 0
    assert found.steady.refused == 0
    assert found.killed.met
    said = webhooks.lines(found)
    assert any(line.startswith("ratio to the bare door") for line in said)
    assert said[-1].endswith("0 accepted ones lost, 0 kept twice: bar met")
