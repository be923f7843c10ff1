"""One mapping from runs to what a merchant is told, and a bar that never goes back."""

from __future__ import annotations

import pytest

from brandmind.sync.progress import StageProgress
from brandmind.sync.stages import (
    Kind,
    Priority,
    RunStatus,
    Stage,
    StageState,
    StoreStatus,
    stages_of,
)
from brandmind.sync.status import percent, shown, store_status

DONE = (StageProgress(Stage.ORDERS, StageState.DONE, done=5, total=5),)
GAP = (StageProgress(Stage.ORDERS, StageState.GAP, done=3, total=5),)
RESTRICTED = (StageProgress(Stage.CUSTOMERS, StageState.RESTRICTED),)
HISTORY = StageProgress(Stage.HISTORY, StageState.RUNNING, done=1, total=9)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"front": None}, (StoreStatus.PENDING, None)),
        ({"front": RunStatus.QUEUED, "started": False}, (StoreStatus.PENDING, None)),
        ({"front": RunStatus.QUEUED}, (StoreStatus.IN_PROGRESS, None)),
        ({"front": RunStatus.RUNNING}, (StoreStatus.IN_PROGRESS, None)),
        ({"front": RunStatus.FAILED}, (StoreStatus.FAILED, None)),
        ({"front": RunStatus.CANCELLED}, (StoreStatus.CANCELLED, None)),
        ({"front": RunStatus.RUNNING, "paused": True}, (StoreStatus.PAUSED, None)),
        ({"history": HISTORY}, (StoreStatus.PARTIAL, "history")),
        ({"stages": GAP, "history": HISTORY}, (StoreStatus.PARTIAL, "gap")),
        ({"stages": RESTRICTED, "history_done": True}, (StoreStatus.PARTIAL, "restricted")),
        ({"history_done": True}, (StoreStatus.COMPLETED, None)),
        (
            {"history": StageProgress(Stage.HISTORY, StageState.RESTRICTED)},
            (StoreStatus.PARTIAL, "restricted"),
        ),
    ],
)
def test_the_mapping(given: dict[str, object], expected: tuple[StoreStatus, str | None]) -> None:
    facts: dict[str, object] = {
        "paused": False,
        "front": RunStatus.DONE,
        "started": True,
        "stages": DONE,
        "history": None,
        "history_done": False,
    }
    assert store_status(**(facts | given)) == expected  # type: ignore[arg-type]


def _stage(done: int, total: int | None) -> StageProgress:
    return StageProgress(Stage.ORDERS, StageState.RUNNING, done=done, total=total)


def test_percent_weighs_stages_by_their_rows() -> None:
    assert percent((_stage(100, 100), _stage(0, 300)), before=0, finished=False) == 25


def test_percent_never_falls_when_a_total_grows() -> None:
    assert percent((_stage(50, 200),), before=40, finished=False) == 40


def test_a_hundred_is_kept_for_the_end() -> None:
    assert percent((_stage(10, 10),), before=0, finished=False) == 99
    assert percent((_stage(10, 10),), before=0, finished=True) == 100


def test_more_rows_than_promised_do_not_pass_the_end() -> None:
    assert percent((_stage(12, 10),), before=0, finished=False) == 99


def test_nothing_expected_yet_is_no_progress() -> None:
    assert percent((), before=0, finished=False) == 0


def test_only_leaves_out_what_is_not_named() -> None:
    assert stages_of(Kind.FULL, only=frozenset({Stage.PRODUCTS})) == (
        Stage.SHOP,
        Stage.PRODUCTS,
        Stage.FIGURES,
        Stage.NOTIFY,
    )


def test_a_person_goes_before_a_first_sync_and_that_before_history() -> None:
    ranks = [priority.rank for priority in Priority]
    assert ranks == sorted(ranks)
    assert Priority.MANUAL.rank < Priority.FIRST.rank < Priority.HISTORY.rank


def _at(stage: Stage, state: StageState, note: str | None = None) -> StageProgress:
    return StageProgress(stage, state, done=5, total=5, note=note)


def test_a_stage_is_at_work_until_its_parts_are_closed() -> None:
    stages = (_at(Stage.ORDERS, StageState.DONE), _at(Stage.OLDER_ORDERS, StageState.RUNNING))
    assert [(at.stage, at.state) for at in shown(stages)] == [(Stage.ORDERS, StageState.RUNNING)]
    stages = (stages[0], _at(Stage.OLDER_ORDERS, StageState.DONE))
    assert [(at.stage, at.state) for at in shown(stages)] == [(Stage.ORDERS, StageState.DONE)]


def test_what_a_part_still_has_to_bring_is_behind_its_stage() -> None:
    older = StageProgress(Stage.OLDER_ORDERS, StageState.RUNNING, done=40, total=100)
    (orders,) = shown((_at(Stage.ORDERS, StageState.DONE), older))
    assert (orders.done, orders.total, orders.behind) == (5, 5, 60)


def test_a_part_that_comes_first_begins_its_stage_and_lends_it_no_counts() -> None:
    stages = (
        _at(Stage.LATE_ORDERS, StageState.DONE),
        StageProgress(Stage.FIGURES, StageState.QUEUED),
    )
    (figures,) = shown(stages)
    assert (figures.state, figures.done, figures.total) == (StageState.RUNNING, 0, None)


def test_what_is_wrong_with_a_part_is_said_by_its_stage() -> None:
    stages = (
        _at(Stage.ORDERS, StageState.DONE),
        _at(Stage.OLDER_ORDERS, StageState.RESTRICTED, "Not shown."),
    )
    assert [(at.state, at.note) for at in shown(stages)] == [(StageState.RESTRICTED, "Not shown.")]


def test_what_is_refused_is_said_once_and_not_again_where_its_changes_are_read() -> None:
    late = _at(Stage.LATE_CUSTOMERS, StageState.RESTRICTED, "Refused.")
    figures = StageProgress(Stage.FIGURES, StageState.DONE)
    refused = _at(Stage.CUSTOMERS, StageState.RESTRICTED, "Refused.")
    told = [at.state for at in shown((refused, late, figures))]
    assert told == [StageState.RESTRICTED, StageState.DONE]
    # Refused in the midst of a sync: then nothing else says it.
    read = _at(Stage.CUSTOMERS, StageState.DONE)
    told = [at.state for at in shown((read, late, figures))]
    assert told == [StageState.DONE, StageState.RESTRICTED]


def test_stages_without_parts_are_shown_as_they_are() -> None:
    stages = (_at(Stage.PRODUCTS, StageState.QUEUED), _at(Stage.CUSTOMERS, StageState.FAILED))
    assert shown(stages) == stages


def test_older_orders_come_with_the_orders_that_were_chosen() -> None:
    assert stages_of(Kind.FULL, only=frozenset({Stage.ORDERS})) == (
        Stage.SHOP,
        Stage.ORDERS,
        Stage.OLDER_ORDERS,
        Stage.FIGURES,
        Stage.NOTIFY,
    )
