"""A few faults of each group, as `make faults` tries many."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pytest

from tests.faults import table
from tests.faults.conductor import conduct
from tests.faults.outcome import Outcome
from tests.faults.plan import GROUPS, every_case

pytestmark = [pytest.mark.faults, pytest.mark.alone, pytest.mark.timeout(600)]

SEED = int(os.environ.get("FAULTS_SEED", "20261123"))
# Some groups alone, "4 5 11": what of the suite is about the queue.
GROUPS_ASKED = os.environ.get("FAULTS_GROUPS", "").split()
CASES = [
    case
    for case in every_case()
    if case.seldom and (not GROUPS_ASKED or str(case.group) in GROUPS_ASKED)
]


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Outcome]]:
    logs = tmp_path_factory.mktemp("faults")
    # Those alone that are looked at: `-m "not postgres"` and `-k` leave the others in peace.
    looked_at = {
        item.callspec.params.get("slug")
        for item in request.session.items
        if isinstance(item, pytest.Function) and hasattr(item, "callspec")
    }
    chosen = [case for case in CASES if case.slug in looked_at]
    if any(case.kind == "postgres" for case in chosen):
        try:
            request.getfixturevalue("postgres_cluster")
        except pytest.skip.Exception:
            # SQLite is tried all the same; the cases on PostgreSQL say what they lack.
            chosen = [case for case in chosen if case.kind == "sqlite"]
    told = asyncio.run(
        conduct([(case, case.seldom) for case in chosen], seed=SEED, lanes=2, logs=logs)
    )
    return {one.case: one for one in told}


def test_the_long_run_tries_every_group_often_enough() -> None:
    every = every_case()
    assert len({case.slug for case in every}) == len(every)
    assert {case.group for case in every} == set(GROUPS)
    assert {case.group for case in every if case.kind == "postgres"} == set(GROUPS)
    # What a case calls once may be several faults; at least so many are planned.
    assert sum(case.often for case in every) >= 300
    for case in every:
        if case.group == 1:
            assert case.often >= 20, case.slug


@pytest.mark.parametrize(
    "slug",
    [
        pytest.param(case.slug, marks=pytest.mark.postgres if case.kind == "postgres" else ())
        for case in CASES
    ],
)
def test_nothing_is_lost_doubled_or_late(slug: str, outcomes: dict[str, Outcome]) -> None:
    if slug not in outcomes:
        pytest.skip("no PostgreSQL on this machine")
    outcome = outcomes[slug]
    assert outcome.faults > 0
    assert outcome.complaints() == [], f"seed {SEED}, alone: python -m tests.faults --only {slug}"


def test_the_figures_are_told(
    outcomes: dict[str, Outcome], capsys: pytest.CaptureFixture[str]
) -> None:
    told = table.as_text(list(outcomes.values()))
    with capsys.disabled():
        print(f"\n\nseed {SEED}\n{told}")
    assert "BROKEN" not in told
